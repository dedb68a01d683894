package core

import (
	"reflect"
	"slices"
	"strings"

	"kith"
	"kith/charm"
)

// contexts is an index, derived by Apply: what does not change from one hook to the
// next of what hooks see. Without it every hook would walk all relations of its unit and all their
// members, read its charm's metadata anew and put its configuration together. Rows are shared between
// snapshots and hooks, and never modified.
type contexts struct {
	// relations of a unit: those it has entered, by number.
	relations tree[[]*RelationContext] // by unit
	charms    tree[charmNames]         // by CharmInfo.ID
	config    tree[Settings]           // by application: what [Model.EffectiveConfig] says
	// proxy and hostProxy are the model's.
	proxy, hostProxy ProxyOptions
}

// charmNames are a charm's options and bindings, sorted.
type charmNames struct{ options, bindings []string }

func (c *contexts) snapshot() contexts {
	return contexts{c.relations.share(), c.charms.share(), c.config.share(), c.proxy, c.hostProxy}
}

// of is what a unit has entered.
func (c *contexts) of(u kith.UnitName) []*RelationContext {
	all, _ := c.relations.get(string(u))
	return all
}

// configOf is an application's effective configuration.
func (c *contexts) configOf(app kith.AppName) Settings {
	config, _ := c.config.get(string(app))
	return config
}

// find is one of the relations a unit has entered, or nil.
func (c *contexts) find(u kith.UnitName, id kith.RelationID) *RelationContext {
	all := c.of(u)
	if i, ok := slices.BinarySearchFunc(all, id, compareContext); ok {
		return all[i]
	}
	return nil
}

func compareContext(c *RelationContext, id kith.RelationID) int { return int(c.ID) - int(id) }

// set puts a relation of a unit, or with nil takes it away.
func (c *contexts) set(u kith.UnitName, id kith.RelationID, is *RelationContext) {
	old := c.of(u)
	i, found := slices.BinarySearchFunc(old, id, compareContext)
	rest := old[i:]
	if found {
		rest = old[i+1:]
	}
	all := append(make([]*RelationContext, 0, i+1+len(rest)), old[:i]...)
	if is != nil {
		all = append(all, is)
	}
	if all = append(all, rest...); len(all) == 0 {
		c.relations.drop(string(u))
		return
	}
	c.relations.set(string(u), all)
}

// relationContext is a relation as the unit's hooks see it; nil if the unit is not in it.
func (m *Model) relationContext(r *Relation, u kith.UnitName) *RelationContext {
	own := r.end(u.App())
	if own == nil || m.Member(r.ID, u) == nil {
		return nil
	}
	c := &RelationContext{
		ID: r.ID, Endpoint: own.Endpoint, RemoteApp: r.otherEnd(own.App).App, Key: r.RelationKey(), Role: own.Role,
		Scope: r.Scope, Life: r.Life, Suspended: r.Suspended,
	}
	for s := range m.SeenBy(r.ID, u) {
		c.Members = append(c.Members, s.Remote)
	}
	return c
}

// noteRelationContext is called when a relation was put or dropped.
func (m *Model) noteRelationContext(old, now *Relation) {
	switch {
	case now == nil:
		for member := range m.Members(old.ID) {
			m.contexts.set(member.Unit, old.ID, nil)
		}
	case old == nil || old.Life != now.Life || old.Suspended != now.Suspended:
		for member := range m.Members(now.ID) {
			m.contexts.set(member.Unit, now.ID, m.relationContext(now, member.Unit))
		}
	}
}

// noteMemberContext is called when a membership of r was put or dropped; r is nil while rows are loaded.
func (m *Model) noteMemberContext(r *Relation, row *Member, is bool) {
	if !is {
		m.contexts.set(row.Unit, row.Relation, nil)
	} else if r != nil && m.contexts.find(row.Unit, row.Relation) == nil {
		m.contexts.set(row.Unit, row.Relation, m.relationContext(r, row.Unit))
	}
}

