package ops

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"kith"
	"kith/internal/hookwire"
)

// TestMain lets the test binary be a charm that waits for its end.
func TestMain(m *testing.M) {
	if os.Getenv("OPS_TEST_CHARM") == "" {
		os.Exit(m.Run())
	}
	Main(func(f *Framework) (struct{}, error) {
		f.Observe(OnStart(func(e *StartEvent) error {
			fmt.Println("waiting")
			<-e.Context().Done()
			return e.Context().Err()
		}))
		return struct{}{}, nil
	})
}

// A charm that is asked to end dies of the signal: hosts run its hook again then, and
// call it no failure (hook protocol reference, section 3.4).
func TestMainIsTerminated(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(environ(t, "hooks/start", a.address, "1"), "OPS_TEST_CHARM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "waiting\n" {
		t.Errorf("it said %q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // how it ended is looked at
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}

// agent is a unit agent's socket that notes the calls and answers null.
type agent struct {
	address string
	mu      sync.Mutex
	calls   []string
}

func startAgent(t *testing.T) *agent {
	t.Helper()
	dir, err := os.MkdirTemp("", "op") // a socket's name may not be long
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{address: filepath.Join(dir, "s")}
	l, err := net.Listen("unix", a.address)
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer c.Close() //nolint:errcheck // the caller has its answers
				_ = hookwire.Serve(c, a.answer)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		served.Wait()
		_ = os.RemoveAll(dir)
	})
	return a
}

func (a *agent) answer(q hookwire.Request) hookwire.Response {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, q.ContextID+" "+q.Tool+" "+strings.Join(q.Args, " "))
	if q.Tool == "status-set" {
		return hookwire.Response{Code: 1, Stderr: []byte("ERROR this unit is not the leader\n")}
	}
	return hookwire.Response{Stdout: []byte("null\n")}
}

// environ is the environment of a hook of a charm whose folder is made here.
func environ(t *testing.T, path, socket, version string) []string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "metadata.yaml"), []byte("name: web\nsummary: s\ndescription: d\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return []string{
		"JUJU_DISPATCH_PATH=" + path, "JUJU_CHARM_DIR=" + dir, "JUJU_UNIT_NAME=web/0", "JUJU_MODEL_NAME=prod", "JUJU_MODEL_UUID=u",
		"JUJU_VERSION=3.6.14", "JUJU_CONTEXT_ID=ctx", "JUJU_AGENT_SOCKET_NETWORK=unix", "JUJU_AGENT_SOCKET_ADDRESS=" + socket,
		"JUJU_ACTION_NAME=backup", "JUJU_ACTION_UUID=1", hookwire.VersionVariable + "=" + version,
	}
}

// runStart runs a charm with one handler for start, as Main does.
func runStart(environ []string, stderr *bytes.Buffer, opts []Option, handle func(*StartEvent) error) int {
	return mainOf(opts, stderr, func(ctx context.Context, d Dispatch) error {
		_, err := Run(ctx, d, func(f *Framework) (struct{}, error) {
			f.Observe(OnStart(handle))
			return struct{}{}, nil
		})
		return err
	}).serve(context.Background(), environ)
}

func TestMainOverTheSocket(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	var stderr bytes.Buffer
	status := runStart(environ(t, "hooks/start", a.address, "1"), &stderr, nil, func(e *StartEvent) error {
		e.Logger().Info("hello")
		err := e.Model().App().SetStatus(ActiveStatus(""))
		if !errors.Is(err, ErrNotLeader) {
			t.Errorf("a refusal became %v", err)
		}
		return nil
	})
	want := []string{"ctx juju-log --log-level INFO -- hello", "ctx status-set --application=true active -- "}
	if status != 0 || stderr.Len() > 0 || !slices.Equal(a.calls, want) {
		t.Errorf("status %d, stderr %q, calls %q", status, stderr.String(), a.calls)
	}
}

// Errors and panics end in the log and with status 1; those of actions also on
// standard error, which is part of the action's results.
func TestMainFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path   string
		handle func(*StartEvent) error
		log    string
		stderr bool
	}{
		"error": {"hooks/start", func(*StartEvent) error { return errors.New("no way") }, "ctx juju-log --log-level ERROR -- no way", false},
		"panic": {"hooks/start", func(*StartEvent) error { panic("oops") }, "ctx juju-log --log-level ERROR -- panic: oops\ngoroutine ", false},
	} {
		a := startAgent(t)
		var stderr bytes.Buffer
		status := runStart(environ(t, c.path, a.address, "1"), &stderr, nil, c.handle)
		if status != 1 || len(a.calls) != 1 || !strings.HasPrefix(a.calls[0], c.log) || (stderr.Len() > 0) != c.stderr {
			t.Errorf("%s: status %d, calls %q, stderr %q", name, status, a.calls, stderr.String())
		}
	}
	a := startAgent(t)
	var stderr bytes.Buffer
	status := mainOf(nil, &stderr, func(context.Context, Dispatch) error { return errors.New("no space") }).
		serve(t.Context(), environ(t, "actions/backup", a.address, "1"))
	if status != 1 || stderr.String() != "error: no space\n" || len(a.calls) != 1 {
		t.Errorf("action: status %d, calls %q, stderr %q", status, a.calls, stderr.String())
	}
	stderr.Reset()
	if status := mainOf(nil, &stderr, nil).serve(t.Context(), nil); status != 1 || !strings.Contains(stderr.String(), "JUJU_DISPATCH_PATH is not set") {
		t.Errorf("outside a hook: status %d, stderr %q", status, stderr.String())
	}
}

