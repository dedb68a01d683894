package ops

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"kith"
)

// Model is what a charm can see of the world it runs in, as it is for the length of
// one dispatch: what is read once stays the same, except for what the charm itself
// writes.
type Model struct {
	f    *Framework
	unit Unit
	app  Application

	ids       map[kith.EndpointName][]kith.RelationID
	relations []*Relation // those looked at, by number
	bags      []bag       // those read, by key
	config    Config
	networks  map[string]*Network
	storages  map[string][]*Storage
	resources map[string]string
	notLeader bool
}

// begin makes the model of a dispatch. It is a part of its framework.
func (m *Model) begin(f *Framework) {
	m.f = f
	m.unit = Unit{m, f.env.Unit}
	m.app = Application{m, f.env.Unit.App()}
}

// put sets a key of a map that may have to be made: most dispatches need few of them.
func put[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = value
}

// Name is the model's name.
func (m *Model) Name() string { return m.f.env.ModelName }

// UUID identifies the model for ever.
func (m *Model) UUID() kith.ModelUUID { return m.f.env.ModelUUID }

// JujuVersion is the version of the host.
func (m *Model) JujuVersion() JujuVersion { return m.f.env.JujuVersion }

// Unit is the unit this charm runs in. Other units are names: there is nothing to do
// with them but to read their data.
func (m *Model) Unit() *Unit { return &m.unit }

// App is the application of this charm.
func (m *Model) App() *Application { return &m.app }

