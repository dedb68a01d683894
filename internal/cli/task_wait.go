package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/core"
)

// waiting is how run and exec wait for an operation.
type waiting struct {
	background bool
	wait       time.Duration // 0: the default; negative: for ever
	utc        bool
	talks      bool // say what is waited for
	commands   bool // it is exec
}

// noTime is a wait that does not end.
const noTime = -1

// limit is how long to wait.
func (o *waiting) limit(usual time.Duration) time.Duration {
	switch {
	case o.wait < 0:
		return noTime
	case o.wait == 0:
		return usual
	}
	return o.wait
}

// queued finds the operation that a request has made.
func (x *call) queued(ctx context.Context, op core.Op) (api.Operation, error) {
	reply, err := x.do(ctx, op)
	if err != nil {
		return api.Operation{}, err
	}
	for _, ref := range reply.Created {
		if ref.Kind == core.KindOperation {
			n, err := strconv.Atoi(ref.ID)
			if err != nil {
				return api.Operation{}, kith.Errorf(kith.Internal, "the controller named an operation %q", ref.ID)
			}
			return x.api.Operation(ctx, x.modelID(), kith.OperationID(n))
		}
	}
	return api.Operation{}, kith.Errorf(kith.Internal, "the controller made no operation")
}

// operate does what run and exec have in common: it says what became of the request, waits for the
// tasks, and prints what they gave (CLI reference, sections 9.1 and 9.2).
func (x *call) operate(ctx context.Context, op api.Operation, o waiting, usual time.Duration) error {
	if len(op.Tasks) == 0 {
		fmt.Fprintf(x.err, "Operation %s failed to schedule any tasks:\n%s\n", op.ID, strings.Join(op.Refused, "\n"))
		return nil
	}
	if len(op.Refused) > 0 {
		fmt.Fprintf(x.err, "Some actions could not be scheduled:\n%s\n\n", strings.Join(op.Refused, "\n"))
	}
	if o.background {
		return x.inBackground(op)
	}
	if o.talks {
		x.sayRunning(op)
	}
	op, err := x.await(ctx, op, o, o.limit(usual))
	if err != nil {
		return err
	}
	if o.talks {
		x.say("")
	}
	if err := x.printTasks(op.Tasks, o); err != nil {
		return err
	}
	return x.failedTasks(op.Tasks)
}

func (x *call) inBackground(op api.Operation) error {
	if len(op.Tasks) == 1 {
		x.say("Scheduled operation %s with task %s", op.ID, op.Tasks[0].ID)
		x.say("Check operation status with '%s show-operation %s'", x.program, op.ID)
		x.say("Check task status with '%s show-task %s'", x.program, op.Tasks[0].ID)
		if !x.document() {
			return nil
		}
	} else {
		x.say("Scheduled operation %s with %d tasks", op.ID, len(op.Tasks))
		x.say("Check operation status with '%s show-operation %s'", x.program, op.ID)
		x.say("Check task status with '%s show-task <id>'", x.program)
	}
	ids := map[string]any{}
	for _, t := range op.Tasks {
		ids[t.Receiver()] = map[string]string{"id": t.ID.String()}
	}
	return x.answer(ids, func() string {
		text, err := yamlText(ids)
		if err != nil {
			panic(err) // a map of strings
		}
		return text
	})
}

// tag is a receiver as progress and summaries name it.
func tag(t api.Task) string {
	if t.Machine != "" {
		return "machine-" + string(t.Machine)
	}
	return api.UnitTag(t.Unit)
}

func (x *call) sayRunning(op api.Operation) {
	x.say("Running operation %s with %s", op.ID, plural(len(op.Tasks), "task"))
	for _, t := range op.Tasks {
		x.say("  - task %s on %s", t.ID, tag(t))
	}
	x.say("")
}

