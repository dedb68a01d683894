package core

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"kith"
)

// ExecAction is the action that every unit has: a shell command, run in its hook
// context (charm format reference, section 14).
const ExecAction = "juju-exec"

// TaskStatus is how far a task has come.
//
//	pending ──▶ running ──▶ completed, failed
//	  │  │         │   └──▶ aborting ──▶ aborted, completed, failed
//	  │  └─────────┴──▶ cancelled
//	  └──▶ failed
//
// A running task is cancelled only when its unit is taken out of the model, and a pending
// one fails only when the unit's charm has changed and cannot run it. Error is an
// operation's alone: it could not queue any task.
type TaskStatus string

// The statuses (CLI reference, section 5.9).
const (
	TaskPending   TaskStatus = "pending"
	TaskRunning   TaskStatus = "running"
	TaskAborting  TaskStatus = "aborting"
	TaskCompleted TaskStatus = "completed"
	TaskCancelled TaskStatus = "cancelled"
	TaskAborted   TaskStatus = "aborted"
	TaskFailed    TaskStatus = "failed"
	TaskError     TaskStatus = "error"
)

// Over reports whether nothing more will come of it.
func (s TaskStatus) Over() bool {
	switch s {
	case TaskPending, TaskRunning, TaskAborting:
		return false
	case TaskCompleted, TaskCancelled, TaskAborted, TaskFailed, TaskError:
		return true
	}
	panic("core: unknown status of a task: " + string(s))
}

// worse orders statuses of tasks that are over: an operation has the worst of its tasks'.
var worse = []TaskStatus{TaskCompleted, TaskCancelled, TaskAborted, TaskFailed, TaskError}

// Operation is one request of an operator: an action or a command, for one unit or
// many. Its tasks have the Count numbers after its own.
type Operation struct {
	ID      kith.OperationID `json:"id"`
	Action  string           `json:"action"` // ExecAction for a command
	Params  Settings         `json:"params,omitempty"`
	Summary string           `json:"summary"`
	// Refused says of each receiver that got no task why, a line each.
	Refused []string `json:"refused,omitempty"`
	Count   int      `json:"count"`
	Over    int      `json:"over"` // of Count, how many tasks are over
	// Status is the worst of the tasks' once all are over.
	Status    TaskStatus `json:"status"`
	Worst     TaskStatus `json:"worst,omitempty"` // of those that are over
	Enqueued  time.Time  `json:"enqueued"`
	Started   time.Time  `json:"started,omitzero"`
	Completed time.Time  `json:"completed,omitzero"`
}

// Key is the operation's number.
func (o *Operation) Key() Key { return Key{KindOperation, o.ID.String()} }

// Tasks yields the numbers of the operation's tasks.
func (o *Operation) Tasks() iter.Seq[kith.TaskID] {
	return func(yield func(kith.TaskID) bool) {
		for i := range o.Count {
			if !yield(kith.TaskID(int(o.ID) + 1 + i)) {
				return
			}
		}
	}
}

// Task is what one unit has to run of an operation.
type Task struct {
	ID        kith.TaskID      `json:"id"`
	Operation kith.OperationID `json:"operation"`
	Unit      kith.UnitName    `json:"unit"`
	// Machine is set if the command is for the machine: it runs in the unit's turn, and
	// without its context.
	Machine kith.MachineID `json:"machine,omitempty"`
	Action  string         `json:"action"`
	// Params are those of the action, with its defaults.
	Params Settings `json:"params,omitempty"`
	// Command is set for commands, and then says what Params would.
	Command *ShellCommand `json:"command,omitempty"`
	// Serial tasks, and those of one Group, run one after another on a machine.
	Serial bool   `json:"serial,omitempty"`
	Group  string `json:"group,omitempty"`

	Rev     uint64         `json:"rev"` // revision at which it was queued
	Status  TaskStatus     `json:"status"`
	Message string         `json:"message,omitempty"`
	Values  map[string]any `json:"values,omitempty"` // strings, and maps of them
	Output  *Output        `json:"output,omitempty"` // nil until a process has ended

	Enqueued  time.Time `json:"enqueued"`
	Started   time.Time `json:"started,omitzero"`
	Completed time.Time `json:"completed,omitzero"`
}

