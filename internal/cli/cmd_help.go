package cli

import (
	"context"
	"strings"
)

func helpCommand() *command {
	return &command{
		name: "help", args: "[<command>]", group: groupOther, scope: noScope,
		summary:  "Shows help on a command",
		details:  "Without a command it lists them all.",
		examples: []example{{"help integrate", "Help on a command"}},
		check:    atMost(2),
		complete: firstArg(func(context.Context, *call, []string) []string {
			var names []string
			for _, c := range commands() {
				if !c.hidden {
					names = append(names, c.name)
				}
			}
			return names
		}),
		run: func(_ context.Context, x *call, args []string) error {
			if len(args) == 0 {
				x.print(overview(x.program))
				return nil
			}
			topic := strings.Join(args, " ")
			if c := findCommand(topic); c != nil {
				x.print(helpText(x.program, c))
				return nil
			}
			if family := family(topic); len(family) > 0 {
				x.print(familyText(x.program, topic, family))
				return nil
			}
			return x.unknownTopic(topic)
		},
	}
}

// shortName is a model's name without its owner.
func shortName(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }
