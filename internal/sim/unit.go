package sim

import (
	"fmt"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// phase is what the agent is doing with a unit.
type phase int

const (
	fresh     phase = iota // to be taken up
	greeting               // unit-hello is on its way
	idle                   // waits for an assignment
	asking                 // a task is to be begun
	beginning              // waits for the controller to let it
	running                // a hook is being run
	reporting              // it has ended, and the controller is to be told
	waiting                // for the controller's answer to that
)

// unit is a unit as its agent has it.
type unit struct {
	w     *World
	agent *agent
	name  kith.UnitName
	held  api.HostUnit
	phase phase
	next  *api.Assignment // not begun
	asked *api.Assignment // a task that is to begin
	// aborting is the task to be killed as soon as it runs.
	aborting kith.TaskID

	hook     *hookRun
	begin    *call   // begin-hook, unanswered
	tell     core.Op // what is to be reported
	attempts int

	// As in the agent: a commit that was heard uses up its number, and what was
	// assigned before an answer is old.
	committed, heard uint64
	// talking is the call that waits for an answer.
	talking *call
}

// end forgets what the unit was doing.
func (u *unit) end() {
	for _, c := range []*call{u.begin, u.talking} {
		if c != nil {
			c.done = nil
		}
	}
	u.begin, u.talking, u.hook, u.next, u.asked = nil, nil, nil, nil, nil
}

// take is the assignment to run now, or nil.
func (u *unit) take() *api.Assignment {
	a := u.next
	u.next = nil
	if a != nil && (a.Seq <= u.committed || a.UpdatedRevision < u.heard) {
		return nil
	}
	return placed(a)
}

// can reports whether the unit can act.
func (u *unit) can() bool {
	switch u.phase {
	case fresh:
		return u.held.Present || u.agent.conn != nil
	case idle:
		return u.next != nil
	case asking:
		return u.agent.conn != nil
	case running:
		return true
	case reporting:
		_, failed := u.tell.(core.FailHook)
		// A late begin must not look like the start of the next attempt.
		return u.agent.conn != nil && !(failed && u.begin != nil)
	case greeting, beginning, waiting:
		return false
	}
	panic("sim: unknown phase")
}

// act does the unit's next thing.
func (u *unit) act() {
	switch u.phase {
	case fresh:
		u.takeUp()
	case idle:
		switch a := u.take(); {
		case a == nil:
		case a.Hook.Task != nil:
			u.asked, u.aborting = a, 0
			u.beginTask()
		default:
			u.start(a)
		}
	case asking:
		u.beginTask()
	case running:
		u.runOn()
	case reporting:
		u.report()
	case greeting, beginning, waiting:
	}
}

func (u *unit) takeUp() {
	if u.held.Present {
		u.phase = idle
		return
	}
	u.phase = greeting
	u.talking = u.w.send(&call{actor: u.agent.actor(), op: core.UnitHello{Unit: u.name}, to: u.agent.controller(),
		done: func(_ api.CommandReply, err error) {
			u.phase = fresh
			if err == nil {
				u.phase = idle
			}
		}})
}

// start begins a hook: the controller is told, and not waited for.
func (u *unit) start(a *api.Assignment) {
	u.attempts++
	u.w.attempts++
	u.hook = newHook(u, a, fmt.Sprintf("%s.%d.%d", a.Unit, a.Seq, u.w.attempts))
	if u.w.faulty(10) { // the charm has no such hook
		u.hook.missing = true
		u.succeed()
		return
	}
	u.phase = running
	u.w.say("%s begins %s", u.name, a.Hook.Name())
	begin := &call{actor: core.UnitActor(u.name), to: u.agent.controller(),
		op: core.BeginHook{Unit: u.name, Seq: a.Seq, Hook: a.Hook, Attempt: a.Context.Attempt, Epoch: u.agent.epoch()}}
	begin.done = func(r api.CommandReply, err error) {
		if u.begin == begin {
			u.begin = nil
		}
		if err == nil {
			u.answered(r, 0)
		}
	}
	u.begin = begin
	u.w.send(begin)
}

func (u *unit) answered(r api.CommandReply, committed uint64) {
	if !r.Unchanged {
		u.heard = max(u.heard, r.Revision)
	}
	u.committed = max(u.committed, committed)
}

// runOn lets the charm call tools, one or more, until its process ends.
func (u *unit) runOn() {
	h := u.hook
	if t := h.a.Hook.Task; t != nil && t.ID == u.aborting {
		u.abort(t.ID)
		return
	}
	for n := 1 + u.w.pick(4); ; n-- {
		if h.at == len(h.program) {
			break
		}
		if n == 0 && !u.w.choice.calm {
			return
		}
		h.at++
		failed := h.program[h.at-1](h)
		if u.hook != h {
			return // the agent or the unit has gone while a tool waited for its answer
		}
		switch {
		case h.ending:
			u.rebootNow()
			return
		case failed != "":
			u.fail(failed, false)
			return
		}
	}
	switch {
	case h.a.Hook.Task != nil && u.w.faulty(u.w.profile.hooks):
		if u.w.chance(30) {
			u.endTask(killed())
		} else {
			u.endTask(exited(3))
		}
	case h.a.Hook.Task != nil:
		u.endTask(exited(0))
	case u.w.faulty(u.w.profile.hooks):
		if u.w.chance(30) {
			u.fail("signal: killed", true)
		} else {
			u.fail("exit status 1", false)
		}
	default:
		u.succeed()
	}
}

func (u *unit) succeed() {
	a := u.hook.a
	u.phase = reporting
	op := core.CommitHook{Unit: u.name, Seq: a.Seq, Hook: a.Hook, Missing: u.hook.missing, Epoch: u.agent.epoch()}
	if !u.hook.missing {
		op.Effects = u.hook.run.Effects()
	}
	if u.w.defect.tireless {
		op.Effects.Reboot = false
	}
	if u.w.defect.forgetful {
		for i := range op.Effects.Secrets {
			if w := &op.Effects.Secrets[i]; w.Create == "" {
				w.Data = nil
			}
		}
	}
	u.tell = op
	u.w.checks.ended(u.hook)
}

func (u *unit) fail(message string, requeue bool) {
	a := u.hook.a
	if a.Hook.Task != nil {
		e := exited(1)
		e.Interrupted = requeue // the agent ends
		u.endTask(e)
		return
	}
	u.phase = reporting
	u.w.say("%s fails %s: %s", u.name, a.Hook.Name(), message)
	u.tell = core.FailHook{Unit: u.name, Seq: a.Seq, Hook: a.Hook, Message: message, Attempt: a.Context.Attempt,
		Requeue: requeue, Epoch: u.agent.epoch()}
	if !requeue {
		u.w.checks.failing(u.hook)
	}
}

// rebootNow ends a hook that has asked for a reboot at once: it runs again.
func (u *unit) rebootNow() {
	u.fail("it asked for a reboot", true)
	op := u.tell.(core.FailHook)
	op.Reboot = true
	u.tell = op
	u.w.checks.restarting(u.hook)
}

// report tells the controller how the hook ended, again and again until it is heard.
func (u *unit) report() {
	u.phase = waiting
	op := u.tell
	u.talking = u.w.send(&call{actor: core.UnitActor(u.name), op: op, to: u.agent.controller(),
		hook: u.hook, done: func(r api.CommandReply, err error) { u.reported(op, r, err) }})
}

func (u *unit) reported(op core.Op, r api.CommandReply, err error) {
	if finish, ok := op.(core.FinishTask); ok {
		u.taskReported(finish, r, err)
		return
	}
	commit, committing := op.(core.CommitHook)
	if committing {
		u.w.checks.heard(u.hook, err)
	}
	switch {
	case err == nil && committing:
		u.answered(r, commit.Seq)
		if u.w.defect.again != nil && u.w.defect.again(u, commit) {
			return
		}
	case err == nil:
		u.answered(r, 0)
	case !refused(err):
		u.phase = reporting // again
		return
	case committing:
		u.fail(err.Error(), false)
		return
	}
	u.phase, u.hook, u.tell = idle, nil, nil
}
