// Command gocharm is the charm in Go of the agent's tests: a program of its own, because a test
// binary with the race detector in it takes a second to start.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"kith"
	"kith/ops"
)

// What its dispatch may give it as an argument.
const (
	shelfCharm = "shelf" // to be another charm: see newShelfCharm
	quietCharm = "quiet" // to say nothing that differs from process to process
)

func main() {
	if slices.Contains(os.Args, shelfCharm) {
		ops.Main(newShelfCharm, ops.Resident())
	}
	ops.Main(newChainCharm, ops.Resident())
}

// chainCharm passes what it is told along a chain of relations, counts, and misbehaves
// when the option "do" says so.
type chainCharm struct {
	f     *ops.Framework
	model *ops.Model
	kept  struct{ Events int }
}

func newChainCharm(f *ops.Framework) (*chainCharm, error) {
	c := &chainCharm{f: f, model: f.Model()}
	if err := f.StoredState("chain", &c.kept); err != nil {
		return nil, err
	}
	f.Observe(
		ops.OnReconcile(c.reconcile),
		ops.OnAction("act", c.act),
		ops.OnConfigChanged(c.changed),
		ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			if e.Unit == "" {
				return nil
			}
			heard, err := e.Relation.Data(e.Unit).Get("say")
			e.Logger().Info("heard", "from", e.Unit, "what", heard)
			return err
		}).Named("heard"),
		ops.OnUpgradeCharm(func(e *ops.UpgradeCharmEvent) error { return e.Defer() }).Named("upgraded"),
	)
	return c, nil
}

// reconcile writes to every databag that is its own.
func (c *chainCharm) reconcile(e *ops.ReconcileEvent) error {
	c.kept.Events++
	config, err := c.model.Config()
	if err != nil {
		return err
	}
	if quiet := slices.Contains(os.Args, quietCharm); quiet {
		fmt.Printf("%s %s\n", os.Getenv("JUJU_HOOK_NAME"), c.f.Env().Name())
	} else {
		fmt.Printf("pid %d %s %s\n", os.Getpid(), os.Getenv("JUJU_HOOK_NAME"), c.f.Env().Name())
	}
	say := fmt.Sprint(config["x"])
	for _, endpoint := range []kith.EndpointName{"up", "db", "cluster"} {
		if err := c.publish(endpoint, say); err != nil {
			return err
		}
	}
	return c.model.Unit().SetStatus(ops.ActiveStatus(fmt.Sprintf("%s after %d", say, c.kept.Events)))
}

func (c *chainCharm) publish(endpoint kith.EndpointName, say string) error {
	relations, err := c.model.Relations(endpoint)
	if err != nil {
		return err
	}
	leads, err := c.model.Unit().IsLeader()
	if err != nil {
		return err
	}
	for _, r := range relations {
		if err := r.Data(c.model.Unit()).Update(map[string]string{"say": say, "events": strconv.Itoa(len(r.Units))}); err != nil {
			return err
		}
		if leads {
			if err := r.Data(c.model.App()).Set("say", say); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *chainCharm) changed(e *ops.ConfigChangedEvent) error { return c.misbehave(e.Context(), "") }

// misbehave does what the option "do" says, if it says it with what stands before it in an action.
func (c *chainCharm) misbehave(ctx context.Context, in string) error {
	config, err := c.model.Config()
	if err != nil {
		return err
	}
	_, before := os.LookupEnv("KITH_TEST_LEFT")
	_ = os.Setenv("KITH_TEST_LEFT", "1")
	if before {
		return errors.New("a variable of the event before is still there")
	}
	do, here := strings.CutPrefix(fmt.Sprint(config["do"]), in)
	if !here {
		return nil
	}
	switch do {
	case "fail":
		return errors.New("told to fail")
	case "panic":
		panic("told to panic")
	case "exit":
		os.Exit(3)
	case "leave":
		os.Exit(0)
	case "kill":
		if c.once() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	case "term":
		if c.once() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
			<-ctx.Done()
			return ctx.Err()
		}
	case "reboot-now":
		if c.once() {
			return c.model.Unit().Reboot(true)
		}
	case "reboot":
		if c.once() {
			return c.model.Unit().Reboot(false)
		}
	case "partial":
		fmt.Print("no newline at the end")
	case "child":
		out, err := exec.CommandContext(ctx, "config-get", "x").CombinedOutput()
		dir, _ := os.Getwd()
		fmt.Printf("child %s in %v %v\n", strings.TrimSpace(string(out)), dir == c.f.Env().CharmDir, err)
		_ = os.Chdir("/")
	case "wait":
		_ = os.WriteFile("../waiting", nil, 0o600)
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// once is true the first time that it is asked of this unit, whatever became of the hook.
func (c *chainCharm) once() bool {
	f, err := os.OpenFile("../once", os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

func (c *chainCharm) act(e *ops.ActionEvent) error {
	if quiet := slices.Contains(os.Args, quietCharm); !quiet {
		fmt.Printf("out of %d\n", os.Getpid())
	}
	fmt.Fprintln(os.Stderr, "err")
	if err := c.misbehave(e.Context(), "act-"); err != nil {
		return err
	}
	return e.SetResults(map[string]any{"events": strconv.Itoa(c.kept.Events)})
}
