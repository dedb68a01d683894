package ops

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kith"
	"kith/internal/hookwire"
)

// Option changes how [Main] runs a charm.
type Option func(*settings)

type settings struct {
	localState string
	resident   bool
}

// WithLocalState keeps stored states and deferred events in a file of that name in the charm's
// folder, ".state.json" for example, instead of in the controller: see [LocalState].
func WithLocalState(name string) Option { return func(o *settings) { o.localState = name } }

// Resident declares that the charm may stay: under kith its process then lives as long as
// the unit is on its machine, and gets event after event over the agent's socket. Every
// other host starts a process for each event, as ever.
//
// The charm sees no difference, unless it looks for one: it is made anew for each event,
// by the function given to [Main], and has the event's environment and the charm's folder
// as its working directory. But package variables and goroutines live on from event to
// event under kith only, so nothing may depend on them.
//
// An error of a handler leaves the process alive. After a panic it ends, and the next
// event gets a new one, as it does when the process died between events, when the
// charm was upgraded and when the agent was started anew.
func Resident() Option { return func(o *settings) { o.resident = true } }

// Main is the main function of a charm: it gives the event the process was started
// for to the charm that the function makes, and ends the process. See [Run] for what
// happens in between.
//
// It talks to kith's agent over its socket, where there is one, and else starts hook
// tools. The exit status is 0, or 1 if a handler failed: its error, or its panic, is
// in the log of the unit then, and on the standard error of an action. In a debug session, which
// JUJU_DEBUG tells of, the log is on standard error too.
//
// On SIGTERM the context of the events ends. If the handler then returns an error the
// process ends by that signal, and the host runs the hook again.
func Main[C any](new func(*Framework) (C, error), opts ...Option) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	m := mainOf(opts, os.Stderr, func(ctx context.Context, d Dispatch) error {
		_, err := Run(ctx, d, new)
		return err
	})
	status := m.serve(ctx, os.Environ())
	terminated := ctx.Err() != nil
	stop() // from here on the signal has its usual effect
	if terminated && status != 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(time.Second) // the signal reaches us before; if not, the status will do
	}
	os.Exit(status)
}

// program is Main without the process around it.
type program struct {
	settings
	stderr io.Writer
	run    func(context.Context, Dispatch) error
	// debug: a person runs the hook in a debug session, and sees the log at once.
	debug bool
	// panicked is set once an event has left who knows what behind.
	panicked bool
}

func mainOf(opts []Option, stderr io.Writer, charmRun func(context.Context, Dispatch) error) *program {
	p := &program{stderr: stderr, run: charmRun}
	for _, opt := range opts {
		opt(&p.settings)
	}
	return p
}

// serve gives the charm the event that the environment names, and, if it stays, all that
// follow. It returns the exit status of the last.
func (p *program) serve(ctx context.Context, environ []string) int {
	env, err := ParseEnv(environ)
	if err != nil {
		fmt.Fprintf(p.stderr, "error: %v\n", err)
		return 1
	}
	p.debug = lookup(environ, "JUJU_DEBUG") != ""
	socket, ok := DialSocket(func(name string) string { return lookup(environ, name) }, env.CharmDir)
	if !ok {
		return p.event(ctx, env, ProcessCaller{})
	}
	defer func() { _ = socket.Close() }() // all answers are here
	status := p.event(ctx, env, socket)
	if p.resident && lookup(environ, hookwire.ResidentVariable) == strconv.Itoa(hookwire.ResidentVersion) {
		return p.stay(ctx, socket, status)
	}
	return status
}

// event gives the charm one event.
func (p *program) event(ctx context.Context, env Env, caller Caller) int {
	d := Dispatch{Env: env, Backend: NewToolBackend(caller)}
	if p.debug {
		d.Backend = debugged{d.Backend, p.stderr}
	}
	if p.localState != "" {
		d.State = LocalState{filepath.Join(env.CharmDir, p.localState)}
	}
	var err error
	if d.Meta, err = ReadCharmMeta(env.CharmDir); err == nil {
		err = p.guarded(func() error { return p.run(ctx, d) })
	}
	if err == nil {
		return 0
	}
	complain(d.Backend, env, p.stderr, err)
	return 1
}

// debugged writes the log to standard error as well (ops reference, section 2).
type debugged struct {
	Backend
	stderr io.Writer
}

// Log writes a record to both.
func (b debugged) Log(level, message string) error {
	fmt.Fprintf(b.stderr, "%s %s\n", level, message)
	return b.Backend.Log(level, message)
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

func lookup(environ []string, name string) string {
	for _, v := range environ {
		if k, value, _ := strings.Cut(v, "="); k == name {
			return value
		}
	}
	return ""
}

// guarded makes an error of a panic.
func (p *program) guarded(run func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.panicked = true
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return run()
}
