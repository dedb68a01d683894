package core_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kith"
	"kith/contract"
	"kith/internal/core"
)

// sqlContract is a contract of the interface between db and web.
const sqlContract = `
interface: sql
version: 2
provider:
  app:
    keys:
      port: {required: true, encoding: json, schema: {type: integer, minimum: 1}}
      password: {required: true, via: [secret-user], sensitive: true, schema: {type: string, minLength: 8}}
      secret-user: {secret: only}
  unit: {keys: {zone: {}}}
requirer:
  unit: {keys: {name: {required: true}}}
`

// related is a world with db and web, one unit each, in relation 1 (0 is db's own): db/0 leads.
func related(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	for _, app := range []kith.AppName{"db", "web"} {
		w.must(t, admin, core.Deploy{App: app, Charm: string(app), Units: 1})
		w.must(t, core.Actor{Kind: core.ActorHost, Name: "local"}, core.UnitHello{Unit: kith.UnitName(app + "/0")})
	}
	w.must(t, admin, core.Integrate{A: kith.Endpoint{App: "db"}, B: kith.Endpoint{App: "web"}})
	for _, u := range []kith.UnitName{"db/0", "web/0"} {
		w.must(t, core.UnitActor(u), core.CommitHook{Unit: u, Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: string(u.App())}})
		w.must(t, core.System, core.EnterScopes{Unit: u, Relations: []kith.RelationID{1}})
	}
	return w
}

// publish has a unit run a hook that writes into one of its bags in relation 1.
func (w *world) publish(u kith.UnitName, app bool, set map[string]string) (core.Entry, error) {
	e, _, err := w.do(core.UnitActor(u), core.CommitHook{
		Unit: u, Seq: w.m.Progress(u).Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus},
		Effects: core.Effects{Bags: []core.BagWrite{{Relation: 1, App: app, Set: set}}},
	})
	return e, err
}

// verdict is the one verdict that a commit is stored with.
func (w *world) verdict(t *testing.T, u kith.UnitName, app bool, set map[string]string) core.BagVerdict {
	t.Helper()
	e, err := w.publish(u, app, set)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Hook.Verdicts) != 1 {
		t.Fatalf("the commit of %v has verdicts %+v, and one is wanted", set, e.Hook.Verdicts)
	}
	return e.Hook.Verdicts[0]
}

// "At each hook commit the verdict of the bags it wrote is computed in core and stored with the
// history": every bag starts empty, and is absent, partial, valid or violating.
func TestCommitStoresVerdict(t *testing.T) {
	t.Parallel()
	w := related(t)
	w.must(t, admin, core.AddContract{Text: sqlContract, Source: "sql.yaml"})
	steps := []struct {
		set      map[string]string
		state    contract.State
		missing  []string
		violates string
	}{
		{map[string]string{"other": "x"}, contract.Partial, []string{"password", "port"}, ""},
		{map[string]string{"other": "", "port": "5432"}, contract.Partial, []string{"password"}, ""},
		{map[string]string{"secret-user": "secret:d2fjn1fmp25004or68b0"}, contract.Valid, nil, ""},
		{map[string]string{"port": "0"}, contract.Violating, nil, "port"},
		{map[string]string{"port": "", "secret-user": ""}, contract.Absent, []string{"password", "port"}, ""},
	}
	for _, s := range steps {
		v := w.verdict(t, "db/0", true, s.set)
		if v.State != s.state || !reflect.DeepEqual(v.Missing, s.missing) || (len(v.Violations) > 0) != (s.violates != "") {
			t.Errorf("after %v: %+v, want %s, missing %v", s.set, v, s.state, s.missing)
		}
		if v.Owner != "db" || v.Relation != 1 || v.Charm != "local:db-0" || v.Version != 2 || v.Shipped || v.Mode != core.ContractsWarn {
			t.Errorf("after %v: the verdict is of %+v", s.set, v)
		}
		now, ok := w.m.BagVerdict(1, "db")
		if !ok || !reflect.DeepEqual(now, v) {
			t.Errorf("after %v: the bag's verdict now is %+v, and that of the commit %+v", s.set, now, v)
		}
	}
	// What changes nothing is no write.
	if e, err := w.publish("db/0", true, map[string]string{"port": ""}); err != nil || e.Hook.Verdicts != nil {
		t.Errorf("a write without effect has verdicts %+v, %v", e.Hook.Verdicts, err)
	}
}

