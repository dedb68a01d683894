package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// Every command's name in the table is its op's own, and its zero value's JSON is read back.
func TestCommandsAreTheirOps(t *testing.T) {
	t.Parallel()
	for _, c := range Commands() {
		body, err := json.Marshal(c.Body)
		if err != nil {
			t.Fatal(err)
		}
		op, audience, err := DecodeOp(c.Name, body)
		if err != nil || op.Name() != c.Name || audience != c.Audience || c.Summary == "" {
			t.Errorf("%s: %v, %v", c.Name, op, err)
		}
	}
	for body, code := range map[string]kith.Code{`{"app":"web","uints":1}`: kith.Invalid, `[`: kith.Invalid, ``: kith.Invalid} {
		if _, _, err := DecodeOp("deploy", []byte(body)); kith.CodeOf(err) != code {
			t.Errorf("%q: %v", body, err)
		}
	}
	for _, name := range []string{"tick", "elect", "enter-scopes", "create-model", "renew-leases", "remove-dead-unit", "host-hello", "nosuch"} {
		if _, _, err := DecodeOp(name, []byte("{}")); kith.CodeOf(err) != kith.NotFound {
			t.Errorf("%s can be posted: %v", name, err)
		}
	}
}

func TestNatural(t *testing.T) {
	t.Parallel()
	got := []string{"web/10", "web/2", "db/0", "web2/0", "web/2a", "web", "a10b2", "a10b10", "a9"}
	slices.SortFunc(got, Natural)
	want := []string{"a9", "a10b2", "a10b10", "db/0", "web", "web/2", "web/2a", "web/10", "web2/0"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

// The filters of debug-log (CLI reference, section 10.1).
func TestLogFilter(t *testing.T) {
	t.Parallel()
	rec := func(entity, module string, level Level) LogRecord {
		return LogRecord{Entity: entity, Module: module, Level: level}
	}
	mysql := rec("unit-mysql-0", "unit.mysql/0.juju-log", LevelInfo)
	for _, c := range []struct {
		name string
		f    LogFilter
		r    LogRecord
		want bool
	}{
		{"everything", LogFilter{}, mysql, true},
		{"by unit", LogFilter{Include: []string{"mysql/0"}}, mysql, true},
		{"by tag", LogFilter{Include: []string{"unit-mysql-0"}}, mysql, true},
		{"by application", LogFilter{Include: []string{"mysql"}}, mysql, true},
		{"not by a part of the application", LogFilter{Include: []string{"my"}}, mysql, false},
		{"by wildcard", LogFilter{Include: []string{"unit-mysql-*"}}, mysql, true},
		{"by wildcard of units", LogFilter{Include: []string{"mysql/*"}}, mysql, true},
		{"by another unit", LogFilter{Include: []string{"mysql/1"}}, mysql, false},
		{"a machine by number", LogFilter{Include: []string{"0"}}, rec("machine-0", "x", LevelInfo), true},
		{"a machine by tag", LogFilter{Include: []string{"machine-0"}}, rec("machine-0", "x", LevelInfo), true},
		{"one of several", LogFilter{Include: []string{"web", "mysql"}}, mysql, true},
		{"excluded", LogFilter{Exclude: []string{"mysql"}}, mysql, false},
		{"excluded though included", LogFilter{Include: []string{"mysql"}, Exclude: []string{"mysql/0"}}, mysql, false},
		{"by module", LogFilter{IncludeModule: []string{"unit.mysql/0"}}, mysql, true},
		{"not by half a module", LogFilter{IncludeModule: []string{"unit.my"}}, mysql, false},
		{"module excluded", LogFilter{ExcludeModule: []string{"unit"}}, mysql, false},
		{"level", LogFilter{Level: LevelInfo}, mysql, true},
		{"level too low", LogFilter{Level: LevelWarning}, mysql, false},
	} {
		if got := c.f.Match(c.r); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	for text, want := range map[string]Level{"debug": LevelDebug, "WARNING": LevelWarning, "warn": LevelWarning} {
		if got, err := ParseLevel(text); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil || !strings.Contains(err.Error(), `level value "loud" is not one of "TRACE", "DEBUG", "INFO", "WARNING", "ERROR"`) {
		t.Errorf("loud: %v", err)
	}
}

var start = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// The moments in a unit's life (CLI reference, section 5.1, last tables; hook protocol reference, section 3.9).
func TestUnitStatus(t *testing.T) {
	t.Parallel()
	hook := func(kind core.HookKind) core.Hook { return core.Hook{Kind: kind} }
	joined := core.Hook{Kind: core.RelationJoined, Relation: &core.RelationHook{ID: 3, Endpoint: "db", RemoteApp: "pg", RemoteUnit: "pg/0"}}
	secret := func(kind core.HookKind) core.Hook {
		return core.Hook{Kind: kind, Secret: &core.SecretHook{ID: "9m4e2mr0ui3e8a215n4g", Revision: 7}}
	}
	unit := core.Unit{Name: "web/0", App: "web", Life: kith.Alive, Present: true, Created: start, Workload: core.Status{Current: kith.Active, Message: "ready"}}
	m := &core.Model{}
	core.Apply(m, core.Put(&core.Relation{ID: 3, Ends: []core.End{
		{App: "web", Endpoint: "db", Role: kith.Requirer}, {App: "pg", Endpoint: "database", Role: kith.Provider}}}))
	for _, c := range []struct {
		name     string
		absent   bool
		progress core.Progress
		workload string
		agent    string
	}{
		{"just created", true, core.Progress{}, "active: ready", "allocating: "},
		{"taken up", false, core.Progress{}, "active: ready", "allocating: "},
		{"installing", false, core.Progress{Running: &core.Running{Hook: hook(core.Install)}}, "active: ready", "executing: running install hook"},
		{"idle", false, core.Progress{Seq: 4}, "active: ready", "idle: "},
		{"joining", false, core.Progress{Seq: 4, Running: &core.Running{Hook: joined}}, "active: ready", "executing: running db-relation-joined hook for pg/0"},
		{"created", false, core.Progress{Seq: 4, Running: &core.Running{Hook: core.Hook{Kind: core.RelationCreated,
			Relation: &core.RelationHook{ID: 3, Endpoint: "db", RemoteApp: "pg"}}}}, "active: ready", "executing: running db-relation-created hook"},
		{"reading a secret", false, core.Progress{Seq: 4, Running: &core.Running{Hook: secret(core.SecretChanged)}},
			"active: ready", "executing: running secret-changed hook for secret:9m4e2mr0ui3e8a215n4g"},
		{"rotating", false, core.Progress{Seq: 4, Running: &core.Running{Hook: secret(core.SecretRotate)}},
			"active: ready", "executing: running secret-rotate hook for secret:9m4e2mr0ui3e8a215n4g"},
		{"removing a revision", false, core.Progress{Seq: 4, Running: &core.Running{Hook: secret(core.SecretRemove)}},
			"active: ready", "executing: running secret-remove hook for secret:9m4e2mr0ui3e8a215n4g/7"},
		{"an expired revision", false, core.Progress{Seq: 4, Running: &core.Running{Hook: secret(core.SecretExpired)}},
			"active: ready", "executing: running secret-expired hook for secret:9m4e2mr0ui3e8a215n4g/7"},
		{"update-status is not shown", false, core.Progress{Seq: 4, Running: &core.Running{Hook: hook(core.UpdateStatus)}}, "active: ready", "idle: "},
		{"failed", false, core.Progress{Seq: 4, Failed: &core.Failure{Hook: hook(core.ConfigChanged)}}, `error: hook failed: "config-changed"`, "idle: "},
		{"install failed", false, core.Progress{Failed: &core.Failure{Hook: hook(core.Install)}}, `error: hook failed: "install"`, "idle: "},
		{"failed in a relation", false, core.Progress{Seq: 4, Failed: &core.Failure{Hook: joined}},
			`error: hook failed: "db-relation-joined" for pg:database`, "idle: "},
		{"failed and retried", false, core.Progress{Seq: 4, Failed: &core.Failure{Hook: joined}, Running: &core.Running{Hook: joined}},
			"active: ready", "executing: running db-relation-joined hook for pg/0"},
	} {
		u := unit
		u.Present = !c.absent
		w, a := WorkloadStatus(m, &u, &c.progress), AgentStatus(&u, &c.progress)
		if got := string(w.Current) + ": " + w.Message; got != c.workload {
			t.Errorf("%s: workload %q, want %q", c.name, got, c.workload)
		}
		if got := string(a.Current) + ": " + a.Message; got != c.agent {
			t.Errorf("%s: agent %q, want %q", c.name, got, c.agent)
		}
	}
}

// "Status data carries what applies" (hook protocol reference, section 3.4).
func TestFailureData(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]core.Hook{
		`{"hook":"install"}`: {Kind: core.Install},
		`{"hook":"db-relation-created","relation-id":3}`: {Kind: core.RelationCreated,
			Relation: &core.RelationHook{ID: 3, Endpoint: "db", RemoteApp: "pg"}},
		`{"hook":"db-relation-changed","relation-id":0,"remote-unit":"pg/1"}`: {Kind: core.RelationChanged,
			Relation: &core.RelationHook{Endpoint: "db", RemoteApp: "pg", RemoteUnit: "pg/1"}},
		`{"hook":"secret-changed","secret-uri":"secret:9m4e2mr0ui3e8a215n4g"}`: {Kind: core.SecretChanged,
			Secret: &core.SecretHook{ID: "9m4e2mr0ui3e8a215n4g", Revision: 2}},
		`{"hook":"secret-rotate","secret-label":"tls","secret-uri":"secret:9m4e2mr0ui3e8a215n4g"}`: {Kind: core.SecretRotate,
			Secret: &core.SecretHook{ID: "9m4e2mr0ui3e8a215n4g", Label: "tls", Revision: 2}},
	} {
		got, err := json.Marshal(FailureData(h))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", h.Name(), got, err, want)
		}
	}
}

// An application's status is what its leader set, or that of the unit that is
// worst off (CLI reference, section 5.1).
func TestAppStatus(t *testing.T) {
	t.Parallel()
	units := func(statuses ...kith.Status) (out []UnitStatus) {
		for _, s := range statuses {
			out = append(out, UnitStatus{Workload: core.Status{Current: s, Message: string(s) + "!"}})
		}
		return out
	}
	for _, c := range []struct {
		own   kith.Status
		units []UnitStatus
		want  string
	}{
		{"", nil, "unknown "},
		{"", units(kith.Waiting), "waiting waiting!"},
		{"", units(kith.Unknown, kith.Terminated, kith.Active), "active active!"},
		{"", units(kith.Active, kith.Waiting, kith.Maintenance), "maintenance maintenance!"},
		{"", units(kith.Maintenance, kith.Blocked), "blocked blocked!"},
		{"", units(kith.Errored, kith.Blocked), "error error!"},
		{kith.Active, units(kith.Errored), "active "},
	} {
		got := AppStatusOf(&core.App{Status: core.Status{Current: c.own}}, c.units)
		if s := string(got.Current) + " " + got.Message; s != c.want {
			t.Errorf("%s %v: %q, want %q", c.own, c.units, s, c.want)
		}
	}
}

// small is a model with a web application related to a database, and a
// subordinate on the web unit, made by the real rules.
func small(t *testing.T) *core.Model {
	t.Helper()
	rel := func(name string, role kith.Role, iface string, scope kith.Scope) map[string]charm.Relation {
		return map[string]charm.Relation{name: {Name: kith.EndpointName(name), Role: role, Interface: iface, Scope: scope}}
	}
	charms := map[string]charm.Charm{
		"web": {Meta: charm.Meta{Name: "web", Requires: rel("db", kith.Requirer, "pg", kith.Global)},
			Config: map[string]charm.Option{"port": {Type: charm.IntOption, Default: int64(80)}, "name": {Type: charm.StringOption}}},
		"pg":  {Meta: charm.Meta{Name: "pg", Provides: rel("database", kith.Provider, "pg", kith.Global), Peers: rel("peers", kith.Peer, "pg_peers", kith.Global)}},
		"log": {Meta: charm.Meta{Name: "log", Subordinate: true, Requires: rel("host", kith.Requirer, "juju-info", kith.Container)}},
	}
	m := &core.Model{}
	admin := core.Actor{Kind: core.ActorUser, Name: "admin"}
	do := func(actor core.Actor, op core.Op) {
		t.Helper()
		if _, _, err := core.Commit(m, core.Command{Now: start, Actor: actor, Op: op}); err != nil {
			t.Fatalf("%s: %v", op.Name(), err)
		}
	}
	do(admin, core.CreateModel{UUID: "11111111-2222-4333-8444-555555555555", ModelName: "prod", Owner: "admin"})
	for _, name := range []string{"log", "pg", "web"} {
		do(admin, core.AddCharm{ID: name, Charm: charms[name]})
		units := 1
		if name == "log" {
			units = 0
		}
		do(admin, core.Deploy{App: kith.AppName(name), Charm: name, Units: units})
	}
	do(admin, core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "pg"}})
	do(admin, core.Integrate{A: kith.Endpoint{App: "log"}, B: kith.Endpoint{App: "web"}})
	do(core.System, core.HostHello{Host: "local", Epoch: "e1"})
	for _, u := range []kith.UnitName{"web/0", "pg/0"} {
		do(core.System, core.UnitHello{Unit: u})
		do(core.UnitActor(u), core.CommitHook{Unit: u, Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: string(u.App())}})
	}
	for r := range m.Relations() {
		for _, end := range r.Ends {
			if m.Unit(kith.UnitOf(end.App, 0)) != nil {
				do(core.System, core.EnterScopes{Unit: kith.UnitOf(end.App, 0), Relations: []kith.RelationID{r.ID}})
			}
		}
	}
	return m
}

