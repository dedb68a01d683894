package core

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"kith"
)

// secretRole is what somebody may do with a secret.
type secretRole int

const (
	noRole secretRole = iota
	viewRole
	manageRole
)

// unitRole is what a unit may do with a secret (hook protocol reference, sections 12.3 to 12.7):
// the owner manages it, where an application is the owner its leader; its other units
// and whoever was granted it read it. leads says whether the unit is the leader.
func (m *Model) unitRole(s *Secret, u kith.UnitName, leads bool) secretRole {
	switch s.Owner {
	case UnitOwner(u):
		return manageRole
	case AppOwner(u.App()):
		if leads {
			return manageRole
		}
		return viewRole
	}
	for g := range m.SecretGrants(s.ID) {
		if g.Subject == string(u) || g.Subject == string(u.App()) {
			return viewRole
		}
	}
	return noRole
}

func (m *Model) mayReadSecret(s *Secret, u kith.UnitName) bool {
	return s != nil && m.unitRole(s, u, false) >= viewRole
}

// SecretQuery asks for the content of a secret, as secret-get does.
type SecretQuery struct {
	ID kith.SecretID // empty: by Label
	// Label finds the secret if there is no ID; with one it is what the unit will call it.
	Label string
	// Reader takes the label for the unit's own as a reader, and for no owner's.
	Reader bool
	// Refresh and Peek ask for the newest revision.
	Refresh, Peek bool
}

// SecretValue is the content of one revision, and what the reader is to the secret.
type SecretValue struct {
	ID       kith.SecretID `json:"id"`
	Revision int           `json:"revision"`
	Data     SecretData    `json:"data"` // shared: not to be changed
	// Tracked is the revision the unit saw so far; 0 if it has not read the secret.
	Tracked int `json:"tracked,omitempty"`
	// Label is what the unit calls the secret as a reader, OwnerLabel the owner.
	Label      string `json:"label,omitempty"`
	OwnerLabel string `json:"owner-label,omitempty"`
	// Manages is true for the owner, who always sees the newest revision.
	Manages bool `json:"manages,omitempty"`
}

// ReadSecret is the content of a secret, for a unit. The rules are those of section
// 12.4, the texts those of its 3.6 column. Errors: NotFound, Forbidden; Conflict if the label
// that was given is another secret's.
func ReadSecret(m *Model, u kith.UnitName, q SecretQuery, now time.Time) (SecretValue, error) {
	s, err := m.findSecret(u, q)
	if err != nil {
		return SecretValue{}, err
	}
	role := m.unitRole(s, u, m.IsLeader(u, now))
	if role == noRole {
		return SecretValue{}, kith.Errorf(kith.Forbidden, "permission denied").WithHint("%s was not granted secret %q", u, s.ID)
	}
	v := SecretValue{ID: s.ID, Revision: s.Latest, Manages: role == manageRole, OwnerLabel: s.Label}
	if c := m.SecretConsumer(s.ID, u); c != nil {
		v.Tracked, v.Label = c.Revision, c.Label
		if !q.Refresh && !q.Peek && !v.Manages {
			v.Revision = c.Revision
		}
	}
	if q.ID != "" && q.Label != "" && q.Label != v.Label {
		if err := m.labelIsFree(u, s, q.Label); err != nil {
			return SecretValue{}, err
		}
	}
	content := m.secretContents.get(revisionID(s.ID, v.Revision))
	if content == nil {
		return SecretValue{}, kith.Errorf(kith.NotFound, "secret revision %q not found", revisionID(s.ID, v.Revision)).
			WithHint("its owner has removed it; secret-get --refresh moves to the newest")
	}
	v.Data = content.Data
	return v, nil
}

// findSecret finds what a unit asks for: by id, by the label it gave to a secret of its own, by
// the one it has for another's, or by its application's. So no label of a unit changes its meaning by
// what the leader does.
func (m *Model) findSecret(u kith.UnitName, q SecretQuery) (*Secret, error) {
	if q.ID != "" {
		if s := m.Secret(q.ID); s != nil {
			return s, nil
		}
		return nil, SecretNotFound(string(q.ID))
	}
	if s := m.secretLabelled(UnitOwner(u), q.Label); s != nil && !q.Reader {
		return s, nil
	}
	if c := m.consumed(u, q.Label); c != nil {
		return m.Secret(c.Secret), nil
	}
	if s := m.secretLabelled(AppOwner(u.App()), q.Label); s != nil && !q.Reader {
		return s, nil
	}
	return nil, kith.Errorf(kith.NotFound, "consumer label %q not found", q.Label)
}

// SecretNotFound is the refusal of a secret that does not exist, by its bare id or its name.
func SecretNotFound(name string) *kith.Error {
	return kith.Errorf(kith.NotFound, "secret %q not found", name)
}