// "The engine's own keys (ingress-address, egress-subnets, private-address) are ignored", and so is
// what a contract ignores; secrets are not shown.
func TestVerdictLooksAway(t *testing.T) {
	t.Parallel()
	w := related(t)
	closed := strings.Replace(sqlContract, "unit: {keys: {zone: {}}}", "unit: {closed: true, keys: {zone: {}}}", 1) + "ignore: [data]\n"
	w.must(t, admin, core.AddContract{Text: closed})
	if v := w.verdict(t, "db/0", false, map[string]string{"zone": "a", "data": "{", "ingress-address": "10.0.0.9"}); v.State != contract.Valid {
		t.Errorf("the unit's bag is %+v", v)
	}
	v := w.verdict(t, "db/0", true, map[string]string{"password": "hunter2"})
	if v.State != contract.Violating || strings.Contains(string(asJSON(t, v)), "hunter2") {
		t.Errorf("the password is wrong and must not be shown: %s", asJSON(t, v))
	}
	w.must(t, admin, core.SetContractMode{Mode: core.ContractsEnforce})
	if _, err := w.publish("db/0", true, map[string]string{"password": "hunter3"}); err == nil || strings.Contains(err.Error(), "hunter3") {
		t.Errorf("the refusal is %v", err)
	}
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// "enforce per endpoint or per model refuses the commit with a hook failure that names key, value,
// rule, remedy", and the charm that wrote it.
func TestEnforce(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{"port": "many"}
	for _, c := range []struct {
		name    string
		modes   []core.SetContractMode
		refused bool
	}{
		{"default", nil, false},
		{"model", []core.SetContractMode{{Mode: core.ContractsEnforce}}, true},
		{"endpoint", []core.SetContractMode{{Mode: core.ContractsEnforce, App: "db", Endpoint: "server"}}, true},
		{"the other's endpoint", []core.SetContractMode{{Mode: core.ContractsEnforce, App: "web", Endpoint: "db"}}, false},
		{"endpoint before model", []core.SetContractMode{{Mode: core.ContractsEnforce}, {Mode: core.ContractsWarn, App: "db", Endpoint: "server"}}, false},
		{"off", []core.SetContractMode{{Mode: core.ContractsOff}}, false},
		{"back to the model's", []core.SetContractMode{{Mode: core.ContractsEnforce, App: "db", Endpoint: "server"}, {App: "db", Endpoint: "server"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := related(t)
			w.must(t, admin, core.AddContract{Text: sqlContract})
			for _, mode := range c.modes {
				w.must(t, admin, mode)
			}
			before := dump(w.m)
			_, err := w.publish("db/0", true, wrong)
			if (err != nil) != c.refused {
				t.Fatalf("the commit ends with %v", err)
			}
			if !c.refused {
				return
			}
			for _, part := range []string{`"sql"`, `"local:db-0"`, `"db/0"`, `"port"`, `"many"`, "application bag", "relation 1", "(web:db db:server)", "JSON", `rule "encoding"`,
				"kith contract mode warn db:server", "kith resolved db/0"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the refusal does not name %s: %v", part, err)
				}
			}
			if dump(w.m) != before {
				t.Error("a refused commit changed the model")
			}
			w.must(t, admin, core.SetContractMode{Mode: core.ContractsWarn, App: "db", Endpoint: "server"})
			if _, err := w.publish("db/0", true, wrong); err != nil {
				t.Errorf("after the remedy: %v", err)
			}
		})
	}
}

// Enforcing refuses what a hook makes wrong, not what was wrong before it.
func TestEnforceLetsOldMistakesBe(t *testing.T) {
	t.Parallel()
	w := related(t)
	w.must(t, admin, core.AddContract{Text: sqlContract})
	w.verdict(t, "db/0", true, map[string]string{"port": "many"})
	w.must(t, admin, core.SetContractMode{Mode: core.ContractsEnforce})
	if v := w.verdict(t, "db/0", true, map[string]string{"port": "many", "other": "x"}); v.State != contract.Violating {
		t.Errorf("the bag is %s", v.State)
	}
	if _, err := w.publish("db/0", true, map[string]string{"port": "more"}); err == nil {
		t.Error("a new mistake is let pass")
	}
	w.verdict(t, "db/0", true, map[string]string{"port": "1"})
}

// An action's writes are checked as a hook's are.
func TestTaskIsJudged(t *testing.T) {
	t.Parallel()
	w := related(t)
	w.must(t, admin, core.AddContract{Text: sqlContract})
	w.must(t, admin, core.RunAction{Receivers: []string{"db/0"}, Action: "dump"})
	task := kith.TaskID(2)
	w.must(t, core.UnitActor("db/0"), core.BeginTask{Unit: "db/0", Task: task})
	finish := core.FinishTask{Unit: "db/0", Task: task, TaskOutcome: core.TaskOutcome{Status: core.TaskCompleted,
		Effects: core.Effects{Bags: []core.BagWrite{{Relation: 1, App: true, Set: map[string]string{"port": "x"}}}}}}
	w.must(t, admin, core.SetContractMode{Mode: core.ContractsEnforce})
	if _, _, err := w.do(core.UnitActor("db/0"), finish); err == nil {
		t.Error("the action may write anything")
	}
	w.must(t, admin, core.SetContractMode{Mode: core.ContractsWarn})
	if e := w.must(t, core.UnitActor("db/0"), finish); len(e.Hook.Verdicts) != 1 || e.Hook.Verdicts[0].State != contract.Violating {
		t.Errorf("the verdicts are %+v", e.Hook.Verdicts)
	}
}

// "the relation says what it waits for".
func TestRelationVerdict(t *testing.T) {
	t.Parallel()
	w := related(t)
	verdict := func() *core.RelationVerdict { return w.m.RelationVerdict(w.m.Relation(1)) }
	if v := verdict(); v != nil {
		t.Fatalf("without a contract: %+v", v)
	}
	w.must(t, admin, core.AddContract{Text: sqlContract})
	want := func(state contract.State, summary string) {
		t.Helper()
		if v := verdict(); v == nil || v.State != state || v.Summary(false) != summary {
			t.Errorf("the relation is %+v (%q), want %s, %q", v, v.Summary(false), state, summary)
		}
	}
	want(contract.Absent, "waiting for requirer: name; waiting for provider: password, port")
	w.verdict(t, "web/0", false, map[string]string{"name": "shop"})
	want(contract.Partial, "waiting for provider: password, port")
	w.verdict(t, "db/0", true, map[string]string{"port": "1", "secret-user": "secret:d2fjn1fmp25004or68b0"})
	want(contract.Valid, "")
	w.verdict(t, "db/0", true, map[string]string{"port": "0", "secret-user": ""})
	want(contract.Violating, "db violates port (minimum); waiting for provider: password")
	owners := []string{}
	for _, b := range verdict().Bags {
		owners = append(owners, b.Owner)
	}
	if want := []string{"web/0", "db", "db/0"}; !slices.Equal(owners, want) {
		t.Errorf("the bags are of %v, want %v: of web's nothing is said", owners, want)
	}
	w.must(t, admin, core.SetContractMode{Mode: core.ContractsOff, App: "db", Endpoint: "server"})
	want(contract.Valid, "")
	w.must(t, admin, core.SetContractMode{Mode: core.ContractsOff})
	if v := verdict(); v != nil {
		t.Errorf("with contracts off: %+v", v)
	}
}

// An end nobody is in yet is waited for with what each of its units must write.
func TestRelationVerdictBeforeUnits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(t, admin, core.AddContract{Text: sqlContract})
	for _, app := range []kith.AppName{"db", "web"} {
		w.must(t, admin, core.Deploy{App: app, Charm: string(app), Units: 1})
	}
	w.must(t, admin, core.Integrate{A: kith.Endpoint{App: "db"}, B: kith.Endpoint{App: "web"}})
	if got, want := w.m.RelationVerdict(w.m.Relation(1)).Summary(false), "waiting for requirer: name; waiting for provider: password, port"; got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}

