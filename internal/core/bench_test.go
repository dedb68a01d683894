package core_test

import (
	"encoding/base64"
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

// BenchmarkSecretRefresh is a reader that moves to the newest revision, beside 9 and 999 other
// readers; BenchmarkSecretSet is the owner's hook that makes one, which all of them will have to be told.
func BenchmarkSecretRefresh(b *testing.B) { benchSecret(b, false) }
func BenchmarkSecretSet(b *testing.B)     { benchSecret(b, true) }

func benchSecret(b *testing.B, set bool) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("readers=%d", n), func(b *testing.B) {
			w, units := pair(b, n)
			id, over := secretID(1), kith.RelationID(1)
			do := func(u kith.UnitName, s core.SecretWrite) {
				s.ID = id
				w.must(b, core.UnitActor(u), core.CommitHook{Unit: u, Seq: w.m.Progress(u).Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus},
					Effects: core.Effects{Secrets: []core.SecretWrite{s}}})
			}
			do("db/0", core.SecretWrite{Create: core.OwnerApp, SecretUpdate: core.SecretUpdate{Data: password}, Grants: []core.SecretAccess{{Subject: "web", Relation: &over}}})
			readers := units[n:] // of web
			for _, u := range readers {
				do(u, core.SecretWrite{Track: 1})
			}
			value := func(i int) core.SecretData {
				return core.SecretData{"password": base64.StdEncoding.EncodeToString(fmt.Append(nil, i))}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if set {
					do("db/0", core.SecretWrite{SecretUpdate: core.SecretUpdate{Data: value(i)}, RemoveRevisions: []int{i}})
					continue
				}
				if i%n == 0 {
					b.StopTimer()
					do("db/0", core.SecretWrite{SecretUpdate: core.SecretUpdate{Data: value(i)}})
					b.StartTimer()
				}
				do(readers[i%n], core.SecretWrite{Track: w.m.Secret(id).Latest})
			}
		})
	}
}
