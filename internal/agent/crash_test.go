package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/core"
	"kith/internal/dispatch"
)

// agentProcess is an agent in a process of its own: the test kills it. Its folder
// is dir, its controller listens on the socket c in it.
func agentProcess(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c := client.Unix(filepath.Join(dir, "c"))
	err := New(Config{Controller: Over(c.WithToken("host")), Dir: filepath.Join(dir, "agent"), HookTool: os.Getenv("KITH_TEST_TOOL")}).Run(ctx)
	if err != nil {
		panic(err)
	}
	return 0
}

// serve offers the world over HTTP on a socket, as a controller does, as far as
// agents use it.
func (w *world) serve(socket string) {
	l, err := net.Listen("unix", socket)
	w.check(err)
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+api.PathHost, w.serveHost)
	mux.HandleFunc("POST "+api.PathCommand, w.serveCommand)
	mux.HandleFunc("POST "+api.PathLogs, func(rw http.ResponseWriter, r *http.Request) {
		var records []api.LogRecord
		err := json.NewDecoder(r.Body).Decode(&records)
		answer(rw, struct{}{}, errors.Join(err, w.AppendLogs(r.Context(), "", records)))
	})
	mux.HandleFunc("GET "+api.PathBlob, func(rw http.ResponseWriter, r *http.Request) {
		blob, err := w.Blob(r.Context(), r.PathValue("id"))
		if err != nil {
			answer(rw, nil, err)
			return
		}
		_, _ = io.Copy(rw, blob)
	})
	mux.HandleFunc("GET "+api.PathBag, func(rw http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("relation"))
		bag, err := w.Unit(token(r)).Bag(r.Context(), "", kith.RelationID(id), r.URL.Query().Get("owner"))
		answer(rw, bag, err)
	})
	mux.HandleFunc("GET "+api.PathUnitLive, func(rw http.ResponseWriter, r *http.Request) {
		u := kith.UnitName(r.PathValue("app") + "/" + r.PathValue("number"))
		live, err := w.Unit(token(r)).Live(r.Context(), "", u, r.URL.Query().Has("units"))
		answer(rw, live, err)
	})
	srv := &http.Server{Handler: mux}
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(l) })
	w.t.Cleanup(func() { w.cut(); _ = srv.Close(); serving.Wait() })
}

func token(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get(api.HeaderToken), "Bearer ")
}

func answer(rw http.ResponseWriter, v any, err error) {
	if err != nil {
		e := &kith.Error{Code: kith.CodeOf(err), Message: err.Error()}
		rw.WriteHeader(e.Code.HTTPStatus())
		v = api.Error{Error: *e}
	}
	_ = json.NewEncoder(rw).Encode(v)
}

func (w *world) serveHost(rw http.ResponseWriter, r *http.Request) {
	lines := json.NewEncoder(rw)
	for e, err := range w.Host(r.Context(), r.PathValue("host"), r.URL.Query().Get("epoch")) {
		if err != nil || lines.Encode(e) != nil {
			return
		}
		rw.(http.Flusher).Flush()
	}
}

func (w *world) serveCommand(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var op core.Op
	command, err := api.CommandNamed(r.PathValue("op"))
	if err == nil {
		op, err = command.Decode(body)
	}
	if err != nil {
		answer(rw, nil, err)
		return
	}
	actor := core.Actor{Kind: core.ActorHost, Name: "local"}
	if t := token(r); t != "host" {
		actor = core.UnitActor(kith.UnitName(t))
	}
	reply, err := w.fromAgent(actor, op)
	if errors.Is(err, errSilent) {
		panic(http.ErrAbortHandler) // the connection dies without an answer
	}
	answer(rw, reply, err)
}

var errSilent = errors.New("no answer")

// startProcess runs an agent in a process of its own, which kill ends at once.
func (w *world) startProcess(dir string) (kill func()) {
	self, err := os.Executable()
	w.check(err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "KITH_TEST_AGENT="+dir, "KITH_TEST_TOOL="+hookTool(w.t))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	w.check(cmd.Start())
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	w.t.Cleanup(kill)
	return kill
}

// crashCharm counts its runs in a file, which is not transactional, and in the
// charm state and a peer bag, which are.
const countingHook = `#!/bin/sh
set -e
echo run >> "$JUJU_CHARM_DIR/../runs"
state-set runs=$(( $(state-get runs || echo 0) + 1 ))
relation-set -r cluster:0 "runs=$(( $(relation-get -r cluster:0 runs "$JUJU_UNIT_NAME") + 1 ))"
`

