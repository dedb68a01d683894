package cli

import (
	"context"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// devFlags are the flags of dev.
type devFlags struct {
	deploy *deployFlags
	log    debugLogFlags
	app    string
}

func devCommand() *command {
	o := devFlags{deploy: newDeployFlags()}
	return &command{
		name: "dev", args: "[<folder>]", group: groupApp, scope: modelScope,
		summary: "Deploys a charm's folder, and refreshes it whenever a file is saved",
		details: `The folder is the current one unless it is given. If the application is not there
it is deployed, else refreshed. From then on every change of a file that belongs to
the charm refreshes it: the units run upgrade-charm and config-changed. A hook that
has failed runs again at once, in what was just saved. The log of the application's
units is shown meanwhile.

Ctrl-C stops watching. The application stays.`,
		examples: []example{
			{"dev", "Work on the charm in the current folder"},
			{"dev ./web --app shop --config port=8080", "Under another name, with configuration"},
		},
		seeAlso: []string{"deploy", "refresh", "debug-log", "init"},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&o.app, "app", "", "Name of the application; the charm's name if it is not given")
			f.IntVarP(&o.deploy.units, "num-units", "n", 1, "Number of units, if it is deployed")
			f.StringArrayVar(&o.deploy.config, "config", nil, "Option key=value, or a YAML file with options, if it is deployed")
			f.BoolVar(&o.deploy.trust, "trust", false, "Set the application's trust, if it is deployed")
			f.Var(o.deploy.storage, "storage", "Storage for each unit, if it is deployed: name=directive")
			f.Var(o.deploy.resources, "resource", "File for a resource of the charm, if it is deployed: name=path")
			f.StringVarP(&o.log.level, "level", "l", "", "Show only log records of this level and more severe ones")
			o.deploy.unitsGiven = func() bool { return f.Changed("num-units") }
			o.log.noFlags()
		},
		check: o.check,
		run:   o.run,
	}
}

// noFlags stands for flags that debug-log has and the command does not.
func (o *debugLogFlags) noFlags() {
	never := func() bool { return false }
	o.limitSet, o.linesSet = never, never
}

func (o *devFlags) check(x *call, args []string) error {
	if o.app != "" {
		if _, err := kith.ParseAppName(o.app); err != nil {
			return &usageError{err}
		}
	}
	if o.deploy.units < 0 {
		return usagef("--num-units must be a positive integer")
	}
	if err := o.log.check(x, nil); err != nil {
		return err
	}
	return atMost(1)(nil, args)
}

func (o *devFlags) run(ctx context.Context, x *call, args []string) error {
	d := dev{call: x, dir: "."}
	if len(args) > 0 {
		d.dir = args[0]
	}
	watch, err := watchFolder(d.dir)
	if err != nil {
		return err
	}
	defer watch.close()
	// Hooks may have run before anybody follows the log: it is shown from here on.
	o.log.since = time.Now()
	if err := d.start(ctx, o); err != nil {
		return err
	}
	return d.loop(ctx, o, watch)
}

// devLog bounds what hooks may have logged between the deployment and the moment the log is followed.
const devLog = 1000

// dev is a charm that is being worked on.
type dev struct {
	*call
	dir string
	app kith.AppName
	id  string // of the charm as it was sent last
}

// start deploys the application, or refreshes it.
func (d *dev) start(ctx context.Context, o *devFlags) error {
	c, err := d.openCharm(d.dir)
	if err != nil {
		return err
	}
	defer c.close()
	if d.app = kith.AppName(o.app); o.app == "" {
		if d.app, err = kith.ParseAppName(c.charm.Meta.Name); err != nil {
			return &usageError{err}
		}
	}
	before, err := d.api.App(ctx, d.modelID(), d.app)
	if err == nil {
		return d.refreshed(ctx, before, c)
	}
	if kith.CodeOf(err) != kith.NotFound {
		return err
	}
	op, err := o.deploy.op(d.call, d.app, c)
	if err != nil {
		return err
	}
	if op.Resources, err = d.sendResources(ctx, o.deploy.resources, resourceTypes(c.charm)); err != nil {
		return err
	}
	if err := c.send(ctx, d.call); err != nil {
		return err
	}
	if _, err := d.do(ctx, op); err != nil {
		return d.deployError(ctx, d.app, err)
	}
	d.id = c.id
	return d.sayDeployed(ctx, d.app)
}

// loop refreshes after every change, and shows the log, until ctx ends.
func (d *dev) loop(ctx context.Context, o *devFlags, watch *folderWatch) error {
	var logging sync.WaitGroup
	defer logging.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	logErr := make(chan error, 1)
	logging.Go(func() {
		o.log.filter.Include = []string{string(d.app)}
		logErr <- o.log.read(ctx, d.call, d.out, api.LogQuery{LogFilter: o.log.filter, Last: devLog, Follow: true}, d.outColor)
	})
	d.say("Watching %s; Ctrl-C stops", d.dir)
	for {
		select {
		case <-ctx.Done():
			d.say("\nStopped watching. Application %q stays: %s remove-application %s", d.app, d.program, d.app)
			return nil
		case err := <-logErr:
			if ctx.Err() == nil && err != nil {
				return err
			}
			logErr = nil
		case err := <-watch.failed:
			return err
		case <-watch.changed:
			if err := d.again(ctx); err != nil && ctx.Err() == nil {
				if kith.CodeOf(err) == kith.Unavailable {
					return err
				}
				d.complain("%v", err) // half-written files are what authors save all day
			}
		}
	}
}

// again sends the folder as it is now, if it is not as it was.
func (d *dev) again(ctx context.Context) error {
	begin := time.Now()
	c, err := d.openCharm(d.dir)
	if err != nil {
		return err
	}
	defer c.close()
	if c.id == d.id {
		return nil
	}
	before, err := d.api.App(ctx, d.modelID(), d.app)
	if err != nil {
		return whole(err)
	}
	if err := d.refreshed(ctx, before, c); err != nil {
		return err
	}
	d.say("Refreshed %q in %s", d.app, time.Since(begin).Round(time.Millisecond))
	return nil
}

// refreshed makes the application use c, and runs failed hooks again.
func (d *dev) refreshed(ctx context.Context, before api.ShowApp, c *localCharm) error {
	if err := d.refresh(ctx, before, c, refreshFlags{forceUnits: true, terse: true}); err != nil {
		return err
	}
	d.id = c.id
	status, err := d.api.Status(ctx, d.modelID())
	if err != nil {
		return err
	}
	var failed []kith.UnitName
	for _, u := range status.Units {
		if u.App == d.app && u.Workload.Current == kith.Errored {
			failed = append(failed, u.Name)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	_, err = d.do(ctx, core.Resolved{Units: failed})
	if kith.CodeOf(err) == kith.Conflict || kith.CodeOf(err) == kith.Invalid {
		return nil // it runs again already
	}
	return err
}
