package sim

import (
	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// call is one command on its way from its sender to a controller and back.
type call struct {
	w     *World
	actor core.Actor
	op    core.Op
	to    *process
	// done hears the answer, once; nil if nobody listens any more.
	done func(api.CommandReply, error)
	// said names an operator's command; hook is what a report is about, greet
	// whom a hello introduces.
	said  string
	hook  *hookRun
	greet *conn
}

// packet is a message in the air: a call, or the answer to one.
type packet struct {
	call   *call
	answer bool
	reply  api.CommandReply
	err    error
}

// send puts a call into the air. The sender hears at once if there is nobody to send to.
func (w *World) send(c *call) *call {
	c.w = w
	if c.to == nil || c.to.dead {
		c.fail("no controller there")
		return c
	}
	w.air = append(w.air, &packet{call: c})
	return c
}

// fail tells the sender that it cannot know what became of its call.
func (c *call) fail(why string) { c.hear(api.CommandReply{}, unavailable("%s", why)) }

func (c *call) hear(r api.CommandReply, err error) {
	if done := c.done; done != nil {
		c.done = nil
		done(r, err)
	}
}

// refused reports whether an answer says that nothing was and will be done.
func refused(err error) bool { return err != nil && kith.CodeOf(err) != kith.Unavailable }

// answered is called by an engine that answers.
func (w *World) answered(c *call, r api.CommandReply, err error) {
	if d := w.defect.answer; d != nil {
		r, err = d(c, r, err)
	}
	if c.said != "" && err != nil {
		w.say("%s: %v", c.said, err)
	}
	w.checks.answered(c, r, err)
	if g := c.greet; g != nil {
		g.greeted, g.rejected = err == nil, err != nil
	}
	if c.done != nil {
		w.air = append(w.air, &packet{call: c, answer: true, reply: r, err: err})
	}
}

// deliver takes packet i out of the air: it arrives, or is lost, or arrives and
// will arrive again.
func (w *World) deliver(i int) {
	k := w.air[i]
	w.air = append(w.air[:i:i], w.air[i+1:]...)
	c := k.call
	fault := w.faulty(w.profile.network)
	switch {
	case fault && w.chance(70):
		w.say("lost: %s", k)
		c.fail("the connection broke")
		return
	case fault && !k.answer && c.said == "":
		w.say("repeated: %s", k)
		w.air = append(w.air, &packet{call: &call{w: w, actor: c.actor, op: c.op, to: c.to}})
		if c.hook != nil {
			c.hook.copied = true
		}
	}
	switch {
	case k.answer:
		c.hear(k.reply, k.err)
	case c.to.dead:
		c.fail("the controller died")
	default:
		c.to.submit(c)
	}
}

func (k *packet) String() string {
	s := k.call.actor.String() + " " + k.call.op.Name()
	if k.answer {
		return "answer to " + s
	}
	return s
}

// callNow makes a call and waits for its answer while nothing else happens but what
// the engine and the store do. Hook tools that take effect at once use it.
func (w *World) callNow(p *process, actor core.Actor, op core.Op) error {
	if p == nil || p.dead || w.faulty(w.profile.network) {
		return unavailable("no controller there")
	}
	var err error
	waiting := true
	c := &call{w: w, actor: actor, op: op, to: p, done: func(api.CommandReply, error) {}}
	p.submit(c)
	for range 8 {
		if p.dead {
			break
		}
		if i := w.answerTo(c); i >= 0 {
			err, waiting = w.air[i].err, false
			w.air = append(w.air[:i:i], w.air[i+1:]...)
			break
		}
		if p.flight == nil {
			break
		}
		if !p.flight.sent {
			p.send(w.commitFault())
		}
		p.land()
	}
	c.done = nil
	if waiting {
		return unavailable("no answer")
	}
	if w.faulty(w.profile.network) {
		return unavailable("the connection broke")
	}
	return err
}

func (w *World) answerTo(c *call) int {
	for i, k := range w.air {
		if k.call == c && k.answer {
			return i
		}
	}
	return -1
}