// crashWorld has one unit that is idle, served to an agent process.
func crashWorld(t *testing.T, hook string) (w *world, dir string, kill func()) {
	t.Helper()
	return crashWorldOf(t, map[string]string{
		"metadata.yaml":        webMeta,
		"config.yaml":          "options:\n  x: {type: string, default: a}\n",
		"hooks/config-changed": hook,
	})
}

// crashWorldOf is crashWorld with the files of a charm.
func crashWorldOf(t *testing.T, files map[string]string) (w *world, dir string, kill func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "kith") // short: a socket is in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w = newWorld(t)
	id := w.addCharm(files)
	w.serve(filepath.Join(dir, "c"))
	w.deploy("web", id, 1)
	kill = w.startProcess(dir)
	w.settle()
	return w, dir, kill
}

// runs is how often the hook ran, by its file, its state and its bag.
func (w *world) runs(dir string) (processes int, state, bag string) {
	text, err := os.ReadFile(filepath.Join(dir, "agent", string(testModel), "unit-web-0", "runs"))
	w.check(err)
	w.mu.Lock()
	state = w.m.State("web/0").Data["runs"]
	w.mu.Unlock()
	return strings.Count(string(text), "\n"), state, w.bag(0, "web/0")["runs"]
}

func (w *world) wantRuns(dir string, processes int, effects string) {
	w.t.Helper()
	p, state, bag := w.runs(dir)
	if p != processes || state != effects || bag != effects {
		w.t.Errorf("the hook ran %d times and its effects landed %s (state), %s (bag) times; want %d, %s\n%s",
			p, state, bag, processes, effects, w.log())
	}
}

// arm calls f once, at the next command of that name that the agent sends.
func (w *world) arm(name string, f func() error) func(core.Op) error {
	var once sync.Once
	return func(op core.Op) (err error) {
		if op.Name() == name {
			once.Do(func() { err = f() })
		}
		return err
	}
}

func (w *world) fault(before, after func(core.Op) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.after = before, after
}

