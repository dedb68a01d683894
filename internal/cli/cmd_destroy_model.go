package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/client"
	"kith/internal/core"
)

func destroyModelCommand() *command {
	var noPrompt, force, noWait, destroyStorage, releaseStorage bool
	var timeout time.Duration
	return &command{
		name: "destroy-model", args: "[<controller name>:]<model name>", group: groupModel, scope: argumentScope,
		summary: "Removes a model and everything in it",
		details: `Every application ends as if it had been removed; the command waits until the model is
gone. With --force units are taken away at once and none of their hooks run.

A model that has storage is destroyed only if it is said what becomes of that.`,
		examples: []example{
			{"destroy-model demo --no-prompt", "Remove a model without being asked"},
			{"destroy-model demo --no-prompt --force", "Even if hooks fail"},
			{"destroy-model demo --no-prompt --destroy-storage", "With all data"},
		},
		seeAlso: []string{"add-model", "remove-application"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&noPrompt, "no-prompt", false, "Do not ask for confirmation")
			f.BoolVar(&force, "force", false, "Even if hooks fail")
			f.BoolVar(&noWait, "no-wait", false, "With --force: do not give hooks time to run")
			f.BoolVar(&destroyStorage, "destroy-storage", false, "Delete its storage")
			f.BoolVar(&releaseStorage, "release-storage", false, "Leave the data of its storage where it is")
			f.DurationVarP(&timeout, "timeout", "t", -time.Second, "With --force: how long to wait")
		},
		check: func(_ *call, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("no model specified")
			case destroyStorage && releaseStorage:
				return usagef("--destroy-storage and --release-storage cannot both be specified")
			case timeout >= 0 && !force:
				return usagef("--timeout can only be used with --force (dangerous)")
			}
			return atMost(1)(nil, args)
		},
		complete: firstArg(completeModels),
		run: func(ctx context.Context, x *call, args []string) error {
			if noWait && !force {
				return kith.Errorf(kith.Invalid, "--no-wait without --force not valid")
			}
			ref, err := x.chosen(args[0])
			if err != nil {
				return err
			}
			if x.target, err = x.findModel(ctx, ref); err != nil {
				return err
			}
			if !noPrompt {
				if err := x.confirmDestroy(ctx, releaseStorage); err != nil {
					return err
				}
			}
			return x.destroy(ctx, core.DestroyModel{Force: force, DestroyStorage: destroyStorage, ReleaseStorage: releaseStorage}, timeout)
		},
	}
}

// confirmDestroy says what will go and has the name typed (CLI reference, section 12.4).
func (x *call) confirmDestroy(ctx context.Context, release bool) error {
	s, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return err
	}
	x.warn("This command will destroy the %q model and affect the following resources. It cannot be stopped.", x.target.Name)
	fmt.Fprintf(x.err, " - %s will be destroyed\n", plural(len(s.Machines), "machine"))
	if len(s.Machines) > 0 {
		names := make([]string, len(s.Machines))
		for i, m := range s.Machines {
			names[i] = fmt.Sprintf("%q", m.ID)
		}
		fmt.Fprintf(x.err, "  - machine list: %s\n", strings.Join(names, " "))
	}
	fmt.Fprintf(x.err, " - %s will be removed\n", plural(len(s.Apps), "application"))
	if len(s.Apps) > 0 {
		names := make([]string, len(s.Apps))
		for i, a := range s.Apps {
			names[i] = fmt.Sprintf("%q", a.Name)
		}
		fmt.Fprintf(x.err, "  - application list: %s\n", strings.Join(names, " "))
	}
	fate := "destroyed"
	if release {
		fate = "released"
	}
	fmt.Fprintf(x.err, " - %d filesystem and 0 volume will be %s\n", len(s.Storage), fate)
	return x.confirmName(ctx, x.target.Name, "model destruction")
}

// destroy removes the model, waits until it is gone, and forgets it.
func (x *call) destroy(ctx context.Context, op core.DestroyModel, timeout time.Duration) error {
	x.say("Destroying model")
	name := x.target.Owner + "/" + x.target.Name
	if _, err := x.do(ctx, op); err != nil && kith.CodeOf(err) != kith.NotFound {
		return err
	}
	if timeout >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, errStillThere(x.target.Name))
		defer cancel()
	}
	if err := x.awaitGone(ctx); err != nil {
		return err
	}
	x.say("\nModel destroyed.")
	return x.home.update(func(s *state) {
		if s.CurrentModel == name {
			s.CurrentModel = ""
		}
		if s.PreviousModel == name {
			s.PreviousModel = ""
		}
	})
}

func errStillThere(model string) error {
	return kith.Errorf(kith.Unavailable, "timed out waiting for model %q to be removed", model).
		WithHint("'kith settle -m %s --timeout 0s' says what it waits for", model)
}

// awaitGone follows the model until it is no more.
func (x *call) awaitGone(ctx context.Context) error {
	x.say("\nWaiting for model to be removed, %d machine(s), %d application(s)...", x.target.Machines, x.target.Apps)
	for {
		err := x.watchGone(ctx)
		switch {
		case err == nil || kith.CodeOf(err) == kith.NotFound:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !client.IsResync(err):
			return err
		}
	}
}

func (x *call) watchGone(ctx context.Context) error {
	for e, err := range x.api.Watch(ctx, x.modelID(), false) {
		if err != nil {
			return err
		}
		if e.Removed {
			return nil
		}
	}
	return nil
}
