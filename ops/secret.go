package ops

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kith"
)

// SecretOwner is who owns a secret.
type SecretOwner string

// The owners.
const (
	AppOwner  SecretOwner = "application" // its leader acts for it
	UnitOwner SecretOwner = "unit"
)

// SecretRotate is how often an owner is asked for new content.
type SecretRotate string

// The policies.
const (
	RotateNever     SecretRotate = "never"
	RotateHourly    SecretRotate = "hourly"
	RotateDaily     SecretRotate = "daily"
	RotateWeekly    SecretRotate = "weekly"
	RotateMonthly   SecretRotate = "monthly"
	RotateQuarterly SecretRotate = "quarterly"
	RotateYearly    SecretRotate = "yearly"
)

// SecretRevision is which content of a secret is read.
type SecretRevision int

// The revisions that can be asked for.
const (
	TrackedRevision SecretRevision = iota // the one this unit or application has read before
	RefreshRevision                       // the newest, which is tracked from now on
	PeekRevision                          // the newest, and nothing changes
)

// SecretSpec is what an owner says about a secret. What is zero is left as it is.
type SecretSpec struct {
	Label       string // by which the owner finds it
	Description string
	// Expire is when it expires, to the second; ExpireIn how long from now, and counts only without
	// Expire.
	Expire   time.Time
	ExpireIn time.Duration
	Rotate   SecretRotate
}

// SecretInfo is what an owner can know about a secret.
type SecretInfo struct {
	ID          string
	Label       string
	Description string
	Revision    int // the newest; the first is 1
	Owner       SecretOwner
	Rotation    SecretRotate
	Expires     time.Time // zero: never
	Rotates     time.Time // zero: never
}

// AddSecret makes a secret that belongs to the application. Only the leader can:
// [ErrNotLeader]. Keys of the content are of lower-case letters, digits and inner
// dashes, three at least and a letter first; values are UTF-8, and not empty. Errors: Invalid
// for no content and for other keys and values, [*ModelError] for a label that is taken.
func (a *Application) AddSecret(content map[string]string, spec SecretSpec) (*Secret, error) {
	return a.m.addSecret(AppOwner, content, spec)
}

// AddSecret makes a secret that belongs to the unit; see [Application.AddSecret].
func (u *Unit) AddSecret(content map[string]string, spec SecretSpec) (*Secret, error) {
	return u.m.addSecret(UnitOwner, content, spec)
}

func (m *Model) addSecret(o SecretOwner, content map[string]string, spec SecretSpec) (*Secret, error) {
	if err := checkContent(content); err != nil {
		return nil, err
	}
	id, err := m.f.backend.SecretAdd(o, spec, content)
	if err != nil {
		return nil, err
	}
	return &Secret{m: m, id: id, label: spec.Label}, nil
}

// checkContent refuses what no secret can hold. The tools take keys and values in one argument, so they
// would read some of it as something else.
func checkContent(content map[string]string) error {
	if len(content) == 0 {
		return kith.Errorf(kith.Invalid, "cannot keep a secret without content")
	}
	for _, key := range slices.Sorted(maps.Keys(content)) {
		if !kith.ValidSecretKey(key) {
			return kith.Errorf(kith.Invalid, "cannot keep a secret: key %q not valid", key).
				WithHint("a key has three or more lower-case letters, digits and inner dashes, and a letter first")
		}
		switch value := content[key]; {
		case value == "":
			return kith.Errorf(kith.Invalid, "cannot keep a secret: key %q has an empty value", key).
				WithHint("leave the key out")
		case !utf8.ValidString(value): // it could not be read back: secret-get prints JSON
			return kith.Errorf(kith.Invalid, "cannot keep a secret: the value of key %q is not UTF-8", key).
				WithHint("write bytes as text, in base64 for example")
		}
	}
	return nil
}

// GetSecret is a secret by its id, whose content is read at once: an error tells
// whether it may be read. Errors: [ErrSecretNotFound], [ErrPermission].
func (m *Model) GetSecret(id string) (*Secret, error) { return m.openSecret(id, "") }