// Relations reference, section 8: a hook that was running when the runtime died
// is treated as failed, and retried; nothing of the first try was published.
func TestAgentKilledInHook(t *testing.T) {
	t.Parallel()
	w, dir, kill := crashWorld(t, `#!/bin/sh
set -e
echo run >> "$JUJU_CHARM_DIR/../runs"
state-set runs=$(( $(state-get runs || echo 0) + 1 ))
relation-set -r cluster:0 "runs=$(( $(relation-get -r cluster:0 runs "$JUJU_UNIT_NAME") + 1 ))"
[ "$(config-get x)" = b ] || exit 0
echo $$ > "$JUJU_CHARM_DIR/../pid"
while ! [ -e "$JUJU_CHARM_DIR/../go" ]; do sleep 0.01; done
`)
	unit := filepath.Join(dir, "agent", string(testModel), "unit-web-0")
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	var pid int
	waitFor(t, "the hook's process", func() bool {
		text, _ := os.ReadFile(filepath.Join(unit, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return pid > 0
	})
	w.until("the hook is known to run", func(m *core.Model) bool { return m.Progress("web/0").Running != nil })
	kill()
	if dispatch.DiesWithParent {
		waitFor(t, "the end of the first life's process", func() bool { return !running(pid) })
	}
	w.startProcess(dir)
	w.until("the hook failed", func(m *core.Model) bool { return m.Progress("web/0").Failed != nil })
	waitFor(t, "the end of the first life's process", func() bool { return !running(pid) })
	// Hook protocol reference, section 3.5: "after restart … log awaiting error resolution for "x" hook".
	waitFor(t, "the log", func() bool {
		return strings.Contains(w.log(), `unit-web-0 INFO juju.worker.uniter awaiting error resolution for "config-changed" hook`+"\n")
	})
	w.check(os.WriteFile(filepath.Join(unit, "go"), nil, 0o600))
	w.must(core.Resolved{Units: []kith.UnitName{"web/0"}})
	w.settle()
	w.wantRuns(dir, 3, "2")
}

// Where the kernel does not end the hooks of an agent that died, the next one does.
func TestLeftoverIsKilled(t *testing.T) {
	t.Parallel()
	note := filepath.Join(t.TempDir(), "hook.json")
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	defer func() { _ = cmd.Process.Kill(); <-ended }()
	start, err := processStart(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		l    leftover
	}{
		{"another boot", leftover{PID: cmd.Process.Pid, Start: start, Boot: "before"}},
		{"a process id that is used again", leftover{PID: cmd.Process.Pid, Start: "1", Boot: "now"}},
	} {
		text, _ := json.Marshal(c.l)
		if err := os.WriteFile(note, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if found, err := endLeftover(t.Context(), note, "now"); found || err != nil {
			t.Errorf("%s: found %v, %v", c.what, found, err)
		}
	}
	if err := recordProcess(note, "now", cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if found, err := endLeftover(t.Context(), note, "now"); !found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	wait(t, ended)
	if found, err := endLeftover(t.Context(), note, "now"); found || err != nil {
		t.Errorf("a second time: found %v, %v", found, err)
	}
}

// The hook has ended, its commit has not been heard: it runs again, and what it
// wrote lands once.
func TestAgentKilledBeforeCommit(t *testing.T) {
	t.Parallel()
	w, dir, kill := crashWorld(t, countingHook)
	dead := make(chan struct{})
	w.fault(w.arm("commit-hook", func() error { kill(); close(dead); return errSilent }), nil)
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	wait(t, dead)
	w.wantRuns(dir, 2, "1")
	w.startProcess(dir)
	w.until("known to the new agent", func(m *core.Model) bool { return m.Progress("web/0").Running == nil })
	w.mu.Lock()
	failed := w.m.Progress("web/0").Failed != nil
	w.mu.Unlock()
	if failed {
		w.must(core.Resolved{Units: []kith.UnitName{"web/0"}})
	}
	w.settle()
	w.wantRuns(dir, 3, "2")
}

// The commit is durable, the agent dies before it hears so: the hook does not run again.
func TestAgentKilledAfterCommit(t *testing.T) {
	t.Parallel()
	w, dir, kill := crashWorld(t, countingHook)
	dead := make(chan struct{})
	w.fault(nil, w.arm("commit-hook", func() error { kill(); close(dead); return errSilent }))
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	wait(t, dead)
	w.startProcess(dir)
	w.settle()
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "c"}}) // the unit lives on
	w.until("config c", func(m *core.Model) bool { return m.Progress("web/0").Config == m.App("web").ConfigVersion+1 })
	w.settle()
	w.wantRuns(dir, 3, "3")
}

// The answer to a commit gets lost: the commit is repeated, and applied once.
func TestCommitAnswerLost(t *testing.T) {
	t.Parallel()
	w, dir, _ := crashWorld(t, countingHook)
	var commits []uint64
	w.fault(func(op core.Op) error {
		if c, ok := op.(core.CommitHook); ok {
			commits = append(commits, c.Seq)
		}
		return nil
	}, w.arm("commit-hook", func() error { w.cut(); return errSilent }))
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	w.until("config b", func(m *core.Model) bool { return m.Progress("web/0").Config == m.App("web").ConfigVersion+1 })
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "c"}})
	w.until("config c", func(m *core.Model) bool { return m.Progress("web/0").Config == m.App("web").ConfigVersion+1 })
	w.settle()
	w.wantRuns(dir, 3, "3")
	if len(commits) < 3 || commits[0] != commits[1] {
		t.Errorf("commits %v: the first was not repeated", commits)
	}
}

// The answer to a failure gets lost: it is repeated, and counts once.
func TestFailAnswerLost(t *testing.T) {
	t.Parallel()
	w, _, _ := crashWorld(t, "#!/bin/sh\n[ \"$(config-get x)\" = a ]\n")
	repeated := make(chan struct{})
	var fails int
	w.fault(func(op core.Op) error {
		if op.Name() == "fail-hook" {
			fails++
		}
		return nil
	}, func(op core.Op) error {
		switch {
		case op.Name() != "fail-hook":
		case fails == 1:
			w.cut()
			return errSilent
		default:
			close(repeated)
		}
		return nil
	})
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	wait(t, repeated)
	if f := w.failed(); f.Attempts != 1 {
		t.Errorf("one failure, reported twice, counts as %d", f.Attempts)
	}
}

// A controller that is away when the hook ends gets its commit later.
func TestControllerAwayAtCommit(t *testing.T) {
	t.Parallel()
	w, dir, _ := crashWorld(t, countingHook)
	left := 3
	w.fault(func(op core.Op) error {
		if op.Name() == "commit-hook" && left > 0 {
			left--
			w.cut()
			return kith.Errorf(kith.Unavailable, "shutting down")
		}
		return nil
	}, nil)
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	w.until("config b", func(m *core.Model) bool { return m.Progress("web/0").Config == m.App("web").ConfigVersion+1 })
	w.settle()
	w.wantRuns(dir, 2, "2")
}

func wait(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("waited in vain")
	}
}

// waitFor waits for what a process does to the outside, where there is nothing to
// be woken by.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// running reports whether pid runs. One that has ended and that nobody has asked
// how does not: in a container there may be no init that asks.
func running(pid int) bool {
	_, err := processStart(pid)
	return err == nil
}
