package agent

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/dispatch"
)

// unit is one unit on this host: a goroutine that runs its hooks one after another.
type unit struct {
	agent *Agent
	ref   api.UnitRef
	held  api.HostUnit
	dir   unitDir
	life  life
	stop  context.CancelFunc
	gone  atomic.Bool // the model has it no more
	wake  chan struct{}
	bags  bagCache
	// requeued counts how often in a row a hook was ended from outside.
	requeued int
	// unpacked is the charm that is known to be unpacked whole.
	unpacked string
	runner   dispatch.Runner

	mu   sync.Mutex
	next *api.Assignment // not begun
	task *taskRun        // nil unless a task runs
	// committed is the Seq of the last hook that is known to have committed, and
	// heard the model's revision of the last answer: assignments from before are old.
	committed uint64
	heard     uint64
}

func newUnit(a *Agent, h api.HostUnit) *unit {
	u := &unit{agent: a, ref: h.UnitRef, held: h, dir: a.dirs.unit(h.UnitRef), wake: make(chan struct{}, 1)}
	u.runner = dispatch.Runner{Grace: a.StopGrace, Between: func() *dispatch.Output { return u.newOutput(outputBetween) },
		Lost: u.logLost}
	if !dispatch.DiesWithParent {
		u.runner.Note = u.noteProcess
	}
	return u
}

// outputBetween stands for the hook's name in the log where a process that stays prints
// between two of them.
const outputBetween = "resident"

func (u *unit) logLost(how string) {
	u.log(api.LevelWarning, moduleUniter, "the process of the charm ended between two events, and is started anew: "+how)
}

// assign gives the unit its next hook. It replaces one that was not begun: the
// controller says how things are, not what has changed.
func (u *unit) assign(a *api.Assignment) {
	u.mu.Lock()
	u.next = a
	u.mu.Unlock()
	poke(u.wake)
}

// cancel withdraws a hook that was not begun.
func (u *unit) cancel() {
	u.mu.Lock()
	u.next = nil
	u.mu.Unlock()
}

// take is the hook to run now, or nil. One that was made before the controller
// answered for the last hook may be that same hook again, and is left out: the
// controller sends what holds now.
func (u *unit) take() *api.Assignment {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.next
	u.next = nil
	if a != nil && (a.Seq <= u.committed || a.UpdatedRevision < u.heard) {
		return nil
	}
	return a
}

func (u *unit) answered(r api.CommandReply, committed uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !r.Unchanged { // else what was assigned before is still to be done
		u.heard = max(u.heard, r.Revision)
	}
	u.committed = max(u.committed, committed)
}

// main is the life of the unit on this host.
func (u *unit) main() {
	defer u.leave()
	defer u.runner.End()
	if !u.takeUp() {
		return
	}
	if u.held.Failed != "" {
		u.logAwaiting(u.held.Failed)
	}
	for {
		select {
		case <-u.wake:
			for a := u.take(); a != nil && u.life.start.Err() == nil; a = u.take() {
				a = u.placed(a)
				if a.Hook.Task != nil {
					u.stepTask(a)
				} else {
					u.step(a)
				}
			}
		case <-u.life.start.Done():
			return
		}
	}
}

// takeUp makes the unit ready for hooks: nothing of an earlier life runs, its
// folder is there, and the controller knows that it may lead. It tries until it
// can, and reports false if the agent ends before.
func (u *unit) takeUp() bool {
	var wait backoff
	for {
		err := u.prepare()
		if err == nil {
			return true
		}
		if u.life.start.Err() != nil {
			return false
		}
		u.log(api.LevelError, moduleUniter, fmt.Sprintf("cannot take up unit %q, trying again: %v", u.ref.Unit, err))
		if !wait.wait(u.life.start) {
			return false
		}
	}
}

func (u *unit) prepare() error {
	if _, err := u.agent.dirs.prepareUnit(u.ref); err != nil {
		return err
	}
	found, err := endLeftover(u.life.start, u.dir.process(), u.agent.boot)
	if err != nil {
		return kith.Errorf(kith.Internal, "cannot end the hook of the agent's earlier life: %v", err)
	}
	if found {
		u.log(api.LevelWarning, moduleUniter, "killed the hook that was running when the agent died")
	}
	if u.held.Present {
		return nil
	}
	_, err = insist(u.life.start, func(ctx context.Context) (api.CommandReply, error) {
		return u.agent.Controller.Do(ctx, string(u.ref.Model), core.UnitHello{Unit: u.ref.Unit})
	})
	return err
}

// leave ends the unit's stay; if it is gone from the model, its folder goes too.
func (u *unit) leave() {
	if !u.gone.Load() {
		return
	}
	if err := removeTree(u.dir.root); err != nil {
		u.agent.Log.Warn("cannot remove the folder of a unit that is gone", "unit", u.ref.Unit, "error", err)
	}
}

// logAwaiting says that a failed hook waits for its retry, or for an operator: after it has
// failed, and when the agent comes back to it (hook protocol reference, section 3.5).
func (u *unit) logAwaiting(hook core.HookKind) {
	u.log(api.LevelInfo, moduleUniter, fmt.Sprintf("awaiting error resolution for %q hook", hook))
}

// Names of the loggers whose records people look for, as Juju has them.
const (
	moduleUniter    = "juju.worker.uniter"
	moduleOperation = "juju.worker.uniter.operation"
)

// log adds a record to the model's log.
func (u *unit) log(level api.Level, module, message string) {
	u.agent.logs.add(u.ref.Model, api.LogRecord{
		Time: u.agent.Now(), Entity: api.UnitTag(u.ref.Unit), Level: level, Module: module, Message: message,
	})
}

// The pause before a hook that was ended from outside runs again: none the first
// time, as in Juju, then more and more, or a hook that kills itself would eat the machine.
const (
	firstRequeuePause = 100 * time.Millisecond
	maxRequeuePause   = 10 * time.Second
)

func requeuePause(inARow int) time.Duration {
	if inARow < 2 {
		return 0
	}
	return min(firstRequeuePause<<min(inARow-2, 10), maxRequeuePause)
}
