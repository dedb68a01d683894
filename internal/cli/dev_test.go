package cli

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kith dev deploys a folder, refreshes it on every save, and lets a hook that has
// failed run again in what was saved (issue 3, item 4; relations reference, section 8).
func TestDev(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a controller")
	}
	work := t.TempDir()
	home := filepath.Join(work, "h")
	env := append(os.Environ(), "KITH_HOME="+home, "TZ=UTC")
	t.Cleanup(func() { stopAll(t, work) })
	kith := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "kith", args...)
		cmd.Env = env
		return cmd
	}
	for _, args := range [][]string{{"up", "--hook-tool", buildHookTool(t)}, {"add-model", "work"}} {
		if out, err := kith(args...).CombinedOutput(); err != nil {
			t.Fatalf("kith %v: %v\n%s", args, err, out)
		}
	}
	dir := filepath.Join(t.TempDir(), "web")
	save := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const metadata = "name: web\nsummary: s\ndescription: d\n"
	save("metadata.yaml", metadata)
	save("hooks/start", "#!/bin/sh\njuju-log first\n")

	dev := kith("dev", ".")
	dev.Dir = dir
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	dev.Stdout, dev.Stderr = w, w
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	lines := bufio.NewScanner(r)
	var seen []string
	await := func(text string) {
		t.Helper()
		if err := r.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			seen = append(seen, lines.Text())
			if strings.Contains(lines.Text(), text) {
				return
			}
		}
		t.Fatalf("it ended without %q:\n%s", text, strings.Join(seen, "\n"))
	}
	await("Watching ")
	await(`ran "start" hook`)
	save("hooks/config-changed", "#!/bin/sh\njuju-log edited\n")
	await("juju-log edited")
	save("hooks/config-changed", "#!/bin/sh\nexit 3\n")
	await(`hook "config-changed" (via explicit, bespoke hook script) failed: exit status 3`)
	save("hooks/config-changed", "#!/bin/sh\ncat lib/new/word\n")
	await("No such file")
	save("lib/new/word", "mended\n") // in a folder that was not there
	await("config-changed mended")
	save("metadata.yaml", metadata+"provides: [\n")
	await("ERROR ")
	save("metadata.yaml", metadata)
	save("hooks/config-changed", "#!/bin/sh\njuju-log last\n")
	await("juju-log last")
	if err := dev.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	await("remove-application web")
	if err := dev.Wait(); err != nil {
		t.Errorf("after an interrupt: %v", err)
	}
}
