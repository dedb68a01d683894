package sim

import (
	"kith"
	"kith/charm"
	"kith/internal/core"
)

// The cast: charms with every kind of endpoint. The second of a name is what
// refresh goes to; it adds, drops and limits endpoints.
//
//	database   serves sql; its units are peers
//	web        wants sql, one at most; serves http; offers a container endpoint; has peers
//	cache      wants sql and http; has no peers
//	logger     subordinate, to anything by juju-info or to web's own endpoint; wants sql too

// database keeps its data in storage, and more of it after a refresh; web may have any number of caches; cache
// is given a spool by its refresh, and logger a scratch to each unit. database and web have a resource.

// charmIDs are the identifiers of the cast's charms: application → its charm's revisions.
type castCharm struct {
	id    string
	charm charm.Charm
}

func relation(name, iface string, role kith.Role, scope kith.Scope, limit int) charm.Relation {
	return charm.Relation{Name: kith.EndpointName(name), Interface: iface, Role: role, Scope: scope, Limit: limit}
}

func provides(name, iface string) charm.Relation {
	return relation(name, iface, kith.Provider, kith.Global, 0)
}

func requires(name, iface string) charm.Relation {
	return relation(name, iface, kith.Requirer, kith.Global, 0)
}

func peers(name string) charm.Relation { return relation(name, name, kith.Peer, kith.Global, 0) }

func build(id, name string, subordinate bool, endpoints ...charm.Relation) castCharm {
	c := charm.Charm{
		Meta: charm.Meta{Name: name, Subordinate: subordinate, Provides: map[string]charm.Relation{},
			Requires: map[string]charm.Relation{}, Peers: map[string]charm.Relation{}},
		Config: map[string]charm.Option{"x": {Type: charm.StringOption}},
		Actions: map[string]charm.Action{"work": {Title: "work"}, id: {Title: id}, "free": {Title: "free", Parallel: true},
			"io": {Title: "io", Parallel: true, ExecutionGroup: "io"}},
	}
	for _, e := range endpoints {
		switch e.Role {
		case kith.Provider:
			c.Meta.Provides[string(e.Name)] = e
		case kith.Requirer:
			c.Meta.Requires[string(e.Name)] = e
		case kith.Peer:
			c.Meta.Peers[string(e.Name)] = e
		}
	}
	return castCharm{id, c}
}

// stores adds a storage to a charm; of a max below zero there may be any number.
func (c castCharm) stores(name string, least, most int) castCharm {
	if c.charm.Meta.Storage == nil {
		c.charm.Meta.Storage = map[string]charm.Storage{}
	}
	c.charm.Meta.Storage[name] = charm.Storage{Name: name, Type: core.FilesystemStorage, CountMin: least, CountMax: most}
	return c
}

// wants adds a resource, which is a file.
func (c castCharm) wants(name string) castCharm {
	c.charm.Meta.Resources = map[string]charm.Resource{name: {Name: name, Type: charm.FileResource, Filename: name}}
	return c
}

// storesOf are the names of the storage of an application's charms; never none.
func storesOf(app kith.AppName) []string {
	switch app {
	case "web":
		return []string{"files"}
	case "cache":
		return []string{"spool"}
	case "logger":
		return []string{"scratch"}
	}
	return []string{"data", "logs"}
}

// cast lists the charms, each name's first revision before its second.
func cast() []castCharm {
	container := func(name, iface string, role kith.Role) charm.Relation {
		return relation(name, iface, role, kith.Container, 0)
	}
	one := requires("db", "sql")
	one.Limit = 1
	return []castCharm{
		build("database-1", "database", false, provides("server", "sql"), peers("cluster")).stores("data", 1, 3).wants("seed"),
		build("database-2", "database", false, provides("server", "sql"), peers("cluster"), peers("backup"), provides("metrics", "scrape")).
			stores("data", 1, 3).stores("logs", 0, 1).wants("seed"),
		build("web-1", "web", false, one, provides("site", "http"), container("log", "log", kith.Provider), peers("ring")).
			stores("files", 0, -1).wants("site"),
		build("web-2", "web", false, requires("db", "sql"), provides("site", "http"), container("log", "log", kith.Provider)).
			stores("files", 0, -1).wants("site"),
		build("cache-1", "cache", false, requires("db", "sql"), requires("upstream", "http")),
		build("cache-2", "cache", false, requires("db", "sql"), requires("upstream", "http"), requires("target", "scrape"), peers("mesh")).
			stores("spool", 1, 2),
		build("logger-1", "logger", true, container("info", charm.JujuInfo, kith.Requirer), container("log", "log", kith.Requirer), requires("sink", "sql")).
			stores("scratch", 1, 1),
		build("logger-2", "logger", true, container("info", charm.JujuInfo, kith.Requirer), container("log", "log", kith.Requirer), requires("sink", "sql"), peers("pack")).
			stores("scratch", 1, 1),
	}
}

// castApp is an application the operator may deploy.
type castApp struct {
	name  kith.AppName
	charm string // without its revision
}

// apps are the applications. Two run the same charm, so that one endpoint can have several relations.
func apps() []castApp {
	return []castApp{{"db", "database"}, {"web", "web"}, {"cache", "cache"}, {"logger", "logger"}, {"dba", "database"}}
}

// sound is how many of the pairs, from the first, can be integrated.
const sound = 12

// fitting lists the sound pairs whose applications are there.
func fitting(here func(kith.AppName) bool) [][2]string {
	var all [][2]string
	for _, p := range pairs()[:sound] {
		if e := ends(p); here(e[0].App) && here(e[1].App) {
			all = append(all, p)
		}
	}
	return all
}

// pairs are what the operator integrates: most fit, some need a choice, some are nonsense.
func pairs() [][2]string {
	return [][2]string{
		{"web:db", "db:server"}, {"cache:db", "db:server"}, {"web:db", "dba:server"}, {"cache", "dba"},
		{"cache:upstream", "web:site"}, {"logger:info", "db"}, {"logger:info", "web"}, {"logger:log", "web:log"},
		{"logger", "web"}, {"logger:sink", "db:server"}, {"logger:info", "cache"}, {"cache:target", "db:metrics"},
		{"db", "dba"}, {"web", "web"}, {"web:ring", "web:ring"}, {"nobody", "db"}, {"web:nothing", "db"},
	}
}
