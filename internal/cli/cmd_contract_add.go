package cli

import (
	"context"
	"fmt"

	"kith"
	"kith/contract"
	"kith/internal/core"
	"kith/internal/shipped"
)

func contractAddCommand() *command {
	return &command{
		name: "contract add", args: "<file>|<folder> [...]", group: groupContract, scope: modelScope,
		summary: "Tells a model what interfaces mean",
		details: `From then on every hook that changes a databag of such an interface has what it wrote
checked when it commits. A contract in any form is taken: kith's own, a JSON Schema of
the public catalogue or one written by hand, a folder of them, schema.py (read, never
run).

It takes the place of the contract the model had of the interface, and goes before the
one that comes with kith. What follows from a value that is wrong, 'contract mode' says.`,
		examples: []example{
			{"contract add greeting.yaml", "Add a contract of your own"},
			{"contract add interfaces/jwt/v0", "Add one of the public catalogue"},
			{"contract add contracts", "Add a folder of them"},
		},
		seeAlso: []string{"contract list", "contract remove", "contract mode", "contract import"},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("a file or folder must be named")
			}
			return nil
		},
		run: func(ctx context.Context, x *call, args []string) error {
			for _, name := range args {
				if err := x.addContracts(ctx, name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// addContracts adds what a file or a folder holds.
func (x *call) addContracts(ctx context.Context, name string) error {
	found, err := x.importContracts(name)
	if err != nil {
		return err
	}
	seen := map[string]int{}
	for _, c := range found {
		folded := contract.FoldName(c.Interface)
		if version, twice := seen[folded]; twice {
			return kith.Errorf(kith.Invalid, "cannot add %q: it holds versions %d and %d of %s", name, version, c.Version, c.Interface).
				WithHint("name the folder of one version: a model has one contract of an interface")
		}
		seen[folded] = c.Version
	}
	for _, c := range found {
		reply, err := x.do(ctx, core.AddContract{Text: string(c.YAML()), Source: name})
		if err != nil {
			return err
		}
		x.sayAdded(c, len(reply.Created) > 0, reply.Unchanged)
	}
	return nil
}

func (x *call) sayAdded(c *contract.Contract, isNew, same bool) {
	what := fmt.Sprintf("contract of %s, version %d", c.Interface, c.Version)
	switch {
	case same:
		x.say("the %s is there already", what)
	case !isNew:
		x.say("changed the %s", what)
	case shipped.Checker(contract.FoldName(c.Interface)) != nil:
		x.say("added the %s; it goes before the one that comes with kith", what)
	default:
		x.say("added the %s", what)
	}
}
