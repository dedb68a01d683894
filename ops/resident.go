package ops

import (
	"context"
	"fmt"
	"os"
	"strings"

	"kith/internal/hookwire"
)

// stay waits for event after event, until the agent hangs up, the process is asked to
// end, or an event has left it in a state that nobody knows. It returns the status of
// the last event, which is the exit status.
func (p *program) stay(ctx context.Context, socket *SocketCaller, status int) int {
	release := context.AfterFunc(ctx, socket.conn.Interrupt)
	defer release()
	for ctx.Err() == nil && !p.panicked {
		over := hookwire.Over{ContextID: socket.contextID, PID: os.Getpid(), Code: uint8(status)}
		e, err := socket.conn.Next(over)
		if err != nil {
			return status
		}
		env, err := p.become(e.Env)
		if err != nil {
			fmt.Fprintf(p.stderr, "error: %v\n", err)
			return 1
		}
		socket.contextID, socket.dir = lookup(e.Env, "JUJU_CONTEXT_ID"), env.CharmDir
		status = p.event(ctx, env, socket)
	}
	return status
}

// become makes this process look as if it had been started for an event: its
// environment is that, for what it reads itself and for the processes that it starts,
// and its working directory the charm's.
func (p *program) become(environ []string) (Env, error) {
	env, err := ParseEnv(environ)
	if err != nil {
		return env, err
	}
	os.Clearenv()
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if err := os.Setenv(name, value); err != nil {
			return env, err
		}
	}
	return env, os.Chdir(env.CharmDir)
}
