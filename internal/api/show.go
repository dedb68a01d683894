package api

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// ShowUnit is one unit with its relations and all the data it can be shown
// (CLI reference, section 5.3). What of it a format prints is the renderer's choice.
type ShowUnit struct {
	UnitStatus
	WorkloadVersion string         `json:"workload-version,omitempty"`
	Charm           string         `json:"charm"` // URL
	Relations       []UnitRelation `json:"relation-info,omitempty"`
}

// UnitRelation is one relation of a unit, sorted by its id.
type UnitRelation struct {
	ID              kith.RelationID   `json:"relation-id"`
	Endpoint        kith.EndpointName `json:"endpoint"`
	RelatedEndpoint kith.EndpointName `json:"related-endpoint"`
	RelatedApp      kith.AppName      `json:"related-application"`
	Peer            bool              `json:"peer,omitempty"`
	// AppData is the remote application's bag; the own one's in a peer relation.
	AppData map[string]string `json:"application-data,omitempty"`
	// LocalAppData is the own application's bag.
	LocalAppData map[string]string `json:"local-application-data,omitempty"`
	Local        UnitData          `json:"local-unit"`
	Related      []UnitData        `json:"related-units,omitempty"` // natural order
	// Contract is there if a contract says something about the relation.
	Contract *RelationContract `json:"contract,omitempty"`
}

// UnitData is one unit's bag. Data is nil if it has none.
type UnitData struct {
	Unit    kith.UnitName     `json:"unit"`
	InScope bool              `json:"in-scope"`
	Data    map[string]string `json:"data"`
}

// ShowUnitOf builds what show-unit shows; false if there is no such unit.
func ShowUnitOf(m *core.Model, name kith.UnitName) (ShowUnit, bool) {
	u := m.Unit(name)
	if u == nil {
		return ShowUnit{}, false
	}
	s := ShowUnit{UnitStatus: unitStatus(m, u)}
	s.Machine = u.Machine
	if a := m.App(u.App); a != nil {
		s.WorkloadVersion = a.WorkloadVersion
		if c := m.Charm(a.Charm); c != nil {
			s.Charm = c.URL
		}
	}
	for r := range m.RelationsOf(u.App) {
		if rel, ok := unitRelation(m, u, r); ok {
			s.Relations = append(s.Relations, rel)
		}
	}
	slices.SortFunc(s.Relations, func(a, b UnitRelation) int { return cmp.Compare(a.ID, b.ID) })
	return s, true
}

// unitRelation shows r as u sees it; false for a container relation with
// another principal than its own.
func unitRelation(m *core.Model, u *core.Unit, r *core.Relation) (UnitRelation, bool) {
	own, other := r.Ends[0], r.Ends[len(r.Ends)-1]
	if own.App != u.App {
		own, other = other, own
	}
	if a := m.App(other.App); r.Scope == kith.Container && u.Principal != "" && a != nil && !a.Subordinate && u.Principal.App() != other.App {
		return UnitRelation{}, false
	}
	rel := UnitRelation{ID: r.ID, Endpoint: own.Endpoint, RelatedEndpoint: other.Endpoint, RelatedApp: other.App, Peer: r.Peer(),
		AppData: bagData(m, r.ID, string(other.App)), LocalAppData: bagData(m, r.ID, string(own.App)),
		Local: unitData(m, r.ID, u.Name)}
	for remote := range m.UnitsOf(other.App) {
		if remote.Name == u.Name || r.Scope == kith.Container && container(remote) != container(u) {
			continue
		}
		if d := unitData(m, r.ID, remote.Name); d.InScope || d.Data != nil {
			rel.Related = append(rel.Related, d)
		}
	}
	slices.SortFunc(rel.Related, func(a, b UnitData) int { return Natural(string(a.Unit), string(b.Unit)) })
	return rel, true
}

func container(u *core.Unit) kith.UnitName { return cmp.Or(u.Principal, u.Name) }

func unitData(m *core.Model, id kith.RelationID, u kith.UnitName) UnitData {
	return UnitData{Unit: u, InScope: m.Member(id, u) != nil, Data: bagData(m, id, string(u))}
}

func bagData(m *core.Model, id kith.RelationID, owner string) map[string]string {
	if b := m.Bag(id, owner); b != nil && len(b.Data) > 0 {
		return b.Data
	}
	return nil
}

// ShowApp is what show-application shows (CLI reference, section 7.6).
type ShowApp struct {
	AppStatus
	Trust bool `json:"trust"`
	// ExposedEndpoints limits Exposed to some endpoints.
	ExposedEndpoints []kith.EndpointName `json:"exposed-endpoints,omitempty"`
	// Endpoints are those of the charm, by name.
	Endpoints []charm.Relation `json:"endpoints"`
	// Resources are those of the charm, by name.
	Resources []AppResource `json:"resources,omitempty"`
}

