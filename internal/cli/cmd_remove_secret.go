package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith/internal/core"
)

func removeSecretCommand() *command {
	var revision int
	return &command{
		name: "remove-secret", args: "<id>|<name>", group: groupSecret, scope: modelScope,
		summary: "Removes a secret of the model, or one revision",
		details: "Removed is removed, also for units that still see the revision. Charms remove\ntheir own secrets.",
		examples: []example{
			{"remove-secret db-login", "Remove a secret"},
			{"remove-secret db-login --revision 2", "Remove one revision"},
		},
		seeAlso: []string{"add-secret", "secrets", "show-secret"},
		flags:   func(f *pflag.FlagSet) { f.IntVar(&revision, "revision", 0, "Remove this revision only") },
		check: func(x *call, args []string) error {
			if err := secretArg(args, "missing secret URI"); err != nil {
				return err
			}
			if revision < 0 {
				return usagef("revision must be a positive integer")
			}
			return atMost(1)(x, args)
		},
		complete: firstArg(completeSecrets),
		run: func(ctx context.Context, x *call, args []string) error {
			_, err := x.do(ctx, core.RemoveSecret{Secret: args[0], Revision: revision})
			return err
		},
	}
}