// Keys of which the source did not say which bag they are in are missed where neither has them.
func TestEitherBag(t *testing.T) {
	t.Parallel()
	w := related(t)
	w.must(t, admin, core.AddContract{Text: "interface: sql\nversion: 0\nprovider: {either: {keys: {host: {required: true}, port: {encoding: json, schema: {type: integer}}}}}\n"})
	if v, _ := w.m.BagVerdict(1, "db/0"); v.State != contract.Absent {
		t.Errorf("before anything is written: %+v", v)
	}
	w.verdict(t, "db/0", true, map[string]string{"host": "h", "port": "x"})
	app, _ := w.m.BagVerdict(1, "db")
	unit, _ := w.m.BagVerdict(1, "db/0")
	if app.State != contract.Violating || unit.State != contract.Valid {
		t.Errorf("the application's bag is %s, the unit's %s", app.State, unit.State)
	}
}

// A model's own contract goes before the one that comes with kith; names compare with - and _ folded.
func TestOwnBeforeShipped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if terms := w.m.Contract("tls-certificates"); terms == nil || !terms.Shipped {
		t.Fatalf("kith's own is %+v", terms)
	}
	w.must(t, admin, core.AddContract{Text: "interface: tls-certificates\nversion: 7\n"})
	if terms := w.m.Contract("tls_certificates"); terms == nil || terms.Shipped || terms.Version != 7 {
		t.Fatalf("the model's is %+v", terms)
	}
	if e, _, err := w.do(admin, core.AddContract{Text: "interface: tls-certificates\nversion: 7\n"}); err != nil || e.Revision != 0 {
		t.Errorf("adding it again is revision %d, %v", e.Revision, err)
	}
	w.must(t, admin, core.RemoveContract{Interface: "tls_certificates"})
	if terms := w.m.Contract("tls-certificates"); terms == nil || !terms.Shipped {
		t.Fatalf("kith's own is not back: %+v", terms)
	}
	if _, _, err := w.do(admin, core.RemoveContract{Interface: "tls_certificates"}); kith.CodeOf(err) != kith.NotFound || !strings.Contains(kith.HintOf(err), "comes with kith") {
		t.Errorf("removing kith's own: %v (%s)", err, kith.HintOf(err))
	}
}

