package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"kith"
	"kith/internal/core"
)

// The applications of the same charm in Go: one whose process stays, and one whose every event
// is a process.
const (
	stays = kith.AppName("stays")
	each  = kith.AppName("each")
)

const residentRounds = 50

// measureResident compares a charm in Go whose process stays with the same one whose every
// event is a process, on one controller, in turns.
func measureResident(ctx context.Context, e *env) ([]row, error) {
	d := &deployed{deployment{env: e, home: filepath.Join(e.temp, "resident")}, filepath.Join(e.temp, "resident.log")}
	defer d.down()
	if err := d.deployResidents(ctx); err != nil {
		return nil, err
	}
	whole, own := map[kith.AppName][]time.Duration{}, map[kith.AppName][]time.Duration{}
	for i := range residentRounds {
		for _, app := range []kith.AppName{stays, each} {
			took, inside, err := d.oneEvent(ctx, app, strconv.Itoa(i+1))
			if err != nil {
				return nil, err
			}
			whole[app], own[app] = append(whole[app], took), append(own[app], inside)
		}
	}
	gaps := map[kith.AppName][]time.Duration{}
	for i := range startRounds {
		for _, app := range []kith.AppName{stays, each} {
			found, err := d.startUnit(ctx, app, i+1, "start") // a process that stays begins there anew
			if err != nil {
				return nil, err
			}
			gaps[app] = append(gaps[app], found...)
		}
	}
	const against = "the same, a process for each event"
	return []row{
		atMost("an event of a Go charm that stays, command to settled", median(whole[stays]), median(whole[each]), against, "ms", 1),
		report("of that: the charm itself", median(own[stays]), "ms"),
		under("between two hooks of one unit, Go charm that stays", median(gaps[stays]), jujuBetweenHooks, againstJuju, "ms", 3),
		report("the same, a process for each event", median(gaps[each]), "ms"),
	}, nil
}

// deployResidents starts a controller with one unit of each.
func (d *deployed) deployResidents(ctx context.Context) error {
	if err := d.up(ctx); err != nil {
		return err
	}
	if _, err := d.kith(ctx, "add-model", model); err != nil {
		return err
	}
	for _, app := range []kith.AppName{stays, each} {
		dir := filepath.Join(d.env.temp, "resident-"+string(app))
		if err := writeGoCharm(ctx, dir, d.log, app == stays); err != nil {
			return err
		}
		if _, err := d.kith(ctx, "deploy", dir, string(app)); err != nil {
			return err
		}
	}
	return d.settle(ctx)
}

// writeGoCharm builds the measured charm into a folder.
func writeGoCharm(ctx context.Context, dir, log string, stay bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string]string{
		"metadata.yaml": "name: measured\nsummary: measured\ndescription: measured\npeers:\n  ring:\n    interface: ring\n",
		"config.yaml":   "options:\n  value:\n    type: string\n    default: \"0\"\n    description: written to the databag\n",
		"log":           log,
	}
	if stay {
		files["stay"] = ""
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w",
		"-o", filepath.Join(dir, "dispatch"), "kith/internal/bench/charm")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the measured charm: %w: %s", err, out)
	}
	return nil
}

// oneEvent changes an option: from the command until all is settled, and the time from the
// charm's first line to its last.
func (d *deployed) oneEvent(ctx context.Context, app kith.AppName, value string) (whole, own time.Duration, err error) {
	if err := d.forget(); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if err := d.do(ctx, core.SetConfig{App: app, Set: core.Settings{"value": value}}); err != nil {
		return 0, 0, err
	}
	if err := d.settle(ctx); err != nil {
		return 0, 0, err
	}
	whole = time.Since(begin)
	hooks, err := readLog(d.log)
	if err == nil && len(hooks) != 1 {
		err = fmt.Errorf("a change of configuration ran %+v", hooks)
	}
	if err != nil {
		return 0, 0, err
	}
	return whole, hooks[0].end.Sub(hooks[0].start), nil
}
