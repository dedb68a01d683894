package cli

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// defaultBase is said of charms that do not say what they run on.
const defaultBase = "ubuntu@24.04/stable"

// deployFlags are the flags of deploy.
type deployFlags struct {
	units  int
	to     string
	base   string
	config []string
	trust  bool
	dryRun bool
	force  bool
	bind   string
	attach []string
	// constraints say what computers the units want.
	constraints []string
	revision    int
	channel     string
	// storage and resources are values by name.
	storage   directivesFlag
	resources pairsFlag
	// unitsGiven is true if -n was.
	unitsGiven func() bool
}

func deployCommand() *command {
	o := newDeployFlags()
	return &command{
		name: "deploy", args: "<charm> [<application name>]", group: groupApp, scope: modelScope,
		summary: "Deploys a charm as an application",
		details: `The charm is a folder or a .charm file. The application gets the charm's name unless
another is given, and one unit unless -n says otherwise; a subordinate gets its
units when it is integrated.

Configuration is given as --config key=value, as --config key=@FILE, or as a YAML
file with the options below the application's name.`,
		examples: []example{
			{"deploy ./web", "Deploy the charm in a folder"},
			{"deploy ./web_ubuntu-24.04-amd64.charm shop -n 3", "Deploy a packed charm under another name, with three units"},
			{"deploy ./web --config port=8080 --config title=@title.txt", "Deploy with configuration"},
			{"deploy ./db --storage data=10G --resource software=./db.tgz", "With storage and a file for a resource of its charm"},
		},
		seeAlso:  []string{"integrate", "add-unit", "config", "settle"},
		flags:    o.flags,
		check:    o.check,
		run:      o.run,
		complete: nil, // files: the shell knows
	}
}

func (o *deployFlags) flags(f *pflag.FlagSet) {
	f.IntVarP(&o.units, "num-units", "n", 1, "Number of units")
	f.StringVar(&o.base, "base", "", "Base to deploy on, such as ubuntu@24.04")
	f.StringArrayVar(&o.config, "config", nil, "Option key=value, or a YAML file with options")
	f.BoolVar(&o.trust, "trust", false, "Set the application's trust")
	f.BoolVar(&o.dryRun, "dry-run", false, "Accepted for Juju's sake: ignored for local charms")
	f.StringVar(&o.to, "to", "", "Accepted for Juju's sake: every unit runs on this computer")
	f.StringArrayVar(&o.attach, "attach-storage", nil, "Storage that nobody has, for the one unit")
	f.Var(o.storage, "storage", "Storage for each unit: name=directive, such as data=rootfs,10G,2")
	f.Var(o.resources, "resource", "File for a resource of the charm: name=path")
	f.StringVar(&o.bind, "bind", "", "Spaces of endpoints; there is only alpha")
	f.StringArrayVar(&o.constraints, "constraints", nil, "Accepted for Juju's sake: there is one computer")
	for _, name := range []string{"device", "overlay"} {
		f.StringArray(name, nil, "Accepted for Juju's sake; does nothing")
	}
	f.StringVar(&o.channel, "channel", "", "Accepted for Juju's sake: charms come from files")
	for _, name := range []string{"map-machines", "series"} {
		f.String(name, "", "Accepted for Juju's sake; does nothing")
	}
	f.IntVar(&o.revision, "revision", -1, "Accepted for Juju's sake: charms come from files")
	f.BoolVar(&o.force, "force", false, "Also a charm that assumes what there is not")
	o.unitsGiven = func() bool { return f.Changed("num-units") }
}

func (o *deployFlags) check(_ *call, args []string) error {
	if len(args) == 0 {
		return usagef("no charm or bundle specified")
	}
	if len(args) > 1 {
		if _, err := kith.ParseAppName(args[1]); err != nil {
			return &usageError{err}
		}
	}
	if o.units < 0 {
		return usagef("--num-units must be a positive integer")
	}
	if err := checkAttach(o.attach, o.units); err != nil {
		return err
	}
	if err := checkPlacement(o.to); err != nil {
		return err
	}
	return atMost(2)(nil, args)
}

func newDeployFlags() *deployFlags {
	return &deployFlags{storage: directivesFlag{}, resources: pairsFlag{}}
}

