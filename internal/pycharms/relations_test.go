package pycharms_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// testRelations follows one relation from beginning to end: every event of both
// sides in the order of relations 4.3, and what ops shows in each (ops 5.7).
func testRelations(t *testing.T, m *model) {
	charm := m.stage("pair")
	m.quiet("mysql/0", "install", "start")
	m.do("deploy "+charm+" wordpress", "deploy "+charm+" mysql")

	// Trace (a). A leader writes ring data in leader-elected, and hears of it (trace j).
	wantTrace(t, "start", m.events("wordpress/0", 0),
		"install", "ring-relation-created R=", "leader-elected", "config-changed", "start", "ring-relation-changed R=")

	// Trace (b): nobody writes, so that there is nothing but the minimum.
	before := m.mark("wordpress/0", "mysql/0")
	m.do("integrate wordpress:db mysql:server")
	got := m.since(before, "wordpress/0")
	wantTrace(t, "integrate, requirer", got, "db-relation-created R=", "db-relation-joined R=mysql/0", "db-relation-changed R=mysql/0")
	wantTrace(t, "integrate, provider", m.since(before, "mysql/0"),
		"server-relation-created R=", "server-relation-joined R=wordpress/0", "server-relation-changed R=wordpress/0")
	if t.Failed() {
		return
	}
	created, joined := got[0], got[1]
	want(t, "app in created", created.App, "mysql")
	want(t, "active in created", created.Active, true)
	want(t, "units in created", created.Units, []string{})
	want(t, "units in joined", joined.Units, []string{"mysql/0"})
	want(t, "get_relation in joined", joined.Lookup, joined.ID)
	for _, key := range []string{"ingress-address", "private-address", "egress-subnets"} { // relations 3.2
		if joined.Data["mysql/0"].Keys[key] == "" || joined.Data["wordpress/0"].Keys[key] == "" {
			t.Errorf("no %s in %v", key, joined.Data)
		}
	}

	testRelationData(t, m)
	testUnitComesAndGoes(t, m)
	testRelationEnds(t, m, created.ID)
}

// testRelationData: data of unit and leader arrive, once each, the application's first
// (relations 4.3 j, 5.2).
func testRelationData(t *testing.T, m *model) {
	before := m.mark("wordpress/0", "mysql/0")
	m.do("config mysql value=one")
	got := m.since(before, "wordpress/0")
	wantTrace(t, "reader", got, "db-relation-changed R=", "db-relation-changed R=mysql/0")
	wantTrace(t, "writer", m.since(before, "mysql/0"), "config-changed", "ring-relation-changed R=")
	if t.Failed() {
		return
	}
	want(t, "app data", got[0].Data["mysql"].Keys, map[string]string{"value": "one"})
	want(t, "unit data", got[1].Data["mysql/0"].Keys["value"], "one")
	want(t, "units in the application's changed", got[0].Units, []string{"mysql/0"})

	// What a failing hook wrote is not published (relations 6.4).
	before = m.mark("wordpress/0")
	m.do("config mysql probe=access_not_run")
	if now := m.since(before, "wordpress/0"); len(now) > 0 {
		t.Errorf("a failing probe was published: %v", trace(now))
	}
	want(t, "workload of a failed unit", m.status().workload("mysql/0"), `error: hook failed: "config-changed"`)
	log := m.kith("debug-log", "--limit", "0", "--include", "mysql/0")
	for _, part := range []string{"Uncaught exception while in charm code", "probe_access_not_run"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log says nothing of %q", part)
		}
	}
	m.do("config mysql probe= value=two", "resolved mysql/0")
	want(t, "data after a failure", last(t, m.events("wordpress/0", 0), "db-relation-changed").Data["mysql/0"].Keys["value"], "two")
}