// GetSecretByLabel is a secret by the label its owner, or this side, gave it. Its content
// is read at once. Errors: [ErrSecretNotFound].
func (m *Model) GetSecretByLabel(label string) (*Secret, error) { return m.openSecret("", label) }

// LabelSecret is GetSecret, and gives the secret a label for this side: [Model.GetSecretByLabel]
// finds it from then on.
func (m *Model) LabelSecret(id, label string) (*Secret, error) { return m.openSecret(id, label) }

func (m *Model) openSecret(id, label string) (*Secret, error) {
	s := &Secret{m: m, id: id, label: label}
	if _, err := s.Content(); err != nil {
		return nil, err
	}
	return s, nil
}

// SecretIDs are the ids of the secrets the unit owns and, on the leader, the application.
func (m *Model) SecretIDs() ([]string, error) { return m.f.backend.SecretIDs() }

// Secret is a secret this unit can read, or owns. Its content is strings by key; one revision
// has at most about 1 MB. Errors of its methods: [ErrSecretNotFound] for one that does not exist or may not be
// known of, [ErrPermission] for what only its owner, or a reader it was granted to, may do.
type Secret struct {
	m         *Model
	id, label string
	content   map[string]string
}

// ID is how others are told of the secret: what goes into a databag. It is asked for
// if the secret was found by its label, which only its owner can do.
func (s *Secret) ID() (string, error) {
	if s.id == "" {
		info, err := s.Info()
		if err != nil {
			return "", err
		}
		s.id = info.ID
	}
	if !strings.HasPrefix(s.id, "secret:") {
		s.id = "secret:" + s.id
	}
	return s.id, nil
}

// UniqueID is what identifies the secret, whatever form its ID has: the same for "secret:ID",
// "secret://MODEL-UUID/ID" and "ID". Compare it, and keep it, rather than the ID. Errors: as [Secret.ID];
// Invalid for an id that is none.
func (s *Secret) UniqueID() (kith.SecretID, error) {
	uri, err := s.ID()
	if err != nil {
		return "", err
	}
	id, _, err := kith.ParseSecretURI(uri)
	return id, err
}

// Label is the label the secret was found by or given, or empty.
func (s *Secret) Label() string { return s.label }

// Content is the content this side tracks; it stays the same until Refresh.
func (s *Secret) Content() (map[string]string, error) {
	if s.content == nil {
		return s.read(TrackedRevision)
	}
	return clone(s.content), nil
}

// Refresh moves to the newest content.
func (s *Secret) Refresh() (map[string]string, error) { return s.read(RefreshRevision) }

// Peek is the newest content; what is tracked stays.
func (s *Secret) Peek() (map[string]string, error) {
	return s.m.f.backend.SecretGet(s.id, s.label, PeekRevision)
}

func (s *Secret) read(which SecretRevision) (map[string]string, error) {
	content, err := s.m.f.backend.SecretGet(s.id, s.label, which)
	if err != nil {
		return nil, err
	}
	s.content = content
	return clone(content), nil
}

// Info is what the owner can know. Errors: [ErrSecretNotFound] for others.
func (s *Secret) Info() (SecretInfo, error) {
	if s.id != "" {
		return s.m.f.backend.SecretInfo(s.id, "")
	}
	return s.m.f.backend.SecretInfo("", s.label)
}

// SetContent makes a new revision, unless the content is the same. Owner only. Of the contents one
// hook sets the last counts. Errors: Invalid as [Application.AddSecret].
func (s *Secret) SetContent(content map[string]string) error {
	if err := checkContent(content); err != nil {
		return err
	}
	return s.owned(func(id string) error {
		s.content = nil
		return s.m.f.backend.SecretSet(id, SecretSpec{}, content)
	})
}

// SetInfo changes what the spec names, and at least one thing. Owner only. Errors: Invalid for
// nothing to change.
func (s *Secret) SetInfo(spec SecretSpec) error {
	if spec == (SecretSpec{}) {
		return kith.Errorf(kith.Invalid, "cannot change a secret: nothing to change")
	}
	return s.owned(func(id string) error { return s.m.f.backend.SecretSet(id, spec, nil) })
}

// Grant lets the remote application of a relation read the secret, for as long as the
// relation lives. Owner only.
func (s *Secret) Grant(r *Relation) error {
	return s.GrantUnit(r, "")
}