func (o *deployFlags) run(ctx context.Context, x *call, args []string) error {
	if o.dryRun {
		x.say("ignoring dry-run flag for local charms")
	}
	if err := o.checkOrigin(args[0]); err != nil {
		return err
	}
	c, err := x.openCharm(args[0])
	if err != nil {
		return err
	}
	defer c.close()
	name := c.charm.Meta.Name
	if len(args) > 1 {
		name = args[1]
	}
	app, err := kith.ParseAppName(name)
	if err != nil {
		return &usageError{err}
	}
	op, err := o.op(x, app, c)
	if err != nil {
		return err
	}
	if op.Resources, err = x.sendResources(ctx, o.resources, resourceTypes(c.charm)); err != nil {
		return err
	}
	if err := c.send(ctx, x); err != nil {
		return err
	}
	if _, err := x.do(ctx, op); err != nil {
		return x.deployError(ctx, app, err)
	}
	return x.sayDeployed(ctx, app)
}

// checkOrigin refuses what is asked of where a charm comes from and runs on, in Juju's words.
func (o *deployFlags) checkOrigin(path string) error {
	if o.revision >= 0 && o.channel == "" && !isCharmPath(path) {
		return kith.Errorf(kith.Invalid, "specifying a revision requires a channel for future upgrades. Please use --channel")
	}
	if os, channel, ok := strings.Cut(o.base, "@"); o.base != "" && (!ok || os == "" || channel == "") {
		return kith.Errorf(kith.Invalid, "expected base string to contain os and channel separated by '@', got %q", o.base).
			WithHint("such as ubuntu@24.04")
	}
	return nil
}

// op is the command that deploys c as app.
func (o *deployFlags) op(x *call, app kith.AppName, c *localCharm) (core.Deploy, error) {
	op := core.Deploy{App: app, Charm: c.id, Units: o.units, Trust: o.trust, Base: o.base, Storage: o.storage.directives(), Force: o.force}
	if c.charm.Meta.Subordinate {
		if o.unitsGiven() || o.to != "" {
			return op, kith.Errorf(kith.Invalid, "cannot use --num-units or --to with subordinate application").
				WithHint("a subordinate gets a unit beside each unit it is integrated with")
		}
		if len(o.constraints) > 0 {
			return op, kith.Errorf(kith.Invalid, "cannot use --constraints with subordinate application")
		}
		op.Units = 0
	}
	if _, err := readBind(o.bind, c.charm); err != nil {
		return op, err
	}
	var err error
	if op.AttachStorage, err = storageIDs(o.attach); err != nil {
		return op, err
	}
	if op.Config, err = x.deployConfig(o.config, string(app)); err != nil {
		return op, err
	}
	trust, err := takeTrust(op.Config, &op.Trust)
	op.Trust = trust != nil && *trust
	return op, err
}

// deployConfig reads the values of --config: files first, single options over them.
func (x *call) deployConfig(values []string, app string) (map[string]any, error) {
	file := func(path string) (map[string]any, error) { return x.appSettings(path, app) }
	return settings(x, values, file, func(value string) any { return value })
}

// deployError says what to do if the name is taken (CLI reference, section 7.1).
func (x *call) deployError(ctx context.Context, app kith.AppName, err error) error {
	if kith.CodeOf(err) != kith.Conflict {
		return settingsError(err) // what else can be wrong was checked before
	}
	if _, lookup := x.api.App(ctx, x.modelID(), app); lookup != nil {
		return err
	}
	return kith.Errorf(kith.Conflict, "cannot add application %q: application already exists: \n"+
		"deploy application using an alias name:\n    %s deploy <application> <alias>\n"+
		"or use remove-application to remove the existing one and try again.", app, x.program)
}

// sayDeployed tells what was deployed, on stderr.
func (x *call) sayDeployed(ctx context.Context, app kith.AppName) error {
	a, err := x.api.App(ctx, x.modelID(), app)
	if err != nil {
		return err
	}
	x.say("Located local charm %q, revision %d", a.CharmName, a.CharmRev)
	x.say("Deploying %q from local charm %q, revision %d on %s", app, a.CharmName, a.CharmRev, longBase(a.AppStatus))
	return nil
}

// longBase is an application's base with its risk: ubuntu@24.04/stable.
func longBase(a api.AppStatus) string {
	base := cmp.Or(a.Base, defaultBase)
	if !strings.Contains(base, "/") {
		base += "/stable"
	}
	return base
}
