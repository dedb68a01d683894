package agent

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/dispatch"
	"kith/internal/hooktool"
)

// maxCapture bounds, in bytes, what is kept of each output stream of a task: it is
// stored with the task and travels in one transaction.
const maxCapture = 1 << 20

// capture keeps the beginning of what a process prints.
type capture struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	dropped int64
}

// Write keeps what there is room for.
func (c *capture) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := min(len(p), maxCapture-c.buf.Len())
	c.buf.Write(p[:room])
	c.dropped += int64(len(p) - room)
	return len(p), nil
}

// kept is what was kept; a line at its end tells if that is not all.
func (c *capture) kept() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped == 0 {
		return c.buf.Bytes()
	}
	return fmt.Appendf(c.buf.Bytes(), "\n(%d more bytes were dropped: %d are kept)\n", c.dropped, maxCapture)
}

// timeoutGrace is what a command has beyond its time: who waits for it just as long is to
// give up first, and say so.
const timeoutGrace = time.Second

// taskRun is the task that a unit runs.
type taskRun struct {
	id   kith.TaskID
	kill chan struct{} // closed to have it killed

	mu       sync.Mutex
	killed   bool
	aborted  bool
	timedOut bool
}

// end has the task killed, and notes why: for an operator, or because its time is up.
func (r *taskRun) end(aborted bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return
	}
	r.killed, r.aborted, r.timedOut = true, aborted, !aborted
	close(r.kill)
}

// abort ends a task that runs, or is about to. One that has ended is let be.
func (u *unit) abort(id kith.TaskID) {
	u.mu.Lock()
	r := u.task
	u.mu.Unlock()
	if r != nil && r.id == id {
		r.end(true)
	}
}

func (u *unit) setTask(r *taskRun) {
	u.mu.Lock()
	u.task = r
	u.mu.Unlock()
}

// stepTask runs a task and tells the controller how it ended. It begins only when the
// controller has made that durable: so it runs at most once, and one that was
// cancelled does not run at all.
func (u *unit) stepTask(a *api.Assignment) {
	r := &taskRun{id: a.Hook.Task.ID, kill: make(chan struct{})}
	u.setTask(r)
	defer u.setTask(nil)
	s, failure, ok := u.findTask(a)
	if !ok {
		return
	}
	release, ok := u.agent.slots.acquire(u.life.start)
	if !ok {
		return
	}
	defer release()
	begin := core.BeginTask{Unit: u.ref.Unit, Task: r.id, Epoch: u.agent.epoch}
	if err := u.tell(a, begin, 0); err != nil {
		u.logOperation(api.LevelDebug, "task %d does not run: %v", r.id, err)
		return
	}
	o := u.runTask(a, s, r, failure)
	u.logTask(a, s, o)
	u.flushLog()
	u.finishTask(a, o)
}

// findTask brings the charm up to date and finds what to run. A failure to do so is the
// task's; false if the agent ends first.
func (u *unit) findTask(a *api.Assignment) (s dispatch.Script, failure error, ok bool) {
	if t := a.Context.Task; t != nil && t.Machine != "" {
		s, err := findShell(t.Command.Text)
		return s, err, true
	}
	if err := u.unpack(a.Context.Charm); err != nil {
		return dispatch.Script{}, err, u.life.start.Err() == nil
	}
	if a.Hook.Kind == core.Exec {
		s, failure = findShell(a.Context.Task.Command.Text)
	} else {
		s, failure = dispatch.FindAction(u.dir.charm(), a.Hook.Name())
	}
	return s, failure, true
}

// viaShell is how the log names the way a command is run.
const viaShell = "shell"

// findShell is a shell that runs text: bash, as in Juju, or what there is.
func findShell(text string) (dispatch.Script, error) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		shell, err = exec.LookPath("sh")
	}
	if err != nil {
		return dispatch.Script{Via: viaShell}, kith.Errorf(kith.Internal, "no shell was found: %v", dispatch.Reason(err))
	}
	return dispatch.Script{Path: shell, Args: []string{"-c", text}, Via: viaShell}, nil
}

