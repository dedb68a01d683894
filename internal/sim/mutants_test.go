package sim

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// mutant is a system with one thing broken on purpose, and the properties of
// which one must be seen broken. A simulator that lets it pass would let the
// real mistake pass, too.
type mutant struct {
	name   string
	finds  []string
	defect func() defect // made anew for each run
}

func mutants() []mutant {
	return []mutant{
		{"a store that acknowledges a write and loses it", []string{"acknowledged-writes"}, func() defect {
			return defect{commit: func(s *faultStore, own store.Ownership, b store.Batch) (store.Batch, store.Ownership, bool) {
				return b, own, b.Revision%40 == 39
			}}
		}},
		{"a store that forgets a part of a batch", []string{"store-agrees", "no-panic", "invariants", "settle-exact", "convergence", "once-only"}, func() defect {
			return defect{commit: func(s *faultStore, own store.Ownership, b store.Batch) (store.Batch, store.Ownership, bool) {
				if len(b.Puts) > 2 && b.Revision%50 == 49 {
					b.Puts = b.Puts[:len(b.Puts)-1]
				}
				return b, own, false
			}}
		}},
		{"a store that lets a former owner write", []string{"fenced"}, func() defect {
			return defect{commit: func(s *faultStore, own store.Ownership, b store.Batch) (store.Batch, store.Ownership, bool) {
				if s.w.epoch != 0 {
					own.Epoch = s.w.epoch
				}
				return b, own, false
			}}
		}},
		{"an agent that commits a hook again under the next number", []string{"once-only", "lifecycle", "changed-after-joined", "departed-once"}, func() defect {
			return defect{again: repeatCommit}
		}},
		{"a controller that refuses what it has done", []string{"refusals-leave-no-trace"}, func() defect {
			return defect{answer: func(c *call, r api.CommandReply, err error) (api.CommandReply, error) {
				if _, yes := c.op.(core.AddUnits); yes && err == nil {
					err = kith.Errorf(kith.Conflict, "no")
				}
				return r, err
			}}
		}},
		{"a controller that answers before it has written", []string{"acknowledged-writes"}, func() defect {
			return defect{answer: func(c *call, r api.CommandReply, err error) (api.CommandReply, error) {
				if _, yes := c.op.(core.CommitHook); yes && err == nil && !r.Unchanged {
					r.Revision += 2
				}
				return r, err
			}}
		}},
		{"a controller that says settled too early", []string{"settle-exact"}, func() defect {
			return defect{settled: func(p *process) bool {
				return p.engine.Settled() || len(p.engine.Settle(0).Busy) == 1
			}}
		}},
		{"a controller that never says settled", []string{"settles"}, func() defect {
			return defect{settled: func(*process) bool { return false }}
		}},
		{"everybody leads", []string{"one-leader", "settles"}, func() defect { return defect{leads: true} }},
		{"a resolver that lets something pass between joined and changed", []string{"changed-after-joined"}, func() defect {
			return defect{assign: tamper(core.RelationChanged, func(h *core.Hook) bool {
				if h.Relation.RemoteUnit == "" {
					return false
				}
				h.Relation.RemoteUnit = "" // first the application's
				return true
			})}
		}},
		{"a resolver that joins twice", []string{"departed-once", "changed-after-joined"}, func() defect {
			return defect{assign: tamper(core.RelationChanged, func(h *core.Hook) bool {
				if h.Relation.RemoteUnit == "" {
					return false
				}
				h.Kind = core.RelationJoined
				return true
			})}
		}},
		{"a resolver that creates twice", []string{"created-first"}, func() defect {
			return defect{assign: tamper(core.RelationJoined, func(h *core.Hook) bool {
				h.Kind, h.Relation.RemoteUnit = core.RelationCreated, ""
				return true
			})}
		}},
		{"a resolver that skips joined", []string{"joined-before-changed", "silent-after-departed"}, func() defect {
			return defect{assign: tamper(core.RelationJoined, func(h *core.Hook) bool { h.Kind = core.RelationChanged; return true })}
		}},
		{"a resolver that breaks peer relations", []string{"never-broken-for-peers"}, func() defect {
			return defect{assign: tamper(core.RelationDeparted, func(h *core.Hook) bool {
				h.Kind, h.Relation.RemoteUnit, h.Relation.Departing = core.RelationBroken, "", ""
				return true
			})}
		}},
		{"a resolver that breaks before all have departed", []string{"broken-last", "departed-once"}, func() defect {
			return defect{assign: tamper(core.RelationDeparted, func(h *core.Hook) bool {
				if h.Relation.RemoteUnit.App() == "cache" || h.Relation.RemoteUnit.App() == h.Relation.RemoteApp {
					h.Kind, h.Relation.RemoteUnit, h.Relation.Departing = core.RelationBroken, "", ""
				}
				return true
			})}
		}},
		{"a resolver that tells of a version not yet written", []string{"convergence"}, func() defect {
			return defect{assign: tamper(core.RelationChanged, func(h *core.Hook) bool { h.Relation.Version++; return true })}
		}},
		{"a resolver that tells units of themselves", []string{"never-about-itself"}, func() defect {
			return defect{assign: func(w *World, a *api.Assignment) {
				if r := a.Hook.Relation; r != nil && r.RemoteUnit != "" && r.RemoteApp == a.Unit.App() {
					other := *r
					other.RemoteUnit = a.Unit
					a.Hook.Relation = &other
				}
			}}
		}},
		{"a resolver that shows principals the subordinates of others", []string{"sees-whom-it-may"}, func() defect {
			return defect{assign: tamper(core.RelationJoined, func(h *core.Hook) bool {
				if h.Relation.Endpoint != "log" || h.Relation.RemoteApp != "logger" {
					return false
				}
				h.Relation.RemoteUnit = kith.UnitOf("logger", h.Relation.RemoteUnit.Number()+1)
				return true
			})}
		}},
		{"a store that puts one unit's databag in another's place", []string{"own-bags"}, func() defect {
			return defect{commit: func(_ *faultStore, own store.Ownership, b store.Batch) (store.Batch, store.Ownership, bool) {
				return misplaceBag(b), own, false
			}}
		}},
		{"a resolver that starts before config-changed", []string{"lifecycle"}, func() defect {
			return defect{assign: func(w *World, a *api.Assignment) {
				if a.Hook.Kind == core.ConfigChanged {
					a.Hook.Kind = core.Start
				}
			}}
		}},
		{"an agent whose failure counts each time it is told", []string{"once-only"}, func() defect {
			return defect{assign: func(_ *World, a *api.Assignment) { a.Context.Attempt = 1000 }}
		}},
		{"an agent that runs tasks it was told not to", []string{"tasks-once"}, func() defect { return defect{headstrong: true} }},
		{"a controller that shows secrets to everybody", []string{"secrets-read-by-readers"}, func() defect { return defect{leaky: true} }},
		{"a resolver that tells of a revision again", []string{"secrets-told"}, func() defect {
			told := map[kith.SecretID]int{}
			return defect{assign: func(_ *World, a *api.Assignment) {
				if a.Hook.Kind != core.SecretChanged {
					return
				}
				s := *a.Hook.Secret // each time the first that was announced
				if first := told[s.ID]; first != 0 {
					s.Revision = first
				}
				told[s.ID] = s.Revision
				a.Hook.Secret = &s
			}}
		}},
		{"a resolver that gives storage to a unit twice", []string{"storage-told"}, func() defect {
			return defect{assign: func(_ *World, a *api.Assignment) {
				if a.Hook.Kind == core.StorageDetaching {
					a.Hook.Kind = core.StorageAttached
				}
			}}
		}},
		{"a storage-list without what is new", []string{"storage-told"}, func() defect {
			return defect{assign: func(_ *World, a *api.Assignment) { a.Context.Storage = nil }}
		}},
		{"an agent that deletes other storage", []string{"storage-kept"}, func() defect {
			return defect{wipes: func(a *agent, id kith.StorageID) kith.StorageID {
				for s := range a.w.model().Storages() {
					if s.Life == kith.Alive && s.Attached {
						return s.ID
					}
				}
				return id
			}}
		}},
		{"an agent that keeps deleted storage", []string{"storage-kept"}, func() defect { return defect{hoards: true} }},
		{"a controller that shows resources of old", []string{"resources-told"}, func() defect {
			first := map[string]core.ResourceContext{}
			return defect{assign: func(_ *World, a *api.Assignment) {
				for i, r := range a.Context.Resources {
					key := string(a.Unit.App()) + r.Name
					if _, known := first[key]; !known {
						first[key] = r
					}
					a.Context.Resources = slices.Clone(a.Context.Resources)
					a.Context.Resources[i] = first[key]
				}
			}}
		}},
		{"an agent that reboots in secret", []string{"starts-again"}, func() defect { return defect{tireless: true} }},
		{"an agent that forgets what a hook wrote into a secret", []string{"secret-revisions"}, func() defect { return defect{forgetful: true} }},
		{"a relation-list without the one who joins", []string{"members-announced"}, func() defect {
			return defect{assign: func(w *World, a *api.Assignment) {
				a.Context.Relations = slices.Clone(a.Context.Relations)
				for i := range a.Context.Relations {
					a.Context.Relations[i].Members = nil
				}
			}}
		}},
	}
}

