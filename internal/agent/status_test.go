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
