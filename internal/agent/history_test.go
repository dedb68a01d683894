package agent

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/resolve"
)

// schedule does to a model what a seed says: what operators do, whose turn it is, what
// goes wrong. Two schedules of one seed differ in nothing but how charms are run.
type schedule struct {
	*world
	rng    *rand.Rand
	dir    string
	stay   bool
	stop   func()
	charms [2]string
	apps   []kith.AppName
	values int
	did    []string
}

// R8: a charm that stays makes the same history as one whose every event is a process, and
// logs the same. KITH_TEST_SEED runs one seed alone, KITH_TEST_SEEDS that many.
func TestResidentHistories(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2, 3}
	if n, err := strconv.ParseUint(os.Getenv("KITH_TEST_SEED"), 10, 64); err == nil {
		seeds = []uint64{n}
	} else if n, err := strconv.ParseUint(os.Getenv("KITH_TEST_SEEDS"), 10, 64); err == nil {
		seeds = nil
		for s := range n {
			seeds = append(seeds, s+1)
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			each, stay := runSchedule(t, seed, false), runSchedule(t, seed, true)
			t.Logf("%d lines", len(each))
			for i := range max(len(each), len(stay)) {
				a, b := "(nothing)", "(nothing)"
				if i < len(each) {
					a = each[i]
				}
				if i < len(stay) {
					b = stay[i]
				}
				if a != b {
					t.Fatalf("KITH_TEST_SEED=%d: line %d of the history is\n%s\nand of a charm that stays\n%s\nafter\n%s",
						seed, i, a, b, strings.Join(stay[max(0, i-10):min(i, len(stay))], "\n"))
				}
			}
		})
	}
}

// runSchedule runs a seed to its end, and returns what was done, the history and the log.
func runSchedule(t *testing.T, seed uint64, stay bool) []string {
	t.Helper()
	s := &schedule{world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), stay: stay}
	s.keep, s.turns, s.still = true, true, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s.fault(s.orderly, nil)
	s.charms = [2]string{s.addCharm(goCharmFiles(t, quietCharm)), s.addCharm(goCharmFiles(t, quietCharm+" two"))}
	s.run()
	for range 30 {
		s.operate()
		for range s.rng.IntN(6) {
			s.oneTurn()
		}
	}
	s.calm()
	s.stop()
	return append(append(s.did, s.history()...), s.unitLogs()...)
}

// run begins a life of the agent. What comes next in the history comes after its hello.
func (s *schedule) run() {
	s.mu.Lock()
	before := s.epoch
	s.mu.Unlock()
	s.stop = s.start(s.dir, func(c *Config) { c.NoResidents = !s.stay })
	s.until("the agent is there", func(*core.Model) bool { return s.epoch != before })
}

// orderly holds what agents send until it is its turn: units are taken up in order of
// name, and what a hook does comes after its begin. An agent may do either in any order.
func (s *schedule) orderly(op core.Op) error {
	switch op := op.(type) {
	case core.UnitHello:
		s.until("the units before "+string(op.Unit)+" are there", func(m *core.Model) bool {
			for u := range m.Units() {
				if u.Name == op.Unit {
					return true
				}
				if !u.Present {
					return false
				}
			}
			return true
		})
	case core.CommitHook:
		s.begun1(op.Unit)
	case core.FailHook:
		s.begun1(op.Unit)
	case core.SetStatus:
		s.begun1(op.Unit)
	}
	return nil
}

func (s *schedule) begun1(u kith.UnitName) {
	s.until(string(u)+" has begun", func(m *core.Model) bool { return m.Unit(u) == nil || m.Progress(u).Running != nil })
}

// operate does one thing that an operator, or fate, may do. What is refused is refused in both.
func (s *schedule) operate() {
	pick := func(of ...string) string { return of[s.rng.IntN(len(of))] }
	app := func() kith.AppName { return kith.AppName(pick("a", "b", "c")) }
	var op core.Op
	actor := core.Actor{Kind: core.ActorUser, Name: "admin"}
	switch what := s.rng.IntN(20); {
	case what < 3 || len(s.apps) == 0:
		a := app()
		s.apps = append(s.apps, a)
		op = core.Deploy{App: a, Charm: s.charms[0], Units: 1 + s.rng.IntN(2)}
	case what < 6:
		op = core.Integrate{A: kith.Endpoint{App: app(), Name: "db"}, B: kith.Endpoint{App: app(), Name: "up"}}
	case what < 9:
		s.values++
		op = core.SetConfig{App: app(), Set: map[string]any{"x": fmt.Sprint("v", s.values)}}
	case what < 12:
		op = core.SetConfig{App: app(), Set: map[string]any{"do": pick("", "fail", "panic", "exit", "kill", "reboot-now", "act-fail", "child")}}
	case what < 13:
		op = core.RemoveRelation{Endpoints: []kith.Endpoint{{App: app(), Name: "db"}, {App: app(), Name: "up"}}}
	case what < 14:
		op = core.AddUnits{App: app(), Units: 1}
	case what < 15:
		op = core.RemoveUnits{Units: []kith.UnitName{s.unit()}}
	case what < 16:
		op, actor = core.Elect{Unit: s.unit()}, core.System
	case what < 17:
		op = core.RunAction{Receivers: []string{string(s.unit())}, Action: "act"}
	case what < 18:
		op = core.Refresh{App: app(), Charm: s.charms[s.rng.IntN(2)]}
	case what < 19:
		s.restart()
		return
	default:
		s.kill(s.unit())
		return
	}
	_, err := s.command(actor, op)
	s.did = append(s.did, fmt.Sprintf("did %s %+v: %v", op.Name(), op, err))
	s.present()
}

