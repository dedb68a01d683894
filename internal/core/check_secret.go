package core

import (
	"kith"
)

func (c *checker) secrets() {
	labels := map[[2]string]bool{}
	for s := range c.m.Secrets() {
		c.secret(s)
		c.label(labels, ownerKey(s.Owner), s.Label)
	}
	for r := range c.m.secretRevisions.all() {
		id := r.Key().ID
		c.assert(c.m.Secret(r.Secret) != nil && c.m.secretContents.get(id) != nil, "I15", "secret revision %s has no secret or no content", id)
	}
	for v := range c.m.secretContents.all() {
		id := v.Key().ID
		c.assert(c.m.secretRevisions.get(id) != nil, "I15", "secret content %s has no revision", id)
		c.assert(CheckSecretData(v.Data) == nil, "I15", "secret content %s is not valid", id)
	}
	for g := range c.m.secretGrants.all() {
		c.grant(g)
	}
	for r := range c.m.secretConsumers.all() {
		s := c.m.Secret(r.Secret)
		c.assert(s != nil && c.m.Unit(r.Unit) != nil && c.m.mayReadSecret(s, r.Unit), "I18", "%s remembers secret %s and may not read it", r.Unit, r.Secret)
		c.assert(s != nil && r.Revision >= 1 && r.Revision <= s.Numbered && r.Told <= s.Numbered, "I18",
			"%s tracks revision %d of secret %s and was told of %d", r.Unit, r.Revision, r.Secret, r.Told)
		c.label(labels, "reader "+string(r.Unit), r.Label)
	}
	c.assert(c.m.secretIndexIsRight(), "I19", "the index of secrets is wrong")
}

func (c *checker) label(seen map[[2]string]bool, whose, label string) {
	if label == "" {
		return
	}
	c.assert(!seen[[2]string{whose, label}], "I18", "%s has two secrets with label %q", whose, label)
	seen[[2]string{whose, label}] = true
}

func (c *checker) secret(s *Secret) {
	switch s.Owner.Kind {
	case OwnerUnit:
		c.assert(c.m.Unit(kith.UnitName(s.Owner.Name)) != nil, "I15", "secret %s belongs to unit %s, which is gone", s.ID, s.Owner.Name)
	case OwnerApp:
		c.assert(c.m.App(kith.AppName(s.Owner.Name)) != nil, "I15", "secret %s belongs to application %s, which is gone", s.ID, s.Owner.Name)
	default:
		c.assert(s.Owner == SecretOwner{Kind: OwnerModel} && s.Label != "", "I15", "secret %s belongs to %v and is called %q", s.ID, s.Owner, s.Label)
	}
	c.assert(s.NextRotate.IsZero() == (s.Rotate == RotateNever), "I15", "secret %s is rotated %s, next at %s", s.ID, s.Rotate, s.NextRotate)
	newest := 0
	for _, r := range c.m.SecretRevisions(s.ID) {
		newest = r.Number
		current := r.Number == s.Latest || c.m.tracked(s.ID, r.Number)
		c.assert(current == (r.Obsolete == 0), "I16", "revision %d of secret %s is obsolete since %d", r.Number, s.ID, r.Obsolete)
		c.assert(r.Told == "" || r.Obsolete != 0, "I16", "%s was told of revision %d of secret %s, which is in use", r.Told, r.Number, s.ID)
		c.assert(!s.AutoPrune || current, "I16", "revision %d of secret %s was to be pruned", r.Number, s.ID)
		c.assert(r.Expires.IsZero() == r.ExpiryDue.IsZero(), "I15", "revision %d of secret %s expires at %s, due at %s", r.Number, s.ID, r.Expires, r.ExpiryDue)
	}
	c.assert(newest >= 1 && newest == s.Latest && s.Latest <= s.Numbered, "I15", "secret %s has newest revision %d, and says %d of %d", s.ID, newest, s.Latest, s.Numbered)
}

func (c *checker) grant(g *SecretGrant) {
	id, subject := g.Key().ID, kith.UnitName(g.Subject)
	s := c.m.Secret(g.Secret)
	c.assert(s != nil, "I17", "grant %s is of a secret that is gone", id)
	c.assert(c.m.App(subject.App()) != nil && (string(subject.App()) == g.Subject || c.m.Unit(subject) != nil), "I17", "grant %s is to %s, which is gone", id, subject)
	if s == nil {
		return
	}
	c.assert((g.Relation == nil) == (s.Owner.Kind == OwnerModel), "I17", "grant %s does not go by the kind of its owner", id)
	if g.Relation == nil {
		return
	}
	r, owner := c.m.Relation(*g.Relation), kith.UnitName(s.Owner.Name).App()
	c.assert(r != nil && r.end(owner) != nil && r.otherEnd(owner).App == subject.App(), "I17", "grant %s is over a relation that is not between %s and %s", id, owner, subject)
}
