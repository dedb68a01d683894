package sim

import (
	"context"
	"time"
)

// eventKind is something that can happen by itself.
type eventKind int

const (
	evStore   eventKind = iota // the store comes back
	evServe                    // a controller starts, since none serves
	evStop                     // a controller that cannot serve is stopped, or ends because a later life has begun
	evNotice                   // a controller learns that its lease has ended
	evReload                   // a controller that is down loads the model again
	evStart                    // an agent starts
	evLeave                    // an agent leaves a controller that does not serve
	evConnect                  // an agent connects
	evPacket                   // a message arrives
	evSend                     // a batch reaches the store
	evLand                     // the store's answer reaches the engine
	evTimer                    // an engine's deadline has come
	evListen                   // an agent reads its stream
	evAct                      // a unit does what is next
	evWipe                     // an agent deletes storage, or says that it has
	evWire                     // the batch of a dead controller reaches the store
)

// event is something that can happen now, and to whom.
type event struct {
	kind eventKind
	i    int
	p    *process
	a    *agent
	u    *unit
	x    *wipe
}

// possible lists what can happen, repairs first, in a fixed order.
func (w *World) possible() []event {
	w.events = w.events[:0]
	add := func(e event) { w.events = append(w.events, e) }
	calm, serving := w.choice.calm, w.serving()
	if w.storeAway {
		add(event{kind: evStore})
	}
	for _, p := range w.processes {
		switch {
		case calm && p.own.Epoch != w.epoch, p.replaced && p.engine.Down() != nil:
			add(event{kind: evStop, p: p})
		case p.lost():
			add(event{kind: evNotice, p: p})
		case p.engine.Down() != nil:
			add(event{kind: evReload, p: p})
		}
	}
	if serving == nil && !w.storeAway && (!calm || len(w.events) == 0) {
		add(event{kind: evServe})
	}
	for _, a := range w.agents {
		switch {
		case a.down:
			add(event{kind: evStart, a: a})
		case a.conn == nil && (serving != nil || !calm):
			add(event{kind: evConnect, a: a})
		case a.conn != nil && a.conn.p != serving && calm:
			add(event{kind: evLeave, a: a})
		}
	}
	for i := range w.air {
		add(event{kind: evPacket, i: i})
	}
	for _, p := range w.processes {
		switch {
		case p.flight != nil && !p.flight.sent:
			add(event{kind: evSend, p: p})
		case p.flight != nil:
			add(event{kind: evLand, p: p})
		}
		if p.due() {
			add(event{kind: evTimer, p: p})
		}
	}
	for _, a := range w.agents {
		if a.conn != nil && a.conn.speaks() {
			add(event{kind: evListen, a: a})
		}
		for _, u := range a.order {
			if u.can() {
				add(event{kind: evAct, u: u})
			}
		}
	}
	for _, a := range w.agents {
		for _, x := range a.wiping {
			if a.canWipe(x) {
				add(event{kind: evWipe, a: a, x: x})
			}
		}
	}
	for i := range w.wires {
		add(event{kind: evWire, i: i})
	}
	return w.events
}

// happen lets one possible thing happen; false if there is none.
func (w *World) happen() bool {
	all := w.possible()
	if len(all) == 0 {
		return false
	}
	w.micro++
	w.clock.Advance(time.Microsecond)
	e := all[w.pick(len(all))]
	switch e.kind {
	case evStore:
		w.storeAway = false
		w.say("the store is back")
	case evServe:
		w.serve()
	case evStop:
		e.p.die()
	case evNotice:
		e.p.notice()
	case evReload:
		e.p.reload()
	case evStart:
		e.a.start()
	case evLeave:
		e.a.disconnect("it looks for the controller that serves")
	case evConnect:
		if p := w.reachable(); p != nil {
			e.a.connect(p)
		}
	case evPacket:
		w.deliver(e.i)
	case evSend:
		e.p.send(w.commitFault())
		if e.p.flight != nil && w.pick(3) != 2 {
			e.p.land()
		}
	case evLand:
		e.p.land()
	case evTimer:
		e.p.advance()
	case evListen:
		e.a.listen()
	case evAct:
		e.u.act()
	case evWipe:
		e.a.wipeOn(e.x)
	case evWire:
		w.arrive(e.i)
	}
	return true
}

// serve starts a controller: the one that last owned the model, or the other.
func (w *World) serve() {
	id := w.owner
	if id == "" {
		id = "a"
	}
	if w.pick(3) == 1 {
		id = other(id)
	}
	w.startProcess(id)
}

// reachable is the controller an agent connects to: mostly the one that serves, now
// and then another, which may serve later or has lost the model and does not know it
// yet; nil if there is none.
func (w *World) reachable() *process {
	if p := w.serving(); p != nil && w.pick(4) != 3 {
		return p
	}
	if len(w.processes) == 0 {
		return nil
	}
	return w.processes[w.pick(len(w.processes))]
}

// arrive lets the batch of a dead controller reach the store, or be lost.
func (w *World) arrive(i int) {
	x := w.wires[i]
	w.wires = append(w.wires[:i:i], w.wires[i+1:]...)
	if w.pick(3) != 0 {
		err := x.from.store.Commit(context.Background(), x.f.Own, x.f.Batch)
		w.say("the last batch of %s, which is dead, reaches the store: %v", x.from, err)
	}
}
