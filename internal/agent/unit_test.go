package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// The controller sends what holds, again and again; the unit runs what is new.
func TestOldAssignmentsAreLeftOut(t *testing.T) {
	t.Parallel()
	u := newUnit(&Agent{}, api.HostUnit{UnitRef: refOf("web/0")})
	at := func(seq, revision uint64) *api.Assignment {
		return &api.Assignment{Seq: seq, UpdatedRevision: revision}
	}
	want := func(what string, a *api.Assignment) {
		t.Helper()
		if got := u.take(); got != a {
			t.Errorf("%s: took %+v, want %+v", what, got, a)
		}
	}
	want("nothing assigned", nil)
	a, b := at(5, 10), at(5, 11)
	u.assign(a)
	u.assign(b)
	want("replaced before it began", b)
	want("taken", nil)

	u.assign(at(5, 12)) // sent while 5 ran
	u.answered(api.CommandReply{Revision: 15}, 5)
	want("committed", nil)
	a = at(6, 15)
	u.assign(a)
	want("the next", a)

	u.assign(at(6, 16)) // sent while 6 ran
	u.answered(api.CommandReply{Revision: 20}, 0)
	want("failed, and sent before that", nil)
	a = at(6, 20)
	u.assign(a)
	want("failed, and to be tried again", a)

	a = at(6, 21) // offered anew while it ran, since its start was never heard of
	u.assign(a)
	u.answered(api.CommandReply{Revision: 30, Unchanged: true}, 0)
	want("ended from outside before anybody knew it ran", a)

	u.assign(at(7, 40))
	u.cancel()
	want("withdrawn", nil)
}

// A connection that breaks while a hook runs does not matter to the hook: the
// agent is the same when it is back (relations reference, section 8: nothing was
// restarted).
func TestConnectionLostInHook(t *testing.T) {
	t.Parallel()
	w, unit := oneUnit(t, map[string]string{"hooks/start": "#!/bin/sh\necho run >> ../runs\nwhile ! [ -e ../go ]; do sleep 0.01; done\nstate-set ran=1\n"})
	w.until("start runs", func(m *core.Model) bool {
		p := m.Progress("web/0")
		return p.Running != nil && p.Running.Hook.Kind == core.Start
	})
	w.cut()
	w.until("the agent is back", func(*core.Model) bool { return w.session != nil })
	w.check(os.WriteFile(filepath.Join(unit.root, "go"), nil, 0o600))
	w.settle()
	text, err := os.ReadFile(filepath.Join(unit.root, "runs"))
	if err != nil || string(text) != "run\n" {
		t.Errorf("ran %q, %v; want once", text, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.m.Progress("web/0"); !p.Started || p.Failed != nil || w.m.State("web/0").Data["ran"] != "1" {
		t.Errorf("progress %+v", p)
	}
}

// A unit that is removed by force takes its running hook with it.
func TestForcedRemovalEndsHook(t *testing.T) {
	t.Parallel()
	w, unit := oneUnit(t, map[string]string{"hooks/start": "#!/bin/sh\necho $$ > ../pid; mv ../pid ../../pid\nexec sleep 1000\n"})
	var pid int
	waitFor(t, "the hook", func() bool {
		text, _ := os.ReadFile(filepath.Join(filepath.Dir(unit.root), "pid"))
		_, err := fmt.Sscan(string(text), &pid)
		return err == nil
	})
	w.must(core.RemoveUnits{Units: []kith.UnitName{"web/0"}, Force: true})
	w.mu.Lock()
	if w.m.Unit("web/0") == nil {
		w.send(api.HostEvent{Gone: &api.UnitRef{Model: testModel, Unit: "web/0"}})
	}
	w.mu.Unlock()
	waitFor(t, "the end of the hook", func() bool { return !running(pid) })
	waitFor(t, "the end of its folder", func() bool { _, err := os.Stat(unit.root); return os.IsNotExist(err) })
}

// What went while the agent was away is cleaned up when it is back.
func TestCleanUpAfterAbsence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta}), 2)
	dir := t.TempDir()
	stop := w.start(dir)
	w.settle()
	stop()
	w.must(core.RemoveUnits{Units: []kith.UnitName{"web/1"}, Force: true})
	other := filepath.Join(dir, "00000000-0000-4000-8000-00000000000f", "unit-x-0")
	w.check(os.MkdirAll(other, 0o700))
	w.check(os.WriteFile(filepath.Join(dir, "charms", "unused"), nil, 0o600))
	w.start(dir)
	gone := func(path string) bool { _, err := os.Stat(path); return os.IsNotExist(err) }
	d := dirs{dir}
	waitFor(t, "the clean-up", func() bool {
		return gone(d.unit(refOf("web/1")).root) && gone(filepath.Dir(other)) && gone(filepath.Join(dir, "charms", "unused"))
	})
	if gone(filepath.Join(d.unit(refOf("web/0")).charm(), "metadata.yaml")) {
		t.Error("the folder of web/0 is gone too")
	}
}

