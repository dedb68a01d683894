package opstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

// Each of the charms below is wrong in a way that a test of one order of events does not see.

const plantedYAML = `
name: planted
summary: for tests
description: for tests
requires:
  store: {interface: store}
`

const storesYAML = `
name: stores
summary: for tests
description: for tests
provides:
  store: {interface: store}
`

// planted has two charms, related, with two units each.
func planted(m *opstest.Model, one, other *opstest.Charm) opstest.Relation {
	m.Deploy("planted", one, opstest.Units(2))
	m.Deploy("stores", other, opstest.Units(2))
	rel := m.Integrate("planted", "stores")
	m.Settle()
	return rel
}

// newFirst takes the unit that it has heard of first to be number 0.
func newFirst(f *ops.Framework) (struct{}, error) {
	var kept struct{ Primary string }
	f.Observe(ops.OnRelationJoined("store", func(e *ops.RelationJoinedEvent) error {
		if kept.Primary == "" {
			kept.Primary = string(e.Unit)
		}
		return e.Relation.Data(f.Model().Unit()).Set("primary", kept.Primary)
	}))
	return struct{}{}, f.StoredState("first", &kept)
}

func exploreFirst(m *opstest.Model) error {
	rel := planted(m, opstest.NewCharm(newFirst, opstest.YAML(plantedYAML)), opstest.NewCharm(newNothing, opstest.YAML(storesYAML)))
	for _, u := range m.Units("planted") {
		if got := rel.Bag(string(u))["primary"]; got != "stores/0" {
			return fmt.Errorf("%s takes %q for the primary", u, got)
		}
	}
	return nil
}

// exploreSlow has a single unit that takes the first it hears of for number 0: it is right unless that is far behind.
func exploreSlow(m *opstest.Model) error {
	m.Deploy("planted", opstest.NewCharm(newFirst, opstest.YAML(plantedYAML)))
	m.Deploy("stores", opstest.NewCharm(newNothing, opstest.YAML(storesYAML)), opstest.Units(2))
	rel := m.Integrate("planted", "stores")
	m.Settle()
	if got := rel.Bag("planted/0")["primary"]; got != "stores/0" {
		return fmt.Errorf("planted/0 takes %q for the primary", got)
	}
	return nil
}

// newProud says that it leads, and never takes it back.
func newProud(f *ops.Framework) (struct{}, error) {
	f.Observe(ops.OnReconcile(func(*ops.ReconcileEvent) error {
		r, err := f.Model().GetRelation("store")
		if err != nil || r == nil {
			return err
		}
		if leads, err := f.Model().Unit().IsLeader(); err != nil || !leads {
			return err
		}
		return r.Data(f.Model().Unit()).Set("role", "leader")
	}))
	return struct{}{}, nil
}

func exploreProud(m *opstest.Model) error {
	rel := planted(m, opstest.NewCharm(newProud, opstest.YAML(plantedYAML)), opstest.NewCharm(newNothing, opstest.YAML(storesYAML)))
	leaders := slices.DeleteFunc(m.Units("planted"), func(u kith.UnitName) bool { return rel.Bag(string(u))["role"] == "" })
	if len(leaders) != 1 {
		return fmt.Errorf("%v say that they lead", leaders)
	}
	return nil
}

// exploreTwice has a charm that does something outside, and takes an event to come once.
func exploreTwice(m *opstest.Model) error {
	done := map[kith.UnitName]int{}
	once := func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnStart(func(*ops.StartEvent) error {
			done[f.Model().Unit().Name()]++
			_, err := f.Model().Config()
			return err
		}))
		return struct{}{}, nil
	}
	planted(m, opstest.NewCharm(once, opstest.YAML(plantedYAML)), opstest.NewCharm(newNothing, opstest.YAML(storesYAML)))
	for _, u := range m.Units("planted") {
		if done[u] != 1 {
			return fmt.Errorf("%s has started the workload %d times", u, done[u])
		}
	}
	return nil
}

