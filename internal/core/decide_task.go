package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"kith"
)

// The bounds of what one operator can ask for.
const (
	// maxCommand is what fits into one argument of a process on every system, with room to spare.
	maxCommand = 100_000
	// maxNamed is how many receivers an operation's summary names.
	maxNamed = 20
)

// target is where a task is to go.
type target struct {
	unit    kith.UnitName
	machine kith.MachineID // set if the machine is meant, and not the unit
}

func (g target) tag() string {
	if g.machine != "" {
		return "machine-" + string(g.machine)
	}
	return unitTag(g.unit)
}

// unitTag is a unit's name as summaries and some errors have it: unit-web-0.
func unitTag(u kith.UnitName) string { return "unit-" + strings.ReplaceAll(string(u), "/", "-") }

// request is an operation that is being put together.
type request struct {
	op    Operation
	tags  []string
	tasks []Task
}

// refuse notes that a receiver gets no task, and why.
func (q *request) refuse(tag, format string, args ...any) {
	q.tags = append(q.tags, tag)
	q.op.Refused = append(q.op.Refused, fmt.Sprintf(format, args...))
}

func (q *request) add(g target, t Task) {
	q.tags = append(q.tags, g.tag())
	t.Unit, t.Machine, t.Action = g.unit, g.machine, q.op.Action
	q.tasks = append(q.tasks, t)
}

// enqueue gives the operation and its tasks their numbers and stores them. One without
// any task is over, and an error (CLI reference, section 9.1).
func (t *txn) enqueue(q request) {
	info := *t.m.Info()
	op := q.op
	op.ID, op.Count = kith.OperationID(info.LastTask+1), len(q.tasks)
	op.Status, op.Enqueued = TaskPending, t.now
	more := ""
	if n := len(q.tags) - maxNamed; n > 0 {
		q.tags, more = q.tags[:maxNamed], fmt.Sprintf(" and %d more", n)
	}
	op.Summary = op.Action + " run on " + strings.Join(q.tags, ",") + more
	if op.Count == 0 {
		op.Status, op.Completed = TaskError, t.now
	}
	info.LastTask += 1 + op.Count
	put(t, info)
	put(t, op)
	for i, task := range q.tasks {
		task.ID, task.Operation = kith.TaskID(int(op.ID)+1+i), op.ID
		task.Rev, task.Status, task.Enqueued = t.rev, TaskPending, t.now
		put(t, task)
	}
}

// runAction queues an action for units of one application.
func (t *txn) runAction(op RunAction) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	if len(op.Receivers) == 0 {
		return kith.Errorf(kith.Invalid, "no unit specified")
	}
	q := request{op: Operation{Action: op.Action, Params: op.Params}}
	var app kith.AppName
	for _, r := range op.Receivers {
		u, leader, err := receiver(r)
		if err != nil {
			return err
		}
		if app == "" {
			app = u.App()
		}
		if u.App() != app {
			return kith.Errorf(kith.Invalid, "all units must be of the same application")
		}
		if leader {
			if u = t.leaderOf(u.App()); u == "" {
				q.refuse(r, "could not determine leader for %q", app)
				continue
			}
		}
		t.queueAction(&q, u, op)
	}
	t.enqueue(q)
	return nil
}

// receiver reads "web/0" or "web/leader".
func receiver(s string) (u kith.UnitName, leader bool, err error) {
	if app, ok := strings.CutSuffix(s, "/leader"); ok && kith.ValidAppName(app) {
		return kith.UnitName(app + "/leader"), true, nil
	}
	u, err = kith.ParseUnitName(s)
	return u, false, err
}

func (t *txn) leaderOf(app kith.AppName) kith.UnitName {
	if l := t.m.Lease(app); l != nil && t.m.Unit(l.Holder) != nil {
		return l.Holder
	}
	return ""
}

