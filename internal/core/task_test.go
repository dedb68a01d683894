package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// workerCharm has the action of the charm format reference, section 14, and two plain ones.
var workerCharm = charm.Charm{
	Meta: charm.Meta{Name: "worker"},
	Actions: map[string]charm.Action{
		"backup": {Title: "backup", ExecutionGroup: "io", Parallel: true, Params: map[string]any{
			"type": "object", "required": []any{"target"}, "additionalProperties": false,
			"properties": map[string]any{
				"target": map[string]any{"type": "string"},
				"level":  map[string]any{"type": "integer", "minimum": 0.0, "default": 3.0},
				"to": map[string]any{"type": "object", "properties": map[string]any{
					"port": map[string]any{"type": "integer", "default": 22.0}}},
			}}},
		"go": {Title: "go"},
	},
}

// newTaskWorld has a unit worker/0 that is up.
func newTaskWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.must(t, admin, core.AddCharm{ID: "worker", Charm: workerCharm})
	w.must(t, admin, core.Deploy{App: "worker", Charm: "worker", Units: 2})
	for _, u := range []kith.UnitName{"worker/0", "worker/1"} {
		w.must(t, core.Actor{Kind: core.ActorHost, Name: "local"}, core.UnitHello{Unit: u})
		w.must(t, core.UnitActor(u), core.CommitHook{Unit: u, Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: "worker"}})
	}
	return w
}

func (w *world) run(t *testing.T, action string, params core.Settings, units ...string) *core.Operation {
	t.Helper()
	if len(units) == 0 {
		units = []string{"worker/0"}
	}
	w.must(t, admin, core.RunAction{Receivers: units, Action: action, Params: params})
	all := w.m.Operations()
	return all[len(all)-1]
}

// Charm format reference, section 14: "Defaults are filled in for absent properties, nested
// ones too", and the texts of what is wrong. Hook protocol reference, section 3.6: what is
// wrong is found before anything runs.
func TestRunValidatesParameters(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	op := w.run(t, "backup", core.Settings{"target": "/srv", "to": map[string]any{"host": "h"}})
	if op.ID != 1 || op.Count != 1 || op.Summary != "backup run on unit-worker-0" || op.Status != core.TaskPending {
		t.Errorf("operation %+v", op)
	}
	task := w.m.Task(2)
	if task == nil || task.Params["level"] != 3.0 || task.Params["to"].(map[string]any)["port"] != 22.0 || task.Group != "io" || task.Serial {
		t.Errorf("task %+v", task)
	}
	if op.Params["level"] != nil {
		t.Error("the operation's parameters are those that were given")
	}
	for _, c := range []struct {
		params core.Settings
		want   string
	}{
		{nil, `validation failed: (root) : "target" property is missing and required, given {}`},
		{core.Settings{"target": 5}, "validation failed: (root).target : must be of type string, given 5"},
		{core.Settings{"target": "x", "colour": "red"}, `validation failed: (root) : additional property "colour" is not allowed, given {"colour":"red","target":"x"}`},
		{core.Settings{"target": "x", "level": "high"}, `validation failed: (root).level : must be of type integer, given "high"`},
	} {
		op := w.run(t, "backup", c.params)
		if op.Status != core.TaskError || op.Count != 0 || len(op.Refused) != 1 || op.Refused[0] != c.want || op.Completed.IsZero() {
			t.Errorf("%v: %+v, want %s", c.params, op, c.want)
		}
	}
	// "backup: (null) is a valid action without parameters", and up to 3.6 unknown ones are accepted.
	if op := w.run(t, "go", core.Settings{"any": []any{int64(1)}}); op.Count != 1 {
		t.Errorf("%+v", op)
	}
}

