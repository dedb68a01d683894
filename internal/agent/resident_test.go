package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/internal/dispatch"
)

// The guarantees R1 to R8 are those of docs/design/resident.md.

// residentUnit is a world with unit web/0 of a charm that stays. It is settled.
func residentUnit(t *testing.T, tweak ...func(*Config)) (*world, unitDir) {
	t.Helper()
	w, unit := oneUnit(t, goCharmFiles(t, "one"), tweak...)
	w.settle()
	return w, unit
}

// config sets an option and waits until its hook is over, well or badly.
func (w *world) config(option, value string) {
	w.t.Helper()
	w.must(core.SetConfig{App: "web", Set: map[string]any{option: value}})
	w.settle()
}

var pidLine = regexp.MustCompile(`unit\.web/0\.(\S+) pid (\d+) (\S+) (\S+)\n`)

// ran are the events that the charm says it had, as "hook pid", in order. Each said it
// under its own name, and saw its own environment.
func (w *world) ran() (hooks []string, pids []int) {
	w.t.Helper()
	for _, m := range pidLine.FindAllStringSubmatch(w.log(), -1) {
		if m[1] != m[3] || m[1] != m[4] {
			w.t.Errorf("logged as %q: environment %q, event %q", m[1], m[3], m[4])
		}
		var pid int
		_, _ = fmt.Sscan(m[2], &pid)
		if m[1] != "cluster-relation-changed" { // the leader's own, soon or late
			hooks, pids = append(hooks, m[1]), append(pids, pid)
		}
	}
	return hooks, pids
}

// lastPID is the process of the last event.
func (w *world) lastPID() int {
	w.t.Helper()
	_, pids := w.ran()
	if len(pids) == 0 {
		w.t.Fatalf("nothing ran:\n%s", w.log())
	}
	return pids[len(pids)-1]
}

// R1: one process has all events but those before start, each with its own environment,
// output and tools, also those that its children call.
func TestResidentStays(t *testing.T) {
	t.Parallel()
	w, _ := residentUnit(t)
	w.config("do", "child")
	w.config("do", "partial") // hides its line from ran
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b", "do": ""}})
	w.settle()
	hooks, pids := w.ran()
	want := []string{"install", "cluster-relation-created", "leader-elected", "config-changed", "start", "config-changed", "config-changed"}
	if !slices.Equal(hooks, want) {
		t.Errorf("events %q, want %q", hooks, want)
	}
	if all := slices.Compact(slices.Clone(pids)); len(all) != 2 || pids[3] == pids[4] {
		t.Errorf("processes %v: one for what comes before start, and one from there on", pids)
	}
	if !running(pids[len(pids)-1]) {
		t.Error("it has ended")
	}
	w.wantLog("unit-web-0 DEBUG unit.web/0.config-changed child a in true <nil>",
		"unit-web-0 DEBUG unit.web/0.config-changed no newline at the end"+fmt.Sprintf("pid %d config-changed config-changed", pids[6]))
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.m.Unit("web/0").Workload.Message; !strings.HasPrefix(got, "b after ") {
		t.Errorf("status %q", got)
	}
}

// R2: how an event ends is what it would be without a process that stays. After an error
// that stays; after everything else the next event gets a new one.
func TestResidentEndings(t *testing.T) {
	t.Parallel()
	for do, c := range map[string]struct {
		failed string
		same   bool
	}{
		"fail":       {"exit status 1", true},
		"panic":      {"exit status 1", false},
		"exit":       {"exit status 3", false},
		"leave":      {"", false}, // without a word, but with status 0: Juju calls that a success
		"kill":       {"", false},
		"term":       {"", false},
		"reboot-now": {"", false},
		"reboot":     {"", false},
	} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			w, _ := residentUnit(t)
			before := w.lastPID()
			w.must(core.SetConfig{App: "web", Set: map[string]any{"do": do}})
			if c.failed == "" {
				w.settle()
			} else {
				if f := w.failed(); f.Message != c.failed || f.Attempts != 1 {
					t.Errorf("failure %+v", f)
				}
				w.must(core.SetConfig{App: "web", Set: map[string]any{"do": ""}})
				w.must(core.Resolved{Units: []kith.UnitName{"web/0"}})
				w.settle()
			}
			w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b", "do": ""}})
			w.settle()
			if after := w.lastPID(); (after == before) != c.same {
				t.Errorf("process %d, before it was %d", after, before)
			} else if !c.same && running(before) {
				t.Error("both are there")
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			if got := w.m.Unit("web/0").Workload.Message; !strings.HasPrefix(got, "b after ") {
				t.Errorf("status %q", got)
			}
		})
	}
}

