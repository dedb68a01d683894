package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/dispatch"
)

// actionsYAML declares the actions that tests have scripts for.
const actionsYAML = `
backup: {params: {target: {type: string, default: /srv}}}
slow: {}
missing: {}
inert: {}
`

// taskWorld is oneUnit with actions, settled.
func taskWorld(t *testing.T, files map[string]string, tweak ...func(*Config)) (*world, unitDir) {
	t.Helper()
	all := map[string]string{"actions.yaml": actionsYAML}
	for name, text := range files { // any order: a map is made
		all[name] = text
	}
	w, unit := oneUnit(t, all, tweak...)
	w.settle()
	return w, unit
}

// run queues an action of web/0, and returns its task.
func (w *world) run(action string) kith.TaskID {
	w.t.Helper()
	w.must(core.RunAction{Receivers: []string{"web/0"}, Action: action})
	return w.lastTask()
}

func (w *world) exec(op core.RunCommand) kith.TaskID {
	w.t.Helper()
	if len(op.Machines) == 0 {
		op.Units = []string{"web/0"}
	}
	w.must(op)
	return w.lastTask()
}

func (w *world) lastTask() kith.TaskID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return kith.TaskID(w.m.Info().LastTask)
}

// over waits for a task's end.
func (w *world) over(id kith.TaskID) core.Task {
	w.t.Helper()
	var task core.Task
	w.until(fmt.Sprintf("task %d is over", id), func(m *core.Model) bool {
		task = *m.Task(id)
		return task.Status.Over()
	})
	return task
}

// Hook protocol reference, section 3.1: "otherwise actions/<action name>", and dispatch before.
func TestWhichActionIsRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("metadata.yaml", 0o644)
	write("hooks/backup", 0o755)
	if s, err := dispatch.FindAction(dir, "backup"); s.Path != "" || err != nil {
		t.Errorf("with a hook of the name: %+v, %v", s, err)
	}
	write("actions/backup", 0o644)
	if _, err := dispatch.FindAction(dir, "backup"); err == nil || err.Error() != "permission denied" {
		t.Errorf("a script that cannot be executed: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "actions/backup"), 0o755); err != nil {
		t.Fatal(err)
	}
	if s, err := dispatch.FindAction(dir, "backup"); s.Path != filepath.Join(dir, "actions/backup") || s.Via != dispatch.ViaBespoke || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
	write("dispatch", 0o755)
	if s, err := dispatch.FindAction(dir, "backup"); s.Path != filepath.Join(dir, "dispatch") || s.Via != dispatch.ViaDispatch || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

// Section 3.6, sentence by sentence.
func TestActions(t *testing.T) {
	t.Parallel()
	w, _ := taskWorld(t, map[string]string{
		"actions/inert": "#-x\n#!/bin/sh\n",
		"actions/backup": `#!/bin/sh
case $(action-get target) in /srv) ;; *) exit 9;; esac
action-log half way
relation-set -r cluster:0 "from=$(state-get from)"
case $(config-get x) in
a) action-set a.b=1; echo out; echo err >&2 ;;
b) action-set a=1; action-fail "not today"; state-set from=b ;;
c) action-set a=1; action-fail "of no account"; state-set from=c; exit 3 ;;
d) printf '\377'; printf '\376' >&2 ;;
e) action-set a=1; printf careful >&2; state-set "from=$(printf '%0200d' 1)" ;;
f) kill -KILL $$ ;;
esac
`})
	try := func(x string) core.Task {
		t.Helper()
		w.must(core.SetConfig{App: "web", Set: map[string]any{"x": x}})
		w.until("configured", func(m *core.Model) bool { return m.Progress("web/0").Config == m.App("web").ConfigVersion+1 })
		return w.over(w.run("backup"))
	}
	state := func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		if s := w.m.State("web/0"); s != nil {
			return s.Data["from"]
		}
		return ""
	}

	got := w.over(w.run("backup"))
	if got.Status != core.TaskCompleted || got.Message != "" || *got.Output != (core.Output{Stdout: "out\n", Stderr: "err\n"}) || got.Values["a"].(map[string]any)["b"] != "1" {
		t.Errorf("exit 0: %+v %+v", got, got.Output)
	}
	w.mu.Lock()
	var said []string
	for part := range w.m.Log(got.ID) {
		for _, m := range part.Messages {
			said = append(said, m.Text)
		}
	}
	w.mu.Unlock()
	if !slices.Equal(said, []string{"half way"}) {
		t.Errorf("log %q", said)
	}
	if got := try("b"); got.Status != core.TaskFailed || got.Message != "not today" || got.Output.Code != 0 || got.Values["a"] != "1" || state() != "b" {
		t.Errorf("action-fail: %+v %+v, state %q", got, got.Output, state())
	}
	if got := try("c"); got.Status != core.TaskFailed || got.Message != "exit status 3" || got.Output.Code != 3 || got.Values["a"] != "1" || state() != "b" {
		t.Errorf("exit 3: %+v %+v, state %q", got, got.Output, state())
	}
	if got := try("d"); *got.Output != (core.Output{Stdout: "/w==", StdoutEncoding: "base64", Stderr: "/g==", StderrEncoding: "base64"}) {
		t.Errorf("output that is not UTF-8: %+v", got.Output)
	}
	got = try("e") // the state is larger than the model allows
	if got.Status != core.TaskFailed || got.Message != "committing requested changes failed" || got.Output.Code != 0 || got.Values["a"] != "1" ||
		!strings.HasPrefix(got.Output.Stderr, "careful\nmax allowed size (100) exceeded") || state() != "b" {
		t.Errorf("a commit that is refused: %+v %+v, state %q", got, got.Output, state())
	}
	if got := try("f"); got.Status != core.TaskFailed || got.Message != "signal: killed" || got.Output.Code != -1 {
		t.Errorf("killed from outside: %+v %+v", got, got.Output)
	}
	if got := w.over(w.run("missing")); got.Status != core.TaskFailed || got.Message != `action not implemented on unit "web/0"` || got.Output != nil {
		t.Errorf("no script: %+v", got)
	}
	if got := w.over(w.run("inert")); got.Status != core.TaskFailed || got.Message != "permission denied" || got.Output != nil {
		t.Errorf("a script that is not executable: %+v", got)
	}
	w.wantLog("unit-web-0 DEBUG unit.web/0.backup out", "unit-web-0 WARNING unit.web/0.backup err",
		`unit-web-0 INFO juju.worker.uniter.operation ran action "backup" (via explicit, bespoke hook script)`,
		`unit-web-0 WARNING juju.worker.uniter.operation action "backup" (via explicit, bespoke hook script) failed: exit status 3`)
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.m.Progress("web/0"); p.Failed != nil {
		t.Errorf("an action put the unit in error: %+v", p.Failed)
	}
}

