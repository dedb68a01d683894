package agent

import (
	"maps"
	"strings"
	"testing"

	"kith/internal/core"
)

// Hook protocol reference, section 3.8. "juju-reboot --now: the request is noted, then the agent kills the
// hook process … The hook is discarded, and queued again; after the reboot it runs from the beginning."
func TestRebootNow(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]string{ // what the charm does if it is given time to
		"waits to be killed": "sleep 1000", "exits well": "exit 0", "exits badly": "exit 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := oneUnit(t, map[string]string{"hooks/config-changed": `#!/bin/sh
if ! [ -e ../marker ]; then
	touch ../marker
	state-set discarded=1
	juju-reboot --now
	` + after + `
fi
state-set ran=1
`, "hooks/start": "#!/bin/sh\nstate-set \"starts=$(state-get starts)x\"\n"})
			w.settle()
			w.wantLog(`unit-web-0 WARNING juju.worker.uniter.operation hook "config-changed" was terminated`,
				`unit-web-0 INFO juju.worker.uniter.operation hook "config-changed" has asked for a reboot and runs again`)
			w.mu.Lock()
			defer w.mu.Unlock()
			if got := w.m.State("web/0").Data; !maps.Equal(got, map[string]string{"ran": "1", "starts": "x"}) {
				t.Errorf("state %v", got)
			}
			if strings.Contains(strings.Join(messages(w), "\n"), "failed") {
				t.Error("something failed")
			}
		})
	}
}

// "juju-reboot without options: a request is noted; after the hook has succeeded and been committed the
// agent reboots the machine"; "an extra start hook is run".
func TestReboot(t *testing.T) {
	t.Parallel()
	w, _ := oneUnit(t, map[string]string{"hooks/config-changed": "#!/bin/sh\njuju-reboot && state-set after=1\n",
		"hooks/start": "#!/bin/sh\nstate-set \"starts=$(state-get starts)x\"\n"})
	w.settle()
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "b"}})
	w.settle()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.m.State("web/0").Data; !maps.Equal(got, map[string]string{"after": "1", "starts": "xx"}) {
		t.Errorf("state %v", got)
	}
}

// A new life of the agent is none of the computer: started units do not start again. That they do after a
// reboot, core decides by what stands before the slash of the agent's epoch.
func TestAgentRestartIsNoReboot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "hooks/start": "#!/bin/sh\nstate-set \"starts=$(state-get starts)x\"\n"}), 1)
	dir := t.TempDir()
	stop := w.start(dir)
	w.settle()
	w.mu.Lock()
	first := w.epoch
	w.mu.Unlock()
	stop()
	w.start(dir)
	w.until("the second life", func(m *core.Model) bool { return m.Host("local").Epoch != first })
	w.settle()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.m.State("web/0").Data["starts"]; got != "x" {
		t.Errorf("starts after the agent's second life: %q", got)
	}
	if boot := core.BootOf(w.epoch); boot != bootID() || boot != core.BootOf(first) {
		t.Errorf("epochs %q and %q, boot %q", first, w.epoch, bootID())
	}
}
