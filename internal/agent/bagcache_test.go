package agent

import (
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// hookOn is an assignment in which pg/0 and pg/1 are announced members of relation 4.
func hookOn(kind core.HookKind, remote kith.UnitName, members ...kith.UnitName) *api.Assignment {
	a := &api.Assignment{Hook: core.Hook{Kind: kind}}
	if remote != "" {
		a.Hook.Relation = &core.RelationHook{ID: 4, Endpoint: "db", RemoteApp: "pg", RemoteUnit: remote}
	}
	a.Context.Relations = []*core.RelationContext{{ID: 4, Members: members}}
	return a
}

// Relations reference, section 6.5, "bag of an announced member".
func TestBagCache(t *testing.T) {
	t.Parallel()
	zero, one := bagKey{4, "pg/0"}, bagKey{4, "pg/1"}
	var c bagCache
	fill := func() {
		c.fill(hookOn(core.ConfigChanged, "", "pg/0", "pg/1"))
		c.put(zero, map[string]string{"k": "0"})
		c.put(one, map[string]string{"k": "1"})
	}
	for _, s := range []struct {
		what         string
		next         *api.Assignment
		keep0, keep1 bool
	}{
		{"a hook about nobody", hookOn(core.ConfigChanged, "", "pg/0", "pg/1"), true, true},
		{"changed of pg/0", hookOn(core.RelationChanged, "pg/0", "pg/0", "pg/1"), false, true},
		{"joined of pg/1", hookOn(core.RelationJoined, "pg/1", "pg/0", "pg/1"), true, false},
		{"pg/0 has departed", hookOn(core.ConfigChanged, "", "pg/1"), false, true},
		{"the relation is gone", &api.Assignment{}, false, false},
	} {
		fill()
		c.fill(s.next)
		_, has0 := c.get(zero)
		_, has1 := c.get(one)
		if has0 != s.keep0 || has1 != s.keep1 {
			t.Errorf("%s: kept pg/0 %v, pg/1 %v; want %v, %v", s.what, has0, has1, s.keep0, s.keep1)
		}
	}
	a := hookOn(core.RelationChanged, "pg/0", "pg/0")
	a.Context.Bags = []core.BagContent{{Relation: 4, Owner: "pg/0", Data: map[string]string{"k": "new"}}, {Relation: 4, Owner: "pg"}}
	fill()
	c.fill(a)
	if data, _ := c.get(zero); data["k"] != "new" {
		t.Errorf("what came with the hook was not kept: %v", data)
	}
	if _, ok := c.get(bagKey{4, "pg"}); ok {
		t.Error("an application's bag was kept")
	}
}

func TestBagCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c bagCache
	big := map[string]string{"k": strings.Repeat("x", bagCacheLimit/3)}
	for i := range 10 {
		c.put(bagKey{kith.RelationID(i), "pg/0"}, big)
		if c.size > bagCacheLimit {
			t.Fatalf("%d bytes", c.size)
		}
	}
	c.put(bagKey{99, "pg/0"}, map[string]string{"k": strings.Repeat("x", bagCacheLimit)})
	if _, ok := c.get(bagKey{99, "pg/0"}); ok || c.size > bagCacheLimit {
		t.Errorf("kept a bag over the limit; %d bytes", c.size)
	}
}