// What commands about contracts refuse.
func TestContractRefusals(t *testing.T) {
	t.Parallel()
	w := related(t)
	for _, c := range []struct {
		op   core.Op
		code kith.Code
		text string
	}{
		{core.AddContract{Text: "interface: sql\nnonsense: 1\n"}, kith.Invalid, `cannot read "the contract": line 2: nonsense: there is no such field`},
		{core.AddContract{Text: ""}, kith.Invalid, "it is empty"},
		{core.AddContract{Text: strings.Repeat("#", core.MaxContractBytes+1)}, kith.Invalid, "at most 262144 are taken"},
		{core.RemoveContract{Interface: "sql"}, kith.NotFound, `contract "sql" not found`},
		{core.SetContractMode{Mode: "loud"}, kith.Invalid, `invalid contract mode "loud", expected one of [off warn enforce]`},
		{core.SetContractMode{Mode: "warn", App: "nosuch", Endpoint: "db"}, kith.NotFound, `application "nosuch" not found`},
		{core.SetContractMode{Mode: "warn", App: "db", Endpoint: "nope"}, kith.NotFound, `application "db" has no endpoint "nope"`},
		{core.SetContractMode{Mode: "warn", App: "db"}, kith.NotFound, `application "db" has no endpoint ""`},
	} {
		_, _, err := w.do(admin, c.op)
		if kith.CodeOf(err) != c.code || err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%+v: %v, want %s %q", c.op, err, c.code, c.text)
		}
		if mode, ok := c.op.(core.SetContractMode); ok && mode.Mode == "loud" && !strings.Contains(kith.HintOf(err), "enforce") {
			t.Errorf("%v: hint %q names no remedy", err, kith.HintOf(err))
		}
		if _, _, err := w.do(core.UnitActor("db/0"), c.op); kith.CodeOf(err) != kith.Forbidden {
			t.Errorf("a unit may send %s: %v", c.op.Name(), err)
		}
	}
}

// A mode of its own goes with the endpoint that has it; history tells of modes.
func TestContractModes(t *testing.T) {
	t.Parallel()
	w := related(t)
	e := w.must(t, admin, core.SetContractMode{Mode: core.ContractsEnforce, App: "web", Endpoint: "log"})
	if !reflect.DeepEqual(e.Deltas[0].Set, map[string]string{"log": "enforce"}) {
		t.Errorf("history says %+v", e.Deltas)
	}
	e = w.must(t, admin, core.SetContractMode{Mode: core.ContractsOff})
	if !reflect.DeepEqual(e.Deltas[0].Set, map[string]string{"*": "off"}) {
		t.Errorf("history says %+v", e.Deltas)
	}
	if got := w.m.ContractMode("web", "log"); got != core.ContractsEnforce {
		t.Errorf("the endpoint's mode is %s", got)
	}
	next := charms[1]
	next.Meta.Requires = section(endpoint("db", "sql", kith.Requirer, kith.Global, 1))
	w.must(t, admin, core.AddCharm{ID: "next", Charm: next})
	e = w.must(t, admin, core.Refresh{App: "web", Charm: "next"})
	if got := w.m.ContractMode("web", "log"); got != core.ContractsOff {
		t.Errorf("the mode of an endpoint that is gone is %s", got)
	}
	if found := core.Check(w.m); len(found) > 0 || !reflect.DeepEqual(e.Deltas[0].Unset, []string{"log"}) {
		t.Errorf("after the refresh: %v, %+v", found, e.Deltas)
	}
}

