package dispatch

import (
	"context"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"kith/internal/hookwire"
)

// Event is one event of a unit, as a process gets it.
type Event struct {
	Script Script
	Dir    string   // the working directory
	Env    []string // complete, as NAME=value
	// Tools serves the event's tools; nil if it has none.
	Tools *Tools
	// Stay says that the process may stay, and that one that has stayed gets the event.
	// Env has offered it then: [Places.Stay].
	Stay   bool
	Output *Output
	// Stdout and Stderr, if set, get what is printed beside the log.
	Stdout, Stderr io.Writer
	// Kill, once closed, has the process killed at once.
	Kill <-chan struct{}
	// Started, if set, is called when a process has the event: the new one runs, or the one
	// that has stayed is being told. It is called again if that turns out to be dead.
	Started func()
}

func (e *Event) started() {
	if e.Started != nil {
		e.Started()
	}
}

// Exit is how an event ended.
type Exit struct {
	Code int    // the exit status; -1 if a signal ended the process
	Text string // as the log has it: "exit status 1", "signal: killed"
	// Terminated says that the process was ended from outside, by SIGTERM or SIGKILL: Juju
	// then runs the hook again and calls it no error (hook protocol reference, section 3.4).
	Terminated bool
}

// Success reports whether the event ended well.
func (e Exit) Success() bool { return e.Code == 0 }

func exitOf(s *os.ProcessState) Exit {
	if s == nil { // nobody can say
		return Exit{Code: -1, Text: "unknown"}
	}
	return Exit{Code: s.ExitCode(), Text: s.String(), Terminated: wasTerminated(s)}
}

// said is the end of an event by the word of a process that stays.
func said(code uint8) Exit {
	return Exit{Code: int(code), Text: "exit status " + strconv.Itoa(int(code))}
}

// Runner runs the events of one unit, one after the other. It keeps the process of a
// charm that stays (docs/design/resident.md). It is not safe for concurrent use.
type Runner struct {
	// Grace is how long a process has, after it was asked to end, until it is killed.
	Grace time.Duration
	// Between makes what gets the output of a process between events.
	Between func() *Output
	// Note, if set, is told of the process that runs, or stays, with 0 once it has ended.
	// Events that cannot stay are not told of if a process stays.
	Note func(pid int)
	// Lost, if set, is told how a process ended that had stayed and was not asked to end.
	Lost func(how string)

	resident *resident
}

// resident is a process that has stayed, between two events.
type resident struct {
	*process
	conn   net.Conn
	script Script
	idle   *Output
}

// Run runs an event to its end. When ctx ends the process is terminated, with all of its
// group. Errors: those of starting a process.
func (r *Runner) Run(ctx context.Context, e Event) (Exit, error) {
	if e.Stay && r.resident != nil {
		if exit, begun := r.deliver(ctx, e); begun {
			return exit, nil
		}
	}
	p, err := start(e)
	if err != nil {
		return Exit{}, err
	}
	e.started()
	noted := r.Note != nil && (e.Stay || r.resident == nil)
	if noted {
		r.Note(p.proc.Pid)
	}
	exit, stays := r.first(ctx, p, e)
	if stays {
		return exit, nil
	}
	if noted {
		r.Note(0)
	}
	return exit, p.err
}

// first attends to a process from its start to the end of its event. It reports whether
// the process stays.
func (r *Runner) first(ctx context.Context, p *process, e Event) (Exit, bool) {
	over := make(chan end, 1)
	done := make(chan struct{})
	watching := make(chan struct{})
	var kept stay
	go func() { // ends with done, below
		defer close(watching)
		if e.Tools == nil {
			return
		}
		for {
			select {
			case s := <-e.Tools.stays:
				if !e.Stay || s.over.PID != p.proc.Pid {
					_ = s.conn.Close() // declined: it ends as if it had not asked
					continue
				}
				kept = s
				over <- end{said: true, code: s.over.Code}
				return
			case <-done:
				return
			}
		}
	}()
	last := p.attend(ctx, e.Kill, over, r.Grace)
	close(done)
	<-watching
	if !last.said {
		if kept.conn != nil {
			_ = kept.conn.Close()
		}
		p.finish()
		return exitOf(p.state), false
	}
	p.readAll()
	r.keep(&resident{process: p, conn: kept.conn, script: e.Script})
	return said(last.code), true
}

