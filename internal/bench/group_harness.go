package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

const (
	harnessRounds = 3 // ours and Python's in turns
	cycleRounds   = 300
	cycleTurn     = 50 // of these in a row
	wholeRounds   = 300

	// The targets: a fiftieth and a hundredth of what Python takes.
	cycleShare = 0.02
	wholeShare = 0.01
	// flat is what an event beside 200 relations may take against one beside one.
	flat    = 1.5
	modelMS = 1
)

const webYAML = `
name: web
type: charm
summary: measured
description: measured
base: ubuntu@24.04
platforms: {amd64: }
requires:
  db: {interface: pgsql}
`

const pgYAML = `
name: pg
type: charm
summary: measured
description: measured
base: ubuntu@24.04
platforms: {amd64: }
provides:
  db: {interface: pgsql}
`

// newWeb makes the charm of harnessPython.
func newWeb(f *ops.Framework) (struct{}, error) {
	f.Observe(
		ops.OnRelationJoined("db", func(*ops.RelationJoinedEvent) error { return nil }),
		ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			if e.Unit == "" {
				return nil
			}
			host, err := e.Relation.Data(e.Unit).Get("host")
			if err != nil || host == "" {
				return err
			}
			return e.Relation.Data(f.Model().Unit()).Set("uses", host)
		}),
	)
	return struct{}{}, nil
}

// newPG makes the other side of a whole model.
func newPG(f *ops.Framework) (struct{}, error) {
	f.Observe(ops.OnRelationCreated("db", func(e *ops.RelationCreatedEvent) error {
		return e.Relation.Data(f.Model().Unit()).Set("host", "db1")
	}))
	return struct{}{}, nil
}

// harnessFigures are medians in milliseconds.
type harnessFigures struct {
	Cycle        map[int]float64 `json:"cycle"` // by the number of relations
	Whole        float64         `json:"whole"`
	ContextCycle map[int]float64 `json:"context-cycle"`
	ContextWhole float64         `json:"context-whole"`
	Model        float64         `json:"-"`
}

// measureHarness runs the same tests of the same charm with ours and with Python's ops.testing.
func measureHarness(ctx context.Context, e *env) ([]row, error) {
	script := filepath.Join(e.temp, "harness.py")
	if err := os.MkdirAll(e.temp, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(script, []byte(harnessPython), 0o644); err != nil {
		return nil, err
	}
	var ours, theirs []harnessFigures
	for range harnessRounds {
		o, err := harnessOurs()
		if err != nil {
			return nil, err
		}
		t, err := harnessTheirs(ctx, script)
		if err != nil {
			return nil, err
		}
		ours, theirs = append(ours, o), append(theirs, t)
	}
	return harnessRows(ours, theirs), nil
}

// sizes are numbers of relations beside which a cycle is measured.
var sizes = []int{1, 10, 50, 200}

// harnessRows hold ours against both of what ops.testing has: Context, which makes the charm anew for
// each event as ours does, and Harness, which is deprecated and keeps one.
func harnessRows(ours, theirs []harnessFigures) []row {
	our := func(of func(harnessFigures) float64) float64 { return middle(ours, of) }
	their := func(of func(harnessFigures) float64) float64 { return middle(theirs, of) }
	whole := func(f harnessFigures) float64 { return f.Whole }
	cycle := func(n int) func(harnessFigures) float64 { return func(f harnessFigures) float64 { return f.Cycle[n] } }
	byState := func(n int) func(harnessFigures) float64 {
		return func(f harnessFigures) float64 { return f.ContextCycle[n] }
	}
	const harness, context = "Python's Harness", "Python's Context"
	few, many := sizes[0], sizes[len(sizes)-1]
	rows := []row{
		atMost("cycle of join, change and own write, by Context", our(cycle(few)), their(byState(few)), context, "ms", cycleShare),
		atMost("a whole test, by Context", our(whole), their(func(f harnessFigures) float64 { return f.ContextWhole }), context, "ms", wholeShare),
		atMost("cycle of join, change and own write, by Harness", our(cycle(few)), their(cycle(few)), harness, "ms", cycleShare),
		atMost("a whole test, by Harness", our(whole), their(whole), harness, "ms", wholeShare),
	}
	for _, n := range sizes[1:] {
		rows = append(rows,
			against(fmt.Sprintf("the cycle beside %d relations, by Context", n), our(cycle(n)), their(byState(n)), context, "ms"),
			against(fmt.Sprintf("the cycle beside %d relations, by Harness", n), our(cycle(n)), their(cycle(n)), harness, "ms"))
	}
	const grown = "the cycle beside %d relations, against one"
	return append(rows,
		atMost(fmt.Sprintf(grown, many), our(cycle(many)), our(cycle(few)), "ours beside one", "ms", flat),
		against("Python's Context: "+fmt.Sprintf(grown, many), their(byState(many)), their(byState(few)), "its own beside one", "ms"),
		against("Python's Harness: "+fmt.Sprintf(grown, many), their(cycle(many)), their(cycle(few)), "its own beside one", "ms"),
		under("two charms, from an empty model to settled", our(func(f harnessFigures) float64 { return f.Model }),
			their(func(f harnessFigures) float64 { return f.ContextWhole }), "Python's whole test of one", "ms", modelMS))
}

// middle is the median of a figure.
func middle(all []harnessFigures, of func(harnessFigures) float64) float64 {
	var ds []time.Duration
	for _, f := range all {
		ds = append(ds, time.Duration(of(f)*float64(time.Millisecond)))
	}
	return median(ds)
}

func harnessTheirs(ctx context.Context, script string) (f harnessFigures, err error) {
	args := []string{script}
	for _, n := range sizes {
		args = append(args, strconv.Itoa(n))
	}
	cmd := exec.CommandContext(ctx, filepath.Join(pythonVenv, "bin", "python3"), args...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(pythonVenv, "bench"))
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "not measured: Python's ops.testing (`make venv` makes its environment):", err)
		return f, nil
	}
	return f, json.Unmarshal(out, &f)
}

