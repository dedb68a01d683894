package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kith/charm"
)

// The dispatch of older and of newer charmcraft (hook protocol reference, section 5.9), and the charm they start.
const (
	olderDispatch = "#!/bin/sh\nJUJU_DISPATCH_PATH=\"${JUJU_DISPATCH_PATH:-$0}\" PYTHONPATH=lib:venv ./src/charm.py\n"
	newerDispatch = `#!/bin/sh
dispatch_path="$(dirname "$(realpath "$0")")"
if [ ! -e "$dispatch_path/venv/bin/python" ]; then
	mkdir -p "$dispatch_path/venv/bin"
	ln -s /bin/sh "$dispatch_path/venv/bin/python"
fi
PYTHONPATH="$dispatch_path/lib:$dispatch_path/venv/lib/python3/site-packages"
export PYTHONPATH
exec "$dispatch_path/venv/bin/python" "$dispatch_path/src/charm.py"
`
	anyCharm = "#!/bin/sh\n. ./lib/words\nstatus-set active \"$word from ${JUJU_DISPATCH_PATH##*/} with ${PYTHONPATH##*/}\"\n"
)

// Issue 3, item 4: charms in the forms people have them in, without Python: a folder from inside, one with hooks/ full of
// links, an archive with what charmcraft puts into it, and "." for deploy, refresh and dev.
func TestCharmForms(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a controller")
	}
	work := t.TempDir()
	t.Cleanup(func() { stopAll(t, work) })
	kith := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "kith", args...)
		cmd.Env, cmd.Dir = append(os.Environ(), "KITH_HOME="+filepath.Join(work, "h")), dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("kith %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	form := func(name, dispatch string) string {
		t.Helper()
		dir := filepath.Join(work, name)
		for file, text := range map[string]string{"metadata.yaml": "name: " + name + "\nsummary: s\ndescription: d\n",
			"manifest.yaml": "charmcraft-version: 3.2.0\ncharmcraft-started-at: '2025-01-01T00:00:00Z'\nbases:\n- name: ubuntu\n  channel: '24.04'\n  architectures: [amd64]\nanalysis:\n  attributes:\n  - name: language\n    result: python\n",
			"dispatch":      dispatch, "src/charm.py": anyCharm, "lib/words": "word=hello\n", "venv/yaml/__init__.py": "", "LICENSE": "x\n", "icon.svg": "<svg/>"} {
			if text != "" || file != "dispatch" {
				writeAll(t, filepath.Join(dir, file), text)
			}
		}
		return dir
	}
	link := func(dir, target string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "hooks"), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, hook := range []string{"install", "start", "config-changed", "upgrade-charm"} {
			if err := os.Symlink(target, filepath.Join(dir, "hooks", hook)); err != nil {
				t.Fatal(err)
			}
		}
	}
	older, newer, hooks := form("older", olderDispatch), form("newer", newerDispatch), form("hooks", "")
	link(older, "../dispatch")
	link(hooks, "../src/charm.py")
	archive := filepath.Join(work, "older_ubuntu-24.04-amd64.charm")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := charm.Pack(older, f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	kith(work, "up", "--hook-tool", buildHookTool(t))
	kith(work, "add-model", "m")
	kith(older, "deploy", ".")
	kith(work, "deploy", archive, "packed")
	kith(newer, "deploy", ".")
	kith(work, "deploy", "./hooks")
	kith(work, "settle", "--timeout", "60s")
	wantMessage := func(unit, want string) {
		t.Helper()
		for line := range strings.Lines(kith(work, "status")) {
			if words := strings.Fields(line); len(words) > 5 && words[0] == unit+"*" {
				if got := strings.Join(words[5:], " "); got != want {
					t.Errorf("%s says %q, want %q", unit, got, want)
				}
				return
			}
		}
		t.Errorf("status has no %s", unit)
	}
	wantMessage("older/0", "hello from start with lib:venv")
	wantMessage("packed/0", "hello from start with lib:venv")
	wantMessage("newer/0", "hello from start with site-packages")
	wantMessage("hooks/0", "hello from start with")
	// It is worked on, in its folder.
	writeAll(t, filepath.Join(older, "lib/words"), "word=again\n")
	if out := kith(older, "refresh", "older", "--path", "."); !strings.Contains(out, `Added local charm "older", revision 1, to the model`) {
		t.Errorf("refresh says %q", out)
	}
	kith(work, "settle", "--timeout", "60s")
	wantMessage("older/0", "again from config-changed with lib:venv")
}

func writeAll(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
