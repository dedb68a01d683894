package opstest_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

// departures are the rows of the ops reference, section 9: where Python's Harness departs from Juju, and
// that this one does not.
var departures = map[string]func(*testing.T){
	"Process": departProcess, "Emission": departEmission, "joined → changed": departJoined, "Unit bags": departBags,
	"Publishing writes": departPublishing, "Deferral": departDeferral, "collect-status, commit events": departStatus,
	"Own app bag as non-leader": departAppBag, "Leadership": departLeadership, "Start-up order": departStart,
	"Peer relations": departPeers, "Departing": departDeparting, "Removal": departRemoval,
	"Order of departed on removal": departOrder, "`limit`, `scope`, interface match, `juju-info`": departLimits,
	"Relation ids": departIDs, "Cross-model": departCrossModel, "Secrets": departSecrets, "Network": departNetwork,
	"Config": departConfig, "Environment": departEnvironment, "Stop/remove/upgrade/update-status": departLife,
}

// Each row of the reference has its test, and its row in docs/reference/harness.md.
func TestDepartures(t *testing.T) {
	t.Parallel()
	for row, test := range departures { // any order: each alone
		t.Run(row, func(t *testing.T) { t.Parallel(); test(t) })
	}
	_, docs, _ := strings.Cut(readText(t, "../../docs/reference/harness.md"), "\n## Where Python's departs from Juju")
	documented := rowsOf(docs)
	for row := range departures { // any order: each alone
		if !documented[row] {
			t.Errorf("docs/reference/harness.md has no row %q", row)
		}
	}
	const shared = "../../../shared/reference/ops-sdk.md"
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("the reference is not here, so that nobody can say whether these are all rows: %v", err)
	}
	_, section, _ := strings.Cut(readText(t, shared), "\n## 9.")
	section, _, _ = strings.Cut(section, "\n## 10.")
	rows := rowsOf(section)
	for row := range rows { // any order: each alone
		if departures[row] == nil {
			t.Errorf("the row %q has no test", row)
		}
	}
	if len(rows) != len(departures) {
		t.Errorf("the reference has %d rows, and there are %d tests", len(rows), len(departures))
	}
}

// rowsOf are the first cells of the first table in a text, but for its head.
func rowsOf(text string) map[string]bool {
	rows := map[string]bool{}
	head := 2
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "|") {
			if len(rows) > 0 {
				break
			}
			continue
		}
		if head--; head < 0 {
			rows[strings.TrimSpace(strings.Split(line, "|")[1])] = true
		}
	}
	return rows
}

const departYAML = `
name: web
summary: for tests
description: for tests
requires:
  db: {interface: pgsql, limit: 1}
  logs: {interface: loki, scope: container}
  info: {interface: juju-info}
peers:
  ring: {interface: ring}
config:
  options:
    port: {type: int}
    ratio: {type: float}
extra-bindings:
  front:
`

// acting is a harness for a charm that observes what the test says.
func acting(t *testing.T, observe func(f *ops.Framework, m *ops.Model)) *opstest.Harness {
	t.Helper()
	return opstest.New(t, func(f *ops.Framework) (*int, error) {
		observe(f, f.Model())
		return new(int), nil
	}, opstest.YAML(departYAML))
}

func nothing(*ops.Framework, *ops.Model) {}

func departProcess(t *testing.T) {
	h := acting(t, nothing)
	h.Begin()
	h.UpdateStatus()
	*opstest.CharmOf[*int](h) = 7
	h.UpdateStatus()
	if *opstest.CharmOf[*int](h) != 0 {
		t.Error("the charm's value has lasted for more than one event")
	}
}

func departEmission(t *testing.T) {
	var h *opstest.Harness
	var inside []string
	h = acting(t, func(f *ops.Framework, _ *ops.Model) {
		f.Observe(ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error {
			inside = append(inside, "update-status begins")
			h.UpdateConfig(map[string]any{"port": 1})
			inside = append(inside, "update-status ends")
			return nil
		}), ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
			inside = append(inside, "config-changed")
			return nil
		}))
	})
	h.Begin()
	h.UpdateStatus()
	expect(t, "what the charm saw", strings.Join(inside, ", "), "update-status begins, update-status ends, config-changed")
}