// Status as a whole: subordinates, relations both ways, leaders, machines.
func TestStatusOf(t *testing.T) {
	t.Parallel()
	m := small(t)
	s := StatusOf(m, start)
	var apps, units []string
	for _, a := range s.Apps {
		apps = append(apps, string(a.Name))
	}
	for _, u := range s.Units {
		units = append(units, string(u.Name))
	}
	if strings.Join(apps, " ") != "log pg web" || strings.Join(units, " ") != "log/0 pg/0 web/0" {
		t.Fatalf("apps %v, units %v", apps, units)
	}
	log, web := s.Apps[0], s.Apps[2]
	if !slices.Equal(log.SubordinateTo, []kith.AppName{"web"}) || !log.Subordinate {
		t.Errorf("log: %+v", log)
	}
	want := []AppRelation{{"db", "pg", "pg", kith.Global}, {"juju-info", "log", "juju-info", kith.Container}}
	if !slices.Equal(web.Relations, want) {
		t.Errorf("web is related to %+v", web.Relations)
	}
	if u := s.UnitOf("web/0"); !u.Leader || u.Machine == "" || !slices.Equal(u.Subordinates, []kith.UnitName{"log/0"}) {
		t.Errorf("web/0: %+v", u)
	}
	if u := s.UnitOf("log/0"); u.Machine != "" || u.Principal != "web/0" {
		t.Errorf("log/0: %+v", u)
	}
	var types []string
	for _, r := range s.Relations {
		types = append(types, r.Provider.String()+" "+r.Requirer.String()+" "+r.Type)
	}
	if got := strings.Join(types, "; "); got != "pg:database web:db regular; pg:peers pg:peers peer; web:juju-info log:host subordinate" {
		t.Errorf("relations: %s", got)
	}
	if len(s.Machines) != 2 || s.Machines[0].Agent.Current != Started || len(s.Machines[0].Addresses) != 1 {
		t.Errorf("machines: %+v", s.Machines)
	}
	s.MarkLost("local", start, m)
	if u := s.UnitOf("web/0"); u.Agent.Current != Lost || u.Workload.Message != "agent lost, see 'juju show-status-log web/0'" || s.Machines[0].Agent.Current != Down {
		t.Errorf("lost: %+v", u)
	}
}

