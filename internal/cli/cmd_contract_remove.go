package cli

import (
	"context"

	"kith/internal/core"
)

func contractRemoveCommand() *command {
	return &command{
		name: "contract remove", args: "<interface> [...]", group: groupContract, scope: modelScope,
		summary: "Removes contracts from a model",
		details: `Where kith has a contract of the interface, that applies again. What was stored with
the history stays there.`,
		examples: []example{{"contract remove greeting", "Remove a contract"}},
		seeAlso:  []string{"contract add", "contract list", "contract mode"},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("an interface must be named")
			}
			return nil
		},
		complete: completeOwnContracts,
		run: func(ctx context.Context, x *call, args []string) error {
			for _, name := range args {
				if _, err := x.do(ctx, core.RemoveContract{Interface: name}); err != nil {
					return err
				}
				x.say("removed the contract of %s", name)
			}
			return nil
		},
	}
}

// completeOwnContracts proposes the contracts that the model was told.
func completeOwnContracts(ctx context.Context, x *call, _ []string) []string {
	list, err := x.contracts(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range list {
		if !c.Shipped {
			names = append(names, c.Interface)
		}
	}
	return names
}

// completeContracts proposes the contracts that apply in the model.
func completeContracts(ctx context.Context, x *call, _ []string) []string {
	list, err := x.contracts(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Interface)
	}
	return names
}
