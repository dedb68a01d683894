package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith"
)

// The forms contract export writes beside YAML.
const (
	formatSchema = "json-schema"
	formatGo     = "go"
)

func contractExportCommand() *command {
	var role, pkg string
	return &command{
		name: "contract export", args: "<file>|<folder>|<interface>", group: groupContract, scope: noScope,
		summary: "Writes a contract as JSON Schema, Go structs or YAML",
		details: `As JSON Schema, what one role writes is described in the form the public catalogue
has: roots app and unit, and values that are carried as JSON as strings with a content.

As Go, there is a struct for each databag with the tags of package kith/ops, and one
for each object inside. What is not checked becomes a json.RawMessage.`,
		examples: []example{
			{"contract export ingress --role requirer", "The JSON Schema of one side"},
			{"contract export ingress --format go --package ingress -o ingress.go", "Structs for a charm in Go"},
		},
		seeAlso: []string{"contract show", "contract breaking"},
		formats: []string{formatSchema, formatGo, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&role, "role", "", "Which side, for JSON Schema: provider, requirer or peer")
			f.StringVar(&pkg, "package", "contract", "Name of the Go package")
		},
		completeFlag: map[string]proposer{"role": completeRoles},
		check: func(x *call, args []string) error {
			if x.format == formatSchema {
				if role == "" {
					return usagef("a JSON Schema is of one side: --role provider, requirer or peer")
				}
				if _, err := parseRole(role); err != nil {
					return err
				}
			}
			return oneArg("a contract")(x, args)
		},
		run: func(_ context.Context, x *call, args []string) error {
			c, err := x.findContract(args[0])
			if err != nil {
				return err
			}
			var text []byte
			switch x.format {
			case formatGo:
				text, err = c.GoStructs(pkg)
			case formatYAML:
				text = c.YAML()
			default:
				text, err = c.JSONSchema(kith.Role(role))
			}
			if err != nil {
				return err
			}
			return x.output(string(text))
		},
	}
}
