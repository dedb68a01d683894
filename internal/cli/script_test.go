package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary be kith, juju and juju-exec: scripts run it under those
// names, and it runs itself again in the background as the real program does.
func TestMain(m *testing.M) {
	program := func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(Run(ctx, os.Args, OSStreams()))
	}
	testscript.Main(m, map[string]func(){"kith": program, "juju": program, "juju-exec": program})
}

// TestScripts runs the transcripts in testdata against real controllers, each in
// a home of its own.
//
// Besides what testscript has: "status N COMMAND…" runs a program and wants that
// exit status; "up" starts a controller; "kill9" kills it without warning; "capture VARIABLE
// REGEXP" keeps what a group matches in the last output; "absent TEXT…" wants no file of the home
// to hold a text, as it is or in base64; "guardedetcd" starts an etcd with TLS and users. $CHARMS is where the example charms are, and
// $SDK the checkout.
func TestScripts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts controllers")
	}
	tool := buildHookTool(t)
	charms, err := filepath.Abs(filepath.Join("..", "..", "examples", "charms"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("KITH_HOME", filepath.Join(e.WorkDir, "h"))
			e.Setenv("KITH_HOOK", tool)
			e.Setenv("CHARMS", charms)
			e.Setenv("SDK", filepath.Dir(filepath.Dir(charms)))
			e.Setenv("TZ", "UTC")
			e.Defer(func() { stopAll(t, e.WorkDir) })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": scriptStatus, "glob": scriptGlob, "up": scriptUp, "kill9": scriptKill, "capture": scriptCapture, "absent": scriptAbsent,
			"guardedetcd": scriptGuardedEtcd(t),
		},
	})
}

// buildHookTool compiles kith-hook into a folder that outlives the scripts.
func buildHookTool(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "kith-hook")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", tool, "kith/cmd/kith-hook")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return tool
}

// scriptUp starts a controller in the background.
func scriptUp(ts *testscript.TestScript, neg bool, args []string) {
	args = append([]string{"up", "--hook-tool", ts.Getenv("KITH_HOOK")}, args...)
	if err := ts.Exec("kith", args...); (err != nil) != neg {
		ts.Fatalf("kith %v: %v", args, err)
	}
}

// scriptStatus runs a program and wants an exit status.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// scriptGlob wants a file that matches, or none.
func scriptGlob(ts *testscript.TestScript, neg bool, args []string) {
	for _, pattern := range args {
		found, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if (len(found) > 0) == neg {
			ts.Fatalf("%s matches %q", pattern, found)
		}
	}
}

// scriptKill kills the controller of the home, and waits until it is gone.
func scriptKill(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(killController(ts.Getenv("KITH_HOME")))
}

func killController(dir string) error {
	d := &daemon{data: filepath.Join(dir, "controller")}
	if err := d.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return d.awaitEnd(context.Background())
}

// scriptCapture sets a variable from the last output.
func scriptCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE REGEXP")
	}
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("no match for %q", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// scriptAbsent looks for texts in every file below the home: the store, the logs, what agents keep.
func scriptAbsent(ts *testscript.TestScript, neg bool, texts []string) {
	found := ""
	err := filepath.WalkDir(ts.Getenv("KITH_HOME"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went while we looked
		}
		for _, text := range texts {
			for _, form := range encodings(text) {
				if bytes.Contains(data, []byte(form)) {
					found += fmt.Sprintf("%s holds %q (as %q)\n", name, text, form)
				}
			}
		}
		return err
	})
	ts.Check(err)
	if (found != "") != neg {
		ts.Fatalf("looking for %q: %s", texts, cmp.Or(found, "it is nowhere"))
	}
}

// encodings are the forms in which a text may be written down: plain, and the part of its base64
// that does not depend on what stands around it.
func encodings(text string) []string {
	forms := []string{text}
	for shift := range 3 {
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + text))
		from := []int{0, 2, 3}[shift]
		forms = append(forms, coded[from:len(coded)-3])
	}
	return forms
}

// stopAll ends every controller a script has left running below dir.
func stopAll(t *testing.T, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "controller", pidName))
	if err != nil {
		t.Error(err)
	}
	for _, file := range files {
		d := &daemon{data: filepath.Dir(file)}
		running, err := d.running()
		if err == nil && running {
			err = endController(d)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// endController sends SIGTERM, which is what down falls back to.
func endController(d *daemon) error {
	if err := d.signal(syscall.SIGTERM); err != nil {
		return err
	}
	return d.awaitEnd(context.Background())
}
