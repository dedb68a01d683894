package ops

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
)

// Option changes how [Main] runs a charm.
type Option func(*settings)

type settings struct{ localState string }

// WithLocalState keeps stored states and deferred events in a file in the charm's
// folder instead of in the controller: see [LocalState].
func WithLocalState(name string) Option { return func(o *settings) { o.localState = name } }

// Main is the main function of a charm: it gives the event the process was started
// for to the charm that the function makes, and ends the process. See [Run] for what
// happens in between.
//
// It talks to kith's agent over its socket, where there is one, and else starts hook
// tools. The exit status is 0, or 1 if a handler failed: its error, or its panic, is
// in the log of the unit then, and on the standard error of an action.
func Main[C any](new func(*Framework) (C, error), opts ...Option) {
	os.Exit(run(os.Environ(), os.Stderr, opts, func(ctx context.Context, d Dispatch) error {
		_, err := Run(ctx, d, new)
		return err
	}))
}

// run is Main without the process around it.
func run(environ []string, stderr io.Writer, opts []Option, charmRun func(context.Context, Dispatch) error) int {
	env, err := ParseEnv(environ)
	if err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	var o settings
	for _, opt := range opts {
		opt(&o)
	}
	caller, hangUp := findCaller(environ, env.CharmDir)
	defer hangUp()
	d := Dispatch{Env: env, Backend: NewToolBackend(caller)}
	if o.localState != "" {
		d.State = LocalState{filepath.Join(env.CharmDir, o.localState)}
	}
	if d.Meta, err = ReadCharmMeta(env.CharmDir); err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		err = guarded(func() error { return charmRun(ctx, d) })
	}
	if err == nil {
		return 0
	}
	if env.IsAction() {
		fmt.Fprintf(stderr, "error: %v\n", err)
	}
	if logged := d.Backend.Log("ERROR", err.Error()); logged != nil {
		fmt.Fprintf(stderr, "error: %v\ncannot log it: %v\n", err, logged)
	}
	return 1
}

// findCaller prefers the agent's socket to processes.
func findCaller(environ []string, dir string) (c Caller, hangUp func()) {
	socket, ok := DialSocket(func(name string) string { return lookup(environ, name) }, dir)
	if !ok {
		return ProcessCaller{}, func() {}
	}
	return socket, func() { _ = socket.Close() } // all answers are here
}

func lookup(environ []string, name string) string {
	for _, v := range environ {
		if k, value, _ := strings.Cut(v, "="); k == name {
			return value
		}
	}
	return ""
}

// guarded makes an error of a panic.
func guarded(run func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return run()
}
