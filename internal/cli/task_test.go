package cli

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// taskSample is a task that has everything a task can have.
func taskSample() api.Task {
	at := time.Date(2026, 1, 31, 12, 2, 11, 987, time.UTC)
	return api.Task{ID: 2, Operation: 1, Unit: "testdb/0", Action: "backup", Params: core.Settings{"level": int64(5)},
		Status: core.TaskFailed, Message: "not today", Log: []core.LogMessage{{Time: at, Text: "half way"}},
		Results:  core.Settings{"config": map[string]any{"option": "foobar"}, "return-code": int64(1), "stdout": "a\r\nb\n\n", "stderr": "\noops"},
		Enqueued: at, Started: at.Add(time.Second), Completed: at.Add(2 * time.Second)}
}

// CLI reference, section 5.9: the document of a task; "left out when empty".
func TestTaskDocument(t *testing.T) {
	t.Parallel()
	j, err := jsonText(map[string]any{"testdb/0": taskDoc(taskSample(), true)})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "task.json", j)
	bare := api.Task{ID: 3, Unit: "testdb/0", Machine: "7", Status: core.TaskPending, Enqueued: taskSample().Enqueued}
	j, err = jsonText(taskDoc(bare, true))
	if want := `{"id":"3","machine":"7","status":"pending","timing":{"enqueued":"2026-01-31 12:02:11 +0000 UTC"}}` + "\n"; err != nil || j != want {
		t.Errorf("%s, %v, want %s", j, err, want)
	}
}

// Section 9.4: the record of an operation.
func TestOperationDocument(t *testing.T) {
	t.Parallel()
	task := taskSample()
	op := api.Operation{ID: 1, Action: "backup", Summary: "backup run on unit-testdb-0,unit-testdb-9", Status: core.TaskFailed,
		Refused: []string{`"unit-testdb-9" not found`}, Enqueued: task.Enqueued, Started: task.Started, Completed: task.Completed, Tasks: []api.Task{task}}
	y, err := yamlText(operationDocument(op, true))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "operation.yaml", y)
	many := op
	many.ID, many.Completed = 10, time.Time{}
	for i := range 6 {
		many.Tasks = append(many.Tasks, api.Task{ID: kith.TaskID(11 + i)})
	}
	none := api.Operation{ID: 20, Action: "backup", Summary: "backup run on unit-x-0", Status: core.TaskError, Completed: op.Completed}
	golden(t, "operations.txt", operationsTable([]api.Operation{op, many, none}, true))
	doc, err := yamlText(operationDocument(none, true))
	if err != nil || !strings.Contains(doc, "parameters: {}\n") || strings.Contains(doc, "tasks:") {
		t.Errorf("%s, %v", doc, err)
	}
}

// Section 9.1: "the result values as YAML, then stdout, then stderr of the action, each trimmed of
// newlines"; a failure first; without any result the status.
func TestTaskText(t *testing.T) {
	t.Parallel()
	failed, silent, binary := taskSample(), taskSample(), taskSample()
	silent.Status, silent.Results = core.TaskCompleted, core.Settings{"return-code": int64(0)}
	binary.Status, binary.Results = core.TaskCompleted, core.Settings{"stdout": "aGk=", "stdout-encoding": "base64"}
	for _, c := range []struct {
		task api.Task
		want string
	}{
		{failed, "Action id 2 failed: not today\nconfig:\n  option: foobar\na\nb\noops\n"},
		{silent, "Task 2 completed\n"},
		{binary, "hi\n"},
	} {
		if got, err := taskText(c.task); err != nil || got != c.want {
			t.Errorf("%q, %v, want %q", got, err, c.want)
		}
	}
}

// Section 9.2: "stdout then stderr of the command, with a final newline".
func TestCommandText(t *testing.T) {
	t.Parallel()
	task := func(unit kith.UnitName, out, errs string) api.Task {
		return api.Task{ID: 2, Unit: unit, Status: core.TaskCompleted, Results: core.Settings{"stdout": out, "stderr": errs}}
	}
	for _, c := range []struct{ out, errs, want string }{
		{"a", "", "a\n"}, {"a\n", "b", "a\nb\n"}, {"a", "b\n", "a\nb\n"}, {"", "", ""}, {"\n\na", "", "\n\na\n"},
	} {
		if got := commandText(task("x/0", c.out, c.errs)); got != c.want {
			t.Errorf("%q and %q: %q, want %q", c.out, c.errs, got, c.want)
		}
	}
	if got := commandText(api.Task{ID: 2, Status: core.TaskFailed, Message: "command timed out"}); got != "Task 2 failed: command timed out\n" {
		t.Errorf("%q", got)
	}
	if got := commandsText([]api.Task{task("x/0", "a\n", ""), task("x/1", "", "")}); got != "x/0:\na\n\nx/1:\n\n" {
		t.Errorf("%q", got)
	}
}

// Section 9.1: "k=v arguments override" the file, dots build nested objects, values are YAML.
func TestReadParams(t *testing.T) {
	t.Parallel()
	x := &call{in: strings.NewReader("a: {b: 1, c: [x, {d: e}]}\nyes: no\n")}
	got, err := x.readParams("-", []paramArg{{[]string{"a", "b"}, "2"}, {[]string{"n", "m"}, "1.5"}, {[]string{"t"}, "on"}, {[]string{"e"}, ""}}, false)
	if err == nil || !strings.Contains(err.Error(), "keys must be strings, and true is none") {
		t.Errorf("a key that is no string: %v, %v", got, err)
	}
	x.in = strings.NewReader("a: {b: 1, c: [x, {d: e}]}\n'yes': no\n")
	got, err = x.readParams("-", []paramArg{{[]string{"a", "b"}, "2"}, {[]string{"n", "m"}, "1.5"}, {[]string{"t"}, "on"}, {[]string{"e"}, ""}}, false)
	want := core.Settings{"a": map[string]any{"b": 2, "c": []any{"x", map[string]any{"d": "e"}}}, "yes": false,
		"n": map[string]any{"m": 1.5}, "t": true, "e": nil}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v, want %#v", got, err, want)
	}
	got, err = x.readParams("", []paramArg{{[]string{"a"}, "5"}, {[]string{"a", "b"}, "on"}}, true)
	if want := (core.Settings{"a": map[string]any{"b": "on"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %v, want %#v", got, err, want)
	}
	if _, err := x.readParams("", []paramArg{{[]string{"a"}, "{"}}, false); kith.CodeOf(err) != kith.Invalid || kith.HintOf(err) == "" {
		t.Errorf("a value that is no YAML: %v", err)
	}
	if got, err := x.readParams("", nil, false); got != nil || err != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
}

// Section 9.2: "several are quoted and joined".
func TestShellWords(t *testing.T) {
	t.Parallel()
	got := shellWords([]string{"echo", "a b", "$HOME", "it's", "", "x=1", "*"})
	if want := `echo 'a b' '$HOME' 'it'\''s' '' x=1 '*'`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