func departJoined(t *testing.T) {
	h := acting(t, nothing)
	h.Begin()
	id := h.AddRelation("db", "pg")
	h.Events()
	h.AddRelationUnit(id, "pg/0")
	h.UpdateRelationData(id, "pg/0", map[string]string{"absent": ""}) // no change
	expect(t, "events", h.EventNames(), "db-relation-joined unit=pg/0\ndb-relation-changed unit=pg/0\n")
}

func departBags(t *testing.T) {
	h := acting(t, nothing)
	id := h.AddRelation("db", "pg", opstest.UnitData(nil))
	h.Begin()
	for _, unit := range []string{"pg/0", "web/0"} {
		bag := h.GetRelationData(id, unit)
		if bag["private-address"] == "" || bag["ingress-address"] == "" || bag["egress-subnets"] == "" || len(bag) != 3 {
			t.Errorf("%s has %v", unit, bag)
		}
	}
}

func departPublishing(t *testing.T) {
	bad := true
	h := acting(t, func(f *ops.Framework, m *ops.Model) {
		f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			if err := e.Relation.Data(m.Unit()).Set("half", "done"); err != nil || !bad {
				return err
			}
			return errors.New("no disk")
		}))
	})
	h.Begin()
	id := h.AddRelation("db", "pg")
	_ = h.Try(func() { h.AddRelationUnit(id, "pg/0") })
	if got := h.GetRelationData(id, "web/0")["half"]; got != "" {
		t.Errorf("a hook that failed has written %q", got)
	}
	bad = false
	h.Retry()
	if got := h.GetRelationData(id, "web/0")["half"]; got != "done" {
		t.Errorf("a hook that went well has written %q", got)
	}
}

func departDeferral(t *testing.T) {
	var seen []string
	ready := false
	h := acting(t, func(f *ops.Framework, _ *ops.Model) {
		f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			seen = append(seen, f.Env().Name()+" "+string(e.Unit))
			if !ready {
				return e.Defer()
			}
			return nil
		}).Named("db"))
	})
	h.Begin()
	id := h.AddRelation("db", "pg", opstest.UnitData(nil))
	h.UpdateRelationData(id, "pg/0", map[string]string{"a": "b"}) // the same, once more
	ready = true
	h.UpdateStatus()
	h.UpdateStatus()
	expect(t, "deliveries", strings.Join(seen, "\n"), "db-relation-changed pg/0\ndb-relation-changed pg/0\nupdate-status pg/0")
}

func departStatus(t *testing.T) {
	rounds := 0
	h := acting(t, func(f *ops.Framework, _ *ops.Model) {
		f.Observe(ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
			rounds++
			e.AddStatus(ops.ActiveStatus(fmt.Sprint(rounds)))
			return nil
		}))
	})
	h.Begin()
	h.UpdateStatus()
	h.AddRelation("db", "pg")
	expect(t, "status", h.Status().String(), "active: 2")
}

