package opstest

import (
	"encoding/base64"
	"slices"
	"strings"

	"kith"
	"kith/internal/core"
)

// AddUserSecret makes a secret of the model's user and returns its id, in the form that goes
// into a configuration option: "secret:…". [Harness.GrantSecret] lets the charm read it.
func (h *Harness) AddUserSecret(name string, content map[string]string) string {
	h.w.tb.Helper()
	id := h.w.newSecretID()
	h.do(core.AddSecret{ID: id, SecretName: name, Data: encoded(content)})
	return id.URI()
}

// AddModelSecret makes a secret of the remote application of a relation, or of one of its
// units in it, and returns its id. [Harness.GrantSecret] lets the charm read it.
func (h *Harness) AddModelSecret(rel kith.RelationID, owner string, content map[string]string) string {
	h.w.tb.Helper()
	_, err := h.w.relation(rel)
	h.w.ok(err)
	unit, kind := kith.UnitName(owner), core.OwnerUnit
	if !strings.Contains(owner, "/") {
		kind, unit = core.OwnerApp, h.remoteLeader(rel, kith.AppName(owner))
	}
	id := h.w.newSecretID()
	h.writeSecret(unit, core.SecretWrite{ID: id, Create: kind, SecretUpdate: core.SecretUpdate{Data: encoded(content)}})
	return id.URI()
}

// remoteLeader is a unit of an application in a relation, which leads from now on.
func (h *Harness) remoteLeader(rel kith.RelationID, app kith.AppName) kith.UnitName {
	h.w.tb.Helper()
	for m := range h.w.model.Members(rel) {
		if m.Unit.App() == app && m.Unit != h.unit {
			h.w.hello(m.Unit)
			h.w.must(core.System, core.Elect{Unit: m.Unit})
			return m.Unit
		}
	}
	h.w.fail(kith.Errorf(kith.NotFound, "application %q has no unit in relation %d", app, rel).WithHint("add it with AddRelationUnit"))
	return ""
}

// writeSecret commits a hook of a stand-in that writes a secret.
func (h *Harness) writeSecret(unit kith.UnitName, w core.SecretWrite) {
	h.w.tb.Helper()
	if h.w.model.Unit(unit) == nil || unit == h.unit {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot write a secret of %q: it is no unit that stands in for others", unit))
	}
	h.act(unit, core.Hook{Kind: core.UpdateStatus}, core.Effects{Secrets: []core.SecretWrite{w}})
}

