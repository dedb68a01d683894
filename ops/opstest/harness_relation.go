package opstest

import (
	"maps"
	"slices"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// RelationOption adds to what [Harness.AddRelation] does.
type RelationOption func(*relationOptions)

type relationOptions struct {
	app, unit map[string]string
	given     bool
}

// AppData is data of the remote application in a new relation. Its unit 0 is added, too.
func AppData(data map[string]string) RelationOption {
	return func(o *relationOptions) { o.app, o.given = data, true }
}

// UnitData is data of unit 0 of the remote application in a new relation, which is added.
func UnitData(data map[string]string) RelationOption {
	return func(o *relationOptions) { o.unit, o.given = data, true }
}

// AddRelation relates an endpoint of the charm with a remote application: a stand-in that
// has the endpoint's other half under the same name, and units whose hooks do nothing. It
// is deployed when it is first named. relation-created follows, and with options also
// joined and changed.
//
// A peer relation is there from the start; naming its endpoint and the own application
// returns it.
//
// The unit of a subordinate lives beside unit 0 of the first application that it is related with by an endpoint of
// container scope; if Begin finds none, one called "principal" is there. Relations of that scope with others do not concern it.
func (h *Harness) AddRelation(endpoint kith.EndpointName, app kith.AppName, opts ...RelationOption) kith.RelationID {
	h.w.tb.Helper()
	var o relationOptions
	for _, opt := range opts {
		opt(&o)
	}
	id := h.relate(endpoint, app)
	h.settle()
	if o.given {
		h.AddRelationUnit(id, kith.UnitOf(app, h.firstRemote(app)))
	}
	if len(o.app) > 0 {
		h.UpdateRelationData(id, string(app), o.app)
	}
	if len(o.unit) > 0 {
		h.UpdateRelationData(id, string(kith.UnitOf(app, h.firstRemote(app))), o.unit)
	}
	return id
}

// firstRemote is the number of the first unit that stands in for others.
func (h *Harness) firstRemote(app kith.AppName) int {
	if app == h.app {
		return h.unit.Number() + 1
	}
	return 0
}

func (h *Harness) relate(endpoint kith.EndpointName, app kith.AppName) kith.RelationID {
	h.w.tb.Helper()
	e, err := endpointOf(h.meta(), endpoint)
	h.w.ok(err)
	if e.Role == kith.Peer {
		for r := range h.w.model.RelationsOf(h.app) {
			if r.Peer() && r.Ends[0].Endpoint == endpoint && app == h.app {
				return r.ID
			}
		}
		h.w.fail(kith.Errorf(kith.Invalid, "cannot relate peer endpoint %q with application %q: it is among the units of %q", endpoint, app, h.app).
			WithHint("name %q, and its relation is returned", h.app))
	}
	if app == h.app {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot relate endpoint %q with application %q: it is the one under test", endpoint, app).
			WithHint("name the other side; a Model has applications that are related to themselves"))
	}
	h.standIn(app, e)
	id := h.w.model.Info().NextRelation
	h.do(core.Integrate{A: kith.Endpoint{App: h.app, Name: endpoint}, B: kith.Endpoint{App: app, Name: remoteEndpoint(e)}})
	if h.meta().Meta.Subordinate && e.Scope == kith.Container {
		h.enter(id, kith.UnitOf(app, 0))
		if h.leads {
			h.leads = false
			h.SetLeader(true)
		}
	}
	return id
}

// addPrincipal gives a subordinate the unit it lives beside, if no relation has done so yet.
func (h *Harness) addPrincipal() {
	h.w.tb.Helper()
	for _, e := range h.meta().Meta.Endpoints() {
		if e.Scope == kith.Container {
			h.relate(e.Name, "principal")
			return
		}
	}
	h.w.fail(kith.Errorf(kith.Invalid, "cannot begin: subordinate charm %q has no endpoint of container scope", h.meta().Meta.Name))
}

// standIn deploys a stand-in for a remote application that can be at the other end of e.
func (h *Harness) standIn(app kith.AppName, e charm.Relation) {
	h.w.tb.Helper()
	if h.w.model.App(app) != nil {
		return
	}
	sub := e.Scope == kith.Container && !h.meta().Meta.Subordinate
	c := mirror(h.meta(), string(app), sub)
	id := h.w.newCharmID()
	h.do(core.AddCharm{ID: id, Charm: c})
	h.do(core.Deploy{App: app, Charm: id})
}

// mirror is a charm with the other half of every endpoint of c.
func mirror(c *charm.Charm, name string, subordinate bool) charm.Charm {
	m := charm.Meta{Name: name, Subordinate: subordinate, Provides: map[string]charm.Relation{}, Requires: map[string]charm.Relation{}}
	for _, e := range c.Meta.Endpoints() {
		other := charm.Relation{Name: remoteEndpoint(e), Interface: e.Interface, Scope: e.Scope}
		switch e.Role {
		case kith.Provider:
			other.Role = kith.Requirer
			m.Requires[string(other.Name)] = other
		case kith.Requirer:
			other.Role = kith.Provider
			m.Provides[string(other.Name)] = other
		case kith.Peer: // nobody else is there
		}
	}
	return charm.Charm{Meta: m}
}

