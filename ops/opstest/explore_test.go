package opstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/ops"
	"kith/ops/opstest"
)

// explorePair integrates two charms and adds and removes units on the way.
func explorePair(m *opstest.Model) error {
	m.Deploy("web", opstest.NewCharm(newWeb, opstest.YAML(webYAML)), opstest.Units(2))
	m.Deploy("pg", opstest.NewCharm(newPG, opstest.YAML(pgYAML)), opstest.Units(2))
	rel := m.Integrate("web:db", "pg")
	m.Settle()
	m.AddUnit("pg", 1)
	m.SetConfig("pg", map[string]any{"host": "db9"})
	m.Settle()
	for _, u := range m.Units("web") {
		if got := rel.Bag(string(u))["uses"]; got != "db9" {
			return fmt.Errorf("%s uses %q", u, got)
		}
	}
	m.RemoveRelation("web", "pg")
	m.Settle()
	if rel.Exists() {
		return fmt.Errorf("the relation is still there")
	}
	return nil
}

func TestExplore(t *testing.T) {
	t.Parallel()
	opstest.Explore(t, explorePair, opstest.Runs(30), opstest.MayLose("pg", "web"))
}

// naive writes the application's data at install time, when it leads, and never again: wrong as
// soon as leadership moves.
func newNaive(f *ops.Framework) (*pg, error) {
	c := &pg{f.Model()}
	f.Observe(ops.OnRelationCreated("server", func(e *ops.RelationCreatedEvent) error {
		leads, err := c.model.Unit().IsLeader()
		if err != nil || !leads {
			return err
		}
		return e.Relation.Data(c.model.App()).Set("leader", string(c.model.Unit().Name()))
	}))
	return c, nil
}

func exploreNaive(m *opstest.Model) error {
	m.Deploy("web", opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
	m.Deploy("pg", opstest.NewCharm(newNaive, opstest.YAML(pgYAML)), opstest.Units(2))
	rel := m.Integrate("web:db", "pg")
	m.Settle()
	if got, want := rel.Bag("pg")["leader"], string(m.Leader("pg")); got != want {
		return fmt.Errorf("the data says %q leads, and %q does", got, want)
	}
	return nil
}

func TestExploreFindsShrinksSavesAndReplays(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "found")
	run := func(body func(*opstest.Model) error) string {
		tb := &recorder{}
		tb.run(func() { opstest.Explore(tb, body, opstest.SaveIn(dir)) })
		return tb.fatal
	}
	said := run(exploreNaive)
	for _, want := range []string{"seed ", "the data says", "takes the lead", "saved as " + dir, "OPSTEST_SEED="} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
	if n := strings.Count(said, "\n  -- "); n != 1 {
		t.Errorf("made small, %d things happen:\n%s", n, said)
	}
	again := run(exploreNaive)
	if !strings.Contains(again, "the schedule in "+dir) || !strings.Contains(again, "replays it") {
		t.Errorf("the second run says:\n%s", again)
	}
	if said := run(explorePair); said != "" {
		t.Errorf("a body that holds: %s", said)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte("something else\n1 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := run(exploreNaive); !strings.Contains(said, "cannot replay") {
		t.Errorf("a file that is no schedule: %s", said)
	}
}

func TestExploreChecksInvariants(t *testing.T) {
	t.Parallel()
	tb := &recorder{}
	tb.run(func() {
		opstest.Explore(tb, func(m *opstest.Model) error {
			m.Invariant("one web", func() error {
				if n := len(m.Units("web")); n > 1 {
					return fmt.Errorf("there are %d", n)
				}
				return nil
			})
			return explorePair(m)
		}, opstest.SaveIn(t.TempDir()), opstest.Calm("crash", "fail", "elect"))
	})
	if !strings.Contains(tb.fatal, `invariant "one web": there are 2`) {
		t.Errorf("got %q", tb.fatal)
	}
}