// Relations are the relations on an endpoint, by number. In relation-broken the one
// that is gone is not among them. Errors: Invalid for an endpoint the charm does not have.
func (m *Model) Relations(endpoint kith.EndpointName) ([]*Relation, error) {
	ids, err := m.relationIDs(endpoint)
	if err != nil {
		return nil, err
	}
	all := make([]*Relation, len(ids))
	for i, id := range ids {
		if all[i], err = m.relation(RelationRef{endpoint, id}); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// GetRelation is the only relation on an endpoint, or nil if there is none; in its
// relation-broken there is none. With more than one it is a [*TooManyRelatedAppsError], whatever
// the endpoint's limit. Errors: Invalid for an endpoint the charm does not have.
func (m *Model) GetRelation(endpoint kith.EndpointName) (*Relation, error) {
	ids, err := m.relationIDs(endpoint)
	switch {
	case err != nil || len(ids) == 0:
		return nil, err
	case len(ids) > 1:
		return nil, &TooManyRelatedAppsError{Endpoint: endpoint, NumRelated: len(ids), MaxSupported: 1}
	}
	return m.relation(RelationRef{endpoint, ids[0]})
}

// GetRelationByID is a relation on an endpoint. It is never nil without an error: one
// that does not exist, or is on another endpoint, has Active false and no data, and
// what would change it is an [ErrRelationNotFound].
func (m *Model) GetRelationByID(endpoint kith.EndpointName, id kith.RelationID) (*Relation, error) {
	if m.ofEvent(endpoint, id) { // there is no need to list them all
		return m.relation(RelationRef{endpoint, id})
	}
	ids, err := m.relationIDs(endpoint)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(ids, id) {
		return &Relation{m: m, Endpoint: endpoint, ID: id, gone: true}, nil
	}
	return m.relation(RelationRef{endpoint, id})
}

// relationIDs leaves out the relation whose broken hook runs: some hosts list it.
func (m *Model) relationIDs(endpoint kith.EndpointName) ([]kith.RelationID, error) {
	if ids, ok := m.ids[endpoint]; ok {
		return ids, nil
	}
	if _, ok := m.f.meta.Endpoint(endpoint); !ok {
		return nil, kith.Errorf(kith.Invalid, "cannot look up relations: the charm has no endpoint %q", endpoint).
			WithHint("the metadata of the charm has to name it")
	}
	ids, err := m.f.backend.RelationIDs(endpoint)
	if err != nil {
		return nil, err
	}
	ids = slices.Clone(ids)
	if e := &m.f.env.Event; m.broken(e.RelationID) {
		ids = slices.DeleteFunc(ids, func(id kith.RelationID) bool { return id == e.RelationID })
	}
	slices.Sort(ids)
	put(&m.ids, endpoint, ids)
	return ids, nil
}

// ofEvent reports whether the event is about the relation.
func (m *Model) ofEvent(endpoint kith.EndpointName, id kith.RelationID) bool {
	e := &m.f.env.Event
	return m.f.event.space == hookSpace && e.Relation == endpoint && e.RelationID == id
}

// broken reports whether the event is the relation's relation-broken.
func (m *Model) broken(id kith.RelationID) bool {
	e := &m.f.env.Event
	return m.f.event.space == hookSpace && e.Relation != "" && e.RelationID == id && kindOf(m.f.event.name) == relationBroken
}

// relation finds a relation; the same object each time.
func (m *Model) relation(ref RelationRef) (*Relation, error) {
	i, found := slices.BinarySearchFunc(m.relations, ref.ID, func(r *Relation, id kith.RelationID) int { return cmp.Compare(r.ID, id) })
	if found {
		return m.relations[i], nil
	}
	r := &Relation{m: m, Endpoint: ref.Endpoint, ID: ref.ID, Active: !m.broken(ref.ID)}
	units, err := m.f.backend.RelationUnits(ref)
	switch {
	case errors.Is(err, ErrRelationNotFound):
		if r.Active = false; m.ofEvent(ref.Endpoint, ref.ID) {
			r.App = m.f.env.Event.RemoteApp
		}
	case err != nil:
		return nil, err
	default:
		r.Units = units
		if r.App, err = m.remoteApp(ref, units); err != nil {
			return nil, err
		}
	}
	m.relations = slices.Insert(m.relations, i, r)
	return r, nil
}

// remoteApp finds the application at the other side, by what costs least.
func (m *Model) remoteApp(ref RelationRef, units []kith.UnitName) (kith.AppName, error) {
	if m.isPeer(ref.Endpoint) {
		return m.app.name, nil
	}
	if len(units) > 0 {
		return units[0].App(), nil
	}
	if ev := &m.f.env.Event; ev.Relation != "" && ev.RelationID == ref.ID && ev.RemoteApp != "" {
		return ev.RemoteApp, nil
	}
	app, err := m.f.backend.RelationApp(ref)
	if errors.Is(err, ErrRelationNotFound) {
		return "", nil
	}
	return app, err
}

func (m *Model) isPeer(endpoint kith.EndpointName) bool {
	e, ok := m.f.meta.Endpoint(endpoint)
	return ok && e.Role == kith.Peer
}

// Owner is whose databag it is, or whose secret: a [kith.UnitName], a [kith.AppName],
// the model's [Unit] or its [Application].
type Owner interface {
	// App is the application the owner is or belongs to.
	App() kith.AppName
}

// ownerName splits an owner into its name and whether it is an application.
func ownerName(o Owner) (name string, app bool) {
	switch o := o.(type) {
	case nil:
		return "", false
	case kith.AppName:
		return string(o), true
	case kith.UnitName:
		return string(o), false
	case *Unit:
		return string(o.name), false
	}
	return string(o.App()), true
}

// Unit is the unit the charm runs in.
type Unit struct {
	m    *Model
	name kith.UnitName
}

// Name is "web/0".
func (u *Unit) Name() kith.UnitName { return u.name }

// App is the name of the unit's application.
func (u *Unit) App() kith.AppName { return u.name.App() }

// IsLeader reports whether the unit leads its application. True is a promise for 30
// seconds, and no is no for the rest of the dispatch.
func (u *Unit) IsLeader() (bool, error) {
	if u.m.notLeader {
		return false, nil
	}
	leads, err := u.m.f.backend.IsLeader()
	u.m.notLeader = err == nil && !leads
	return leads, err
}

// IsDying reports whether the unit is being removed, alone or with its application.
// It matters in relation-broken: there a unit that goes cannot tell otherwise whether
// the relation goes too, or lives on with the others.
func (u *Unit) IsDying() (bool, error) {
	goal, err := u.m.f.backend.GoalState()
	return goal.Units[u.name].Status == kith.Status(kith.Dying), err
}

// Status is the unit's workload status as it was set last; unknown if it never was.
func (u *Unit) Status() (Status, error) { return u.m.f.backend.StatusGet(false) }

// SetStatus sets the unit's workload status. It shows at once, and stays if the hook
// fails. Errors: [*InvalidStatusError].
func (u *Unit) SetStatus(s Status) error {
	if err := s.settable(); err != nil {
		return err
	}
	return u.m.f.backend.StatusSet(false, s)
}

// SetWorkloadVersion says which version of the workload the application runs; empty
// takes it back. It shows at once, and stays if the hook fails. Of several units the last counts.
func (u *Unit) SetWorkloadVersion(version string) error { return u.m.f.backend.VersionSet(version) }

// Reboot asks for a reboot of the machine once the hook has succeeded; with now, at
// once, and the hook runs again from the start after it: what comes after the call
// may not happen, so return from the handler.
func (u *Unit) Reboot(now bool) error { return u.m.f.backend.Reboot(now) }

// Application is the application of the charm.
type Application struct {
	m    *Model
	name kith.AppName
}

// Name is "web".
func (a *Application) Name() kith.AppName { return a.name }

// App is the application's name too: it makes an Application an [Owner].
func (a *Application) App() kith.AppName { return a.name }

// Status is the application's status as its leader set it. Errors: [ErrNotLeader].
func (a *Application) Status() (Status, error) { return a.m.f.backend.StatusGet(true) }

// SetStatus sets the application's status, at once. Errors: [ErrNotLeader],
// [*InvalidStatusError].
func (a *Application) SetStatus(s Status) error {
	if err := s.settable(); err != nil {
		return err
	}
	return a.m.f.backend.StatusSet(true, s)
}

// GoalState says which units and relations there will be once everything asked for
// has happened.
func (a *Application) GoalState() (GoalState, error) { return a.m.f.backend.GoalState() }

// PlannedUnits is how many units the application will have: those not on their way out.
func (a *Application) PlannedUnits() (int, error) {
	goal, err := a.m.f.backend.GoalState()
	if err != nil {
		return 0, err
	}
	n := 0
	for _, status := range goal.Units { // any order: it counts
		if status.Status != kith.Status(kith.Dying) {
			n++
		}
	}
	return n, nil
}

// clone is a copy a caller may change.
func clone(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return maps.Clone(m)
}