// noteSeenContext is called when what a unit has been told was put or dropped.
func (m *Model) noteSeenContext(s *Seen, is bool) {
	old := m.contexts.find(s.Unit, s.Relation)
	if old == nil {
		return // not loaded yet
	}
	i, was := slices.BinarySearch(old.Members, s.Remote)
	if was == is {
		return
	}
	now := *old
	now.Members = nil
	if rest := old.Members[i:]; is {
		now.Members = slices.Concat(old.Members[:i], []kith.UnitName{s.Remote}, rest)
	} else if len(old.Members) > 1 {
		now.Members = slices.Concat(old.Members[:i], rest[1:])
	}
	m.contexts.set(s.Unit, s.Relation, &now)
}

// noteInfo is called when the model itself was put.
func (m *Model) noteInfo(now *ModelInfo) {
	m.contexts.proxy = ProxyOptions{
		HTTP: now.option("juju-http-proxy"), HTTPS: now.option("juju-https-proxy"),
		FTP: now.option("juju-ftp-proxy"), No: now.option("juju-no-proxy"),
	}
	m.contexts.hostProxy = ProxyOptions{
		HTTP: now.option("http-proxy"), HTTPS: now.option("https-proxy"),
		FTP: now.option("ftp-proxy"), No: now.option("no-proxy"),
	}
}

// noteApp is called when an application was put or dropped.
func (m *Model) noteApp(old, now *App) {
	switch {
	case now == nil:
		m.contexts.config.drop(string(old.Name))
	case old == nil || old.Charm != now.Charm || old.ConfigVersion != now.ConfigVersion:
		m.contexts.config.set(string(now.Name), m.EffectiveConfig(now))
	}
}

// noteCharm is called when a charm was put or dropped.
func (m *Model) noteCharm(id string, now *CharmInfo) {
	if now == nil {
		m.contexts.charms.drop(id)
		return
	}
	m.contexts.charms.set(id, namesOf(now.Charm))
	for app := range m.Apps() { // rows are loaded in any order
		if app.Charm == id {
			m.contexts.config.set(string(app.Name), m.EffectiveConfig(app))
		}
	}
}

func namesOf(c charm.Charm) charmNames {
	var n charmNames
	for name := range c.Config { // any order: sorted below
		n.options = append(n.options, name)
	}
	slices.Sort(n.options)
	for _, e := range c.Meta.Endpoints() {
		n.bindings = append(n.bindings, string(e.Name))
	}
	n.bindings = append(n.bindings, c.Meta.ExtraBindings...)
	if !slices.Contains(n.bindings, charm.JujuInfo) {
		n.bindings = append(n.bindings, charm.JujuInfo)
	}
	slices.Sort(n.bindings)
	return n
}

func (m *Model) charmNames(c *CharmInfo) (options, bindings []string) {
	n, _ := m.contexts.charms.get(c.ID)
	return n.options, n.bindings
}

// contextsAreRight reports whether the index says of a unit what a walk through its relations says.
func (m *Model) contextsAreRight(u kith.UnitName) bool {
	got := m.contexts.of(u)
	for r := range m.RelationsOf(u.App()) {
		want := m.relationContext(r, u)
		if want == nil {
			continue
		}
		have := m.contexts.find(u, r.ID)
		if have == nil || !have.equal(want) {
			return false
		}
		got = slices.DeleteFunc(slices.Clone(got), func(c *RelationContext) bool { return c == have })
	}
	return len(got) == 0
}

// configIsRight reports whether the index has an application's configuration.
func (m *Model) configIsRight(app *App) bool {
	return reflect.DeepEqual(map[string]any(m.contexts.configOf(app.Name)), m.EffectiveConfig(app))
}

func (c *RelationContext) equal(o *RelationContext) bool {
	a, b := *c, *o
	a.Members, b.Members = nil, nil
	return slices.Equal(c.Members, o.Members) && strings.Compare(a.Key, b.Key) == 0 && a.ID == b.ID && a.Endpoint == b.Endpoint &&
		a.RemoteApp == b.RemoteApp && a.Role == b.Role && a.Scope == b.Scope && a.Life == b.Life && a.Suspended == b.Suspended
}
