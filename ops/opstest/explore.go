package opstest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
)

// Explore runs body on a new [Model] many times, each time with another legal interleaving:
// Settle and Advance let units run in any order, one step at a time, and on the way
//
//   - leadership moves, also between two calls that one handler makes;
//   - agents die in the middle of a hook, so that it runs again;
//   - hooks fail and are tried again.
//
// After every step the invariants of [Model.Invariant] are checked, and those of kith's core; a
// hook that breaks the contract of an interface is a finding ([Model.AddContract]). Body
// says what is asked for (Deploy, Integrate, Settle, …) and what has to be so in the end;
// it returns an error if it is not. It is run again and again, so it keeps nothing outside.
//
// A run that fails is made as small as it gets: choices are made harmless while it still fails in the
// same way. What is left is saved as testdata/explore/NAME/SEED.txt beside the test,
// with what happened in it, and the test fails saying so. Files in that folder are run
// first, before any seed, so that a failure stays a test. They are for checking in.
//
// Seeds are numbers from 1 to [Runs] unless the environment has OPSTEST_SEED, which is
// then the only one.
func Explore(t TB, body func(m *Model) error, opts ...ExploreOption) {
	t.Helper()
	e := exploration{t: t, body: body, runs: defaultRuns, dir: filepath.Join("testdata", "explore", fileName(t.Name()))}
	for _, o := range opts {
		o(&e)
	}
	if !e.replay() {
		return
	}
	for _, seed := range e.seeds() {
		if f := e.run(&chooser{seed: seed, rng: newRandom(seed)}); f != nil {
			e.report(seed, f)
			return
		}
	}
}

// ExploreOption changes how [Explore] goes about it.
type ExploreOption func(*exploration)

// defaultRuns finds what is easily found in a second or so.
const defaultRuns = 100

// Runs is how many interleavings to try: 100 without it.
func Runs(n int) ExploreOption { return func(e *exploration) { e.runs = n } }

// MayLose lets units of these applications be lost for good, with the machine they are on,
// as long as one of each application is left.
func MayLose(apps ...kith.AppName) ExploreOption {
	return func(e *exploration) { e.lose = append(e.lose, apps...) }
}

// Calm leaves out what the name says: "crash", "fail" or "elect".
func Calm(names ...string) ExploreOption {
	return func(e *exploration) { e.calm = append(e.calm, names...) }
}

// SaveIn saves failing schedules in another folder, and replays those that are there.
func SaveIn(dir string) ExploreOption { return func(e *exploration) { e.dir = dir } }

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
	t    TB
	body func(*Model) error
	runs int
	lose []kith.AppName
	calm []string
	dir  string
}

func (e *exploration) seeds() []uint64 {
	if s := os.Getenv("OPSTEST_SEED"); s != "" {
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			return []uint64{n}
		}
	}
	all := make([]uint64, e.runs)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	return all
}

// failure is why a run failed: a kind, which shrinking keeps, and the whole story.
type failure struct {
	kind  string
	err   error
	draws []int
	story []string
}

// run runs the body once.
func (e *exploration) run(c *chooser) (f *failure) {
	x := &explorer{e: e, c: c}
	tb := &innerTB{TB: e.t}
	defer tb.finish()
	m := NewModel(tb)
	m.w.chance, m.w.trying = x, 1
	err := m.w.try(func() { m.w.ok(e.body(m)) })
	if err == nil {
		return nil
	}
	return &failure{kind: kindOfFailure(err), err: err, draws: c.made, story: x.story}
}

