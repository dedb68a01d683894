package cli

import (
	"cmp"
	"context"

	"kith"
)

func whoamiCommand() *command {
	return &command{
		name: "whoami", args: "", group: groupController, scope: homeScope,
		summary:  "Shows the current controller, model and user",
		details:  "The user is always admin: whoever may open the controller's socket.",
		examples: []example{{"whoami", "Where am I?"}},
		seeAlso:  []string{"controllers", "switch"},
		formats:  []string{formatTabular, formatJSON, formatYAML},
		check:    noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			if !x.hasController() {
				x.say("There is no current controller.\nRun %s controllers to see available controllers.", x.program)
				x.say("hint: %s", kith.HintOf(x.noController()))
				return nil
			}
			type whoami struct {
				Controller string `json:"controller"`
				Model      string `json:"model,omitempty"`
				User       string `json:"user"`
			}
			w := whoami{controllerName, shortName(x.state.CurrentModel), userName}
			return x.answer(w, func() string {
				tb := &table{}
				tb.add("Controller:", w.Controller)
				tb.add("Model:", cmp.Or(w.Model, "<no-current-model>"))
				tb.add("User:", w.User)
				return tb.String()
			})
		},
	}
}
