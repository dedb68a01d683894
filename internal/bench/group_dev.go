package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	devRounds = 20
	devHook   = "upgrade-charm"
	// devPatience bounds one round; devLook is how often the hooks' notes are looked at, which
	// costs the figure nothing: hooks note the time themselves.
	devPatience = 20 * time.Second
	devLook     = 2 * time.Millisecond
)

// measureDev edits a shell charm under `kith dev`: from the end of the write that saves a file to the first
// line of the hook that follows.
func measureDev(ctx context.Context, e *env) ([]row, error) {
	d := &deployed{deployment{env: e, home: filepath.Join(e.temp, "dev")}, filepath.Join(e.temp, "dev.log")}
	defer d.down()
	if err := d.up(ctx); err != nil {
		return nil, err
	}
	if _, err := d.kith(ctx, "add-model", model); err != nil {
		return nil, err
	}
	dir := filepath.Join(e.temp, "dev-alpha")
	if err := writeCharm(dir, "alpha", "provides", d.log); err != nil {
		return nil, err
	}
	if err := os.Symlink("common", filepath.Join(dir, "hooks", devHook)); err != nil {
		return nil, err
	}
	if _, err := d.kith(ctx, "deploy", dir); err != nil { // dev watches before it refreshes
		return nil, err
	}
	if err := d.settle(ctx); err != nil {
		return nil, err
	}
	stop, err := d.startDev(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer stop()
	var took []time.Duration
	for round := range devRounds + 1 {
		d, err := d.edit(ctx, dir, round)
		if err != nil {
			return nil, err
		}
		if round > 0 { // the first may meet dev while it starts
			took = append(took, d)
		}
	}
	return []row{under("save of a file to first line of "+devHook, median(took), 0, "", "ms", 1000)}, nil
}

// startDev runs `kith dev` until stop is called.
func (d *deployed) startDev(ctx context.Context, dir string) (stop func(), err error) {
	cmd := exec.CommandContext(ctx, d.env.kith(), "dev", dir)
	cmd.Env = append(os.Environ(), "KITH_HOME="+d.home)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}, nil
}

// edit saves a file of the charm, and waits for its hook.
func (d *deployed) edit(ctx context.Context, dir string, round int) (time.Duration, error) {
	if err := d.forget(); err != nil {
		return 0, err
	}
	text := fmt.Sprintf(hookScript, d.log)
	deadline := time.Now().Add(devPatience)
	for try := 0; ; try++ { // a save before dev has begun to watch is not seen
		if err := os.WriteFile(filepath.Join(dir, "hooks", "common"), fmt.Appendf(nil, "%s# edit %d.%d\n", text, round, try), 0o755); err != nil {
			return 0, err
		}
		saved := time.Now()
		for time.Since(saved) < devPatience/10 {
			began, err := d.began(devHook)
			if err != nil {
				return 0, err
			}
			if began.After(saved) {
				return began.Sub(saved), d.settle(ctx)
			}
			time.Sleep(devLook)
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("no %s in %s after the save of a file", devHook, devPatience)
		}
	}
}

// began is when a hook first noted its start; the zero time if it has not yet.
func (d *deployed) began(hook string) (time.Time, error) {
	data, err := os.ReadFile(d.log)
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), " "); len(f) == 5 && f[1] == "start" && f[3] == hook {
			return epoch(f[0])
		}
	}
	return time.Time{}, nil
}