// misplaceBag puts a databag of a batch in another's place, which the batch does not touch.
func misplaceBag(b store.Batch) store.Batch {
	b.Puts = slices.Clone(b.Puts)
	for i, e := range b.Puts {
		relation, owner, _ := strings.Cut(e.ID, "/")
		if e.Kind == string(core.KindBag) && strings.HasSuffix(owner, "/0") {
			e.ID = relation + "/" + strings.TrimSuffix(owner, "0") + "1"
			if !slices.ContainsFunc(b.Puts, func(o store.Entity) bool { return o.Key == e.Key }) {
				b.Puts[i] = e
				break
			}
		}
	}
	return b
}

// repeatCommit sends the commit that has just been heard once more, as if it were the next hook.
func repeatCommit(u *unit, op core.CommitHook) bool {
	if op.Missing || u.attempts%7 != 6 {
		return false
	}
	u.attempts++
	op.Seq++
	u.hook.a.Seq++
	u.tell, u.phase = op, reporting
	return true
}

// tamper replaces hooks of one kind, a few of them, on their way to the agent.
func tamper(kind core.HookKind, change func(*core.Hook) bool) func(*World, *api.Assignment) {
	n := 0
	return func(_ *World, a *api.Assignment) {
		if a.Hook.Kind != kind || a.Hook.Relation == nil {
			return
		}
		hook, relation := a.Hook, *a.Hook.Relation
		hook.Relation = &relation
		if n++; n%3 == 0 && change(&hook) {
			a.Hook = hook
		}
	}
}

