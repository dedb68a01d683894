package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/contract"
)

// contractCheckFlags say what is in the file that is checked.
type contractCheckFlags struct {
	role, bag, endpoint string
	settled             bool
}

func contractCheckCommand() *command {
	var o contractCheckFlags
	return &command{
		name: "contract check", args: "<contract> <file>", group: groupContract, scope: noScope,
		summary: "Checks relation data against a contract",
		details: `The file holds one databag, as YAML or JSON, or what show-unit prints; "-" reads it
from stdin. The contract is a file, a folder or the name of one that comes with kith.
No controller is needed.

--role is the role of who wrote the bag; with what show-unit prints, that of the unit
shown: the other side is checked as the other role. For each bag the state is told:

    absent     nothing is there yet, and something must be
    partial    what is there is right, and something is missing
    valid      all that must be there is, and all of it is right
    violating  something that is there is wrong

The exit status is 1 if a bag is violating; with --settled also if something is
missing, because nothing more will come. Values that may be secret are not shown.`,
		examples: []example{
			{"contract check ingress bag.yaml --role requirer", "Check a bag, application data if not told otherwise"},
			{"contract check postgresql_client unit.yaml --role requirer --endpoint database", "Check all bags of a relation that show-unit printed"},
		},
		seeAlso: []string{"show-unit", "contract list", "contract show"},
		formats: []string{formatTabular, formatYAML, formatJSON},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&o.role, "role", "", "Who wrote the bag: provider, requirer or peer")
			f.StringVar(&o.bag, "bag", "app", "Which bag the file holds: app or unit")
			f.StringVar(&o.endpoint, "endpoint", "", "Which endpoint, of what show-unit printed")
			f.BoolVar(&o.settled, "settled", false, "Fail also if something is missing")
		},
		completeFlag: map[string]proposer{"role": completeRoles},
		check:        o.check,
		run: func(_ context.Context, x *call, args []string) error {
			c, err := x.findContract(args[0])
			if err != nil {
				return err
			}
			checker, err := c.Compile()
			if err != nil {
				return err
			}
			text, err := x.readFile(args[1])
			if err != nil {
				return kith.Errorf(kith.NotFound, "cannot read %q: %v", args[1], reasonOf(err))
			}
			bags, err := contract.ReadBags(args[1], text)
			if err != nil {
				return err
			}
			if bags, err = o.choose(args[1], bags); err != nil {
				return err
			}
			return x.sayVerdicts(o.verdicts(checker, bags), o.settled)
		},
	}
}

func (o *contractCheckFlags) check(x *call, args []string) error {
	if len(args) < 2 {
		return usagef("a contract and a file must be named")
	}
	if o.role == "" {
		return usagef("nothing says whose data it is: --role provider, requirer or peer")
	}
	if _, err := parseRole(o.role); err != nil {
		return err
	}
	if kind := contract.BagKind(o.bag); kind != contract.AppBag && kind != contract.UnitBag {
		return usagef("bag %q is neither app nor unit", o.bag)
	}
	return atMost(2)(x, args)
}

// choose takes the bags of the endpoint that is meant.
func (o *contractCheckFlags) choose(file string, bags []contract.BagData) ([]contract.BagData, error) {
	endpoints := contract.Endpoints(bags)
	switch {
	case o.endpoint == "" && len(endpoints) > 1:
		return nil, kith.Errorf(kith.Invalid, "cannot check %q: it has more than one endpoint", file).
			WithHint("choose one with --endpoint: %s", strings.Join(endpoints, ", "))
	case o.endpoint != "" && !slices.Contains(endpoints, o.endpoint):
		return nil, kith.Errorf(kith.NotFound, "cannot check %q: it has no endpoint %q", file, o.endpoint).
			WithHint("there are: %s", strings.Join(endpoints, ", "))
	case o.endpoint == "":
		return bags, nil
	}
	return slices.DeleteFunc(slices.Clone(bags), func(b contract.BagData) bool { return b.Endpoint != o.endpoint }), nil
}