func harnessOurs() (f harnessFigures, err error) {
	if f.Cycle, err = cycles(opstest.NewCharm(newWeb, opstest.YAML(webYAML)), sizes...); err != nil {
		return f, err
	}
	if f.Whole, err = repeat(wholeRounds, wholeTest); err != nil {
		return f, err
	}
	f.Model, err = repeat(wholeRounds, wholeModel)
	return f, err
}

// cycles are the medians of a cycle beside so many relations, itself included; some rounds of each
// in turns, so that what else the machine does falls on all of them, and none finds the caches full of the others' models
// each time: Python's do not, either.
func cycles(web *opstest.Charm, beside ...int) (map[int]float64, error) {
	times := map[int][]time.Duration{}
	err := inTest(func(t opstest.TB) {
		harnesses := make([]*opstest.Harness, len(beside))
		rels := make([]kith.RelationID, len(beside))
		for i, n := range beside {
			harnesses[i], rels[i] = cycleHarness(t, web, n)
		}
		for begin := 0; begin < cycleRounds; begin += cycleTurn {
			for i, n := range beside {
				for round := range cycleTurn {
					times[n] = append(times[n], cycle(t, harnesses[i], rels[i], kith.UnitOf("pg", begin+round)))
				}
			}
		}
	})
	medians := map[int]float64{}
	for _, n := range beside {
		medians[n] = median(times[n])
	}
	return medians, err
}

func cycleHarness(t opstest.TB, web *opstest.Charm, relations int) (*opstest.Harness, kith.RelationID) {
	h := opstest.NewHarness(t, web)
	h.Begin()
	for i := range relations - 1 {
		app := kith.AppName("other" + strconv.Itoa(i))
		h.AddRelationUnit(h.AddRelation("db", app), kith.UnitOf(app, 0))
	}
	return h, h.AddRelation("db", "pg")
}

func cycle(t opstest.TB, h *opstest.Harness, rel kith.RelationID, unit kith.UnitName) time.Duration {
	begin := time.Now()
	h.AddRelationUnit(rel, unit)
	h.UpdateRelationData(rel, string(unit), map[string]string{"host": string(unit)})
	if h.GetRelationData(rel, "web/0")["uses"] != string(unit) {
		t.Fatalf("no answer to %s", unit)
	}
	took := time.Since(begin)
	h.RemoveRelationUnit(rel, unit)
	h.Events()
	return took
}

func wholeTest(t opstest.TB) {
	h := opstest.New(t, newWeb, opstest.YAML(webYAML))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	rel := h.AddRelation("db", "pg")
	h.AddRelationUnit(rel, "pg/0")
	h.UpdateRelationData(rel, "pg/0", map[string]string{"host": "db1"})
	if h.GetRelationData(rel, "web/0")["uses"] != "db1" {
		t.Fatalf("no answer")
	}
}

func wholeModel(t opstest.TB) {
	m := opstest.NewModel(t)
	m.Deploy("web", opstest.NewCharm(newWeb, opstest.YAML(webYAML)))
	m.Deploy("pg", opstest.NewCharm(newPG, opstest.YAML(pgYAML)))
	rel := m.Integrate("web", "pg")
	m.Settle()
	if rel.Bag("web/0")["uses"] != "db1" {
		t.Fatalf("no answer")
	}
}

// repeat is the median of a whole test, clean-up included.
func repeat(rounds int, test func(opstest.TB)) (float64, error) {
	var times []time.Duration
	for range rounds {
		begin := time.Now()
		if err := inTest(test); err != nil {
			return 0, err
		}
		times = append(times, time.Since(begin))
	}
	return median(times), nil
}

// measuredTest is a test outside of go test.
type measuredTest struct{ cleanups []func() }

type testFailed struct{ error }

func (t *measuredTest) Helper()             {}
func (t *measuredTest) Name() string        { return "bench" }
func (t *measuredTest) Logf(string, ...any) {}
func (t *measuredTest) Cleanup(f func())    { t.cleanups = append(t.cleanups, f) }
func (t *measuredTest) Fatalf(format string, args ...any) {
	panic(testFailed{fmt.Errorf(format, args...)})
}

// inTest runs a test and its clean-up; the error is why it failed.
func inTest(test func(opstest.TB)) (err error) {
	t := &measuredTest{}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case testFailed:
			err = r.error
		default:
			panic(r)
		}
	}()
	defer func() {
		for _, f := range t.cleanups {
			f()
		}
	}()
	test(t)
	return nil
}