// Key is the task's number.
func (t *Task) Key() Key { return Key{KindTask, t.ID.String()} }

// ShellCommand is a shell command for a unit or a machine.
type ShellCommand struct {
	Text     string        `json:"text"`
	Timeout  time.Duration `json:"timeout,omitempty"` // 0: none
	Relation *RelationHook `json:"relation,omitempty"`
}

// Output is what is left of a process: its exit status, and what it printed. An encoding
// is "base64" for output that is no UTF-8 (hook protocol reference, section 3.6).
type Output struct {
	Code           int    `json:"code"` // -1 if it was killed
	Stdout         string `json:"stdout,omitempty"`
	Stderr         string `json:"stderr,omitempty"`
	StdoutEncoding string `json:"stdout-encoding,omitempty"`
	StderrEncoding string `json:"stderr-encoding,omitempty"`
}

// TaskOutcome is how a task has ended.
type TaskOutcome struct {
	Status  TaskStatus     `json:"status"`
	Message string         `json:"message,omitempty"`
	Values  map[string]any `json:"values,omitempty"`
	Output  *Output        `json:"output,omitempty"`
	Effects Effects        `json:"effects"`
}

// CommitRefused is the outcome when the effects of o were refused: a failure that says so
// beside what the task has given (section 3.6).
func (o TaskOutcome) CommitRefused(err error) TaskOutcome {
	o.Status, o.Effects = TaskFailed, Effects{}
	o.Message = cmp.Or(o.Message, "committing requested changes failed")
	out := Output{}
	if o.Output != nil {
		out = *o.Output
	}
	if out.StderrEncoding == "" {
		out.Stderr = strings.TrimPrefix(out.Stderr+"\n"+err.Error(), "\n")
	}
	o.Output = &out
	return o
}

// LogMessage is a message a charm wrote with action-log.
type LogMessage struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// TaskLog is a part of a task's log. A part that is full is followed by another.
type TaskLog struct {
	Task     kith.TaskID  `json:"task"`
	Part     int          `json:"part"` // counted from 0
	Last     int          `json:"last"` // LogTask.Number of the newest message
	Messages []LogMessage `json:"messages"`
}

// Key is "task/part", with the part so that parts are in order.
func (l *TaskLog) Key() Key { return Key{KindTaskLog, fmt.Sprintf("%s/%04d", l.Task, l.Part)} }

// TaskContext is what a task sees beside the context of a hook.
type TaskContext struct {
	ID      kith.TaskID    `json:"id"`
	Action  string         `json:"action"`
	Params  Settings       `json:"params,omitempty"`
	Command *ShellCommand  `json:"command,omitempty"`
	Machine kith.MachineID `json:"machine,omitempty"`
}

// hook is the task as what runs.
func (t *Task) hook() Hook {
	h := Hook{Kind: Action, Task: &TaskHook{ID: t.ID, Action: t.Action}, Cause: t.Rev}
	if t.Command != nil {
		h.Kind, h.Relation = Exec, t.Command.Relation
	}
	return h
}

// shown is the task's status for history.
func (t Task) shown() Status { return Status{Current: kith.Status(t.Status), Message: t.Message} }

// applyTask keeps the index of the tasks that are not over.
func (m *Model) applyTask(c Change) Entity {
	old, now := m.tasks.apply(c)
	if old != nil {
		m.active.drop(old.activeKey())
	}
	if now != nil && !now.Status.Over() {
		m.active.set(now.activeKey(), now.ID)
	}
	return entity(old)
}

func (t *Task) activeKey() string { return fmt.Sprintf("%s/%020d", t.Unit, t.ID) }

// Operation is the operation with that number, or nil.
func (m *Model) Operation(id kith.OperationID) *Operation { return m.operations.get(id.String()) }

// Operations lists the operations in order of number.
func (m *Model) Operations() []*Operation {
	return slices.SortedFunc(m.operations.all(), func(a, b *Operation) int { return cmp.Compare(a.ID, b.ID) })
}

// Task is the task with that number, or nil.
func (m *Model) Task(id kith.TaskID) *Task { return m.tasks.get(id.String()) }

