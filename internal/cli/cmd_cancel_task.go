package cli

import (
	"context"
	"slices"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

func cancelTaskCommand() *command {
	return &command{
		name: "cancel-task", args: "<task id> [...]", group: groupRun, scope: modelScope,
		summary: "Cancels tasks that wait, and ends those that run",
		details: `A task that has not begun will not run. The process of one that runs is killed, and what
it wrote is dropped. Tasks that are over are left alone, and not listed.`,
		examples: []example{{"cancel-task 2", "Cancel a task"}, {"cancel-task 2 3", "Cancel two"}},
		seeAlso:  []string{"operations", "show-task", "run"},
		formats:  []string{formatYAML, formatJSON},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no task IDs specified")
			}
			for _, a := range args {
				if !machinePattern.MatchString(a) {
					return usagef("task ID %q not valid", a)
				}
			}
			return nil
		},
		run: func(ctx context.Context, x *call, args []string) error {
			var op core.CancelTasks
			for _, a := range args {
				op.Tasks = append(op.Tasks, kith.TaskID(number(a)))
			}
			reply, err := x.do(ctx, op)
			if err != nil {
				return err
			}
			docs := []map[string]any{}
			for _, id := range op.Tasks {
				if !changedTask(reply, id) {
					continue
				}
				t, err := x.api.Task(ctx, x.modelID(), id)
				if err != nil {
					return err
				}
				docs = append(docs, taskDoc(t, false))
			}
			return x.answer(docs, nil)
		},
	}
}

func changedTask(reply api.CommandReply, id kith.TaskID) bool {
	return slices.ContainsFunc(reply.Changed, func(r api.Ref) bool { return r.Kind == core.KindTask && r.ID == id.String() })
}
