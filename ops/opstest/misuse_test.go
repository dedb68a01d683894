package opstest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

// A mistake is a call that has to be refused, and what the author of the test is told: the
// message, and the hint after a semicolon.
type mistake struct {
	name string
	do   func()
	want string
}

// refuse makes mistakes, each of which is refused with its message and changes nothing.
func refuse(t *testing.T, try func(func()) error, state func() string, all []mistake) {
	t.Helper()
	for _, m := range all {
		before := state()
		err := try(m.do)
		got := fmt.Sprint(err)
		if hint := kith.HintOf(err); hint != "" {
			got += "; " + hint
		}
		if got != m.want {
			t.Errorf("%s: got\n  %s\nwant\n  %s", m.name, got, m.want)
		}
		if code := kith.CodeOf(err); err != nil && code == kith.Internal {
			t.Errorf("%s: code %s", m.name, code)
		}
		if after := state(); after != before {
			t.Errorf("%s: it happened: %s, and before %s", m.name, after, before)
		}
	}
}

// What a test asks for in a wrong way is said to the one who wrote it, before anything happens.
func TestHarnessMisuse(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newWeb, opstest.YAML(webYAML))
	id := h.AddRelation("db", "pg", opstest.AppData(nil)) // nothing to write, and the unit
	state := func() string {
		return fmt.Sprint(h.RelationUnits(id), h.GetRelationData(id, "pg/0"), h.Secrets(), h.IsLeader(), h.Now())
	}
	const relations = "there are 0 web:cluster, 1 web:db pg:db"
	const name = "use lower-case letters, digits and single dashes; every part between dashes needs a letter"
	refuse(t, h.Try, state, []mistake{
		{"the charm before it was made", func() { opstest.CharmOf[*web](h) },
			"there is no charm to look at: it has had no event yet; BeginWithInitialHooks runs the first events"},
		{"a hook before Begin", h.UpdateStatus, "cannot run update-status: the harness has not begun; call Begin or BeginWithInitialHooks first"},
		{"an action before Begin", func() { h.RunAction("backup", nil) },
			`cannot run action "backup": the harness has not begun; call Begin or BeginWithInitialHooks first`},
		{"removal before Begin", h.Remove, "cannot remove the unit: the harness has not begun; call Begin or BeginWithInitialHooks first"},
		{"Retry before Begin", h.Retry, `unit "web/0" is not in an error state`},
		{"Skip before Begin", h.Skip, `unit "web/0" is not in an error state`},
		{"EnableHooks alone", h.EnableHooks, "cannot enable hooks: they are not disabled"},

		{"an option that is not there", func() { h.UpdateConfig(map[string]any{"nope": 1}) }, `unknown option "nope"; charm "web" has these options: mode, port`},
		{"an option of another type", func() { h.UpdateConfig(map[string]any{"port": "x"}) }, `option "port" expected int, got "x"; the value must be a whole number`},
		{"an option of no type", func() { h.UpdateConfig(map[string]any{"port": []int{1}}) },
			`option "port" expected int, got []int{1}; the value must be a whole number`},
		{"a reset of what is not there", func() { h.UpdateConfig(nil, "nope") }, `unknown option "nope"`},

		{"an endpoint", func() { h.AddRelation("nope", "x") }, `charm "web" has no endpoint "nope"; the metadata of the charm has to name it`},
		{"a remote application's name", func() { h.AddRelation("db", "X") }, `invalid application name "X", unexpected uppercase character; ` + name},
		{"a unit for an application", func() { h.AddRelation("db", "pg/0") }, `invalid application name "pg/0", unexpected character /; ` + name},
		{"a relation with itself", func() { h.AddRelation("db", "web") },
			`cannot relate endpoint "db" with application "web": it is the one under test; name the other side; a Model has applications that are related to themselves`},
		{"peers of others", func() { h.AddRelation("cluster", "pg") },
			`cannot relate peer endpoint "cluster" with application "pg": it is among the units of "web"; name "web", and its relation is returned`},
		{"a relation twice", func() { h.AddRelation("db", "pg") }, `cannot add relation "web:db pg:db": relation web:db pg:db; already exists`},

		{"a unit in no relation", func() { h.AddRelationUnit(99, "pg/0") }, "relation 99 not found; " + relations},
		{"a unit's name", func() { h.AddRelationUnit(id, "pg") }, `invalid unit name "pg"; a unit is APPLICATION/NUMBER, such as web/0`},
		{"a unit that is there", func() { h.AddRelationUnit(id, "pg/0") },
			`cannot add unit "pg/0" to relation 1: it is in it already; AppData and UnitData at AddRelation bring a unit with them`},
		{"a unit of another application", func() { h.AddRelationUnit(id, "foo/0") },
			`cannot add unit "foo/0" to relation 1: it is not of the remote application; the relation is web:db pg:db`},
		{"the unit under test", func() { h.AddRelationUnit(id, "web/0") },
			`cannot add unit "web/0" to relation 1: it is the one under test; it enters its relations by itself, after Begin`},
		{"a great number", func() { h.AddRelationUnit(id, "pg/100000") },
			`cannot add unit "pg/100000": 99999 others of "pg" would have to come before it; numbers begin with 0, and at most 10000 units are added at a time`},

		{"data of no relation", func() { h.UpdateRelationData(-1, "pg", nil) }, "relation -1 not found; " + relations},
		{"data of a stranger", func() { h.UpdateRelationData(id, "foo", nil) }, `cannot write data of "foo" in relation 1: it is between web:db pg:db`},
		{"data of no unit", func() { h.UpdateRelationData(id, "pg/x", nil) }, `invalid unit name "pg/x"; a unit is APPLICATION/NUMBER, such as web/0`},
		{"data of a unit elsewhere", func() { h.UpdateRelationData(id, "pg/5", nil) },
			`cannot write data of unit "pg/5": it is not in relation 1; in it are pg/0; AddRelationUnit adds others`},
		{"data that is no text", func() { h.UpdateRelationData(id, "pg/0", map[string]string{"a": "\xff"}) },
			`cannot write data of "pg/0": key "a" has bytes that are no UTF-8 text; encode them, in base64 for instance: hook tools take text`},
		{"a look at no relation", func() { h.GetRelationData(99, "pg") }, "relation 99 not found; " + relations},

		{"removal from no relation", func() { h.RemoveRelationUnit(99, "pg/0") }, "relation 99 not found; " + relations},
		{"removal of nobody", func() { h.RemoveRelationUnit(id, "pg/8") }, `cannot remove unit "pg/8": it is not in relation 1; in it are pg/0`},
		{"removal of the unit under test", func() { h.RemoveRelationUnit(id, "web/0") },
			`cannot remove unit "web/0" from relation 1: it is the one under test; Remove takes it out of the model, and RemoveRelation ends the relation`},
		{"removal of no relation", func() { h.RemoveRelation(99) }, "relation 99 not found"},
		{"removal of peers", func() { h.RemoveRelation(0) },
			`cannot destroy relation "web:cluster": is a peer relation; peer relations go with their application`},

		{"no planned units", func() { h.SetPlannedUnits(0) }, `cannot plan 0 units of "web": the one under test is one of them`},
		{"a model's name, late", func() { h.SetModel("late") }, "cannot name the model: it exists already; call SetModel first"},
		{"the clock", func() { h.Advance(-time.Second) }, "cannot turn the clock back by 1s"},
		{"no charm", func() { h.Upgrade(nil) }, "there is no charm: it is nil; NewCharm and Folder make charms"},
		{"a contract that is not there", func() { h.AddContract("nope") }, `cannot read contract "nope": lstat nope: no such file or directory`},

		{"storage that is not there", func() { h.AddStorage("x", 1) }, `charm storage "x" not found; charm "web" declares none`},
		{"no storage", func() { h.AddStorage("x", 0) }, `cannot add 0 instances of storage "x"`},
		{"a folder of no storage", func() { h.StorageDir("x/0") }, `storage "x/0" not found`},
		{"no storage to attach", func() { h.AttachStorage("x/0") }, `storage "x/0" not found`},
		{"no storage to detach", func() { h.DetachStorage("x/0") }, `storage "x/0" not found`},
		{"no storage to remove", func() { h.RemoveStorage("x/0") }, `storage "x/0" not found`},
		{"a resource", func() { h.AddResource("x", nil) }, `unrecognized resource "x"; charm "web" declares none`},
	})
}

