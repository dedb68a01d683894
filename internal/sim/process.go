package sim

import (
	"context"
	"fmt"
	"slices"

	"kith"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/core"
	"kith/internal/store"
)

// process is one life of a controller: an engine, turned by hand just as
// controller.Model turns it in its goroutine.
type process struct {
	w      *World
	id     string // of the store's identity; two lives of one controller share it
	life   int
	store  *faultStore
	front  *controller.Controller // keeps the sessions of hosts; the engine is beside it
	engine *controller.Engine
	own    store.Ownership
	flight *flight
	dead   bool
	// replaced: the same controller has been started again. This life goes on until
	// the store tells it, and does not own the model again.
	replaced bool
	// noticed: it has been told that its ownership is lost.
	noticed bool
	pending []*call // submitted and not answered
	conns   []*conn
	// dirty: something about the engine may have changed since the last check.
	dirty bool
}

// flight is a batch on its way to the store and back.
type flight struct {
	*controller.Flight
	sent bool // the store has had it
	err  error
}

// wire is a batch whose controller has died and which may reach the store yet.
type wire struct {
	from *process
	f    *controller.Flight
}

func (p *process) String() string { return fmt.Sprintf("controller %s%d", p.id, p.life) }

func unavailable(format string, args ...any) error {
	return kith.Errorf(kith.Unavailable, format, args...)
}

// startProcess starts a controller; nil if another one owns the model, or the store is away.
func (w *World) startProcess(id string) *process {
	ctx := context.Background()
	st := &faultStore{Store: w.server.Open(store.Identity{ID: id}), w: w, id: id}
	own, err := st.Own(ctx, modelID)
	if err != nil {
		w.say("%s cannot serve: %v", id, err)
		return nil
	}
	front, err := controller.Open(ctx, controller.Options{Store: w.nothing, Clock: w.clock})
	if err != nil {
		panic(err) // an empty store in memory
	}
	for _, old := range w.processes {
		if old.id == id {
			old.replaced = true // two lives of one controller: the earlier one is about to end
		}
	}
	w.lives++
	p := &process{w: w, id: id, life: w.lives, store: st, front: front, own: own, dirty: true}
	p.engine = controller.NewEngine(st, own, controller.EngineOptions{Sealer: w.sealer})
	w.processes = append(w.processes, p)
	if err := p.engine.Reload(ctx, w.now()); err == nil {
		p.turn()
	}
	w.say("%s starts", p)
	return p
}

// turn does everything the engine can do without waiting.
func (p *process) turn() {
	p.dirty = true
	for p.engine.Down() == nil {
		p.engine.Gather(p.w.now())
		if f := p.engine.Launch(); f != nil {
			p.flight = &flight{Flight: f}
		}
		if p.attach() {
			continue
		}
		if p.engine.Flying() || p.engine.Waiting() == 0 {
			break
		}
	}
	p.engine.Flush()
}

// attach begins the sessions of hosts whose hello is durable.
func (p *process) attach() bool {
	did := false
	for _, c := range p.conns {
		if c.rejected {
			c.agent.disconnect("its hello was refused")
		}
		if !c.greeted || c.attached {
			continue
		}
		c.attached, did = true, true
		c.first, c.gone = p.engine.Attach(c.session), p.engine.ToWipe(c.agent.host)
		p.engine.Offer()
	}
	return did
}

// send commits the flight: the store has it, and its answer is on the way back.
func (p *process) send(fault commitFault) {
	p.store.next = fault
	p.flight.err = p.store.Commit(context.Background(), p.flight.Own, p.flight.Batch)
	p.flight.sent = true
	if p.flight.err != nil {
		p.w.say("%s cannot commit: %v", p, p.flight.err)
	}
}

// land gives the engine the store's answer.
func (p *process) land() {
	err := p.flight.err
	p.flight = nil
	p.engine.Land(err)
	p.engine.Tell(p.w.now())
	p.turn()
}

// submit hands a request to the engine.
func (p *process) submit(c *call) {
	p.pending = append(p.pending, c)
	p.engine.Submit(&controller.Request{Actor: c.actor, Op: c.op, Answer: func(r api.CommandReply, err error) {
		p.pending = slices.DeleteFunc(p.pending, func(o *call) bool { return o == c })
		p.w.answered(c, r, err)
	}})
	p.turn()
}

// reload brings an engine back that is down, as controller.Model does.
func (p *process) reload() {
	if controller.Fenced(p.engine.Down()) {
		own, err := p.store.Own(context.Background(), modelID)
		if err != nil {
			p.w.say("%s cannot own the model again: %v", p, err)
			p.engine.Refuse(err)
			p.turn()
			return
		}
		p.own, p.noticed = own, false
		p.engine.Reown(own)
	}
	if err := p.engine.Reload(context.Background(), p.w.now()); err != nil {
		p.w.say("%s cannot load the model: %v", p, err)
	} else {
		p.w.say("%s loads the model again", p)
	}
	p.turn()
}

// lost reports whether the ownership's lease has ended without the engine having been told.
func (p *process) lost() bool {
	if p.noticed || p.engine.Flying() || p.engine.Down() != nil {
		return false
	}
	select {
	case <-p.own.Lost:
		return true
	default:
		return false
	}
}

func (p *process) notice() {
	p.noticed = true
	p.w.say("%s notices that its ownership is lost", p)
	p.engine.Lose(store.Fenced("serve", modelID))
	p.turn()
}

// advance fires the engine's timers.
func (p *process) advance() {
	p.engine.Advance(p.w.now())
	p.turn()
}

// due reports whether a timer of the engine should fire.
func (p *process) due() bool {
	at, ok := p.engine.Next()
	return ok && p.engine.Down() == nil && !at.After(p.w.now())
}

// die ends the process at once. A batch that has not reached the store may do so yet.
func (p *process) die() {
	if p.dead {
		return
	}
	p.dead = true
	p.w.processes = without(p.w.processes, p)
	if p.flight != nil && !p.flight.sent {
		p.w.wires = append(p.w.wires, wire{p, p.flight.Flight})
	}
	for _, c := range p.conns {
		c.agent.disconnect("the controller died")
	}
	for _, c := range p.pending {
		c.fail("the controller died")
	}
	p.pending = nil
}

// without is all but one, in a new slice: whoever is going through the old one may go on.
func without[T comparable](all []T, one T) []T {
	var rest []T
	for _, x := range all {
		if x != one {
			rest = append(rest, x)
		}
	}
	return rest
}

// serves reports whether the process holds the model now.
func (p *process) serves() bool { return !p.dead && p.engine.Down() == nil && p.own.Epoch == p.w.epoch }

// serving is the process that holds the model, or nil.
func (w *World) serving() *process {
	for _, p := range w.processes {
		if p.serves() {
			return p
		}
	}
	return nil
}

// model is the newest durable model that anybody serves; empty if nobody does.
func (w *World) model() *core.Model {
	if p := w.serving(); p != nil {
		return p.engine.Snapshot()
	}
	if all := w.processes; len(all) > 0 {
		return all[0].engine.Snapshot()
	}
	return &core.Model{}
}
