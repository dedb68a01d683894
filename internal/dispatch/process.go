package dispatch

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"kith/internal/api"
)

// drainTime is how long we read on after the process has ended, for what it wrote
// last. A daemon that keeps the pipe open does not hold the hook (hook protocol
// reference, section 3.3).
const drainTime = 100 * time.Millisecond

// process is one process of a charm.
type process struct {
	proc           *os.Process
	stdout, stderr *stream
	// exited is closed when it has ended; then state and err say how.
	exited chan struct{}
	state  *os.ProcessState
	err    error
}

// start starts the process of an event, and begins to read what it prints.
func start(e Event) (*process, error) {
	pipes, err := openPipes()
	if err != nil {
		return nil, err
	}
	p := &process{stdout: &stream{file: pipes.stdout.r}, stderr: &stream{file: pipes.stderr.r}, exited: make(chan struct{})}
	argv := append([]string{e.Script.Path}, e.Script.Args...)
	started := make(chan error)
	go func() { // whoever has started it waits for exited
		runtime.LockOSThread() // see startGroup
		defer runtime.UnlockOSThread()
		var err error
		p.proc, err = startGroup(argv, e.Dir, e.Env, []*os.File{pipes.null, pipes.stdout.w, pipes.stderr.w})
		started <- err
		if err == nil {
			p.state, p.err = p.proc.Wait()
			close(p.exited)
		}
	}()
	err = <-started
	pipes.closeWriters()
	if err != nil {
		pipes.closeReaders()
		return nil, explainStart(argv[0], err)
	}
	p.readFor(e)
	return p, nil
}

// readFor has what the process prints from now on go where the event says.
func (p *process) readFor(e Event) {
	p.stdout.read(e.Output, api.LevelDebug, e.Stdout)
	p.stderr.read(e.Output, api.LevelWarning, e.Stderr)
}

// readAll returns when all that was printed so far has been passed on.
func (p *process) readAll() {
	p.stdout.stop(time.Now())
	p.stderr.stop(time.Now())
}

// finish passes on the last words of a process that has ended, and frees what it held.
func (p *process) finish() {
	deadline := time.Now().Add(drainTime)
	p.stdout.stop(deadline)
	p.stderr.stop(deadline)
	_, _ = p.stdout.file.Close(), p.stderr.file.Close() // they were read
}

// hasExited reports whether the process is known to have ended.
func (p *process) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// signal sends a signal to all of the process's group.
//
// Juju: to the process alone, its children live on (section 3.2). Here the agent is
// stopped and started many times a day, and what a half-run hook left behind
// would meet the hook that runs again. Daemons of hooks that have ended are in
// groups of their own, and stay.
func (p *process) signal(s syscall.Signal) {
	if !p.hasExited() {
		_ = syscall.Kill(-p.proc.Pid, s) // it may have ended meanwhile
	}
}

// wasTerminated reports whether the process was ended from outside: Juju then
// runs the hook again and calls it no error (section 3.4).
func wasTerminated(s *os.ProcessState) bool {
	ws, ok := s.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && (ws.Signal() == syscall.SIGTERM || ws.Signal() == syscall.SIGKILL)
}

// stream is one of the two streams that a process prints to. It is read all the
// time, so that no process waits for us; where to changes from event to event.
type stream struct {
	file    *os.File
	reading sync.WaitGroup
}

// read passes on what comes, to a log and to w if that is set, until stop.
func (s *stream) read(to *Output, level api.Level, w writer) {
	_ = s.file.SetReadDeadline(time.Time{}) // pipes support it
	s.reading.Go(func() { _ = to.read(&tee{file: s.file, w: w}, level) })
}

// stop ends reading, at the deadline unless the stream ends before, but not before
// everything that is in the pipe has been passed on.
func (s *stream) stop(deadline time.Time) {
	_ = s.file.SetReadDeadline(deadline)
	s.reading.Wait()
}

type writer interface{ Write([]byte) (int, error) }

// tee reads a pipe. At its deadline it goes on as long as there is something in it.
type tee struct {
	file    *os.File
	w       writer
	drained int // bytes read beyond the deadline
}

// maxDrain bounds what is read beyond the deadline: a pipe is full by then, and who
// fills it faster than it is read does not get to hold us.
const maxDrain = 1 << 20

func (t *tee) Read(buf []byte) (int, error) {
	n, err := t.file.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) && t.drained < maxDrain {
		n, err = readNow(t.file, buf)
		t.drained += n
	}
	if n > 0 && t.w != nil {
		_, _ = t.w.Write(buf[:n]) // it keeps what it can
	}
	return n, err
}

// readNow reads what there is in a pipe; [os.ErrDeadlineExceeded] if there is nothing.
func readNow(f *os.File, buf []byte) (n int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { n, failed = syscall.Read(int(fd), buf) })
	if err != nil {
		return 0, err
	}
	if failed != nil || n <= 0 { // empty, or at its end
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
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