// Secrets are refused with the words that the tools and the operator's commands have.
func TestSecretMisuse(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newWeb, opstest.YAML(webYAML))
	id, content := h.AddRelation("db", "pg"), map[string]string{"password": "p"}
	h.AddRelation("logs", "pg")
	h.AddRelationUnit(id, "pg/0")
	theirs, user := h.AddModelSecret(id, "pg", content), h.AddUserSecret("known", content)
	const nobodys = "secret:d2fjn1fmp25004or68b0"
	refuse(t, h.Try, func() string {
		return fmt.Sprint(h.SecretGrants(user), h.SecretRevisions(user), h.SecretGrants(theirs))
	}, []mistake{
		{"no content", func() { h.AddUserSecret("s", nil) }, "empty secret value not valid"},
		{"a key", func() { h.AddUserSecret("s", map[string]string{"A": "b"}) },
			`key "A" not valid; a key has three characters at least: lower-case letters, digits and dashes, beginning with a letter`},
		{"a name twice", func() { h.AddUserSecret("known", content) }, `secret with name "known" already exists`},
		{"no name of a secret", func() { h.GrantSecret("bla") }, `secret URI "bla" not valid; a secret is named secret:ID, with an ID of 20 lower-case letters and digits`},
		{"nobody's secret", func() { h.GrantSecret(nobodys) }, `secret "` + nobodys + `" not found`},
		{"one of two relations", func() { h.GrantSecret(theirs) },
			`cannot tell over which relation: "web" and "pg" have 2; name the relation: there are 0 web:cluster, 1 web:db pg:db, 2 web:logs pg:logs`},
		{"new content that is none", func() { h.SetSecretContent(user, nil) }, fmt.Sprintf("cannot set the content of secret %q: it is empty", user)},
		{"a secret in no relation", func() { h.AddModelSecret(99, "pg", content) },
			"relation 99 not found; there are 0 web:cluster, 1 web:db pg:db, 2 web:logs pg:logs"},
		{"a secret of nobody", func() { h.AddModelSecret(id, "foo/0", content) }, `cannot write a secret of "foo/0": it is no unit that stands in for others`},
		{"a secret of the unit under test", func() { h.AddModelSecret(id, "web/0", content) }, `cannot write a secret of "web/0": it is no unit that stands in for others`},
		{"a reader that is nobody", func() { h.ReadSecret(user, "foo/0") }, `cannot read a secret as "foo/0": it is no unit that stands in for others`},
	})
	h.RemoveSecret(user)
	if err := h.Try(func() { h.RemoveSecret(user) }); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("a secret was removed twice: %v", err)
	}
}

