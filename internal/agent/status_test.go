package agent

import (
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
)

// Hook protocol reference, section 3.9, row by row: what the agent makes of the workload's status
// around hooks. "A missing hook … runs the after-hook steps (status changes, …)" (3.4), and the ones before.
func TestStatusAroundHooks(t *testing.T) {
	t.Parallel()
	const tell = "#!/bin/sh\nset -e\necho \"$JUJU_HOOK_NAME: $(status-get --include-data --format=json)\"\n"
	w := newWorld(t)
	bare := map[string]string{"metadata.yaml": webMeta, "hooks/config-changed": tell, "hooks/stop": tell, "hooks/remove": tell,
		"actions.yaml": "ask: {}\n", "actions/ask": tell}
	w.deploy("bare", w.addCharm(bare), 1)
	bare["hooks/install"] = tell + "status-set blocked mine\n"
	bare["hooks/stop"] = "#!/bin/sh\nstatus-set waiting mine\n" + strings.TrimPrefix(tell, "#!/bin/sh\n")
	w.deploy("sets", w.addCharm(bare), 1)
	w.start(t.TempDir())
	w.settle()
	ask := func(u string) string {
		w.must(core.RunAction{Receivers: []string{u}, Action: "ask"})
		return w.over(w.lastTask()).Output.Stdout
	}
	if got := ask("bare/0"); got != `: {"message":"","status":"unknown","status-data":{}}`+"\n" {
		t.Errorf("after start, and the charm has set no status: %s", got)
	}
	if got := ask("sets/0"); got != `: {"message":"mine","status":"blocked","status-data":{}}`+"\n" {
		t.Errorf("after start, and the charm has set a status: %s", got)
	}
	w.must(core.RemoveUnits{Units: []kith.UnitName{"bare/0", "sets/0"}})
	w.until("gone", func(m *core.Model) bool { return m.Unit("bare/0") == nil && m.Unit("sets/0") == nil })
	for _, line := range []string{
		`bare/0.config-changed config-changed: {"message":"installing charm software","status":"maintenance","status-data":{}}`,
		`bare/0.stop stop: {"message":"stopping charm software","status":"maintenance","status-data":{}}`,
		`bare/0.remove remove: {"message":"cleaning up prior to charm deletion","status":"maintenance","status-data":{}}`,
		`sets/0.install install: {"message":"installing charm software","status":"maintenance","status-data":{}}`,
		`sets/0.config-changed config-changed: {"message":"mine","status":"blocked","status-data":{}}`,
		`sets/0.stop stop: {"message":"mine","status":"waiting","status-data":{}}`,
		`sets/0.remove remove: {"message":"cleaning up prior to charm deletion","status":"maintenance","status-data":{}}`,
	} {
		w.wantLog("DEBUG unit." + line)
	}
}

// Section 3.4: "status error, message hook failed: "<name>" … Status data carries what applies", as the leader
// sees it of another unit.
func TestStatusOfFailedUnit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(core.SetModelConfig{Set: map[string]string{"automatically-retry-hooks": "false"}})
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "actions.yaml": "ask: {}\n",
		"actions/ask":                   "#!/bin/sh\nstatus-get --application --include-data --format=json\n",
		"hooks/cluster-relation-joined": "#!/bin/sh\n[ \"$JUJU_UNIT_NAME\" = web/0 ]\n"}), 2)
	w.start(t.TempDir())
	w.until("web/1 in error", func(m *core.Model) bool { return m.Progress("web/1").InError() })
	if _, err := w.command(core.System, core.Elect{Unit: "web/0"}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.must(core.RunAction{Receivers: []string{"web/0"}, Action: "ask"})
	const want = `{"application-status":{"message":"hook failed: \"cluster-relation-joined\"","status":"error","status-data":{},"units":{` +
		`"web/0":{"message":"","status":"unknown","status-data":{}},` +
		`"web/1":{"message":"hook failed: \"cluster-relation-joined\"","status":"error",` +
		`"status-data":{"hook":"cluster-relation-joined","relation-id":0,"remote-unit":"web/0"}}}}}` + "\n"
	if got := w.over(w.lastTask()).Output.Stdout; got != want {
		t.Errorf("got  %s\nwant %s\n%s", got, want, w.log())
	}
}

// What the log says of a hook is there when the controller hears of its end, also of a commit that it refuses.
func TestLogBeforeFailure(t *testing.T) {
	t.Parallel()
	w, _ := oneUnit(t, map[string]string{"hooks/config-changed": "#!/bin/sh\n[ $(config-get x) = a ] || state-set big=" + strings.Repeat("k", 100) + "\n"})
	w.settle()
	var log string
	w.fault(w.arm("fail-hook", func() error { log = w.log(); return nil }), nil)
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	w.failed()
	if !strings.Contains(log, `hook "config-changed" (via explicit, bespoke hook script) failed: max allowed size (100) exceeded`+"\n") {
		t.Errorf("the log had\n%s", log)
	}
}
