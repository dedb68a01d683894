package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

func addUnitCommand() *command {
	var n int
	var attach []string
	var to string
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
			{"add-unit db --attach-storage data/0", "Give it what another unit left"},
		},
		seeAlso: []string{"remove-unit", "deploy"},
		flags: func(f *pflag.FlagSet) {
			f.IntVarP(&n, "num-units", "n", 1, "Number of units to add")
			f.StringVar(&to, "to", "", "Accepted for Juju's sake: every unit runs on this computer")
			f.StringArrayVar(&attach, "attach-storage", nil, "Storage that nobody has, for the new unit")
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
			if err := checkAttach(attach, n); err != nil {
				return err
			}
			if err := checkPlacement(to); err != nil {
				return err
			}
			return atMost(1)(nil, args)
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			ids, err := storageIDs(attach)
			if err != nil {
				return err
			}
			_, err = x.do(ctx, core.AddUnits{App: kith.AppName(args[0]), Units: n, AttachStorage: ids})
			return whole(err)
		},
	}
}

// checkAttach checks --attach-storage, which is for one unit.
func checkAttach(attach []string, units int) error {
	if len(attach) > 0 && units != 1 {
		return usagef("--attach-storage cannot be used with -n")
	}
	_, err := storageIDs(attach)
	return err
}
