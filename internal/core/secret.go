package core

import (
	"encoding/base64"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
)

// OwnerKind says what kind of thing owns a secret.
type OwnerKind string

// The owners. A user's secret belongs to the model.
const (
	OwnerApp   OwnerKind = "application"
	OwnerUnit  OwnerKind = "unit"
	OwnerModel OwnerKind = "model"
)

// SecretOwner is who owns a secret. Name is empty for the model.
type SecretOwner struct {
	Kind OwnerKind `json:"kind"`
	Name string    `json:"name,omitempty"`
}

// String is the owner's name, or "<model>" (CLI reference, section 5.11).
func (o SecretOwner) String() string {
	if o.Kind == OwnerModel {
		return "<model>"
	}
	return o.Name
}

// UnitOwner and AppOwner are the owners a charm can choose.
func UnitOwner(u kith.UnitName) SecretOwner { return SecretOwner{OwnerUnit, string(u)} }

// AppOwner is the application as an owner: its leader manages the secret.
func AppOwner(a kith.AppName) SecretOwner { return SecretOwner{OwnerApp, string(a)} }

// SecretData is the content of one revision: values in base64 by key. It prints as
// its keys only, so that a value cannot get into a log or an error by accident.
type SecretData map[string]string

// String lists the keys.
func (d SecretData) String() string { return fmt.Sprintf("secret content %q", d.Keys()) }

// GoString is String: %#v must not tell more.
func (d SecretData) GoString() string { return d.String() }

// Keys are the names of the values, sorted.
func (d SecretData) Keys() []string { return slices.Sorted(maps.Keys(d)) }

