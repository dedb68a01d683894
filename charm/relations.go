package charm

import (
	"maps"
	"slices"
	"strings"

	"kith"
)

// parseRelations reads one of provides, requires and peers (section 6.1).
func parseRelations(n *node, role kith.Role) (map[string]Relation, error) {
	fields, err := n.asMap()
	if err != nil {
		return nil, err
	}
	out := make(map[string]Relation, len(fields))
	for _, f := range fields {
		r, err := parseRelation(f.name, f.val, role)
		if err != nil {
			return nil, err
		}
		out[f.name] = r
	}
	return out, nil
}

func parseRelation(name string, n *node, role kith.Role) (Relation, error) {
	r := Relation{Name: kith.EndpointName(name), Role: role, Scope: kith.Global}
	if !kith.ValidEndpointName(name) {
		// Juju: accepts any name here and fails when the relation is made (section 6.2).
		return r, n.schemaError("an endpoint name is lower-case letters and digits, in parts joined by single dashes or underscores, and starts with a letter",
			"endpoint name %q not valid", clip(name))
	}
	if n.isString() {
		r.Interface, _ = n.asString()
		return r, nil
	}
	fields, err := n.asMap()
	if err != nil {
		if n.isNothing() {
			err.(*Error).Hint = "write the interface: " + name + ": INTERFACE"
		}
		return r, err
	}
	for _, f := range fields {
		switch f.name {
		case "interface":
			r.Interface, err = f.val.asString()
		case "limit":
			r.Limit, err = parseLimit(f.val)
		case "optional":
			r.Optional, err = f.val.asBool()
		case "scope":
			r.Scope, err = parseScope(f.val)
		}
		if err != nil {
			return r, err
		}
	}
	_, err = n.get("interface").asString()
	return r, err
}

// parseLimit reads a limit; null, zero and less mean that there is none.
func parseLimit(n *node) (int, error) {
	if n.kind == nullKind {
		return 0, nil
	}
	limit, err := n.asInt()
	if err != nil {
		return 0, n.unexpected("a limit is a whole number, or empty for none")
	}
	return max(limit, 0), nil
}

func parseScope(n *node) (kith.Scope, error) {
	s, _ := n.asString()
	if s := kith.Scope(s); s == kith.Global || s == kith.Container {
		return s, nil
	}
	return "", n.unexpected("scope is global or container")
}

// reserved reports whether a name is Juju's own (section 6.3).
func reserved(name string) bool { return name == "juju" || strings.HasPrefix(name, "juju-") }

// checkRelations keeps to the reserved names and to one role per endpoint name
// (sections 6.3 and 6.4; relations reference, section 1.2; 3.6 wording).
func (p *metaParser) checkRelations() error {
	seen := map[string]bool{}
	for _, section := range []string{"provides", "requires", "peers"} {
		for _, f := range p.root.get(section).fields {
			r := p.meta.section(section)[f.name]
			if err := p.checkReserved(r, f.val); err != nil {
				return err
			}
			if seen[f.name] {
				return f.val.refuse("an endpoint name stands in only one of provides, requires and peers",
					"charm %q using a duplicated relation name: %q", p.meta.Name, f.name)
			}
			seen[f.name] = true
		}
	}
	return nil
}

func (p *metaParser) checkReserved(r Relation, n *node) error {
	if strings.HasPrefix(p.meta.Name, "juju-") {
		return nil
	}
	const rule = `"juju" and names that begin with "juju-" belong to Juju`
	if reserved(string(r.Name)) && !(r.Role == kith.Requirer && p.meta.Subordinate && r.Scope == kith.Container) {
		err := n.refuse(rule, "charm %q using a reserved relation name: %q", p.meta.Name, r.Name)
		switch {
		case r.Role == kith.Requirer && r.Interface == JujuInfo:
			err.Hint = "give the endpoint another name; its interface may be juju-info"
		case r.Role == kith.Provider && r.Name == JujuInfo:
			err.Hint = "remove it: every charm provides juju-info without saying so"
		}
		return err
	}
	if r.Role != kith.Requirer && reserved(r.Interface) {
		return n.refuse(rule, "charm %q relation %q using a reserved interface: %q", p.meta.Name, r.Name, r.Interface)
	}
	return nil
}

// section returns the endpoints declared under a key of metadata.yaml.
func (m *Meta) section(key string) map[string]Relation {
	switch key {
	case "provides":
		return m.Provides
	case "requires":
		return m.Requires
	default:
		return m.Peers
	}
}

// declared finds an endpoint that the charm itself names.
func (m *Meta) declared(name string) (Relation, bool) {
	for _, section := range []map[string]Relation{m.Provides, m.Requires, m.Peers} {
		if r, ok := section[name]; ok {
			return r, true
		}
	}
	return Relation{}, false
}

// implicit is the endpoint of every application (section 6.5).
func implicit() Relation {
	return Relation{Name: JujuInfo, Role: kith.Provider, Interface: JujuInfo, Scope: kith.Global}
}

// Endpoints returns every endpoint an application of this charm has, sorted by
// name. The implicit juju-info is among them, in its place, unless the charm
// declares an endpoint of that name itself, which then hides it: names in the
// result are unique.
func (m Meta) Endpoints() []Relation {
	all := map[string]Relation{JujuInfo: implicit()}
	for _, section := range []map[string]Relation{m.Provides, m.Requires, m.Peers} {
		maps.Copy(all, section)
	}
	out := make([]Relation, 0, len(all))
	for _, name := range sortedKeys(all) {
		out = append(out, all[name])
	}
	return out
}

// Endpoint finds an endpoint of [Meta.Endpoints] by name.
func (m Meta) Endpoint(name kith.EndpointName) (Relation, bool) {
	if r, ok := m.declared(string(name)); ok {
		return r, true
	}
	return implicit(), name == JujuInfo
}

// Hook names that do not belong to an endpoint, a storage or a container
// (hook protocol reference, section 4).
var unitHooks = []string{
	"install", "start", "config-changed", "upgrade-charm", "update-status", "stop", "remove",
	"leader-elected", "leader-settings-changed", "collect-metrics", "meter-status-changed",
	"pre-series-upgrade", "post-series-upgrade",
	"secret-changed", "secret-expired", "secret-remove", "secret-rotate",
}

// Suffixes of the hooks that belong to something the charm names.
var (
	relationHooks  = []string{"-relation-created", "-relation-joined", "-relation-changed", "-relation-departed", "-relation-broken"}
	storageHooks   = []string{"-storage-attached", "-storage-detaching"}
	containerHooks = []string{"-pebble-ready", "-pebble-custom-notice", "-pebble-check-failed", "-pebble-check-recovered"}
)

// Hooks returns the name of every hook that a unit of this charm may be asked to
// run, sorted. The implicit juju-info has none.
func (m Meta) Hooks() []string {
	hooks := slices.Clone(unitHooks)
	add := func(name string, suffixes []string) {
		for _, s := range suffixes {
			hooks = append(hooks, name+s)
		}
	}
	for _, r := range m.Endpoints() {
		if !r.IsImplicit() {
			add(string(r.Name), relationHooks)
		}
	}
	for _, name := range sortedKeys(m.Storage) {
		add(name, storageHooks)
	}
	for _, name := range sortedKeys(m.Containers) {
		add(name, containerHooks)
	}
	return sorted(hooks)
}

// sortedKeys returns the keys of a map in order: no map order reaches a caller.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m { // any order: sorted
		keys = append(keys, k)
	}
	return sorted(keys)
}

// sorted sorts in place and returns its argument.
func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
