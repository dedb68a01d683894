package core

import (
	"iter"
	"slices"

	"kith"
	"kith/charm"
)

// View shows a model through the eyes of one unit: its past beside how things
// are now. It is a handle on a snapshot and copies nothing, so that looking at
// one relation of a thousand units costs what the look costs.
type View struct {
	m     *Model
	Unit  *Unit
	Past  *Progress
	App   *App
	Charm *CharmInfo // the charm the application runs, which the unit may have yet to unpack
}

// ViewOf is the view of unit u; false if there is no such unit.
func ViewOf(m *Model, u kith.UnitName) (View, bool) {
	unit := m.Unit(u)
	if unit == nil {
		return View{}, false
	}
	app := m.App(unit.App)
	return View{m: m, Unit: unit, Past: m.Progress(u), App: app, Charm: m.Charm(app.Charm)}, true
}

// Dying reports whether the unit is on its way out.
func (v View) Dying() bool { return v.Unit.Life != kith.Alive }

// Leader reports whether the unit holds its application's leadership, and since which revision.
func (v View) Leader() (bool, uint64) {
	l := v.m.Lease(v.App.Name)
	if l == nil || l.Holder != v.Unit.Name {
		return false, 0
	}
	return true, l.Rev
}

// HasSubordinates reports whether units that live in this one's container are still there.
func (v View) HasSubordinates() bool { return len(v.Unit.Subordinates) > 0 }

// RelationView is one relation through the eyes of one unit.
type RelationView struct {
	v        View
	Relation *Relation
	Own      End
	Other    End // the same as Own for a peer relation
	// Member is the unit's membership; nil while it is not in scope.
	Member *Member
}

// Relations yields the relations the unit pays attention to: regular ones
// first, then peers, each in order of number. A subordinate does not see
// container relations with principals other than its own (relations reference,
// section 3.3).
func (v View) Relations() iter.Seq[RelationView] {
	var regular, peers []*Relation
	for r := range v.m.RelationsOf(v.App.Name) {
		if len(r.Ends) == 1 {
			peers = append(peers, r)
		} else if v.attends(r) {
			regular = append(regular, r)
		}
	}
	byID := func(a, b *Relation) int { return int(a.ID) - int(b.ID) }
	slices.SortFunc(regular, byID)
	slices.SortFunc(peers, byID)
	return func(yield func(RelationView) bool) {
		for _, r := range append(regular, peers...) {
			if !yield(v.relation(r)) {
				return
			}
		}
	}
}

// Relation is relation id as the unit sees it; false if it is none of the unit's business.
func (v View) Relation(id kith.RelationID) (RelationView, bool) {
	r := v.m.Relation(id)
	if r == nil || r.end(v.App.Name) == nil || !v.attends(r) {
		return RelationView{}, false
	}
	return v.relation(r), true
}

func (v View) relation(r *Relation) RelationView {
	own := r.end(v.App.Name)
	return RelationView{v: v, Relation: r, Own: *own, Other: *r.otherEnd(v.App.Name), Member: v.m.Member(r.ID, v.Unit.Name)}
}

// attends is the subordinate's filter of section 3.3.
func (v View) attends(r *Relation) bool {
	if r.Scope != kith.Container || v.Unit.Principal == "" {
		return true
	}
	other := r.otherEnd(v.App.Name).App
	if a := v.m.App(other); a != nil && a.Subordinate {
		return true
	}
	return other == v.Unit.Principal.App()
}

// Peer reports whether the relation is among the units of one application.
func (r RelationView) Peer() bool { return len(r.Relation.Ends) == 1 }

// Ending reports whether the unit must treat the relation as empty: the unit
// or the relation is dying, or the relation is suspended (section 5.2).
func (r RelationView) Ending() bool {
	return r.v.Dying() || r.Relation.Life != kith.Alive || r.Relation.Suspended
}