// CLI reference, section 9.1: operations and tasks are numbered from one counter, the
// first is 1; and core's own promise that no number is used twice.
func TestTaskNumbers(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	if op := w.run(t, "go", nil, "worker/0", "worker/1"); op.ID != 1 || w.m.Task(2).Unit != "worker/0" || w.m.Task(3).Unit != "worker/1" {
		t.Fatalf("%+v", op)
	}
	if op := w.run(t, "nope", nil); op.ID != 4 {
		t.Errorf("%+v", op)
	}
	w.must(t, admin, core.CancelTasks{Tasks: []kith.TaskID{2, 3}})
	w.now = w.now.Add(400 * 24 * time.Hour)
	w.must(t, core.System, core.PruneTasks{})
	if n := len(w.m.Operations()); n != 0 {
		t.Fatalf("%d operations are left", n)
	}
	if op := w.run(t, "go", nil); op.ID != 5 {
		t.Errorf("after everything was dropped: %+v", op)
	}
}

// A task begins and ends once, by the agent's life that was let begin it.
func TestTaskIsDoneOnce(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	w.run(t, "go", nil, "worker/0", "worker/1")
	w.run(t, "go", nil)
	me := core.UnitActor("worker/0")
	begin := core.BeginTask{Unit: "worker/0", Task: 2, Epoch: "1"}
	done := core.FinishTask{Unit: "worker/0", Task: 2, Epoch: "1", TaskOutcome: core.TaskOutcome{Status: core.TaskCompleted, Output: &core.Output{}}}

	w.refuse(t, me, done, kith.Conflict, "cannot finish task 2: it has not begun")
	w.refuse(t, me, core.BeginTask{Unit: "worker/0", Task: 3}, kith.NotFound, `task "3" not found`)
	w.refuse(t, me, core.BeginTask{Unit: "worker/0", Task: 1}, kith.NotFound, `task "1" not found`)
	w.refuse(t, me, core.BeginTask{Unit: "worker/1", Task: 3}, kith.Forbidden, "permission denied")
	w.refuse(t, admin, begin, kith.Forbidden, "permission denied")
	w.refuse(t, me, core.RunAction{Receivers: []string{"worker/0"}, Action: "go"}, kith.Forbidden, "permission denied")
	w.refuse(t, me, core.PruneTasks{}, kith.Forbidden, "permission denied")
	w.refuse(t, me, core.BeginTask{Unit: "worker/0", Task: 2, Epoch: "0"}, kith.Conflict, `cannot take task 2 of unit "worker/0": another agent has taken over`)

	e := w.must(t, me, begin)
	if e.Hook == nil || e.Hook.Hook.Task == nil || e.Hook.Hook.Task.ID != 2 || e.Cause == 0 {
		t.Errorf("the entry of begin: %+v", e)
	}
	w.same(t, me, begin)
	w.refuse(t, me, core.BeginTask{Unit: "worker/0", Task: 5, Epoch: "1"}, kith.Conflict, `cannot begin task 5: unit "worker/0" runs action go`)
	w.refuse(t, me, core.BeginHook{Unit: "worker/0", Seq: 2, Hook: core.Hook{Kind: core.ConfigChanged}}, kith.Conflict,
		`cannot take hook "config-changed" of unit "worker/0": its hook is "go"`)
	bad := done
	bad.Status = core.TaskCancelled
	w.refuse(t, me, bad, kith.Invalid, `cannot finish task 2 as "cancelled"`)
	w.must(t, me, done)
	w.same(t, me, done)
	late := done
	late.Status, late.Epoch = core.TaskFailed, "0"
	w.same(t, me, late) // it is over: nothing a late message says counts
	w.refuse(t, me, begin, kith.Conflict, "cannot begin task 2: it is completed")
	if p := w.m.Progress("worker/0"); p.Running != nil || p.Seq != 1 {
		t.Errorf("progress %+v: a task takes no number of the unit's hooks", p)
	}
	if op := w.m.Operation(1); op.Status != core.TaskRunning || op.Over != 1 || op.Started.IsZero() || !op.Completed.IsZero() {
		t.Errorf("operation %+v", op)
	}
}

