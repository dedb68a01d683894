package agent

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/dispatch"
	"kith/internal/hooktool"
	"kith/internal/hookwire"
)

// ending is how a hook ended.
type ending int

const (
	ran        ending = iota // exit 0
	missing                  // the charm has none
	failed                   // message says why
	terminated               // ended from outside: it runs again
	unstarted                // the agent ended before the hook began
)

// outcome is what running a hook came to.
type outcome struct {
	ending
	via     string // which script ran; empty if none was found
	message string
	effects core.Effects
	reboot  bool // of a hook that was ended because it asked for one
}

// logFlush bounds how long a commit waits for the log: a log that cannot be
// written must not hold up the model.
const logFlush = time.Second

// step runs one assigned hook and tells the controller how it ended. When it
// returns, the controller has answered, or the agent ends.
func (u *unit) step(a *api.Assignment) {
	if !pause0(u.life.start, requeuePause(u.requeued)) {
		return
	}
	var begin sync.WaitGroup
	defer begin.Wait()
	o := u.runHook(a, func(begun chan<- struct{}) {
		begin.Go(func() {
			u.begin(a)
			close(begun)
		})
	})
	if o.ending == unstarted {
		return
	}
	u.requeued++
	if o.ending != terminated {
		u.requeued = 0
	}
	name := a.Hook.Name()
	switch o.ending {
	case ran:
		u.logOperation(api.LevelInfo, "ran %q hook (via %s)", name, o.via)
	case missing:
		u.logOperation(api.LevelInfo, "skipped %q hook (missing)", name)
	case terminated:
		u.logOperation(api.LevelWarning, "hook %q was terminated", name)
		if o.reboot {
			u.logOperation(api.LevelInfo, "hook %q has asked for a reboot and runs again", name)
		}
	case failed:
		u.logFailed(a.Hook, o)
	}
	u.flushLog()
	if o.ending == failed || o.ending == terminated {
		// The same hook will run again under the same number: a late start must not
		// look like that one. A commit needs no such care, its number is used up.
		begin.Wait()
	}
	u.report(a, o)
}

// flushLog hands over what was logged so far, so that who waits for the end of a hook finds it.
func (u *unit) flushLog() {
	flush, done := context.WithTimeout(u.life.report, logFlush)
	defer done()
	u.agent.logs.flush(flush)
}

// report commits the hook, or says that it failed. It insists until it is heard:
// the sequence number makes a repetition harmless.
func (u *unit) report(a *api.Assignment, o outcome) {
	if o.ending == ran || o.ending == missing {
		err := u.tell(a, core.CommitHook{Unit: u.ref.Unit, Seq: a.Seq, Hook: a.Hook, Effects: o.effects,
			Missing: o.ending == missing, Epoch: u.agent.epoch}, a.Seq)
		if err == nil || u.life.report.Err() != nil {
			return
		}
		o.ending, o.message = failed, err.Error()
		u.logFailed(a.Hook, o)
		u.flushLog()
	}
	err := u.tell(a, core.FailHook{Unit: u.ref.Unit, Seq: a.Seq, Hook: a.Hook, Message: o.message,
		Attempt: a.Context.Attempt, Requeue: o.ending == terminated, Reboot: o.reboot, Epoch: u.agent.epoch}, 0)
	if err != nil && u.life.report.Err() == nil && !u.gone.Load() {
		u.logOperation(api.LevelWarning, "cannot report the end of hook %q: %v", a.Hook.Name(), err)
	}
}

// tell sends a command about a hook. A commit that was heard is remembered as seq.
func (u *unit) tell(a *api.Assignment, op core.Op, seq uint64) error {
	way := u.agent.Controller.Unit(a.Token)
	reply, err := insist(u.life.report, func(ctx context.Context) (api.CommandReply, error) {
		return way.Do(ctx, string(u.ref.Model), op)
	})
	if err == nil {
		u.answered(reply, seq)
		u.logVerdicts(reply.Verdicts)
	}
	return err
}

func (u *unit) logOperation(level api.Level, format string, args ...any) {
	u.log(level, moduleOperation, fmt.Sprintf(format, args...))
}

func (u *unit) logFailed(h core.Hook, o outcome) {
	via := ""
	if o.via != "" {
		via = " (via " + o.via + ")"
	}
	u.logOperation(api.LevelError, "hook %q%s failed: %s", h.Name(), via, o.message)
	u.logAwaiting(h.Kind)
}

// runHook brings the charm up to date, finds what to run for a hook and runs it. It calls
// begin once that runs, which closes what it is given when the controller has answered.
func (u *unit) runHook(a *api.Assignment, begin func(begun chan<- struct{})) outcome {
	err := u.unpack(a.Context.Charm)
	if err != nil && u.life.start.Err() != nil {
		return outcome{ending: unstarted}
	}
	if err == nil {
		err = u.makeStorage(a)
	}
	var s dispatch.Script
	if err == nil {
		s, err = dispatch.FindHook(u.dir.charm(), a.Hook.Name())
	}
	if err != nil {
		return outcome{ending: failed, via: s.Via, message: err.Error()}
	}
	if s.Path == "" {
		return outcome{ending: missing}
	}
	release, ok := u.agent.slots.acquire(u.life.start)
	if !ok {
		return outcome{ending: unstarted}
	}
	defer release()
	return u.execute(a, s, begin)
}

