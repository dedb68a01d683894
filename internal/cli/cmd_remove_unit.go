package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// removal are the flags of remove-unit and remove-application (CLI reference, section 7.4).
type removal struct{ force, noWait, noPrompt, dryRun, destroyStorage bool }

func (r *removal) flags(f *pflag.FlagSet) {
	f.BoolVar(&r.force, "force", false, "Remove it even if its hooks fail")
	f.BoolVar(&r.noWait, "no-wait", false, "With --force: do not give its hooks time to run")
	f.BoolVar(&r.noPrompt, "no-prompt", false, "Do not ask for confirmation")
	f.BoolVar(&r.dryRun, "dry-run", false, "Say what would be removed, and stop")
	f.BoolVar(&r.destroyStorage, "destroy-storage", false, "Delete its storage, instead of detaching it")
}

// wait is how long a forced removal lets hooks run.
func (r *removal) wait() time.Duration {
	if r.force && !r.noWait {
		return forceWait
	}
	return 0
}

func (r *removal) check() error {
	if r.noWait && !r.force {
		return usagef("--no-wait without --force not valid")
	}
	return nil
}

// removeEach previews, asks and removes, one thing after the other: what cannot
// be removed is reported and the rest goes on.
func (r *removal) removeEach(ctx context.Context, x *call, what string, names []string,
	preview func(*api.Status, string) (string, error), remove func(string) error) error {
	s, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return err
	}
	ask, err := r.asks(ctx, x)
	if err != nil {
		return err
	}
	if r.dryRun {
		x.warn("This command will perform the following actions:")
	}
	if r.dryRun || ask {
		todo, failed := x.preview(&s, what, names, preview)
		if r.dryRun || len(todo) == 0 {
			return failed
		}
		if err := x.confirm(ctx, what+" removal"); err != nil {
			return err
		}
		names = todo
		return errors.Join(failed, x.removeAll(what, names, func(name string) (string, error) { return "", remove(name) }))
	}
	return x.removeAll(what, names, func(name string) (string, error) {
		text, err := preview(&s, name)
		if err == nil {
			err = remove(name)
		}
		return text, err
	})
}

// asks reports whether the model wants a question answered before something is
// removed: while its option mode contains requires-prompts (section 1.8).
func (r *removal) asks(ctx context.Context, x *call) (bool, error) {
	if r.noPrompt || r.dryRun {
		return false, nil
	}
	mc, err := x.api.ModelConfig(ctx, x.modelID())
	if err != nil {
		return false, err
	}
	return wordSet(commaSpace(modelOption(mc, "mode")))["requires-prompts"], nil
}

// preview prints what would go, and returns what can.
func (x *call) preview(s *api.Status, what string, names []string, preview func(*api.Status, string) (string, error)) ([]string, error) {
	var todo []string
	var failed error
	for _, name := range names {
		text, err := preview(s, name)
		if err != nil {
			x.complain("removing %s %s failed: %v", what, name, err)
			failed = errFailed
			continue
		}
		x.print(text)
		todo = append(todo, name)
	}
	return todo, failed
}

func (x *call) removeAll(what string, names []string, remove func(string) (string, error)) error {
	var failed error
	for _, name := range names {
		text, err := remove(name)
		if err != nil {
			x.complain("removing %s %s failed: %v", what, name, err)
			failed = errFailed
			continue
		}
		x.print(text)
	}
	return failed
}

func removeUnitCommand() *command {
	var r removal
	var n int
	return &command{
		name: "remove-unit", args: "<unit> [...]", group: groupApp, scope: modelScope,
		summary: "Removes units from their applications",
		details: `The unit tells the relations it is in that it departs, runs its stop and remove
hooks, and is gone. With --force it is gone after a minute even if its hooks fail,
and with --no-wait at once.

Its storage is detached and keeps its data, unless --destroy-storage is given.

A subordinate unit goes with its principal, or with the last relation between
the two applications.`,
		examples: []example{
			{"remove-unit web/1 --no-prompt", "Remove a unit without being asked"},
			{"remove-unit web/1 --dry-run", "See what would be removed"},
		},
		seeAlso: []string{"add-unit", "remove-application", "resolved"},
		flags: func(f *pflag.FlagSet) {
			r.flags(f)
			f.IntVar(&n, "num-units", 0, "Accepted for Juju's sake: for Kubernetes models only")
		},
		check: func(_ *call, args []string) error {
			if n != 0 {
				return usagef("--num-units for non k8s models not valid")
			}
			if len(args) == 0 {
				return usagef("no units specified")
			}
			for _, a := range args {
				if _, err := unitArg(a); err != nil {
					return err
				}
			}
			return r.check()
		},
		complete: completeUnits,
		run: func(ctx context.Context, x *call, args []string) error {
			return r.removeEach(ctx, x, "unit", args, r.previewUnit, func(name string) error {
				_, err := x.do(ctx, core.RemoveUnits{Units: []kith.UnitName{kith.UnitName(name)}, Force: r.force, Wait: r.wait(),
					DestroyStorage: r.destroyStorage})
				return err
			})
		},
	}
}

// previewUnit says what goes when a unit goes.
func (r *removal) previewUnit(s *api.Status, name string) (string, error) {
	u := s.UnitOf(kith.UnitName(name))
	switch {
	case u == nil:
		return "", kith.Errorf(kith.NotFound, "unit %q does not exist", name)
	case u.Principal != "":
		return "", kith.Errorf(kith.Conflict,
			"unit %q is a subordinate, to remove use remove-relation. Note: this will remove all units of %q", name, u.App)
	}
	return "will remove unit " + name + "\n" + storagePreview(s, r.destroyStorage, u.Name), nil
}
