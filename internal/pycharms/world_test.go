package pycharms_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kith/internal/cli"
)

// asKith makes this test binary the kith program: the controller and every
// command the tests run are this one file, built once.
const asKith = "KITH_TEST_AS_KITH"

func TestMain(m *testing.M) {
	if os.Getenv(asKith) == "" {
		os.Exit(runAll(m))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, append([]string{"kith"}, os.Args[1:]...), cli.OSStreams()))
}

// runAll lets every scenario run at once, however few processors there are: each
// waits for processes most of the time, and the agent bounds how many run.
func runAll(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(len(scenarios)+1)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// patience is how long one command may take on a busy machine, waiting for hooks
// included. Nothing waits for it to pass.
const patience = 5 * time.Minute

// findVenv is the Python environment that `make venv` made, with what
// the requirements in testdata ask for. Where there is none the test is skipped; in CI it fails.
func findVenv(t *testing.T) string {
	t.Helper()
	give := t.Skipf
	if os.Getenv("CI") != "" {
		give = t.Fatalf
	}
	dir, err := filepath.Abs(cmp.Or(os.Getenv("KITH_VENV"), filepath.Join("..", "..", "build", "venv")))
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for _, name := range []string{"requirements.txt", "requirements-older.txt"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, text...)
	}
	switch have, err := os.ReadFile(filepath.Join(dir, "requirements.txt")); {
	case errors.Is(err, fs.ErrNotExist):
		give("no Python environment in build/venv: `make venv` makes one, with Python 3.10 or later and PyPI")
	case err != nil:
		t.Fatal(err)
	case !bytes.Equal(have, want):
		give("the Python environment in build/venv is of other requirements: run `make venv`")
	}
	return dir
}

// world is one controller, and the charms staged for it.
type world struct {
	venv string
	self string
	dir  string // KITH_HOME is below it
}

// newWorld starts a controller in a home of its own, and ends it with the test.
// It is started as in an activated venv, so that a charm's python3 is the venv's.
func newWorld(t *testing.T) *world {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{venv: findVenv(t), self: self}
	if w.dir, err = os.MkdirTemp("/tmp", "kp"); err != nil { // short: a socket's path may not be long
		t.Fatal(err)
	}
	tool := filepath.Join(w.dir, "kith-hook")
	t.Cleanup(func() {
		if out, err := w.command(context.Background(), "down").CombinedOutput(); err != nil {
			t.Errorf("kith down: %v\n%s", err, out)
		}
		if err := os.RemoveAll(w.dir); err != nil {
			t.Error(err)
		}
	})
	build := exec.Command("go", "build", "-buildvcs=false", "-o", tool, "kith/cmd/kith-hook")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if out, err := w.command(t.Context(), "up", "--hook-tool", tool).CombinedOutput(); err != nil {
		t.Fatalf("kith up: %v\n%s", err, out)
	}
	return w
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.self, args...)
	cmd.Env = append(os.Environ(), asKith+"=1", "KITH_HOME="+filepath.Join(w.dir, "h"),
		"PATH="+filepath.Join(w.venv, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	return cmd
}

// model is a model of its own for one test.
type model struct {
	t    *testing.T
	w    *world
	name string
	dir  string // staged charms, and the record
}

// model makes a model that is named after the test.
func (w *world) model(t *testing.T) *model {
	t.Helper()
	_, name, _ := strings.Cut(t.Name(), "/")
	m := &model{t: t, w: w, name: strings.ReplaceAll(name, "_", "-"), dir: t.TempDir()}
	if out, err := w.command(t.Context(), "add-model", m.name, "--no-switch").CombinedOutput(); err != nil {
		t.Fatalf("kith add-model: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := m.try("debug-log", "--limit", "40", "--level", "WARNING")
			t.Logf("the end of the log of %s:\n%s", m.name, out)
		}
	})
	m.kith("model-config", "automatically-retry-hooks=false") // a failed hook waits for "resolved"
	return m
}