func departAppBag(t *testing.T) {
	var read, write error
	h := acting(t, func(f *ops.Framework, m *ops.Model) {
		f.Observe(ops.OnRelationCreated("db", func(e *ops.RelationCreatedEvent) error {
			_, read = e.Relation.Data(m.App()).Get("a")
			write = e.Relation.Data(m.App()).Set("a", "b")
			return nil
		}))
	})
	h.Begin()
	h.AddRelation("db", "pg")
	for what, err := range map[string]error{"read": read, "write": write} { // any order: each alone
		var refused *ops.RelationDataAccessError
		if !errors.As(err, &refused) || !errors.Is(err, ops.ErrPermission) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

func departLeadership(t *testing.T) {
	h := acting(t, nothing)
	h.Begin()
	h.SetLeader(true)
	h.SetLeader(true)
	h.SetLeader(false)
	h.SetLeader(true)
	expect(t, "events", h.EventNames(), "leader-elected\nleader-settings-changed\nleader-elected\n")
}

// Relations reference, section 4.2.
func departStart(t *testing.T) {
	h := acting(t, nothing)
	h.AddRelation("db", "pg", opstest.UnitData(nil))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	expect(t, "events", h.EventNames(), `install
db-relation-created app=pg
ring-relation-created app=web
leader-elected
config-changed
start
db-relation-joined unit=pg/0
db-relation-changed unit=pg/0
`)
}

func departPeers(t *testing.T) {
	h := acting(t, nothing)
	h.BeginWithInitialHooks()
	ring := h.AddRelation("ring", "web") // what is there
	h.AddRelationUnit(ring, "web/1")
	if err := h.Try(func() { h.RemoveRelation(ring) }); kith.CodeOf(err) != kith.Conflict {
		t.Errorf("peers were taken apart: %v", err)
	}
	h.Events()
	h.Remove()
	expect(t, "events", h.EventNames(), "ring-relation-departed unit=web/1 departing=web/0\nstop\nremove\n")
}

func departDeparting(t *testing.T) {
	h := acting(t, nothing)
	h.Begin()
	id := h.AddRelation("db", "pg", opstest.UnitData(nil))
	h.AddRelationUnit(id, "pg/1")
	h.Events()
	h.RemoveRelationUnit(id, "pg/1")
	h.Remove()
	expect(t, "events", h.EventNames(), `db-relation-departed unit=pg/1 departing=pg/1
db-relation-departed unit=pg/0 departing=web/0
db-relation-broken app=pg
stop
remove
`)
}

func departRemoval(t *testing.T) {
	var left, later string
	h := acting(t, func(f *ops.Framework, m *ops.Model) {
		host := func(r *ops.Relation) (s string, err error) { return r.Data(kith.UnitName("pg/0")).Get("host") }
		f.Observe(ops.OnRelationDeparted("db", func(e *ops.RelationDepartedEvent) (err error) {
			left, err = host(e.Relation)
			return err
		}), ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error {
			r, err := m.GetRelation("db")
			if err == nil {
				later, err = host(r)
			}
			return err
		}))
	})
	h.Begin()
	id := h.AddRelation("db", "pg", opstest.UnitData(map[string]string{"host": "db1"}))
	h.AddRelationUnit(id, "pg/1")
	h.RemoveRelationUnit(id, "pg/0")
	h.UpdateStatus()
	expect(t, "what a unit that left has written", left+" "+later+" "+h.GetRelationData(id, "pg/0")["host"], "db1 db1 db1")
}

// Each unit takes a relation apart at its own pace: what it does is up to nobody else.
func departOrder(t *testing.T) {
	m := opstest.NewModel(t)
	quiet := func(yaml string) *opstest.Charm { return opstest.NewCharm(newNothing, opstest.YAML(yaml)) }
	m.Deploy("one", quiet(plantedYAML), opstest.Units(2))
	m.Deploy("two", quiet(storesYAML), opstest.Units(2))
	m.Integrate("one", "two")
	m.Settle()
	m.Events()
	m.RemoveRelation("one", "two")
	m.Settle()
	var ofOne []string
	for _, e := range m.Events() {
		if e.Unit == "one/1" {
			ofOne = append(ofOne, e.String())
		}
	}
	expect(t, "events of one/1", strings.Join(ofOne, "\n"), `store-relation-departed unit=two/0 departing=two/0
store-relation-departed unit=two/1 departing=two/1
store-relation-broken app=two`)
}

func departLimits(t *testing.T) {
	h := acting(t, nothing)
	h.Begin()
	h.AddRelation("db", "pg")
	if err := h.Try(func() { h.AddRelation("db", "mysql") }); kith.CodeOf(err) != kith.Conflict || !strings.Contains(err.Error(), "maximum relation limit of 1") {
		t.Errorf("a second database: %v", err)
	}
	h.AddRelationUnit(h.AddRelation("info", "monitor"), "monitor/0")
	if got := h.EventNames(); !strings.Contains(got, "info-relation-joined unit=monitor/0\n") {
		t.Errorf("juju-info: %s", got)
	}
	beside := opstest.New(t, newNothing, opstest.YAML(besideYAML)) // its endpoint is of container scope
	host := beside.AddRelation("host", "machine")
	beside.Begin()
	beside.AddRelationUnit(host, "machine/1")
	expect(t, "events of a unit beside another", beside.EventNames(), "")
	m := opstest.NewModel(t)
	m.Deploy("one", opstest.NewCharm(newNothing, opstest.YAML(plantedYAML)))
	m.Deploy("pg", opstest.NewCharm(newPG, opstest.YAML(pgYAML)))
	if err := m.Try(func() { m.Integrate("one:store", "pg:server") }); kith.CodeOf(err) == kith.Internal {
		t.Errorf("interfaces that differ: %v", err)
	}
}

func departIDs(t *testing.T) {
	h := acting(t, nothing)
	first := h.AddRelation("db", "pg")
	h.RemoveRelation(first)
	if second := h.AddRelation("db", "pg"); first != 1 || second != 2 { // 0 are the peers
		t.Errorf("relations %d and %d", first, second)
	}
}

// The one row that holds here, too: a stand-in is of the same model.
func departCrossModel(t *testing.T) {
	const uuid = "6f1c5c1e-40b7-4a45-8a4f-4d3f5a4e7a11"
	var remote kith.ModelUUID
	h := acting(t, func(f *ops.Framework, _ *ops.Model) {
		f.Observe(ops.OnRelationCreated("db", func(e *ops.RelationCreatedEvent) (err error) {
			remote, err = e.Relation.RemoteModel()
			return err
		}))
	})
	h.SetModel("here", uuid)
	h.Begin()
	h.AddRelation("db", "pg")
	expect(t, "model of the remote application", string(remote), uuid)
}

func departSecrets(t *testing.T) {
	bad := true
	h := acting(t, func(f *ops.Framework, m *ops.Model) {
		f.Observe(ops.OnStart(func(*ops.StartEvent) error {
			s, err := m.App().AddSecret(map[string]string{"password": "a"}, ops.SecretSpec{Label: "main"})
			if err != nil {
				return err
			}
			if bad {
				return errors.New("no disk")
			}
			return s.SetInfo(ops.SecretSpec{Description: "other"})
		}), ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error {
			s, err := m.GetSecretByLabel("main")
			if err != nil {
				return err
			}
			return s.SetInfo(ops.SecretSpec{Description: "another"})
		}))
	})
	h.SetLeader(true)
	_ = h.Try(h.BeginWithInitialHooks)
	if got := h.Secrets(); len(got) != 0 {
		t.Errorf("a hook that failed has made %v", got)
	}
	bad = false
	h.Retry()
	h.UpdateStatus()
	if got := fmt.Sprint(h.SecretRevisions(h.Secrets()[0])); got != "[1]" {
		t.Errorf("a new description has made revisions %s", got)
	}
	// secret-changed comes to those who have read it.
	h.UpdateConfig(nil)
	h.Events()
	user := h.AddUserSecret("key", map[string]string{"value": "a"})
	h.GrantSecret(user)
	h.SetSecretContent(user, map[string]string{"value": "b"})
	expect(t, "events of a secret nobody reads", h.EventNames(), "")
}