// end is what is known of the end of an event, from the connection.
type end struct {
	begun bool // the process has taken the event
	said  bool // the process has said that it is over
	code  uint8
}

// attend waits until the process has ended, or has said that its event is over. What
// ends before it is asked to, or loses its connection, has Grace until it is killed.
func (p *process) attend(ctx context.Context, kill <-chan struct{}, ends <-chan end, grace time.Duration) end {
	asked := ctx.Done()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	timer.Stop()
	var last end
	for {
		select {
		case <-p.exited:
			return last
		case last = <-ends:
			if last.said {
				return last
			}
			ends = nil
			timer.Reset(grace)
		case <-kill:
			kill = nil
			p.signal(syscall.SIGKILL)
		case <-asked:
			asked = nil
			p.signal(syscall.SIGTERM)
			timer.Reset(grace)
		case <-timer.C:
			p.signal(syscall.SIGKILL)
		}
	}
}

// keep has a process wait for the next event.
func (r *Runner) keep(s *resident) {
	s.idle = r.Between()
	s.readFor(Event{Output: s.idle})
	r.resident = s
}

// wake ends what keep began.
func (s *resident) wake() {
	s.readAll()
	s.idle.Finish()
}

// deliver gives an event to the process that has stayed. If that has ended before it
// began, begun is false and the process is gone.
func (r *Runner) deliver(ctx context.Context, e Event) (exit Exit, begun bool) {
	s := r.resident
	if s.hasExited() || s.script.Path != e.Script.Path {
		r.lose()
		return Exit{}, false
	}
	s.wake()
	s.readFor(e)
	ends := make(chan end, 1)
	talking := make(chan struct{})
	go func() { // ends with the connection, below
		defer close(talking)
		ends <- talk(s.conn, e)
	}()
	e.started()
	last := s.attend(ctx, e.Kill, ends, r.Grace)
	if last.said {
		<-talking
		s.readAll()
		r.keep(s)
		return said(last.code), true
	}
	_ = s.conn.Close()
	<-talking
	select {
	case last = <-ends: // it ended before its word was heard
	default:
	}
	s.finish()
	r.resident = nil
	if r.Note != nil {
		r.Note(0)
	}
	switch {
	case last.said:
		return said(last.code), true
	case !last.begun && ctx.Err() == nil && !closed(e.Kill):
		r.lost(s)
		return Exit{}, false
	}
	return exitOf(s.state), true
}

// talk gives an event to a process and serves its tools until it is over.
func talk(conn net.Conn, e Event) end {
	if err := hookwire.SendEvent(conn, hookwire.Event{Env: e.Env}); err != nil {
		return end{}
	}
	over, err := hookwire.ServeEvent(conn, e.Tools.call)
	if err != nil || over == nil {
		return end{begun: true}
	}
	return end{begun: true, said: true, code: over.Code}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// End ends the process that has stayed, if there is one, and returns when it is gone.
func (r *Runner) End() {
	if r.resident == nil {
		return
	}
	if r.resident.hasExited() {
		r.lose()
		return
	}
	r.dismiss()
}

// lose lets go of a process that has ended by itself, or does not fit any more.
func (r *Runner) lose() {
	s := r.resident
	gone := s.hasExited()
	r.dismiss()
	if gone {
		r.lost(s)
	}
}

func (r *Runner) lost(s *resident) {
	if r.Lost != nil {
		r.Lost(exitOf(s.state).Text)
	}
}

// dismiss hangs up, which a charm that waits takes as its end, and then insists.
func (r *Runner) dismiss() {
	s := r.resident
	r.resident = nil
	_ = s.conn.Close()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if s.waits(r.Grace) {
			break
		}
		s.signal(signal)
	}
	<-s.exited
	s.finish()
	s.idle.Finish()
	if r.Note != nil {
		r.Note(0)
	}
}

// waits waits for the end of the process for a time, and reports whether it came.
func (p *process) waits(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exited:
		return true
	case <-timer.C:
		return false
	}
}