// A stored contract that this kith cannot use stops nothing: bags are not checked by it, and it says why.
func TestUnusableStoredContract(t *testing.T) {
	t.Parallel()
	w := related(t)
	core.Apply(w.m, core.Change{Key: core.Key{Kind: core.KindContract, ID: "sql"}, Entity: &core.Contract{Interface: "sql", Text: "from: the future\n"}})
	if terms := w.m.Contract("sql"); terms.Checker != nil || terms.Problem == "" {
		t.Errorf("it is %+v", terms)
	}
	w.must(t, admin, core.SetContractMode{Mode: core.ContractsEnforce})
	if e, err := w.publish("db/0", true, map[string]string{"port": "x"}); err != nil || e.Hook.Verdicts != nil {
		t.Errorf("the commit has %+v, %v", e.Hook, err)
	}
	if v := w.m.RelationVerdict(w.m.Relation(1)); v != nil {
		t.Errorf("the relation has %+v", v)
	}
}

// "Charms see no difference under warn": whatever happens, a model that checks and one that does not
// go the same way, but for the verdicts in history.
func TestWarnMakesNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		off, warn := newWorld(t), newWorld(t)
		off.must(t, admin, core.SetContractMode{Mode: core.ContractsOff})
		warn.must(t, admin, core.SetContractMode{Mode: core.ContractsWarn})
		for _, w := range []*world{off, warn} {
			w.must(t, admin, core.AddContract{Text: "interface: sql\nversion: 1\nprovider: {app: {keys: {k: {schema: {enum: [a]}}}}, unit: {keys: {k: {schema: {enum: [b]}}}}}\n"})
		}
		for range rapid.IntRange(1, 60).Draw(t, "commands") {
			actor, op := off.draw(t)
			if _, mode := op.(core.SetContractMode); mode {
				continue
			}
			warn.now = off.now
			a, _, errA := off.do(actor, op)
			b, _, errB := warn.do(actor, op)
			if a.Hook != nil && len(a.Hook.Verdicts) > 0 {
				t.Fatalf("%s is judged with contracts off: %+v", op.Name(), a.Hook.Verdicts)
			}
			if b.Hook != nil {
				b.Hook.Verdicts = nil
			}
			if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(errA, errB) {
				t.Fatalf("%s: off %+v %v, warn %+v %v", op.Name(), a, errA, b, errB)
			}
		}
		if got, want := strings.Replace(dump(warn.m), `"contracts":"warn"`, `"contracts":"off"`, 1), dump(off.m); got != want {
			t.Fatalf("the models differ:\n%s\n%s", want, got)
		}
	})
}

// The same in small, where it is certain that there is something to check: a bag that is wrong all the time.
func TestWarnIsOnlySeenInHistory(t *testing.T) {
	t.Parallel()
	var dumps []string
	for _, mode := range []core.ContractMode{core.ContractsOff, core.ContractsWarn} {
		w := related(t)
		w.must(t, admin, core.AddContract{Text: sqlContract})
		w.must(t, admin, core.SetContractMode{Mode: mode})
		judged := 0
		for _, port := range []string{"0", "x", "-1"} {
			e, err := w.publish("db/0", true, map[string]string{"port": port})
			if err != nil {
				t.Fatal(err)
			}
			judged += len(e.Hook.Verdicts)
		}
		if want := map[core.ContractMode]int{core.ContractsOff: 0, core.ContractsWarn: 3}[mode]; judged != want {
			t.Errorf("with contracts %s there are %d verdicts, want %d", mode, judged, want)
		}
		v, _ := core.ViewOf(w.m, "web/0")
		dumps = append(dumps, strings.Replace(dump(w.m), `"contracts":"`+string(mode)+`"`, "", 1)+
			string(asJSON(t, v.Context(core.Hook{Kind: core.UpdateStatus}, w.now))))
	}
	if dumps[0] != dumps[1] {
		t.Errorf("the models, or what web/0 sees of them, differ:\n%s\n%s", dumps[0], dumps[1])
	}
}

