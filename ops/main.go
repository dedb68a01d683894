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
	"time"

	"kith"
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
//
// On SIGTERM the context of the events ends. If the handler then returns an error the
// process ends by that signal, and the host runs the hook again.
func Main[C any](new func(*Framework) (C, error), opts ...Option) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	status := run(ctx, os.Environ(), os.Stderr, opts, func(ctx context.Context, d Dispatch) error {
		_, err := Run(ctx, d, new)
		return err
	})
	terminated := ctx.Err() != nil
	stop() // from here on the signal has its usual effect
	if terminated && status != 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(time.Second) // the signal reaches us before; if not, the status will do
	}
	os.Exit(status)
}

// run is Main without the process around it.
func run(ctx context.Context, environ []string, stderr io.Writer, opts []Option, charmRun func(context.Context, Dispatch) error) int {
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
		err = guarded(func() error { return charmRun(ctx, d) })
	}
	if err == nil {
		return 0
	}
	complain(d.Backend, env, stderr, err)
	return 1
}

// complain tells of a failed dispatch where people look.
func complain(b Backend, env Env, stderr io.Writer, err error) {
	text := err.Error()
	if hint := kith.HintOf(err); hint != "" {
		text += "\nhint: " + hint
	}
	if env.IsAction() {
		fmt.Fprintf(stderr, "error: %s\n", text)
	}
	if logged := b.Log("ERROR", text); logged != nil {
		fmt.Fprintf(stderr, "error: %s\ncannot log it: %v\n", text, logged)
	}
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
