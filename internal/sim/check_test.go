package sim

import (
	"testing"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// The checkers that no mutant reaches, because core refuses what they look for,
// are shown what they look for here.

func ran(unit kith.UnitName, kind core.HookKind) fact {
	return fact{kind: factRan, unit: unit, hook: core.Hook{Kind: kind}}
}

func feed(c factChecker, facts ...fact) string {
	for _, f := range facts {
		if bad := c.fact(f); bad != "" {
			return bad
		}
	}
	return ""
}

func TestErrorsBlock(t *testing.T) {
	t.Parallel()
	failed := fact{kind: factFailed, unit: "db/0", hook: core.Hook{Kind: core.Start}}
	if bad := feed(&errorsBlock{}, failed, ran("db/0", core.Start), ran("db/0", core.UpdateStatus)); bad != "" {
		t.Errorf("the failed hook ran again, and: %s", bad)
	}
	if bad := feed(&errorsBlock{}, failed, ran("db/1", core.UpdateStatus)); bad != "" {
		t.Errorf("another unit goes on, and: %s", bad)
	}
	if feed(&errorsBlock{}, failed, ran("db/0", core.UpdateStatus)) == "" {
		t.Error("a hook ran while another was in error, and nobody minds")
	}
}

func TestRevisions(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return epoch0.Add(time.Duration(s) * time.Second) }
	l := &ledger{batch: 3, revision: 2, entries: []core.Entry{{Revision: 1, Time: at(1)}, {Revision: 2, Time: at(2)}}}
	c := &revisions{}
	if bad := c.entry(l, &core.Entry{Revision: 3, Time: at(2), Cause: 2}); bad != "" {
		t.Error(bad)
	}
	for what, e := range map[string]core.Entry{
		"a gap":          {Revision: 4, Time: at(3)},
		"a repetition":   {Revision: 2, Time: at(3)},
		"time goes back": {Revision: 3, Time: at(1)},
		"a future cause": {Revision: 3, Time: at(3), Cause: 9},
	} {
		if c.entry(l, &e) == "" {
			t.Errorf("%s was not seen", what)
		}
	}
	if bad := c.batch(l, store.Batch{Revision: 4}, record{Last: 3, Entries: make([]core.Entry, 1)}); bad != "" {
		t.Error(bad)
	}
	if c.batch(l, store.Batch{Revision: 5}, record{Last: 3, Entries: make([]core.Entry, 1)}) == "" {
		t.Error("a gap between batches was not seen")
	}
}

func TestOneLeader(t *testing.T) {
	t.Parallel()
	c := &oneLeader{}
	if c.leads("db/0", epoch0, 5) != "" || c.leads("db/0", epoch0.Add(20*time.Second), 5) != "" {
		t.Error("a unit may be told twice")
	}
	if c.leads("web/0", epoch0.Add(20*time.Second), 5) != "" {
		t.Error("applications lead each their own")
	}
	if c.leads("db/1", epoch0.Add(49*time.Second), 6) == "" {
		t.Error("29 seconds after a promise another unit was told that it leads, and nobody minds")
	}
	if bad := c.leads("db/1", epoch0.Add(50*time.Second), 6); bad != "" {
		t.Error(bad)
	}
	c.entry(nil, &core.Entry{Revision: 8, Command: "elect", Deltas: []core.Delta{{Kind: core.KindLease, ID: "db"}}})
	if bad := c.leads("db/0", epoch0.Add(51*time.Second), 8); bad != "" {
		t.Errorf("leadership was moved by hand, and: %s", bad)
	}
}

func TestNothingLeft(t *testing.T) {
	t.Parallel()
	m := &core.Model{}
	core.Apply(m, core.Put(&core.ModelInfo{}))
	if bad := (nothingLeft{}).empty(m); bad != "" {
		t.Error(bad)
	}
	lease := core.Lease{App: "db"}
	core.Apply(m, core.Put(&lease))
	if (nothingLeft{}).empty(m) == "" {
		t.Error("a lease was left, and nobody minds")
	}
}

// bagWritten is a batch in which a databag is written by who says so.
func bagWritten(id string, by core.Actor, command string, also ...core.Delta) (store.Batch, record) {
	put := store.Entity{Key: store.Key{Kind: string(core.KindBag), ID: id}, Value: []byte(`{"data":{"by":"` + by.Name + " " + command + `"}}`)}
	e := core.Entry{Actor: by, Command: command, Deltas: append(also, core.Delta{Kind: core.KindBag, ID: id})}
	return store.Batch{Puts: []store.Entity{put}}, record{Entries: []core.Entry{e}}
}

func TestOwnBags(t *testing.T) {
	t.Parallel()
	entered := core.Delta{Kind: core.KindMember, ID: "5/db/1", Action: core.Added}
	moved := core.Delta{Kind: core.KindLease, ID: "db", Action: core.Changed}
	for _, x := range []struct {
		bag     string
		by      core.Actor
		command string
		also    []core.Delta
		may     bool
	}{
		{"5/db/1", core.UnitActor("db/1"), "commit-hook", nil, true},
		{"5/db/1", core.UnitActor("db/0"), "commit-hook", nil, false},
		{"5/db/1", core.System, "enter-scopes", []core.Delta{entered}, true},
		{"5/db/0", core.System, "enter-scopes", []core.Delta{entered}, false},
		{"5/db/1", core.System, "tick", nil, false},
		{"5/db/1", core.Actor{Kind: core.ActorUser, Name: "admin"}, "config", nil, false},
		{"5/db", core.UnitActor("db/0"), "finish-task", nil, true},
		{"5/db", core.UnitActor("db/1"), "commit-hook", nil, false},
		{"5/db", core.UnitActor("db/1"), "commit-hook", []core.Delta{moved}, false},
		{"5/db", core.UnitActor("db/1"), "commit-hook", []core.Delta{moved, moved}, true},
		{"5/web", core.UnitActor("db/0"), "commit-hook", nil, false},
	} {
		c := &ownBags{leases: rows[core.Lease]{"db": {App: "db", Holder: "db/0"}}}
		b, r := bagWritten(x.bag, x.by, x.command, x.also...)
		if bad := c.batch(nil, b, r); (bad == "") != x.may {
			t.Errorf("%s writes %s by %s, and: %q", x.by, x.bag, x.command, bad)
		}
	}
}