// GrantUnit lets one remote unit read it; an empty name is all of them, as Grant.
func (s *Secret) GrantUnit(r *Relation, unit kith.UnitName) error {
	if err := r.exists("grant a secret to the other side"); err != nil {
		return err
	}
	return s.owned(func(id string) error { return s.m.f.backend.SecretGrant(id, r.Ref(), unit) })
}

// Revoke takes Grant back.
func (s *Secret) Revoke(r *Relation) error {
	return s.RevokeUnit(r, "")
}

// RevokeUnit takes GrantUnit back; an empty name is Revoke.
func (s *Secret) RevokeUnit(r *Relation, unit kith.UnitName) error {
	if err := r.exists("revoke a secret from the other side"); err != nil {
		return err
	}
	return s.owned(func(id string) error { return s.m.f.backend.SecretRevoke(id, r.Ref(), unit) })
}

// RemoveRevision removes one revision. Owner only.
func (s *Secret) RemoveRevision(revision int) error {
	return s.owned(func(id string) error { return s.m.f.backend.SecretRemove(id, revision) })
}

// RemoveAllRevisions removes the secret. Owner only.
func (s *Secret) RemoveAllRevisions() error {
	return s.owned(func(id string) error { return s.m.f.backend.SecretRemove(id, 0) })
}

func (s *Secret) owned(do func(id string) error) error {
	id, err := s.ID()
	if err != nil {
		return err
	}
	return do(id)
}

// SecretEvent is what the secret events have in common.
type SecretEvent struct {
	// Secret has been found, not read.
	Secret *Secret
}

func (e *SecretEvent) find(f *Framework, env *EventEnv) {
	e.Secret = &Secret{m: &f.model, id: env.SecretID, label: env.SecretLabel}
}

// SecretChangedEvent comes to those who have read a secret that has new content.
type SecretChangedEvent struct {
	DeferrableEvent
	SecretEvent
}

func (e *SecretChangedEvent) bind(f *Framework, em emission) error {
	e.find(f, em.env)
	return e.DeferrableEvent.bind(f, em)
}

// SecretRotateEvent asks the owner for new content.
type SecretRotateEvent struct {
	EventBase
	SecretEvent
}

func (e *SecretRotateEvent) bind(f *Framework, em emission) error {
	e.find(f, em.env)
	return e.EventBase.bind(f, em)
}

// SecretExpiredEvent tells the owner that a revision has expired.
type SecretExpiredEvent struct {
	EventBase
	SecretEvent
	Revision int
}

func (e *SecretExpiredEvent) bind(f *Framework, em emission) error {
	e.find(f, em.env)
	e.Revision = em.env.SecretRevision
	return e.EventBase.bind(f, em)
}

// RemoveRevision removes the revision that has expired.
func (e *SecretExpiredEvent) RemoveRevision() error { return e.Secret.RemoveRevision(e.Revision) }

// SecretRemoveEvent tells the owner that nobody tracks a revision any more.
type SecretRemoveEvent struct {
	DeferrableEvent
	SecretEvent
	Revision int
}

func (e *SecretRemoveEvent) bind(f *Framework, em emission) error {
	e.find(f, em.env)
	e.Revision = em.env.SecretRevision
	return e.DeferrableEvent.bind(f, em)
}

// RemoveRevision removes the revision nobody tracks.
func (e *SecretRemoveEvent) RemoveRevision() error { return e.Secret.RemoveRevision(e.Revision) }

// OnSecretChanged observes secret-changed.
func OnSecretChanged(handle func(*SecretChangedEvent) error) Observation {
	return hook(secretChanged, handle)
}

// OnSecretRotate observes secret-rotate.
func OnSecretRotate(handle func(*SecretRotateEvent) error) Observation {
	return hook(secretRotate, handle)
}

// OnSecretExpired observes secret-expired.
func OnSecretExpired(handle func(*SecretExpiredEvent) error) Observation {
	return hook(secretExpired, handle)
}

// OnSecretRemove observes secret-remove.
func OnSecretRemove(handle func(*SecretRemoveEvent) error) Observation {
	return hook(secretRemove, handle)
}
