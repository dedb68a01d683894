package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

func addUnitCommand() *command {
	var n int
	return &command{
		name: "add-unit", args: "<application name>", group: groupApp, scope: modelScope,
		summary: "Adds one or more units to a deployed application",
		details: `Every new unit gets a number that was never used before, runs its install and
start hooks, and joins the relations its application has.

A subordinate application gets its units from its principals; units cannot be
added to it by hand.`,
		examples: []example{
			{"add-unit web", "Add one unit"},
			{"add-unit web -n 3", "Add three units at once"},
		},
		seeAlso: []string{"remove-unit", "deploy"},
		flags: func(f *pflag.FlagSet) {
			f.IntVarP(&n, "num-units", "n", 1, "Number of units to add")
			placementFlags(f)
		},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no application specified")
			}
			if n < 1 {
				return usagef("--num-units must be a positive integer")
			}
			if _, err := appArg(args[0]); err != nil {
				return err
			}
			return atMost(1)(nil, args)
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			_, err := x.do(ctx, core.AddUnits{App: kith.AppName(args[0]), Units: n})
			return whole(err)
		},
	}
}

// placementFlags accepts what chooses a place for a unit: there is one place.
func placementFlags(f *pflag.FlagSet) {
	f.String("to", "", "Accepted for Juju's sake: every unit runs on this computer")
	f.StringArray("attach-storage", nil, "Accepted for Juju's sake: there is no storage to attach")
}
