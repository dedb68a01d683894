package hookwire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"kith/internal/hookwire"
)

// conversation connects a charm with an agent that does what serve says.
func conversation(t *testing.T, serve func(net.Conn) error) (charm *hookwire.Conn, done <-chan error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "hw") // a socket's name may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		defer l.Close() //nolint:errcheck // of a test
		c, err := l.Accept()
		if err == nil {
			err = serve(c)
			_ = c.Close()
		}
		ended <- err
	}()
	charm, err = hookwire.Dial("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = charm.Close() })
	return charm, ended
}

// One connection carries calls, the end of an event, the next event, and so on.
func TestConversationOfACharmThatStays(t *testing.T) {
	t.Parallel()
	handle := func(q hookwire.Request) hookwire.Response { return hookwire.Response{Stdout: []byte(q.ContextID)} }
	want := []hookwire.Over{{ContextID: "one", PID: 77, Code: 0}, {ContextID: "two", PID: 77, Code: 3}}
	env := []string{"JUJU_CONTEXT_ID=two", "EMPTY=", "", "LINES=a\nb=c"}
	charm, done := conversation(t, func(c net.Conn) error {
		for i, w := range want {
			over, err := hookwire.ServeEvent(c, handle)
			if err != nil || over == nil || *over != w {
				t.Errorf("event %d ended with %+v, %v; want %+v", i, over, err, w)
			}
			if i == 0 {
				if err := hookwire.SendEvent(c, hookwire.Event{Env: env}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	call := func(id string) {
		t.Helper()
		p, err := charm.Call(hookwire.Request{ContextID: id, Dir: "/", Tool: "x"})
		if err != nil || string(p.Stdout) != id {
			t.Errorf("a call answered %q, %v", p.Stdout, err)
		}
	}
	call("one")
	e, err := charm.Next(want[0])
	if err != nil || !reflect.DeepEqual(e.Env, env) {
		t.Errorf("the next event is %q, %v; want %q", e.Env, err, env)
	}
	call("two")
	if _, err := charm.Next(want[1]); err != hookwire.ErrClosed {
		t.Errorf("an agent that hangs up: %v", err)
	}
	if _, err := charm.Next(want[1]); err != hookwire.ErrClosed {
		t.Errorf("and once more: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A charm that is asked to end while it waits stops waiting.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	waits := make(chan struct{})
	charm, done := conversation(t, func(c net.Conn) error {
		_, err := hookwire.ServeEvent(c, nil)
		close(waits)
		_, _ = io.Copy(io.Discard, c)
		return err
	})
	interrupted := make(chan struct{})
	go func() { defer close(interrupted); <-waits; charm.Interrupt() }()
	if _, err := charm.Next(hookwire.Over{}); err != hookwire.ErrClosed {
		t.Errorf("error %v", err)
	}
	<-interrupted
	_ = charm.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// An event that the charm has not taken is an error: nobody knows whether it began.
func TestEventThatIsNotTaken(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	go func() {
		_, _ = io.ReadFull(far, make([]byte, 8))
		_ = far.Close()
	}()
	if err := hookwire.SendEvent(near, hookwire.Event{Env: []string{"A=b"}}); err == nil {
		t.Error("it was taken")
	}
	for name, answer := range map[string]string{"nothing": "", "half a frame": "KH\x01\x05\x00", "another frame": "KH\x01\x03\x00\x00\x00\x00", "more": "KH\x01\x05\x00\x00\x00\x01x"} {
		conn := struct {
			io.Reader
			io.Writer
		}{bytes.NewReader([]byte(answer)), io.Discard}
		err := hookwire.SendEvent(conn, hookwire.Event{})
		if !errors.Is(err, hookwire.ErrClosed) && !errors.Is(err, hookwire.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is no such frame is refused, and never read past its end.
func FuzzServeEvent(f *testing.F) {
	f.Add([]byte("KH\x01\x03\x00\x00\x00\x0c\x00\x00\x00\x03one\x00\x00\x00\x4d\x00"))
	f.Add([]byte("KH\x01\x03\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		conn := struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(in), io.Discard}
		over, err := hookwire.ServeEvent(conn, func(hookwire.Request) hookwire.Response { return hookwire.Response{} })
		if over != nil && err != nil {
			t.Errorf("both %+v and %v", over, err)
		}
	})
}