// Calls of one hook are served one at a time (hook protocol reference, section
// 6.1), so that none gets lost, and a caller that dies harms no other.
func TestToolsInParallel(t *testing.T) {
	t.Parallel()
	w, _ := oneUnit(t, map[string]string{"hooks/start": `#!/bin/sh
for i in 1 2 3 4 5 6 7 8 9; do
	state-set k$i=$i &
	{ config-get --format json & kill -9 $!; } >/dev/null 2>&1
done
wait
state-set last=1
`})
	w.settle()
	w.mu.Lock()
	defer w.mu.Unlock()
	data := w.m.State("web/0").Data
	for i := 1; i <= 9; i++ {
		if data[fmt.Sprint("k", i)] != fmt.Sprint(i) {
			t.Errorf("k%d was lost: %v", i, data)
		}
	}
}

// What hook tools ask of the controller, and what takes effect at once (hook
// protocol reference, section 15).
func TestToolsThatAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("pg", w.addCharm(map[string]string{"metadata.yaml": pgMeta, "hooks/db-relation-created": "#!/bin/sh\nrelation-set color=red\n"}), 1)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta,
		"config.yaml": "options:\n  x: {type: string, default: a}\n",
		"hooks/config-changed": `#!/bin/sh
[ "$(config-get x)" = b ] || exit 0
echo "leader $(is-leader)"
leader-set a=1
echo "settings $(leader-get a)"
application-version-set 1.2.3
status-set waiting 'for more'
echo "status $(status-get)"
status-set --application active 'all is well'
echo "color $(relation-get -r 1 color pg/0)"
echo "goal $(goal-state --format json | grep -c '"pg/0"')"
juju-log -l ERROR "hello from a charm"
exit 1
`}), 1)
	w.start(t.TempDir())
	w.must(core.Integrate{A: kith.Endpoint{App: "web", Name: "db"}, B: kith.Endpoint{App: "pg", Name: "db"}})
	w.settle()
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	w.failed()
	const out = "unit-web-0 DEBUG unit.web/0.config-changed "
	w.wantLog(out+"leader True", out+"settings 1", out+"status waiting", out+"color red", out+"goal 1",
		"unit-web-0 ERROR unit.web/0.juju-log hello from a charm")
	w.mu.Lock()
	defer w.mu.Unlock()
	app, unit := w.m.App("web"), w.m.Unit("web/0")
	if app.WorkloadVersion != "1.2.3" || app.LeaderSettings["a"] != "1" || app.Status.Message != "all is well" || unit.Workload.Message != "for more" {
		t.Errorf("application %+v, unit %+v: what takes effect at once outlasts the failure", app, unit)
	}
}

// The bag of a member is kept from hook to hook until its changed hook (relations
// reference, section 6.5); an application's bag is read in each.
func TestBagsBetweenHooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("pg", w.addCharm(map[string]string{"metadata.yaml": pgMeta, "config.yaml": "options:\n  v: {type: string, default: one}\n",
		"hooks/db-relation-created": "#!/bin/sh\nrelation-set v=one\nrelation-set --app v=one\n",
		"hooks/config-changed":      "#!/bin/sh\nfor r in $(relation-ids db); do relation-set -r $r v=$(config-get v); relation-set -r $r --app v=$(config-get v); done\n"}), 1)
	// web reads while pg's change has not been announced: pg's is told while web's hook runs.
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "config.yaml": "options:\n  x: {type: string, default: a}\n",
		"hooks/config-changed": `#!/bin/sh
[ "$(config-get x)" = b ] || exit 0
touch ../waiting
while ! [ -e ../go ]; do sleep 0.01; done
echo "unit $(relation-get -r 1 v pg/0), app $(relation-get -r 1 --app v pg)"
`, "hooks/db-relation-changed": "#!/bin/sh\necho \"changed ${JUJU_REMOTE_UNIT:-app}: unit $(relation-get v pg/0)\"\n"}), 1)
	dir := t.TempDir()
	w.start(dir)
	w.must(core.Integrate{A: kith.Endpoint{App: "web", Name: "db"}, B: kith.Endpoint{App: "pg", Name: "db"}})
	w.settle()
	unit := dirs{dir}.unit(refOf("web/0")).root
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	waitFor(t, "web's hook", func() bool { _, err := os.Stat(filepath.Join(unit, "waiting")); return err == nil })
	w.must(core.SetConfig{App: "pg", Set: map[string]any{"v": "two"}})
	w.until("pg wrote", func(m *core.Model) bool {
		return m.Bag(1, "pg/0").Data["v"] == "two" && m.Bag(1, "pg").Data["v"] == "two"
	})
	w.check(os.WriteFile(filepath.Join(unit, "go"), nil, 0o600))
	w.settle()
	w.wantLog("unit-web-0 DEBUG unit.web/0.config-changed unit one, app two",
		"unit-web-0 DEBUG unit.web/0.db-relation-changed changed pg/0: unit two")
	if strings.Contains(w.log(), "ERROR") {
		t.Errorf("errors in the log:\n%s", w.log())
	}
}