// In a debug session the log is on standard error, too (ops reference, section 2).
func TestMainInADebugSession(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	var stderr bytes.Buffer
	status := runStart(append(environ(t, "hooks/start", a.address, "1"), "JUJU_DEBUG=/tmp/x"), &stderr, nil, func(e *StartEvent) error {
		e.Logger().Info("hello")
		return errors.New("no way")
	})
	if status != 1 || stderr.String() != "INFO hello\nERROR no way\n" || len(a.calls) != 2 {
		t.Errorf("status %d, stderr %q, calls %q", status, stderr.String(), a.calls)
	}
}

// A charm without metadata fails before its handlers run.
func TestMainWithoutMetadata(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	env := append(environ(t, "hooks/start", a.address, "1"), "JUJU_CHARM_DIR="+t.TempDir())
	var stderr bytes.Buffer
	if status := runStart(env, &stderr, nil, func(*StartEvent) error { t.Error("it ran"); return nil }); status != 1 || !strings.Contains(strings.Join(a.calls, ""), "charm not found") {
		t.Errorf("status %d, calls %q", status, a.calls)
	}
}

func TestMainWithLocalState(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	env := environ(t, "hooks/start", a.address, "1")
	for want := 1; want <= 2; want++ {
		var kept struct{ N int }
		status := mainOf([]Option{WithLocalState("kept.json")}, &bytes.Buffer{}, func(ctx context.Context, d Dispatch) error {
			_, err := Run(ctx, d, func(f *Framework) (struct{}, error) {
				err := f.StoredState("charm", &kept)
				kept.N++
				return struct{}{}, err
			})
			return err
		}).serve(t.Context(), env)
		if status != 0 || kept.N != want || len(a.calls) != 0 {
			t.Errorf("status %d, kept %+v, calls %q", status, kept, a.calls)
		}
	}
}

// Only an agent that says so in our version is spoken to: under Juju the socket is
// there too.
func TestSocketIsOffered(t *testing.T) {
	t.Parallel()
	a := startAgent(t)
	for version, want := range map[string]bool{"1": true, "": false, "2": false} {
		env := environ(t, "hooks/start", a.address, version)
		socket, ok := DialSocket(func(name string) string { return lookup(env, name) }, "/charm")
		if ok != want {
			t.Errorf("version %q: %v", version, ok)
		}
		if ok {
			_ = socket.Close()
		}
	}
	env := environ(t, "hooks/start", a.address+"gone", "1")
	if _, ok := DialSocket(func(name string) string { return lookup(env, name) }, "/charm"); ok {
		t.Error("there is no agent, and it answered")
	}
}

// Tools are processes under other hosts, and a secret's content is in none of their arguments.
func TestProcesses(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\nfor a; do echo \"arg $a\"; done\nfor a; do case $a in */secret-*.json) cat \"$a\"; ls -l \"$a\" | cut -c1-10;; esac; done\ncat\n"
	failing := "#!/bin/sh\necho 'ERROR permission denied' >&2\nexit 1\n"
	for name, text := range map[string]string{"secret-add": script, "relation-get": failing, "juju-log": script, "action-set": script, "status-set": "no program"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("TMPDIR", dir)
	r, err := ProcessCaller{}.Call(ToolCall{Tool: "secret-add", Args: []string{"--owner", "unit"}, Private: []string{"user-name#base64=cm9vdA=="}, Stdin: []byte("in")})
	out := string(r.Stdout)
	if err != nil || r.Status != 0 || !strings.HasPrefix(out, "arg --owner\narg unit\narg --file\narg "+dir+"/secret-") ||
		!strings.HasSuffix(out, `{"user-name#base64":"cm9vdA=="}-rw-------`+"\nin") {
		t.Errorf("status %d, %v, output\n%s", r.Status, err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "secret-*.json")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	b := NewToolBackend(ProcessCaller{})
	if _, err := b.SecretGet(strings.Repeat("x", 1<<21), "", TrackedRevision); !errors.Is(err, ErrToolNotFound) {
		t.Errorf("a tool that is not there: %v", err)
	}
	if err := b.Log("INFO", "a\x00b"); err != nil {
		t.Errorf("a byte no process can be given: %v", err)
	}
	if err := b.ActionSet(map[string]string{"k": strings.Repeat("x", 1<<21)}); kith.CodeOf(err) != kith.Invalid || err.Error() != `cannot run "action-set": what it is given is too long for this host` {
		t.Errorf("a value no process can be given: %v", err)
	}
	if err := b.StatusSet(false, ActiveStatus("")); kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), `"status-set"`) {
		t.Errorf("a tool that cannot be started: %v", err)
	}
	if _, err := NewToolBackend(ProcessCaller{}).RelationApp(RelationRef{}); !errors.Is(err, ErrToolNotFound) {
		t.Errorf("a tool that is not there: %v", err)
	}
	var refused *ModelError
	if _, err := NewToolBackend(ProcessCaller{}).RelationGet(RelationRef{"db", 1}, true, "pg"); !errors.As(err, &refused) || !errors.Is(err, ErrPermission) || refused.Status != 1 {
		t.Errorf("a tool that refuses: %v", err)
	}
}