// runTask runs what was found, if anything was, to its end.
func (u *unit) runTask(a *api.Assignment, s dispatch.Script, r *taskRun, failure error) core.TaskOutcome {
	run, host := u.newRun(a)
	defer host.end()
	end := hooktool.Ending{Missing: s.Path == ""}
	if failure != nil {
		end = hooktool.Ending{Failed: dispatch.Reason(failure).Error()}
	}
	if failure == nil && s.Path != "" {
		if c := a.Context.Task.Command; c != nil && c.Timeout > 0 {
			timer := time.AfterFunc(c.Timeout+timeoutGrace, func() { r.end(false) })
			defer timer.Stop()
		}
		end = u.executeTask(a, s, r, run, host)
	}
	return run.Outcome(end)
}

// executeTask runs the process of a task.
func (u *unit) executeTask(a *api.Assignment, s dispatch.Script, r *taskRun, run *hooktool.Run, host *toolHost) hooktool.Ending {
	fail := func(err error) hooktool.Ending { return hooktool.Ending{Failed: dispatch.Reason(err).Error()} }
	e := dispatch.Event{Script: s, Dir: dispatch.HomeFolder(), Env: dispatch.MachineEnvironment(u.agent.env), Output: u.newOutput(a.Hook.Name())}
	if a.Context.Task.Machine == "" {
		tools, id, err := u.serveTools(a, run, host)
		if err != nil {
			return fail(err)
		}
		e = u.event(a, s, tools, id)
	}
	var stdout, stderr capture
	e.Stdout, e.Stderr, e.Kill = &stdout, &stderr, r.kill
	exit, err := u.runner.Run(u.life.run, e)
	if e.Tools != nil {
		e.Tools.Close()
	}
	e.Output.Finish()
	if err != nil {
		return fail(err)
	}
	end := hooktool.Ending{Output: hooktool.NewOutput(exit.Code, stdout.kept(), stderr.kept())}
	if !exit.Success() {
		end.Failed = exit.Text
		r.mu.Lock()
		end.Aborted, end.TimedOut = r.aborted, r.timedOut
		r.mu.Unlock()
		end.Interrupted = u.life.run.Err() != nil
	}
	return end
}

// logTask notes the end of a task beside those of hooks.
func (u *unit) logTask(a *api.Assignment, s dispatch.Script, o core.TaskOutcome) {
	name, via := a.Hook.Name(), ""
	if s.Via != "" {
		via = " (via " + s.Via + ")"
	}
	switch o.Status {
	case core.TaskCompleted:
		u.logOperation(api.LevelInfo, "ran action %q%s", name, via)
	case core.TaskAborted:
		u.logOperation(api.LevelWarning, "action %q was aborted", name)
	default:
		u.logOperation(api.LevelWarning, "action %q%s failed: %s", name, via, firstLine(o.Message))
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// finishTask tells the controller how a task ended, and insists until it is heard. What it wrote
// may be refused: then it has failed. What it has printed may be too much for the store: then
// that is left out.
func (u *unit) finishTask(a *api.Assignment, o core.TaskOutcome) {
	tell := func(o core.TaskOutcome) error {
		return u.tell(a, core.FinishTask{Unit: u.ref.Unit, Task: a.Hook.Task.ID, TaskOutcome: o, Epoch: u.agent.epoch}, 0)
	}
	err := tell(o)
	if refused(err) {
		u.logOperation(api.LevelWarning, "what action %q wrote was refused: %v", a.Hook.Name(), err)
		err = tell(o.CommitRefused(err))
	}
	if refused(err) {
		err = tell(core.TaskOutcome{Status: core.TaskFailed, Message: fmt.Sprintf("cannot keep the results: %v", err)})
	}
	if err != nil && u.life.report.Err() == nil && !u.gone.Load() {
		u.logOperation(api.LevelWarning, "cannot report the end of action %q: %v", a.Hook.Name(), err)
	}
}

// refused reports whether an answer says no, as opposed to there being none.
func refused(err error) bool { return err != nil && kith.CodeOf(err) != kith.Unavailable }