// TaskWithID is the task of a row's id, or nil.
func (m *Model) TaskWithID(id string) *Task { return m.tasks.get(id) }

// ActiveTasks yields the unit's tasks that are not over, in order of number.
func (m *Model) ActiveTasks(u kith.UnitName) iter.Seq[*Task] {
	return func(yield func(*Task) bool) {
		p := string(u) + "/"
		m.active.ascend(p, func(key string, id kith.TaskID) bool {
			return strings.HasPrefix(key, p) && yield(m.Task(id))
		})
	}
}

// Log yields the parts of a task's log in order.
func (m *Model) Log(id kith.TaskID) iter.Seq[*TaskLog] { return m.taskLogs.prefix(id.String() + "/") }

// lastLog is the last part of a task's log, or nil.
func (m *Model) lastLog(id kith.TaskID) *TaskLog {
	var last *TaskLog
	p := id.String() + "/"
	m.taskLogs.rows.descend(p+"~", func(key string, row *TaskLog) bool {
		if strings.HasPrefix(key, p) {
			last = row
		}
		return false
	})
	return last
}

// SetNested sets a value in maps within maps, as parameters and results of actions are made
// of the words "a.b=c". A value that stands in the way is replaced; key is not empty.
func SetNested(in map[string]any, key []string, value any) {
	for _, part := range key[:len(key)-1] {
		within, ok := in[part].(map[string]any)
		if !ok {
			within = map[string]any{}
			in[part] = within
		}
		in = within
	}
	in[key[len(key)-1]] = value
}

// Results are a task's results in one map: what the charm has set, and below that what its
// process came to, which wins (hook protocol reference, section 3.6).
func (t *Task) Results() map[string]any {
	all := maps.Clone(t.Values)
	if t.Output == nil {
		return all
	}
	if all == nil {
		all = map[string]any{}
	}
	all["return-code"] = t.Output.Code
	for key, text := range map[string]string{ // any order: a map is made
		"stdout": t.Output.Stdout, "stderr": t.Output.Stderr,
		"stdout-encoding": t.Output.StdoutEncoding, "stderr-encoding": t.Output.StderrEncoding,
	} {
		if text != "" {
			all[key] = text
		}
	}
	return all
}

// Task is what the unit runs next of a kind of task; false if there is none that may
// run now. Tasks of a machine that must follow one another do so in order of number.
func (v View) Task(kind HookKind) (Hook, bool) {
	if v.m.active.size() == 0 {
		return Hook{}, false // nearly always, and every look at a unit asks
	}
	for t := range v.m.ActiveTasks(v.Unit.Name) {
		if h := t.hook(); t.Status == TaskPending && h.Kind == kind && !v.mustFollow(t) {
			return h, true
		}
	}
	return Hook{}, false
}

// mustFollow reports whether another unit of the machine has to run a task before t (charm
// format reference, section 14). The one with the lowest number never has to wait.
func (v View) mustFollow(t *Task) bool {
	if !t.Serial && t.Group == "" {
		return false
	}
	for _, u := range v.m.together(v.Unit) {
		for other := range v.m.ActiveTasks(u) {
			if u != t.Unit && other.ID < t.ID && other.Group == t.Group && (other.Serial || other.Group != "") {
				return true
			}
		}
	}
	return false
}

// together lists the units that share a machine: a principal and its subordinates.
func (m *Model) together(u *Unit) []kith.UnitName {
	p := m.Unit(container(u))
	if p == nil {
		return []kith.UnitName{u.Name}
	}
	return append([]kith.UnitName{p.Name}, p.Subordinates...)
}

// Together is the units that share u's machine, u included.
func (m *Model) Together(u kith.UnitName) []kith.UnitName {
	if unit := m.Unit(u); unit != nil {
		return m.together(unit)
	}
	return nil
}

// taskContext is what the task of h sees; nil for a hook.
func (v View) taskContext(h Hook) *TaskContext {
	if h.Task == nil {
		return nil
	}
	t := v.m.Task(h.Task.ID)
	if t == nil {
		return nil
	}
	return &TaskContext{ID: t.ID, Action: t.Action, Params: t.Params, Command: t.Command, Machine: t.Machine}
}
