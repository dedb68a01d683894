package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

func refreshCommand() *command {
	var path, swtch, bind string
	var revision int
	storage, resources := directivesFlag{}, pairsFlag{}
	var config []string
	var force, forceUnits bool
	var trust boolFlag
	return &command{
		name: "refresh", args: "<application>", group: groupApp, scope: modelScope,
		summary: "Gives an application another version of its charm",
		details: `The units run upgrade-charm with the new version. A charm that drops an endpoint
which is in use is refused.`,
		examples: []example{{"refresh web --path ./web", "Use the charm as it is in the folder now"}},
		seeAlso:  []string{"deploy"},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&path, "path", "", "Folder or .charm file with the new version")
			f.StringVar(&swtch, "switch", "", "The same, for a charm from elsewhere")
			f.StringArrayVar(&config, "config", nil, "Option key=value, or a YAML file with options")
			f.BoolVar(&force, "force", false, "Even if a limit of the new version is exceeded, or it assumes what there is not")
			f.Var(&trust, "trust", "Set the application's trust")
			f.Lookup("trust").NoOptDefVal = "true"
			f.BoolVar(&forceUnits, "force-units", false, "Also units in error: the hook that failed runs again in the new version")
			f.Bool("force-base", false, "Accepted for Juju's sake; does nothing")
			f.Bool("force-series", false, "Accepted for Juju's sake; does nothing")
			f.Var(storage, "storage", "Storage for each unit to come: name=directive, such as data=rootfs,10G,2")
			f.Var(resources, "resource", "File for a resource of the charm: name=path")
			f.StringVar(&bind, "bind", "", "Spaces of endpoints; there is only alpha")
			for _, name := range []string{"base", "channel"} {
				f.String(name, "", "Accepted for Juju's sake; does nothing")
			}
			f.IntVar(&revision, "revision", -1, "For charms from a store; not with --path")
		},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no application specified")
			}
			if _, err := appArg(args[0]); err != nil {
				return err
			}
			switch {
			case path != "" && swtch != "":
				return usagef("--switch and --path are mutually exclusive")
			case path != "" && revision != -1:
				return usagef("--path and --revision are mutually exclusive")
			case swtch != "" && revision != -1:
				return usagef("--switch and --revision are mutually exclusive")
			}
			return atMost(1)(nil, args)
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			app := kith.AppName(args[0])
			before, err := x.api.App(ctx, x.modelID(), app)
			if err != nil {
				return whole(err)
			}
			o := refreshFlags{config: config, force: force, forceUnits: forceUnits, trust: trust.value, storage: storage.directives(), resources: resources}
			if path+swtch == "" && len(storage)+len(resources) > 0 {
				return x.refreshExtras(ctx, before, o)
			}
			if path+swtch == "" {
				return kith.Errorf(kith.Invalid, "refreshing a local charm requires either --path or --switch")
			}
			c, err := x.openCharm(path + swtch)
			if err != nil {
				return err
			}
			defer c.close()
			if swtch == "" && c.charm.Meta.Name != before.CharmName {
				return kith.Errorf(kith.Invalid, "cannot refresh %q to %q", before.CharmName, c.charm.Meta.Name)
			}
			if o.bound, err = readBind(bind, c.charm); err != nil {
				return err
			}
			if path != "" {
				if err := x.freshRevision(ctx, c); err != nil {
					return err
				}
			}
			return x.refresh(ctx, before, c, o)
		},
	}
}

// freshRevision makes a charm that the controller has already another one: "A refresh with --path
// always counts as a new revision" (CLI reference, section 7.8), with upgrade-charm and all.
func (x *call) freshRevision(ctx context.Context, c *localCharm) error {
	known, err := x.api.HasBlob(ctx, c.id)
	if err != nil || !known {
		return err
	}
	return c.another()
}

// refreshFlags are the flags of refresh that do not choose the charm.
type refreshFlags struct {
	config            []string
	force, forceUnits bool
	trust             *bool // nil: as it is
	storage           map[string]core.StorageDirective
	resources         pairsFlag
	bound             []string // endpoints that --bind names
	terse             bool     // do not say what stays as it is
}

// refresh sends the charm, makes the application use it, and changes its options.
func (x *call) refresh(ctx context.Context, before api.ShowApp, c *localCharm, o refreshFlags) error {
	app := before.Name
	set, err := x.deployConfig(o.config, string(app))
	if err != nil {
		return err
	}
	if c.id == before.CharmID && len(o.storage)+len(o.resources) > 0 {
		err = x.refreshExtras(ctx, before, o)
	} else if c.id == before.CharmID {
		x.say("charm %q: already up-to-date", c.charm.Meta.Name)
	} else {
		err = x.replaceCharm(ctx, before, c, o)
	}
	if err != nil {
		return err
	}
	if len(set) == 0 && o.trust == nil {
		return nil
	}
	op := core.SetConfig{App: app, Set: set}
	if op.Trust, err = takeTrust(set, nil); err != nil {
		return err
	}
	if o.trust != nil {
		op.Trust = o.trust
	}
	_, err = x.do(ctx, op)
	return settingsError(err)
}

// refreshExtras changes what comes with the charm, and not the charm (CLI reference, section 7.8).
func (x *call) refreshExtras(ctx context.Context, before api.ShowApp, o refreshFlags) error {
	files, err := x.sendResources(ctx, o.resources, appResourceTypes(before))
	if err != nil {
		return err
	}
	if len(files) > 0 {
		x.say("resources to be upgraded")
	}
	_, err = x.do(ctx, core.Refresh{App: before.Name, Charm: before.CharmID, Storage: o.storage, Resources: files})
	return whole(err)
}

// replaceCharm also says which endpoints have come with the charm, and which were there (section 8.4).
func (x *call) replaceCharm(ctx context.Context, before api.ShowApp, c *localCharm, o refreshFlags) error {
	if err := c.send(ctx, x); err != nil {
		return err
	}
	files, err := x.sendResources(ctx, o.resources, resourceTypes(c.charm))
	if err != nil {
		return err
	}
	op := core.Refresh{App: before.Name, Charm: c.id, Force: o.force, ForceUnits: o.forceUnits, Storage: o.storage, Resources: files}
	if _, err := x.do(ctx, op); err != nil {
		return whole(err)
	}
	after, err := x.api.App(ctx, x.modelID(), before.Name)
	if err != nil {
		return err
	}
	x.say("Added local charm %q, revision %d, to the model", after.CharmName, after.CharmRev)
	stay := x.sayNewEndpoints(before.Bindings, after.Bindings, o.bound)
	if !o.terse {
		x.sayUnchanged(stay)
	}
	return nil
}
