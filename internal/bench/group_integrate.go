package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
)

// Figures of Juju 4.1 for the same charms on a machine of this kind, in milliseconds and MB.
const (
	jujuRemoteChanged = 531
	jujuBetweenHooks  = 241
	jujuFirstChanged  = 2500
	jujuAllToAll      = 125000
	jujuMemory        = 383
	againstJuju       = "Juju 4.1, fixed"
)

const (
	pairRounds   = 20
	configRounds = 50
	startRounds  = 20
	bashRounds   = 21
	model        = "default"
)

// measureIntegrate integrates real bash charms through a real controller.
func measureIntegrate(ctx context.Context, e *env) ([]row, error) {
	pair, err := measurePair(ctx, e)
	if err != nil {
		return nil, err
	}
	many, err := measureMany(ctx, e)
	if err != nil {
		return nil, err
	}
	return append(pair, many...), nil
}

// deployed is a controller with alpha and beta, n units of each, settled.
type deployed struct {
	deployment
	log string
}

func deployPair(ctx context.Context, e *env, name string, n int) (*deployed, error) {
	home := filepath.Join(e.temp, name)
	d := &deployed{deployment{env: e, home: home}, filepath.Join(e.temp, name+".log")}
	if err := d.up(ctx); err != nil {
		return nil, err
	}
	if _, err := d.kith(ctx, "add-model", model); err != nil {
		return d, err
	}
	for app, section := range map[string]string{"alpha": "provides", "beta": "requires"} {
		dir := filepath.Join(e.temp, name+"-"+app)
		if err := writeCharm(dir, app, section, d.log); err != nil {
			return d, err
		}
		if _, err := d.kith(ctx, "deploy", dir, "-n", strconv.Itoa(n)); err != nil {
			return d, err
		}
	}
	return d, d.settle(ctx)
}

func (d *deployed) settle(ctx context.Context) error {
	reply, err := d.client.Settle(ctx, model, time.Minute)
	if err != nil {
		return err
	}
	if !reply.Settled {
		return fmt.Errorf("not settled after a minute: %+v", reply.Busy)
	}
	return nil
}

func (d *deployed) do(ctx context.Context, op core.Op) error {
	_, err := d.client.Do(ctx, model, op)
	return err
}

var (
	integrate = core.Integrate{A: kith.Endpoint{App: "alpha"}, B: kith.Endpoint{App: "beta"}}
	separate  = core.RemoveRelation{Endpoints: []kith.Endpoint{{App: "alpha"}, {App: "beta"}}}
)

// forget empties the log and the memory of what ran before.
func (d *deployed) forget() error { return os.WriteFile(d.log, nil, 0o644) }

func measurePair(ctx context.Context, e *env) ([]row, error) {
	d, err := deployPair(ctx, e, "pair", 1)
	if d != nil {
		defer d.down()
	}
	if err != nil {
		return nil, err
	}
	alone, err := measureStartUp(ctx, d)
	if err != nil {
		return nil, err
	}
	bash, err := measureBash(e)
	if err != nil {
		return nil, err
	}
	var settled, work, first, both []time.Duration
	for range pairRounds {
		if err := d.forget(); err != nil {
			return nil, err
		}
		begin := time.Now()
		if err := d.do(ctx, integrate); err != nil {
			return nil, err
		}
		if err := d.settle(ctx); err != nil {
			return nil, err
		}
		settled = append(settled, time.Since(begin))
		hooks, err := readLog(d.log)
		if err != nil {
			return nil, err
		}
		work = append(work, processTime(hooks, bash))
		first = append(first, firstChanged(hooks).Sub(begin))
		both = append(both, backToBack(hooks)...)
		if err := d.do(ctx, separate); err != nil {
			return nil, err
		}
		if err := d.settle(ctx); err != nil {
			return nil, err
		}
	}
	remote, err := measureRemoteChanged(ctx, d)
	if err != nil {
		return nil, err
	}
	return []row{
		atMost("1x1 integrate to settled", median(settled), median(work), "the hook processes' own run time, summed", "ms", 3),
		under("end of writing hook to start of remote changed", median(remote), jujuRemoteChanged, againstJuju, "ms", 10),
		under("between two hooks of one unit", median(alone)-ms(bash.start), jujuBetweenHooks, againstJuju, "ms", 3),
		report("the same, with bash's own start", median(alone), "ms"),
		report("the same, while the other side runs its hooks", median(both), "ms"),
		under("integrate to first relation-changed", median(first), jujuFirstChanged, againstJuju, "ms", 50),
	}, nil
}

// measureStartUp starts a unit, again and again, while nothing else runs, and takes
// the pauses between the hooks it starts with.
func measureStartUp(ctx context.Context, d *deployed) ([]time.Duration, error) {
	var gaps []time.Duration
	for i := range startRounds {
		found, err := d.startUnit(ctx, "alpha", i+1, "")
		if err != nil {
			return nil, err
		}
		gaps = append(gaps, found...)
	}
	return gaps, nil
}

// hooksOf gives a command and returns the hooks that ran because of it.
func (d *deployed) hooksOf(ctx context.Context, op core.Op) ([]ran, error) {
	if err := d.forget(); err != nil {
		return nil, err
	}
	if err := d.do(ctx, op); err != nil {
		return nil, err
	}
	if err := d.settle(ctx); err != nil {
		return nil, err
	}
	return readLog(d.log)
}

