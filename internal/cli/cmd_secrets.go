package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"kith/internal/api"
	"kith/internal/core"
)

func secretsCommand() *command {
	var owner string
	var revisions bool
	return &command{
		name: "secrets", aliases: []string{"list-secrets"}, args: "", group: groupSecret, scope: modelScope,
		summary: "Lists secrets",
		details: "Secrets of the model and of charms, without what they hold.",
		examples: []example{
			{"secrets", "List all secrets"},
			{"secrets --owner web", "Those of an application; of a unit, or of the model by its name"},
			{"secrets --format json", "With all their properties"},
		},
		seeAlso: []string{"show-secret", "add-secret"},
		formats: []string{formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&owner, "owner", "", "Only those of this owner")
			f.BoolVar(&revisions, "revisions", false, "With their revisions, in JSON and YAML")
		},
		check: noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			all, err := x.api.Secrets(ctx, x.modelID(), owner)
			if err != nil {
				return err
			}
			docs := map[string]secretDoc{}
			for _, s := range all {
				d := x.secretDocument(s)
				if revisions {
					d.Revisions = x.secretRevisions(s)
				}
				docs[string(s.ID)] = d
			}
			return x.answer(docs, func() string { return secretTable(all) })
		},
	}
}

func secretTable(all []api.Secret) string {
	if len(all) == 0 {
		return ""
	}
	tb := &table{}
	tb.add("ID", "Name", "Owner", "Rotation", "Revision", "Last updated")
	for _, s := range all {
		name := "-"
		if s.Owner.Kind == core.OwnerModel {
			name = s.Label
		}
		tb.add(string(s.ID), name, s.Owner.String(), s.Rotate.String(), strconv.Itoa(s.Revision), friendlyTime(s.Updated, time.Now()))
	}
	return tb.String()
}
