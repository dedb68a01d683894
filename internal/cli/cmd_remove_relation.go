package cli

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

func removeRelationCommand() *command {
	var force bool
	return &command{
		name: "remove-relation", args: "<application>[:<endpoint>] <application>[:<endpoint>] | <relation id>",
		group: groupRelation, scope: modelScope,
		summary: "Ends the integration of two applications",
		details: `The relation is named by its two applications, with endpoints where the
applications alone are not enough, or by its number. The command returns at once;
the units then run their departed and broken hooks, and the relation is gone when
the last of them has. "settle" waits for that.

With --force units get one minute; then the relation is taken from them.`,
		examples: []example{
			{"remove-relation web db", "End the integration of two applications"},
			{"remove-relation web:database db:server", "Say which endpoints"},
			{"remove-relation 4", "By number, as in show-unit"},
		},
		seeAlso: []string{"integrate", "status"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&force, "force", false, "Take the relation from units whose hooks fail")
		},
		check: func(_ *call, args []string) error {
			_, err := removeRelationOp(args)
			return err
		},
		complete: upTo(2, completeEndpoints),
		run: func(ctx context.Context, x *call, args []string) error {
			op, err := removeRelationOp(args)
			if err != nil {
				return err
			}
			if force {
				op.Force, op.Wait = true, forceWait
			}
			_, err = x.do(ctx, op)
			return whole(err)
		},
	}
}

// forceWait is how long a forced removal lets units run their hooks (relations
// reference, section 2.4: 3.6 waits a minute).
const forceWait = time.Minute

// removeRelationOp reads the arguments of remove-relation (CLI reference, section 7.3).
func removeRelationOp(args []string) (core.RemoveRelation, error) {
	switch len(args) {
	case 1:
		id, err := relationID(args[0])
		return core.RemoveRelation{ID: &id}, err
	case 2:
		ends, err := parseEndpoints(args)
		return core.RemoveRelation{Endpoints: ends}, err
	}
	return core.RemoveRelation{}, usagef("a relation must involve two applications")
}

// relationIDs reads arguments that are all relation numbers.
func relationIDs(args []string) ([]kith.RelationID, error) {
	if len(args) == 0 {
		return nil, usagef("no relation ids specified")
	}
	ids := make([]kith.RelationID, len(args))
	for i, a := range args {
		id, err := relationID(a)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}