// try runs a command in the model and returns all it says.
func (m *model) try(args ...string) (string, error) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.t.Context()), patience)
	defer cancel()
	var out bytes.Buffer
	cmd := m.w.command(ctx, append(slices.Clone(args), "-m", m.name)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// kith runs a command that has to succeed.
func (m *model) kith(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("kith %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// do runs commands, one a line, and waits until the model has settled.
func (m *model) do(lines ...string) {
	m.t.Helper()
	for _, line := range lines {
		m.kith(strings.Fields(line)...)
	}
	m.kith("settle", "--timeout", "4m")
}

// stage copies a charm of testdata for this model, with the recorder and, if it
// brings none, a dispatch in the older form.
func (m *model) stage(charm string) string {
	m.t.Helper()
	dir := filepath.Join(m.dir, charm)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	m.tree(filepath.Join("testdata", "charms", charm), dir)
	m.copy("testdata/lib/recorder.py", filepath.Join(dir, "lib", "recorder.py"))
	if _, err := os.Stat(filepath.Join(dir, "dispatch")); errors.Is(err, fs.ErrNotExist) {
		m.copy("testdata/lib/dispatch", filepath.Join(dir, "dispatch"))
	}
	m.write(filepath.Join(dir, "record"), m.record()+"\n")
	return dir
}

// stageOlder is stage for a charm that brings an ops of the 2.x line in venv/, under
// another name.
func (m *model) stageOlder(charm, as string) string {
	m.t.Helper()
	dir := filepath.Join(m.dir, as)
	m.tree(m.stage(charm), dir)
	m.tree(filepath.Join(m.w.venv, "older"), filepath.Join(dir, "venv"))
	return dir
}

func (m *model) tree(from, to string) {
	m.t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) record() string { return filepath.Join(m.dir, "record.jsonl") }

// quiet has the charm of a unit, or of all units of an application, run no Python for events
// that the test does not look at: they begin and end in its dispatch, and are not recorded.
func (m *model) quiet(who string, events ...string) {
	m.t.Helper()
	f, err := os.OpenFile(m.record()+".quiet", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	for _, event := range events {
		if _, err := fmt.Fprintln(f, who, event); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *model) copy(from, to string) {
	m.t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		m.t.Fatal(err)
	}
	info, err := os.Stat(from)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(to, string(data))
	if err := os.Chmod(to, info.Mode().Perm()); err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) write(path, text string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// event is one line of the record: what a charm saw while it handled an event.
type event struct {
	Unit, Hook, Event string

	// Of relation events.
	Relation, App, Remote string
	ID                    int
	Departing             *string
	Active                bool
	RelationApp           string `json:"relation-app"`
	Units                 []string
	Relations             []int
	Lookup                any
	Data                  map[string]bag

	// What single charms add.
	Result       map[string]any
	Value        string
	Certificates []string
	Matches      bool
	CommonName   string `json:"common_name"`
	CA           string `json:"ca"`
}

// bag is a databag as it was read, or why it could not be.
type bag struct {
	Keys   map[string]string
	Denied string
}

func (b *bag) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		return json.Unmarshal(data, &b.Denied)
	}
	return json.Unmarshal(data, &b.Keys)
}

// String is the event as the traces of the reference write it.
func (e event) String() string {
	s := e.Event
	if e.Relation != "" {
		s += " R=" + e.Remote
	}
	if e.Departing != nil {
		s += " D=" + *e.Departing
	}
	return s
}

// events reads what a unit has recorded, from its n-th line on.
func (m *model) events(unit string, from int) []event {
	m.t.Helper()
	data, err := os.ReadFile(m.record())
	if err != nil {
		m.t.Fatal(err)
	}
	var all []event
	for line := range bytes.Lines(data) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			m.t.Fatalf("%v in %s", err, line)
		}
		if e.Unit == unit {
			all = append(all, e)
		}
	}
	return all[min(from, len(all)):]
}

// mark is how much each unit has recorded.
type mark map[string]int

// mark remembers how much units have recorded, so that since shows what came later.
func (m *model) mark(units ...string) mark {
	m.t.Helper()
	seen := mark{}
	for _, u := range units {
		seen[u] = len(m.events(u, 0))
	}
	return seen
}

func (m *model) since(before mark, unit string) []event {
	m.t.Helper()
	return m.events(unit, before[unit])
}

// wantTrace compares events with a trace of the reference, word for word.
func wantTrace(t *testing.T, what string, got []event, want ...string) {
	t.Helper()
	if lines := trace(got); !slices.Equal(lines, want) {
		t.Errorf("%s:\n got  %s\n want %s", what, strings.Join(lines, "\n      "), strings.Join(want, "\n      "))
	}
}

func trace(events []event) []string {
	lines := []string{}
	for _, e := range events {
		lines = append(lines, e.String())
	}
	return lines
}

// want compares values by what they look like.
func want(t *testing.T, what string, got, wanted any) {
	t.Helper()
	a, b := look(got), look(wanted)
	if a != b {
		t.Errorf("%s is %s, want %s", what, a, b)
	}
}

// look is a value as JSON: what came through the record and what a test wrote compare equal.
func look(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// last is the last event of a kind.
func last(t *testing.T, events []event, kind string) event {
	t.Helper()
	for _, e := range slices.Backward(events) {
		if e.Event == kind {
			return e
		}
	}
	t.Fatalf("no %s in %v", kind, trace(events))
	return event{}
}

// status is what the tests read of `kith status --format json`.
type status struct {
	Applications map[string]struct {
		Status  statusLine `json:"application-status"`
		Version string     `json:"version"`
		Units   map[string]unitStatus
	}
}

type unitStatus struct {
	Workload     statusLine `json:"workload-status"`
	Leader       bool
	Ports        []string              `json:"open-ports"`
	Subordinates map[string]unitStatus `json:"subordinates"`
}

type statusLine struct {
	Current, Message string
}

func (m *model) status() status {
	m.t.Helper()
	var s status
	if err := json.Unmarshal([]byte(m.kith("status", "--format", "json")), &s); err != nil {
		m.t.Fatal(err)
	}
	return s
}

// workload is the workload status of a unit, in one string.
func (s status) workload(unit string) string {
	app, _, _ := strings.Cut(unit, "/")
	line := s.Applications[app].Units[unit].Workload
	return line.Current + ": " + line.Message
}

// leader is the unit that leads an application.
func (m *model) leader(app string) string {
	m.t.Helper()
	for name, u := range m.status().Applications[app].Units {
		if u.Leader {
			return name
		}
	}
	m.t.Fatalf("nobody leads %s", app)
	return ""
}

// charmDir is the folder in which a unit's charm runs.
func (m *model) charmDir(unit string) string {
	m.t.Helper()
	tag := "unit-" + strings.ReplaceAll(unit, "/", "-")
	found, err := filepath.Glob(filepath.Join(m.w.dir, "h", "controller", "agent", "*", tag, "charm"))
	if err != nil || len(found) != 1 {
		m.t.Fatalf("the charm of %s is in %v (%v)", unit, found, err)
	}
	return found[0]
}
