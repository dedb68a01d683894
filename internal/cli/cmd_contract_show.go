package cli

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"kith"
	"kith/contract"
)

func contractShowCommand() *command {
	return &command{
		name: "contract show", args: "<file>|<folder>|<interface>", group: groupContract, scope: modelScope, modelOptional: true,
		summary: "Shows a contract",
		details: `Says which keys each side writes into which databag, how they are encoded, and
which of them must be there. A contract in any form is taken: kith's own, a JSON
Schema of the public catalogue or one written by hand, a folder of them, schema.py.

An interface is that of the model, as 'contract list' has it; what is no file is one.
Without a controller it is one that comes with kith.

With --format yaml the contract is written in kith's own form, which is how one in
another form is converted.`,
		examples: []example{
			{"contract show ingress", "Show what an interface means in the model"},
			{"contract show interfaces/jwt/v0", "Show what a folder of the catalogue says"},
			{"contract show provider.json --format yaml", "Convert a JSON Schema"},
		},
		seeAlso:  []string{"contract list", "contract check", "contract export"},
		formats:  []string{formatTabular, formatYAML, formatJSON},
		check:    oneArg("a contract"),
		complete: firstArg(completeContracts),
		run: func(ctx context.Context, x *call, args []string) error {
			c, err := x.shownContract(ctx, args[0])
			if err != nil {
				return err
			}
			if x.format == formatYAML {
				return x.output(string(c.YAML()))
			}
			return x.answer(c, func() string { return contractTable(c) })
		},
	}
}

// shownContract is what a file or folder says, or what applies to an interface in the model.
func (x *call) shownContract(ctx context.Context, name string) (*contract.Contract, error) {
	if _, err := os.Stat(name); err == nil || !x.hasModel() {
		return x.findContract(name)
	}
	found, err := x.api.Contract(ctx, x.modelID(), name)
	if kith.CodeOf(err) == kith.NotFound {
		return nil, noContract(x.program, name, "model "+strconv.Quote(x.target.Name))
	}
	if err != nil {
		return nil, err
	}
	return contract.Parse(name, []byte(found.Text))
}

// oneArg wants exactly one argument.
func oneArg(what string) func(*call, []string) error {
	return func(x *call, args []string) error {
		if len(args) == 0 {
			return usagef("%s must be named", what)
		}
		return atMost(1)(x, args)
	}
}

// contractTable is a contract for people.
func contractTable(c *contract.Contract) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, version %d", c.Interface, c.Version)
	if c.Status != "" {
		fmt.Fprintf(&b, " (%s)", c.Status)
	}
	b.WriteString("\n")
	if c.Description != "" {
		b.WriteString(c.Description + "\n")
	}
	for _, role := range c.Roles() {
		for _, kind := range []contract.BagKind{contract.AppBag, contract.UnitBag, contract.EitherBag} {
			if bag := c.Side(role).Bag(kind); bag != nil {
				bagTable(&b, fmt.Sprintf("%s, %s bag", role, kind), bag)
			}
		}
	}
	return b.String()
}

func bagTable(b *strings.Builder, title string, bag *contract.Bag) {
	fmt.Fprintf(b, "\n%s", title)
	for _, word := range []struct {
		says bool
		text string
	}{{bag.Optional, "may stay empty"}, {bag.Closed, "no other keys"}, {bag.Unchecked != "", "not checked: " + bag.Unchecked}} {
		if word.says {
			b.WriteString(", " + word.text)
		}
	}
	b.WriteString("\n")
	if len(bag.Keys) == 0 {
		return
	}
	var t table
	t.add("Key", "Needed", "Encoding", "Type", "Secret", "Description")
	for _, k := range bag.Keys {
		needed := "no"
		if k.Required {
			needed = "yes"
		}
		secret := string(k.Secret)
		if len(k.Via) > 0 {
			secret = "in " + strings.Join(k.Via, ", ")
		}
		t.add(k.Name, needed, string(k.Encoding), k.Type(), secret, strings.Join(strings.Fields(k.Description), " "))
	}
	b.WriteString(t.String())
	for _, group := range bag.AnyOf {
		b.WriteString("One of the groups must be complete: " + strings.Join(group, ", ") + "\n")
	}
}