// labelIsFree refuses a label the unit uses for another secret already.
func (m *Model) labelIsFree(u kith.UnitName, s *Secret, label string) error {
	if other, err := m.findSecret(u, SecretQuery{Label: label}); err == nil && other.ID != s.ID {
		return labelTaken(UnitOwner(u), label)
	}
	return nil
}

// SecretInfo is a secret as its owner sees it: everything but the content.
type SecretInfo struct {
	ID          kith.SecretID `json:"id"`
	Owner       SecretOwner   `json:"owner"`
	Label       string        `json:"label,omitempty"`
	Description string        `json:"description,omitempty"`
	Revision    int           `json:"revision"`
	Rotate      RotatePolicy  `json:"rotate,omitempty"`
	Rotates     time.Time     `json:"rotates,omitzero"`
	Expires     time.Time     `json:"expires,omitzero"`
	Created     time.Time     `json:"created"`
	Updated     time.Time     `json:"updated"`
	Access      []SecretGrant `json:"access,omitempty"`
	// Scopes names the relations of Access, in its order: their keys, or "" for none.
	Scopes []string `json:"scopes,omitempty"`
}

// SecretInfoOf is what is known of a secret.
func SecretInfoOf(m *Model, s *Secret) SecretInfo {
	info := SecretInfo{
		ID: s.ID, Owner: s.Owner, Label: s.Label, Description: s.Description, Revision: s.Latest,
		Rotate: s.Rotate, Rotates: s.NextRotate, Created: s.Created, Updated: s.Updated,
	}
	if r := m.SecretRevision(s.ID, s.Latest); r != nil {
		info.Expires = r.Expires
	}
	for g := range m.SecretGrants(s.ID) {
		info.Access = append(info.Access, *g)
	}
	slices.SortFunc(info.Access, CompareGrants)
	for _, g := range info.Access {
		scope := ""
		if g.Relation != nil {
			scope = m.Relation(*g.Relation).RelationKey()
		}
		info.Scopes = append(info.Scopes, scope)
	}
	return info
}

// CompareGrants orders what is shown of who may read a secret: by name, then by relation.
func CompareGrants(a, b SecretGrant) int {
	return cmp.Or(strings.Compare(a.Subject, b.Subject), strings.Compare(a.scope(), b.scope()))
}