// queueAction adds a unit's task, or why it gets none.
func (t *txn) queueAction(q *request, name kith.UnitName, op RunAction) {
	c, ok := t.takes(q, name)
	if !ok {
		return
	}
	action, defined := c.Charm.Actions[op.Action]
	switch {
	case len(c.Charm.Actions) == 0:
		q.refuse(unitTag(name), "no actions defined on charm %q", c.URL)
	case !defined:
		q.refuse(unitTag(name), "action %q not defined on unit %q", op.Action, name)
	default:
		// Defaults do not make up for what is required.
		if err := action.ValidateParams(op.Params); err != nil {
			q.refuse(unitTag(name), "%s", messageOf(err))
			return
		}
		q.add(target{unit: name}, Task{Params: action.WithDefaults(op.Params), Serial: !action.Parallel, Group: action.ExecutionGroup})
	}
}

// takes finds the charm that a unit runs; false, and noted, if it can take no task.
func (t *txn) takes(q *request, name kith.UnitName) (*CharmInfo, bool) {
	u := t.m.Unit(name)
	if u == nil {
		q.refuse(unitTag(name), "%q not found", unitTag(name))
		return nil, false
	}
	past := t.m.Progress(name)
	if past.Removed {
		q.refuse(unitTag(name), "unit %q is being removed: its last hook has run", name)
		return nil, false
	}
	return t.m.Charm(cmp.Or(past.unpacked(), t.m.App(u.App).Charm)), true
}

// runCommand queues a command for units and machines.
func (t *txn) runCommand(op RunCommand) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	switch {
	case op.Command == "":
		return kith.Errorf(kith.Invalid, "no commands specified")
	case len(op.Command) > maxCommand:
		return kith.Errorf(kith.Invalid, "cannot run a command of %d bytes: the limit is %d", len(op.Command), maxCommand).
			WithHint("put it into a file, and run that")
	case op.Timeout < 0:
		return kith.Errorf(kith.Invalid, "cannot run a command for %s at most", op.Timeout)
	}
	params := Settings{"command": op.Command, "timeout": int64(op.Timeout)}
	q := request{op: Operation{Action: ExecAction, Params: params}}
	targets, err := t.targets(&q, op)
	if err != nil {
		return err
	}
	for _, g := range targets {
		if _, ok := t.takes(&q, g.unit); !ok {
			continue
		}
		command := ShellCommand{Text: op.Command, Timeout: op.Timeout}
		if g.machine == "" {
			if command.Relation, err = t.commandRelation(g.unit, op); err != nil {
				return err
			}
		}
		q.add(g, Task{Command: &command, Serial: op.Serial, Group: op.Group})
	}
	t.enqueue(q)
	return nil
}

// targets lists where a command goes: machines, units of applications, units; each once.
func (t *txn) targets(q *request, op RunCommand) ([]target, error) {
	var all []target
	machines := op.Machines
	if op.All {
		for m := range t.m.Machines() {
			machines = append(machines, m.ID)
		}
	}
	for _, id := range machines {
		if u := t.m.principalOn(id); u != "" {
			all = append(all, target{unit: u, machine: id})
		} else {
			q.refuse("machine-"+string(id), "%q not found", "machine-"+string(id))
		}
	}
	for _, app := range op.Apps {
		if _, err := t.app(app); err != nil {
			return nil, err
		}
		for u := range t.m.UnitsOf(app) {
			all = append(all, target{unit: u.Name})
		}
	}
	for _, r := range op.Units {
		u, leader, err := receiver(r)
		if err != nil {
			return nil, err
		}
		if leader {
			app := u.App()
			if u = t.leaderOf(app); u == "" {
				return nil, kith.Errorf(kith.NotFound, "could not determine leader for %q", app)
			}
		}
		all = append(all, target{unit: u})
	}
	if len(all)+len(q.tags) == 0 {
		return nil, kith.Errorf(kith.NotFound, "no units or machines to run on").WithHint("see 'kith status'")
	}
	var once []target
	for _, g := range all {
		if !slices.Contains(once, g) {
			once = append(once, g)
		}
	}
	return once, nil
}

// principalOn is the unit a machine was made for.
func (m *Model) principalOn(id kith.MachineID) kith.UnitName {
	for u := range m.Units() {
		if u.Machine == id && u.Principal == "" {
			return u.Name
		}
	}
	return ""
}