// await follows an operation until it is over, and returns it with its logs. Errors: what is
// left when the time is up.
func (x *call) await(ctx context.Context, op api.Operation, o waiting, limit time.Duration) (api.Operation, error) {
	timed, cancel := ctx, context.CancelFunc(func() {})
	if limit >= 0 {
		timed, cancel = context.WithTimeoutCause(ctx, limit, errTimeUp)
	}
	defer cancel()
	f := follower{x: x, o: o, one: len(op.Tasks) == 1}
	f.show(op, nil)
	err := x.follow(timed, op.ID, func(e api.OperationEvent) {
		op = e.Operation
		f.show(op, e.Log)
	})
	switch {
	case errors.Is(err, errTimeUp), errors.Is(context.Cause(timed), errTimeUp) && err != nil:
		return op, timedOut(op, o)
	case err != nil:
		return op, err
	}
	return x.api.Operation(ctx, x.modelID(), op.ID)
}

var errTimeUp = errors.New("time is up")

// follow calls f with each change of an operation, until it is over.
func (x *call) follow(ctx context.Context, id kith.OperationID, f func(api.OperationEvent)) error {
	for {
		resync := false
		for e, err := range x.api.WatchOperation(ctx, x.modelID(), id) {
			if client.IsResync(err) {
				resync = true
				break
			}
			if err != nil {
				return err
			}
			f(e)
		}
		if !resync {
			return nil
		}
	}
}

func timedOut(op api.Operation, o waiting) error {
	var left []string
	for _, t := range op.Tasks {
		if t.Status.Over() {
			continue
		}
		if t.Machine != "" {
			left = append(left, "machine "+string(t.Machine))
		} else {
			left = append(left, "unit "+string(t.Unit))
		}
	}
	err := kith.Errorf(kith.Unavailable, "timed out waiting for results from: %s", strings.Join(left, ", "))
	if o.commands {
		return err.WithHint("a command is ended when the time of --wait is up; --background does not bound it")
	}
	return err.WithHint("it goes on: show-operation %s tells what becomes of it, and --wait waits longer", op.ID)
}

// follower says how an operation goes while it is waited for.
type follower struct {
	x       *call
	o       waiting
	one     bool // a single task: its log is shown as it comes
	awaited kith.TaskID
}

// show names the task that is waited for, each in its turn, and what was logged.
func (f *follower) show(op api.Operation, log []api.TaskMessage) {
	if !f.o.talks {
		return
	}
	if f.one {
		for _, m := range log {
			f.x.say("%s %s", clockOf(f.o.utc)(m.Time).Format(time.TimeOnly), m.Text)
		}
	}
	for _, t := range op.Tasks {
		if t.ID > f.awaited {
			f.x.say("Waiting for task %s...", t.ID)
			f.awaited = t.ID
		}
		if !t.Status.Over() {
			break
		}
	}
}

// printTasks prints what tasks have come to.
func (x *call) printTasks(tasks []api.Task, o waiting) error {
	tasks = slices.Clone(tasks)
	slices.SortFunc(tasks, func(a, b api.Task) int { return api.Natural(a.Receiver(), b.Receiver()) })
	docs := map[string]any{}
	for _, t := range tasks {
		docs[t.Receiver()] = taskDoc(t, o.utc)
	}
	var text string
	var err error
	switch {
	case o.commands && len(tasks) == 1:
		text = commandText(tasks[0])
	case o.commands:
		text = commandsText(tasks)
	case len(tasks) == 1:
		text, err = taskText(tasks[0])
	default:
		text, err = tasksText(tasks)
	}
	if err != nil {
		return err
	}
	return x.answer(docs, func() string { return text })
}

// failedTasks is the error of tasks whose process ended badly.
func (x *call) failedTasks(tasks []api.Task) error {
	var lines []string
	for _, t := range tasks {
		if n := returnCode(t); n != 0 {
			lines = append(lines, fmt.Sprintf(" - id %q with return code %d", t.ID, n))
		}
	}
	slices.SortFunc(lines, api.Natural)
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("the following task failed:\n%s\n\nuse '%s show-task' to inspect the failure", lines[0], x.program)
	}
	return fmt.Errorf("the following tasks failed:\n%s\n\nuse '%s show-task' to inspect the failures", strings.Join(lines, "\n"), x.program)
}