// testUnitComesAndGoes: relations 4.3, traces (c) and (e).
func testUnitComesAndGoes(t *testing.T, m *model) {
	before := m.mark("wordpress/0", "mysql/0", "mysql/1")
	m.do("add-unit mysql")
	got := trace(m.since(before, "mysql/1"))
	want(t, "the new unit's start", sorted(got[:3]), []string{"install", "ring-relation-created R=", "server-relation-created R="})
	want(t, "install comes first", got[0], "install")
	want(t, "the new unit's rest", got[3:], []string{
		"leader-settings-changed", "config-changed", "start",
		"server-relation-joined R=wordpress/0", "server-relation-changed R=wordpress/0",
		"ring-relation-changed R=", "ring-relation-joined R=mysql/0", "ring-relation-changed R=mysql/0",
	})
	// It publishes in config-changed: before joined is looked at, or one changed later.
	wantTrace(t, "the other side", compact(m.since(before, "wordpress/0")), "db-relation-joined R=mysql/1", "db-relation-changed R=mysql/1")
	wantTrace(t, "its peer", compact(m.since(before, "mysql/0")), "ring-relation-joined R=mysql/1", "ring-relation-changed R=mysql/1")

	before = m.mark("wordpress/0", "mysql/0", "mysql/1")
	m.do("remove-unit --no-prompt mysql/1")
	wantTrace(t, "the unit that goes", m.since(before, "mysql/1"),
		"server-relation-departed R=wordpress/0 D=mysql/1", "server-relation-broken R=",
		"ring-relation-departed R=mysql/0 D=mysql/1", "stop", "remove")
	wantTrace(t, "its peer", m.since(before, "mysql/0"), "ring-relation-departed R=mysql/1 D=mysql/1")
	other := m.since(before, "wordpress/0")
	wantTrace(t, "the other side", other, "db-relation-departed R=mysql/1 D=mysql/1")
	if t.Failed() {
		return
	}
	departed := other[0] // ops 5.7: the unit is out of units, its bag still readable
	want(t, "units in departed", departed.Units, []string{"mysql/0"})
	want(t, "the leaver's data", departed.Data["mysql/1"].Keys["value"], "two")
	peer := m.since(before, "mysql/0")[0] // ops 5.4: not in a peer relation
	if denied := peer.Data["mysql/1"].Denied; !strings.HasPrefix(denied, "KeyError") {
		t.Errorf("the bag of a peer that left reads as %q, want a KeyError", denied)
	}
}