// bagVerdict is what contract check says of one bag.
type bagVerdict struct {
	Owner    string           `json:"owner,omitempty"`
	Charm    string           `json:"charm,omitempty"`
	Relation *kith.RelationID `json:"relation-id,omitempty"`
	Role     kith.Role        `json:"role"`
	Bag      contract.BagKind `json:"bag"`
	contract.Verdict
}

// verdicts checks each bag as the role its writer has.
func (o *contractCheckFlags) verdicts(checker *contract.Checker, bags []contract.BagData) []bagVerdict {
	out := []bagVerdict{}
	for _, b := range bags {
		v := bagVerdict{Owner: b.Owner, Charm: b.Charm, Role: kith.Role(o.role), Bag: b.Kind}
		switch {
		case b.Kind == "":
			v.Bag = contract.BagKind(o.bag)
		case !b.Own:
			v.Role = contract.OtherRole(v.Role)
		}
		if b.Kind != "" {
			id := b.Relation
			v.Relation = &id
		}
		v.Verdict = checker.CheckBag(v.Role, v.Bag, b.Data)
		out = append(out, v)
	}
	return append(out, o.either(checker, bags)...)
}

// either looks for keys that may be in one bag or the other, where both are known.
func (o *contractCheckFlags) either(checker *contract.Checker, bags []contract.BagData) []bagVerdict {
	var out []bagVerdict
	role := contract.OtherRole(kith.Role(o.role))
	if side := checker.Contract().Side(role); side == nil || side.Either == nil {
		return nil
	}
	for _, unit := range bags {
		if unit.Kind != contract.UnitBag || unit.Own {
			continue
		}
		for _, app := range bags {
			if app.Kind == contract.AppBag && app.Relation == unit.Relation && app.Endpoint == unit.Endpoint {
				_, _, v := checker.CheckSide(role, app.Data, unit.Data)
				v.Violations = nil // they were told with the bag they are in
				id := unit.Relation
				out = append(out, bagVerdict{unit.Owner, unit.Charm, &id, role, contract.EitherBag, v})
			}
		}
	}
	return out
}

// sayVerdicts prints the verdicts, and fails if one is bad.
func (x *call) sayVerdicts(verdicts []bagVerdict, settled bool) error {
	if err := x.answer(verdicts, func() string { return verdictLines(verdicts) }); err != nil {
		return err
	}
	violating, waiting := 0, 0
	for _, v := range verdicts {
		if v.State == contract.Violating && v.Bag != contract.EitherBag {
			violating++
		}
		if len(v.Missing) > 0 {
			waiting++
		}
	}
	switch {
	case violating > 0:
		x.warn("the contract is violated in %s", plural(violating, "bag"))
		return errFailed
	case settled && waiting > 0:
		x.warn("something is missing in %s", plural(waiting, "bag"))
		return errFailed
	}
	return nil
}

// verdictLines is the verdicts for people.
func verdictLines(verdicts []bagVerdict) string {
	var b strings.Builder
	for _, v := range verdicts {
		name := fmt.Sprintf("%s, %s bag", v.Role, v.Bag)
		if v.Charm != "" {
			name = v.Owner + " (" + v.Charm + "): " + name
		} else if v.Owner != "" {
			name = v.Owner + ": " + name
		}
		if v.Relation != nil {
			name += fmt.Sprintf(", relation %d", *v.Relation)
		}
		fmt.Fprintf(&b, "%s: %s\n", name, v.State)
		for _, found := range v.Violations {
			fmt.Fprintf(&b, "    %s\n", found)
		}
		if len(v.Missing) > 0 {
			fmt.Fprintf(&b, "    waiting for %s: %s\n", v.Role, strings.Join(v.Missing, ", "))
		}
		for _, n := range v.Unchecked {
			fmt.Fprintf(&b, "    not checked: %s\n", n)
		}
	}
	return b.String()
}
