package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/core"
)

// agent is the agent of one host. It keeps the promises of package agent with
// the same means, and crashes when the schedule says so.
type agent struct {
	w     *World
	host  string
	life  int
	down  bool
	conn  *conn
	units map[kith.UnitName]*unit
	order []*unit // the same, in order of name

	boot   int // how often its computer has started
	disk   disk
	wiping []*wipe
	graves map[kith.StorageID]bool // deleted in this life of the agent
}

// conn is an agent's session with a controller.
type conn struct {
	agent    *agent
	p        *process
	session  *controller.Session
	greeted  bool // its hello is durable
	attached bool
	rejected bool             // its hello is not
	first    []api.HostUnit   // what it must hold
	gone     []api.StorageRef // what it must delete
	heard    bool             // it has been told that
	taken    []api.HostEvent  // out of the session, and not heard
}

func (a *agent) epoch() string     { return fmt.Sprintf("%s-boot-%d/%d", a.host, a.boot, a.life) }
func (a *agent) actor() core.Actor { return core.Actor{Kind: core.ActorHost, Name: a.host} }

// connect begins a session: the hello must be durable before the engine takes the host in.
func (a *agent) connect(p *process) {
	session, _, err := p.front.Connect(context.Background(), a.host, a.epoch())
	if err != nil {
		panic(err) // the front has no models that could object
	}
	c := &conn{agent: a, p: p, session: session}
	a.conn = c
	p.conns = append(p.conns, c)
	a.w.say("agent of %s connects to %s", a.host, p)
	p.submit(&call{w: a.w, actor: a.actor(), op: core.HostHello{Host: a.host, Epoch: a.epoch()}, to: p, greet: c})
}

// disconnect ends the session on both sides.
func (a *agent) disconnect(why string) {
	c := a.conn
	if c == nil {
		return
	}
	a.conn = nil
	a.w.say("agent of %s is disconnected: %s", a.host, why)
	c.p.conns = without(c.p.conns, c)
	c.p.front.Disconnect(c.session)
	if c.attached && !c.p.dead {
		c.p.engine.Detach(c.session)
		c.p.turn()
	}
}

// controller is the process the agent can reach, or nil.
func (a *agent) controller() *process {
	if a.conn == nil {
		return nil
	}
	return a.conn.p
}

// speaks reports whether the stream may have something to say. Looking takes it
// out of the session, where a newer event would have replaced it; so only a calm world looks.
func (c *conn) speaks() bool {
	switch {
	case !c.attached:
		return false
	case !c.w().choice.calm || !c.heard || len(c.taken) > 0:
		return true
	}
	events, err := c.session.Take()
	c.taken = events
	return err != nil || len(events) > 0
}

func (c *conn) w() *World { return c.agent.w }

// listen takes in what the stream holds. Events of different units may come in
// any order, each may come twice, and the connection may break in the middle.
func (a *agent) listen() {
	c := a.conn
	if !c.heard {
		c.heard = true
		a.sync(c.first)
		a.wipes(c.gone...)
		return
	}
	newer, err := c.session.Take()
	events := append(c.taken, newer...)
	c.taken = nil
	if err != nil {
		a.disconnect(err.Error())
		return
	}
	if len(events) > 1 && a.w.chance(30) {
		reorder(events, 1+a.w.pick(len(events)-1))
	}
	for _, e := range events {
		if a.w.faulty(a.w.profile.network) {
			if a.w.chance(50) {
				a.disconnect("the stream broke")
				return
			}
			a.hear(e)
		}
		a.hear(e)
	}
}

// reorder rotates events by n places, and keeps those of one unit in order.
func reorder(events []api.HostEvent, n int) {
	rank := map[kith.UnitName]int{}
	for i := range events {
		e := events[(i+n)%len(events)]
		if _, known := rank[unitOf(e)]; !known {
			rank[unitOf(e)] = i
		}
	}
	slices.SortStableFunc(events, func(a, b api.HostEvent) int { return rank[unitOf(a)] - rank[unitOf(b)] })
}

func unitOf(e api.HostEvent) kith.UnitName {
	switch {
	case e.Hold != nil:
		return e.Hold.Unit
	case e.Gone != nil:
		return e.Gone.Unit
	case e.Run != nil:
		return e.Run.Unit
	case e.Cancel != nil:
		return e.Cancel.Unit
	case e.Abort != nil:
		return e.Abort.Unit
	}
	return ""
}

// sync makes the agent hold exactly these units.
func (a *agent) sync(units []api.HostUnit) {
	held := map[kith.UnitName]bool{}
	for _, h := range units {
		held[h.Unit] = true
		a.hold(h)
	}
	for _, u := range slices.Clone(a.order) {
		if !held[u.name] {
			a.drop(u.name)
		}
	}
}

func (a *agent) hear(e api.HostEvent) {
	switch {
	case e.Hold != nil:
		a.hold(*e.Hold)
	case e.Gone != nil:
		a.drop(e.Gone.Unit)
	case e.Run != nil:
		run := *e.Run
		if d := a.w.defect.assign; d != nil {
			d(a.w, &run)
		}
		if u := a.units[run.Unit]; u != nil {
			u.next = &run
		}
	case e.Cancel != nil:
		if u := a.units[e.Cancel.Unit]; u != nil {
			u.next = nil
		}
	case e.Abort != nil:
		if u := a.units[e.Abort.Unit]; u != nil {
			u.abort(e.Abort.Task)
		}
	case e.Wipe != nil:
		a.wipes(*e.Wipe)
	}
}

func (a *agent) hold(h api.HostUnit) {
	u := a.units[h.Unit]
	if u == nil {
		u = &unit{w: a.w, agent: a, name: h.Unit}
		a.units[h.Unit] = u
		at, _ := slices.BinarySearchFunc(a.order, u.name, func(o *unit, name kith.UnitName) int { return strings.Compare(string(o.name), string(name)) })
		a.order = slices.Insert(a.order, at, u)
	}
	u.held = h
}

// drop ends a unit that the model has no more, with the hook it may be running.
func (a *agent) drop(name kith.UnitName) {
	u := a.units[name]
	if u == nil {
		return
	}
	u.end()
	delete(a.units, name)
	a.order = without(a.order, u)
}

// crash ends the agent at once: nothing it was doing goes on, what it sent is in
// the air. A graceful end first asks for its running hooks to run again.
func (a *agent) crash(graceful bool) {
	a.w.say("agent of %s dies", a.host)
	for _, u := range a.order {
		if graceful && u.phase == running {
			u.fail("signal: terminated", true)
			u.report()
		}
		u.end()
	}
	clear(a.units)
	clear(a.graves)
	a.order = nil
	for _, x := range a.wiping {
		if x.talking != nil {
			x.talking.done = nil
		}
	}
	a.wiping = nil // the next life is told anew
	a.disconnect("the agent died")
	a.down = true
}

// start begins a new life.
func (a *agent) start() {
	a.life++
	a.down = false
	a.w.say("agent of %s starts", a.host)
}
