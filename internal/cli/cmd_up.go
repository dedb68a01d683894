package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/pflag"

	"kith"
)

func upCommand() *command {
	var foreground bool
	var data string
	var etcd []string
	var h hostFlags
	var etcdGiven func() bool
	return &command{
		name: "up", args: "", group: groupController, scope: homeScope,
		summary: "Starts the controller on this computer",
		details: `Starts a controller with its store, and an agent that runs units here, in one process
in the background, and returns when it answers. Nothing is listened to but a
socket in the data folder, which only its owner can open. A controller that runs
already is left alone.

The data is in KITH_HOME/controller, or in --data DIR. With --etcd the store is an
etcd cluster instead of the one inside the process, and stays there until another
--etcd is given; "embedded" goes back. KITH_ETCD_USER, KITH_ETCD_PASSWORD,
KITH_ETCD_CACERT, KITH_ETCD_CERT and KITH_ETCD_KEY say how to log in there.`,
		examples: []example{
			{"up", "Start a controller"},
			{"up --foreground", "Run it in this terminal until Ctrl-C"},
			{"up --etcd https://a:2379,https://b:2379,https://c:2379", "Keep the data in an etcd cluster"},
		},
		seeAlso: []string{"down", "controllers", "add-model"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&foreground, "foreground", false, "Run in this process, until it is interrupted")
			f.StringVar(&data, "data", "", "Data folder (KITH_HOME/controller)")
			f.StringSliceVar(&etcd, "etcd", nil, "URLs of an etcd cluster to keep the data in: URL[,URL...], or embedded")
			etcdGiven = func() bool { return f.Changed("etcd") }
			h.declare(f)
		},
		check: noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			d := &daemon{data: x.home.data(x.state), more: h.args()}
			if data != "" {
				abs, err := filepath.Abs(data)
				if err != nil {
					return err
				}
				d.data = abs
			}
			if err := d.prepare(); err != nil {
				return err
			}
			if err := d.chooseStore(etcd, etcdGiven()); err != nil {
				return err
			}
			if foreground {
				return x.foreground(ctx, d, h)
			}
			return x.up(ctx, d)
		},
	}
}

// up starts the controller in the background, unless it runs. Of several that do
// this at the same time one starts it and the others find it running.
func (x *call) up(ctx context.Context, d *daemon) error {
	unlock, err := lockFile(filepath.Join(d.data, "up.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	if err := x.remember(d); err != nil {
		return err
	}
	running, err := d.running()
	if err != nil {
		return err
	}
	if running {
		x.say("kith is already running%s: %s", d.pidText(), d.socket())
		return nil
	}
	n, err := d.start(ctx)
	if err != nil {
		return err
	}
	x.say("kith is up (process %d): %s", n.PID, d.socket())
	if x.state.CurrentModel == "" {
		x.say("Now make a model to work in: %s add-model demo", x.program)
	}
	return nil
}

// remember makes the client find the controller of that data folder.
func (x *call) remember(d *daemon) error {
	return x.home.update(func(s *state) {
		s.Data = ""
		if d.data != x.home.data(*s) {
			s.Data = d.data
		}
	})
}

// foreground runs the controller in this process until ctx ends.
func (x *call) foreground(ctx context.Context, d *daemon, h hostFlags) error {
	err := x.remember(d)
	if err == nil {
		err = x.host(ctx, d, h)
	}
	if err != nil {
		e := kith.Errorf(kith.CodeOf(err), "%v", err)
		if hint := kith.HintOf(err); hint != "" {
			e = e.WithHint("%s", hint)
		}
		if told := announce(x.getenv, news{Error: e}); told != nil {
			return told
		}
	}
	return err
}
