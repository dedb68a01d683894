package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

// usualRunWait is how long run waits unless it is told.
const usualRunWait = time.Minute

func runCommand() *command {
	var o waiting
	var paramsFile string
	var asStrings bool
	return &command{
		name: "run", args: "<unit> [...] <action> [<key>=<value> ...]", group: groupRun, scope: modelScope,
		summary: "Runs an action on units",
		details: `An action is queued for each unit and runs between its hooks, also while a hook is in
error. The command waits for the result and prints it; messages that the action logs
appear as they come. app/leader stands for the application's leader.

Values are read as YAML, so that 5 is a number; --string-args takes them as they
stand. Dots in a key lead into maps: to.host=x.

An action that calls action-fail is no failure of the command: see the status. One whose
process ends badly is.`,
		examples: []example{
			{"run db/0 backup", "Run an action and wait a minute for it"},
			{"run db/0 db/1 backup target=/srv --wait 10m", "On two units, with a parameter"},
			{"run db/leader backup --background", "Do not wait"},
			{"run db/0 backup --params values.yaml", "Read the parameters from a file"},
		},
		seeAlso: []string{"actions", "show-action", "exec", "show-task", "operations", "cancel-task"},
		formats: []string{formatPlain, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			o.flags(f)
			f.StringVar(&paramsFile, "params", "", "A YAML file of parameters; those given as arguments win")
			f.BoolVar(&asStrings, "string-args", false, "Take the values of arguments as they stand")
		},
		check: func(_ *call, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			_, err := parseActionArgs(args)
			return err
		},
		complete: completeRun,
		run: func(ctx context.Context, x *call, args []string) error {
			a, err := parseActionArgs(args)
			if err != nil {
				return err
			}
			params, err := x.readParams(paramsFile, a.params, asStrings)
			if err != nil {
				return err
			}
			op, err := x.queued(ctx, core.RunAction{Receivers: a.units, Action: a.action, Params: params})
			if err != nil {
				return err
			}
			o.talks = true
			return x.operate(ctx, op, o, usualRunWait)
		},
	}
}

// flags declares what run and exec have in common.
func (o *waiting) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.background, "background", false, "Do not wait for the result")
	f.DurationVar(&o.wait, "wait", 0, "How long to wait for the result; negative: for ever")
	f.BoolVar(&o.utc, "utc", false, "Show times in UTC")
	f.Bool("color", false, "Accepted for Juju's sake; does nothing")
	f.Bool("no-color", false, "Accepted for Juju's sake; does nothing")
}

func (o *waiting) check() error {
	if o.background && o.wait != 0 {
		return usagef("cannot specify both --wait and --background")
	}
	return nil
}

// completeRun proposes units, then the actions of their application.
func completeRun(ctx context.Context, x *call, args []string) []string {
	if len(args) > 0 && !isReceiver(args[len(args)-1]) {
		return nil
	}
	units := completeUnits(ctx, x, args)
	if len(args) == 0 {
		return units
	}
	app := kith.UnitName(args[0]).App()
	same := slices.DeleteFunc(units, func(u string) bool { return !strings.HasPrefix(u, string(app)+"/") })
	return append(same, completeActions(ctx, x, app)...)
}

func completeActions(ctx context.Context, x *call, app kith.AppName) []string {
	a, err := x.api.Actions(ctx, x.modelID(), app)
	if err != nil {
		return nil
	}
	return sortedNames(a.Actions)
}
