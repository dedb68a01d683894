package resolve_test

import (
	"strconv"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/internal/resolve"
)

// BenchmarkNext is one look of a unit that has nothing to do, at a relation of
// so many remote units: what every event in that relation costs each reader.
func BenchmarkNext(b *testing.B) {
	for _, members := range []int{1, 10, 100, 1000} {
		b.Run(strconv.Itoa(members), func(b *testing.B) {
			m := quiet(members)
			v, ok := core.ViewOf(m, "a/1")
			if !ok {
				b.Fatal("no view")
			}
			b.ReportAllocs()
			for b.Loop() {
				if step, ok := resolve.Next(v, noon); ok {
					b.Fatalf("unexpected step %+v", step)
				}
			}
		})
	}
}

// quiet is a model in which a/1 knows everything there is to know.
func quiet(members int) *core.Model {
	var p picture
	p.base(core.Relation{ID: 7, Scope: kith.Global, Life: kith.Alive, Ends: []core.End{
		{App: "a", Endpoint: "r", Role: kith.Requirer}, {App: "b", Endpoint: "p", Role: kith.Provider},
	}}, kith.Alive)
	p.put(&core.Member{Relation: 7, Unit: "a/1", Created: true})
	for n := range members {
		u := kith.UnitOf("b", n)
		p.put(&core.Member{Relation: 7, Unit: u, Created: true})
		p.put(&core.Seen{Relation: 7, Unit: "a/1", Remote: u, Version: 1})
		p.put(&core.Bag{Relation: 7, Owner: string(u), Version: 1})
	}
	return p.model(p.inOrder())
}
