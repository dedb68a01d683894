package opstest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kith"
	"kith/internal/core"
)

// explorer makes one run of the body go its way.
type explorer struct {
	e     *exploration
	c     *chooser
	story []string
	// faults counts what went wrong so far: it is bounded, so that the units come to rest.
	faults int
	// slow is a unit that is held up: it goes on when the others have come to rest, or before.
	slow kith.UnitName
}

// maxFaults bounds what goes wrong in one run. Few faults find what many do, and shrink better.
const maxFaults = 12

func (x *explorer) tell(format string, args ...any) {
	x.story = append(x.story, fmt.Sprintf(format, args...))
}

// settle lets units run in any order until none has anything left to do.
func (x *explorer) settle(w *world) error {
	x.holdUp(w, slowAtFirst)
	for range maxSteps {
		ready := x.ready(w)
		if len(ready) == 0 {
			if !x.wakeFailed(w) {
				return w.wipe()
			}
			continue
		}
		if before := x.faults; x.between(w) != before {
			ready = x.ready(w)
		}
		ready = x.inTime(ready)
		if len(ready) == 0 {
			continue
		}
		which := x.c.pick(len(ready))
		if err := x.step(w, ready[which], which > 0); err != nil {
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

// holdUp may make a unit slow, or the one that is go on. Orders in which one unit is far behind, or
// far ahead of all others, hardly come of choosing a unit for each step.
func (x *explorer) holdUp(w *world, percent int) {
	units := w.unitNames()
	if slices.Contains(x.e.calm, slow) || len(units) < 2 || !x.c.chance(percent) {
		return
	}
	if x.slow != "" {
		x.slow = ""
		return
	}
	x.slow = units[x.c.pick(len(units))]
	x.tell("-- %s is slow", x.slow)
}

// inTime are the units that are not slow, unless there is no other.
func (x *explorer) inTime(ready []kith.UnitName) []kith.UnitName {
	if len(ready) == 1 && ready[0] == x.slow {
		x.slow = ""
	}
	return slices.DeleteFunc(ready, func(u kith.UnitName) bool { return u == x.slow })
}

// step does one step of a unit. A hook that was made to fail is no error, and one that
// lost the lead on the way may fail for that: Juju then refuses what only a leader writes.
func (x *explorer) step(w *world, u kith.UnitName, outOfTurn bool) error {
	events := len(w.events)
	w.disturbed = false
	_, err := w.step(u)
	for _, e := range w.events[min(events, len(w.events)):] {
		suffix := ""
		if outOfTurn {
			suffix = "  <-"
		}
		x.tell("%s %s%s", e.Unit, e, suffix)
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
	slowAtFirst  = 50
	slowBetween  = 3
	electBetween = 4
	loseBetween  = 2
	electAtCall  = 2
	crashAtCall  = 1
	crashAfter   = 2
	failBefore   = 3
	failAfter    = 2
)

// what goes wrong, as [Calm] names it.
const (
	crash = "crash"
	elect = "elect"
	fail  = "fail"
	lose  = "lose"
	slow  = "slow"
)

// may decides whether something goes wrong.
func (x *explorer) may(what string, percent int) bool {
	if x.faults >= maxFaults || slices.Contains(x.e.calm, what) || !x.c.chance(percent) {
		return false
	}
	x.faults++
	return true
}

// between is what may happen between two steps. It returns how much has gone wrong so far.
func (x *explorer) between(w *world) int {
	x.holdUp(w, slowBetween)
	if x.may(elect, electBetween) {
		x.elect(w)
	}
	if len(x.e.lose) > 0 && x.may(lose, loseBetween) {
		x.loseOne(w)
	}
	return x.faults
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
		if r.hook.Task == nil && x.may(fail, failBefore) {
			return x.fail(r)
		}
	case atCall:
		if x.may(elect, electAtCall) {
			r.w.disturbed = true
			x.elect(r.w)
		}
		if x.may(crash, crashAtCall) {
			return x.crash(r)
		}
	case afterHook:
		if r.hook.Task == nil && x.may(fail, failAfter) {
			return x.fail(r)
		}
		if x.may(crash, crashAfter) {
			return x.crash(r)
		}
	}
	return nil
}

func (x *explorer) fail(r *hookRun) error {
	x.tell("-- %s of %s is made to fail", r.hook.Title(), r.unit)
	return errFault
}

func (x *explorer) crash(r *hookRun) error {
	r.crashed = true
	x.tell("-- the agent of %s dies in %s", r.unit, r.hook.Title())
	r.w.crash(r.w.model.Unit(r.unit).Host)
	return errCrash
}