// maxSeeds is how many schedules a mutant may survive. Most are found in the first.
const maxSeeds = 300

func TestMutantsAreFound(t *testing.T) {
	t.Parallel()
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			others := map[string]uint64{}
			for seed := uint64(1); seed <= maxSeeds; seed++ {
				r := Run(Options{Seed: seed, Quiet: true, defect: m.defect()})
				switch {
				case r.Violation == nil:
				case slices.Contains(m.finds, r.Violation.Property):
					t.Logf("seed %d: %.200s", seed, r.Violation)
					return
				default:
					others[r.Violation.Property] = seed
				}
			}
			t.Errorf("in %d schedules none of %v was seen broken, but %v", maxSeeds, m.finds, others)
		})
	}
}

// A failing schedule becomes a small one that breaks the same property, and the
// script it is written to does it again.
func TestShrink(t *testing.T) {
	t.Parallel()
	broken := func() Options { return Options{Quiet: true, defect: defect{assign: peersBroken}} }
	opt := broken()
	opt.Seed = 3
	r := Run(opt)
	if r.Violation == nil {
		t.Fatal("nothing was found to shrink")
	}
	steps, v := Shrink(t.Context(), r.Schedule, r.Violation, broken())
	if v.Property != "never-broken-for-peers" {
		t.Fatalf("shrinking went from %s to %s", r.Violation, v)
	}
	if len(steps) > 3 {
		t.Errorf("one deployed application shows it, and %d steps are left: %v", len(steps), steps)
	}
	var script bytes.Buffer
	if err := WriteScript(&script, 3, v, steps); err != nil {
		t.Fatal(err)
	}
	opt = broken()
	var err error
	if opt.Schedule, err = ReadScript(&script); err != nil {
		t.Fatal(err)
	}
	if again := Run(opt).Violation; again == nil || *again != *v {
		t.Errorf("the script breaks %v, and should break %v", again, v)
	}
}

// peersBroken makes every departed of a peer a broken. It keeps no books, so that every run is the same.
func peersBroken(_ *World, a *api.Assignment) {
	if r := a.Hook.Relation; a.Hook.Kind == core.RelationDeparted && r.RemoteApp == a.Unit.App() {
		broken := *r
		broken.RemoteUnit, broken.Departing = "", ""
		a.Hook.Kind, a.Hook.Relation = core.RelationBroken, &broken
	}
}
