package core

import (
	"testing"

	"pgregory.net/rapid"

	"kith"
)

// The indexes are right whatever rows come and go, in whatever order: rows
// are loaded from the store by kind, and a refused command is taken back.
func TestIndexesAreRightInAnyOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := new(Model)
		put := func(e Entity) { Apply(m, Put(e)) }
		units := []kith.UnitName{"a/0", "a/1", "a/10", "a/2", "b/0", "b/1"}
		put(&ModelInfo{UUID: "u"})
		put(&App{Name: "a", Life: kith.Alive})
		put(&App{Name: "b", Life: kith.Alive})
		for _, u := range units {
			principal := kith.UnitName("")
			if u.App() == "b" {
				principal = kith.UnitName("a/" + string(u[2:]))
			}
			put(&Unit{Name: u, App: u.App(), Life: kith.Alive, Principal: principal})
		}
		unit, version := rapid.SampledFrom(units), rapid.Uint64Range(0, 2)
		rel := Relation{ID: 3, Scope: rapid.SampledFrom([]kith.Scope{kith.Global, kith.Container}).Draw(t, "scope"), Ends: []End{{App: "a"}, {App: "b"}}}
		if rapid.Bool().Draw(t, "peer") {
			rel.Scope, rel.Ends = kith.Global, rel.Ends[:1]
			unit = rapid.SampledFrom(units[:4]) // nobody else can be in it
		}
		t.Repeat(map[string]func(*rapid.T){
			"relation": func(t *rapid.T) {
				rel.Life = rapid.SampledFrom([]kith.Life{kith.Alive, kith.Alive, kith.Dying}).Draw(t, "life")
				rel.Suspended = rapid.IntRange(0, 3).Draw(t, "suspended") == 0
				now := rel // the test goes on to change it
				put(&now)
			},
			"member": func(t *rapid.T) {
				u := unit.Draw(t, "unit")
				row := Member{Relation: 3, Unit: u, Departing: rapid.IntRange(0, 3).Draw(t, "departing") == 0, Created: rapid.Bool().Draw(t, "created"),
					ChangedPending: rapid.SampledFrom([]kith.UnitName{"", "", "b/0"}).Draw(t, "pending"), AppVersion: version.Draw(t, "app version")}
				if rel.Scope == kith.Container {
					row.Principal = container(m.Unit(u))
				}
				put(&row)
			},
			"seen": func(t *rapid.T) {
				u, remote := unit.Draw(t, "unit"), unit.Draw(t, "remote")
				if u != remote && remote.App() == rel.otherEnd(u.App()).App {
					put(&Seen{Relation: 3, Unit: u, Remote: remote, Version: version.Draw(t, "version")})
				}
			},
			"bag": func(t *rapid.T) {
				put(&Bag{Relation: 3, Owner: string(unit.Draw(t, "unit")), Version: version.Draw(t, "version")})
			},
			"app bag": func(t *rapid.T) {
				put(&Bag{Relation: 3, Owner: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "app"), Version: version.Draw(t, "version")})
			},
			"unit": func(t *rapid.T) {
				u := *m.Unit(rapid.SampledFrom(units).Draw(t, "any unit"))
				u.Life = rapid.SampledFrom([]kith.Life{kith.Alive, kith.Dying}).Draw(t, "unit's life")
				put(&u)
			},
			"application": func(t *rapid.T) {
				put(&App{Name: "a", Life: kith.Alive, Subordinate: rapid.Bool().Draw(t, "subordinate")})
			},
			"relation goes": func(t *rapid.T) {
				if m.Relation(3) != nil && rapid.IntRange(0, 3).Draw(t, "goes") == 0 {
					Apply(m, Change{Key: rel.Key()})
				}
			},
			"drop": func(t *rapid.T) {
				var keys []Key
				for row := range m.members.all() {
					keys = append(keys, row.Key())
				}
				for row := range m.seen.all() {
					keys = append(keys, row.Key())
				}
				for row := range m.bags.all() {
					keys = append(keys, row.Key())
				}
				if len(keys) > 0 {
					Apply(m, Change{Key: rapid.SampledFrom(keys).Draw(t, "key")})
				}
			},
			"": func(t *rapid.T) {
				for member := range m.members.all() {
					if !m.newsIsRight(member) {
						t.Fatalf("wrong about %+v", *member)
					}
				}
				for _, u := range units {
					if !m.dueIsRight(m.Unit(u)) {
						t.Fatalf("wrong about what %s may have to do", u)
					}
					if !m.contextsAreRight(u) {
						t.Fatalf("wrong about what hooks of %s see", u)
					}
				}
			},
		})
	})
}
