package cli

import (
	"context"
	"math"
	"strconv"
	"time"

	"kith"
	"kith/internal/api"
)

func showTaskCommand() *command {
	var o lookFlags
	return &command{
		name: "show-task", args: "<task id>", group: groupRun, scope: modelScope,
		summary:  "Shows what became of a task",
		details:  "With --watch or --wait it first waits for the task to be over, and shows its log as\nit comes.",
		examples: []example{{"show-task 2", "Show what it gave"}, {"show-task 2 --format yaml", "All that is known of it"}},
		seeAlso:  []string{"operations", "show-operation", "cancel-task", "run"},
		formats:  []string{formatPlain, formatJSON, formatYAML},
		flags:    o.flags,
		check: func(x *call, args []string) error {
			if len(args) == 0 {
				return usagef("no task ID specified")
			}
			if !machinePattern.MatchString(args[0]) {
				return usagef("task ID %q not valid", args[0])
			}
			return atMost(1)(x, args)
		},
		run: func(ctx context.Context, x *call, args []string) error {
			id := kith.TaskID(number(args[0]))
			t, err := x.api.Task(ctx, x.modelID(), id)
			if err != nil {
				return err
			}
			if err := o.awaitTask(ctx, x, t); err != nil {
				return err
			}
			if t, err = x.api.Task(ctx, x.modelID(), id); err != nil {
				return err
			}
			text, err := taskText(t)
			if err != nil {
				return err
			}
			return x.answer(taskDoc(t, o.utc), func() string { return text })
		},
	}
}

// awaitTask waits for a task by its operation, and stops when the task is over.
func (o *lookFlags) awaitTask(ctx context.Context, x *call, t api.Task) error {
	if t.Status.Over() {
		return nil
	}
	over, cancel := context.WithCancel(ctx)
	defer cancel()
	done := false
	err := o.await(over, x, t.Operation, func(e api.OperationEvent) {
		for _, m := range e.Log {
			if m.Task == t.ID {
				x.say("%s %s", clockOf(o.utc)(m.Time).Format(time.TimeOnly), m.Text)
			}
		}
		for _, other := range e.Operation.Tasks {
			if other.ID == t.ID && other.Status.Over() {
				done = true
				cancel()
			}
		}
	})
	if done {
		return nil
	}
	return err
}

// number reads a decimal number that was checked; one that is too large names nothing.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return math.MaxInt
	}
	return n
}