// An operation is what the worst of its tasks is.
func TestOperationStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want core.TaskStatus }{
		{core.TaskCompleted, core.TaskCompleted, core.TaskCompleted},
		{core.TaskCompleted, core.TaskFailed, core.TaskFailed},
		{core.TaskFailed, core.TaskAborted, core.TaskFailed},
		{core.TaskAborted, core.TaskCompleted, core.TaskAborted},
	} {
		w := newTaskWorld(t)
		w.run(t, "go", nil, "worker/0", "worker/1")
		for i, s := range []core.TaskStatus{c.a, c.b} {
			u := kith.UnitName([]string{"worker/0", "worker/1"}[i])
			w.must(t, core.UnitActor(u), core.BeginTask{Unit: u, Task: kith.TaskID(2 + i)})
			w.must(t, core.UnitActor(u), core.FinishTask{Unit: u, Task: kith.TaskID(2 + i), TaskOutcome: core.TaskOutcome{Status: s}})
		}
		if op := w.m.Operation(1); op.Status != c.want || op.Completed.IsZero() {
			t.Errorf("%s and %s: %+v", c.a, c.b, op)
		}
	}
}

// Hook protocol reference, section 3.6: "the error text is appended to the results' stderr
// after a newline; the message becomes `committing requested changes failed` unless there
// is one"; a return code of 0 stays.
func TestCommitRefused(t *testing.T) {
	t.Parallel()
	o := core.TaskOutcome{Status: core.TaskCompleted, Output: &core.Output{Stderr: "careful"}, Effects: core.Effects{Ports: []core.PortWrite{{}}}}
	got := o.CommitRefused(errors.New("no"))
	if got.Status != core.TaskFailed || got.Message != "committing requested changes failed" || got.Output.Stderr != "careful\nno" || !got.Effects.Empty() || got.Output.Code != 0 {
		t.Errorf("%+v %+v", got, got.Output)
	}
	if o.Output.Stderr != "careful" {
		t.Error("the outcome itself was changed")
	}
	got = core.TaskOutcome{Status: core.TaskFailed, Message: "mine"}.CommitRefused(errors.New("no"))
	if got.Message != "mine" || got.Output.Stderr != "no" {
		t.Errorf("%+v %+v", got, got.Output)
	}
}

// A message that is told twice is kept once; the log of a task is bounded, and says so.
func TestTaskLog(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	w.run(t, "go", nil)
	me := core.UnitActor("worker/0")
	say := func(n int, text string) core.LogTask {
		return core.LogTask{Unit: "worker/0", Task: 2, Number: n, Message: text}
	}
	w.must(t, me, core.BeginTask{Unit: "worker/0", Task: 2})
	w.must(t, me, say(1, "one"))
	w.same(t, me, say(1, "one"))
	w.must(t, me, say(3, "three")) // nobody knows whether the second arrived
	w.same(t, me, say(2, "two"))
	w.refuse(t, me, say(4, strings.Repeat("x", 1<<20)), kith.Invalid, "cannot log a message of 1048576 bytes: the limit is 65536")
	messages, parts := 0, 0
	for n := 5; n < 20_000; n++ {
		_, changes, err := w.do(me, say(n, "again"))
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) == 0 {
			break
		}
	}
	last := ""
	for part := range w.m.Log(2) {
		parts++
		messages += len(part.Messages)
		last = part.Messages[len(part.Messages)-1].Text
	}
	if messages != 64*64+1 || parts != 64 || last != "the log of this task is full: later messages are dropped" {
		t.Errorf("%d messages in %d parts, the last is %q", messages, parts, last)
	}
	w.must(t, me, core.FinishTask{Unit: "worker/0", Task: 2, TaskOutcome: core.TaskOutcome{Status: core.TaskCompleted}})
	w.same(t, me, say(30_000, "late"))
	if bad := core.Check(w.m); len(bad) > 0 {
		t.Error(bad)
	}
}