// present waits until the agent has taken up every unit.
func (s *schedule) present() {
	s.until("the units are there", func(m *core.Model) bool {
		for u := range m.Units() {
			if !u.Present {
				return false
			}
		}
		return true
	})
}

// unit is some unit there is, or one that never was.
func (s *schedule) unit() kith.UnitName {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := units(s.m)
	n := s.rng.IntN(100)
	if len(all) == 0 {
		return "a/99"
	}
	return all[n%len(all)]
}

// restart ends the agent and starts another.
func (s *schedule) restart() {
	s.did = append(s.did, "did restart the agent")
	s.stop()
	s.run()
	s.present()
}

// kill ends the process that waits for a unit's next event, if there is one.
func (s *schedule) kill(u kith.UnitName) {
	s.did = append(s.did, "did kill what "+string(u)+" has between events")
	link := "(" + dirs{s.dir}.unit(refOf(u)).charm() + ")"
	for _, pid := range processesIn(strings.Trim(link, "()")) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// processesIn are the processes whose working directory is dir.
func processesIn(dir string) (pids []int) {
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if cwd, _ := os.Readlink("/proc/" + p.Name() + "/cwd"); err == nil && cwd == dir {
			pids = append(pids, pid)
		}
	}
	return pids
}

// oneTurn lets one of the units that have something to do run one hook; false if there is none.
func (s *schedule) oneTurn() bool {
	s.mu.Lock()
	s.work()
	var ready []kith.UnitName
	for _, u := range units(s.m) {
		v, _ := core.ViewOf(s.m, u)
		if step, ok := resolve.Next(v, s.now()); ok && step.Kind == resolve.Run {
			ready = append(ready, u)
		}
	}
	if len(ready) == 0 {
		s.mu.Unlock()
		return false
	}
	u := ready[s.rng.IntN(len(ready))]
	before := s.ended[u]
	s.turn = u
	s.work()
	s.mu.Unlock()
	s.until(string(u)+" has had its turn", func(m *core.Model) bool { return s.ended[u] > before })
	return true
}

// calm ends all that goes wrong, and lets everybody come to rest.
func (s *schedule) calm() {
	for _, app := range []kith.AppName{"a", "b", "c"} {
		_, _ = s.command(core.Actor{Kind: core.ActorUser, Name: "admin"}, core.SetConfig{App: app, Set: map[string]any{"do": ""}}) // it may not be there
	}
	for range 1000 {
		s.mu.Lock()
		var failed []kith.UnitName
		for _, u := range units(s.m) {
			if s.m.Progress(u).InError() {
				failed = append(failed, u)
			}
		}
		s.mu.Unlock()
		for _, u := range failed { // unless it was said already
			_, _ = s.command(core.Actor{Kind: core.ActorUser, Name: "admin"}, core.Resolved{Units: []kith.UnitName{u}})
		}
		if !s.oneTurn() {
			return
		}
	}
	s.t.Error("no rest")
}

// chance is what differs from life to life of an agent.
var chance = regexp.MustCompile(`[0-9a-f-]{36}/[A-Z2-7]{26}`)

func (s *schedule) history() (lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		text, err := json.Marshal(e)
		s.check(err)
		lines = append(lines, chance.ReplaceAllString(string(text), "EPOCH"))
	}
	for u := range s.m.Units() {
		text, err := json.Marshal(s.m.State(u.Name))
		s.check(err)
		lines = append(lines, fmt.Sprintf("state of %s: %s", u.Name, text))
	}
	return lines
}

// unitLogs are the records of each unit. Those of one hook come by two ways, from its tools and
// from what it prints, in any order: so they are sorted.
func (s *schedule) unitLogs() []string {
	var lines []string
	for line := range strings.Lines(s.log()) {
		if strings.HasPrefix(line, "unit-") && !strings.Contains(line, "is started anew") { // no stacks: they have addresses
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}
