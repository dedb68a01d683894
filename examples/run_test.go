package examples_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a whole scenario may take on a busy machine. Nothing waits
// for it to pass.
const patience = 3 * time.Minute

// TestRun runs the charms under the real programs: processes, sockets, store.
func TestRun(t *testing.T) {
	t.Parallel()
	bin := build(t)
	t.Run("demo", func(t *testing.T) { t.Parallel(); testDemo(t, bin) })
	t.Run("interrupted demo", func(t *testing.T) { t.Parallel(); testInterrupt(t, bin) })
	t.Run("subordinate", func(t *testing.T) { t.Parallel(); testSubordinate(t, bin) })
	t.Run("leader", func(t *testing.T) { t.Parallel(); testLeader(t, bin) })
	t.Run("database", func(t *testing.T) { t.Parallel(); testDatabase(t, bin) })
}

// build compiles the programs into a folder of their own.
func build(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-o", bin, "../cmd/kith", "../cmd/kith-hook")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// demo prepares the demo in a folder of its own, in its own process group.
func demo(t *testing.T, bin string) (*exec.Cmd, string) {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "kd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "demo/demo.sh")
	cmd.Env = append(os.Environ(), "KITH="+filepath.Join(bin, "kith"), "DEMO_TMP="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, dir
}

func testDemo(t *testing.T, bin string) {
	cmd, dir := demo(t, bin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the demo failed: %v\n%s", err, out)
	}
	rest := string(out)
	for _, want := range []string{ // in this order
		"needs a database: integrate web-app with one",
		"    web-app/0          ran \"database-relation-changed\" hook\n",
		"establishing a new relation for web-app:database would exceed its maximum relation limit of 1",
		"token-provider has leader-uuid",
		"special-field changed",
		" leads. Take it away",
		"now following cluster/",
		"=== How things are",
		"database web at 127.",
		"database:database",
		"=== What both sides published",
		"special-field: changed",
		"=== Every event, in order",
		"ran \"cluster-relation-departed\" hook",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("the demo does not say %q at its place; it said\n%s", want, out)
		}
		rest = after
	}
	wantNothingLeft(t, dir)
}

// testInterrupt ends the demo in its middle, as Ctrl-C does: by SIGINT to its process group.
func testInterrupt(t *testing.T, bin string) {
	cmd, dir := demo(t, bin)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var said bytes.Buffer
	for lines := bufio.NewScanner(io.TeeReader(r, &said)); lines.Scan(); {
		if strings.Contains(lines.Text(), "kith integrate web-app database") {
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(&said, r)
			break
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("the interrupted demo ended with %v, want exit status 130; it said\n%s", err, said.String())
	}
	wantNothingLeft(t, dir)
}

// wantNothingLeft checks that no file is left in dir and no process speaks of it.
func wantNothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the demo left %v (%v)", left, err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	processes, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		// Others' processes cannot be read, and some end while we look.
		environ, err := os.ReadFile(p)
		if err == nil && bytes.Contains(environ, []byte("KITH_HOME="+dir)) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(p), "cmdline"))
			t.Errorf("the demo left %s running: %q", filepath.Dir(p), command)
		}
	}
}

// home is one controller with its client state.
type home struct {
	t   *testing.T
	bin string
	dir string
}

// up starts a controller in a home of its own, and ends it with the test.
func up(t *testing.T, bin string) *home {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "kh") // short: a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	h := &home{t: t, bin: bin, dir: dir}
	t.Cleanup(func() {
		if out, err := h.command(context.Background(), "down").CombinedOutput(); err != nil {
			t.Errorf("kith down: %v\n%s", err, out)
		}
		_ = os.RemoveAll(dir)
	})
	h.kith("up")
	h.kith("add-model test")
	return h
}

func (h *home) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(h.bin, "kith"), strings.Fields(line)...)
	cmd.Dir = "charms"
	cmd.Env = append(os.Environ(), "KITH_HOME="+h.dir)
	return cmd
}

// try runs one kith command and returns all it says.
func (h *home) try(line string) (string, error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	out, err := h.command(ctx, line).CombinedOutput()
	return string(out), err
}