// unpack has the charm in the unit's folder. It looks once, not before every hook.
func (u *unit) unpack(charm string) error {
	if u.unpacked == charm {
		return nil
	}
	u.unpacked = ""
	u.runner.End() // its program is about to be replaced
	err := u.agent.charms.unpack(u.life.start, u.dir, charm)
	if err == nil {
		u.unpacked = charm
	}
	return err
}

// begin tells the controller that the hook runs. The hook does not wait for it, and
// one that gets lost costs only what status shows: a hook that was not known to
// run when the agent died is simply run.
func (u *unit) begin(a *api.Assignment) {
	_, err := u.agent.Controller.Unit(a.Token).Do(u.life.run, string(u.ref.Model),
		core.BeginHook{Unit: u.ref.Unit, Seq: a.Seq, Hook: a.Hook, Attempt: a.Context.Attempt, Epoch: u.agent.epoch})
	if err != nil && kith.CodeOf(err) != kith.Unavailable && u.life.run.Err() == nil {
		u.logOperation(api.LevelDebug, "the controller did not note the start of hook %q: %v", a.Hook.Name(), err)
	}
}

// execute runs a script as a hook, with its tools, to its end. It calls begin, once, when the
// process has started: what the controller has to do for that would only delay the start.
func (u *unit) execute(a *api.Assignment, s dispatch.Script, begin func(begun chan<- struct{})) outcome {
	fail := func(err error) outcome {
		return outcome{ending: failed, via: s.Via, message: dispatch.Reason(err).Error()}
	}
	run, host := u.newRun(a)
	defer host.end()
	tools, id, err := u.serveTools(a, run, host)
	if err != nil {
		return fail(err)
	}
	e := u.event(a, s, tools, id)
	e.Kill, e.Started = host.kill, sync.OnceFunc(func() { begin(host.begun) })
	if a.Hook.Kind == core.Start {
		u.runner.End() // the machine has started, so far as a charm can know: no process is from before
	}
	exit, err := u.runner.Run(u.life.run, e)
	tools.Close()
	e.Output.Finish()
	switch {
	case err != nil:
		return fail(err)
	case run.RebootNow():
		u.runner.End() // should it have been quicker than the signal
		return outcome{ending: terminated, via: s.Via, message: "it asked for a reboot", reboot: true}
	case exit.Success():
		return outcome{ending: ran, via: s.Via, effects: run.Effects()}
	case exit.Terminated, u.life.run.Err() != nil:
		return outcome{ending: terminated, via: s.Via, message: exit.Text}
	}
	return outcome{ending: failed, via: s.Via, message: exit.Text}
}

// event is a hook or action as a process gets it. Commands run beside a process that stays.
func (u *unit) event(a *api.Assignment, s dispatch.Script, tools *dispatch.Tools, id string) dispatch.Event {
	stay := a.Hook.Kind != core.Exec && !u.agent.NoResidents
	places := dispatch.Places{Charm: u.dir.charm(), Tools: u.dir.tools(), Socket: tools.Path, Stay: stay}
	return dispatch.Event{
		Script: s, Dir: places.Charm, Env: dispatch.Environment(u.agent.env, places, &a.Context, a.Hook, id),
		Tools: tools, Stay: stay, Output: u.newOutput(a.Hook.Name()),
	}
}

// newRun makes ready what the tools of a hook or a task work on. The host must be ended.
func (u *unit) newRun(a *api.Assignment) (*hooktool.Run, *toolHost) {
	ctx, cancel := context.WithCancel(u.life.run)
	host := u.toolHost(ctx, a)
	host.end = cancel
	return hooktool.NewRun(u.bags.fill(a), a.Hook, host), host
}

// serveTools serves the tools of a run, under an id that only its process knows.
func (u *unit) serveTools(a *api.Assignment, run *hooktool.Run, host *toolHost) (*dispatch.Tools, string, error) {
	socket, err := u.agent.sockets.Place(u.dir.socket())
	if err != nil {
		return nil, "", err
	}
	id := dispatch.NewContextID(u.ref.Unit, dispatch.ContextName(a.Hook))
	tools, err := dispatch.ListenTools(socket, id, host.end, func(q hookwire.Request) hookwire.Response {
		return hookwire.Response(run.Exec(hooktool.Call{
			Tool: q.Tool, Args: q.Args, Dir: q.Dir, StdinSupplied: q.StdinSupplied, Stdin: q.Stdin}))
	})
	return tools, id, err
}

// newOutput logs what a hook prints under its name.
func (u *unit) newOutput(name string) *dispatch.Output {
	module := "unit." + string(u.ref.Unit) + "." + name
	return dispatch.NewOutput(func(level api.Level, line string) { u.log(level, module, line) })
}

// noteProcess notes the process of a hook, so that it cannot outlive the agent unnoticed.
func (u *unit) noteProcess(pid int) {
	if pid == 0 {
		_ = os.Remove(u.dir.process()) // a note of a process that has ended is of no use, and does no harm
		return
	}
	if err := recordProcess(u.dir.process(), u.agent.boot, pid); err != nil {
		u.agent.Log.Debug("cannot note the process of a hook", "unit", u.ref.Unit, "pid", pid, "error", err)
	}
}

// pause0 is pause, without a look at the clock for nothing.
func pause0(ctx context.Context, d time.Duration) bool {
	return d == 0 && ctx.Err() == nil || d > 0 && pause(ctx, d)
}