// R3: a process that dies between two events is replaced, and the event gets through: be it
// known to be dead, or dead while it is told.
func TestResidentDiesBetweenEvents(t *testing.T) {
	t.Parallel()
	t.Run("known", func(t *testing.T) {
		t.Parallel()
		w, _ := residentUnit(t)
		pid := w.lastPID()
		w.check(syscall.Kill(pid, syscall.SIGKILL))
		waitFor(t, "its end", func() bool { return !running(pid) })
		w.config("x", "b")
		if w.lastPID() == pid {
			t.Error("it is the same")
		}
		w.wantLog("unit-web-0 WARNING juju.worker.uniter the process of the charm ended between two events, and is started anew: signal: killed")
		if strings.Contains(w.log(), "failed") || strings.Contains(w.log(), "was terminated") {
			t.Errorf("that was no hook's affair:\n%s", w.log())
		}
	})
	t.Run("while it is told", func(t *testing.T) {
		t.Parallel()
		w, _ := residentUnit(t)
		pid := w.lastPID()
		w.check(syscall.Kill(pid, syscall.SIGSTOP)) // so it takes nothing
		waitFor(t, "its stop", func() bool { return stopped(pid) })
		w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
		w.until("the hook begins", func(m *core.Model) bool { return m.Progress("web/0").Running != nil })
		w.check(syscall.Kill(pid, syscall.SIGKILL))
		w.settle()
		if w.lastPID() == pid {
			t.Error("it is the same")
		}
		if strings.Contains(w.log(), "failed") || strings.Contains(w.log(), "was terminated") {
			t.Errorf("it had not begun:\n%s", w.log())
		}
	})
}

// stopped reports whether no thread of a process runs. Where nobody can say, it is taken to be so.
func stopped(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, path := range threads {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, state, _ := strings.Cut(string(stat), ") ")
		if !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

// R4: an upgrade ends the process before the charm's files change, and the new charm has
// its own; a unit that goes takes its process along, and so does the agent.
func TestResidentEnds(t *testing.T) {
	t.Parallel()
	w, unit := residentUnit(t)
	old := w.lastPID()
	w.must(core.Refresh{App: "web", Charm: w.addCharm(goCharmFiles(t, "two"))})
	w.settle()
	pid := w.lastPID()
	if pid == old || running(old) || !running(pid) {
		t.Errorf("%d, upgraded to %d", old, pid)
	}
	w.config("x", "b")
	if w.lastPID() != pid {
		t.Error("the new charm does not stay")
	}
	w.must(core.RemoveUnits{Units: []kith.UnitName{"web/0"}})
	w.until("web/0 gone", func(m *core.Model) bool { return m.Unit("web/0") == nil })
	waitFor(t, "the end of its process and folder", func() bool {
		_, err := os.Stat(unit.root)
		return !running(pid) && os.IsNotExist(err)
	})
}

func TestResidentEndsWithAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(goCharmFiles(t, "one")), 1)
	dir := t.TempDir()
	stop := w.start(dir)
	w.settle()
	pid := w.lastPID()
	stop()
	if running(pid) {
		t.Error("it has outlived the agent")
	}
	w.start(dir)
	w.settle()
	w.config("x", "b")
	if now := w.lastPID(); now == pid || !running(now) {
		t.Errorf("%d, and before %d", now, pid)
	}
}