// startUnit adds a unit while nothing else runs, takes the pauses between its first hooks but that
// before skipped, and removes it.
func (d *deployed) startUnit(ctx context.Context, app kith.AppName, number int, skipped string) ([]time.Duration, error) {
	hooks, err := d.hooksOf(ctx, core.AddUnits{App: app, Units: 1})
	if err != nil {
		return nil, err
	}
	var gaps []time.Duration
	unit := kith.UnitOf(app, number)
	var before *ran
	for i, h := range hooks {
		if h.unit != string(unit) {
			continue
		}
		if before != nil && h.hook != skipped {
			gaps = append(gaps, h.start.Sub(before.end))
		}
		before = &hooks[i]
	}
	if err := d.do(ctx, core.RemoveUnits{Units: []kith.UnitName{unit}}); err != nil {
		return nil, err
	}
	return gaps, d.settle(ctx)
}

// processTime sums what the hook processes took: what each noted, and what bash takes beside.
func processTime(hooks []ran, b bash) time.Duration {
	var sum time.Duration
	for _, h := range hooks {
		sum += h.end.Sub(h.start) + b.whole
	}
	return sum
}

// bash is what the interpreter of the hooks takes by itself: from a process that runs to the
// first line of its script, and in all, for a script of one line.
type bash struct{ start, whole time.Duration }

// measureBash starts bash as an agent does, with nothing to do but to note the time.
func measureBash(e *env) (bash, error) {
	script := filepath.Join(e.temp, "empty.sh")
	if err := os.WriteFile(script, []byte("#!/bin/bash\nprintf '%s\\n' \"$EPOCHREALTIME\"\n"), 0o755); err != nil {
		return bash{}, err
	}
	var starts, wholes []time.Duration
	for range bashRounds {
		var out strings.Builder
		cmd := exec.Command(script)
		cmd.Stdout = &out
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			return bash{}, err
		}
		running := time.Now() // it is bash by now: Start waits for that
		if err := cmd.Wait(); err != nil {
			return bash{}, err
		}
		wholes = append(wholes, time.Since(begin))
		at, err := epoch(strings.TrimSpace(out.String()))
		if err != nil {
			return bash{}, err
		}
		starts = append(starts, max(0, at.Sub(running)))
	}
	duration := func(all []time.Duration) time.Duration { return time.Duration(median(all) * float64(time.Millisecond)) }
	return bash{start: duration(starts), whole: duration(wholes)}, nil
}

func firstChanged(hooks []ran) time.Time {
	for _, h := range hooks {
		if strings.HasSuffix(h.hook, "-relation-changed") {
			return h.start
		}
	}
	return time.Time{}
}

// backToBack are the pauses between joined and the changed that must follow it.
func backToBack(hooks []ran) []time.Duration {
	var gaps []time.Duration
	last := map[string]ran{}
	for _, h := range hooks {
		if before := last[h.unit]; strings.HasSuffix(before.hook, "-relation-joined") && before.remote == h.remote {
			gaps = append(gaps, h.start.Sub(before.end))
		}
		last[h.unit] = h
	}
	return gaps
}

// measureRemoteChanged lets a config-changed hook write a bag, again and again,
// and takes the time from its end to the start of the other side's hook.
func measureRemoteChanged(ctx context.Context, d *deployed) ([]time.Duration, error) {
	if err := d.do(ctx, integrate); err != nil {
		return nil, err
	}
	if err := d.settle(ctx); err != nil {
		return nil, err
	}
	var took []time.Duration
	for i := range configRounds {
		hooks, err := d.hooksOf(ctx, core.SetConfig{App: "alpha", Set: core.Settings{"value": strconv.Itoa(i + 1)}})
		if err != nil {
			return nil, err
		}
		if len(hooks) != 2 || hooks[0].hook != "config-changed" || hooks[1].hook != "link-relation-changed" {
			return nil, fmt.Errorf("a change of configuration ran %+v", hooks)
		}
		took = append(took, hooks[1].start.Sub(hooks[0].end))
	}
	return took, nil
}

// measureMany integrates ten units with ten, and looks at the memory of all that.
func measureMany(ctx context.Context, e *env) ([]row, error) {
	d, err := deployPair(ctx, e, "many", 10)
	if d != nil {
		defer d.down()
	}
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := d.do(ctx, integrate); err != nil {
		return nil, err
	}
	if err := d.settle(ctx); err != nil {
		return nil, err
	}
	took := time.Since(begin)
	hooks, err := readLog(d.log)
	if err != nil {
		return nil, err
	}
	memory, err := d.resident()
	if err != nil {
		return nil, err
	}
	return []row{
		under("10x10 integrate to settled", ms(took), jujuAllToAll, againstJuju, "ms", 5000),
		report("10x10 hooks run, start-up included", float64(len(hooks)), "hooks"),
		under("controller and agent with 20 units", memory, jujuMemory, againstJuju, "MB", 90),
	}, nil
}

// resident is the controller's resident memory in MB.
func (d *deployment) resident() (float64, error) {
	pid, err := os.ReadFile(filepath.Join(d.home, "controller", "kith.pid"))
	if err != nil {
		return 0, err
	}
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/status")
	if err != nil {
		return 0, fmt.Errorf("memory is measured on Linux only: %w", err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.ParseFloat(f[1], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS in the status of process %s", pid)
}
