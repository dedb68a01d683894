package opstest_test

import (
	"fmt"
	"strconv"
	"testing"

	"kith"
	"kith/ops/opstest"
)

// BenchmarkHarnessCycle is a relation cycle of three events: a unit joins, changed follows, it
// writes, and the charm answers in its own databag.
func BenchmarkHarnessCycle(b *testing.B) {
	for _, relations := range []int{1, 200} {
		b.Run(fmt.Sprintf("relations=%d", relations), func(b *testing.B) {
			h := opstest.NewHarness(&recorder{}, opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
			for i := range relations - 1 {
				addRemote(h, "pg"+strconv.Itoa(i))
			}
			h.Begin()
			id := h.AddRelation("db", "pg")
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				unit := "pg/" + strconv.Itoa(i)
				h.AddRelationUnit(id, kith.UnitName(unit))
				h.UpdateRelationData(id, unit, map[string]string{"host": unit})
				h.RemoveRelationUnit(id, kith.UnitName(unit))
				h.Events()
			}
		})
	}
}

// BenchmarkHarnessEvent is one event: a remote unit writes, and the charm answers.
func BenchmarkHarnessEvent(b *testing.B) {
	for _, relations := range []int{1, 200} {
		b.Run(fmt.Sprintf("relations=%d", relations), func(b *testing.B) {
			h := opstest.NewHarness(&recorder{}, opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
			for i := range relations - 1 {
				addRemote(h, "pg"+strconv.Itoa(i))
			}
			id := h.AddRelation("db", "pg")
			h.AddRelationUnit(id, "pg/0")
			h.Begin()
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				h.UpdateRelationData(id, "pg/0", map[string]string{"host": strconv.Itoa(i)})
				h.Events()
			}
		})
	}
}

// BenchmarkHarnessTest is a whole test from construction to clean-up.
func BenchmarkHarnessTest(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		tb := &recorder{}
		tb.run(func() {
			h := opstest.New(tb, newWeb, opstest.YAML(webYAML))
			h.SetLeader(true)
			h.BeginWithInitialHooks()
			id := h.AddRelation("db", "pg")
			h.AddRelationUnit(id, "pg/0")
			h.UpdateRelationData(id, "pg/0", map[string]string{"host": "db1"})
			if h.GetRelationData(id, "web/0")["uses"] != "db1" {
				b.Fatal("no answer")
			}
		})
	}
}

// BenchmarkModelPair is two charms from nothing to settled.
func BenchmarkModelPair(b *testing.B) {
	web, db := opstest.NewCharm(newWeb, opstest.YAML(webYAML)), opstest.NewCharm(newPG, opstest.YAML(pgYAML))
	b.ReportAllocs()
	for range b.N {
		tb := &recorder{}
		tb.run(func() {
			m := opstest.NewModel(tb)
			m.Deploy("web", web)
			m.Deploy("pg", db)
			rel := m.Integrate("web:db", "pg")
			m.Settle()
			if rel.Bag("web/0")["uses"] != "db1" {
				b.Fatal("no answer")
			}
		})
	}
}

func addRemote(h *opstest.Harness, app string) {
	h.AddRelationUnit(h.AddRelation("db", kith.AppName(app)), kith.UnitName(app+"/0"))
}