// kindOfFailure tells failures apart by what does not depend on the schedule.
func kindOfFailure(err error) string {
	var v *violation
	var h *HookError
	var c *ContractError
	switch {
	case errors.As(err, &c):
		return c.kindOfBreach()
	case errors.As(err, &v):
		return "invariant " + v.name
	case errors.As(err, &h):
		return "hook " + string(h.Unit.App()) + " " + h.Hook
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

// innerTB is the test of one run among many: what it cleans up is cleaned up when the run ends.
type innerTB struct {
	TB
	cleanups []func()
}

func (t *innerTB) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *innerTB) Fatalf(format string, args ...any) { panic(stopped{fmt.Errorf(format, args...)}) }

func (t *innerTB) finish() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

// explorer makes one run of the body go its way.
type explorer struct {
	e     *exploration
	c     *chooser
	story []string
	// faults counts what went wrong so far: it is bounded, so that the units come to rest.
	faults int
}

// maxFaults bounds what goes wrong in one run. Few faults find what many do, and shrink better.
const maxFaults = 12

func (x *explorer) tell(format string, args ...any) {
	x.story = append(x.story, fmt.Sprintf(format, args...))
}

// settle lets units run in any order until none has anything left to do.
func (x *explorer) settle(w *world) error {
	for range maxSteps {
		ready := x.ready(w)
		if len(ready) == 0 {
			if !x.wakeFailed(w) {
				return w.wipe()
			}
			continue
		}
		x.between(w)
		ready = x.ready(w)
		if len(ready) == 0 {
			continue
		}
		u := ready[x.c.pick(len(ready))]
		if err := x.step(w, u); err != nil {
			return err
		}
		w.watch()
	}
	return errRestless("any")
}

// ready are the units that have something to do, in order of name.
func (x *explorer) ready(w *world) []kith.UnitName {
	var all []kith.UnitName
	for _, u := range w.unitNames() {
		w.hello(u)
		if _, ok := w.next(u); ok {
			all = append(all, u)
		}
	}
	return all
}

// step does one step of a unit. A hook that was made to fail is no error, and one that
// lost the lead on the way may fail for that: Juju then refuses what only a leader writes.
func (x *explorer) step(w *world, u kith.UnitName) error {
	events := len(w.events)
	w.disturbed = false
	_, err := w.step(u)
	for _, e := range w.events[min(events, len(w.events)):] {
		x.tell("%s %s", e.Unit, e)
	}
	var breach *ContractError
	if errors.Is(err, errFault) || w.disturbed && !errors.As(err, &breach) {
		return nil
	}
	return err
}

// wakeFailed lets time pass until a failed hook is tried again; false if none waits.
func (x *explorer) wakeFailed(w *world) bool {
	var first time.Time
	for u := range w.model.Units() {
		if p := w.model.Progress(u.Name); p.InError() && !p.Failed.RetryAt.IsZero() && (first.IsZero() || p.Failed.RetryAt.Before(first)) {
			first = p.Failed.RetryAt
		}
	}
	if first.IsZero() || !first.After(w.now) {
		return false
	}
	w.now = first
	for i := range w.hosts {
		w.must(core.System, core.RenewLeases{Host: w.hosts[i].name})
	}
	return true
}

// chances, in a hundred, of what may happen each time.
const (
	electBetween = 4
	loseBetween  = 2
	electAtCall  = 2
	crashAtCall  = 1
	crashAfter   = 2
	failBefore   = 3
	failAfter    = 2
)

// may decides whether something goes wrong.
func (x *explorer) may(what string, percent int) bool {
	if x.faults >= maxFaults || slices.Contains(x.e.calm, what) || !x.c.chance(percent) {
		return false
	}
	x.faults++
	return true
}

// between is what may happen between two steps.
func (x *explorer) between(w *world) {
	if x.may("elect", electBetween) {
		x.elect(w)
	}
	if len(x.e.lose) > 0 && x.may("lose", loseBetween) {
		x.loseOne(w)
	}
}

// elect moves the leadership of some application to some unit.
func (x *explorer) elect(w *world) {
	var all []kith.UnitName
	for u := range w.model.Units() {
		if u.Life == kith.Alive && u.Present && !w.model.IsLeader(u.Name, w.now) {
			all = append(all, u.Name)
		}
	}
	if len(all) == 0 {
		return
	}
	u := all[x.c.pick(len(all))]
	x.tell("-- %s takes the lead", u)
	w.must(core.System, core.Elect{Unit: u})
	w.watch()
}

// loseOne takes a unit away for good.
func (x *explorer) loseOne(w *world) {
	var all []kith.UnitName
	for _, app := range x.e.lose {
		var alive []kith.UnitName
		for u := range w.model.UnitsOf(app) {
			if u.Life == kith.Alive {
				alive = append(alive, u.Name)
			}
		}
		if len(alive) > 1 {
			all = append(all, alive...)
		}
	}
	if len(all) == 0 {
		return
	}
	u := all[x.c.pick(len(all))]
	x.tell("-- %s is lost", u)
	w.must(admin, core.RemoveUnits{Units: []kith.UnitName{u}, Force: true})
	w.watch()
}

// fault is what may happen to a hook that runs.
func (x *explorer) fault(r *hookRun, at moment) error {
	if r.crashed {
		return errCrash
	}
	switch at {
	case beforeHook:
		if r.hook.Task == nil && x.may("fail", failBefore) {
			return errFault
		}
	case atCall:
		if x.may("elect", electAtCall) {
			r.w.disturbed = true
			x.elect(r.w)
		}
		if x.may("crash", crashAtCall) {
			return x.crash(r)
		}
	case afterHook:
		if r.hook.Task == nil && x.may("fail", failAfter) {
			return errFault
		}
		if x.may("crash", crashAfter) {
			return x.crash(r)
		}
	}
	return nil
}

func (x *explorer) crash(r *hookRun) error {
	r.crashed = true
	x.tell("-- the agent of %s dies in %s", r.unit, r.hook.Title())
	r.w.crash(r.w.model.Unit(r.unit).Host)
	return errCrash
}

// watch checks every invariant.
func (x *explorer) watch(w *world) {
	err := w.checkInvariants()
	if bad := core.Check(&w.model); len(bad) > 0 {
		err = &violation{"kith's own: a bug in kith", fmt.Errorf("%v", bad)}
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

// report shrinks a failure, saves it and fails the test.
func (e *exploration) report(seed uint64, f *failure) {
	e.t.Helper()
	small := e.shrink(f)
	path := filepath.Join(e.dir, strconv.FormatUint(seed, 10)+".txt")
	saved := "it is saved as " + path + ", which the next run of the test replays first"
	if err := save(path, e.t.Name(), seed, small); err != nil {
		saved = fmt.Sprintf("it could not be saved: %v", err)
	}
	e.t.Fatalf("seed %d fails: %s\n\nmade small, this is what happens:\n  %s\n\n%s\nhint: OPSTEST_SEED=%d runs the seed alone",
		seed, describe(small.err), strings.Join(small.story, "\n  "), saved, seed)
}

// replay runs the schedules that were saved; false if one of them fails.
func (e *exploration) replay() bool {
	e.t.Helper()
	files, _ := filepath.Glob(filepath.Join(e.dir, "*.txt"))
	slices.Sort(files)
	for _, file := range files {
		draws, err := load(file)
		if err != nil {
			e.t.Fatalf("cannot replay %s: %v", file, err)
			return false
		}
		if f := e.run(&chooser{replay: draws, replays: true}); f != nil {
			e.t.Fatalf("the schedule in %s fails: %s\n  %s\nhint: go test -run '^%s$' replays it; remove the file once it is of no use",
				file, describe(f.err), strings.Join(f.story, "\n  "), e.t.Name())
			return false
		}
	}
	return true
}
