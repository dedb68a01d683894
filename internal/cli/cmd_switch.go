package cli

import (
	"context"
	"errors"

	"kith"
)

func switchCommand() *command {
	return &command{
		name: "switch", args: "[<model>|-]", group: groupModel, scope: controllerScope,
		summary:  "Chooses the current model",
		details:  "Without an argument it says which model is current. \"switch -\" goes back to the one\nbefore.",
		examples: []example{{"switch", "Which model is current?"}, {"switch prod", "Work in another model"}, {"switch -", "Go back"}},
		seeAlso:  []string{"models", "add-model"},
		check: func(x *call, args []string) error {
			if err := atMost(1)(x, args); err != nil || len(args) == 0 {
				return err
			}
			return x.checkOverride()
		},
		complete: firstArg(completeModels),
		run: func(ctx context.Context, x *call, args []string) error {
			if len(args) == 0 {
				return x.output(x.whereAmI(x.state.CurrentModel) + "\n")
			}
			return x.switchTo(ctx, args[0])
		},
	}
}

// whereAmI is a model with its controller, or the controller alone.
func (x *call) whereAmI(model string) string {
	if model == "" {
		return controllerName
	}
	return controllerName + ":" + model
}

// checkOverride refuses to choose what the environment chooses.
func (x *call) checkOverride() error {
	for _, v := range []struct{ variable, what string }{{"JUJU_MODEL", "model"}, {"JUJU_CONTROLLER", "controller"}} {
		if value := x.getenv(v.variable); value != "" {
			return kith.Errorf(kith.Conflict, "cannot switch when %s is overriding the %s (set to %q)", v.variable, v.what, value)
		}
	}
	return nil
}

func (x *call) switchTo(ctx context.Context, name string) error {
	if name == "-" {
		if name = x.state.PreviousModel; name == "" {
			return errors.New("there is no previous model to switch to")
		}
	}
	before := x.whereAmI(x.state.CurrentModel)
	if name == controllerName {
		x.say("%s (no change)", before)
		return nil
	}
	ref := parseReference(name)
	if err := x.checkController(ref.controller); err != nil {
		return err
	}
	if ref.model == "" { // "kith:" is the model that is current there
		x.say("%s (no change)", before)
		return nil
	}
	m, err := x.findModel(ctx, ref)
	if kith.CodeOf(err) == kith.NotFound {
		return kith.Errorf(kith.NotFound, "%q is not the name of a model or controller", name).WithHint("'%s models' lists the models", x.program)
	}
	if err != nil {
		return err
	}
	after := x.whereAmI(m.Owner + "/" + m.Name)
	if err := x.makeCurrent(m); err != nil {
		return err
	}
	if after == before {
		x.say("%s (no change)", before)
	} else {
		x.say("%s -> %s", before, after)
	}
	return nil
}
