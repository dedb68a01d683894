package core

import (
	"slices"
	"strings"
	"time"

	"kith"
	"kith/charm"
)

func (t *txn) integrate(op Integrate) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	c, err := t.infer(op.A, op.B)
	if err != nil {
		return err
	}
	if err := t.checkNew(c); err != nil {
		return err.Prefix("cannot add relation %q: ", c.key())
	}
	t.addRelation(c.a.Interface, c.scope(), c.ends()...)
	return nil
}

// checkNew makes the checks of section 1.5 in the order of 3.6: applications
// alive, duplicate, limits, bases.
func (t *txn) checkNew(c candidate) *kith.Error {
	ends := c.ends()
	for _, e := range ends {
		if t.m.App(e.App).Life != kith.Alive {
			return kith.Errorf(kith.Conflict, "application %q is not alive", e.App)
		}
	}
	for r := range t.m.RelationsOf(c.appA) {
		if r.RelationKey() != c.key() {
			continue
		}
		if r.Life != kith.Alive {
			return kith.Errorf(kith.Conflict, "relation %s is dying, but not yet removed", c.key()).
				WithHint("wait until it is gone: 'kith settle'")
		}
		return kith.Errorf(kith.Conflict, "relation %s", c.key()).WithHint(alreadyExists)
	}
	if err := t.checkLimit(c.appA, c.a); err != nil {
		return err
	}
	if err := t.checkLimit(c.appB, c.b); err != nil {
		return err
	}
	return t.checkBases(c)
}

// alreadyExists is the hint of the one refusal whose text does not say what is
// wrong (section 1.5): clients that print Juju's longer form look for it.
const alreadyExists = "already exists; see 'kith status --relations'"

func (t *txn) checkLimit(app kith.AppName, e charm.Relation) *kith.Error {
	if e.Limit > 0 && t.countRelations(app, e.Name)+1 > e.Limit {
		return kith.Errorf(kith.Conflict, "establishing a new relation for %s:%s would exceed its maximum relation limit of %d", app, e.Name, e.Limit).
			WithHint("remove a relation of %s:%s first; dying ones count until they are gone", app, e.Name)
	}
	return nil
}

// countRelations counts the relations recorded on an endpoint, dying ones too, suspended ones not.
func (t *txn) countRelations(app kith.AppName, endpoint kith.EndpointName) int {
	n := 0
	for r := range t.m.RelationsOf(app) {
		if r.end(app).Endpoint == endpoint && !r.Suspended {
			n++
		}
	}
	return n
}

// checkBases is the base rule of 3.6: the subordinate's charm must support the
// principal's base. Charms that name no base fit everywhere.
func (t *txn) checkBases(c candidate) *kith.Error {
	a, b := t.m.App(c.appA), t.m.App(c.appB)
	if c.scope() != kith.Container || a.Subordinate == b.Subordinate {
		return nil
	}
	sub, principal := a, b
	if b.Subordinate {
		sub, principal = b, a
	}
	bases := t.m.Charm(sub.Charm).Charm.Bases
	if principal.Base == "" || len(bases) == 0 {
		return nil
	}
	var supported []string
	for _, base := range bases {
		if base.Name+"@"+track(base.Channel) == trackOf(principal.Base) {
			return nil
		}
		supported = append(supported, base.Name+"@"+base.Channel)
	}
	return kith.Errorf(kith.Conflict, "subordinate must support principal application's base; subordinate only supports: [%s]", strings.Join(supported, ", ")).
		WithHint("%s runs on %s", principal.Name, principal.Base)
}

// track is a channel without its risk: 24.04 of 24.04/stable.
func track(channel string) string {
	track, _, _ := strings.Cut(channel, "/")
	return track
}

func trackOf(base string) string {
	name, channel, _ := strings.Cut(base, "@")
	return name + "@" + track(channel)
}

