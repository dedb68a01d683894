package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

func addModelCommand() *command {
	var config []string
	var noSwitch bool
	var owner string
	return &command{
		name: "add-model", args: "<model name> [cloud|region|(cloud/region)]", group: groupModel, scope: controllerScope,
		summary: "Makes a model",
		details: `A model is a space of its own for applications and their integrations. The new model
becomes the current one, unless --no-switch.`,
		examples: []example{
			{"add-model demo", "Make a model and work in it"},
			{"add-model demo --config update-status-hook-interval=1m", "With an option"},
		},
		seeAlso: []string{"models", "switch", "destroy-model"},
		flags: func(f *pflag.FlagSet) {
			f.StringArrayVar(&config, "config", nil, "Option key=value, or a YAML file with options")
			f.BoolVar(&noSwitch, "no-switch", false, "Leave the current model current")
			f.StringVar(&owner, "owner", "", "Whose the model is: there is nobody but "+userName)
			for _, name := range []string{"credential", "target-controller"} {
				f.String(name, "", "Accepted for Juju's sake; does nothing")
			}
		},
		check: func(x *call, args []string) error {
			if len(args) == 0 {
				return x.noModelName()
			}
			if !kith.ValidModelName(args[0]) {
				return usagef("%q is not a valid name: model names may only contain lowercase letters, digits and hyphens", args[0])
			}
			return atMost(2)(nil, args)
		},
		run: func(ctx context.Context, x *call, args []string) error {
			if len(args) > 1 {
				if err := checkCloud(args[1]); err != nil {
					return err
				}
			}
			if owner != "" && owner != userName {
				return kith.Errorf(kith.NotFound, "user %q not found", owner).WithHint("a kith has one user, %s", userName)
			}
			set, err := x.newModelConfig(config)
			if err != nil {
				return err
			}
			m, err := x.api.CreateModel(ctx, api.CreateModel{Name: args[0], Config: set})
			if kith.CodeOf(err) == kith.Conflict {
				return kith.Errorf(kith.Conflict, "failed to create new model: model %q for %s already exists (already exists)", args[0], userName)
			}
			if err != nil {
				return err
			}
			x.say("Added '%s' model on %s/%s for user '%s'", m.Name, cloudName, regionName, m.Owner)
			if noSwitch {
				return nil
			}
			return x.makeCurrent(m)
		},
	}
}

// noModelName is what add-model says without a name (CLI reference, section 12.2).
func (x *call) noModelName() error {
	return usagef("%[1]s: no model name was passed. See \"%[1]s add-model --help\".\n\nDid you mean:\n\t%[1]s add-model <model name>", x.program)
}

// makeCurrent makes commands work on m from now on.
func (x *call) makeCurrent(m api.Model) error {
	return x.home.update(func(s *state) { s.choose(m.Owner + "/" + m.Name) })
}

// choose makes a model current and remembers the one that was.
func (s *state) choose(name string) {
	if s.CurrentModel != name {
		s.PreviousModel, s.CurrentModel = s.CurrentModel, name
	}
}

// checkCloud refuses a cloud or region other than the one there is.
func checkCloud(s string) error {
	if s == cloudName || s == cloudName+"/"+regionName { // the region has the cloud's name
		return nil
	}
	tb := &table{}
	tb.add("Cloud", "Regions")
	tb.add(cloudName, regionName)
	return kith.Errorf(kith.Invalid, "%q is neither a cloud supported by this controller,\nnor a region in the controller's default cloud %q.\n"+
		"The clouds/regions supported by this controller are:\n\n%s", s, cloudName, strings.TrimSuffix(tb.String(), "\n"))
}

// newModelConfig reads the values of --config: files first, single options over them.
func (x *call) newModelConfig(values []string) (map[string]string, error) {
	set, err := settings(x, values, x.modelSettings, func(value string) string { return value })
	if err != nil {
		return nil, err
	}
	if err := x.checkModelOptions(core.SetModelConfig{Set: set}); err != nil {
		return nil, fmt.Errorf("failed to create new model: %w", err)
	}
	return set, nil
}
