package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

func resolvedCommand() *command {
	var all, noRetry bool
	return &command{
		name: "resolved", aliases: []string{"resolve"}, args: "[<unit> ...]", group: groupApp, scope: modelScope,
		summary: "Marks failed hooks as resolved",
		details: `The failed hook runs again at once. With --no-retry it counts as having run: the
unit goes on with the next one.`,
		examples: []example{
			{"resolved web/0", "Run a failed hook again now"},
			{"resolved web/0 --no-retry", "Go on as if the hook had run"},
			{"resolved --all", "Retry every failed hook"},
		},
		seeAlso: []string{"status", "debug-log"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&all, "all", false, "Every unit in error")
			f.BoolVar(&noRetry, "no-retry", false, "Do not run the failed hook again")
		},
		check: func(_ *call, args []string) error {
			if all && len(args) > 0 {
				return usagef("specifying unit names(s) with --all not supported")
			}
			if !all && len(args) == 0 {
				return usagef("no unit specified")
			}
			for _, a := range args {
				if _, err := kith.ParseUnitName(a); err != nil {
					return usagef("unit name %q not valid", a)
				}
			}
			return nil
		},
		complete: completeUnits,
		run: func(ctx context.Context, x *call, args []string) error {
			op := core.Resolved{All: all, NoRetry: noRetry}
			for _, a := range args {
				op.Units = append(op.Units, kith.UnitName(a))
			}
			_, err := x.do(ctx, op)
			return err
		},
	}
}
