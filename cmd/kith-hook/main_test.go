package main

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kith/internal/hookwire"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/deps.golden anew")

// build makes a static binary of the package in dir and returns its path.
func build(t testing.TB, dir, pkg string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "bin")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// agent answers every tool call with the call itself; "eat" asks for standard input.
func agent(t testing.TB) (env []string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "kh") // short: a socket's name has about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
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
			_ = hookwire.Serve(c, func(q hookwire.Request) hookwire.Response {
				return hookwire.Response{NeedStdin: q.Tool == "eat" && !q.StdinSupplied, Code: uint8(len(q.Args)),
					Stdout: []byte(q.Tool + " " + strings.Join(q.Args, " ") + " <" + string(q.Stdin) + ">\n")}
			})
			c.Close() //nolint:errcheck // served
		}
	}()
	t.Cleanup(func() {
		l.Close() //nolint:errcheck // a listener
		<-done
		os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	})
	return []string{"JUJU_CONTEXT_ID=c", "JUJU_AGENT_SOCKET_NETWORK=unix", "JUJU_AGENT_SOCKET_ADDRESS=" + l.Addr().String()}
}

// The real binary under several names, called from a shell as a charm does it. The
// loop is the reason for the rule of section 6.1 of the hook protocol reference: a
// tool that does not need stdin must leave it to the loop.
func TestToolsInAShell(t *testing.T) {
	t.Parallel()
	bin := build(t, ".", ".")
	tools := t.TempDir()
	for _, name := range []string{"show", "eat"} {
		if err := os.Symlink(bin, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", "-c", `printf '1\n2\n' | while read n; do show "$n"; done; echo x | eat; show; echo "exit $?"; show a b; echo "exit $?"`)
	cmd.Env = append(agent(t), "PATH="+tools+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const want = "show 1 <>\nshow 2 <>\neat  <x\n>\nshow  <>\nexit 0\nshow a b <>\nexit 2\n"
	if string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

// Conformance vector 62.
func TestOutsideAHook(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(build(t, ".", "."))
	cmd.Args[0], cmd.Env = "config-get", []string{}
	out, err := cmd.CombinedOutput()
	if string(out) != "ERROR JUJU_CONTEXT_ID not set\n" || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%q, %v", out, err)
	}
}

// The list of linked packages is golden, because each is paid for at every start.
func TestDependencies(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "internal/") && !strings.HasPrefix(line, "vendor/") { // Go's own affair
			got.WriteString(line)
		}
	}
	const golden = "testdata/deps.golden"
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("kith-hook links other packages than %s says; each costs start-up time at every hook tool call.\ngot\n%s", golden, got.String())
	}
}

// BenchmarkStart compares the start of a hook tool, its call included, with that of an
// empty static Go program; the two take turns, so both see the same machine. The
// target is a ratio of 1.5 at most.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for name, text := range map[string]string{"go.mod": "module empty\n", "main.go": "package main\n\nfunc main() {}\n"} { // any order
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	empty, tool, env := build(b, dir, "."), build(b, ".", "."), agent(b)
	start := func(bin string) time.Duration {
		cmd := exec.Command(bin)
		cmd.Env = env
		began := time.Now()
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	var sum [2]time.Duration
	for b.Loop() {
		sum[0] += start(empty)
		sum[1] += start(tool)
	}
	b.ReportMetric(float64(sum[0].Microseconds())/float64(b.N), "empty-µs")
	b.ReportMetric(float64(sum[1].Microseconds())/float64(b.N), "tool-µs")
	b.ReportMetric(float64(sum[1])/float64(sum[0]), "ratio")
}
