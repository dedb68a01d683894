package sim

import (
	"fmt"
	"strconv"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// beginTask asks the controller to let a task begin: it runs only if that is durable.
func (u *unit) beginTask() {
	a := u.asked
	u.phase = beginning
	u.talking = u.w.send(&call{actor: core.UnitActor(u.name), to: u.agent.controller(),
		op:   core.BeginTask{Unit: u.name, Task: a.Hook.Task.ID, Epoch: u.agent.epoch()},
		done: func(r api.CommandReply, err error) { u.begun(r, err) }})
}

func (u *unit) begun(r api.CommandReply, err error) {
	a := u.asked
	switch {
	case err == nil, refused(err) && u.w.defect.headstrong:
		u.answered(r, 0)
		u.asked, u.phase = nil, running
		u.attempts++
		u.w.attempts++
		u.hook = newHook(u, a, fmt.Sprintf("%s.t%d.%d", a.Unit, a.Hook.Task.ID, u.w.attempts))
		u.w.say("%s begins %s", u.name, a.Hook.Title())
		u.w.checks.started(u.hook)
	case refused(err):
		u.asked, u.phase = nil, idle
	default:
		u.phase = asking // again
	}
}

// endTask ends the process of a task.
func (u *unit) endTask(e hooktool.Ending) {
	h := u.hook
	u.phase = reporting
	o := h.run.Outcome(e)
	u.w.say("%s ends %s: %s %s", u.name, h.a.Hook.Title(), o.Status, o.Message)
	u.tell = core.FinishTask{Unit: u.name, Task: h.a.Hook.Task.ID, TaskOutcome: o, Epoch: u.agent.epoch()}
}

// exited is a process that has ended by itself.
func exited(code int) hooktool.Ending {
	e := hooktool.Ending{Output: hooktool.NewOutput(code, nil, nil)}
	if code != 0 {
		e.Failed = "exit status " + strconv.Itoa(code)
	}
	return e
}

// killed is one that was killed.
func killed() hooktool.Ending {
	return hooktool.Ending{Failed: "signal: killed", Output: hooktool.NewOutput(-1, nil, nil)}
}

// abort kills the task that runs, if it is this one.
func (u *unit) abort(id kith.TaskID) {
	if h := u.hook; h != nil && u.phase == running && h.a.Hook.Task != nil && h.a.Hook.Task.ID == id {
		e := killed()
		e.Aborted = true
		u.endTask(e)
	} else if u.phase == asking || u.phase == beginning {
		u.aborting = id // once it runs
	}
}

// taskReported hears what became of a report. What a task wrote may be refused: then it has failed.
func (u *unit) taskReported(op core.FinishTask, r api.CommandReply, err error) {
	u.w.checks.heard(u.hook, err)
	switch {
	case err == nil:
		u.answered(r, 0)
	case !refused(err):
		u.phase = reporting // again
		return
	case !op.Effects.Empty():
		op.TaskOutcome = op.CommitRefused(err)
		u.phase, u.tell = reporting, op
		return
	}
	u.phase, u.hook, u.tell = idle, nil, nil
}

// taskProgram is what an action or a command does: it counts itself in the unit's state, sets
// results, logs, and writes into some relation.
func taskProgram() []part {
	return []part{(*hookRun).countTask, (*hookRun).tellTask, (*hookRun).gossip, (*hookRun).failTask}
}

func (h *hookRun) countTask() string {
	return h.must([]string{"state-set", "task=" + h.a.Hook.Task.ID.String(), "tasktok=" + h.token})
}

func (h *hookRun) tellTask() string {
	if h.a.Hook.Kind != core.Action {
		return ""
	}
	for range h.u.w.pick(3) {
		h.tool("action-log", h.token)
	}
	h.tool("action-set", "token="+h.token)
	return ""
}

// failTask calls action-fail now and then: what was written commits all the same.
func (h *hookRun) failTask() string {
	if h.a.Hook.Kind == core.Action && h.u.w.pick(4) == 3 {
		h.tool("action-fail", "no")
	}
	return ""
}

// runTask is an operator's order.
func (w *World) runTask() core.Op {
	op := core.RunAction{Action: []string{"work", "free", "io", "nonsense", "database-1", "web-1"}[w.pick(6)]}
	for _, u := range w.someUnits() {
		op.Receivers = append(op.Receivers, string(u))
	}
	if w.pick(6) == 5 {
		op.Receivers = []string{string(w.someApp()) + "/leader"}
	}
	return op
}

func (w *World) runCommand() core.Op {
	op := core.RunCommand{Command: "true", Serial: w.pick(3) == 1}
	if w.pick(4) == 3 {
		op.Group = "io"
	}
	switch w.pick(6) {
	case 4:
		op.All = true
	case 5:
		op.Apps = []kith.AppName{w.someApp()}
	default:
		for _, u := range w.someUnits() {
			op.Units = append(op.Units, string(u))
		}
	}
	if w.pick(5) == 4 {
		id := w.someRelation()
		op.Relation = &id
	}
	return op
}

// cancelTask cancels a task that is not over, if there is one.
func (w *World) cancelTask() core.Op {
	var all []kith.TaskID
	for u := range w.model().Units() {
		for t := range w.model().ActiveTasks(u.Name) {
			all = append(all, t.ID)
		}
	}
	all = append(all, 1)
	return core.CancelTasks{Tasks: []kith.TaskID{all[w.pick(len(all))]}}
}

// interrupt queues a task, and when it may be running cancels it, or lets its agent die.
func (w *World) interrupt() {
	w.give(w.runTask())
	for range 5 + w.pick(30) {
		if w.failed != nil {
			return
		}
		w.happen()
		w.checks.look()
	}
	var runs *unit
	for _, a := range w.agents {
		for _, u := range a.order {
			if u.phase == running && u.hook.a.Hook.Task != nil {
				runs = u
			}
		}
	}
	switch {
	case runs != nil && w.pick(3) == 1:
		runs.agent.crash(w.pick(3) == 1)
	case runs != nil:
		w.give(core.CancelTasks{Tasks: []kith.TaskID{runs.hook.a.Hook.Task.ID}})
	default:
		w.give(w.cancelTask())
	}
}

// prune has the controller look for operations that need not be kept, and first, now and
// then, be told to keep them for a moment only.
func (w *World) prune() {
	if age := []string{"", "1m", "1s", "336h"}[w.pick(4)]; age != "" {
		w.give(core.SetModelConfig{Set: map[string]string{"max-action-results-age": age}})
		for range 10 {
			w.happen()
		}
		w.clock.Advance(2 * time.Second)
	}
	if p := w.serving(); p != nil {
		w.say("prune operations")
		p.submit(&call{w: w, actor: core.System, op: core.PruneTasks{}, to: p})
	}
}
