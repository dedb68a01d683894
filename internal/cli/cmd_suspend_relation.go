package cli

import (
	"context"
	"strconv"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

func suspendRelationCommand() *command {
	var message string
	var force bool
	return &command{
		name: "suspend-relation", args: "<relation id> [<relation id>...]", group: groupRelation, scope: modelScope,
		summary: "Suspends relations to offers",
		details: `The units of both sides run their departed and broken hooks as if the relation had
been removed; it stays in the model and can be resumed.

Juju suspends only relations that came in through an offer. With --force kith
suspends any relation.`,
		examples: []example{
			{"suspend-relation 4 --message 'maintenance window'", "Suspend a relation and say why"},
			{"suspend-relation 4 --force", "Suspend a relation within the model"},
		},
		seeAlso: []string{"resume-relation", "remove-relation"},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&message, "message", "", "Why, for the people who look at the status")
			f.BoolVar(&force, "force", false, "Also for a relation within the model")
		},
		check:    checkRelationIDs,
		complete: completeRelations,
		run: func(ctx context.Context, x *call, args []string) error {
			return x.suspend(ctx, args, core.Suspend{Message: message, Force: force})
		},
	}
}

func checkRelationIDs(_ *call, args []string) error {
	_, err := relationIDs(args)
	return err
}

// suspend suspends or resumes the relations that args name.
func (x *call) suspend(ctx context.Context, args []string, op core.Suspend) error {
	ids, err := relationIDs(args)
	if err != nil {
		return err
	}
	op.IDs = ids
	_, err = x.do(ctx, op)
	return err
}

// relationID reads the number of a relation.
func relationID(s string) (kith.RelationID, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || s[0] == '+' {
		return 0, usagef("relation ID %q not valid", s)
	}
	return kith.RelationID(n), nil
}
