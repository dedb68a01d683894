package controller

import (
	"context"
	"fmt"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// BenchmarkCommit is one hook's commit of five keys from Submit to its durable
// answer, over a store in memory: what the controller itself costs. Run it with
// -cpu 1 and -benchmem; make bench measures against etcd.
func BenchmarkCommit(b *testing.B) {
	for _, units := range []int{1, 64} {
		b.Run(fmt.Sprintf("units=%d", units), func(b *testing.B) {
			m := benchModel(b, units)
			b.ReportAllocs()
			b.ResetTimer()
			done := make(chan error, units)
			for i := range units {
				go func() {
					var err error
					for seq := uint64(2); err == nil && seq < uint64(b.N/units+2); seq++ {
						_, err = m.Submit(b.Context(), core.UnitActor(kith.UnitOf("db", i)), commitOf(kith.UnitOf("db", i), seq))
					}
					done <- err
				}()
			}
			for range units {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func commitOf(u kith.UnitName, seq uint64) core.CommitHook {
	set := make(map[string]string, 5)
	for k := range 5 {
		set[fmt.Sprintf("key-%d", k)] = fmt.Sprintf("value %d of hook %d", k, seq)
	}
	return core.CommitHook{Unit: u, Seq: seq, Hook: core.Hook{Kind: core.UpdateStatus},
		Effects: core.Effects{Bags: []core.BagWrite{{Relation: 1, Set: set}}}}
}

// benchModel is a running model with that many db units in a relation with one web unit.
func benchModel(b *testing.B, units int) *Model {
	keys, err := NewKeys(testSecret)
	if err != nil {
		b.Fatal(err)
	}
	c, err := Open(b.Context(), Options{Store: memstore.New(store.Limits{}).Open(store.Identity{ID: "one"}), Keys: keys})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ran := make(chan error, 1)
	go func() { ran <- c.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-ran })
	w := &world{c: c}
	var m *Model
	for m == nil {
		m, _ = w.tryModel(b)
	}
	deploy(b, m, units, dbCharm)
	deploy(b, m, 1, webCharm)
	do(b, m, core.Integrate{A: endpoint(b, "web:db"), B: endpoint(b, "db:server")})
	for i := range units {
		u := kith.UnitOf("db", i)
		for _, op := range []core.Op{
			core.CommitHook{Unit: u, Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: blobOf("db")}},
			core.EnterScopes{Unit: u, Relations: []kith.RelationID{1}},
		} {
			actor := core.System
			if op.Name() == "commit-hook" {
				actor = core.UnitActor(u)
			}
			if _, err := m.Submit(b.Context(), actor, op); err != nil {
				b.Fatal(err)
			}
		}
	}
	return m
}