func TestModelMisuse(t *testing.T) {
	t.Parallel()
	m := newPair(t)
	store, sub := opstest.NewCharm(newStore, opstest.YAML(storeYAML)), opstest.NewCharm(newNothing, opstest.YAML(besideYAML))
	m.Deploy("store", store)
	m.Deploy("beside", sub)
	rel := m.Integrate("web:db", "pg")
	m.Settle()
	refuse(t, m.Try, func() string { return m.Status() + fmt.Sprint(rel.Units(), rel.Bag("pg"), rel.Exists(), m.Now()) }, []mistake{
		{"no charm", func() { m.Deploy("x", nil) }, "there is no charm: it is nil; NewCharm and Folder make charms"},
		{"a name", func() { m.Deploy("a/b", store) },
			`invalid application name "a/b", unexpected character /; use lower-case letters, digits and single dashes; every part between dashes needs a letter`},
		{"a number of units", func() { m.Deploy("x", store, opstest.Units(-1)) }, `cannot deploy -1 units of "x"; from 0 to 10000`},
		{"units of a subordinate", func() { m.Deploy("x", sub, opstest.Units(2)) },
			`cannot deploy 2 units of subordinate "x": it has one for each unit of its principal; leave Units out, and Integrate it`},
		{"storage that is not there", func() { m.Deploy("x", store, opstest.Storage("nope", 1)) }, `cannot add application "x": charm "store" has no store called "nope"`},
		{"no charm any more", func() { m.Refresh("web", nil) }, "there is no charm: it is nil; NewCharm and Folder make charms"},
		{"a charm for nobody", func() { m.Refresh("nope", store) }, `application "nope" not found`},
		{"no units", func() { m.AddUnit("web", 0) }, `cannot add 0 units to "web"; from 1 to 10000 at a time`},
		{"one more of a subordinate", func() { m.AddUnit("beside", 1) },
			`cannot add unit 1/1 to application "beside": cannot add unit to application "beside": application is a subordinate; integrate it with a principal application; each of its units gets one`},
		{"a unit that is not there", func() { m.RemoveUnit("web/9") }, `unit "web/9" does not exist`},
		{"an application that is not there", func() { m.RemoveApplication("nope") }, `application "nope" not found`},
		{"an endpoint's form", func() { m.Integrate("web:", "pg") }, `endpoint "web:" not valid; an endpoint is APPLICATION or APPLICATION:ENDPOINT`},
		{"an endpoint", func() { m.Integrate("web:nope", "pg") }, `application "web" has no "nope" relation; its endpoints are: cluster, db, juju-info, logs`},
		{"two that do not fit", func() { m.Integrate("web:logs", "pg") }, "no relations found; one side must require an interface that the other provides"},
		{"a relation twice", func() { m.Integrate("web:db", "pg") }, `cannot add relation "web:db pg:server": relation web:db pg:server; already exists`},
		{"a relation that is not there", func() { m.Relation("web", "store") },
			`relation matching "web store" not found; there are 0 web:cluster, 1 web:db pg:server`},
		{"a relation of an endpoint that is not there", func() { m.Relation("web:nope", "pg") },
			`relation matching "web:nope pg" not found; there are 0 web:cluster, 1 web:db pg:server`},
		{"an option", func() { m.SetConfig("web", map[string]any{"nope": 1}) }, `unknown option "nope"; charm "web" has these options: mode, port`},
		{"nobody as the leader", func() { m.Elect("web/9") }, `unit "web/9" not found`},
		{"a unit in order", func() { m.Retry("web/0") }, `unit "web/0" is not in an error state`},
		{"a crash of nobody", func() { m.Crash("web/9") }, `unit "web/9" not found`},
		{"the clock", func() { m.Advance(-time.Second) }, "cannot turn the clock back by 1s"},
		{"a resource", func() { m.AttachResource("web", "x", nil) }, `unrecognized resource "x"; charm "web" declares none`},
		{"no storage", func() { m.AddStorage("store/0", "cache", 0) }, `cannot add 0 instances of storage "cache"`},
		{"storage that is needed", func() { m.DetachStorage("data/0") },
			"detaching 1 storage instance brings the total to 0, which is less than the minimum of 1"},
		{"an invariant of nothing", func() { m.Invariant("x", nil) }, `invariant "x" has no function`},
	})
	err := m.Try(func() { m.Deploy("lost", opstest.NewCharm(func(*ops.Framework) (int, error) { return 0, nil })) })
	if err == nil || kith.HintOf(err) == "" {
		t.Errorf("a test beside no charm: %v, hint %q", err, kith.HintOf(err))
	}
	if none := (opstest.Relation{}); none.Exists() || none.Bag("web") != nil || none.Units() != nil || none.Waiting() != nil {
		t.Error("there is a relation where none was asked for")
	}
}

