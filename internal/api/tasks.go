package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// Operation is one request of an operator with its tasks (CLI reference, section 9.4).
type Operation struct {
	ID      kith.OperationID `json:"id"`
	Action  string           `json:"action"`
	Params  core.Settings    `json:"parameters,omitempty"`
	Summary string           `json:"summary"`
	Status  core.TaskStatus  `json:"status"`
	// Refused says of each receiver that got no task why, a line each.
	Refused   []string  `json:"refused,omitempty"`
	Enqueued  time.Time `json:"enqueued"`
	Started   time.Time `json:"started,omitzero"`
	Completed time.Time `json:"completed,omitzero"`
	Tasks     []Task    `json:"tasks,omitempty"` // in order of number
}

// Task is one unit's, or one machine's, part of an operation.
type Task struct {
	ID        kith.TaskID      `json:"id"`
	Operation kith.OperationID `json:"operation"`
	Unit      kith.UnitName    `json:"unit"`
	// Machine is set if the machine is the receiver; Unit is then the one in whose turn it runs.
	Machine kith.MachineID  `json:"machine,omitempty"`
	Action  string          `json:"action"`
	Params  core.Settings   `json:"parameters,omitempty"`
	Status  core.TaskStatus `json:"status"`
	Message string          `json:"message,omitempty"`
	// Results are what the charm has set, return-code, stdout and stderr.
	Results   core.Settings     `json:"results,omitempty"`
	Log       []core.LogMessage `json:"log,omitempty"`
	Enqueued  time.Time         `json:"enqueued"`
	Started   time.Time         `json:"started,omitzero"`
	Completed time.Time         `json:"completed,omitzero"`
}

// Receiver is who runs the task, as documents name it: a unit or a machine.
func (t *Task) Receiver() string { return cmp.Or(string(t.Machine), string(t.Unit)) }

// TaskMessage is a message of a task's log that is new.
type TaskMessage struct {
	Task kith.TaskID `json:"task"`
	core.LogMessage
}

// OperationEvent is one line of an operation's watch: how it is, without logs, and
// what was logged since the line before. The watch ends when the operation is over.
type OperationEvent struct {
	Operation Operation     `json:"operation"`
	Log       []TaskMessage `json:"log,omitempty"`
}

// OperationQuery asks for some of a model's operations. What is empty does not narrow.
type OperationQuery struct {
	Apps, Units, Machines, Actions, Statuses []string
	Limit, Offset                            int // of those that match, oldest first; 0: no limit
}

// OperationsReply is some of a model's operations, oldest first. Logs are left out.
type OperationsReply struct {
	Operations []Operation `json:"operations"`
	// More is true if the limit cut the answer short.
	More bool `json:"more,omitempty"`
}

// AppActions are the actions an application's charm has.
type AppActions struct {
	App     kith.AppName            `json:"application"`
	Charm   string                  `json:"charm"` // URL
	Actions map[string]charm.Action `json:"actions"`
}

// AppActionsOf builds it; false if there is no such application.
func AppActionsOf(m *core.Model, name kith.AppName) (AppActions, bool) {
	a := m.App(name)
	if a == nil {
		return AppActions{}, false
	}
	s := AppActions{App: name, Actions: map[string]charm.Action{}}
	if c := m.Charm(a.Charm); c != nil {
		s.Charm = c.URL
		if c.Charm.Actions != nil {
			s.Actions = c.Charm.Actions
		}
	}
	return s, true
}

// TaskOf shows a task, with its log if that is wanted; false if there is none of that number.
func TaskOf(m *core.Model, id kith.TaskID, log bool) (Task, bool) {
	t := m.Task(id)
	if t == nil {
		return Task{}, false
	}
	s := Task{ID: t.ID, Operation: t.Operation, Unit: t.Unit, Machine: t.Machine, Action: t.Action, Params: t.Params,
		Status: t.Status, Message: t.Message, Results: t.Results(), Enqueued: t.Enqueued, Started: t.Started, Completed: t.Completed}
	if c := t.Command; c != nil {
		s.Params = core.Settings{"command": c.Text, "timeout": int64(c.Timeout)}
	}
	if log {
		for part := range m.Log(id) {
			s.Log = append(s.Log, part.Messages...)
		}
	}
	return s, true
}

// OperationOf shows an operation, with the logs of its tasks if those are wanted; false if
// there is none of that number.
func OperationOf(m *core.Model, id kith.OperationID, logs bool) (Operation, bool) {
	o := m.Operation(id)
	if o == nil {
		return Operation{}, false
	}
	s := Operation{ID: o.ID, Action: o.Action, Params: o.Params, Summary: o.Summary, Status: o.Status, Refused: o.Refused,
		Enqueued: o.Enqueued, Started: o.Started, Completed: o.Completed}
	for id := range o.Tasks() {
		if t, ok := TaskOf(m, id, logs); ok {
			s.Tasks = append(s.Tasks, t)
		}
	}
	return s, true
}

// OperationsOf lists the operations that match, without logs.
func OperationsOf(m *core.Model, q OperationQuery) OperationsReply {
	reply := OperationsReply{Operations: []Operation{}}
	skip := q.Offset
	for _, o := range m.Operations() {
		if !q.matches(m, o) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if q.Limit > 0 && len(reply.Operations) == q.Limit {
			reply.More = true
			break
		}
		s, _ := OperationOf(m, o.ID, false)
		reply.Operations = append(reply.Operations, s)
	}
	return reply
}

// matches reports whether an operation is wanted: for its receivers, one of its tasks has to be.
func (q OperationQuery) matches(m *core.Model, o *core.Operation) bool {
	if !among(q.Actions, o.Action) || !among(q.Statuses, string(o.Status)) {
		return false
	}
	if len(q.Apps)+len(q.Units)+len(q.Machines) == 0 {
		return true
	}
	for id := range o.Tasks() {
		t := m.Task(id)
		if t.Machine != "" && slices.Contains(q.Machines, string(t.Machine)) ||
			t.Machine == "" && (slices.Contains(q.Units, string(t.Unit)) || slices.Contains(q.Apps, string(t.Unit.App()))) {
			return true
		}
	}
	return false
}

func among(wanted []string, s string) bool { return len(wanted) == 0 || slices.Contains(wanted, s) }

// Failure is what show-operation shows of receivers that got no task.
func (o *Operation) Failure() string { return strings.Join(o.Refused, ", ") }
