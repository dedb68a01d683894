package cli

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"kith"
)

func upCommand() *command {
	var foreground bool
	var data string
	var etcd etcdChoice
	var h hostFlags
	return &command{
		name: "up", args: "", group: groupController, scope: homeScope,
		summary: "Starts the controller on this computer",
		details: `Starts a controller with its store, and an agent that runs units here, in one process
in the background, and returns when it answers. Nothing is listened to but a
socket in the data folder, which only its owner can open. A controller that runs
already is left alone.

The data is in KITH_HOME/controller, or in --data DIR. With --etcd the store is an
etcd cluster instead of the one inside the process, and stays there until another
--etcd is given; "embedded" goes back. The certificates are remembered with it. A
user and a password are taken from KITH_ETCD_USER and KITH_ETCD_PASSWORD, at every
start: the password is written nowhere. KITH_ETCD_CACERT, KITH_ETCD_CERT and
KITH_ETCD_KEY stand for the flags.`,
		examples: []example{
			{"up", "Start a controller"},
			{"up --foreground", "Run it in this terminal until Ctrl-C"},
			{"up --etcd https://a:2379,https://b:2379,https://c:2379", "Keep the data in an etcd cluster"},
			{"up --etcd https://a:2379 --etcd-cacert ca.pem --etcd-cert me.pem --etcd-key me.key", "In one that asks for certificates"},
		},
		seeAlso: []string{"down", "controllers", "add-model"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&foreground, "foreground", false, "Run in this process, until it is interrupted")
			f.StringVar(&data, "data", "", "Data folder (KITH_HOME/controller)")
			etcd.declare(f)
			h.declare(f)
		},
		check: noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			if err := h.complete(); err != nil {
				return err
			}
			d := &daemon{data: x.home.data(x.state), home: x.home, more: h.args()}
			if err := d.choose(x, data, etcd); err != nil {
				return err
			}
			if foreground {
				return x.foreground(ctx, d, h)
			}
			return x.up(ctx, d)
		},
	}
}

// choose decides which data folder the controller works on and where its store is, and
// makes the folder.
func (d *daemon) choose(x *call, data string, etcd etcdChoice) error {
	if data != "" {
		abs, err := filepath.Abs(data)
		if err != nil {
			return err
		}
		if err := d.leave(abs); err != nil {
			return err
		}
		d.data = abs
	}
	if err := d.prepare(); err != nil {
		return err
	}
	old, err := d.remembered()
	if err != nil {
		return err
	}
	d.etcd = etcd
	return d.etcd.complete(x.getenv, old)
}

// leave refuses to go from a data folder to another while a controller runs on it: no
// command would reach it any more.
func (d *daemon) leave(data string) error {
	if data == d.data {
		return nil
	}
	running, err := d.running()
	if err == nil && running {
		err = kith.Errorf(kith.Conflict, "cannot use data folder %q: the controller of this home%s is running on %q", data, d.pidText(), d.data).
			WithHint("stop it with 'kith down', or give the new one a home of its own: KITH_HOME=DIR kith up")
	}
	return err
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
		if err := d.checkStore(); err != nil {
			return err
		}
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

// checkStore refuses to take a controller for the one that was asked for if its data is elsewhere.
func (d *daemon) checkStore() error {
	old, err := d.remembered()
	if err != nil || slices.Equal(old.urls, d.etcd.urls) {
		return err
	}
	return kith.Errorf(kith.Conflict, "cannot use %s: the controller%s is running with %s", d.etcd.where(), d.pidText(), old.where()).
		WithHint("stop it with 'kith down' first; models do not move from one store to the other")
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
