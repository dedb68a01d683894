package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/charm"
	"kith/internal/api"
)

func actionsCommand() *command {
	var schema bool
	return &command{
		name: "actions", aliases: []string{"list-actions"}, args: "<application>", group: groupRun, scope: modelScope,
		summary:  "Lists the actions of an application",
		details:  "With --schema it prints what parameters they take, as JSON schemas.",
		examples: []example{{"actions db", "What can be run"}, {"actions db --schema", "And with which parameters"}},
		seeAlso:  []string{"run", "show-action"},
		formats:  []string{"default", formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&schema, "schema", false, "Print the schemas of the parameters")
		},
		check: func(x *call, args []string) error {
			if len(args) == 0 {
				return usagef("no application name specified")
			}
			if _, err := appArg(args[0]); err != nil {
				return err
			}
			return atMost(1)(x, args)
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			if schema && x.format == formatTabular {
				return kith.Errorf(kith.Invalid, "full schema not compatible with tabular output")
			}
			a, err := x.api.Actions(ctx, x.modelID(), kith.AppName(args[0]))
			if err != nil {
				return err
			}
			if len(a.Actions) == 0 {
				x.say("No actions defined for %s.", a.App)
				if !x.document() {
					return nil
				}
			}
			if schema {
				return x.actionSchemas(a)
			}
			docs := map[string]string{}
			for name, action := range a.Actions { // any order: a map is made
				docs[name] = description(action)
			}
			return x.answer(docs, func() string { return actionsTable(a) })
		},
	}
}

func (x *call) actionSchemas(a api.AppActions) error {
	schemas := map[string]any{}
	for name, action := range a.Actions { // any order: a map is made
		schemas[name] = action.Params
	}
	text, err := yamlText(schemas)
	if err != nil {
		return err
	}
	return x.answer(schemas, func() string { return text })
}

func description(a charm.Action) string {
	if a.Description == "" {
		return "No description"
	}
	return a.Description
}

func actionsTable(a api.AppActions) string {
	t := &table{}
	t.add("Action", "Description")
	for _, name := range sortedNames(a.Actions) {
		line, _, _ := strings.Cut(strings.TrimSpace(description(a.Actions[name])), "\n")
		t.add(name, line)
	}
	return t.String()
}

// sortedNames are the keys of a map, sorted.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