// newForgetful does not look who has left.
func newForgetful(f *ops.Framework) (struct{}, error) {
	var kept struct{ Known []string }
	f.Observe(ops.OnRelationJoined("store", func(e *ops.RelationJoinedEvent) error {
		kept.Known = append(kept.Known, string(e.Unit))
		slices.Sort(kept.Known)
		return e.Relation.Data(f.Model().Unit()).Set("known", strings.Join(kept.Known, " "))
	}))
	return struct{}{}, f.StoredState("forgetful", &kept)
}

func exploreForgetful(m *opstest.Model) error {
	rel := planted(m, opstest.NewCharm(newForgetful, opstest.YAML(plantedYAML)), opstest.NewCharm(newNothing, opstest.YAML(storesYAML)))
	var stores []string
	for _, u := range m.Units("stores") {
		stores = append(stores, string(u))
	}
	for _, u := range m.Units("planted") {
		if got, want := rel.Bag(string(u))["known"], strings.Join(stores, " "); got != want {
			return fmt.Errorf("%s knows %s, and there are %s", u, got, want)
		}
	}
	return nil
}

// "Explore runs the model under many legal interleavings (hook order across units, leader moves at any call,
// hook failure and retry, unit loss)": each finds the mistake that needs it, and what is left of it is small.
func TestExploreFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		body  func(*opstest.Model) error
		opts  []opstest.ExploreOption
		needs string // in the story, of that many lines
		times int
	}{
		{"order of hooks", exploreFirst, []opstest.ExploreOption{opstest.Calm("crash", "fail", "elect", "slow")}, "  <-", 0},
		{"one that is slow", exploreSlow, []opstest.ExploreOption{opstest.Calm("crash", "fail", "elect")}, "stores/1 install", 1}, // that it is slow, or out of turn
		{"leader moves", exploreProud, []opstest.ExploreOption{opstest.Calm("crash", "fail")}, "takes the lead", 1},
		{"failure and retry", exploreTwice, []opstest.ExploreOption{opstest.Calm("crash", "elect")}, "-- start of planted/", 1},
		{"crash", exploreTwice, []opstest.ExploreOption{opstest.Calm("fail", "elect")}, "-- the agent of planted/", 1},
		{"loss", exploreForgetful, []opstest.ExploreOption{opstest.Calm("crash", "fail", "elect"), opstest.MayLose("stores")}, " is lost", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			said := func(more ...opstest.ExploreOption) string {
				tb := &recorder{}
				tb.run(func() { opstest.Explore(tb, c.body, append(append(more, c.opts...), opstest.SaveIn(dir))...) })
				return tb.fatal
			}
			found := said()
			story, _, _ := strings.Cut(found, "\nit is saved as ")
			_, story, _ = strings.Cut(story, "out of turn)")
			if n := strings.Count(story, c.needs); n == 0 || c.times > 0 && n != c.times {
				t.Errorf("%q is in it %d times:\n%s", c.needs, n, found)
			}
			if n := strings.Count(story, "\n  -- "); n > 2 {
				t.Errorf("made small, %d things go wrong:\n%s", n, found)
			}
			if n := strings.Count(story, "  <-\n"); n > 8 {
				t.Errorf("made small, %d hooks are out of turn:\n%s", n, found)
			}
			for _, want := range []string{"== deploy planted\n", "== integrate planted stores\n", "== settle\n", "go test -run '^recorded$'"} {
				if !strings.Contains(found, want) {
					t.Errorf("no %q in\n%s", want, found)
				}
			}
			// The file replays to the same end, and is the same when it is found again.
			files, _ := filepath.Glob(filepath.Join(dir, "*.txt"))
			if len(files) != 1 {
				t.Fatalf("saved %v", files)
			}
			first := readText(t, files[0])
			if again := said(); !strings.Contains(again, "the schedule in "+files[0]+" fails") || !strings.Contains(again, story[:strings.LastIndex(story, "\n\n")+1]) {
				t.Errorf("replayed, it says\n%s\nand before\n%s", again, found)
			}
			if c.name != "leader moves" {
				return // once will do
			}
			if err := os.Remove(files[0]); err != nil {
				t.Fatal(err)
			}
			if said(); readText(t, files[0]) != first {
				t.Errorf("found again it is\n%s\nand was\n%s", readText(t, files[0]), first)
			}
		})
	}
}