// Whatever is added as a contract, and whatever a charm then writes: the command ends, what is refused
// changes nothing, and the model holds its invariants.
func FuzzContract(f *testing.F) {
	f.Add(sqlContract, "port", "0")
	f.Add("interface: sql\nversion: 1\nprovider: {app: {keys: {k: {schema: {pattern: '(a{9}){9}'}}}}}\n", "k", strings.Repeat("a", 99))
	f.Add("interface: sql\nversion: 1\n$defs: {A: {items: {$ref: '#/$defs/A'}}}\nprovider: {app: {keys: {k: {encoding: json, schema: {$ref: '#/$defs/A'}}}}}\n", "k", "[[]]")
	f.Add("interface: sql\nversion: 1\nprovider: {app: {closed: true, keys: {k: {encoding: json, schema: {multipleOf: 0.1}}}}}\n", "k", "1e400")
	f.Add("interface: sql\nversion: 1\nprovider: {either: {keys: {k: {secret: only}}}}\n", "k", "secret:d2fjn1fmp25004or68b0")
	f.Fuzz(func(t *testing.T, text, key, value string) {
		w := related(t)
		before := dump(w.m)
		if _, _, err := w.do(admin, core.AddContract{Text: text}); err != nil {
			if kith.CodeOf(err) != kith.Invalid || dump(w.m) != before {
				t.Fatalf("refused with %v, or not without a trace", err)
			}
			return
		}
		for _, app := range []bool{true, false} {
			if _, err := w.publish("db/0", app, map[string]string{key: value}); err != nil {
				t.Fatalf("under warn the commit is refused: %v", err)
			}
		}
		first, second := w.m.RelationVerdict(w.m.Relation(1)), w.m.RelationVerdict(w.m.Relation(1))
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("the verdict is not the same twice: %+v, %+v", first, second)
		}
		if found := core.Check(w.m); len(found) > 0 {
			t.Fatal(found)
		}
	})
}

// "A contract cannot hang the engine": the bags one hook has written are checked within one budget, because a
// unit may be in hundreds of relations; what is beyond it is said not to be checked.
func TestHookIsJudgedWithinBudget(t *testing.T) {
	t.Parallel()
	w := related(t)
	choice := "{minLength: 1}" + strings.Repeat(", {minLength: 9}", 49) // right at once, but that is not reckoned with
	w.must(t, admin, core.AddContract{Text: "interface: sql\nprovider: {app: {keys: {list: {encoding: json, schema: {items: {anyOf: [" + choice + "]}}}}}}"})
	value := "[" + strings.TrimSuffix(strings.Repeat(`"a",`, 15_000), ",") + "]"
	var writes []core.BagWrite
	for i := range 8 {
		app := kith.AppName("web" + string(rune('a'+i)))
		w.must(t, admin, core.Deploy{App: app, Charm: "web", Units: 1})
		id := w.m.Info().NextRelation
		w.must(t, admin, core.Integrate{A: kith.Endpoint{App: "db"}, B: kith.Endpoint{App: app}})
		w.must(t, core.System, core.EnterScopes{Unit: "db/0", Relations: []kith.RelationID{id}})
		writes = append(writes, core.BagWrite{Relation: id, App: true, Set: map[string]string{"list": value}})
	}
	e, _, err := w.do(core.UnitActor("db/0"), core.CommitHook{
		Unit: "db/0", Seq: w.m.Progress("db/0").Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus}, Effects: core.Effects{Bags: writes},
	})
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for _, v := range e.Hook.Verdicts {
		if v.State != contract.Valid || len(v.Unchecked) > 1 || len(v.Unchecked) == 1 && !strings.Contains(v.Unchecked[0].Text, "too large") {
			t.Errorf("the verdict is %+v", v.Verdict)
		}
		left += len(v.Unchecked)
	}
	if len(e.Hook.Verdicts) != 8 || left < 2 || left > 6 {
		t.Errorf("of %d bags %d were not checked", len(e.Hook.Verdicts), left)
	}
}