// ShowAppOf builds it; false if there is no such application.
func ShowAppOf(m *core.Model, name kith.AppName) (ShowApp, bool) {
	a := m.App(name)
	if a == nil {
		return ShowApp{}, false
	}
	var units []UnitStatus
	for _, u := range sortedUnits(m) {
		if u.App == name {
			units = append(units, unitStatus(m, u))
		}
	}
	s := ShowApp{AppStatus: appStatus(m, a, units), Trust: a.Trust, ExposedEndpoints: a.ExposedEndpoints,
		Resources: appResources(m, a)}
	if c := m.Charm(a.Charm); c != nil {
		meta := c.Charm.Meta
		for _, section := range []map[string]charm.Relation{meta.Provides, meta.Requires, meta.Peers} {
			s.Endpoints = append(s.Endpoints, slices.Collect(maps.Values(section))...)
		}
		slices.SortFunc(s.Endpoints, func(a, b charm.Relation) int { return cmp.Compare(a.Name, b.Name) })
	}
	return s, true
}

// AppConfig is an application's configuration with where each value comes from
// (CLI reference, section 5.6).
type AppConfig struct {
	App     kith.AppName `json:"application"`
	Charm   string       `json:"charm"` // its name
	Trust   bool         `json:"trust"`
	Options []AppOption  `json:"options"` // by name
}

// AppOption is one option. Source is "user", "default" or "unset"; a value that
// equals the default counts as default.
type AppOption struct {
	Name        string           `json:"name"`
	Type        charm.OptionType `json:"type"`
	Description string           `json:"description,omitempty"`
	Default     any              `json:"default,omitempty"`
	Value       any              `json:"value,omitempty"`
	Source      string           `json:"source"`
}

// AppConfigOf builds it; false if there is no such application.
func AppConfigOf(m *core.Model, name kith.AppName) (AppConfig, bool) {
	a := m.App(name)
	if a == nil {
		return AppConfig{}, false
	}
	s := AppConfig{App: name, Trust: a.Trust}
	c := m.Charm(a.Charm)
	if c == nil {
		return s, true
	}
	s.Charm = c.Charm.Meta.Name
	for _, key := range slices.Sorted(maps.Keys(c.Charm.Config)) {
		o := c.Charm.Config[key]
		opt := AppOption{Name: key, Type: o.Type, Description: o.Description, Default: o.Default, Value: o.Default, Source: "default"}
		if o.Default == nil {
			opt.Source = "unset"
		}
		if v, set := a.Config[key]; set && fmt.Sprint(v) != fmt.Sprint(o.Default) {
			opt.Value, opt.Source = v, "user"
		}
		s.Options = append(s.Options, opt)
	}
	return s, true
}

// ModelConfig is the model's options that were set; all others have their defaults.
type ModelConfig struct {
	Set map[string]string `json:"set"`
}

// GoalState is what a unit may know of where its application and the related
// ones are heading (hook protocol reference, section 10.4).
type GoalState struct {
	Units     map[string]GoalStatus            `json:"units"`
	Relations map[string]map[string]GoalStatus `json:"relations"`
}

// GoalStatus is one entry of a goal state.
type GoalStatus struct {
	Status kith.Status `json:"status"`
	Since  time.Time   `json:"since"`
}

// Statuses is the same in the terms of core, by unit, and by endpoint and then by who is at
// its other side.
func (g GoalState) Statuses() (units map[string]core.Status, relations map[string]map[string]core.Status) {
	relations = make(map[string]map[string]core.Status, len(g.Relations))
	for endpoint, who := range g.Relations { // any order: a map is made
		relations[endpoint] = goalStatuses(who)
	}
	return goalStatuses(g.Units), relations
}

func goalStatuses(in map[string]GoalStatus) map[string]core.Status {
	out := make(map[string]core.Status, len(in))
	for name, s := range in { // any order: a map is made
		out[name] = core.Status{Current: s.Status, Since: s.Since}
	}
	return out
}

// GoalStateOf builds it for a unit; false if there is no such unit.
func GoalStateOf(m *core.Model, name kith.UnitName) (GoalState, bool) {
	u := m.Unit(name)
	if u == nil {
		return GoalState{}, false
	}
	g := GoalState{Units: make(map[string]GoalStatus), Relations: make(map[string]map[string]GoalStatus)}
	goalUnits(m, u.App, g.Units)
	for r := range m.RelationsOf(u.App) {
		if r.Peer() {
			continue
		}
		own, other := r.Ends[0], r.Ends[1]
		if own.App != u.App {
			own, other = other, own
		}
		at := g.Relations[string(own.Endpoint)]
		if at == nil {
			at = make(map[string]GoalStatus)
			g.Relations[string(own.Endpoint)] = at
		}
		at[string(other.App)] = GoalStatus{r.Status.Current, r.Status.Since}
		goalUnits(m, other.App, at)
	}
	return g, true
}

func goalUnits(m *core.Model, app kith.AppName, into map[string]GoalStatus) {
	for u := range m.UnitsOf(app) {
		switch w := WorkloadStatus(m, u, m.Progress(u.Name)); u.Life {
		case kith.Dead:
		case kith.Dying:
			into[string(u.Name)] = GoalStatus{kith.Status(kith.Dying), w.Since}
		default:
			into[string(u.Name)] = GoalStatus{w.Current, w.Since}
		}
	}
}
