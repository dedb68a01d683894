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
