package pycharms_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// taskResult is a task as Jubilant reads it (CLI reference, section 4.4).
type taskResult struct {
	ID, Status, Message, Unit string
	Log                       []string
	Results                   map[string]any
}

// task runs a command whose answer is a task in JSON, and returns it with the exit status and
// what was said on stderr.
func (m *model) task(args ...string) (taskResult, int, string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.t.Context()), patience)
	defer cancel()
	var out, talk bytes.Buffer
	cmd := m.w.command(ctx, append([]string{args[0], "--format", "json", "-m", m.name, "--wait", "4m"}, args[1:]...)...)
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		m.t.Fatal(err)
	}
	var all map[string]taskResult
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &all); err != nil {
			m.t.Fatalf("kith %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), talk.String())
		}
	}
	for _, t := range all {
		return t, cmd.ProcessState.ExitCode(), talk.String()
	}
	return taskResult{}, cmd.ProcessState.ExitCode(), talk.String()
}

// testActions: actions and commands (ops 6, "Actions"; protocol 3.6, 5.3, 11; the CLI
// reference, sections 4.4 and 9.1).
func testActions(t *testing.T, m *model) {
	m.quiet("worker", "install", "start", "leader-elected", "leader-settings-changed", "ring-relation-created", "ring-relation-joined")
	m.do("deploy " + m.stage("worker") + " worker -n 2")

	got, status, talk := m.task("run", "worker/0", "work", "name=you", "ratio=1.5", "deep.host=h", "tags=[a, b]")
	want(t, "the exit status", status, 0)
	want(t, "the status", got.Status, "completed")
	want(t, "the parameters", got.Results["params"],
		`{"deep": {"host": "h", "port": 22}, "name": "you", "ratio": 1.5, "tags": ["a", "b"], "times": 2}`)
	want(t, "the id", got.Results["id"], got.ID)
	want(t, "nested results", got.Results["nested"], map[string]any{"deep": map[string]any{"er": "x"}, "other": "y"})
	want(t, "an empty result", got.Results["empty"], "")
	want(t, "the environment", got.Results["environment"], `["work", "action-`+got.ID+`", "actions/work", ""]`)
	want(t, "stdout", got.Results["stdout"], "printed\n")
	want(t, "the return code", got.Results["return-code"], 0)
	if len(got.Log) != 2 || !strings.HasSuffix(got.Log[0], " half way") || !strings.HasSuffix(got.Log[1], " -- done --") {
		t.Errorf("the log is %q", got.Log)
	}
	if !strings.Contains(talk, " half way\n") {
		t.Errorf("the log was not shown as it came: %s", talk)
	}

	got, status, _ = m.task("run", "worker/0", "refuse")
	want(t, "a failed action", []any{status, got.Status, got.Message, got.Results}, []any{0, "failed", "not today", map[string]any{"half": "way", "return-code": 0}})
	got, status, talk = m.task("run", "worker/0", "crash")
	want(t, "an exception", []any{status, got.Status, got.Message, got.Results["half"], got.Results["return-code"]},
		[]any{1, "failed", "exit status 1", "way", 1})
	// ops writes a short form there, and the traceback to the log (ops 2).
	if stderr, _ := got.Results["stderr"].(string); !strings.Contains(stderr, "RuntimeError in charm code: out of order") {
		t.Errorf("the exception is not in stderr: %q", stderr)
	}
	if !strings.Contains(talk, "ERROR the following task failed:") {
		t.Errorf("the command says %q", talk)
	}
	got, _, _ = m.task("run", "worker/0", "unheard")
	want(t, "an action nobody observes", []any{got.Status, got.Results}, []any{"completed", map[string]any{"return-code": 0}})

	got, _, _ = m.task("run", "worker/0", "typed", "level=7")
	want(t, "typed parameters", got.Results["level"], "7 int")
	got, status, _ = m.task("run", "worker/0", "typed", "level=10")
	want(t, "parameters of the wrong kind", []any{status, got.Status, got.Results}, []any{0, "failed", map[string]any{"return-code": 0}})
	if !strings.Contains(got.Message, "level 10 is too high") {
		t.Errorf("it fails with %q", got.Message)
	}
	got, _, _ = m.task("run", "worker/0", "misuse")
	for key, text := range map[string]string{"key": "ValueError", "twice": "ValueError", "reserved": `cannot set reserved action key "stdout"`, "defer": "RuntimeError"} {
		if said, _ := got.Results[key].(string); !strings.Contains(said, text) {
			t.Errorf("%s: %q, want %q in it", key, said, text)
		}
	}

	testActionRefusals(t, m)
	testActionEffects(t, m)
}

// testActionRefusals: what the schema does not allow never reaches the charm.
func testActionRefusals(t *testing.T, m *model) {
	for _, c := range []struct{ args, says string }{
		{"run worker/0 work", `validation failed: (root) : "name" property is missing and required, given {}`},
		{"run worker/0 work name=x times=-1", "validation failed: (root).times : "},
		{"run worker/0 work name=x colour=red", `additional property "colour" is not allowed`},
		{"run worker/0 nothing", `action "nothing" not defined on unit "worker/0"`},
		{"run worker/9 work name=x", `"unit-worker-9" not found`},
	} {
		got, status, talk := m.task(strings.Fields(c.args)...)
		if status != 0 || got.ID != "" || !strings.Contains(talk, c.says) {
			t.Errorf("%s: status %d, %+v, says %q; want %q", c.args, status, got, talk, c.says)
		}
	}
}

// testActionEffects: what an action writes is published if its process succeeds; it runs while a
// hook is in error; commands have the tools.
func testActionEffects(t *testing.T, m *model) {
	before := m.mark("worker/1")
	got, _, _ := m.task("run", "worker/0", "publish", "word=hello")
	want(t, "publish", got.Status, "completed")
	m.do()
	wantTrace(t, "the other unit hears of it", m.since(before, "worker/1"), "ring-relation-changed R=worker/0")
	got, status, _ := m.task("run", "worker/0", "publish", "word=bad")
	want(t, "publish and crash", []any{status, got.Status}, []any{1, "failed"})
	m.do()
	got, _, _ = m.task("exec", "--unit", "worker/1", "--", "relation-get", "-r", "ring:0", "word", "worker/0")
	want(t, "the data", got.Results["stdout"], "hello\n")

	m.do("config worker broken=true")
	want(t, "a hook in error", m.status().workload("worker/0"), `error: hook failed: "config-changed"`)
	got, _, _ = m.task("run", "worker/0", "publish", "word=still")
	want(t, "an action while a hook is in error", got.Status, "completed")
	got, status, _ = m.task("exec", "--unit", "worker/0", "--", "is-leader; config-get broken; exit 3")
	want(t, "a command while a hook is in error", []any{status, got.Status, got.Results["return-code"]}, []any{1, "completed", 3})
	want(t, "still in error", m.status().workload("worker/0"), `error: hook failed: "config-changed"`)
	m.do("config worker broken=false", "resolved --all")
}