func TestResidentDiesWithAgent(t *testing.T) {
	t.Parallel()
	w, dir, kill := crashWorldOf(t, goCharmFiles(t, "one"))
	pid := w.lastPID()
	kill()
	if dispatch.DiesWithParent {
		waitFor(t, "its end", func() bool { return !running(pid) })
	}
	kill = w.startProcess(dir)
	w.settle()
	w.config("x", "b")
	if running(pid) {
		t.Error("it has outlived the agent")
	}
	// Killed in an event, that has failed, and runs again.
	w.must(core.SetConfig{App: "web", Set: map[string]any{"do": "wait"}})
	waitFor(t, "the hook", func() bool {
		_, err := os.Stat(filepath.Join(dir, "agent", string(testModel), "unit-web-0", "waiting"))
		return err == nil
	})
	pid = w.lastPID()
	kill()
	w.startProcess(dir)
	w.until("the hook failed", func(m *core.Model) bool { return m.Progress("web/0").Failed != nil })
	w.must(core.SetConfig{App: "web", Set: map[string]any{"do": ""}})
	w.must(core.Resolved{Units: []kith.UnitName{"web/0"}})
	w.settle()
	if running(pid) {
		t.Error("it has outlived the agent")
	}
}

// R5: actions go through the process, with their output and their own fate; commands run
// beside it.
func TestResidentTasks(t *testing.T) {
	t.Parallel()
	w, unit := residentUnit(t)
	pid := w.lastPID()
	got := w.over(w.run("act"))
	if got.Status != core.TaskCompleted || got.Output.Stdout != fmt.Sprintf("out of %d\n", pid) || got.Output.Stderr != "err\n" || got.Values["events"] == "" {
		t.Errorf("%+v %+v", got, got.Output)
	}
	got = w.over(w.exec(core.RunCommand{Command: "echo $KITH_RESIDENT; config-get x"}))
	if got.Status != core.TaskCompleted || got.Output.Stdout != "\na\n" {
		t.Errorf("%+v %+v", got, got.Output)
	}
	w.config("do", "act-fail")
	if got := w.over(w.run("act")); got.Status != core.TaskFailed || got.Message != "exit status 1" || !strings.HasSuffix(got.Output.Stderr, "error: told to fail\n") {
		t.Errorf("%+v %+v", got, got.Output)
	}
	if w.lastPID() != pid {
		t.Error("it did not stay")
	}

	// An action that is aborted takes the process with it, and the next event gets another.
	w.config("do", "act-wait")
	id := w.run("act")
	waitFor(t, "the action", func() bool { _, err := os.Stat(filepath.Join(unit.root, "waiting")); return err == nil })
	w.must(core.CancelTasks{Tasks: []kith.TaskID{id}})
	if got := w.over(id); got.Status != core.TaskAborted || running(pid) {
		t.Errorf("%+v %+v", got, got.Output)
	}
	w.config("x", "b")
	if w.lastPID() == pid {
		t.Error("it is the same")
	}
}

// R6: the process that was started is the one that may stay. One that a script waits for may not.
func TestResidentBehindScript(t *testing.T) {
	t.Parallel()
	files := goCharmFiles(t, "one")
	files["dispatch"] = strings.Replace(files["dispatch"], "exec ", "", 1) + "echo the script goes on\n"
	w, _ := oneUnit(t, files)
	w.settle()
	_, pids := w.ran()
	if all := slices.Compact(slices.Clone(pids)); len(all) != len(pids) {
		t.Errorf("processes %v", pids)
	}
	w.wantLog("unit-web-0 DEBUG unit.web/0.start the script goes on")
}

// R7: an operator can have every event in a process of its own.
func TestNoResidents(t *testing.T) {
	t.Parallel()
	w, _ := residentUnit(t, func(c *Config) { c.NoResidents = true })
	w.config("x", "b")
	_, pids := w.ran()
	if all := slices.Compact(slices.Clone(pids)); len(all) != len(pids) || running(pids[len(pids)-1]) {
		t.Errorf("processes %v", pids)
	}
}
