package agent

import (
	"context"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"kith/internal/api"
)

// drainTime is how long the agent reads on after the process has ended, for what
// it wrote last. A daemon that keeps the pipe open does not hold the hook (hook
// protocol reference, section 3.3).
const drainTime = 100 * time.Millisecond

// process is one charm process to run.
type process struct {
	path  string
	args  []string // after path
	dir   string
	env   []string
	out   *output
	spawn spawner
	// stdout and stderr, if set, get what the process prints beside the log.
	stdout, stderr io.Writer
	// kill, once closed, has the process killed at once.
	kill <-chan struct{}
	// started, if set, is called with the process id once it runs.
	started func(pid int)
	// grace is how long the process has, after it was asked to end, until it is killed.
	grace time.Duration
}

// run starts the process, logs what it prints and waits for its end. When ctx
// ends the process is terminated with all of its group.
//
// Juju: the process alone, its children live on (section 3.2). Here the agent is
// stopped and started many times a day, and what a half-run hook left behind
// would meet the hook that runs again. Daemons of hooks that have ended are in
// groups of their own, and stay.
func (p process) run(ctx context.Context) (*os.ProcessState, error) {
	pipes, err := openPipes()
	if err != nil {
		return nil, err
	}
	proc, err := p.spawn.start(append([]string{p.path}, p.args...), p.dir, p.env, []*os.File{pipes.null, pipes.stdout.w, pipes.stderr.w})
	pipes.closeWriters()
	if err != nil {
		pipes.closeReaders()
		return nil, err
	}
	if p.started != nil {
		p.started(proc.Pid)
	}
	var readers sync.WaitGroup
	readers.Go(func() { _ = p.out.read(tee(pipes.stdout.r, p.stdout), api.LevelDebug) }) // ends at the deadline, if not before
	readers.Go(func() { _ = p.out.read(tee(pipes.stderr.r, p.stderr), api.LevelWarning) })

	unwatch := p.terminateAfter(ctx, proc)
	state, err := proc.Wait()
	unwatch()
	deadline := time.Now().Add(drainTime)
	_ = pipes.stdout.r.SetReadDeadline(deadline) // pipes support it
	_ = pipes.stderr.r.SetReadDeadline(deadline)
	readers.Wait()
	pipes.closeReaders()
	return state, err
}

func tee(r io.Reader, w io.Writer) io.Reader {
	if w == nil {
		return r
	}
	return io.TeeReader(r, w)
}

// terminateAfter ends the process when ctx does: politely, then by force; and when
// kill is closed, by force. The
// function it returns stops watching, and waits until that has stopped.
func (p process) terminateAfter(ctx context.Context, proc *os.Process) func() {
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		select {
		case <-ended:
			return
		case <-p.kill:
			_ = syscall.Kill(-proc.Pid, syscall.SIGKILL) // it may have ended meanwhile
			return
		case <-ctx.Done():
		}
		_ = syscall.Kill(-proc.Pid, syscall.SIGTERM) // they may have ended meanwhile
		kill := time.NewTimer(p.grace)
		defer kill.Stop()
		select {
		case <-ended:
		case <-kill.C:
			_ = syscall.Kill(-proc.Pid, syscall.SIGKILL)
		}
	})
	return func() { close(ended); watcher.Wait() }
}

// wasTerminated reports whether the process was ended from outside: Juju then
// runs the hook again and calls it no error (section 3.4).
func wasTerminated(s *os.ProcessState) bool {
	ws, ok := s.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && (ws.Signal() == syscall.SIGTERM || ws.Signal() == syscall.SIGKILL)
}

// pipes are the three standard streams of a process.
type pipes struct {
	null           *os.File
	stdout, stderr pipe
}

type pipe struct{ r, w *os.File }

func openPipes() (*pipes, error) {
	var p pipes
	var err error
	if p.null, err = os.Open(os.DevNull); err != nil {
		return nil, err
	}
	if p.stdout.r, p.stdout.w, err = os.Pipe(); err != nil {
		p.closeWriters()
		return nil, err
	}
	if p.stderr.r, p.stderr.w, err = os.Pipe(); err != nil {
		p.closeWriters()
		p.closeReaders()
		return nil, err
	}
	return &p, nil
}

// closeWriters closes what only the process needs. Closing a nil file is a
// harmless error, and so is every other here: nothing was written.
func (p *pipes) closeWriters() {
	_, _, _ = p.null.Close(), p.stdout.w.Close(), p.stderr.w.Close()
}

func (p *pipes) closeReaders() { _, _ = p.stdout.r.Close(), p.stderr.r.Close() }
