package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith/internal/api"
)

func showSecretCommand() *command {
	var q api.SecretQuery
	var revisions bool
	var given *pflag.FlagSet
	return &command{
		name: "show-secret", args: "<id>|<name>", group: groupSecret, scope: modelScope,
		summary: "Shows a secret, with --reveal what it holds",
		details: "Without --reveal nothing of the content is shown, and nothing of it is asked of\nthe controller.",
		examples: []example{
			{"show-secret db-login", "Who owns it, who may read it"},
			{"show-secret db-login --reveal", "What it holds"},
			{"show-secret db-login --reveal --revision 1", "What it held first"},
			{"show-secret db-login --revisions", "Its revisions"},
		},
		seeAlso: []string{"secrets", "add-secret", "update-secret"},
		formats: []string{formatYAML, formatJSON},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&q.Reveal, "reveal", false, "Show the content")
			f.IntVarP(&q.Revision, "revision", "r", 0, "The revision whose content is shown")
			f.BoolVar(&revisions, "revisions", false, "Show the revisions")
			given = f
		},
		check: func(x *call, args []string) error {
			if err := secretArg(args, "secret ID is required"); err != nil {
				return err
			}
			switch {
			case revisions && q.Reveal:
				return usagef("specify either --revisions or --reveal but not both")
			case revisions && given.Changed("revision"):
				return usagef("specify either --revisions or --revision but not both")
			case given.Changed("revision") && q.Revision < 1:
				return usagef("revision must be a positive integer")
			}
			return atMost(1)(x, args)
		},
		complete: firstArg(completeSecrets),
		run: func(ctx context.Context, x *call, args []string) error {
			s, err := x.api.Secret(ctx, x.modelID(), args[0], q)
			if err != nil {
				return err
			}
			d := x.secretDocument(s)
			d.Access, d.Checksum = x.secretAccess(s), s.Checksum
			if revisions {
				d.Revisions = x.secretRevisions(s)
			}
			if q.Reveal {
				d.Content = s.Content.Decoded()
				if x.format == formatJSON {
					d.Content = secretValuesDoc{s.Content.Decoded()}
				}
			}
			return x.answer(map[string]secretDoc{string(s.ID): d}, nil)
		},
	}
}