// commandRelation works out the relation and the remote unit a command is about (hook
// protocol reference, section 3.11).
func (t *txn) commandRelation(u kith.UnitName, op RunCommand) (*RelationHook, error) {
	if op.RemoteUnit != "" {
		if _, err := kith.ParseUnitName(op.RemoteUnit); err != nil {
			return nil, kith.Errorf(kith.Invalid, "invalid remote unit: %s", op.RemoteUnit)
		}
	}
	if op.Relation == nil {
		if op.RemoteUnit != "" {
			return nil, kith.Errorf(kith.Invalid, "remote unit provided without a relation: %s", op.RemoteUnit)
		}
		return nil, nil
	}
	id := *op.Relation
	r := t.m.Relation(id)
	if r == nil || t.m.Member(id, u) == nil {
		return nil, kith.Errorf(kith.NotFound, "unknown relation id: %d", id)
	}
	h := &RelationHook{ID: id, Endpoint: r.end(u.App()).Endpoint, RemoteUnit: kith.UnitName(op.RemoteUnit)}
	if op.Force && h.RemoteUnit != "" {
		return h, nil
	}
	var members []kith.UnitName
	for s := range t.m.SeenBy(id, u) {
		members = append(members, s.Remote)
	}
	switch {
	case h.RemoteUnit != "" && !slices.Contains(members, h.RemoteUnit):
		return nil, kith.Errorf(kith.NotFound, "unknown remote unit %s; possibilities are %v", h.RemoteUnit, members)
	case h.RemoteUnit != "":
	case len(members) == 0:
		return nil, kith.Errorf(kith.NotFound, "cannot infer remote unit in empty relation %d", id)
	case len(members) > 1:
		return nil, kith.Errorf(kith.Invalid, "ambiguous remote unit; possibilities are %v", members)
	default:
		h.RemoteUnit = members[0]
	}
	return h, nil
}

func messageOf(err error) string {
	if e, ok := err.(*kith.Error); ok {
		return e.Message
	}
	return err.Error()
}

// cancelTasks cancels what has not begun and has the rest aborted. Tasks that are over
// are left alone.
func (t *txn) cancelTasks(op CancelTasks) error {
	found := false
	for _, id := range op.Tasks {
		row := t.m.Task(id)
		if row == nil || row.Status.Over() {
			continue
		}
		found = true
		switch task := *row; task.Status {
		case TaskPending:
			t.endTask(task, TaskCancelled, "")
		case TaskRunning:
			task.Status = TaskAborting
			put(t, task)
		default: // it is being aborted
		}
	}
	if !found {
		return kith.Errorf(kith.NotFound, "no tasks found, no tasks have been canceled")
	}
	return nil
}

// own is a unit's task, as a command of the unit names it.
func (t *txn) own(unit kith.UnitName, id kith.TaskID) (Task, error) {
	task := t.m.Task(id)
	if task == nil || task.Unit != unit {
		return Task{}, kith.Errorf(kith.NotFound, "task %q not found", id)
	}
	return *task, nil
}

func (t *txn) sameLife(unit kith.UnitName, id kith.TaskID, epoch string) error {
	if h := t.m.Host(t.m.Unit(unit).Host); epoch != "" && h != nil && h.Epoch != epoch {
		return kith.Errorf(kith.Conflict, "cannot take task %d of unit %q: another agent has taken over", id, unit)
	}
	return nil
}

func (t *txn) aboutTask(unit kith.UnitName, task *Task) {
	t.about(unit, 0, task.hook()) // a task takes no number of the unit's hooks
}

func (t *txn) beginTask(op BeginTask) error {
	task, err := t.own(op.Unit, op.Task)
	if err != nil {
		return err
	}
	if task.Status.Over() { // and its unit may be gone
		return kith.Errorf(kith.Conflict, "cannot begin task %d: it is %s", task.ID, task.Status)
	}
	if err := t.sameLife(op.Unit, op.Task, op.Epoch); err != nil {
		return err
	}
	past := *t.m.Progress(op.Unit)
	switch {
	case task.Status != TaskPending && past.Running.Epoch == op.Epoch:
		return nil // said before
	case task.Status != TaskPending:
		return kith.Errorf(kith.Conflict, "cannot begin task %d: it is %s", task.ID, task.Status)
	case past.Running != nil:
		return kith.Errorf(kith.Conflict, "cannot begin task %d: unit %q runs %s", task.ID, op.Unit, past.Running.Hook.Title())
	}
	t.aboutTask(op.Unit, &task)
	past.Running = &Running{Hook: task.hook(), Since: t.now, Epoch: op.Epoch}
	put(t, past)
	task.Status, task.Started = TaskRunning, t.now
	put(t, task)
	whole := *t.m.Operation(task.Operation)
	if whole.Status = TaskRunning; whole.Started.IsZero() {
		whole.Started = t.now
	}
	put(t, whole)
	return nil
}

