package cli

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
)

// lookFlags are those of show-operation and show-task: whether to wait before showing.
type lookFlags struct {
	watch, utc bool
	wait       time.Duration // negative: do not wait; 0: for ever
}

func (o *lookFlags) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.watch, "watch", false, "Wait for the result, however long it takes")
	f.DurationVar(&o.wait, "wait", -time.Second, "How long to wait for the result; 0: for ever; negative: not at all")
	f.BoolVar(&o.utc, "utc", false, "Show times in UTC")
}

// await waits as long as was asked for; that the time is up is no error.
func (o *lookFlags) await(ctx context.Context, x *call, id kith.OperationID, f func(api.OperationEvent)) error {
	if !o.watch && o.wait < 0 {
		return nil
	}
	timed, cancel := ctx, context.CancelFunc(func() {})
	if !o.watch && o.wait > 0 {
		timed, cancel = context.WithTimeoutCause(ctx, o.wait, errTimeUp)
	}
	defer cancel()
	err := x.follow(timed, id, f)
	if err != nil && timed.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

func showOperationCommand() *command {
	var o lookFlags
	return &command{
		name: "show-operation", args: "<operation id>", group: groupRun, scope: modelScope,
		summary:  "Shows an operation with its tasks",
		details:  "With --watch or --wait it first waits for the operation to be over.",
		examples: []example{{"show-operation 1", "Show it as it is"}, {"show-operation 1 --watch", "Wait for it"}},
		seeAlso:  []string{"operations", "show-task", "run"},
		formats:  []string{formatYAML, formatJSON},
		flags:    o.flags,
		check: func(x *call, args []string) error {
			if len(args) == 0 {
				return usagef("no operation ID specified")
			}
			if !machinePattern.MatchString(args[0]) {
				return usagef("operation ID %q not valid", args[0])
			}
			return atMost(1)(x, args)
		},
		run: func(ctx context.Context, x *call, args []string) error {
			id := kith.OperationID(number(args[0]))
			if err := o.await(ctx, x, id, func(api.OperationEvent) {}); err != nil {
				return err
			}
			op, err := x.api.Operation(ctx, x.modelID(), id)
			if err != nil {
				return err
			}
			return x.answer(operationDocument(op, o.utc), nil)
		},
	}
}
