package opstest

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"kith"
	"kith/internal/core"
)

// Explore runs body on a new [Model] many times, each time with another legal interleaving:
// Settle and Advance let units run in any order, one step at a time, and on the way
//
//   - a unit is slow, and goes on when the others have come to rest, or before;
//   - leadership moves, also between two calls that one handler makes;
//   - agents die in the middle of a hook, so that it runs again;
//   - hooks fail and are tried again;
//   - units are lost, if [MayLose] says whose.
//
// After every step the invariants of [Model.Invariant] are checked, and those of kith's core; a
// hook that breaks the contract of an interface is a finding ([Model.AddContract]), and so is one that
// fails by itself, unless leadership has just moved. Body says what is asked for (Deploy, Integrate, Settle, …) and what has to be so
// in the end; it returns an error if it is not. It is run again and again, so it keeps nothing outside, and
// leaves the *testing.T alone: what ends the test from within is told with its seed, and not made small.
//
// A run that fails is made as small as it gets: choices are made harmless while it still fails in the
// same way. What is left is saved as testdata/explore/NAME/SEED.txt beside the test,
// with what happened in it, and the test fails saying so. Files in that folder are run
// first, before any seed, so that a failure stays a test. They are for checking in. One that no longer
// fits, because the body or a charm has changed, is legal still; the test's log says so.
//
// Seeds are numbers from 1 to [Runs], or those of [Seeds], unless the environment has OPSTEST_SEED, which is
// then the only one, and no file is replayed. The same seed, body and charms make the same run.
func Explore(t TB, body func(m *Model) error, opts ...ExploreOption) {
	t.Helper()
	e := exploration{t: t, body: body, runs: defaultRuns, dir: filepath.Join("testdata", "explore", fileName(t.Name()))}
	for _, o := range opts {
		o(&e)
	}
	if err := e.plan(); err != nil {
		t.Fatalf("%s", describe(err))
	}
	if !e.alone && !e.replay() {
		return
	}
	for _, seed := range e.seeds {
		if f := e.run(&chooser{seed: seed, rng: newRandom(seed)}); f != nil {
			e.report(seed, f)
			return
		}
	}
}

// Invariant is something that holds after every step of an exploration. It looks at
// the model and changes nothing. Outside of [Explore] it is checked at every Settle's end.
func (m *Model) Invariant(name string, holds func() error) {
	m.w.tb.Helper()
	if holds == nil {
		m.w.fail(kith.Errorf(kith.Invalid, "invariant %q has no function", name))
	}
	m.w.invariants = append(m.w.invariants, invariant{name, holds})
}

type invariant struct {
	name  string
	holds func() error
}

// exploration is one call of Explore.
type exploration struct {
	t     TB
	body  func(*Model) error
	runs  int
	given []uint64 // seeds
	lose  []kith.AppName
	calm  []string
	dir   string

	seeds []uint64 // to run
	alone bool     // without what was saved
}

// failure is why a run failed: a kind, which shrinking keeps, and the whole story.
type failure struct {
	kind  string
	err   error
	draws []int
	story []string
}

// run runs the body once.
func (e *exploration) run(c *chooser) *failure {
	x := &explorer{e: e, c: c}
	tb := &innerTB{TB: e.t}
	m := NewModel(tb)
	m.w.chance, m.w.trying = x, 1
	over := false
	defer func() {
		if !over { // by a Fatal of the body's, or the like
			e.t.Logf("the test ended in a run of Explore: %s", c)
			tb.finish()
		}
	}()
	err := m.w.try(func() { m.w.ok(e.attempt(m)) })
	over = true
	if unclean := m.w.try(tb.finish); err == nil {
		err = unclean
	}
	if err == nil {
		return nil
	}
	return &failure{kind: kindOfFailure(err), err: err, draws: c.made, story: x.story}
}

// attempt is the body's error. That it panics is one.
func (e *exploration) attempt(m *Model) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stopped:
			panic(r)
		default:
			err = newPanicked(r)
		}
	}()
	return e.body(m)
}

// kindOfFailure tells failures apart by what does not depend on the schedule.
func kindOfFailure(err error) string {
	var v *violation
	var h *HookError
	var c *ContractError
	var p *panicked
	switch {
	case errors.As(err, &c):
		return c.kindOfBreach()
	case errors.As(err, &v):
		return "invariant " + v.name
	case errors.As(err, &h):
		return "hook " + string(h.Unit.App()) + " " + h.Hook
	case errors.As(err, &p):
		return "panic"
	}
	return "end"
}

// violation is an invariant that does not hold.
type violation struct {
	name string
	err  error
}

func (v *violation) Error() string { return fmt.Sprintf("invariant %q: %v", v.name, v.err) }

func (v *violation) Unwrap() error { return v.err }

// ownInvariant is the name of the invariants of kith's core.
const ownInvariant = "kith's own: a bug in kith"

// watch checks every invariant.
func (x *explorer) watch(w *world) {
	err := w.checkInvariants()
	if !x.c.trusting {
		if bad := core.Check(&w.model); len(bad) > 0 {
			err = &violation{ownInvariant, fmt.Errorf("%v", bad)}
		}
	}
	if err != nil {
		panic(stopped{err})
	}
}

// checkInvariants is the first invariant of the test's that does not hold.
func (w *world) checkInvariants() error {
	for _, i := range w.invariants {
		if err := i.holds(); err != nil {
			return &violation{i.name, err}
		}
	}
	return nil
}

// innerTB is the test of one run among many: what it cleans up is cleaned up when the run ends.
type innerTB struct {
	TB
	cleanups []func()
}

// Cleanup keeps what the run has to clean up.
func (t *innerTB) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

// Fatalf ends the run, and not the test.
func (t *innerTB) Fatalf(format string, args ...any) { panic(stopped{fmt.Errorf(format, args...)}) }

func (t *innerTB) finish() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}