const besideYAML = `
name: beside
summary: for tests
description: for tests
subordinate: true
requires:
  host: {interface: juju-info, scope: container}
`

func newNothing(*ops.Framework) (struct{}, error) { return struct{}{}, nil }

// A unit that is in error, or has been removed, runs no hook because a test says so.
func TestHookAtTheWrongTime(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	refused := func(what string, do func(), want string) {
		t.Helper()
		if err := h.Try(do); fmt.Sprint(err) != want {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	refused("Begin twice", h.BeginWithInitialHooks, "cannot begin: the harness has begun already")
	_ = h.Try(func() { h.UpdateConfig(map[string]any{"mode": "broken"}) })
	refused("a hook in error", h.UpdateStatus, `cannot run update-status: unit "web/0" is in error since config-changed failed`)
	if r := h.RunAction("backup", map[string]any{"to": "tape"}); r.Status != "completed" { // Hook protocol reference, section 8
		t.Errorf("an action in error: %+v", r)
	}
	h.Skip()
	h.Remove()
	for what, do := range map[string]func(){ // any order: each alone
		"run update-status": h.UpdateStatus, "set the leader": func() { h.SetLeader(true) }, "remove the unit": h.Remove,
		`run action "backup"`: func() { h.RunAction("backup", nil) },
	} {
		refused(what, do, "cannot "+what+`: unit "web/0" has been removed`)
	}
}

// A charm's handler that calls the harness may change the model, as somebody might meanwhile. It runs no hook of its own.
func TestHarnessWithinAHandler(t *testing.T) {
	t.Parallel()
	var h *opstest.Harness
	var err error
	h = opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnStart(func(*ops.StartEvent) error {
			h.SetLeader(true)
			err = h.Try(h.UpdateStatus)
			return nil
		}))
		return struct{}{}, nil
	}, opstest.YAML(webYAML))
	h.BeginWithInitialHooks()
	if want := `cannot run update-status: unit "web/0" is running start`; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if got := h.EventNames(); !strings.HasSuffix(got, "start\nleader-elected\n") {
		t.Errorf("events\n%s", got)
	}
}