// The options max-action-results-age and -size (CLI reference, section 5.7): operations that
// are over go, the oldest first, in commands of a bounded size.
func TestPruneTasks(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	prune := func() (commands int) {
		for {
			_, changes, err := w.do(core.System, core.PruneTasks{})
			if err != nil || len(changes) > 128 {
				t.Fatalf("%d changes, %v", len(changes), err)
			}
			if len(changes) == 0 {
				return commands
			}
			commands++
		}
	}
	finish := func(id kith.TaskID, output string) {
		w.must(t, core.UnitActor("worker/0"), core.BeginTask{Unit: "worker/0", Task: id})
		for n := range 150 {
			w.must(t, core.UnitActor("worker/0"), core.LogTask{Unit: "worker/0", Task: id, Number: n + 1, Message: strings.Repeat("x", 20<<10)})
		}
		w.must(t, core.UnitActor("worker/0"), core.FinishTask{Unit: "worker/0", Task: id, TaskOutcome: core.TaskOutcome{
			Status: core.TaskCompleted, Output: &core.Output{Stdout: output}}})
	}
	w.run(t, "go", nil) // 1, 2
	finish(2, "")
	w.run(t, "go", nil) // 3, 4: pending for ever
	w.now = w.now.Add(300 * time.Hour)
	w.run(t, "go", nil) // 5, 6
	finish(6, strings.Repeat("x", 1<<20))
	if n := prune(); n != 0 {
		t.Errorf("%d commands pruned what is neither old nor large", n)
	}
	w.now = w.now.Add(40 * time.Hour)
	if n := prune(); n == 0 || w.m.Operation(1) != nil || w.m.Task(2) != nil || w.m.Operation(3) == nil || w.m.Operation(5) == nil {
		t.Errorf("%d commands; operations %v", n, w.m.Operations())
	}
	for range w.m.Log(2) {
		t.Fatal("a log was left over")
	}
	w.must(t, admin, core.SetModelConfig{Set: map[string]string{"max-action-results-size": "2M"}})
	w.run(t, "go", nil) // 7, 8
	if prune(); w.m.Operation(5) != nil || w.m.Operation(3) == nil || w.m.Operation(7) == nil {
		t.Errorf("operations %v", w.m.Operations())
	}
	if bad := core.Check(w.m); len(bad) > 0 {
		t.Error(bad)
	}
}

// An operation with more tasks than one command may drop rows is dropped all the same.
func TestPruneLargeOperation(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	w.must(t, admin, core.AddUnits{App: "worker", Units: 150})
	w.must(t, admin, core.RunCommand{Command: "true", Apps: []kith.AppName{"worker"}})
	w.run(t, "go", nil)
	w.must(t, admin, core.CancelTasks{Tasks: tasksOf(w.m, 1)})
	w.now = w.now.Add(1000 * time.Hour)
	if _, changes, err := w.do(core.System, core.PruneTasks{}); err != nil || len(changes) != 153 {
		t.Errorf("%d changes, %v", len(changes), err)
	}
}

func tasksOf(m *core.Model, id kith.OperationID) []kith.TaskID {
	var all []kith.TaskID
	for t := range m.Operation(id).Tasks() {
		all = append(all, t)
	}
	return all
}

func TestResultOptions(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	for _, c := range []struct {
		key, value string
		ok         bool
	}{
		{"max-action-results-age", "1h", true}, {"max-action-results-age", "x", false}, {"max-action-results-age", "0s", false},
		{"max-action-results-size", "5G", true}, {"max-action-results-size", "100", true}, {"max-action-results-size", "1K", true},
		{"max-action-results-size", "0B", true}, {"max-action-results-size", "", false}, {"max-action-results-size", "-1", false},
		{"max-action-results-size", "G", false}, {"max-action-results-size", "99999999999P", false},
	} {
		_, _, err := w.do(admin, core.SetModelConfig{Set: map[string]string{c.key: c.value}})
		if (err == nil) != c.ok {
			t.Errorf("%s=%q: %v", c.key, c.value, err)
		}
	}
}