// Sections 5.3 and 3.11: what an action and a command see beyond a hook's environment, and do not see.
func TestTaskEnvironment(t *testing.T) {
	t.Parallel()
	w, unit := taskWorld(t, map[string]string{"actions/backup": "#!/bin/sh\nenv\n"})
	vars := func(task core.Task) map[string]string {
		t.Helper()
		all := map[string]string{}
		for line := range strings.Lines(task.Output.Stdout) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			all[key] = value
		}
		return all
	}
	want := func(what string, got map[string]string, pairs ...string) {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			value, set := got[pairs[i]]
			if pairs[i+1] == "unset" && set || pairs[i+1] != "unset" && (!set || value != pairs[i+1]) {
				t.Errorf("%s: %s is %q (%v), want %q", what, pairs[i], value, set, pairs[i+1])
			}
		}
	}
	task := w.over(w.run("backup"))
	got := vars(task)
	want("action", got, "JUJU_ACTION_NAME", "backup", "JUJU_ACTION_UUID", task.ID.String(), "JUJU_ACTION_TAG", "action-"+task.ID.String(),
		"JUJU_HOOK_NAME", "", "JUJU_DISPATCH_PATH", "actions/backup", "JUJU_UNIT_NAME", "web/0", "JUJU_CHARM_DIR", unit.charm(),
		"HOME", "unset", "JUJU_RELATION", "unset")
	if id := got["JUJU_CONTEXT_ID"]; !strings.HasPrefix(id, "web/0-backup-") || len(id) != len("web/0-backup-")+32 {
		t.Errorf("context id %q", id)
	}
	got = vars(w.over(w.exec(core.RunCommand{Command: "env"})))
	want("command", got, "JUJU_HOOK_NAME", "", "JUJU_DISPATCH_PATH", "unset", "JUJU_ACTION_NAME", "unset", "JUJU_ACTION_UUID", "unset",
		"JUJU_UNIT_NAME", "web/0", "PWD", unit.charm(), "JUJU_RELATION", "unset")
	if id := got["JUJU_CONTEXT_ID"]; !strings.HasPrefix(id, "web/0-run-commands-") {
		t.Errorf("context id %q", id)
	}
	w.must(core.AddUnits{App: "web", Units: 1})
	w.settle()
	id := kith.RelationID(0)
	got = vars(w.over(w.exec(core.RunCommand{Command: "env", Relation: &id})))
	want("command about a relation", got, "JUJU_RELATION", "cluster", "JUJU_RELATION_ID", "cluster:0", "JUJU_REMOTE_UNIT", "web/1", "JUJU_REMOTE_APP", "")
	got = vars(w.over(w.exec(core.RunCommand{Command: "env; pwd", Machines: []kith.MachineID{"0"}})))
	want("command for a machine", got, "JUJU_UNIT_NAME", "unset", "JUJU_CONTEXT_ID", "unset", "JUJU_AGENT_SOCKET_ADDRESS", "unset", "LANG", "C.UTF-8", "HOME", dispatch.HomeFolder())
}