func (t *txn) finishTask(op FinishTask) error {
	task, err := t.own(op.Unit, op.Task)
	if err != nil {
		return err
	}
	if task.Status.Over() {
		return nil // said before, or decided without the agent
	}
	if err := t.sameLife(op.Unit, op.Task, op.Epoch); err != nil {
		return err
	}
	if task.Status == TaskPending {
		return kith.Errorf(kith.Conflict, "cannot finish task %d: it has not begun", task.ID)
	}
	switch op.Status {
	case TaskCompleted, TaskFailed, TaskAborted:
	default:
		return kith.Errorf(kith.Invalid, "cannot finish task %d as %q", task.ID, op.Status)
	}
	t.aboutTask(op.Unit, &task)
	if err := t.applyEffects(op.Unit, op.Effects); err != nil {
		return err
	}
	if err := t.judge(op.Unit, op.Effects.Bags); err != nil {
		return err
	}
	past := *t.m.Progress(op.Unit)
	past.Running, past.LastSince = nil, t.now
	put(t, past)
	task.Values, task.Output = op.Values, op.Output
	t.endTask(task, op.Status, op.Message)
	if op.Effects.Reboot {
		t.rebootMachine(t.m.Unit(op.Unit).Machine)
	}
	return nil
}

// endTask is the end of a task, and perhaps of its operation.
func (t *txn) endTask(task Task, status TaskStatus, message string) {
	task.Status, task.Message, task.Completed = status, message, t.now
	put(t, task)
	op := *t.m.Operation(task.Operation)
	op.Over++
	if slices.Index(worse, status) > slices.Index(worse, op.Worst) {
		op.Worst = status
	}
	if op.Over == op.Count {
		op.Status, op.Completed = op.Worst, t.now
	}
	put(t, op)
}

// interruptTask fails the task that an earlier life of the agent was running (section 3.6).
func (t *txn) interruptTask(past Progress) Progress {
	task := *t.m.Task(past.Running.Hook.Task.ID)
	status := TaskFailed
	if task.Status == TaskAborting {
		status = TaskAborted
	}
	past.Running, past.LastSince = nil, t.now
	put(t, past)
	t.endTask(task, status, "action terminated")
	return past
}

// recheckTasks fails the actions waiting for a unit that the charm it has now unpacked
// cannot run: they were queued for another (section 3.6).
func (t *txn) recheckTasks(unit kith.UnitName, charmID string) {
	c := t.m.Charm(charmID)
	if c == nil {
		return
	}
	for _, task := range slices.Collect(t.m.ActiveTasks(unit)) {
		if task.Status != TaskPending || task.Command != nil {
			continue
		}
		action, defined := c.Charm.Actions[task.Action]
		if !defined {
			t.endTask(*task, TaskFailed, fmt.Sprintf("cannot run %q action: not defined", task.Action))
		} else if err := action.ValidateParams(task.Params); err != nil {
			t.endTask(*task, TaskFailed, messageOf(err))
		}
	}
}

// dropTasks ends the tasks of a unit that will never run them.
func (t *txn) dropTasks(unit kith.UnitName) {
	for _, task := range slices.Collect(t.m.ActiveTasks(unit)) {
		t.endTask(*task, TaskCancelled, "unit removed")
	}
}

// The bounds of a task's log: a part is rewritten for each message in it, and
// each is a row of the store.
const (
	maxPartMessages = 64
	maxPartBytes    = 16 << 10
	maxParts        = 64
	maxLogMessage   = 64 << 10
)

