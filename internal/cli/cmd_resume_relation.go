package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith/internal/core"
)

func resumeRelationCommand() *command {
	var force bool
	return &command{
		name: "resume-relation", args: "<relation id> [<relation id>...]", group: groupRelation, scope: modelScope,
		summary: "Resumes suspended relations",
		details: `The units of both sides enter the relation anew: their hooks start again with
relation-created.`,
		examples: []example{{"resume-relation 4", "Resume a relation"}},
		seeAlso:  []string{"suspend-relation"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&force, "force", false, "Also for a relation within the model")
		},
		check:    checkRelationIDs,
		complete: completeRelations,
		run: func(ctx context.Context, x *call, args []string) error {
			return x.suspend(ctx, args, core.Suspend{Resume: true, Force: force})
		},
	}
}
