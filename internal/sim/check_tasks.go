package sim

import (
	"fmt"

	"kith"
	"kith/internal/core"
)

// tasksOnce: a task begins once and ends once; its process is started at most once, and only
// after history says that it has begun; a task whose agent has died is not run by the next;
// and when the system has come to rest, no task is left that is not over.
type tasksOnce struct {
	status  map[string]core.TaskStatus // by id
	begun   map[kith.TaskID]int
	started map[kith.TaskID]int
	ended   map[kith.TaskID]uint64
}

func (*tasksOnce) name() string { return "tasks-once" }

func (c *tasksOnce) init() {
	if c.status == nil {
		c.status, c.begun = map[string]core.TaskStatus{}, map[kith.TaskID]int{}
		c.started, c.ended = map[kith.TaskID]int{}, map[kith.TaskID]uint64{}
	}
}

// moves are what may become of a task.
var moves = map[core.TaskStatus][]core.TaskStatus{
	"":                 {core.TaskPending},
	core.TaskPending:   {core.TaskRunning, core.TaskCancelled, core.TaskFailed},
	core.TaskRunning:   {core.TaskAborting, core.TaskCompleted, core.TaskFailed, core.TaskAborted, core.TaskCancelled},
	core.TaskAborting:  {core.TaskCompleted, core.TaskFailed, core.TaskAborted, core.TaskCancelled},
	core.TaskCompleted: nil, core.TaskFailed: nil, core.TaskAborted: nil, core.TaskCancelled: nil,
}

func (c *tasksOnce) entry(_ *ledger, e *core.Entry) string {
	c.init()
	if e.Hook != nil && e.Hook.Hook.Task != nil {
		id := e.Hook.Hook.Task.ID
		switch e.Command {
		case "begin-task":
			if c.begun[id]++; c.begun[id] > 1 {
				return fmt.Sprintf("task %d begins again at revision %d", id, e.Revision)
			}
		case "finish-task":
			if first, twice := c.ended[id]; twice {
				return fmt.Sprintf("task %d ended at revision %d and again at %d", id, first, e.Revision)
			}
			c.ended[id] = e.Revision
		}
	}
	for _, d := range e.Deltas {
		if d.Kind != core.KindTask || d.Action == core.Deleted || d.Status == nil {
			continue
		}
		was, is := c.status[d.ID], core.TaskStatus(d.Status.Current)
		legal := false
		for _, s := range moves[was] {
			legal = legal || s == is
		}
		if !legal {
			return fmt.Sprintf("task %s goes from %q to %q at revision %d", d.ID, was, is, e.Revision)
		}
		c.status[d.ID] = is
	}
	return ""
}

// processStarted is told when an agent starts a task's process.
func (c *tasksOnce) processStarted(h *hookRun) string {
	c.init()
	id := h.a.Hook.Task.ID
	if c.started[id]++; c.started[id] > 1 {
		return fmt.Sprintf("task %d of %s is run a second time", id, h.u.name)
	}
	if c.begun[id] == 0 {
		return fmt.Sprintf("task %d of %s is run, and history does not know that it has begun", id, h.u.name)
	}
	return ""
}

func (c *tasksOnce) rested(_ *World, p *process) string {
	c.init()
	for id, s := range c.status { // any order: only complaints
		if !s.Over() {
			return fmt.Sprintf("task %s is %s, and nothing more happens", id, s)
		}
	}
	for _, op := range p.engine.Snapshot().Operations() {
		if !op.Status.Over() {
			return fmt.Sprintf("operation %d is %s, and nothing more happens", op.ID, op.Status)
		}
	}
	return ""
}
