package opstest_test

import (
	"fmt"
	"strings"
	"testing"

	"kith"
	"kith/ops/opstest"
)

const consistentYAML = `
name: web
summary: for tests
description: for tests
requires:
  db: {interface: pgsql}
peers:
  ring: {interface: ring}
storage:
  data: {type: filesystem, multiple: {range: 0-2}}
resources:
  image: {type: file, filename: image.tgz}
config:
  options:
    port: {type: int}
    key: {type: secret}
actions:
  backup:
    params:
      to: {type: string}
    additionalProperties: false
`

// The consistency rules of the ops reference, section 11, that can be broken here: what Python's Scenario
// looks for in a state that a test made up is refused where it is asked for. The others cannot be said: an event comes
// of what happened, so that it fits its relation (2-4, 28-30), storage (17, 18, 20) or secret (46), and its action is
// declared (10, 11); numbers are not given twice (23, 49), and which kind a relation is of stands in the metadata (21, 24, 25). Of containers (5-9, 31-39) there
// are none, and no other Juju (47, 52).
func TestConsistency(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newNothing, opstest.YAML(consistentYAML))
	ring := h.AddRelation("ring", "web")
	h.Begin()
	refuse(t, h.Try, func() string { return fmt.Sprint(h.RelationUnits(ring), h.Storages("data")) }, []mistake{
		{"12", func() { h.RunAction("restore", nil) },
			`cannot run action "restore" on unit "web/0": action "restore" not defined on unit "web/0"; charm "web" has these actions: backup`},
		{"15", func() { h.RunAction("backup", map[string]any{"from": "x"}) },
			`cannot run action "backup" on unit "web/0": validation failed: (root) : additional property "from" is not allowed, given {"from":"x"}; charm "web" has these actions: backup`},
		{"16", func() { h.RunAction("backup", map[string]any{"to": 3}) },
			`cannot run action "backup" on unit "web/0": validation failed: (root).to : must be of type string, given 3; charm "web" has these actions: backup`},
		{"19 and 48", func() { h.AddStorage("cache", 1) }, `charm storage "cache" not found; charm "web" declares data`},
		{"22", func() { h.AddRelation("cache", "redis") }, `charm "web" has no endpoint "cache"; the metadata of the charm has to name it`},
		{"27", func() { h.AddRelationUnit(ring, "web/0") },
			`cannot add unit "web/0" to relation 0: it is the one under test; it enters its relations by itself, after Begin`},
		{"40", func() { h.UpdateConfig(map[string]any{"host": "x"}) }, `unknown option "host"; charm "web" has these options: key, port`},
		{"43", func() { h.UpdateConfig(map[string]any{"port": true}) }, `option "port" expected int, got true; the value must be a whole number`},
		{"44", func() { h.UpdateConfig(map[string]any{"key": "abc"}) }, `option "key" expected secret, got "abc"; the value must be empty or begin with secret:`},
		{"45", func() { h.AddResource("picture", nil) }, `unrecognized resource "picture"; charm "web" declares image`},
	})
	for rule, change := range map[string][2]string{ // any order: each alone
		"26": {"peers:\n  ring:", "peers:\n  db:"}, "41": {"port: {type: int}", "port: {default: 1, typ: int}"}, "42": {"port: {type: int}", "port: {type: number}"},
	} {
		tb := &recorder{}
		yaml := strings.Replace(consistentYAML, change[0], change[1], 1)
		tb.run(func() { opstest.New(tb, newNothing, opstest.YAML(yaml)) })
		if !strings.Contains(tb.fatal, "cannot read the charm's metadata: ") || !strings.Contains(tb.fatal, "\nhint: ") {
			t.Errorf("rule %s: %q", rule, tb.fatal)
		}
	}
}

// Relations reference, section 4.2, with all there may be at once: storage before install; a created of each relation, peers
// last; leadership; config-changed and start; and then relation by relation the application's data, and each unit's
// joined and changed in order of name.
func TestBeginWithEverything(t *testing.T) {
	t.Parallel()
	for leads, said := range map[bool]string{true: "leader-elected", false: "leader-settings-changed"} { // any order: each alone
		h := opstest.New(t, newNothing, opstest.YAML(strings.Replace(consistentYAML, "  db: {interface: pgsql}", "  db: {interface: pgsql}\n  cache: {interface: redis}", 1)))
		h.AddStorage("data", 2)
		cache := h.AddRelation("cache", "redis", opstest.UnitData(map[string]string{"host": "r"}))
		db := h.AddRelation("db", "pg", opstest.AppData(map[string]string{"version": "14"}))
		for _, u := range []kith.UnitName{"pg/10", "pg/2"} {
			h.AddRelationUnit(db, u)
		}
		h.AddRelation("db", "empty")
		ring := h.AddRelation("ring", "web")
		h.AddRelationUnit(ring, "web/3")
		h.UpdateRelationData(ring, "web", map[string]string{"a": "b"})
		key := h.AddUserSecret("key", map[string]string{"value": "v"})
		h.GrantSecret(key)
		h.GrantSecret(h.AddModelSecret(cache, "redis", map[string]string{"password": "p"}))
		h.UpdateConfig(map[string]any{"key": key})
		h.SetLeader(leads)
		h.BeginWithInitialHooks()
		expect(t, "events", h.EventNames(), `data-storage-attached
data-storage-attached
install
cache-relation-created app=redis
db-relation-created app=pg
db-relation-created app=empty
ring-relation-created app=web
`+said+`
config-changed
start
cache-relation-joined unit=redis/0
cache-relation-changed unit=redis/0
db-relation-changed app=pg
db-relation-joined unit=pg/0
db-relation-changed unit=pg/0
db-relation-joined unit=pg/10
db-relation-changed unit=pg/10
db-relation-joined unit=pg/2
db-relation-changed unit=pg/2
ring-relation-changed app=web
ring-relation-joined unit=web/3
ring-relation-changed unit=web/3
`)
	}
}
