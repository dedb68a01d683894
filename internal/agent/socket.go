package agent

import (
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

// maxSocketPath is the longest path a unix socket may have on every system we
// run on: sun_path has 104 bytes on darwin and 108 on linux, one of them a zero.
const maxSocketPath = 103

// socketDir hands out short paths for sockets whose own place is too deep in the
// file system. Its folder is made when first needed.
type socketDir struct {
	note string // a link to the folder, so that the next life of an agent that was killed removes it
	mu   sync.Mutex
	dir  string
	next int
}

// place is where the socket that belongs at path can be: there, or if that is
// too long for a socket, in a private folder of the system's temporary one.
func (d *socketDir) place(path string) (string, error) {
	if len(path) <= maxSocketPath {
		return path, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir == "" {
		dir, err := os.MkdirTemp(shortTemp(), socketPrefix)
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

// shortTemp is the temporary folder, or /tmp where that has a long path too.
func shortTemp() string {
	const room = len("/kith-0123456789/1234567")
	if dir := os.TempDir(); len(dir)+room <= maxSocketPath {
		return dir
	}
	return "/tmp"
}

// remove deletes the folder, be it of this life of the agent or of an earlier one.
func (d *socketDir) remove() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dir = ""
	dir, err := os.Readlink(d.note)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && strings.HasPrefix(filepath.Base(dir), socketPrefix) {
		err = os.RemoveAll(dir)
	}
	return errors.Join(err, os.Remove(d.note))
}

// socketPrefix begins the names of folders of sockets.
const socketPrefix = "kith-"

// toolHandler executes one call of a hook tool.
type toolHandler func(hookwire.Request) hookwire.Response

// toolServer serves the hook tools of one run of one hook, from listenTools to
// close: the socket exists no longer than the hook runs, and calls are served one
// at a time (hook protocol reference, section 6.1).
type toolServer struct {
	path      string
	contextID string
	handle    toolHandler
	listener  *net.UnixListener
	cancel    context.CancelFunc
	serving   sync.WaitGroup

	calls sync.Mutex // held while a call is executed
	over  bool       // no more calls; guarded by calls

	mu     sync.Mutex // not held while anything is waited for
	conns  map[net.Conn]bool
	closed bool
}

// listenTools starts to serve at path. Whoever called it must call close, which
// calls cancel: it cuts short what handle is waiting for.
func listenTools(path, contextID string, cancel context.CancelFunc, handle toolHandler) (*toolServer, error) {
	_ = os.Remove(path) // what an agent that was killed left behind
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		if err = os.Chmod(path, 0o700); err != nil {
			_ = l.Close()
		}
	}
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot listen for hook tools at %q: %v", path, reason(err))
	}
	s := &toolServer{path: path, contextID: contextID, handle: handle, listener: l, cancel: cancel, conns: map[net.Conn]bool{}}
	s.serving.Go(s.accept)
	return s, nil
}

func (s *toolServer) accept() {
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
			_ = hookwire.Serve(conn, s.call)
			s.untrack(conn)
		})
	}
}

// call executes one call, after the ones before it.
func (s *toolServer) call(q hookwire.Request) hookwire.Response {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.over || q.ContextID != s.contextID {
		return hookwire.BadRequest("wrong context ID; got " + strconv.Quote(q.ContextID))
	}
	return s.handle(q)
}

func (s *toolServer) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = true
	return true
}

func (s *toolServer) untrack(c net.Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	_ = c.Close()
}

// close ends the service: the socket is gone, and when close returns no call is
// being executed and none will be. A call under way is cut short; the process
// that made it did not wait for it.
func (s *toolServer) close() {
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
}