// remoteEndpoint names the other half of an endpoint. What every application provides
// implicitly cannot be declared.
func remoteEndpoint(e charm.Relation) kith.EndpointName {
	if e.Name == charm.JujuInfo {
		return "info"
	}
	return e.Name
}

// AddRelationUnit brings a unit of the remote application, or for a peer relation another unit of the
// own one, into the relation. joined and changed follow. Units with lower numbers are made as
// needed, and stay out.
func (h *Harness) AddRelationUnit(id kith.RelationID, unit kith.UnitName) {
	h.w.tb.Helper()
	r, err := h.w.relation(id)
	h.w.ok(err)
	if _, err := kith.ParseUnitName(string(unit)); err != nil {
		h.w.fail(err)
	}
	if unit == h.unit {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot add unit %q to relation %d: it is the one under test", unit, id).
			WithHint("it enters its relations by itself, after Begin"))
	}
	if _, ok := endOf(r, unit.App()); !ok {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot add unit %q to relation %d: it is not of the remote application", unit, id).
			WithHint("the relation is %s", r.RelationKey()))
	}
	if h.w.model.Member(id, unit) != nil {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot add unit %q to relation %d: it is in it already", unit, id).
			WithHint("AppData and UnitData at AddRelation bring a unit with them"))
	}
	h.enter(id, unit)
	h.settle()
}

// enter puts a stand-in unit into a relation: it has installed its charm, and nothing else.
func (h *Harness) enter(id kith.RelationID, unit kith.UnitName) {
	h.w.tb.Helper()
	h.addUnits(unit.App(), unit.Number())
	p := h.w.model.Progress(unit)
	if p == nil {
		h.w.fail(kith.Errorf(kith.NotFound, "unit %q has been removed: numbers are not used twice", unit))
	}
	if p.Charm == "" {
		h.act(unit, core.Hook{Kind: core.Install, Charm: h.w.model.App(unit.App()).Charm}, core.Effects{})
	}
	h.w.must(core.System, core.EnterScopes{Unit: unit, Relations: []kith.RelationID{id}})
	if h.w.model.Member(id, unit) == nil {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot add unit %q to relation %d: the relation is ending", unit, id))
	}
}

// act commits a hook of a unit that stands in for others.
func (h *Harness) act(unit kith.UnitName, hook core.Hook, e core.Effects) {
	h.w.tb.Helper()
	h.w.ok(h.w.act(unit, hook, e))
}

func (w *world) act(unit kith.UnitName, hook core.Hook, e core.Effects) error {
	return w.do(core.UnitActor(unit), core.CommitHook{Unit: unit, Seq: w.model.Progress(unit).Seq + 1, Hook: hook, Effects: e})
}

// UpdateRelationData writes into the databag of any party: the remote application or one
// of its units, the own unit or application, or a peer. Empty values delete their keys. The charm is
// told of what others write, and in a peer relation of what the leader writes.
//
// The application's data is written by a unit that leads. Where no unit of it is in the
// relation, one comes, writes and leaves before anybody looks.
func (h *Harness) UpdateRelationData(id kith.RelationID, party string, data map[string]string) {
	h.w.tb.Helper()
	r, err := h.w.relation(id)
	h.w.ok(err)
	app := kith.AppName(party)
	unit, isUnit := kith.UnitName(party), strings.Contains(party, "/")
	if isUnit {
		_, err := kith.ParseUnitName(party)
		h.w.ok(err)
		app = unit.App()
	}
	h.w.ok(checkText(party, data))
	if _, ok := endOf(r, app); !ok {
		h.w.fail(kith.Errorf(kith.NotFound, "cannot write data of %q in relation %d: it is between %s", party, id, r.RelationKey()))
	}
	switch {
	case unit == h.unit || app == h.app && !isUnit && h.IsLeader():
		h.writeOwn(id, !isUnit, data)
	case isUnit:
		if h.w.model.Member(id, unit) == nil {
			h.w.fail(kith.Errorf(kith.NotFound, "cannot write data of unit %q: it is not in relation %d", unit, id).
				WithHint("in it are %s; AddRelationUnit adds others", h.w.listUnits(id)))
		}
		h.write(unit, core.BagWrite{Relation: id, Set: data})
	default:
		h.writeApp(id, app, data)
	}
	h.settle()
}

// write commits a write of a unit into a databag.
func (h *Harness) write(unit kith.UnitName, w core.BagWrite) {
	h.w.tb.Helper()
	h.act(unit, core.Hook{Kind: core.UpdateStatus}, core.Effects{Bags: []core.BagWrite{w}})
}

