package core

import (
	"cmp"
	"time"

	"kith"
)

// HookContext is what a hook sees beside its own event: everything a charm may
// ask that holds still while the hook runs. It has a JSON form because agents
// get it over the network.
type HookContext struct {
	Model     kith.ModelUUID `json:"model"`
	ModelName string         `json:"model-name"`
	Unit      kith.UnitName  `json:"unit"`
	Principal kith.UnitName  `json:"principal,omitempty"`
	Machine   kith.MachineID `json:"machine"`
	Address   string         `json:"address"`
	Charm     string         `json:"charm"`
	Config    Settings       `json:"config"`   // effective: what was set, over the defaults; shared, nobody changes it
	Options   []string       `json:"options"`  // every option the charm has, sorted
	Bindings  []string       `json:"bindings"` // endpoint and extra-binding names network-get knows, sorted
	Leader    bool           `json:"leader"`
	// Relations are those the unit has entered, by number. They are shared: nobody changes them.
	Relations []*RelationContext `json:"relations"`
	// Bags holds the small bags the hook is likely to read; others are fetched.
	Bags  []BagContent      `json:"bags,omitempty"`
	Ports []Port            `json:"ports,omitempty"`
	State map[string]string `json:"state,omitempty"`
	// Proxy holds the model's juju-*-proxy options.
	Proxy ProxyOptions `json:"proxy"`
	// HostProxy holds the model's options http-proxy, https-proxy, ftp-proxy and no-proxy, if they are set.
	HostProxy ProxyOptions `json:"host-proxy,omitzero"`
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
	// Payloads are the types of the charm's payload classes.
	Payloads map[string]string `json:"payloads,omitempty"`
}

// ProxyOptions are model options: those a charm gets as JUJU_CHARM_*_PROXY, or those of
// the host, as http_proxy and its like (hook protocol reference, section 5.1).
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
		Charm: v.App.Charm, Config: v.m.contexts.configOf(v.App.Name), Ports: v.Unit.Ports,
		Attempt: v.Past.Tries, Task: v.taskContext(h), Storage: v.storageContext(h), Trust: v.App.Trust,
	}
	if info := v.m.Info(); info != nil {
		c.Model, c.ModelName = info.UUID, info.Name
	}
	c.Proxy, c.HostProxy = v.m.contexts.proxy, v.m.contexts.hostProxy
	// Hooks run in the charm that is unpacked, but install and upgrade-charm: those run in the one they come
	// with. After a failure that need not be the application's newest.
	c.Charm = cmp.Or(h.Charm, v.Past.unpacked(), v.App.Charm)
	if info := v.m.Charm(c.Charm); info != nil {
		c.Options, c.Bindings = v.m.charmNames(info)
		c.Resources, c.Payloads = v.resourceContext(&info.Charm), info.Charm.Meta.Payloads
	}
	c.Leader = v.m.IsLeader(v.Unit.Name, now)
	c.Relations = v.m.contexts.of(v.Unit.Name)
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
	r := v.m.Relation(h.Relation.ID)
	if r == nil {
		return nil
	}
	owners := [...]string{string(v.Unit.Name), string(h.Relation.RemoteUnit), string(h.Relation.RemoteApp)}
	bags := make([]BagContent, 0, len(owners))
	for _, owner := range owners {
		if owner == "" {
			continue
		}
		data, err := v.readBag(r, owner)
		if err == nil && bagSize(data) <= prefetchLimit {
			bags = append(bags, BagContent{r.ID, owner, data})
		}
	}
	return bags
}
