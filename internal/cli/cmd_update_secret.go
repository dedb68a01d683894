package cli

import (
	"context"
	"strconv"

	"github.com/spf13/pflag"

	"kith/internal/core"
)

func updateSecretCommand() *command {
	content := &secretContent{}
	var name string
	var prune boolFlag
	return &command{
		name: "update-secret", args: "<id>|<name> [<key>[#base64|#file]=<value> ...]", group: groupSecret, scope: modelScope,
		summary: "Changes a secret of the model",
		details: `New content replaces all of the old, and becomes a new revision if it differs.
Units that read the secret run secret-changed, and go on with the old revision until
their charm asks for the new one. With --auto-prune a revision is deleted once
no unit sees it any more; without, remove-secret --revision deletes it.`,
		examples: []example{
			{"update-secret db-login password#file=new.txt user-name=admin", "Another password"},
			{"update-secret db-login --name old-login --auto-prune", "Another name, and no old revisions"},
		},
		seeAlso: []string{"add-secret", "show-secret", "remove-secret"},
		flags: func(f *pflag.FlagSet) {
			content.flags(f)
			f.StringVar(&name, "name", "", "A new name")
			f.Var(&prune, "auto-prune", "Delete revisions that no unit sees any more")
			f.Lookup("auto-prune").NoOptDefVal = "true"
		},
		check: func(x *call, args []string) error {
			if err := secretArg(args, "missing secret URI"); err != nil {
				return err
			}
			return content.read(x, args[1:])
		},
		complete: firstArg(completeSecrets),
		run: func(ctx context.Context, x *call, args []string) error {
			op := core.UpdateSecret{Secret: args[0], AutoPrune: prune.value, Data: content.data}
			if name != "" {
				op.NewName = &name
			}
			if content.info != "" {
				op.Info = &content.info
			}
			_, err := x.do(ctx, op)
			return err
		},
	}
}

// boolFlag is a flag that may be true, false or not given.
type boolFlag struct{ value *bool }

func (b *boolFlag) String() string { return "" }
func (b *boolFlag) Type() string   { return "bool" }

func (b *boolFlag) Set(s string) error {
	v, err := strconv.ParseBool(s)
	b.value = &v
	return err
}