func departNetwork(t *testing.T) {
	var said []string
	h := acting(t, func(f *ops.Framework, m *ops.Model) {
		f.Observe(ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error {
			for _, name := range []kith.EndpointName{"db", "ring", "front", "juju-info"} {
				n, err := m.GetBinding(name).Network()
				if err != nil {
					return err
				}
				said = append(said, string(n.BindAddress()))
			}
			return nil
		}))
	})
	h.Begin()
	h.UpdateStatus()
	expect(t, "addresses", strings.Join(said, " "), strings.TrimSpace(strings.Repeat(h.Address()+" ", 4)))
}

func departConfig(t *testing.T) {
	var got map[string]any
	h := acting(t, func(f *ops.Framework, m *ops.Model) {
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) (err error) {
			got, err = m.Config()
			return err
		}))
	})
	h.Begin()
	h.UpdateConfig(map[string]any{"port": 80.0, "ratio": 1})
	expect(t, "config", fmt.Sprintf("%T %v, %T %v", got["port"], got["port"], got["ratio"], got["ratio"]), "int64 80, float64 1")
}

func departEnvironment(t *testing.T) {
	var e ops.Env
	h := acting(t, func(f *ops.Framework, _ *ops.Model) {
		f.Observe(ops.OnRelationDeparted("db", func(*ops.RelationDepartedEvent) error { e = f.Env(); return nil }))
	})
	h.Begin()
	id := h.AddRelation("db", "pg", opstest.UnitData(nil))
	h.RemoveRelation(id)
	got := fmt.Sprint(e.Name(), " ", e.Unit, " ", e.Event.Relation, " ", e.Event.RelationID, " ", e.Event.RemoteApp, " ", e.Event.RemoteUnit, " ", e.Event.DepartingUnit, " ", e.MachineID)
	expect(t, "environment", got, "db-relation-departed web/0 db 1 pg pg/0 pg/0 0")
}

func departLife(t *testing.T) {
	h := acting(t, nothing)
	h.BeginWithInitialHooks()
	h.Events()
	h.Advance(7 * time.Minute)
	h.Upgrade()
	h.Remove()
	expect(t, "events", h.EventNames(), "update-status\nupgrade-charm\nconfig-changed\nstop\nremove\n")
}
