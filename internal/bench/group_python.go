package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kith/internal/core"
)

const (
	pythonRounds = 20
	// pythonShare is what a dispatch may take at most, against the CPU time of the charm
	// process itself: kith's share, hook tools and commit included, stays under a tenth.
	pythonShare = 1.11
	pythonVenv  = "build/venv" // made by `make venv`
)

// pythonDispatch notes when the charm process starts and has ended, and the CPU
// time of all it started.
const pythonDispatch = `#!/bin/bash
printf 'start %%s\n' "$EPOCHREALTIME" >>%[1]q
PYTHONPATH=lib %[2]q src/charm.py
status=$?
printf 'end %%s\n' "$EPOCHREALTIME" >>%[1]q
times >>%[1]q
exit $status
`

// pythonCharm is a small charm: its config-changed reads its configuration and a
// databag, writes the databag, and its status is collected. It notes where the time goes.
const pythonCharm = `import time
begin = time.time()
import resource
import subprocess
import ops
ready = time.time()

spent = [0, 0.0]
run = subprocess.run


def timed(*args, **kwargs):
    before = time.time()
    try:
        return run(*args, **kwargs)
    finally:
        spent[0] += 1
        spent[1] += time.time() - before


subprocess.run = timed


class MeasuredCharm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        framework.observe(self.on.config_changed, self._on_config_changed)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)

    def _on_config_changed(self, event):
        bag = self.model.get_relation("ring").data[self.unit]
        if bag.get("value") != self.config["value"]:
            bag["value"] = self.config["value"]

    def _on_collect_unit_status(self, event):
        event.add_status(ops.ActiveStatus("value " + self.config["value"]))


ops.main(MeasuredCharm)
tools = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(%[1]q, "a") as f:
    print("python", begin, ready, time.time(), spent[0], spent[1], tools.ru_utime + tools.ru_stime, file=f)
`

// dispatched is where the time of one dispatch went.
type dispatched struct {
	wall    time.Duration // from the command to settled
	process time.Duration // from the start of the charm process to its end
	start   time.Duration // until its first line ran
	imports time.Duration
	tools   time.Duration // hook tools, as the charm waited for them
	calls   int
	own     time.Duration // CPU time of the charm process without the tools
}

// measurePython lets a charm on the real ops library handle config-changed, alone on
// its controller. Without a Python environment there are no rows, and a note says so.
func measurePython(ctx context.Context, e *env) ([]row, error) {
	python, err := filepath.Abs(filepath.Join(pythonVenv, "bin", "python3"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(python); err != nil {
		note := report("not measured: no Python environment, `make venv` makes one", 0, "-")
		return []row{note}, nil
	}
	d := &deployed{deployment{env: e, home: filepath.Join(e.temp, "python")}, filepath.Join(e.temp, "python.log")}
	if err := d.deployPython(ctx, python); err != nil {
		return nil, err
	}
	defer d.down()
	var all []dispatched
	for i := range pythonRounds {
		one, err := d.dispatchPython(ctx, strconv.Itoa(i+1))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	middle := func(of func(dispatched) time.Duration) float64 {
		var ds []time.Duration
		for _, one := range all {
			ds = append(ds, of(one))
		}
		return median(ds)
	}
	return []row{
		atMost("config-changed of an ops charm, command to settled",
			middle(func(d dispatched) time.Duration { return d.wall }), middle(func(d dispatched) time.Duration { return d.own }),
			"the charm process's own CPU time", "ms", pythonShare),
		report("of that: interpreter start and exit", middle(func(d dispatched) time.Duration { return d.start }), "ms"),
		report("of that: imports of ops", middle(func(d dispatched) time.Duration { return d.imports }), "ms"),
		report("of that: hook tools", middle(func(d dispatched) time.Duration { return d.tools }), "ms"),
		report("of that: the rest of ops and the charm", middle(func(d dispatched) time.Duration {
			return d.process - d.start - d.imports - d.tools
		}), "ms"),
		report("of that: kith, before the process and after it", middle(func(d dispatched) time.Duration { return d.wall - d.process }), "ms"),
		report("hook tools called", float64(all[0].calls), "calls"),
	}, nil
}

// deployPython starts a controller with one unit of the measured charm.
func (d *deployed) deployPython(ctx context.Context, python string) error {
	dir := filepath.Join(d.env.temp, "python-charm")
	files := map[string]string{
		"metadata.yaml": "name: measured\nsummary: measured\ndescription: measured\npeers:\n  ring:\n    interface: ring\n",
		"config.yaml":   "options:\n  value:\n    type: string\n    default: \"0\"\n    description: written to the databag\n",
		"dispatch":      fmt.Sprintf(pythonDispatch, d.log, python),
		"src/charm.py":  fmt.Sprintf(pythonCharm, d.log),
	}
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return err
		}
	}
	if err := d.up(ctx); err != nil {
		return err
	}
	_, err := d.kith(ctx, "add-model", model)
	if err == nil {
		_, err = d.kith(ctx, "deploy", dir)
	}
	if err == nil {
		err = d.settle(ctx)
	}
	if err != nil {
		d.down()
	}
	return err
}

func (d *deployed) dispatchPython(ctx context.Context, value string) (dispatched, error) {
	if err := d.forget(); err != nil {
		return dispatched{}, err
	}
	begin := time.Now()
	if err := d.do(ctx, core.SetConfig{App: "measured", Set: core.Settings{"value": value}}); err != nil {
		return dispatched{}, err
	}
	if err := d.settle(ctx); err != nil {
		return dispatched{}, err
	}
	wall := time.Since(begin)
	notes, err := os.ReadFile(d.log)
	if err != nil {
		return dispatched{}, err
	}
	one, err := readDispatch(string(notes))
	one.wall = wall
	return one, err
}

// readDispatch reads what one dispatch noted: start, python, end, and the times of
// the shell and of what it started.
func readDispatch(notes string) (dispatched, error) {
	var start, begin, ready, finish, end, tools, toolsCPU float64
	var calls int
	var user, system string
	_, err := fmt.Sscanf(notes, "start %f\npython %f %f %f %d %f %f\nend %f\n",
		&start, &begin, &ready, &finish, &calls, &tools, &toolsCPU, &end)
	lines := strings.Split(strings.TrimSpace(notes), "\n")
	if err == nil && len(lines) != 5 {
		err = fmt.Errorf("want one dispatch")
	}
	if err == nil {
		_, err = fmt.Sscanf(lines[4], "%s %s", &user, &system) // as in 0m0.123s 0m0.045s
	}
	if err != nil {
		return dispatched{}, fmt.Errorf("a change of configuration noted %q: %w", notes, err)
	}
	var own time.Duration
	for _, part := range []string{user, system} {
		d, err := time.ParseDuration(part)
		if err != nil {
			return dispatched{}, fmt.Errorf("a dispatch noted %q: %w", lines[4], err)
		}
		own += d
	}
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return dispatched{
		process: seconds(end - start),
		start:   seconds(begin - start + end - finish),
		imports: seconds(ready - begin),
		tools:   seconds(tools),
		calls:   calls,
		own:     own - seconds(toolsCPU),
	}, nil
}
