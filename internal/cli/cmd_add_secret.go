package cli

import (
	"context"
	"time"

	"kith/internal/api"
	"kith/internal/core"
)

func addSecretCommand() *command {
	content := &secretContent{}
	return &command{
		name: "add-secret", args: "<name> [<key>[#base64|#file]=<value> ...]", group: groupSecret, scope: modelScope,
		summary: "Makes a secret and prints its URI",
		details: `The secret belongs to the model. Nobody can read it before it is granted to an
application; its charm is then told the URI, in its configuration for instance.

A value after #base64= is encoded already; after #file= stands the path of a file
that holds it. A key has at least three characters: lower-case letters, digits and
dashes. Values on the command line can be seen by other programs of this computer
and stay in the shell's history: --file keeps them out of both.`,
		examples: []example{
			{"add-secret db-login user-name=admin password#file=password.txt", "A value from a file"},
			{"add-secret db-login --file login.yaml --info 'the old database'", "All of it from a file"},
		},
		seeAlso: []string{"grant-secret", "update-secret", "show-secret", "config"},
		flags:   content.flags,
		check: func(x *call, args []string) error {
			if err := secretArg(args, "secret name needs to be supplied as the first argument"); err != nil {
				return err
			}
			if len(args) == 1 && content.file == "" {
				return usagef("missing secret value or filename")
			}
			return content.read(x, args[1:])
		},
		run: func(ctx context.Context, x *call, args []string) error {
			id := api.NewSecretID(time.Now())
			if _, err := x.do(ctx, core.AddSecret{ID: id, SecretName: args[0], Info: content.info, Data: content.data}); err != nil {
				return err
			}
			x.print(id.URI() + "\n")
			return nil
		},
	}
}