// addRelation records a new relation; nobody is in scope yet and no bag exists.
func (t *txn) addRelation(iface string, scope kith.Scope, ends ...End) {
	info := *t.m.Info()
	r := Relation{
		ID: info.NextRelation, Interface: iface, Scope: scope, Ends: ends, Life: kith.Alive, LifeRev: t.rev,
		Status: Status{Current: kith.Joining, Since: t.now}, Created: t.now,
	}
	info.NextRelation++
	put(t, info)
	put(t, r)
}

func (t *txn) removeRelation(op RemoveRelation) error {
	r, err := t.findRelation(op)
	if err != nil {
		return err
	}
	if r.Peer() {
		return kith.Errorf(kith.Conflict, "cannot destroy relation %q: is a peer relation", r.RelationKey()).
			WithHint("peer relations go with their application")
	}
	var evictAt time.Time
	if op.Force {
		evictAt = t.now.Add(op.Wait)
	}
	t.endRelation(r.ID, evictAt)
	return nil
}

// findRelation finds the existing relation a removal names (section 2.3, 3.6).
func (t *txn) findRelation(op RemoveRelation) (*Relation, error) {
	if op.ID != nil {
		if r := t.m.Relation(*op.ID); r != nil {
			return r, nil
		}
		return nil, kith.Errorf(kith.NotFound, "relation %d not found", *op.ID).WithHint("see 'kith status --relations'")
	}
	if len(op.Endpoints) != 2 {
		return nil, kith.Errorf(kith.Invalid, "a relation must involve two applications")
	}
	a, b := op.Endpoints[0], op.Endpoints[1]
	for _, e := range op.Endpoints {
		if _, err := t.app(e.App); err != nil {
			return nil, err
		}
	}
	var found []*Relation
	var keys []string
	for r := range t.m.RelationsOf(a.App) {
		if !r.Peer() && a.App != b.App && matches(r, a) && matches(r, b) {
			found, keys = append(found, r), append(keys, r.RelationKey())
		}
	}
	request := a.String() + " " + b.String()
	switch len(found) {
	case 0:
		return nil, kith.Errorf(kith.NotFound, "relation matching %q not found", request).WithHint("see 'kith status --relations'")
	case 1:
		return found[0], nil
	}
	return nil, ambiguous(request, keys)
}

func matches(r *Relation, e kith.Endpoint) bool {
	end := r.end(e.App)
	return end != nil && (e.Name == "" || end.Endpoint == e.Name)
}

// endRelation sets a relation dying, or deletes it at once if nobody is in
// scope. A time in evictAt is when its units are no longer waited for.
func (t *txn) endRelation(id kith.RelationID, evictAt time.Time) {
	row := t.m.Relation(id)
	if row == nil {
		return // it went with an application that another relation was the last of
	}
	r := *row
	if r.Life == kith.Alive {
		r.Life, r.LifeRev = kith.Dying, t.rev
		put(t, r)
		defer t.endOrphans(r)
	}
	if !evictAt.IsZero() {
		r.EvictAt = evictAt
		put(t, r)
	}
	if !evictAt.IsZero() && !t.now.Before(evictAt) {
		t.evict(id)
		return
	}
	t.reapRelation(id)
}

// endOrphans sets dying the subordinate units that no container relation to
// their principal's application holds any more (section 9).
func (t *txn) endOrphans(r Relation) {
	if r.Scope != kith.Container || r.Peer() {
		return
	}
	for _, end := range r.Ends {
		app := t.m.App(end.App)
		if app == nil || !app.Subordinate {
			continue
		}
		for _, u := range slices.Collect(t.m.UnitsOf(end.App)) {
			if u.Principal.App() == r.otherEnd(end.App).App && !t.held(u) {
				t.endUnit(u.Name, false, 0)
			}
		}
	}
}

// held reports whether a live container relation ties a subordinate unit to its principal's application.
func (t *txn) held(u *Unit) bool {
	for r := range t.m.RelationsOf(u.App) {
		if r.Scope == kith.Container && r.Life == kith.Alive && r.end(u.Principal.App()) != nil {
			return true
		}
	}
	return false
}

