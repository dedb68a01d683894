package opstest_test

import (
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// Relations reference, section 4.2: install, relation-created, leadership, config-changed, start, then the rest.
func TestBeginWithInitialHooks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.AddRelation("db", "pg", opstest.AppData(map[string]string{"version": "14"}), opstest.UnitData(map[string]string{"host": "db1"}))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	expect(t, "events", h.EventNames(), `install
db-relation-created app=pg
cluster-relation-created app=web
leader-elected
config-changed
start
db-relation-changed app=pg
db-relation-joined unit=pg/0
db-relation-changed unit=pg/0
`)
	if got := h.GetRelationData(id, "web/0")["uses"]; got != "db1" {
		t.Errorf("uses is %q", got)
	}
	expect(t, "status", h.Status().String(), "active: 2 events")
}

func TestBeginTellsNothingOfBefore(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.AddRelation("db", "pg")
	h.AddRelationUnit(id, "pg/0")
	h.UpdateRelationData(id, "web/0", map[string]string{"mine": "yes"})
	h.UpdateRelationData(id, "web", map[string]string{"ours": "yes"})
	h.UpdateRelationData(id, "pg", map[string]string{"theirs": "yes"})
	h.Begin()
	expect(t, "events", h.EventNames(), "")
	h.UpdateRelationData(id, "pg/0", map[string]string{"host": "db1"})
	expect(t, "events", h.EventNames(), "db-relation-changed unit=pg/0\n")
	for party, key := range map[string]string{"web/0": "mine", "web": "ours", "pg": "theirs"} {
		if h.GetRelationData(id, party)[key] != "yes" {
			t.Errorf("%s has %v", party, h.GetRelationData(id, party))
		}
	}
	if got := h.GetRelationData(id, "pg/7"); got != nil {
		t.Errorf("a unit that is not there has %v", got)
	}
}

// Relations reference, section 5.2: departed for every unit, in order of name, then broken.
func TestRemoveRelation(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	id := h.AddRelation("db", "pg")
	h.AddRelationUnit(id, "pg/1")
	h.AddRelationUnit(id, "pg/0")
	h.UpdateRelationData(id, "pg", map[string]string{"version": "14"})
	h.RemoveRelationUnit(id, "pg/1")
	h.RemoveRelation(id)
	again := h.AddRelation("db", "pg")
	h.AddRelationUnit(again, "pg/0")
	expect(t, "events", h.EventNames(), `db-relation-created app=pg
db-relation-joined unit=pg/1
db-relation-changed unit=pg/1
db-relation-joined unit=pg/0
db-relation-changed unit=pg/0
db-relation-changed app=pg
db-relation-departed unit=pg/1 departing=pg/1
db-relation-departed unit=pg/0 departing=pg/0
db-relation-broken app=pg
db-relation-created app=pg
db-relation-joined unit=pg/0
db-relation-changed unit=pg/0
`)
}

func TestLeadership(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.SetLeader(true)
	h.SetLeader(true)
	h.SetLeader(false)
	if h.IsLeader() {
		t.Error("it leads")
	}
	peers := h.AddRelation("cluster", "web")
	h.UpdateRelationData(peers, "web", map[string]string{"leader": "another"})
	h.AddRelationUnit(peers, "web/1")
	h.SetLeader(true)
	h.UpdateRelationData(peers, "web", map[string]string{"leader": "me"})
	expect(t, "events", h.EventNames(), `leader-elected
leader-settings-changed
cluster-relation-changed app=web
cluster-relation-joined unit=web/1
cluster-relation-changed unit=web/1
leader-elected
cluster-relation-changed app=web
`)
}

func TestConfigAndFailure(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.UpdateConfig(map[string]any{"port": 80})
	h.UpdateConfig(map[string]any{"port": 80}) // changes nothing
	err := h.Try(func() { h.UpdateConfig(map[string]any{"mode": "broken"}) })
	hook, ok := err.(*opstest.HookError)
	if !ok || hook.Hook != "config-changed" || hook.Unit != "web/0" {
		t.Fatalf("got %v", err)
	}
	expect(t, "status", h.Status().String(), `error: hook failed: "config-changed"`)
	if err := h.Try(func() { h.UpdateConfig(map[string]any{"no-such": "option"}) }); kith.CodeOf(err) != kith.Invalid && kith.CodeOf(err) != kith.NotFound {
		t.Errorf("got %v", err)
	}
	h.HooksDisabled(func() { h.UpdateConfig(nil, "mode") })
	h.Retry()
	expect(t, "events", h.EventNames(), "config-changed\nconfig-changed -> failed: mode is broken\nconfig-changed\nconfig-changed\n")
	expect(t, "status", h.Status().String(), "active: 3 events")
	if got := opstest.CharmOf[*web](h).seen; len(got) != 1 || got[0] != "config-changed" {
		t.Errorf("the charm saw %v", got)
	}
}

func TestOwnLife(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	h.AddRelation("db", "pg", opstest.UnitData(map[string]string{"host": "x"}))
	h.UpdateStatus()
	h.Upgrade()
	h.Events()
	h.Remove()
	expect(t, "events", h.EventNames(), `db-relation-departed unit=pg/0 departing=web/0
db-relation-broken app=pg
stop
remove
`)
	expect(t, "status", h.Status().String(), ops.Status{Name: kith.Terminated}.String())
}