// Declared reports whether the charm unpacked on the unit has the endpoint.
// A unit enters no relation that its charm does not know yet (section 3.1).
func (r RelationView) Declared() bool {
	past := r.v.Past
	if past == nil || past.Charm == "" {
		return false
	}
	c := r.v.m.Charm(past.Charm)
	if c == nil {
		return false
	}
	_, ok := c.Charm.Meta.Endpoint(r.Own.Endpoint)
	return ok || r.Own.Endpoint == charm.JujuInfo
}

// Remote is one unit on the other side, as it is now.
type Remote struct {
	Unit    kith.UnitName
	Version uint64 // of its bag
	Rev     uint64 // revision of the bag's last change, or of entering if that is later
}

// Remotes yields who the unit can see in the relation now, in string order of
// name: everybody in scope on the other side who is not departing; for a peer
// relation everybody else; in container scope only those with the same
// principal (section 3.3).
func (r RelationView) Remotes() iter.Seq[Remote] {
	return func(yield func(Remote) bool) {
		for m := range r.v.m.Members(r.Relation.ID) {
			if m.Unit == r.v.Unit.Name || m.Departing || m.Unit.App() != r.Other.App {
				continue
			}
			if r.Relation.Scope == kith.Container && m.Principal != r.v.container() {
				continue
			}
			if !yield(r.remote(m)) {
				return
			}
		}
	}
}

func (r RelationView) remote(m *Member) Remote {
	remote := Remote{Unit: m.Unit, Rev: m.Rev}
	if b := r.v.m.Bag(r.Relation.ID, string(m.Unit)); b != nil {
		remote.Version, remote.Rev = b.Version, max(b.Rev, m.Rev)
	}
	return remote
}

// container is the unit whose container this unit lives in: itself for a principal.
func (v View) container() kith.UnitName { return container(v.Unit) }

func container(u *Unit) kith.UnitName {
	if u.Principal != "" {
		return u.Principal
	}
	return u.Name
}

// Known yields whom the unit has been told of, in string order of name.
func (r RelationView) Known() iter.Seq[*Seen] {
	return r.v.m.SeenBy(r.Relation.ID, r.v.Unit.Name)
}

// AppBag is the version of the other application's bag, and the revision of its
// last change; 0 if it was never written.
func (r RelationView) AppBag() (version, rev uint64) {
	if b := r.v.m.Bag(r.Relation.ID, string(r.Other.App)); b != nil {
		return b.Version, b.Rev
	}
	return 0, 0
}

// Gone is the revision at which remote left the unit's sight.
func (r RelationView) Gone(remote kith.UnitName) uint64 {
	if r.Relation.Life != kith.Alive || r.Relation.Suspended {
		return r.Relation.LifeRev
	}
	if r.v.Dying() {
		return r.v.Unit.LifeRev
	}
	if m := r.v.m.Member(r.Relation.ID, remote); m != nil {
		return m.DepartingRev
	}
	if b := r.v.m.Bag(r.Relation.ID, string(remote)); b != nil {
		return b.Left
	}
	return 0
}

// Departing is the value of JUJU_DEPARTING_UNIT when remote departs: the unit
// itself if it or its application is on its way out, else remote (section 5.4).
func (r RelationView) Departing(remote kith.UnitName) kith.UnitName {
	if r.v.Dying() || r.v.App.Life != kith.Alive {
		return r.v.Unit.Name
	}
	return remote
}

// end is the application's end of r, or nil.
func (r *Relation) end(app kith.AppName) *End {
	for i := range r.Ends {
		if r.Ends[i].App == app {
			return &r.Ends[i]
		}
	}
	return nil
}

// otherEnd is the end that is not app's; app's own for a peer relation.
func (r *Relation) otherEnd(app kith.AppName) *End {
	for i := range r.Ends {
		if r.Ends[i].App != app {
			return &r.Ends[i]
		}
	}
	return &r.Ends[0]
}

// Peer reports whether r is among the units of one application.
func (r *Relation) Peer() bool { return len(r.Ends) == 1 }

// RelationKey is how people name the relation: "requirer:endpoint provider:endpoint",
// or "app:endpoint" for a peer relation (section 1.7).
func (r *Relation) RelationKey() string {
	key := r.Ends[0].String()
	for _, e := range r.Ends[1:] {
		key += " " + e.String()
	}
	return key
}
