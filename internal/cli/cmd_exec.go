package cli

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

// usualExecWait is how long exec waits unless it is told.
const usualExecWait = 5 * time.Minute

// execFlags say where a command runs, and how.
type execFlags struct {
	waiting
	all                   bool
	machines, apps, units []string
	parallel              bool
	group                 string
	relation, remote      string
	force                 bool
}

func execCommand() *command {
	var o execFlags
	return &command{
		name: "exec", args: "[--] <command> [...]", group: groupRun, scope: modelScope,
		summary: "Runs a shell command in the hook context of units",
		details: `The command runs between the hooks of a unit, or before the hook that is due or in
error. Hook tools work in it, and what it writes into databags is published when it
ends, whatever its exit status. A single argument is handed to the shell as it is;
several are quoted and joined.

With --machine and --all it runs on machines, outside of any unit's context.

Put -- before a command that has options of its own. The command is ended when the time
of --wait is up; with --background it may take as long as it likes.`,
		examples: []example{
			{"exec --unit db/0 -- config-get", "Look at a unit's configuration"},
			{"exec --application web 'uptime; df -h'", "On all units of an application"},
			{"exec --unit db/0 --relation 2 -- relation-get -", "In the context of a relation"},
		},
		seeAlso: []string{"run", "operations", "show-task"},
		formats: []string{formatPlain, formatJSON, formatYAML},
		flags:   o.flags,
		check:   o.check,
		run: func(ctx context.Context, x *call, args []string) error {
			if x.asCommand { // which takes as long as it takes
				o.wait = noTime
			}
			o.commands, o.talks = true, x.verbose
			request, err := o.request(args)
			if err != nil {
				return err
			}
			op, err := x.queued(ctx, request)
			if err != nil {
				return err
			}
			if x.asCommand {
				return x.standFor(ctx, op, o.waiting)
			}
			return x.operate(ctx, op, o.waiting, usualExecWait)
		},
		completeFlag: map[string]proposer{"unit": completeUnits, "application": completeApps, "app": completeApps, "relation": completeRelations},
	}
}

func (o *execFlags) flags(f *pflag.FlagSet) {
	o.waiting.flags(f)
	f.BoolVar(&o.all, "all", false, "On every machine")
	f.StringSliceVar(&o.machines, "machine", nil, "On these machines")
	f.StringSliceVarP(&o.apps, "application", "a", nil, "On the units of these applications")
	f.StringSliceVar(&o.apps, "app", nil, "The same as --application")
	f.StringSliceVarP(&o.units, "unit", "u", nil, "On these units; app/leader is a unit, too")
	f.BoolVar(&o.parallel, "parallel", true, "Run beside other tasks of the same machine")
	f.StringVar(&o.group, "execution-group", "", "Run after other tasks of this group on the same machine")
	f.Bool("operator", false, "Accepted for Juju's sake; does nothing")
	f.StringVarP(&o.relation, "relation", "r", "", "In the context of this relation")
	f.StringVar(&o.remote, "remote-unit", "", "And of this unit on its other side")
	f.BoolVar(&o.force, "force-remote-unit", false, "Take the remote unit though it is not known")
}

var machinePattern = regexp.MustCompile(`^(?:0|[1-9][0-9]*)$`)

// check is the table of mistakes of the CLI reference, section 9.2.
func (o *execFlags) check(_ *call, args []string) error {
	if err := o.waiting.check(); err != nil {
		return err
	}
	if len(args) == 0 {
		return usagef("no commands specified")
	}
	if !o.all && len(o.machines)+len(o.apps)+len(o.units) == 0 {
		return usagef("You must specify a target, either through --all, --machine, --application or --unit")
	}
	for _, t := range []struct {
		given []string
		what  string
	}{{o.machines, "machines"}, {o.apps, "applications"}, {o.units, "units"}} {
		if o.all && len(t.given) > 0 {
			return usagef("You cannot specify --all and individual %s", t.what)
		}
	}
	var bad []string
	wrong := func(names []string, ok func(string) bool, what string) {
		for _, n := range names {
			if !ok(n) {
				bad = append(bad, fmt.Sprintf("  %q is not a valid %s", n, what))
			}
		}
	}
	wrong(o.machines, machinePattern.MatchString, "machine id")
	wrong(o.apps, kith.ValidAppName, "application name")
	wrong(o.units, isReceiver, "unit name")
	if len(bad) > 0 {
		return usagef("The following exec targets are not valid:\n%s", strings.Join(bad, "\n"))
	}
	_, err := o.relationID()
	return err
}

// relationID is the relation of --relation; nil if none was given.
func (o *execFlags) relationID() (*kith.RelationID, error) {
	if o.relation == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(o.relation[strings.LastIndexByte(o.relation, ':')+1:])
	if err != nil || n < 0 {
		return nil, usagef("invalid value %q for option --relation: invalid relation id", o.relation)
	}
	id := kith.RelationID(n)
	return &id, nil
}

// request is the command as it is sent.
func (o *execFlags) request(args []string) (core.RunCommand, error) {
	text := args[0]
	if len(args) > 1 {
		text = shellWords(args)
	}
	op := core.RunCommand{Command: text, Units: o.units, All: o.all, Serial: !o.parallel, Group: o.group,
		RemoteUnit: o.remote, Force: o.force}
	if limit := o.limit(usualExecWait); !o.background && limit > 0 {
		op.Timeout = limit
	}
	for _, a := range o.apps {
		op.Apps = append(op.Apps, kith.AppName(a))
	}
	for _, m := range o.machines {
		op.Machines = append(op.Machines, kith.MachineID(m))
	}
	var err error
	op.Relation, err = o.relationID()
	return op, err
}
