package agent

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"kith/internal/core"
)

// What the agent adds to a hook: BenchmarkHook beside BenchmarkBareProcess, which
// runs the same script and nothing else. The controller is in memory, so neither
// disk nor network is in it.
func BenchmarkBareProcess(b *testing.B) {
	script := filepath.Join(b.TempDir(), "hook")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := exec.Command(script).Run(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHook(b *testing.B)        { benchHooks(b, "#!/bin/sh\n") }
func BenchmarkHookOneTool(b *testing.B) { benchHooks(b, "#!/bin/sh\nconfig-get x >/dev/null\n") }
func BenchmarkHookTenTools(b *testing.B) {
	benchHooks(b, "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10; do config-get x >/dev/null; done\n")
}

func benchHooks(b *testing.B, hook string) {
	w := newWorld(b)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "hooks/config-changed": hook,
		"config.yaml": "options:\n  x: {type: string, default: a}\n"}), 1)
	w.start(b.TempDir())
	w.settle()
	n := 0
	for b.Loop() {
		n++
		w.must(core.SetConfig{App: "web", Set: map[string]any{"x": strconv.Itoa(n)}})
		w.until("the hook has run", func(m *core.Model) bool { return m.Progress("web/0").Config == m.App("web").ConfigVersion+1 })
	}
}

// How many hooks at once: forty units that run a shell hook with three tools each.
func BenchmarkUnits(b *testing.B) {
	for _, hooks := range []int{1, 2, 4, 8, 40} {
		b.Run(strconv.Itoa(hooks), func(b *testing.B) {
			w := newWorld(b)
			w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": "name: web\nsummary: s\ndescription: d\n",
				"hooks/config-changed": "#!/bin/sh\nx=$(config-get x)\nstate-set x=$x\nstatus-set active\n",
				"config.yaml":          "options:\n  x: {type: string, default: a}\n"}), 40)
			w.start(b.TempDir(), func(c *Config) { c.Hooks = hooks })
			w.settle()
			n := 0
			for b.Loop() {
				n++
				w.must(core.SetConfig{App: "web", Set: map[string]any{"x": strconv.Itoa(n)}})
				w.settle()
			}
		})
	}
}
