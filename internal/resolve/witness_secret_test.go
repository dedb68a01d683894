package resolve_test

import (
	"kith"
	"kith/internal/core"
)

// revision is one of a secret.
type revision struct {
	id     kith.SecretID
	number int
}

// manages reports whether a unit gets the owner's hooks of a secret (hook protocol reference, section 5.5).
func (x *witness) manages(u kith.UnitName, s *core.Secret) bool {
	l := x.w.Model().Lease(u.App())
	return s.Owner == core.UnitOwner(u) || s.Owner == core.AppOwner(u.App()) && l != nil && l.Holder == u
}

// mootSecret reports whether a secret hook has lost its object.
func (x *witness) mootSecret(u kith.UnitName, h core.Hook) bool {
	s, r := x.w.Model().Secret(h.Secret.ID), x.w.Model().SecretRevision(h.Secret.ID, h.Secret.Revision)
	switch {
	case s == nil:
		return true
	case h.Kind == core.SecretChanged:
		return x.w.Model().SecretConsumer(s.ID, u) == nil
	case !x.manages(u, s):
		return true
	case h.Kind == core.SecretRotate:
		return s.Rotate == core.RotateNever
	}
	return r == nil || h.Kind == core.SecretRemove && r.Obsolete == 0 || h.Kind == core.SecretExpired && r.Expires.IsZero()
}

// secret checks a secret hook that has run. The model already shows its commit.
func (x *witness) secret(u kith.UnitName, story *lifeStory, h core.Hook) {
	what := revision{h.Secret.ID, h.Secret.Revision}
	switch h.Kind {
	case core.SecretChanged:
		if story.changed[what.id] >= what.number {
			x.complain(u, "5.5: told of revision %d of secret %s after revision %d", what.number, what.id, story.changed[what.id])
		}
		story.changed[what.id] = what.number
	case core.SecretRemove:
		if r := x.w.Model().SecretRevision(what.id, what.number); r != nil && r.Obsolete == 0 {
			x.complain(u, "5.5: told that revision %d of secret %s is obsolete, and it is in use", what.number, what.id)
		}
		story.obsolete[what] = true
	}
}

// secretsTold checks what a unit must have been told of secrets when it has nothing left to do.
func (x *witness) secretsTold(u kith.UnitName) {
	m, story := x.w.Model(), x.units[u]
	if unit := m.Unit(u); !story.installed || unit.Life != kith.Alive {
		return
	}
	for s := range m.Secrets() {
		if c := m.SecretConsumer(s.ID, u); c != nil && c.Revision < s.Latest && story.changed[s.ID] < s.Latest {
			x.complain(u, "12.4: never told of revision %d of secret %s", s.Latest, s.ID)
		}
		if !x.manages(u, s) {
			continue
		}
		if !s.NextRotate.IsZero() && !s.NextRotate.After(x.w.Now()) {
			x.complain(u, "12.2: secret %s was to be rotated at %s", s.ID, s.NextRotate)
		}
		for _, r := range m.SecretRevisions(s.ID) {
			if used := r.Number == s.Latest || x.seen(s.ID, r.Number); !used && !story.obsolete[revision{s.ID, r.Number}] {
				x.complain(u, "5.5: never told that revision %d of secret %s is obsolete", r.Number, s.ID)
			}
			if !r.Expires.IsZero() && !r.ExpiryDue.After(x.w.Now()) {
				x.complain(u, "12.2: revision %d of secret %s has expired", r.Number, s.ID)
			}
		}
	}
}

// seen reports whether any unit sees a revision.
func (x *witness) seen(id kith.SecretID, number int) bool {
	for c := range x.w.Model().SecretConsumers(id) {
		if c.Revision == number {
			return true
		}
	}
	return false
}