// writeOwn writes for the unit under test, now or as soon as it is in the relation.
func (h *Harness) writeOwn(id kith.RelationID, app bool, data map[string]string) {
	h.w.tb.Helper()
	if h.w.model.Member(id, h.unit) != nil {
		h.write(h.unit, core.BagWrite{Relation: id, App: app, Set: data})
		return
	}
	if h.waiting == nil {
		h.waiting = map[kith.RelationID]map[bool]map[string]string{}
	}
	sides := h.waiting[id]
	if sides == nil {
		sides = map[bool]map[string]string{false: {}, true: {}}
		h.waiting[id] = sides
	}
	maps.Copy(sides[app], data)
}

// catchUp makes the writes that waited for the unit to enter.
func (h *Harness) catchUp(unit kith.UnitName, ids []kith.RelationID) error {
	for _, id := range ids {
		var e core.Effects
		for _, app := range []bool{false, true} {
			if set := h.waiting[id][app]; len(set) > 0 {
				e.Bags = append(e.Bags, core.BagWrite{Relation: id, App: app, Set: set})
			}
		}
		delete(h.waiting, id)
		if len(e.Bags) > 0 {
			if err := h.w.act(unit, core.Hook{Kind: core.UpdateStatus}, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeApp writes an application's data, by one of its units that stand in for others.
func (h *Harness) writeApp(id kith.RelationID, app kith.AppName, data map[string]string) {
	h.w.tb.Helper()
	var writer kith.UnitName
	for m := range h.w.model.Members(id) {
		if m.Unit.App() == app && m.Unit != h.unit {
			writer = m.Unit
			break
		}
	}
	visits := writer == ""
	if visits {
		if writer = kith.UnitOf(app, 0); app == h.app {
			writer = h.deputy()
		}
		h.enter(id, writer)
	}
	h.w.hello(writer)
	h.w.must(core.System, core.Elect{Unit: writer})
	h.write(writer, core.BagWrite{Relation: id, App: true, Set: data})
	if visits {
		h.leave(id, writer)
	}
}

// leave takes a stand-in unit out of a relation.
func (h *Harness) leave(id kith.RelationID, unit kith.UnitName) {
	h.w.tb.Helper()
	r := h.w.model.Relation(id)
	if r == nil {
		return
	}
	e, _ := endOf(r, unit.App())
	h.act(unit, core.Hook{Kind: core.RelationBroken, Relation: &core.RelationHook{ID: id, Endpoint: e.Endpoint, RemoteApp: h.app}}, core.Effects{})
}

// RemoveRelationUnit removes a unit of the remote application, or a peer, from the model and so from
// all its relations. departed follows. A unit does not come back: its number is not used twice.
func (h *Harness) RemoveRelationUnit(id kith.RelationID, unit kith.UnitName) {
	h.w.tb.Helper()
	_, err := h.w.relation(id)
	h.w.ok(err)
	if unit == h.unit {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot remove unit %q from relation %d: it is the one under test", unit, id).
			WithHint("Remove takes it out of the model, and RemoveRelation ends the relation"))
	}
	if h.w.model.Member(id, unit) == nil {
		h.w.fail(kith.Errorf(kith.NotFound, "cannot remove unit %q: it is not in relation %d", unit, id).WithHint("in it are %s", h.w.listUnits(id)))
	}
	h.do(core.RemoveUnits{Units: []kith.UnitName{unit}, Force: true})
	h.settle()
}

// RemoveRelation removes a relation: departed follows for each remote unit, then broken.
// A peer relation cannot be removed.
func (h *Harness) RemoveRelation(id kith.RelationID) {
	h.w.tb.Helper()
	h.do(core.RemoveRelation{ID: &id})
	for _, u := range h.RelationUnits(id) {
		if u != h.unit {
			h.leave(id, u)
		}
	}
	if h.w.model.Relation(id) != nil && !h.begun {
		h.w.fail(kith.Errorf(kith.Conflict, "relation %d is still in use", id))
	}
	h.settle()
}

// RelationUnits are the units in a relation, on both sides, in order of name.
func (h *Harness) RelationUnits(id kith.RelationID) []kith.UnitName {
	var all []kith.UnitName
	for m := range h.w.model.Members(id) {
		all = append(all, m.Unit)
	}
	slices.Sort(all)
	return all
}

// GetRelationData is a copy of the databag of any party: "pg/0", "pg", the own unit or
// application. No access rule applies to the test. It is nil if the party has no databag;
// a unit's has its addresses from the start.
func (h *Harness) GetRelationData(id kith.RelationID, party string) map[string]string {
	h.w.tb.Helper()
	_, err := h.w.relation(id)
	h.w.ok(err)
	return h.w.bag(id, party)
}

func (w *world) bag(id kith.RelationID, party string) map[string]string {
	if b := w.model.Bag(id, party); b != nil {
		return maps.Clone(b.Data)
	}
	return nil
}
