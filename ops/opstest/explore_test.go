package opstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	if n := strings.Count(said, "\n  -- "); n == 0 || n > 2 {
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
}

// A file that was broken, by hand or by a merge, says where; one that a change of the test has made stale runs, and the log says so.
func TestExploreWithFilesOfAnotherDay(t *testing.T) {
	t.Parallel()
	const header = "opstest schedule 1\n"
	for _, c := range []struct{ name, text, fatal, logged string }{
		{"empty", "", `line 1 is "", which is not the header of a schedule, "opstest schedule 1"`, ""},
		{"something else", "package main\n1 2\n", `line 1 is "package main"`, ""},
		{"a later form", "opstest schedule 2\n1 2\n", `line 1 is "opstest schedule 2"`, ""},
		{"a merge", header + "# story\n<<<<<<< HEAD\n1 2\n", `line 3: "<<<<<<<" is no choice, which is a number from 0 on`, ""},
		{"a number", header + "1 -2\n", `line 2: "-2" is no choice`, ""},
		{"the line ends of another system", "opstest schedule 1\r\n# story\r\n0 0\r\n", "", ""},
		{"too many choices", header + strings.Repeat("0 ", 5000) + "1\n", "", "fits the test no longer"},
		{"a choice there is not", header + "99 99 99 99 99\n", "", "fits the test no longer"},
	} {
		dir, tb := t.TempDir(), &recorder{}
		file := filepath.Join(dir, "1.txt")
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		tb.run(func() { opstest.Explore(tb, explorePair, opstest.SaveIn(dir), opstest.Runs(1)) })
		switch {
		case c.fatal == "" && tb.fatal != "", !strings.Contains(tb.fatal, c.fatal), c.fatal != "" && !strings.HasPrefix(tb.fatal, "cannot replay "+file):
			t.Errorf("%s: got %q, want %q", c.name, tb.fatal, c.fatal)
		case c.fatal != "" && !strings.Contains(tb.fatal, "\nhint: remove the file"):
			t.Errorf("%s: no hint in %q", c.name, tb.fatal)
		case (c.logged == "") != (tb.logged == ""), !strings.Contains(tb.logged, c.logged):
			t.Errorf("%s: logged %q, want %q", c.name, tb.logged, c.logged)
		}
	}
}

// What would run nothing, or something else than was meant, is refused.
func TestExploreMisuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body func(*opstest.Model) error
		opt  opstest.ExploreOption
		want string
	}{
		{nil, opstest.Runs(1), "cannot explore: there is no function to run"},
		{explorePair, opstest.Runs(0), "cannot explore: Runs(0) runs nothing"},
		{explorePair, opstest.Runs(-1), "cannot explore: Runs(-1) runs nothing"},
		{explorePair, opstest.Calm("crash", "fale"), "cannot explore: Calm knows no \"fale\"\nhint: it knows crash, elect, fail and slow; units are lost only if MayLose says so"},
	} {
		tb := &recorder{}
		tb.run(func() { opstest.Explore(tb, c.body, c.opt) })
		if tb.fatal != c.want {
			t.Errorf("got %q, want %q", tb.fatal, c.want)
		}
	}
}

// Seeds run as they are named, and no others: a body that panics is a finding, and one that ends the test
// is told with its seed.
func TestExploreSeeds(t *testing.T) {
	t.Parallel()
	runs := 0
	tb := &recorder{}
	tb.run(func() {
		opstest.Explore(tb, func(*opstest.Model) error { runs++; return nil }, opstest.SaveIn(t.TempDir()), opstest.Seeds(7, 3))
	})
	if runs != 2 || tb.fatal != "" {
		t.Errorf("%d runs: %s", runs, tb.fatal)
	}
	tb = &recorder{}
	tb.run(func() {
		opstest.Explore(tb, func(m *opstest.Model) error { panic("in the body") }, opstest.SaveIn(t.TempDir()), opstest.Seeds(7))
	})
	if !strings.HasPrefix(tb.fatal, "seed 7 fails: panic: in the body\n") || !strings.Contains(tb.fatal, "explore_test.go:") {
		t.Errorf("a panic: %s", tb.fatal)
	}
	tb, over := &recorder{}, make(chan struct{})
	go func() {
		defer close(over)
		opstest.Explore(tb, func(*opstest.Model) error { runtime.Goexit(); return nil }, opstest.SaveIn(t.TempDir()), opstest.Seeds(7))
	}()
	<-over
	if tb.logged != "the test ended in a run of Explore: seed 7\n" {
		t.Errorf("logged %q", tb.logged)
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
