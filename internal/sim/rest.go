package sim

import (
	"kith"
	"kith/internal/core"
)

// Bounds of what a system may take to come to rest once nothing breaks any more.
const (
	maxHappen = 100_000
	maxRounds = 300
)

// lookCalm is how often the controllers are looked at while nothing breaks; what
// history tells is judged always, and in a rough time the looks are too.
const lookCalm = 8

// drive lets happen what can happen, in order, until nothing can; false if that takes too long.
func (w *World) drive() bool {
	for n := range maxHappen {
		if w.failed != nil || !w.happen() {
			w.checks.look()
			return true
		}
		if n%lookCalm == 0 {
			w.checks.look()
		}
	}
	return false
}

// rest ends the schedule: from now on nothing breaks. Everything is repaired, hooks
// in error are retried, and the system must settle. Then the operator takes it
// all down, and nothing may be left.
func (w *World) rest() {
	w.choice.calm, w.storeAway = true, false
	w.drive()
	w.giveTo(w.serving(), core.SetModelConfig{Set: map[string]string{"automatically-retry-hooks": "true"}})
	w.calmContracts()
	w.giveTo(w.serving(), core.Resolved{All: true})
	if !w.settle() {
		return
	}
	w.checks.rested()
	var all []kith.AppName
	for a := range w.model().Apps() {
		all = append(all, a.Name)
	}
	if len(all) == 0 || w.failed != nil {
		return
	}
	w.giveTo(w.serving(), core.RemoveApps{Apps: all})
	if !w.settle() {
		return
	}
	w.checks.rested()
	for s := range w.model().Storages() { // what is left is nobody's
		w.giveTo(w.serving(), core.RemoveStorage{Storage: s.ID, NoDestroy: s.ID.Number()%2 == 0})
	}
	if w.settle() {
		w.checks.rested()
		w.checks.empty()
	}
}

// settle drives the system, and turns the clock when nothing else can happen, until
// its controller says that it has settled.
func (w *World) settle() bool {
	for range maxRounds {
		if !w.drive() {
			w.violate("settles", "no rest after %d things have happened", maxHappen)
		}
		if w.failed != nil {
			return false
		}
		p := w.serving()
		if w.settled(p) {
			return true
		}
		at, ok := p.engine.Next()
		if !ok {
			w.violate("settles", "nothing can happen any more, and the model is not settled: %s", busyOf(p))
			return false
		}
		if d := at.Sub(w.now()); d > 0 {
			w.clock.Advance(d)
		}
	}
	w.violate("settles", "not settled after %d deadlines: %s", maxRounds, busyOf(w.serving()))
	return false
}

func (w *World) settled(p *process) bool {
	if d := w.defect.settled; d != nil {
		return d(p)
	}
	return p.engine.Settled()
}