// The databags of a relation go with it, and it goes if an operator says so.
func TestOwnBagsStay(t *testing.T) {
	t.Parallel()
	gone := store.Batch{Deletes: []store.Key{{Kind: string(core.KindBag), ID: "5/db"}}}
	leaves := core.Entry{Actor: core.UnitActor("db/0"), Command: "commit-hook", Deltas: []core.Delta{{Kind: core.KindBag, ID: "5/db", Action: core.Deleted}}}
	ends := core.Entry{Actor: core.Actor{Kind: core.ActorUser, Name: "admin"}, Command: "remove-relation",
		Deltas: []core.Delta{{Kind: core.KindRelation, ID: "5", Action: core.Changed, Life: kith.Dying}}}
	c := &ownBags{}
	if c.batch(nil, gone, record{Entries: []core.Entry{leaves}}) == "" {
		t.Error("what an application published went with its last unit, and nobody minds")
	}
	if bad := c.batch(nil, store.Batch{}, record{Entries: []core.Entry{ends}}); bad != "" {
		t.Error(bad)
	}
	if bad := c.batch(nil, gone, record{Entries: []core.Entry{leaves}}); bad != "" {
		t.Error(bad)
	}
}

// related is a model at rest: a principal with its subordinate unit, both in their relation.
func related() *core.Model {
	m := &core.Model{}
	for _, c := range cast() {
		if c.id == "web-2" || c.id == "logger-1" {
			core.Apply(m, core.Put(&core.CharmInfo{ID: c.id, Charm: c.charm}))
		}
	}
	core.Apply(m, core.Put(&core.App{Name: "web", Charm: "web-2", Life: kith.Alive}))
	core.Apply(m, core.Put(&core.App{Name: "logger", Charm: "logger-1", Life: kith.Alive, Subordinate: true}))
	core.Apply(m, core.Put(&core.Unit{Name: "web/0", App: "web", Life: kith.Alive, Subordinates: []kith.UnitName{"logger/0"}}))
	core.Apply(m, core.Put(&core.Unit{Name: "logger/0", App: "logger", Life: kith.Alive, Principal: "web/0"}))
	core.Apply(m, core.Put(&core.Progress{Unit: "web/0", Installed: true, Charm: "web-2"}))
	core.Apply(m, core.Put(&core.Progress{Unit: "logger/0", Installed: true, Charm: "logger-1"}))
	core.Apply(m, core.Put(&core.Relation{ID: 3, Scope: kith.Container, Life: kith.Alive,
		Ends: []core.End{{App: "logger", Endpoint: "log", Role: kith.Requirer}, {App: "web", Endpoint: "log", Role: kith.Provider}}}))
	core.Apply(m, core.Put(&core.Member{Relation: 3, Unit: "web/0", Principal: "web/0"}))
	core.Apply(m, core.Put(&core.Member{Relation: 3, Unit: "logger/0", Principal: "web/0"}))
	return m
}

func TestInScope(t *testing.T) {
	t.Parallel()
	if bad := (inScope{}).look(related()); bad != "" {
		t.Fatal(bad)
	}
	relation := func(change func(*core.Relation)) func(*core.Model) {
		return func(m *core.Model) {
			r := *m.Relation(3)
			change(&r)
			core.Apply(m, core.Put(&r))
		}
	}
	for what, spoil := range map[string]func(*core.Model){
		"a unit stays outside":     func(m *core.Model) { core.Apply(m, core.Change{Key: core.Key{Kind: core.KindMember, ID: "3/web/0"}}) },
		"suspended, and inside":    relation(func(r *core.Relation) { r.Suspended = true }),
		"dying for ever":           relation(func(r *core.Relation) { r.Life = kith.Dying }),
		"a subordinate is missing": func(m *core.Model) { u := *m.Unit("web/0"); u.Subordinates = nil; core.Apply(m, core.Put(&u)) },
		"nothing holds the subordinate": func(m *core.Model) {
			core.Apply(m, core.Change{Key: core.Key{Kind: core.KindMember, ID: "3/web/0"}})
			core.Apply(m, core.Change{Key: core.Key{Kind: core.KindMember, ID: "3/logger/0"}})
			core.Apply(m, core.Change{Key: core.Key{Kind: core.KindRelation, ID: "3"}})
		},
	} {
		m := related()
		spoil(m)
		if (inScope{}).look(m) == "" {
			t.Errorf("%s, and nobody minds", what)
		}
	}
}

// Every checker is told something, and has a name of its own.
func TestCheckersListen(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range checkers() {
		if names[c.name()] {
			t.Errorf("two checkers are named %s", c.name())
		}
		names[c.name()] = true
		switch c.(type) {
		case factChecker, entryChecker, batchChecker, landedChecker, answerChecker, turnChecker, restChecker, emptyChecker:
		default:
			t.Errorf("%s is never told anything", c.name())
		}
	}
}