// logTask adds a message to a task's log, which is bounded: the last message says so.
func (t *txn) logTask(op LogTask) error {
	task, err := t.own(op.Unit, op.Task)
	if err != nil {
		return err
	}
	part := t.m.lastLog(task.ID)
	if task.Status.Over() || part != nil && op.Number <= part.Last {
		return nil
	}
	if len(op.Message) > maxLogMessage {
		return kith.Errorf(kith.Invalid, "cannot log a message of %d bytes: the limit is %d", len(op.Message), maxLogMessage)
	}
	next := TaskLog{Task: task.ID}
	switch {
	case part == nil:
	case !part.full():
		next = *part
	case part.Part+1 == maxParts:
		return nil
	default:
		next.Part = part.Part + 1
	}
	next.Last = op.Number
	next.Messages = append(slices.Clip(next.Messages), LogMessage{t.now, op.Message})
	if next.full() && next.Part+1 == maxParts {
		next.Messages = append(next.Messages, LogMessage{t.now, "the log of this task is full: later messages are dropped"})
	}
	put(t, next)
	return nil
}

func (l *TaskLog) full() bool {
	size := 0
	for _, m := range l.Messages {
		size += len(m.Text)
	}
	return len(l.Messages) >= maxPartMessages || size >= maxPartBytes
}

// pruneBudget bounds the rows one command drops: it fits a transaction of any etcd.
const pruneBudget = 100

// pruneTasks drops operations that are over: those older than max-action-results-age, and the
// oldest while all of them together are larger than max-action-results-size.
func (t *txn) pruneTasks() error {
	age, limit := t.resultBounds()
	size, sizes := int64(0), map[kith.OperationID]int64{}
	all := t.m.Operations()
	for _, op := range all {
		n := t.m.operationSize(op)
		size, sizes[op.ID] = size+n, n
	}
	budget := pruneBudget
	for _, op := range all {
		old := t.now.Sub(op.Completed) > age
		if op.Completed.IsZero() || !old && size <= limit {
			continue
		}
		if !t.dropOperation(op, &budget) {
			return nil
		}
		size -= sizes[op.ID]
	}
	return nil
}

func (t *txn) resultBounds() (age time.Duration, size int64) {
	age, err := time.ParseDuration(t.m.ModelOption("max-action-results-age"))
	if err != nil {
		panic("core: max-action-results-age was stored unchecked")
	}
	if size, err = parseVolume(t.m.ModelOption("max-action-results-size")); err != nil {
		panic("core: max-action-results-size was stored unchecked")
	}
	return age, size
}

// dropOperation drops an operation, its logs first; false if the budget is used up.
func (t *txn) dropOperation(op *Operation, budget *int) bool {
	for id := range op.Tasks() {
		for _, part := range slices.Collect(t.m.Log(id)) {
			if *budget <= 0 {
				return false
			}
			t.drop(part.Key())
			*budget--
		}
	}
	if *budget < op.Count+1 && *budget < pruneBudget {
		return false // in the next command, whole
	}
	for id := range op.Tasks() {
		t.drop(Key{KindTask, id.String()})
	}
	t.drop(op.Key())
	*budget -= op.Count + 1
	return true
}

// operationSize is about how many bytes an operation takes, with its tasks and their logs.
func (m *Model) operationSize(op *Operation) int64 {
	const row = 256 // what a row takes beside its texts
	n := int64(row + len(op.Summary) + sizeOf(map[string]any(op.Params)))
	for id := range op.Tasks() {
		t := m.Task(id)
		n += row + int64(len(t.Message)+sizeOf(map[string]any(t.Params))+sizeOf(t.Values))
		if t.Output != nil {
			n += int64(len(t.Output.Stdout) + len(t.Output.Stderr))
		}
		for part := range m.Log(id) {
			for _, msg := range part.Messages {
				n += row/4 + int64(len(msg.Text))
			}
		}
	}
	return n
}

func sizeOf(v any) int {
	const word = 8
	switch v := v.(type) {
	case string:
		return len(v)
	case map[string]any:
		n := 0
		for k, e := range v { // any order: a sum
			n += len(k) + sizeOf(e)
		}
		return n
	case []any:
		n := 0
		for _, e := range v {
			n += sizeOf(e)
		}
		return n
	}
	return word
}
