package core

import (
	"iter"
	"slices"
	"time"

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

// ModelConfig is a model option; empty if it was not set and has no default.
func (v View) ModelConfig(key string) string { return v.m.ModelOption(key) }

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

// HookContext is what a hook sees beside its own event: everything a charm may
// ask that holds still while the hook runs. It has a JSON form because agents
// get it over the network.
type HookContext struct {
	Model     kith.ModelUUID    `json:"model"`
	ModelName string            `json:"model-name"`
	Unit      kith.UnitName     `json:"unit"`
	Principal kith.UnitName     `json:"principal,omitempty"`
	Machine   kith.MachineID    `json:"machine"`
	Address   string            `json:"address"`
	Charm     string            `json:"charm"`
	Config    Settings          `json:"config"`   // effective: what was set, over the defaults
	Options   []string          `json:"options"`  // every option the charm has, sorted
	Bindings  []string          `json:"bindings"` // endpoint and extra-binding names network-get knows, sorted
	Leader    bool              `json:"leader"`
	Relations []RelationContext `json:"relations"` // those the unit has entered, by number
	// Bags holds the small bags the hook is likely to read; others are fetched.
	Bags  []BagContent      `json:"bags,omitempty"`
	Ports []Port            `json:"ports,omitempty"`
	State map[string]string `json:"state,omitempty"`
	// Proxy holds the model's juju-*-proxy options.
	Proxy ProxyOptions `json:"proxy"`
	// Attempt is how often this hook has been run without a commit (Progress.Tries).
	Attempt uint64 `json:"attempt,omitempty"`
	// Task is set for a task.
	Task *TaskContext `json:"task,omitempty"`
	// Storage is what the unit has, by name and number.
	Storage []StorageContext `json:"storage,omitempty"`
	// Resources are those that were given, by name.
	Resources []ResourceContext `json:"resources,omitempty"`
	// Trust is the application's.
	Trust bool `json:"trust,omitempty"`
}

// ProxyOptions are the model options a charm gets as JUJU_CHARM_*_PROXY (hook
// protocol reference, section 5.1).
type ProxyOptions struct {
	HTTP  string `json:"http,omitempty"`
	HTTPS string `json:"https,omitempty"`
	FTP   string `json:"ftp,omitempty"`
	No    string `json:"no,omitempty"`
}

// RelationContext is a relation the unit is in, as its hooks see it.
type RelationContext struct {
	ID        kith.RelationID   `json:"id"`
	Endpoint  kith.EndpointName `json:"endpoint"`
	RemoteApp kith.AppName      `json:"remote-app"`
	Key       string            `json:"key"` // Relation.RelationKey
	Role      kith.Role         `json:"role"`
	Scope     kith.Scope        `json:"scope"`
	Life      kith.Life         `json:"life"`
	Suspended bool              `json:"suspended,omitempty"`
	// Members are the announced remote units: joined has committed, departed has not (section 5.6).
	Members []kith.UnitName `json:"members,omitempty"`
}

// BagContent is one bag's data.
type BagContent struct {
	Relation kith.RelationID   `json:"relation"`
	Owner    string            `json:"owner"`
	Data     map[string]string `json:"data"`
}

// prefetchLimit is the size in bytes up to which a bag travels with the hook
// that is about it. Larger ones are fetched when, and if, the charm asks.
const prefetchLimit = 64 << 10

// Context builds what the hook sees.
func (v View) Context(h Hook, now time.Time) HookContext {
	c := HookContext{
		Unit: v.Unit.Name, Principal: v.Unit.Principal, Machine: v.Unit.Machine, Address: v.Unit.Address,
		Charm: v.App.Charm, Config: v.m.EffectiveConfig(v.App), Ports: v.Unit.Ports,
		Attempt: v.Past.Tries, Task: v.taskContext(h), Storage: v.storageContext(h), Trust: v.App.Trust,
	}
	if info := v.m.Info(); info != nil {
		c.Model, c.ModelName = info.UUID, info.Name
	}
	c.Proxy = ProxyOptions{
		HTTP: v.ModelConfig("juju-http-proxy"), HTTPS: v.ModelConfig("juju-https-proxy"),
		FTP: v.ModelConfig("juju-ftp-proxy"), No: v.ModelConfig("juju-no-proxy"),
	}
	// Until upgrade-charm runs, hooks run in the charm that is unpacked.
	if v.Past.Charm != "" && h.Kind != UpgradeCharm && h.Kind != Install {
		c.Charm = v.Past.Charm
	}
	if info := v.m.Charm(c.Charm); info != nil {
		c.Options, c.Bindings = names(info.Charm)
		c.Resources = v.resourceContext(&info.Charm)
	}
	c.Leader = v.m.IsLeader(v.Unit.Name, now)
	for r := range v.Relations() {
		if r.Member == nil {
			continue
		}
		rc := RelationContext{
			ID: r.Relation.ID, Endpoint: r.Own.Endpoint, RemoteApp: r.Other.App, Key: r.Relation.RelationKey(), Role: r.Own.Role,
			Scope: r.Relation.Scope, Life: r.Relation.Life, Suspended: r.Relation.Suspended,
		}
		for s := range r.Known() {
			rc.Members = append(rc.Members, s.Remote)
		}
		c.Relations = append(c.Relations, rc)
	}
	slices.SortFunc(c.Relations, func(a, b RelationContext) int { return int(a.ID) - int(b.ID) })
	if s := v.m.State(v.Unit.Name); s != nil {
		c.State = s.Data
	}
	c.Bags = v.prefetch(h)
	return c
}

// prefetch picks the bags that nearly every handler of h reads: the unit's own,
// the remote unit's and the remote application's.
func (v View) prefetch(h Hook) []BagContent {
	if h.Relation == nil {
		return nil
	}
	var bags []BagContent
	for _, owner := range []string{string(v.Unit.Name), string(h.Relation.RemoteUnit), string(h.Relation.RemoteApp)} {
		if owner == "" {
			continue
		}
		data, err := ReadBag(v.m, UnitActor(v.Unit.Name), h.Relation.ID, owner)
		if err == nil && bagSize(data) <= prefetchLimit {
			bags = append(bags, BagContent{h.Relation.ID, owner, data})
		}
	}
	return bags
}

// names lists a charm's options and bindings, sorted.
func names(c charm.Charm) (options, bindings []string) {
	for name := range c.Config { // any order: sorted below
		options = append(options, name)
	}
	slices.Sort(options)
	for _, e := range c.Meta.Endpoints() {
		bindings = append(bindings, string(e.Name))
	}
	bindings = append(bindings, c.Meta.ExtraBindings...)
	if !slices.Contains(bindings, charm.JujuInfo) {
		bindings = append(bindings, charm.JujuInfo)
	}
	slices.Sort(bindings)
	return options, bindings
}
