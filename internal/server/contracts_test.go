package server

import (
	"strings"
	"testing"
	"time"

	"kith"
	"kith/contract"
	"kith/internal/api"
	"kith/internal/core"
)

const pgContract = "interface: pg\nversion: 3\ndescription: A database.\nprovider: {app: {keys: {port: {required: true, encoding: json, schema: {type: integer}}}}}\n"

// Contracts through the socket: added, listed, seen to work in what a hook's commit answers and in
// status, show-unit and history, and removed.
func TestContractsFromEndToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	w.agent(func(a *api.Assignment) core.Effects {
		if a.Hook.Name() != "server-relation-created" {
			return core.Effects{}
		}
		return core.Effects{Bags: []core.BagWrite{{Relation: a.Hook.Relation.ID, App: true, Set: map[string]string{"port": "many"}}}}
	})
	reply := w.do("m", core.AddContract{Text: pgContract, Source: "pg.yaml"})
	if len(reply.Created) != 1 || reply.Created[0] != (api.Ref{Kind: core.KindContract, ID: "pg", Name: "pg"}) {
		t.Errorf("adding says %+v", reply)
	}
	w.deploy("m", webCharm, dbCharm)
	w.do("m", core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "db"}})
	w.do("m", core.SetContractMode{Mode: core.ContractsWarn, App: "db", Endpoint: "server"})
	if r, err := w.client.Settle(t.Context(), "m", 30*time.Second); err != nil || !r.Settled {
		t.Fatalf("settle: %+v, %v", r, err)
	}
	all, err := w.client.Contracts(t.Context(), "m")
	if err != nil || all.Mode != core.ContractsWarn || len(all.Endpoints) != 1 || all.Endpoints[0] != (api.EndpointMode{App: "db", Endpoint: "server", Mode: core.ContractsWarn}) {
		t.Errorf("the modes are %+v, %v", all, err)
	}
	shipped := 0
	for _, c := range all.Contracts {
		if c.Shipped {
			shipped++
		} else if c.Interface != "pg" || c.Version != 3 || c.Source != "pg.yaml" || c.Relations != 1 || c.Added.IsZero() || c.Text != "" {
			t.Errorf("the model's own is %+v", c)
		}
	}
	if shipped != 9 || len(all.Contracts) != 10 {
		t.Errorf("there are %d contracts, %d of kith's own", len(all.Contracts), shipped)
	}
	if c, err := w.client.Contract(t.Context(), "m", "tls_certificates"); err != nil || !c.Shipped || !strings.HasPrefix(c.Text, "interface: tls-certificates\n") {
		t.Errorf("kith's own is %+v, %v", c, err)
	}
	if _, err := w.client.Contract(t.Context(), "m", "nope"); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("a contract that is not there: %v", err)
	}
	checkShown(t, w)
	w.do("m", core.RemoveContract{Interface: "pg"})
	if s, err := w.client.StatusWithContracts(t.Context(), "m"); err != nil || s.Relations[0].Contract != nil {
		t.Errorf("without a contract: %+v, %v", s.Relations, err)
	}
}

// checkShown looks for the violation wherever there is something to see of it.
func checkShown(t *testing.T, w *world) {
	t.Helper()
	plain, err := w.client.Status(t.Context(), "m")
	if err != nil || plain.Relations[0].Contract != nil {
		t.Errorf("the status without contracts has %+v, %v", plain.Relations[0].Contract, err)
	}
	s, err := w.client.StatusWithContracts(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	u, err := w.client.Unit(t.Context(), "m", "web/0")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*api.RelationContract{s.Relations[0].Contract, u.Relations[0].Contract} {
		if c == nil || c.State != contract.Violating || c.Summary() != "db violates port (encoding)" || c.Stuck {
			t.Errorf("the relation is %+v", c)
		}
	}
	history, err := w.client.History(t.Context(), "m", api.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, e := range history.Entries {
		found += strings.Count(string(e), `"verdicts":[{"relation":0,"owner":"db","endpoint":"server","role":"provider","interface":"pg","version":3,"mode":"warn","charm":"local:db-0","state":"violating"`)
	}
	if found != 1 {
		t.Errorf("history has %d such verdicts:\n%s", found, history.Entries)
	}
}

// Somebody is waited for while the model goes on, and stuck once it is settled.
func TestStuckWhenSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	w.do("m", core.AddContract{Text: pgContract})
	w.deploy("m", webCharm, dbCharm) // no agent: the units have hooks to run
	w.do("m", core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "db"}})
	summary := func() string {
		s, err := w.client.StatusWithContracts(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		return s.Relations[0].Contract.Summary()
	}
	if got, want := summary(), "waiting for provider: port"; got != want {
		t.Errorf("before: %q, want %q", got, want)
	}
	w.agent(nil)
	if r, err := w.client.Settle(t.Context(), "m", 30*time.Second); err != nil || !r.Settled {
		t.Fatalf("settle: %+v, %v", r, err)
	}
	if got, want := summary(), "stuck waiting for provider: port"; got != want {
		t.Errorf("settled: %q, want %q", got, want)
	}
}

// A contract comes from anybody: what could take for ever ends in a refusal that says why.
func TestHostileContracts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	key := func(schema string) string {
		return "interface: pg\nversion: 1\nprovider: {app: {keys: {k: {schema: " + schema + "}}}}\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"nesting":          {key(strings.Repeat("{items: ", 5000) + "{}" + strings.Repeat("}", 5000)), "deep"},
		"aliases":          {"interface: pg\nversion: 1\na: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "anchors and aliases are not taken"},
		"a circle":         {"interface: pg\nversion: 1\n$defs: {A: {items: {$ref: '#/$defs/A'}}}\nprovider: {app: {keys: {k: {schema: {$ref: '#/$defs/A'}}}}}\n", "leads to itself"},
		"a fetch":          {key("{$ref: 'http://127.0.0.1:1/x.json'}"), "leads out of the file, and nothing is fetched"},
		"backtracking":     {key(`{type: string, pattern: '(a)\1'}`), "cannot be matched in linear time"},
		"a huge pattern":   {key("{type: string, pattern: '((a{30}){30}){30}'}"), "pattern"},
		"a huge number":    {key("{multipleOf: 1e999999999}"), "got string, want number"},
		"too many bytes":   {key("{}") + strings.Repeat("# more\n", 1<<16), "bytes, at most"},
		"a second of them": {key("{}") + "---\n" + key("{}"), "a second document follows"},
		"no text at all":   {"\x00\x01\xff", "no YAML"},
	} {
		_, err := w.client.Do(t.Context(), "m", core.AddContract{Text: c.text})
		if kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1000 {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
