package sim

import (
	"time"

	"kith/internal/core"
)

// action is something a schedule may do in one step.
type action struct {
	name   string
	weight int
	do     func(*World)
}

// actions lists them. Most of the time something happens that can happen anyway;
// the rest is the operator, time, and things that break.
func actions() []action {
	return []action{
		{"setup", 0, (*World).setup},
		{"rest", 0, (*World).rest},
		{"go", 30, func(w *World) { w.happen() }},
		{"run", 24, func(w *World) {
			for range 2 + w.pick(40) {
				if w.failed == nil {
					w.happen()
					w.checks.look()
				}
			}
		}},
		{"operate", 28, (*World).operate},
		{"again", 3, (*World).again},
		{"elect", 3, (*World).elect},
		{"clock", 6, (*World).turnClock},
		{"crash-agent", 5, (*World).crashAgent},
		{"cut", 4, (*World).cut},
		{"crash-controller", 4, (*World).crashController},
		{"replace-controller", 2, (*World).replaceController},
		{"expire", 2, (*World).expire},
		{"keep", 6, (*World).keep},
		{"reboot-host", 2, (*World).rebootHost},
		{"interrupt", 5, (*World).interrupt},
		{"prune", 2, (*World).prune},
		{"store-away", 1, func(w *World) { w.storeAway = true; w.say("the store is away") }},
	}
}

// nextAction draws what to do next.
func (w *World) nextAction() string {
	all := actions()
	total := 0
	for _, a := range all {
		total += a.weight
	}
	n := w.choice.rng.IntN(total)
	for _, a := range all {
		if n -= a.weight; n < 0 {
			return a.name
		}
	}
	panic("sim: no action")
}

// elect moves a leadership, at once and without asking its holder.
func (w *World) elect() {
	p := w.serving()
	units := w.someUnits()
	if p == nil {
		return
	}
	w.say("elect %s", units[0])
	p.submit(&call{w: w, actor: core.System, op: core.Elect{Unit: units[0]}, to: p})
}

// turnClock lets time pass: a moment, a retry delay, a lease, an update-status, a rotation; or up to the next deadline.
func (w *World) turnClock() {
	d := []time.Duration{0, time.Second, 5 * time.Second, 31 * time.Second, 61 * time.Second, 6 * time.Minute, 61 * time.Minute}[w.pick(7)]
	if p := w.serving(); d == 0 && p != nil {
		if at, ok := p.engine.Next(); ok {
			d = max(0, at.Sub(w.now()))
		}
	}
	w.clock.Advance(d)
	w.say("%s pass", d)
}

func (w *World) crashAgent() {
	a := w.agents[w.pick(len(w.agents))]
	if !a.down {
		a.crash(w.pick(3) == 1)
	}
}

// cut breaks an agent's connection.
func (w *World) cut() { w.agents[w.pick(len(w.agents))].disconnect("the connection broke") }

func (w *World) crashController() {
	if all := w.processes; len(all) > 0 {
		p := all[w.pick(len(all))]
		w.say("%s dies", p)
		p.die()
	}
}

// replaceController starts a controller again though its earlier life has not ended.
func (w *World) replaceController() {
	old := w.serving()
	if old == nil || w.storeAway {
		return
	}
	w.startProcess(old.id)
}

// expire ends the lease of whoever owns the model: another controller may own it then.
func (w *World) expire() {
	if w.owner == "" {
		return
	}
	w.say("the lease of controller %s ends", w.owner)
	w.server.Expire(w.owner)
	owner := w.owner
	w.epoch, w.owner = 0, ""
	if w.pick(3) == 1 && !w.storeAway {
		w.startProcess(other(owner))
	}
}

// other is the other controller: there are two identities.
func other(id string) string {
	if id == "a" {
		return "b"
	}
	return "a"
}