// Section 3.11 and relations reference 6.4: a command has the tools, and what it writes
// is committed whatever its exit status. It is handed to the shell as it is.
func TestCommands(t *testing.T) {
	t.Parallel()
	w, _ := taskWorld(t, nil)
	got := w.over(w.exec(core.RunCommand{Command: "state-set k=v; relation-set -r cluster:0 'a=b c'; action-get; echo $((1+1)); exit 4"}))
	if got.Status != core.TaskCompleted || got.Output.Code != 4 || got.Output.Stdout != "2\n" || got.Output.Stderr != "ERROR not running an action\n" {
		t.Errorf("%+v %+v", got, got.Output)
	}
	if v := w.bag(0, "web/0")["a"]; v != "b c" {
		t.Errorf("the databag has %q", v)
	}
	// stdin is empty, and a quote that is not closed is the shell's to complain about.
	if got := w.over(w.exec(core.RunCommand{Command: "cat; echo 'x"})); got.Output.Code == 0 || got.Output.Stdout != "" {
		t.Errorf("%+v", got.Output)
	}
	// A command that is too long for its time is ended, and what it wrote is dropped.
	got = w.over(w.exec(core.RunCommand{Command: "state-set k=w; sleep 600", Timeout: time.Millisecond}))
	if got.Status != core.TaskFailed || got.Message != "command timed out" || got.Output.Code != -1 {
		t.Errorf("%+v %+v", got, got.Output)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if v := w.m.State("web/0").Data["k"]; v != "v" {
		t.Errorf("the state has %q", v)
	}
}

// What is kept of a task's output is bounded; the rest is counted.
func TestTaskOutputIsBounded(t *testing.T) {
	t.Parallel()
	w, _ := taskWorld(t, nil)
	got := w.over(w.exec(core.RunCommand{Command: "head -c 3000000 /dev/zero | tr '\\0' x"}))
	if n := len(got.Output.Stdout); n < maxCapture || n > maxCapture+100 || !strings.HasSuffix(got.Output.Stdout, "(1951424 more bytes were dropped: 1048576 are kept)\n") {
		t.Errorf("%d bytes, ending in %q", n, got.Output.Stdout[max(0, n-80):])
	}
}

// slowAction runs until it is killed, and says when it has begun.
const slowAction = `#!/bin/sh
action-set half=way
state-set k=v
echo $$ > "$JUJU_CHARM_DIR/../pid"
exec sleep 600
`

func (w *world) pid(unit unitDir) int {
	w.t.Helper()
	var pid int
	waitFor(w.t.(*testing.T), "the action's process", func() bool {
		text, _ := os.ReadFile(filepath.Join(unit.root, "pid"))
		pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return pid > 0 && running(pid)
	})
	return pid
}

// Section 3.6: "Cancel: the process is killed (KILL), status aborted, message terminated". What it
// has set is kept, what it wrote is not; one that was never begun does not run.
func TestAbort(t *testing.T) {
	t.Parallel()
	w, unit := taskWorld(t, map[string]string{"actions/slow": slowAction, "actions/backup": "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.01; done\n"})
	first := w.run("slow")
	second := w.run("slow")
	pid := w.pid(unit)
	w.must(core.CancelTasks{Tasks: []kith.TaskID{second, first}})
	got := w.over(first)
	if got.Status != core.TaskAborted || got.Message != "terminated" || got.Output.Code != -1 || got.Values["half"] != "way" {
		t.Errorf("%+v %+v", got, got.Output)
	}
	if running(pid) {
		t.Error("the process lives on")
	}
	if got := w.over(second); got.Status != core.TaskCancelled || !got.Started.IsZero() {
		t.Errorf("%+v", got)
	}
	w.mu.Lock()
	if s := w.m.State("web/0"); s != nil {
		t.Errorf("the state has %v", s.Data)
	}
	w.mu.Unlock()
	// It is killed, not asked; and the unit goes on.
	stubborn := w.run("backup")
	w.until("it runs", func(m *core.Model) bool { return m.Task(stubborn).Status == core.TaskRunning })
	w.must(core.CancelTasks{Tasks: []kith.TaskID{stubborn}})
	if got := w.over(stubborn); got.Status != core.TaskAborted {
		t.Errorf("%+v", got)
	}
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	w.settle()
}

// A task that was cancelled before the controller heard of its beginning does not run.
func TestCancelledBeforeBegin(t *testing.T) {
	t.Parallel()
	w, unit := taskWorld(t, map[string]string{"actions/backup": "#!/bin/sh\ntouch \"$JUJU_CHARM_DIR/../ran\"\n"})
	w.fault(w.arm("begin-task", func() error {
		w.must(core.CancelTasks{Tasks: []kith.TaskID{w.lastTask()}})
		return nil
	}), nil)
	if got := w.over(w.run("backup")); got.Status != core.TaskCancelled {
		t.Errorf("%+v", got)
	}
	if got := w.over(w.run("missing")); got.Status != core.TaskFailed { // the unit lives on
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(filepath.Join(unit.root, "ran")); err == nil {
		t.Error("it has run")
	}
}

// Section 3.6: "Agent restart during an action: failed, message action terminated". It does
// not run again, and no process of it is left.
func TestAgentStoppedInAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "actions.yaml": actionsYAML, "actions/slow": slowAction}), 1)
	dir := t.TempDir()
	stop := w.start(dir, func(c *Config) { c.StopGrace = 50 * time.Millisecond })
	w.settle()
	id := w.run("slow")
	pid := w.pid(dirs{dir}.unit(refOf("web/0")))
	stop()
	if running(pid) {
		t.Error("the process lives on")
	}
	if got := w.over(id); got.Status != core.TaskFailed || got.Message != "action terminated" {
		t.Errorf("%+v", got)
	}
}

