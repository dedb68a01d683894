package core_test

import (
	"fmt"
	"testing"

	"kith"
	"kith/internal/core"
)

// pair is a relation of n units on each side, everybody in scope.
func pair(b *testing.B, n int) (*world, []kith.UnitName) {
	b.Helper()
	w := newWorld(b)
	w.must(b, admin, core.Deploy{App: "db", Charm: "db", Units: n})
	w.must(b, admin, core.Deploy{App: "web", Charm: "web", Units: n})
	w.must(b, admin, core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "db"}})
	var units []kith.UnitName
	for u := range w.m.Units() {
		units = append(units, u.Name)
	}
	for _, u := range units {
		w.must(b, core.System, core.UnitHello{Unit: u})
		w.must(b, core.UnitActor(u), core.CommitHook{Unit: u, Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: string(u.App())}})
		w.must(b, core.System, core.EnterScopes{Unit: u, Relations: []kith.RelationID{0, 1}})
	}
	return w, units
}

// BenchmarkCommitHook is the pure part of a hook commit that writes five keys,
// beside models of 10 and 1,000 units.
func BenchmarkCommitHook(b *testing.B) {
	for _, n := range []int{5, 500} {
		b.Run(fmt.Sprintf("units=%d", 2*n), func(b *testing.B) {
			w, units := pair(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				u := units[i%len(units)]
				set := map[string]string{}
				for k := range 5 {
					set[fmt.Sprintf("key-%d", k)] = fmt.Sprint(i)
				}
				w.must(b, core.UnitActor(u), core.CommitHook{
					Unit: u, Seq: w.m.Progress(u).Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus},
					Effects: core.Effects{Bags: []core.BagWrite{{Relation: 1, Set: set}}},
				})
			}
		})
	}
}
