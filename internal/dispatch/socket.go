package dispatch

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"kith"
	"kith/internal/hookwire"
)

// MaxSocketPath is the longest path a unix socket may have on every system we
// run on: sun_path has 104 bytes on darwin and 108 on linux, one of them a zero.
const MaxSocketPath = 103

// Sockets hands out paths for sockets in a private folder of the machine's memory. On a
// disk, making and removing one for every hook would wait for the store, which keeps that disk busy with
// its log. Where there is no such folder the sockets are at their own place, or if
// that is too deep in the file system, in a private folder of the system's temporary one.
// The folder is made when first needed.
type Sockets struct {
	note   string // a link to the folder, so that the next life of an agent that was killed removes it
	memory string // a folder that is in memory; empty if there is none
	mu     sync.Mutex
	dir    string
	next   int
}

// NewSockets hands out sockets; note is where it notes the folder that it makes for them.
// memory is a [MemoryFolder] to make it in, or empty.
func NewSockets(note, memory string) *Sockets { return &Sockets{note: note, memory: memory} }

// Place is where the socket that belongs at path is to be.
func (d *Sockets) Place(path string) (string, error) {
	if d.memory == "" && len(path) <= MaxSocketPath {
		return path, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir == "" {
		dir, err := os.MkdirTemp(cmp.Or(d.memory, shortTemp()), SocketPrefix)
		if err != nil {
			return "", kith.Errorf(kith.Internal, "cannot make a folder for the sockets of hook tools: %v", err).
				WithHint("set TMPDIR to a folder that can be written to, or KITH_HOME to a shorter path")
		}
		d.dir = dir
		_ = os.Symlink(dir, d.note) // without it a folder of sockets is left after a crash, which hurts nobody
	}
	d.next++
	return filepath.Join(d.dir, strconv.Itoa(d.next)), nil
}

// socketRoom is what is added to the path of a folder for sockets.
const socketRoom = len("/kith-0123456789/1234567")

// shortTemp is the temporary folder, or /tmp where that has a long path too.
func shortTemp() string {
	if dir := os.TempDir(); len(dir)+socketRoom <= MaxSocketPath {
		return dir
	}
	return "/tmp"
}

// MemoryFolder is a folder of the machine's memory where this user can make folders; empty
// if there is none.
func MemoryFolder() string {
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), "/dev/shm"} {
		if dir != "" && len(dir)+socketRoom <= MaxSocketPath && inMemory(dir) {
			return dir
		}
	}
	return ""
}

// Remove deletes the folder, be it of this life of the agent or of an earlier one.
func (d *Sockets) Remove() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dir = ""
	dir, err := os.Readlink(d.note)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && strings.HasPrefix(filepath.Base(dir), SocketPrefix) {
		err = os.RemoveAll(dir)
	}
	return errors.Join(err, os.Remove(d.note))
}

// SocketPrefix begins the names of folders of sockets.
const SocketPrefix = "kith-"

// ToolHandler executes one call of a hook tool.
type ToolHandler func(hookwire.Request) hookwire.Response

// Tools serves the hook tools of one run of one hook, from ListenTools to
// Close: the socket exists no longer than the hook runs, and calls are served one
// at a time (hook protocol reference, section 6.1).
type Tools struct {
	// Path is the socket's.
	Path      string
	contextID string
	handle    ToolHandler
	listener  *net.UnixListener
	cancel    context.CancelFunc
	serving   sync.WaitGroup

	calls sync.Mutex // held while a call is executed
	over  bool       // no more calls; guarded by calls

	mu     sync.Mutex // not held while anything is waited for
	conns  map[net.Conn]bool
	closed bool
	// stays gets the connection of a process that has said that its event is over, the
	// first that does.
	stays  chan stay
	stayed bool
}

// stay is a connection whose process stays, and what it said.
type stay struct {
	conn net.Conn
	over hookwire.Over
}

// ListenTools starts to serve at path. Whoever called it must call Close, which
// calls cancel: it cuts short what handle is waiting for.
func ListenTools(path, contextID string, cancel context.CancelFunc, handle ToolHandler) (*Tools, error) {
	_ = os.Remove(path) // what an agent that was killed left behind
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		if err = os.Chmod(path, 0o700); err != nil {
			_ = l.Close()
		}
	}
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot listen for hook tools at %q: %v", path, Reason(err))
	}
	s := &Tools{Path: path, contextID: contextID, handle: handle, listener: l, cancel: cancel, conns: map[net.Conn]bool{}, stays: make(chan stay, 1)}
	s.serving.Go(s.accept)
	return s, nil
}

func (s *Tools) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the caller is gone, or we are out of files for a moment
		}
		if !s.track(conn) {
			_ = conn.Close()
			return
		}
		s.serving.Go(func() {
			// What goes wrong on a connection is the caller's to report: it has no answer.
			over, _ := hookwire.ServeEvent(conn, s.call)
			if over == nil || !s.release(conn, *over) {
				s.untrack(conn)
			}
		})
	}
}

// call executes one call, after the ones before it.
func (s *Tools) call(q hookwire.Request) hookwire.Response {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.over || q.ContextID != s.contextID {
		return hookwire.BadRequest("wrong context ID; got " + strconv.Quote(q.ContextID))
	}
	return s.handle(q)
}

func (s *Tools) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = true
	return true
}

// release passes on the connection of a process that stays, if there is none yet.
func (s *Tools) release(c net.Conn, over hookwire.Over) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.stayed || over.ContextID != s.contextID {
		return false
	}
	s.stayed = true
	delete(s.conns, c)
	s.stays <- stay{c, over}
	return true
}

func (s *Tools) untrack(c net.Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	_ = c.Close()
}

// Close ends the service: the socket is gone, and when Close returns no call is
// being executed and none will be. A call under way is cut short; the process
// that made it did not wait for it.
func (s *Tools) Close() {
	s.cancel()
	_ = s.listener.Close() // unlinks the socket
	s.calls.Lock()
	s.over = true
	s.calls.Unlock()
	s.mu.Lock()
	s.closed = true
	for c := range s.conns { // any order: all are closed
		_ = c.Close()
	}
	s.mu.Unlock()
	s.serving.Wait()
	select {
	case left := <-s.stays: // nobody has taken it
		_ = left.conn.Close()
	default:
	}
}