// OwnedSecrets are the secrets a unit and its application own, in order of id.
func OwnedSecrets(m *Model, u kith.UnitName) []SecretInfo {
	var all []SecretInfo
	for _, o := range []SecretOwner{UnitOwner(u), AppOwner(u.App())} {
		for s := range m.SecretsOf(o) {
			all = append(all, SecretInfoOf(m, s))
		}
	}
	slices.SortFunc(all, func(a, b SecretInfo) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// RevealSecret is the content of a revision, for an operator; 0 is the newest.
// Errors: NotFound.
func RevealSecret(m *Model, id kith.SecretID, number int) (SecretData, error) {
	s := m.Secret(id)
	if s == nil {
		return nil, SecretNotFound(string(id))
	}
	c := m.secretContents.get(revisionID(id, cmp.Or(number, s.Latest)))
	if c == nil {
		return nil, kith.Errorf(kith.NotFound, "secret revision %q not found", revisionID(id, number))
	}
	return c.Data, nil
}

// SecretNamed finds a secret by id, by URI or, a user's, by name; nil if there is none.
func (m *Model) SecretNamed(ref string) *Secret {
	if id, _, err := kith.ParseSecretURI(ref); err == nil {
		if s := m.Secret(id); s != nil {
			return s
		}
	}
	if ref == "" {
		return nil
	}
	return m.secretLabelled(SecretOwner{Kind: OwnerModel}, ref)
}

// Decoded is the content with its values as they were before they were put in base64.
func (d SecretData) Decoded() map[string]string {
	plain := make(map[string]string, len(d))
	for k, v := range d { // any order: a map is made
		value, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			panic("core: a secret holds a value that is not base64")
		}
		plain[k] = string(value)
	}
	return plain
}

// owners are those whose secrets the unit manages now, as far as it matters to its hooks.
func (v View) owners() []SecretOwner {
	owners := []SecretOwner{UnitOwner(v.Unit.Name)}
	if leads, _ := v.Leader(); leads {
		owners = append(owners, AppOwner(v.App.Name))
	}
	return owners
}

// ExpiredSecret is the revision that has expired first among those the unit manages;
// false if none has by now.
func (v View) ExpiredSecret(now time.Time) (SecretHook, bool) {
	at, what := v.firstDue(&v.m.secretIndex.expiries, "")
	if what == "" || at.After(now) {
		return SecretHook{}, false
	}
	id, number := parseRevision(what)
	return SecretHook{ID: id, Label: v.m.Secret(id).Label, Revision: number}, true
}

// RotateSecret is the secret whose rotation fell due first among those the unit manages.
func (v View) RotateSecret(now time.Time) (SecretHook, bool) {
	at, id := v.firstDue(&v.m.secretIndex.rotations, "")
	if id == "" || at.After(now) {
		return SecretHook{}, false
	}
	s := v.m.Secret(kith.SecretID(id))
	return SecretHook{ID: s.ID, Label: s.Label, Revision: s.Latest}, true
}

// firstDue is the earliest entry of a time index for the unit's secrets, from a text on.
func (v View) firstDue(x *index, from string) (at time.Time, what string) {
	if x.rows.size() == 0 {
		return time.Time{}, ""
	}
	first := ""
	for _, o := range v.owners() {
		if e := x.first(ownerKey(o), from); e != "" && (first == "" || e < first) {
			first = e
		}
	}
	if first == "" {
		return time.Time{}, ""
	}
	text, what, _ := strings.Cut(first, "/")
	return parseSortableTime(text), what
}

// SecretTimer is the first moment after another at which a secret of the unit expires or is to
// be rotated; false if there is none.
func (v View) SecretTimer(after time.Time) (time.Time, bool) {
	from := sortableTime(after) + "~" // behind all entries of that very moment
	expires, what := v.firstDue(&v.m.secretIndex.expiries, from)
	rotates, other := v.firstDue(&v.m.secretIndex.rotations, from)
	switch {
	case what == "":
		return rotates, other != ""
	case other == "" || expires.Before(rotates):
		return expires, true
	}
	return rotates, true
}

// ChangedSecret is the first secret, by id, of which the unit has read an older
// revision and has not been told of the newest. The second result is the model revision that made it.
func (v View) ChangedSecret() (h SecretHook, rev uint64, ok bool) {
	id := kith.SecretID(v.m.secretIndex.stale.first(string(v.Unit.Name), ""))
	if id == "" {
		return SecretHook{}, 0, false
	}
	s, c := v.m.Secret(id), v.m.SecretConsumer(id, v.Unit.Name)
	h = SecretHook{ID: id, Label: c.Label, Revision: s.Latest}
	if s.Owner == UnitOwner(v.Unit.Name) || s.Owner == AppOwner(v.App.Name) {
		h.Label = cmp.Or(c.Label, s.Label)
	}
	if r := v.m.SecretRevision(id, s.Latest); r != nil {
		rev = r.Rev
	}
	return h, rev, true
}

// ObsoleteSecret is the first revision, by id and number, that nobody sees any more
// and whose owner, the unit, has not been told so; and since which model revision that is.
func (v View) ObsoleteSecret() (h SecretHook, rev uint64, ok bool) {
	if v.m.secretIndex.obsolete.rows.size() == 0 {
		return SecretHook{}, 0, false
	}
	first := ""
	for _, o := range v.owners() {
		v.m.secretIndex.obsolete.walk(ownerKey(o), "", func(e string) bool {
			if r := v.m.SecretRevision(parseRevision(e)); r.Told == v.Unit.Name {
				return true
			}
			if first == "" || e < first {
				first = e
			}
			return false
		})
	}
	if first == "" {
		return SecretHook{}, 0, false
	}
	id, number := parseRevision(first)
	return SecretHook{ID: id, Label: v.m.Secret(id).Label, Revision: number}, v.m.SecretRevision(id, number).Obsolete, true
}

// SecretHookIsMoot reports whether a hook about a secret has lost its object.
func (v View) SecretHookIsMoot(h Hook) bool { return v.m.secretHookIsMoot(v.Unit.Name, h) }

// secretHookIsMoot reports whether a hook about a secret has lost its object: the
// secret or the revision is gone, or the unit owns it or may read it no longer.
func (m *Model) secretHookIsMoot(u kith.UnitName, h Hook) bool {
	if h.Secret == nil {
		return false
	}
	s := m.Secret(h.Secret.ID)
	if s == nil {
		return true
	}
	if h.Kind == SecretChanged {
		return m.SecretConsumer(s.ID, u) == nil
	}
	if m.unitRole(s, u, m.HoldsLease(u)) != manageRole {
		return true
	}
	if h.Kind == SecretRotate {
		return s.NextRotate.IsZero()
	}
	r := m.SecretRevision(s.ID, h.Secret.Revision)
	return r == nil || h.Kind == SecretRemove && r.Obsolete == 0 || h.Kind == SecretExpired && r.ExpiryDue.IsZero()
}
