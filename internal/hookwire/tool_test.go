package hookwire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/internal/hookwire"
)

// agent is a unit agent's socket that answers with handle until the test ends.
type agent struct{ address string }

func startAgent(t *testing.T, serve func(net.Conn)) agent {
	t.Helper()
	dir, err := os.MkdirTemp("", "hw") // t.TempDir is too long for a socket's name on some systems
	if err != nil {
		t.Fatal(err)
	}
	address := filepath.Join(dir, "s")
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close() //nolint:errcheck // the caller has its answer or must do without
		}
	}()
	t.Cleanup(func() {
		l.Close() //nolint:errcheck // nothing is lost with a listener
		<-done
		os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	})
	return agent{address}
}

func answering(handle func(hookwire.Request) hookwire.Response) func(net.Conn) {
	return func(c net.Conn) { _ = hookwire.Serve(c, handle) }
}

func (a agent) env() map[string]string {
	return map[string]string{
		"JUJU_CONTEXT_ID":           "web/0-start-1",
		"JUJU_AGENT_SOCKET_ADDRESS": a.address,
		"JUJU_AGENT_SOCKET_NETWORK": "unix",
	}
}

// run is a hook tool started with env, stdin and args.
func run(env map[string]string, stdin io.Reader, args ...string) (status int, stdout, stderr string) {
	var out, talk bytes.Buffer
	status = hookwire.Main(hookwire.Process{
		Args: args, Getenv: func(k string) string { return env[k] }, Stdin: stdin, Stdout: &out, Stderr: &talk,
	})
	return status, out.String(), talk.String()
}

// unread fails the test when somebody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("standard input was read though nobody asked for it")
	return 0, io.EOF
}

func TestMainPassesTheCallOn(t *testing.T) {
	t.Parallel()
	got := make(chan hookwire.Request, 1)
	a := startAgent(t, answering(func(q hookwire.Request) hookwire.Response {
		got <- q
		return hookwire.Response{Code: 7, Stdout: []byte("out\n"), Stderr: []byte("ERROR no\n")}
	}))
	status, stdout, stderr := run(a.env(), unread{t}, "/usr/lib/tools/relation-get", "-r", "4", "-")
	if status != 7 || stdout != "out\n" || stderr != "ERROR no\n" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	q := <-got
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if q.ContextID != "web/0-start-1" || q.Tool != "relation-get" || q.Dir != dir ||
		strings.Join(q.Args, " ") != "-r 4 -" || q.StdinSupplied {
		t.Errorf("request %+v", q)
	}
}

// Hook protocol reference, section 6.1: "Stdin is not read at first. If the tool asks
// for it ... the client reads stdin to the end and repeats the call."
func TestMainReadsStdinOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	calls := 0
	a := startAgent(t, answering(func(q hookwire.Request) hookwire.Response {
		calls++
		if !q.StdinSupplied {
			return hookwire.Response{NeedStdin: true}
		}
		return hookwire.Response{Stdout: q.Stdin}
	}))
	for _, in := range []string{"", "a: b\n", strings.Repeat("x", 3<<20)} {
		calls = 0
		status, stdout, stderr := run(a.env(), strings.NewReader(in), "relation-set", "--file", "-")
		if status != 0 || stdout != in || stderr != "" || calls != 2 {
			t.Errorf("stdin of %d bytes: status %d, %d bytes back, stderr %q, %d calls", len(in), status, len(stdout), stderr, calls)
		}
	}
}

// Hook protocol reference, section 6.1, client-side errors; conformance vector 62.
func TestMainWithoutAnAgent(t *testing.T) {
	t.Parallel()
	full := agent{"/nonexistent/agent.socket"}.env()
	without := func(name string) map[string]string {
		env := map[string]string{}
		for _, k := range []string{"JUJU_CONTEXT_ID", "JUJU_AGENT_SOCKET_ADDRESS", "JUJU_AGENT_SOCKET_NETWORK"} {
			if k != name {
				env[k] = full[k]
			}
		}
		return env
	}
	tcp := agent{"10.0.0.1:1"}.env()
	tcp["JUJU_AGENT_SOCKET_NETWORK"] = "tcp"
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "ERROR JUJU_CONTEXT_ID not set\n"},
		{without("JUJU_AGENT_SOCKET_ADDRESS"), "ERROR JUJU_AGENT_SOCKET_ADDRESS not set\n"},
		{without("JUJU_AGENT_SOCKET_NETWORK"), "ERROR JUJU_AGENT_SOCKET_NETWORK not set\n"},
		{full, "ERROR cannot reach the unit agent at \"/nonexistent/agent.socket\": no such file or directory\n"},
		{tcp, "ERROR cannot reach the unit agent at \"10.0.0.1:1\": network \"tcp\" is not supported, want \"unix\"\n"},
	} {
		status, stdout, stderr := run(c.env, unread{t}, "config-get")
		if status != 1 || stdout != "" || stderr != c.want {
			t.Errorf("status %d, stdout %q, stderr %q; want 1 and %q", status, stdout, stderr, c.want)
		}
	}
}

