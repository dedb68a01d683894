package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"kith/internal/client"
)

// startRuns is how often each program is started; the median counts.
const (
	startRuns = 7
	toolRuns  = 300
)

// measureStart starts kith and a bare etcd in turns, then kith-hook and an empty
// program in turns, so that what else the machine does meets both alike.
func measureStart(ctx context.Context, e *env) ([]row, error) {
	var up, bare []time.Duration
	for i := range startRuns {
		d, err := timeBare(ctx, filepath.Join(e.temp, fmt.Sprintf("etcd%d", i)))
		if err != nil {
			return nil, err
		}
		bare = append(bare, d)
		if d, err = timeUp(ctx, e, filepath.Join(e.temp, fmt.Sprintf("kith%d", i))); err != nil {
			return nil, err
		}
		up = append(up, d)
	}
	tool, empty, err := timeTools(ctx, e)
	if err != nil {
		return nil, err
	}
	return []row{
		atMost("kith up to first answer", median(up), median(bare), "bare embedded etcd to first answer", "ms", 3),
		atMost("hook tool start", tool, empty, "an empty static Go program", "ms", 1.5),
	}, nil
}

// timeBare is from starting a program that embeds etcd to its first answer.
func timeBare(ctx context.Context, dir string) (time.Duration, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, childFlag, dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_, err = bufio.NewReader(stdout).ReadString('\n')
	took := time.Since(begin)
	stdin.Close()
	if werr := cmd.Wait(); err == nil {
		err = werr
	}
	return took, err
}

// timeUp is from starting "kith up" in an empty home to the controller's first answer.
func timeUp(ctx context.Context, e *env, home string) (time.Duration, error) {
	k := &deployment{env: e, home: home}
	defer k.down()
	begin := time.Now()
	if err := k.up(ctx); err != nil {
		return 0, err
	}
	if _, err := k.client.Models(ctx); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}

// timeTools is the median time of kith-hook, which complains that it is in no
// hook, and of a program that does nothing.
func timeTools(ctx context.Context, e *env) (tool, empty float64, err error) {
	if err := os.MkdirAll(e.temp, 0o755); err != nil {
		return 0, 0, err
	}
	source := filepath.Join(e.temp, "empty.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return 0, 0, err
	}
	program := filepath.Join(e.temp, "empty")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("building an empty program: %w: %s", err, out)
	}
	link := filepath.Join(e.temp, "is-leader")
	if err := os.Symlink(filepath.Join(e.bin, "kith-hook"), link); err != nil {
		return 0, 0, err
	}
	var tools, empties []time.Duration
	for range toolRuns {
		tools = append(tools, timeRun(ctx, link))
		empties = append(empties, timeRun(ctx, program))
	}
	return median(tools), median(empties), nil
}

func timeRun(ctx context.Context, program string) time.Duration {
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = []string{}
	begin := time.Now()
	_ = cmd.Run() // kith-hook outside a hook exits 1: that is what it is asked for
	return time.Since(begin)
}

// deployment is one kith of its own: a home, a controller, a client.
type deployment struct {
	env    *env
	home   string
	client *client.Client
}

func (d *deployment) up(ctx context.Context) error {
	if err := os.MkdirAll(d.home, 0o700); err != nil {
		return err
	}
	if _, err := d.kith(ctx, "up"); err != nil {
		return err
	}
	d.client = client.Unix(filepath.Join(d.home, "controller", "kith.sock"))
	return nil
}

// kith runs one command of the CLI in the deployment's home and returns its output.
func (d *deployment) kith(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.env.kith(), args...)
	cmd.Env = append(os.Environ(), "KITH_HOME="+d.home)
	stderr, stdout := new(limited), new(limited)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("kith %v: %w: %s", args, err, stderr.data)
	}
	return string(stdout.data), nil
}

func (d *deployment) down() {
	_, _ = d.kith(context.Background(), "down")
}

// limited keeps the first part of what is written to it.
type limited struct{ data []byte }

func (l *limited) Write(p []byte) (int, error) {
	const most = 1 << 20
	l.data = append(l.data, p[:min(len(p), max(0, most-len(l.data)))]...)
	return len(p), nil
}

var _ io.Writer = (*limited)(nil)