// The same when the agent dies without a word.
func TestAgentKilledInAction(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "kith") // short: a socket is in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := newWorld(t)
	w.serve(filepath.Join(dir, "c"))
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "actions.yaml": actionsYAML,
		"actions/slow": "#!/bin/sh\necho run >> \"$JUJU_CHARM_DIR/../runs\"\n" + strings.TrimPrefix(slowAction, "#!/bin/sh\n")}), 1)
	kill := w.startProcess(dir)
	w.settle()
	id := w.run("slow")
	unit := dirs{filepath.Join(dir, "agent")}.unit(refOf("web/0"))
	pid := w.pid(unit)
	kill()
	if dispatch.DiesWithParent {
		waitFor(t, "the end of the first life's process", func() bool { return !running(pid) })
	}
	w.startProcess(dir)
	if got := w.over(id); got.Status != core.TaskFailed || got.Message != "action terminated" || got.Output != nil {
		t.Errorf("%+v", got)
	}
	waitFor(t, "the end of the first life's process", func() bool { return !running(pid) })
	w.settle()
	if text, err := os.ReadFile(filepath.Join(unit.root, "runs")); err != nil || string(text) != "run\n" {
		t.Errorf("it ran %q, %v", text, err)
	}
}

// The answer to a task's end gets lost: it is told again, and counts once.
func TestFinishAnswerLost(t *testing.T) {
	t.Parallel()
	w, _ := taskWorld(t, map[string]string{"actions/backup": "#!/bin/sh\nrelation-set -r cluster:0 a=1\n"})
	told := 0
	w.fault(func(op core.Op) error {
		if op.Name() == "finish-task" {
			told++
		}
		return nil
	}, w.arm("finish-task", func() error {
		w.cut()
		return kith.Errorf(kith.Unavailable, "the connection broke")
	}))
	id := w.run("backup")
	if got := w.over(id); got.Status != core.TaskCompleted {
		t.Errorf("%+v", got)
	}
	w.over(w.run("missing"))
	w.mu.Lock()
	version := w.m.Bag(0, "web/0").Version
	w.mu.Unlock()
	if told != 3 || version != 2 {
		t.Errorf("told %d times, bag version %d", told, version)
	}
}

// An action runs while a hook is in error (section 3.5), and a task of a unit that goes by force is ended.
func TestActionInError(t *testing.T) {
	t.Parallel()
	w, unit := taskWorld(t, map[string]string{"hooks/config-changed": "#!/bin/sh\n[ $(config-get x) = a ]\n",
		"actions/backup": "#!/bin/sh\n", "actions/slow": slowAction})
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	w.failed()
	if got := w.over(w.run("backup")); got.Status != core.TaskCompleted {
		t.Errorf("%+v", got)
	}
	w.failed()
	id := w.run("slow")
	pid := w.pid(unit)
	w.must(core.RemoveUnits{Units: []kith.UnitName{"web/0"}, Force: true})
	if got := w.over(id); got.Status != core.TaskCancelled || got.Message != "unit removed" {
		t.Errorf("%+v", got)
	}
	w.mu.Lock()
	w.send(goneEvent("web/0"))
	w.mu.Unlock()
	waitFor(t, "the end of the process", func() bool { return !running(pid) })
}

func goneEvent(u kith.UnitName) api.HostEvent {
	ref := refOf(u)
	return api.HostEvent{Gone: &ref}
}
