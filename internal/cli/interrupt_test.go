package cli

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Ctrl-C ends a command that waits for a controller which does not answer.
func TestInterruptedRequest(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "kith") // a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.MkdirAll(filepath.Join(dir, "controller"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "controller", socketName))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	silent := make(chan struct{})
	go func() {
		defer close(silent)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buffer := make([]byte, 1)
		conn.Read(buffer) // the request has begun
		cancel()
		conn.Read(make([]byte, 64<<10)) // until the client hangs up
	}()
	var out, stderr bytes.Buffer
	env := map[string]string{"KITH_HOME": dir}
	status := Run(ctx, []string{"kith", "status", "-m", "x", "--format", "json"},
		Streams{In: strings.NewReader(""), Out: &out, Err: &stderr, Getenv: func(n string) string { return env[n] }})
	if status != interrupted || out.String() != "" || stderr.String() != "ERROR interrupted\n" {
		t.Errorf("status %d, stdout %q, stderr %q", status, out.String(), stderr.String())
	}
	<-silent
}

// self is a kith process of this test binary.
func self(t *testing.T, home string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Args[0] = "kith"
	cmd.Env = append(os.Environ(), "KITH_HOME="+home)
	return cmd
}

// up --foreground answers when it says so, ends on Ctrl-C with status 0, and
// leaves nothing behind; status --watch ends the same way.
func TestForeground(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a controller")
	}
	t.Parallel()
	tool := buildHookTool(t)
	dir, err := os.MkdirTemp("", "kith")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cmd := self(t, dir, "up", "--foreground", "--hook-tool", tool)
	end := follow(t, cmd, "kith is up")
	for _, args := range [][]string{{"add-model", "m"}, {"models"}} {
		if text, err := self(t, dir, args...).CombinedOutput(); err != nil {
			t.Errorf("kith %v: %v\n%s", args, err, text)
		}
	}
	end2 := follow(t, self(t, dir, "status", "--watch", "1h"), `Model "admin/m" is empty`)
	if err := end2(); err != nil {
		t.Errorf("status --watch, interrupted: %v", err)
	}
	if err := end(); err != nil {
		t.Errorf("up --foreground, interrupted: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "controller", socketName)); !os.IsNotExist(err) {
		t.Errorf("the socket is still there (%v)", err)
	}
	if running, err := (&daemon{data: filepath.Join(dir, "controller")}).running(); running || err != nil {
		t.Errorf("the data folder is still locked: %v, %v", running, err)
	}
}

// follow starts a process and returns when its stderr says something. The
// function it returns interrupts the process and waits for it.
func follow(t *testing.T, cmd *exec.Cmd, what string) func() error {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), what) {
			return func() error {
				if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
					return err
				}
				for lines.Scan() { // so that the process is never blocked
				}
				return cmd.Wait()
			}
		}
	}
	t.Fatalf("%v ended (%v) without %q; it said\n%s", cmd.Args, cmd.Wait(), what, said.String())
	return nil
}