func encoded(content map[string]string) core.SecretData {
	data := core.SecretData{}
	for k, v := range content { // any order: into a map
		data[k] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	return data
}

// secret finds a secret by its id.
func (h *Harness) secret(id string) *core.Secret {
	h.w.tb.Helper()
	parsed, _, err := kith.ParseSecretURI(id)
	h.w.ok(err)
	s := h.w.model.Secret(parsed)
	if s == nil {
		h.w.fail(core.SecretNotFound(id))
	}
	return s
}

// keeper is the unit that manages a secret of a remote application.
func (h *Harness) keeper(s *core.Secret) kith.UnitName {
	h.w.tb.Helper()
	switch {
	case s.Owner.Name == string(h.app) || s.Owner.Name == string(h.unit):
		h.w.fail(kith.Errorf(kith.Invalid, "secret %q is the charm's own: its handlers change it", s.ID.URI()))
	case s.Owner.Kind == core.OwnerUnit:
		return kith.UnitName(s.Owner.Name)
	}
	for u := range h.w.model.UnitsOf(kith.AppName(s.Owner.Name)) {
		if h.w.model.IsLeader(u.Name, h.w.now) {
			return u.Name
		}
	}
	h.w.fail(kith.Errorf(kith.NotFound, "nobody leads application %q", s.Owner.Name))
	return ""
}

// GrantSecret lets the charm's application read a secret of the user, or one of a remote
// application: over the relation it is given, or the only one there is with that application.
func (h *Harness) GrantSecret(id string, over ...kith.RelationID) {
	h.w.tb.Helper()
	h.share(id, over, false)
}

// RevokeSecret takes it back.
func (h *Harness) RevokeSecret(id string, over ...kith.RelationID) {
	h.w.tb.Helper()
	h.share(id, over, true)
}

func (h *Harness) share(id string, over []kith.RelationID, revoke bool) {
	h.w.tb.Helper()
	s := h.secret(id)
	if s.Owner.Kind == core.OwnerModel {
		h.do(core.GrantSecret{Secret: id, Apps: []kith.AppName{h.app}, Revoke: revoke})
		h.settle()
		return
	}
	access := core.SecretAccess{Subject: string(h.app)}
	if len(over) == 0 {
		over = h.between(s.Owner)
	}
	access.Relation = &over[0]
	w := core.SecretWrite{ID: s.ID}
	if revoke {
		w.Revokes = []core.SecretAccess{access}
	} else {
		w.Grants = []core.SecretAccess{access}
	}
	h.writeSecret(h.keeper(s), w)
	h.settle()
}

// between is the one relation with the owner of a secret.
func (h *Harness) between(owner core.SecretOwner) []kith.RelationID {
	h.w.tb.Helper()
	app := kith.AppName(owner.Name)
	if owner.Kind == core.OwnerUnit {
		app = kith.UnitName(owner.Name).App()
	}
	var all []kith.RelationID
	for r := range h.w.model.RelationsOf(h.app) {
		if _, ok := endOf(r, app); ok {
			all = append(all, r.ID)
		}
	}
	if len(all) != 1 {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot tell over which relation: %q and %q have %d", h.app, app, len(all)).
			WithHint("name the relation: there are %s", h.w.listRelations()))
	}
	return all
}

// SetSecretContent gives a secret of the user or of a remote application a new revision.
// secret-changed follows if the charm has read it.
func (h *Harness) SetSecretContent(id string, content map[string]string) {
	h.w.tb.Helper()
	s := h.secret(id)
	if len(content) == 0 {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot set the content of secret %q: it is empty", s.ID.URI()))
	}
	if s.Owner.Kind == core.OwnerModel {
		h.do(core.UpdateSecret{Secret: id, Data: encoded(content)})
	} else {
		h.writeSecret(h.keeper(s), core.SecretWrite{ID: s.ID, SecretUpdate: core.SecretUpdate{Data: encoded(content)}})
	}
	h.settle()
}

// RemoveSecret removes a secret of the user or of a remote application.
func (h *Harness) RemoveSecret(id string) {
	h.w.tb.Helper()
	s := h.secret(id)
	if s.Owner.Kind == core.OwnerModel {
		h.do(core.RemoveSecret{Secret: id})
	} else {
		h.writeSecret(h.keeper(s), core.SecretWrite{ID: s.ID, Remove: true})
	}
	h.settle()
}

// Secrets are the ids of the secrets that the charm's unit and application own, sorted.
func (h *Harness) Secrets() []string {
	var all []string
	for _, s := range core.OwnedSecrets(&h.w.model, h.unit) {
		all = append(all, s.ID.URI())
	}
	for s := range h.w.model.SecretsOf(core.AppOwner(h.app)) {
		if id := s.ID.URI(); !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// SecretContent is the newest content of any secret.
func (h *Harness) SecretContent(id string) map[string]string {
	h.w.tb.Helper()
	data, err := core.RevealSecret(&h.w.model, h.secret(id).ID, 0)
	h.w.ok(err)
	return data.Decoded()
}

// SecretGrants are the applications and units that may read a secret, sorted.
func (h *Harness) SecretGrants(id string) []string {
	h.w.tb.Helper()
	var all []string
	for g := range h.w.model.SecretGrants(h.secret(id).ID) {
		all = append(all, g.Subject)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// SecretRevisions are the numbers of a secret's revisions.
func (h *Harness) SecretRevisions(id string) []int {
	h.w.tb.Helper()
	var all []int
	for _, r := range h.w.model.SecretRevisions(h.secret(id).ID) {
		all = append(all, r.Number)
	}
	return all
}
