package controller

import (
	"context"
	"errors"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// errOver ends a watch that has seen what it waited for.
var errOver = errors.New("over")

// WatchOperation calls f with an operation now and whenever it or one of its tasks
// changes, until it is over, ctx ends or f fails. Errors: NotFound.
func (m *Model) WatchOperation(ctx context.Context, id kith.OperationID, f func(api.OperationEvent) error) error {
	if m.Snapshot().Operation(id) == nil {
		return operationNotFound(id)
	}
	seen := glance{logged: map[kith.TaskID]int{}}
	err := m.Watch(ctx, false, func(api.WatchEvent) error {
		snapshot := m.Snapshot()
		op := snapshot.Operation(id)
		if op == nil {
			return operationNotFound(id) // pruned meanwhile
		}
		messages, changed := seen.look(snapshot, op)
		if changed {
			whole, _ := api.OperationOf(snapshot, id, false)
			if err := f(api.OperationEvent{Operation: whole, Log: messages}); err != nil {
				return err
			}
		}
		if op.Status.Over() {
			return errOver
		}
		return nil
	})
	if errors.Is(err, errOver) {
		return nil
	}
	return err
}

func operationNotFound(id kith.OperationID) error {
	return kith.Errorf(kith.NotFound, "operation %q not found", id).WithHint("'kith operations' lists those that are kept")
}

// glance is what was last seen of an operation.
type glance struct {
	op     *core.Operation
	tasks  []*core.Task
	logged map[kith.TaskID]int // messages seen
}

// look finds what is new. Rows are never modified, so one that is the same is unchanged.
func (g *glance) look(m *core.Model, op *core.Operation) (messages []api.TaskMessage, changed bool) {
	changed = g.op != op
	g.op = op
	i := 0
	for id := range op.Tasks() {
		t := m.Task(id)
		if i == len(g.tasks) {
			g.tasks = append(g.tasks, nil)
		}
		changed = changed || g.tasks[i] != t
		g.tasks[i] = t
		i++
		n := 0
		for part := range m.Log(id) {
			for _, msg := range part.Messages {
				if n++; n > g.logged[id] {
					messages = append(messages, api.TaskMessage{Task: id, LogMessage: msg})
				}
			}
		}
		g.logged[id] = n
	}
	return messages, changed || len(messages) > 0
}

// pruneTasks drops operations that the model's options say are not to be kept.
func (m *Model) pruneTasks(ctx context.Context) error {
	for {
		reply, err := m.Submit(ctx, core.System, core.PruneTasks{})
		if err != nil || reply.Unchanged {
			return err
		}
	}
}

// abort passes an operator's wish that a running task end on to its agent, once.
func (s *scheduler) abort(sl *slot, p *core.Progress) {
	if !p.RunsTask() {
		return
	}
	t := s.m.Task(p.Running.Hook.Task.ID)
	if t != nil && t.Status == core.TaskAborting && sl.aborted != t.ID {
		sl.aborted = t.ID
		s.fx.send(sl.host, api.HostEvent{Abort: &api.TaskRef{UnitRef: sl.held.UnitRef, Task: t.ID}})
	}
}

// affectedByTask names the task's unit, and those that share its machine: a task of theirs may
// have waited for this one.
func affectedByTask(before, after *core.Model, c core.Change, add func(kith.UnitName)) {
	unit := kith.UnitName("")
	for _, m := range []*core.Model{before, after} {
		if t := m.TaskWithID(c.Key.ID); t != nil {
			unit = t.Unit
		}
	}
	add(unit)
	for _, u := range after.Together(unit) {
		for range after.ActiveTasks(u) {
			add(u)
			break
		}
	}
}
