package cli

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"kith"
)

// downTime is how long down waits: hooks get five seconds to end and five more
// after SIGTERM, the store needs a moment, and a busy disk another.
const downTime = 30 * time.Second

func downCommand() *command {
	var force bool
	var timeout time.Duration
	return &command{
		name: "down", args: "", group: groupController, scope: homeScope,
		summary: "Stops the controller on this computer",
		details: `Hooks that are running get a moment to end; one that does not is stopped and runs
again after the next "up". Models and their data stay. With --force the process is
killed if it has not ended in time: what it had acknowledged is safe even then.`,
		examples: []example{{"down", "Stop the controller"}},
		seeAlso:  []string{"up"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&force, "force", false, "Kill the controller if it does not end in time")
			f.DurationVar(&timeout, "timeout", downTime, "How long to wait")
		},
		check: noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			d := &daemon{data: x.home.data(x.state)}
			running, err := d.running()
			if err != nil {
				return err
			}
			if !running {
				x.say("No controller is running for %s.", x.home.dir)
				return d.clean()
			}
			if err := x.down(ctx, d, force, timeout); err != nil {
				return err
			}
			x.say("kith is down.")
			return d.clean()
		},
	}
}

// down asks the controller to end and waits until its process has.
func (x *call) down(ctx context.Context, d *daemon, force bool, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := x.api.Shutdown(ctx); err != nil && ctx.Err() == nil {
		// It does not answer: it is still starting, or has gone wrong. A signal asks the same.
		if err := d.signal(syscall.SIGTERM); err != nil {
			return err
		}
	}
	err := d.awaitEnd(ctx)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if !force {
		return kith.Errorf(kith.Unavailable, "the controller%s has not ended within %s", d.pidText(), timeout).
			WithHint("'kith down --force' kills it; 'kith debug-log' shows which hook it waits for")
	}
	if err := d.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return d.awaitEnd(context.WithoutCancel(ctx))
}

// signal sends a signal to the process that has the data folder.
func (d *daemon) signal(s syscall.Signal) error {
	pid := d.pid()
	if pid <= 0 {
		return kith.Errorf(kith.Internal, "cannot tell which process has the data folder %q", d.data)
	}
	if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return kith.Errorf(kith.Forbidden, "cannot stop the controller (process %d): %v", pid, err)
	}
	return nil
}