// show-unit has both sides' data (CLI reference, section 5.3).
func TestShowUnit(t *testing.T) {
	t.Parallel()
	m := small(t)
	u, ok := ShowUnitOf(m, "web/0")
	if !ok || u.Charm != "local:web-0" || len(u.Relations) != 2 {
		t.Fatalf("%+v", u)
	}
	db := u.Relations[0]
	if db.Endpoint != "db" || db.RelatedEndpoint != "database" || !db.Local.InScope || len(db.Related) != 1 || db.Related[0].Unit != "pg/0" ||
		db.Related[0].Data["private-address"] == "" || db.Local.Data["ingress-address"] == "" {
		t.Errorf("%+v", db)
	}
	if _, ok := ShowUnitOf(m, "web/9"); ok {
		t.Error("a unit that is not there is shown")
	}
}

// Where an option's value comes from (CLI reference, section 5.6).
func TestAppConfig(t *testing.T) {
	t.Parallel()
	m := small(t)
	option := func(set map[string]any, name string) AppOption {
		t.Helper()
		a := *m.App("web")
		a.Config = set
		core.Apply(m, core.Put(&a))
		c, ok := AppConfigOf(m, "web")
		if !ok || len(c.Options) != 2 || c.Options[0].Name != "name" {
			t.Fatalf("%+v", c)
		}
		return c.Options[slices.IndexFunc(c.Options, func(o AppOption) bool { return o.Name == name })]
	}
	for _, c := range []struct {
		set    map[string]any
		name   string
		source string
		value  any
	}{
		{nil, "port", "default", int64(80)},
		{map[string]any{"port": int64(8080)}, "port", "user", int64(8080)},
		{map[string]any{"port": int64(80)}, "port", "default", int64(80)}, // equal to the default
		{nil, "name", "unset", nil},
		{map[string]any{"name": ""}, "name", "user", ""},
	} {
		if o := option(c.set, c.name); o.Source != c.source || o.Value != c.value {
			t.Errorf("%v: %+v", c.set, o)
		}
	}
}

// goal-state (hook protocol reference, section 10.4): own units, remote
// applications and units by local endpoint, peers left out.
func TestGoalState(t *testing.T) {
	t.Parallel()
	g, ok := GoalStateOf(small(t), "web/0")
	if !ok || len(g.Units) != 1 || len(g.Relations) != 2 {
		t.Fatalf("%+v", g)
	}
	if db := g.Relations["db"]; len(db) != 2 || db["pg"].Status == "" || db["pg/0"].Status == "" {
		t.Errorf("db: %+v", db)
	}
	if g, _ := GoalStateOf(small(t), "pg/0"); g.Relations["peers"] != nil {
		t.Errorf("a peer relation is there: %+v", g)
	}
}