func TestMainWhenTheConnectionDies(t *testing.T) {
	t.Parallel()
	const want = "ERROR cannot run \"config-get\": the connection was closed before the answer came\n"
	for name, serve := range map[string]func(net.Conn){ // any order: each is its own subtest
		"at once":           func(net.Conn) {},
		"after the request": func(c net.Conn) { _, _ = hookwire.ReadRequest(c) },
		"inside the answer": func(c net.Conn) {
			_, _ = hookwire.ReadRequest(c)
			_, _ = c.Write([]byte("KH\x01\x02\x00\x00\x00\x0a\x00"))
		},
		"after asking for stdin": func(c net.Conn) {
			_, _ = hookwire.ReadRequest(c)
			_ = hookwire.WriteResponse(c, hookwire.Response{NeedStdin: true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := startAgent(t, serve)
			status, stdout, stderr := run(a.env(), strings.NewReader("x"), "config-get")
			if status != 1 || stdout != "" || stderr != want {
				t.Errorf("status %d, stdout %q, stderr %q; want 1 and %q", status, stdout, stderr, want)
			}
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, errors.New("bad input") }
func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestMainWhenItsOwnStreamsFail(t *testing.T) {
	t.Parallel()
	a := startAgent(t, answering(func(q hookwire.Request) hookwire.Response {
		return hookwire.Response{NeedStdin: q.Tool == "in", Stdout: []byte("x")}
	}))
	if status, _, stderr := run(a.env(), failing{}, "in"); status != 1 || stderr != "ERROR cannot read standard input: bad input\n" {
		t.Errorf("status %d, stderr %q", status, stderr)
	}
	var talk bytes.Buffer
	status := hookwire.Main(hookwire.Process{Args: []string{"out"}, Getenv: func(k string) string { return a.env()[k] },
		Stdin: unread{t}, Stdout: failing{}, Stderr: &talk})
	if want := "ERROR cannot write the output of \"out\": no space left on device\n"; status != 1 || talk.String() != want {
		t.Errorf("status %d, stderr %q; want 1 and %q", status, talk.String(), want)
	}
}

// Hook protocol reference, section 6.1: "A crash in the client exits 3."
func TestMainCrash(t *testing.T) {
	t.Parallel()
	var talk bytes.Buffer
	status := hookwire.Main(hookwire.Process{Args: []string{"x"}, Getenv: func(string) string { panic("boom") }, Stderr: &talk})
	if want := "ERROR hook tool crashed: boom\n"; status != 3 || talk.String() != want {
		t.Errorf("status %d, stderr %q; want 3 and %q", status, talk.String(), want)
	}
}

func TestConnServesAGoCharm(t *testing.T) {
	t.Parallel()
	a := startAgent(t, answering(func(q hookwire.Request) hookwire.Response {
		return hookwire.Response{Stdout: []byte(q.Tool)}
	}))
	c, err := hookwire.Dial("unix", a.address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Call(hookwire.Request{Tool: "x", Dir: "/", Stdin: make([]byte, hookwire.MaxFrame)}); err != hookwire.ErrTooLarge {
		t.Errorf("oversized call: %v", err)
	}
	for _, tool := range []string{"is-leader", "config-get"} {
		p, err := c.Call(hookwire.Request{Tool: tool, Dir: "/"})
		if err != nil || string(p.Stdout) != tool {
			t.Errorf("%s: %q, %v", tool, p.Stdout, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Call(hookwire.Request{Tool: "x", Dir: "/"}); err == nil {
		t.Error("a call on a closed connection succeeded")
	}
}
