package pycharms_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testState: StoredState in both places it can be kept (ops 6.5, protocol 16.4).
func testState(t *testing.T, m *model) {
	local, central := m.stage("stateful"), m.stageOlder("stateful", "central")
	m.write(filepath.Join(central, "juju-storage"), "")
	m.do("deploy "+local+" local", "deploy "+central+" central")

	info, err := os.Stat(filepath.Join(m.charmDir("local/0"), ".unit-state.db"))
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the mode of .unit-state.db", info.Mode().Perm().String(), "-rw-------")
	if _, err := os.Stat(filepath.Join(m.charmDir("central/0"), ".unit-state.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a charm that stores in the controller has a local database too (%v)", err)
	}

	m.do("config local value=one", "config central value=one")
	for _, unit := range []string{"local/0", "central/0"} {
		wantStored(t, m, unit, 5)
	}

	// What a failed hook stored is lost with it (ops 2), and the retry starts from
	// what was stored before. The hook failed for an older configuration, so one
	// more follows (relations 13).
	m.do("config local crash=true", "config central crash=true")
	for _, app := range []string{"local", "central"} {
		want(t, app+" fails", m.status().workload(app+"/0"), `error: hook failed: "config-changed"`)
	}
	m.do("config local crash=false", "config central crash=false", "resolved local/0", "resolved central/0")
	for _, unit := range []string{"local/0", "central/0"} {
		wantStored(t, m, unit, 7)
	}

	// A refresh keeps it.
	m.write(filepath.Join(local, "new"), "")
	m.write(filepath.Join(central, "new"), "")
	m.do("refresh local --path "+local, "refresh central --path "+central)
	for _, unit := range []string{"local/0", "central/0"} {
		wantStored(t, m, unit, 9)
	}
}

// wantStored checks what a unit's charm found in its state in the last config-changed:
// that it counted n events which succeeded.
func wantStored(t *testing.T, m *model, unit string, n int) {
	t.Helper()
	result := last(t, m.events(unit, 0), "stored").Result
	names := []string{"install", "leader_elected", "config_changed", "start", "config_changed", // as deployed, and configured
		"config_changed", "config_changed", // after the failure
		"upgrade_charm", "config_changed"}[:n]
	each := map[string]int{}
	for _, name := range names {
		each[name]++
	}
	want(t, "the count of "+unit, result["count"], n)
	want(t, "the list of "+unit, result["names"], names)
	want(t, "the dictionary of "+unit, result["each"], each)
	want(t, "the set of "+unit, len(result["kinds"].([]any)), len(each))
	want(t, "bytes, text and None of "+unit, result["others"], []any{"00ff", "a: \"b\"\n- ü\n", nil})
	for what, begin := range map[string]string{"unset": "AttributeError", "wrong": "AttributeError"} {
		if text, _ := result[what].(string); !strings.HasPrefix(text, begin) {
			t.Errorf("%s of %s is %q, want %s", what, unit, text, begin)
		}
	}
}

// testDeferral: deferred events (ops 6.4), with the queue in either place.
func testDeferral(t *testing.T, m *model) {
	giver, taker := m.stage("stateful"), filepath.Join(m.dir, "taker")
	m.tree(giver, taker)
	m.write(filepath.Join(taker, "juju-storage"), "")
	for app, endpoint := range map[string]string{"giver": "give", "taker": "take"} {
		m.quiet(app, "install", "leader-elected", "start", endpoint+"-relation-created", endpoint+"-relation-joined")
	}
	m.do("deploy "+giver+" giver --config ready=false", "deploy "+taker+" taker --config ready=false")
	m.do("integrate giver:give taker:take")
	m.do("config giver value=one", "config taker value=one")

	// The one deferred event absorbs those that are equal to it, and every
	// dispatch emits it again before its own event.
	for _, side := range []struct{ app, remote, value string }{{"giver", "taker/0", "one"}, {"taker", "giver/0", "two"}} {
		unit := side.app + "/0"
		before := m.mark(unit)
		m.do("config " + side.app + " ready=true")
		got := m.since(before, unit)
		wantTrace(t, "re-emission at "+unit, got, "handled", "config-changed", "stored")
		if t.Failed() {
			return
		}
		want(t, "the deferred event's unit", got[0].Remote, side.remote)
		want(t, "the data it finds", got[0].Value, side.value)
		want(t, "the hook that brings it", got[0].Hook, "config-changed")
		before = m.mark(unit)
		m.do("config " + side.app + " value=two")
		wantTrace(t, "after it was handled, at "+unit, m.since(before, unit), "config-changed", "stored")
	}

	// A deferred event outlives its relation (ops 5.7, last row).
	m.do("config giver ready=false")
	m.do("config taker value=three")
	m.do("remove-relation giver taker")
	before := m.mark("giver/0")
	m.do("config giver ready=true")
	got := m.since(before, "giver/0")
	wantTrace(t, "re-emission after the relation", got, "handled", "config-changed", "stored")
	if t.Failed() {
		return
	}
	want(t, "active of a relation that is gone", got[0].Active, false)
	want(t, "app of a relation that is gone", got[0].RelationApp, "")
	want(t, "app of its event", got[0].App, "taker")
}
