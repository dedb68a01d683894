package cli

import (
	"context"
	"fmt"

	"kith"
)

func showActionCommand() *command {
	return &command{
		name: "show-action", args: "<application> <action>", group: groupRun, scope: modelScope,
		summary:  "Shows what an action does and which parameters it takes",
		details:  "Parameters are shown with their type, description and default.",
		examples: []example{{"show-action db backup", "Show an action"}},
		seeAlso:  []string{"actions", "run"},
		check: func(x *call, args []string) error {
			switch len(args) {
			case 0:
				return usagef("no application name specified")
			case 1:
				return usagef("no action name specified")
			}
			if _, err := appArg(args[0]); err != nil {
				return err
			}
			return atMost(2)(x, args)
		},
		complete: upTo(2, func(ctx context.Context, x *call, args []string) []string {
			if len(args) == 0 {
				return completeApps(ctx, x, args)
			}
			return completeActions(ctx, x, kith.AppName(args[0]))
		}),
		run: func(ctx context.Context, x *call, args []string) error {
			a, err := x.api.Actions(ctx, x.modelID(), kith.AppName(args[0]))
			if err != nil {
				return err
			}
			action, ok := a.Actions[args[1]]
			if !ok {
				fmt.Fprintf(x.err, "unknown action %q\n", args[1])
				return errFailed
			}
			text, err := parametersText(action.Params)
			if err != nil {
				return err
			}
			x.print(description(action) + "\n\nArguments\n" + text)
			return nil
		},
	}
}

// parametersText is the properties of an action's schema, as a YAML mapping.
func parametersText(schema map[string]any) (string, error) {
	type parameter struct {
		Type        any `json:"type,omitempty"`
		Description any `json:"description,omitempty"`
		Default     any `json:"default,omitempty"`
	}
	properties, _ := schema["properties"].(map[string]any)
	all := map[string]parameter{}
	for name, p := range properties { // any order: a map is made
		property, _ := p.(map[string]any)
		all[name] = parameter{property["type"], property["description"], property["default"]}
	}
	return yamlText(all)
}