// reapRelation deletes a dying relation that nobody is in.
func (t *txn) reapRelation(id kith.RelationID) {
	r := t.m.Relation(id)
	if r == nil || r.Life == kith.Alive {
		return
	}
	for range t.m.Members(id) {
		return
	}
	t.evict(id)
}

// evict deletes a relation with its bags and everything its units remember of
// it. Units still in scope run no hooks for it (section 2.4).
func (t *txn) evict(id kith.RelationID) {
	r := t.m.Relation(id)
	if r == nil {
		return
	}
	ends := r.Ends
	for _, m := range slices.Collect(t.m.Members(id)) {
		t.forgetHook(id, m.Unit)
		t.drop(m.Key())
	}
	for _, s := range slices.Collect(t.m.seen.prefix(id.String() + "/")) {
		t.drop(s.Key())
	}
	for _, b := range slices.Collect(t.m.Bags(id)) {
		t.drop(b.Key())
	}
	t.drop(r.Key())
	t.endSecretsOver(id)
	for _, e := range ends {
		t.reapApp(e.App)
	}
}

// forgetHook clears a failed hook whose relation is gone: it is skipped (section 8).
func (t *txn) forgetHook(id kith.RelationID, unit kith.UnitName) {
	p := t.m.Progress(unit)
	if p == nil || p.Failed == nil || p.Failed.Hook.Relation == nil || p.Failed.Hook.Relation.ID != id || !p.InError() {
		return
	}
	past := *p
	past.Failed = nil
	put(t, past)
}

// suspend suspends or resumes relations (section 2.5).
func (t *txn) suspend(op Suspend) error {
	for _, id := range op.IDs {
		r := t.m.Relation(id)
		if r == nil {
			return kith.Errorf(kith.NotFound, "relation %d not found", id).WithHint("see 'kith status --relations'")
		}
		if r.Peer() || r.Scope == kith.Container {
			return kith.Errorf(kith.Conflict, "cannot set suspend status for %q which is not associated with an offer", r.RelationKey()).
				WithHint("relations between peers or with a subordinate cannot be suspended, with --force neither")
		}
		if !op.Force {
			return kith.Errorf(kith.Conflict, "cannot set suspend status for %q which is not associated with an offer", r.RelationKey()).
				WithHint("Juju suspends cross-model relations only; kith does it for any with --force")
		}
	}
	for _, id := range op.IDs {
		if err := t.suspendOne(*t.m.Relation(id), op); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) suspendOne(r Relation, op Suspend) error {
	if r.Suspended != op.Resume {
		return nil // already so
	}
	if r.Life != kith.Alive {
		return kith.Errorf(kith.Conflict, "relation %q is dying", r.RelationKey())
	}
	status := kith.Suspending
	if op.Resume {
		status = kith.Joining
	}
	r.Suspended, r.LifeRev = !op.Resume, t.rev
	if err := setRelationStatus(&r, status, op.Message, t.now); err != nil {
		return err
	}
	put(t, r)
	return nil
}

// setRelationStatus moves a relation's status along the transitions of section 2.6.
func setRelationStatus(r *Relation, to kith.Status, message string, now time.Time) error {
	from := r.Status.Current
	barred := map[kith.Status][]kith.Status{
		kith.Suspending: {kith.Broken, kith.Suspended},
		kith.Joining:    {kith.Broken, kith.Joined},
		kith.Joined:     {kith.Broken},
		kith.Suspended:  {kith.Broken},
	}
	if slices.Contains(barred[to], from) {
		return kith.Errorf(kith.Conflict, "cannot set status %q when relation has status %q", to, from)
	}
	if to == kith.Suspended && from == kith.Suspending && message == "" {
		message = r.Status.Message
	}
	r.Status = Status{Current: to, Message: message, Since: now}
	return nil
}