// Secret is a secret without its content: who owns it, what it is called, and when
// its owner is asked to rotate it (hook protocol reference, section 12).
type Secret struct {
	ID    kith.SecretID `json:"id"`
	Owner SecretOwner   `json:"owner"`
	// Label is the owner's name for it; of a user's secret the name.
	Label       string       `json:"label,omitempty"`
	Description string       `json:"description,omitempty"`
	Rotate      RotatePolicy `json:"rotate,omitempty"`
	// NextRotate is when secret-rotate is due; zero if never.
	NextRotate time.Time `json:"next-rotate,omitzero"`
	// AutoPrune deletes revisions that nobody tracks any more; users' secrets only.
	AutoPrune bool `json:"auto-prune,omitempty"`
	// Latest is the newest revision there is, Numbered the highest number ever given
	// out: the newest can be removed.
	Latest   int       `json:"latest"`
	Numbered int       `json:"numbered"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
}

// Key is the secret's id.
func (s *Secret) Key() Key { return Key{KindSecret, string(s.ID)} }

// SecretRevision is one revision of a secret, without its content.
type SecretRevision struct {
	Secret  kith.SecretID `json:"secret"`
	Number  int           `json:"number"` // from 1
	Rev     uint64        `json:"rev"`    // revision of the model at which it came about
	Created time.Time     `json:"created"`
	Updated time.Time     `json:"updated"`
	Expires time.Time     `json:"expires,omitzero"`
	// ExpiryDue is when secret-expired runs next; zero if the revision does not expire.
	// Written anew by that hook, as long as the revision is there.
	ExpiryDue time.Time `json:"expiry-due,omitzero"`
	// Obsolete is the model revision since which it is neither the newest nor tracked
	// by anybody; 0 if it is not obsolete.
	Obsolete uint64 `json:"obsolete,omitempty"`
	// Told is the unit of the owner that has run secret-remove for it. Written by that hook only.
	Told kith.UnitName `json:"told,omitempty"`
}

// Key is "secret/number".
func (r *SecretRevision) Key() Key { return Key{KindSecretRevision, revisionID(r.Secret, r.Number)} }

// SecretContent is what a revision holds. It never changes. It is an entity of its own
// because it is sealed where it is stored, and because nothing else needs it.
type SecretContent struct {
	Secret kith.SecretID `json:"secret"`
	Number int           `json:"number"`
	Data   SecretData    `json:"data"`
}

// Key is "secret/number".
func (c *SecretContent) Key() Key { return Key{KindSecretContent, revisionID(c.Secret, c.Number)} }

// SecretGrant lets the units of an application, or one unit, read a secret.
type SecretGrant struct {
	Secret kith.SecretID `json:"secret"`
	// Subject is an application or a unit; only a unit name has a slash.
	Subject string `json:"subject"`
	// Relation is what the grant lives by: it ends with the relation. A user's secret is granted
	// without one.
	Relation *kith.RelationID `json:"relation,omitempty"`
}

// Key is "secret/relation/subject", with "-" for no relation.
func (g *SecretGrant) Key() Key {
	return Key{KindSecretGrant, string(g.Secret) + "/" + g.scope() + "/" + g.Subject}
}

// Tag is how tools and people are shown the subject: "application-web", "unit-web-0".
func (g SecretGrant) Tag() string {
	if strings.Contains(g.Subject, "/") {
		return "unit-" + strings.ReplaceAll(g.Subject, "/", "-")
	}
	return "application-" + g.Subject
}

// RelationTag is how they are shown what a grant lives by: "relation-web.db#pg.db" for the
// relation with key "web:db pg:db".
func RelationTag(key string) string {
	return "relation-" + strings.NewReplacer(":", ".", " ", "#").Replace(key)
}

func (g SecretGrant) scope() string {
	if g.Relation == nil {
		return "-"
	}
	return g.Relation.String()
}

// SecretConsumer is a unit that has read a secret: which revision it sees, and what
// it calls the secret.
type SecretConsumer struct {
	Secret kith.SecretID `json:"secret"`
	Unit   kith.UnitName `json:"unit"`
	Label  string        `json:"label,omitempty"`
	// Revision is what secret-get returns; the revision itself may have been removed.
	Revision int `json:"revision"`
	// Told is the newest revision that secret-changed has announced. Written by that hook only.
	Told int `json:"told,omitempty"`
}

// Key is "secret/unit".
func (c *SecretConsumer) Key() Key { return Key{KindSecretConsumer, consumerID(c.Secret, c.Unit)} }

func revisionID(id kith.SecretID, number int) string { return string(id) + "/" + strconv.Itoa(number) }

func consumerID(id kith.SecretID, u kith.UnitName) string { return string(id) + "/" + string(u) }

// RotatePolicy says how often the owner is asked to rotate a secret. Empty is never.
type RotatePolicy string

// The policies.
const (
	RotateNever     RotatePolicy = ""
	RotateHourly    RotatePolicy = "hourly"
	RotateDaily     RotatePolicy = "daily"
	RotateWeekly    RotatePolicy = "weekly"
	RotateMonthly   RotatePolicy = "monthly"
	RotateQuarterly RotatePolicy = "quarterly"
	RotateYearly    RotatePolicy = "yearly"
)

// ParseRotatePolicy reads a policy by name, "never" included. Errors: Invalid.
func ParseRotatePolicy(s string) (RotatePolicy, error) {
	if s == "never" {
		return RotateNever, nil
	}
	p := RotatePolicy(s)
	if s == "" || p.After(time.Time{}).IsZero() {
		return "", kith.Errorf(kith.Invalid, "rotate policy %q not valid", s).
			WithHint("one of never, hourly, daily, weekly, monthly, quarterly, yearly")
	}
	return p, nil
}

// String is the policy's name; "never" for none.
func (p RotatePolicy) String() string {
	if p == RotateNever {
		return "never"
	}
	return string(p)
}

// After is when a secret that was rotated at t is rotated next; zero for never.
func (p RotatePolicy) After(t time.Time) time.Time {
	switch p {
	case RotateHourly:
		return t.Add(time.Hour)
	case RotateDaily:
		return t.AddDate(0, 0, 1)
	case RotateWeekly:
		return t.AddDate(0, 0, 7)
	case RotateMonthly:
		return t.AddDate(0, 1, 0)
	case RotateQuarterly:
		return t.AddDate(0, 3, 0)
	case RotateYearly:
		return t.AddDate(1, 0, 0)
	case RotateNever:
	}
	return time.Time{}
}

// MaxSecretSize bounds the content of one revision: the bytes of its keys and of its
// values in base64 (hook protocol reference, section 12.1).
const MaxSecretSize = 1_000_000

// CheckSecretData refuses content that no secret may have: none, bad keys, empty or
// malformed values, too much. The error tells no value. Errors: Invalid.
func CheckSecretData(data SecretData) error {
	size := 0
	for _, k := range data.Keys() {
		if !kith.ValidSecretKey(k) {
			return kith.Errorf(kith.Invalid, "key %q not valid", k).
				WithHint("a key has three characters at least: lower-case letters, digits and dashes, beginning with a letter")
		}
		if data[k] == "" {
			return kith.Errorf(kith.Invalid, "empty secret value not valid").WithHint("the value of key %q is empty", k)
		}
		if _, err := base64.StdEncoding.DecodeString(data[k]); err != nil {
			return kith.Errorf(kith.Invalid, "value of key %q is not base64", k).WithHint("a key that ends in #base64 takes a value that is encoded already")
		}
		size += len(k) + len(data[k])
	}
	if len(data) == 0 {
		return kith.Errorf(kith.Invalid, "empty secret value not valid")
	}
	if size > MaxSecretSize {
		return kith.Errorf(kith.Invalid, "secret content too large: %d bytes", size).WithHint("the limit core.MaxSecretSize is %d bytes", MaxSecretSize)
	}
	return nil
}

// Secret is the secret with that id, or nil.
func (m *Model) Secret(id kith.SecretID) *Secret { return m.secrets.get(string(id)) }

// Secrets yields all secrets in order of id.
func (m *Model) Secrets() iter.Seq[*Secret] { return m.secrets.all() }

// SecretsOf yields the secrets of an owner in order of id.
func (m *Model) SecretsOf(o SecretOwner) iter.Seq[*Secret] {
	return func(yield func(*Secret) bool) {
		for _, id := range m.secretIndex.owned.under(ownerKey(o)) {
			if s := m.secrets.get(id); s != nil && !yield(s) { // nil: removed while this runs
				return
			}
		}
	}
}

// SecretRevision is one revision of a secret, or nil.
func (m *Model) SecretRevision(id kith.SecretID, number int) *SecretRevision {
	return m.secretRevisions.get(revisionID(id, number))
}

// SecretRevisions are the revisions of a secret, oldest first.
func (m *Model) SecretRevisions(id kith.SecretID) []*SecretRevision {
	all := slices.Collect(m.secretRevisions.prefix(string(id) + "/"))
	slices.SortFunc(all, func(a, b *SecretRevision) int { return a.Number - b.Number })
	return all
}

// SecretGrants yields who may read a secret, in order of relation and name.
func (m *Model) SecretGrants(id kith.SecretID) iter.Seq[*SecretGrant] {
	return m.secretGrants.prefix(string(id) + "/")
}

// SecretConsumer is what a unit remembers of a secret, or nil if it has not read it.
func (m *Model) SecretConsumer(id kith.SecretID, u kith.UnitName) *SecretConsumer {
	return m.secretConsumers.get(consumerID(id, u))
}

// SecretConsumers yields the units that have read a secret, in order of name.
func (m *Model) SecretConsumers(id kith.SecretID) iter.Seq[*SecretConsumer] {
	return m.secretConsumers.prefix(string(id) + "/")
}

// secretLabelled is the secret that an owner calls label, or nil.
func (m *Model) secretLabelled(o SecretOwner, label string) *Secret {
	for s := range m.SecretsOf(o) {
		if s.Label == label {
			return s
		}
	}
	return nil
}

// consumed is the secret that a unit has read and calls label, or nil.
func (m *Model) consumed(u kith.UnitName, label string) *SecretConsumer {
	for _, id := range m.secretIndex.consumes.under(string(u)) {
		if c := m.SecretConsumer(kith.SecretID(id), u); c.Label == label {
			return c
		}
	}
	return nil
}