// kith runs kith commands that have to succeed and returns what the last one says.
func (h *home) kith(lines ...string) string {
	h.t.Helper()
	var last string
	for _, line := range lines {
		out, err := h.try(line)
		if err != nil {
			h.t.Fatalf("kith %s: %v\n%s", line, err, out)
		}
		last = out
	}
	return last
}

// want checks that text holds each of the parts.
func (h *home) want(text string, parts ...string) {
	h.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			h.t.Errorf("no %q in\n%s", part, text)
		}
	}
}

func testSubordinate(t *testing.T, bin string) {
	h := up(t, bin)
	h.kith("deploy ./some-app -n 2", "deploy ./rsyslog-forwarder", "integrate some-app rsyslog-forwarder", "settle --timeout 2m")
	status := h.kith("status --relations")
	h.want(status, "some-app:logging-directory", "subordinate", "  rsyslog-forwarder/0", "  rsyslog-forwarder/1",
		"some-app/0 to logs.example.com:514", "some-app/1 to logs.example.com:514")
	h.want(h.kith("debug-log --limit 0"), "unit-some-app-0/charm/log/*.log", "unit-some-app-1/charm/log/*.log")

	// An application without logging-directory is reached over juju-info.
	h.kith("deploy ./web-app", "integrate web-app rsyslog-forwarder", "settle --timeout 2m")
	h.want(h.kith("status --relations"), "web-app:juju-info", "web-app/0 to logs.example.com:514")
	h.want(h.kith("debug-log --limit 0 --include rsyslog-forwarder/2"), "forwarding /var/log/syslog")

	out, err := h.try("remove-unit --no-prompt rsyslog-forwarder/0")
	if err == nil {
		t.Errorf("a subordinate unit was removed:\n%s", out)
	}
	h.want(out, "is a subordinate, to remove use remove-relation")
	h.kith("remove-relation some-app rsyslog-forwarder", "settle --timeout 2m")
	status = h.kith("status")
	if strings.Contains(status, "rsyslog-forwarder/0") || !strings.Contains(status, "rsyslog-forwarder/2") {
		t.Errorf("removing the relation with some-app should remove its two forwarders and no other:\n%s", status)
	}
}

func testLeader(t *testing.T, bin string) {
	h := up(t, bin)
	h.kith("deploy ./cluster -n 3", "settle --timeout 2m")
	units := []string{"cluster/0", "cluster/1", "cluster/2"}
	var leader string
	status := h.kith("status")
	for _, u := range units {
		if strings.Contains(status, u+"*") {
			leader = u
		}
	}
	if leader == "" {
		t.Fatalf("nobody leads:\n%s", status)
	}
	h.want(status, "leads at 127.", "follows "+leader+" at 127.")
	h.kith("remove-unit --no-prompt "+leader, "settle --timeout 2m")
	status = h.kith("status")
	if strings.Contains(status, leader) {
		t.Errorf("%s is still followed:\n%s", leader, status)
	}
	h.want(status, "leads at 127.", "follows cluster/")
}

func testDatabase(t *testing.T, bin string) {
	h := up(t, bin)
	h.kith("deploy ./database -n 2", "deploy ./web-app", "integrate web-app database", "settle --timeout 2m")
	h.want(h.kith("status web-app"), "database web at 127.", ":5432")
	before := password(h)

	h.kith("config database port=5433", "settle --timeout 2m")
	h.want(h.kith("status web-app"), ":5433")

	// The next leader gives the same password.
	leader := "database/0"
	if !strings.Contains(h.kith("status database"), leader+"*") {
		leader = "database/1"
	}
	h.kith("remove-unit --no-prompt "+leader, "settle --timeout 2m")
	if after := password(h); after != before {
		t.Errorf("the password was %q, and after the leader's removal %q", before, after)
	}

	// Removed and integrated again at once, and once more.
	for range 2 {
		h.kith("remove-relation web-app database", "settle --timeout 2m")
		h.want(h.kith("status web-app"), "blocked", "needs a database")
		h.kith("integrate web-app database", "settle --timeout 2m")
		h.want(h.kith("status web-app"), "database web at 127.")
	}
}

// password is what the database has published for web-app.
func password(h *home) string {
	h.t.Helper()
	_, rest, found := strings.Cut(h.kith("show-unit web-app/0"), "password: ")
	if !found {
		h.t.Fatal("the database published no password")
	}
	line, _, _ := strings.Cut(rest, "\n")
	return line
}