// The bounds of a command.
func TestRunCommandRefusals(t *testing.T) {
	t.Parallel()
	w := newTaskWorld(t)
	unit := []string{"worker/0"}
	for _, c := range []struct {
		op   core.RunCommand
		code kith.Code
		want string
	}{
		{core.RunCommand{Units: unit}, kith.Invalid, "no commands specified"},
		{core.RunCommand{Units: unit, Command: strings.Repeat("x", 100_001)}, kith.Invalid, "cannot run a command of 100001 bytes: the limit is 100000"},
		{core.RunCommand{Units: unit, Command: "true", Timeout: -1}, kith.Invalid, "cannot run a command for -1ns at most"},
		{core.RunCommand{Units: []string{"worker"}, Command: "true"}, kith.Invalid, `invalid unit name "worker"`},
		{core.RunCommand{Command: "true"}, kith.NotFound, "no units or machines to run on"},
	} {
		w.refuse(t, admin, c.op, c.code, c.want)
	}
	w.must(t, admin, core.DestroyModel{})
	w.refuse(t, admin, core.RunCommand{Units: unit, Command: "true"}, kith.Conflict, `model "m" is no longer alive`)
	w.refuse(t, admin, core.RunAction{Receivers: unit, Action: "go"}, kith.Conflict, `model "m" is no longer alive`)
}

// refuse wants a refusal that leaves the model as it was.
func (w *world) refuse(t *testing.T, actor core.Actor, op core.Op, code kith.Code, message string) {
	t.Helper()
	before := dump(w.m)
	_, _, err := w.do(actor, op)
	if kith.CodeOf(err) != code || err.Error() != message {
		t.Errorf("%s: %v, want %s %q", op.Name(), err, code, message)
	}
	if dump(w.m) != before {
		t.Errorf("%s was refused and changed the model", op.Name())
	}
}

// same wants success that changes nothing.
func (w *world) same(t *testing.T, actor core.Actor, op core.Op) {
	t.Helper()
	if _, changes, err := w.do(actor, op); err != nil || len(changes) > 0 {
		t.Errorf("%s again: %d changes, %v", op.Name(), len(changes), err)
	}
}

// I13 and I14: each way in which tasks can be wrong is seen.
func TestCheckTasks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		invariant string
		breaks    func(w *world)
	}{
		"a task without its operation":  {"I13", func(w *world) { core.Apply(w.m, core.Change{Key: w.m.Operation(1).Key()}) }},
		"an operation without its task": {"I13", func(w *world) { core.Apply(w.m, core.Change{Key: w.m.Task(2).Key()}) }},
		"an operation that is over too early": {"I13", func(w *world) {
			op := *w.m.Operation(1)
			op.Status = core.TaskCompleted
			core.Apply(w.m, core.Put(&op))
		}},
		"a log of nothing": {"I13", func(w *world) {
			l := core.TaskLog{Task: 77}
			core.Apply(w.m, core.Put(&l))
		}},
		"a number that was not given out": {"I10", func(w *world) {
			info := *w.m.Info()
			info.LastTask = 1
			core.Apply(w.m, core.Put(&info))
		}},
		"a task of nobody": {"I14", func(w *world) {
			task := *w.m.Task(2)
			task.Unit = "worker/9"
			core.Apply(w.m, core.Put(&task))
		}},
		"a task that runs by itself": {"I14", func(w *world) {
			task := *w.m.Task(2)
			task.Status = core.TaskRunning
			core.Apply(w.m, core.Put(&task))
		}},
		"a unit that runs what waits": {"I14", func(w *world) {
			p := *w.m.Progress("worker/0")
			p.Running = &core.Running{Hook: core.Hook{Kind: core.Action, Task: &core.TaskHook{ID: 2, Action: "go"}}}
			core.Apply(w.m, core.Put(&p))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTaskWorld(t)
			w.run(t, "go", nil)
			c.breaks(w)
			bad := core.Check(w.m)
			if len(bad) == 0 || bad[0].Invariant != c.invariant {
				t.Errorf("%v, want %s", bad, c.invariant)
			}
		})
	}
}