// testRelationEnds: relations 4.3, traces (d) and (f), and ops 5.7 on broken.
func testRelationEnds(t *testing.T, m *model, id int) {
	before := m.mark("wordpress/0", "mysql/0")
	m.do("remove-relation wordpress mysql")
	got := m.since(before, "wordpress/0")
	wantTrace(t, "remove-relation, requirer", got, "db-relation-departed R=mysql/0 D=mysql/0", "db-relation-broken R=")
	wantTrace(t, "remove-relation, provider", m.since(before, "mysql/0"),
		"server-relation-departed R=wordpress/0 D=wordpress/0", "server-relation-broken R=")
	if t.Failed() {
		return
	}
	broken := got[1]
	want(t, "active in broken", broken.Active, false)
	want(t, "units in broken", broken.Units, []string{})
	want(t, "app in broken", broken.App, "mysql")
	want(t, "relations in broken", broken.Relations, []int{})
	want(t, "get_relation in broken", broken.Lookup, nil)
	want(t, "remote app data in broken", broken.Data["mysql"].Keys["value"], "two")

	// Integrated again it is another relation, with empty bags.
	m.do("integrate wordpress:db mysql:server")
	created := last(t, m.events("wordpress/0", 0), "db-relation-created")
	if created.ID <= id {
		t.Errorf("the second relation has id %d, the first had %d", created.ID, id)
	}
	want(t, "app data of a new relation", created.Data["mysql"].Keys, map[string]string{})

	before = m.mark("wordpress/0", "mysql/0")
	m.do("remove-application --no-prompt mysql")
	wantTrace(t, "the application that goes", m.since(before, "mysql/0"),
		"server-relation-departed R=wordpress/0 D=mysql/0", "server-relation-broken R=", "stop", "remove")
	wantTrace(t, "the application that stays", m.since(before, "wordpress/0"),
		"db-relation-departed R=mysql/0 D=mysql/0", "db-relation-broken R=")
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// compact leaves out repetitions of an event: changed comes as often as there is news.
func compact(events []event) []event {
	return slices.CompactFunc(slices.Clone(events), func(a, b event) bool { return a.String() == b.String() })
}

// testAccess: the access rules as ops raises them (ops 5.4, relations 6.1), and
// several relations on one endpoint (ops 5.2). The store runs on an ops of the 2.x line.
func testAccess(t *testing.T, m *model) {
	charm, options := m.stage("pair"), " --config eager=true --config value="
	for _, app := range []string{"store", "web", "hub"} {
		m.quiet(app, "install", "start", "leader-settings-changed", "db-relation-joined", "db-relation-changed",
			"db-relation-departed", "db-relation-broken", "server-relation-joined", "server-relation-changed",
			"server-relation-departed", "ring-relation-joined", "ring-relation-changed")
	}
	m.do("deploy "+m.stageOlder("pair", "old-pair")+" store -n 2"+options+"x", "deploy "+charm+" web -n 2"+options+"y",
		"deploy "+charm+" hub"+options+"z", "integrate store:db hub:server", "integrate web:db hub:server")
	m.do("config store probe=access", "config web probe=access", "config hub probe=relations")
	// To write, ops 2.x reads first, and Juju refuses that before ops does (ops 5.4, the gap).
	wantAccess(t, m, "store", "x", "ModelError: ERROR permission denied")
	wantAccess(t, m, "web", "y", denied)
	testSeveralRelations(t, m)
}

const denied = "RelationDataAccessError"

// wantAccess checks what both units of an application probed. Value is what it published.
func wantAccess(t *testing.T, m *model, app, value, gap string) {
	t.Helper()
	leader := m.leader(app)
	const mistyped = "RelationDataTypeError"
	for _, unit := range []string{app + "/0", app + "/1"} {
		wanted := map[string]any{
			"leader": unit == leader, "planned units": 2, "own unit": nil, "own unit read back": unit,
			"own app read": denied, "own app in": gap, "own app write": gap, "own app shown": false,
			"tool app read": "Error: ERROR permission denied", "tool app write": "Error: ERROR cannot write relation settings",
			"remote unit read": true, "remote unit write": denied, "remote app read": "z", "remote app write": denied,
			"stranger read": "KeyError",
			"peer app read": value, "peer app write": denied, "peer unit read": value, "peer unit write": denied,
			"number as value": mistyped, "number as key": mistyped, "none as value": mistyped, "delete": nil, "delete absent": nil,
			"keys": []string{"egress-subnets", "ingress-address", "private-address", "written"},
		}
		if unit == leader {
			maps.Copy(wanted, map[string]any{"own app read": value, "own app in": true, "own app write": nil, "own app shown": true,
				"tool app read": map[string]string{"value": value, "written": unit}, "tool app write": nil, "peer app write": nil})
		}
		result := last(t, m.events(unit, 0), "probe").Result
		want(t, "what is probed", slices.Sorted(maps.Keys(result)), slices.Sorted(maps.Keys(wanted)))
		for _, what := range slices.Sorted(maps.Keys(wanted)) {
			wantProbe(t, fmt.Sprintf("%s of %s", what, unit), result[what], wanted[what])
		}
	}
}

// wantProbe compares a result; of an exception the beginning is enough.
func wantProbe(t *testing.T, what string, got, wanted any) {
	t.Helper()
	begin, isText := wanted.(string)
	text, alsoText := got.(string)
	if isText && alsoText && strings.Contains(begin, "Error") {
		if !strings.HasPrefix(text, begin) {
			t.Errorf("%s is %q, want %q", what, text, begin)
		}
		return
	}
	want(t, what, got, wanted)
}

func testSeveralRelations(t *testing.T, m *model) {
	result := last(t, m.events("hub/0", 0), "probe").Result
	ids := []int{}
	for _, app := range []string{"store", "web"} {
		ids = append(ids, last(t, m.events(app+"/0", 0), "db-relation-created").ID)
	}
	want(t, "endpoints", result["endpoints"], []string{"beside", "db", "ring", "server"})
	want(t, "relations", result["server"], []any{[]any{ids[0], "store", []string{"store/0", "store/1"}}, []any{ids[1], "web", []string{"web/0", "web/1"}}})
	want(t, "too many", result["too many"], []any{"server", 2, 1})
	if text, _ := result["by endpoint"].(string); !strings.HasPrefix(text, "TooManyRelatedAppsError") {
		t.Errorf("get_relation with two relations gives %q", text)
	}
	want(t, "get_relation of none", result["none"], nil)
	want(t, "get_relation by id", result["by id"], []any{ids[0], true, "store"})
	want(t, "get_relation of an unknown id", result["unknown id"], []any{99, false, nil})
	want(t, "data of an unknown id", result["unknown id's data"], map[string]string{})
	want(t, "get_relation of no endpoint", result["no endpoint"], "KeyError: 'nothing'")
	want(t, "remote_model is this model", result["remote model"], true)

	m.do("remove-relation hub web")
	broken := last(t, m.events("hub/0", 0), "server-relation-broken")
	want(t, "the relations that are left in broken", broken.Relations, ids[:1])
	want(t, "get_relation in broken with another left", broken.Lookup, ids[0])
}

// testPeers: a peer relation and its leaders (relations 4.3 g and h, 6.1).
func testPeers(t *testing.T, m *model) {
	m.quiet("ring", "install", "ring-relation-created", "leader-settings-changed", "config-changed")
	m.do("deploy " + m.stage("pair") + " ring -n 3")
	units := []string{"ring/0", "ring/1", "ring/2"}
	leader := m.leader("ring")
	for _, unit := range units {
		events := m.events(unit, 0)
		seen := trace(compact(events))
		for _, peer := range units {
			if peer == unit {
				continue
			}
			at := slices.Index(seen, "ring-relation-joined R="+peer)
			if at < slices.Index(seen, "start") || at+1 >= len(seen) || seen[at+1] != "ring-relation-changed R="+peer {
				t.Errorf("%s joined by %s: %v", unit, peer, seen)
			}
		}
		final := events[len(events)-1]
		want(t, "who leads, at "+unit, final.Data["ring"].Keys["leader"], leader)
		want(t, "the peers of "+unit, final.Units, without(units, unit))
	}
	before := m.mark(units...)
	m.do("remove-unit --no-prompt " + leader)
	others := without(units, leader)
	wantTrace(t, "the leader that goes", m.since(before, leader),
		"ring-relation-departed R="+others[0]+" D="+leader, "ring-relation-departed R="+others[1]+" D="+leader, "stop", "remove")
	next := m.leader("ring")
	for _, unit := range others {
		wanted := []string{"ring-relation-changed R=", "ring-relation-departed R=" + leader + " D=" + leader}
		if unit == next {
			wanted = append(wanted, "leader-elected")
		}
		want(t, "what "+unit+" sees", sorted(trace(m.since(before, unit))), sorted(wanted))
		want(t, "who leads then, at "+unit, last(t, m.events(unit, 0), "ring-relation-changed").Data["ring"].Keys["leader"], next)
	}
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}

// testSubordinates: relations 3.3, 4.3 (i) and 9.
func testSubordinates(t *testing.T, m *model) {
	m.quiet("host", "install", "config-changed", "start", "leader-elected", "leader-settings-changed",
		"ring-relation-created", "ring-relation-joined", "ring-relation-changed", "beside-relation-created",
		"beside-relation-joined", "beside-relation-departed", "beside-relation-broken")
	m.do("deploy "+m.stage("pair")+" host -n 2", "deploy "+m.stageOlder("sidekick", "old-sidekick")+" sidekick", "integrate host:beside sidekick:beside")
	status := m.status()
	for _, principal := range []string{"host/0", "host/1"} {
		var side string
		for name := range status.Applications["host"].Units[principal].Subordinates {
			side = name
		}
		wantTrace(t, "the subordinate "+side, compact(withoutLeader(m.events(side, 0))),
			"install", "beside-relation-created R=", "config-changed", "start",
			"beside-relation-joined R="+principal, "beside-relation-changed R="+principal)
		seen := last(t, m.events(principal, 0), "beside-relation-changed")
		want(t, "what "+principal+" sees", seen.Units, []string{side})
		want(t, "JUJU_PRINCIPAL_UNIT", seen.Data[side].Keys["beside"], principal)
		want(t, "what the subordinate sees", last(t, m.events(side, 0), "beside-relation-changed").Units, []string{principal})
	}

	// Over juju-info the principal runs nothing; the same subordinate serves both relations.
	m.quiet("sidekick/1", "host-relation-created", "host-relation-joined", "host-relation-changed", "host-relation-departed",
		"host-relation-broken", "beside-relation-departed", "beside-relation-broken", "stop", "remove")
	before := m.mark("host/0", "sidekick/0")
	m.do("integrate host:juju-info sidekick:host")
	wantTrace(t, "the implicit side", m.since(before, "host/0"))
	if events := trace(m.since(before, "sidekick/0")); len(events) != 3 || events[0] != "host-relation-created R=" {
		t.Errorf("the subordinate over juju-info ran %v", events)
	}
	before = m.mark("sidekick/0")
	m.do("remove-relation host:beside sidekick:beside")
	if events := trace(m.since(before, "sidekick/0")); slices.Contains(events, "stop") {
		t.Errorf("the subordinate ended with a container relation left: %v", events)
	}
	before = m.mark("sidekick/0")
	m.do("remove-relation host:juju-info sidekick:host")
	events := m.since(before, "sidekick/0")
	if len(events) != 4 || !strings.HasSuffix(events[0].String(), " D=sidekick/0") {
		t.Errorf("without a container relation the subordinate ran %v", trace(events))
		return
	}
	wantTrace(t, "the end of the subordinate", events[1:], "host-relation-broken R=", "stop", "remove")
}

// withoutLeader leaves out what only one of two units runs, in an order that varies.
func withoutLeader(events []event) []event {
	return slices.DeleteFunc(slices.Clone(events), func(e event) bool { return strings.HasPrefix(e.Event, "leader-") })
}