// A charm that panics has failed its hook: the author is told with what and where, and not what leads there.
func TestPanic(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnStart(func(*ops.StartEvent) error {
			panic("no disk")
		}))
		return struct{}{}, nil
	}, opstest.YAML(webYAML))
	err := h.Try(h.BeginWithInitialHooks)
	lines := strings.Split(fmt.Sprint(err), "\n")
	if lines[0] != "web/0 start failed: panic: no disk" || len(lines) > 4 ||
		!strings.Contains(lines[1], "TestPanic") || !strings.Contains(lines[1], "misuse_test.go:") {
		t.Errorf("got %v", err)
	}
	if events := h.EventNames(); !strings.HasSuffix(events, "start -> failed: panic: no disk\n") {
		t.Errorf("events\n%s", events)
	}
	var failed *opstest.HookError
	if !errors.As(err, &failed) || failed.Hook != "start" {
		t.Errorf("got %#v", err)
	}
}

// A harness and a model are of no use once their test has ended, and say so.
func TestAfterTheEnd(t *testing.T) {
	t.Parallel()
	tb := &recorder{}
	var h *opstest.Harness
	tb.run(func() { h = opstest.New(tb, newWeb, opstest.YAML(webYAML)) })
	defer func() {
		if got, want := fmt.Sprint(recover()), "opstest: recorded has ended, and with it its harness or model: cannot config"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}()
	h.UpdateConfig(map[string]any{"port": 1})
}

// Values of a configuration are of any Go type that is a number, a text or a truth.
func TestConfigOfGoTypes(t *testing.T) {
	t.Parallel()
	type mode string
	h := newHarness(t)
	h.Begin()
	h.UpdateConfig(map[string]any{"port": uint16(443), "mode": mode("fast")})
	h.UpdateConfig(map[string]any{"port": int64(443), "mode": "fast"}) // changes nothing
	h.UpdateConfig(map[string]any{"port": nil})                        // back to its default
	expect(t, "events", h.EventNames(), "config-changed\nconfig-changed\n")
}

// A name of the model that is none leaves the harness as it was.
func TestModelName(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if err := h.Try(func() { h.SetModel("Bad Name") }); kith.CodeOf(err) != kith.Invalid {
		t.Errorf("got %v", err)
	}
	h.SetModel("good-name")
	h.BeginWithInitialHooks()
	expect(t, "status", h.Status().String(), "active: 2 events")
}

// SetPlannedUnits goes both ways: units that are taken away depart.
func TestPlannedUnits(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.BeginWithInitialHooks()
	peers := h.AddRelation("cluster", "web")
	h.SetPlannedUnits(3)
	h.AddRelationUnit(peers, "web/2")
	h.Events()
	h.SetPlannedUnits(2)
	h.SetPlannedUnits(1)
	h.SetPlannedUnits(2)
	h.AddRelationUnit(peers, "web/3")
	expect(t, "events", h.EventNames(), `cluster-relation-departed unit=web/2 departing=web/2
cluster-relation-joined unit=web/3
cluster-relation-changed unit=web/3
`)
}

// Before a subordinate is related it has no unit; a test may say at once that it will lead.
func TestSubordinateLeads(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newNothing, opstest.YAML(besideYAML))
	h.SetLeader(true)
	id := h.AddRelation("host", "machine")
	h.BeginWithInitialHooks()
	expect(t, "events", h.EventNames(), `install
host-relation-created app=machine
leader-elected
config-changed
start
host-relation-joined unit=machine/0
host-relation-changed unit=machine/0
`)
	if err := h.Try(func() { h.SetPlannedUnits(2) }); kith.HintOf(err) != "AddRelationUnit with a unit of the principal brings one" {
		t.Errorf("got %v, hint %q", err, kith.HintOf(err))
	}
	h.AddRelationUnit(id, "machine/1")
	expect(t, "events", h.EventNames(), "")
}
