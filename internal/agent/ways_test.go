package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
)

// shelfCharm, as an argument, makes the charm in Go one that looks at all that it has of its computer.
const shelfCharm = "shelf"

const shelfMeta = `name: web
summary: s
description: d
storage:
  data: {type: filesystem}
  logs: {type: filesystem, multiple: {range: 0-9}}
resources:
  software: {type: file, filename: software.tgz}
  unused: {type: file, filename: unused.tgz}
peers:
  cluster: {interface: peers}
`

// "A charm binary built with it runs under kith and under any Juju host": one charm reaches its
// storage, resources, cloud, secrets and ports over the socket, through the real hook tools
// as processes, and as a process that stays, and there is no difference.
func TestGoCharmWays(t *testing.T) {
	t.Parallel()
	for way, env := range map[string]string{
		"resident": "",
		"socket":   "unset KITH_RESIDENT\n",
		"tools":    "unset KITH_HOOKWIRE KITH_RESIDENT\n",
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			charm := w.addCharm(map[string]string{"metadata.yaml": shelfMeta,
				"dispatch": "#!/bin/sh\n" + env + "exec '" + goCharm(t) + "' " + shelfCharm + "\n"})
			w.must(core.Deploy{App: "web", Charm: charm, Units: 1, Trust: true, Resources: map[string]core.ResourceFile{"software": w.give("one")}})
			w.start(t.TempDir())
			w.failed() // start asks for a second data
			w.wantShelf(
				"INFO attached storage=data/0 name=data index=0 at=data/0",
				"INFO attached storage=logs/1 name=logs index=1 at=logs/1", "INFO attached storage=logs/2 name=logs index=2 at=logs/2",
				`INFO cloud type=manual name=localhost denied=false`, `INFO secret label=pw error=<nil>`,
				"INFO has storage=data/0 kind=filesystem there=true", "INFO has storage=logs/1 kind=filesystem there=true", "INFO has storage=logs/2 kind=filesystem there=true",
				"INFO resource file=software.tgz content=one missing=true",
			)
			w.mu.Lock()
			ports := fmt.Sprint(w.m.Unit("web/0").Ports)
			w.mu.Unlock()
			if !strings.Contains(ports, "80") {
				t.Errorf("ports %s", ports)
			}
			w.must(core.Resolved{Units: []kith.UnitName{"web/0"}, NoRetry: true})
			w.settle()
			w.must(core.RemoveUnits{Units: []kith.UnitName{"web/0"}})
			w.until("web/0 is gone", func(m *core.Model) bool { return m.Unit("web/0") == nil })
			w.wantShelf("INFO detaching storage=data/0 mark=web/0")
		})
	}
}

// wantShelf checks what the charm has logged.
func (w *world) wantShelf(lines ...string) {
	w.t.Helper()
	var said []string
	for line := range strings.Lines(w.log()) {
		if _, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "unit.web/0.juju-log "); ok {
			level := strings.Fields(line)[1]
			said = append(said, level+" "+text)
		}
	}
	for _, l := range lines {
		if !slices.Contains(said, l) {
			w.t.Errorf("the charm did not log %q:\n%s", l, w.log())
			return
		}
	}
}
