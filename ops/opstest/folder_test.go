package opstest_test

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

const shellMeta = `name: shell
summary: s
description: d
provides:
  link: {interface: link}
`

// shellCharm writes a charm of scripts into a folder, as name and text.
func shellCharm(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	all := append([]string{"metadata.yaml", shellMeta, "config.yaml", "options:\n  x: {type: string, default: a}\n",
		"actions.yaml", "backup:\n  description: d\n"}, files...)
	for i := 0; i < len(all); i += 2 {
		path := filepath.Join(dir, all[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text := all[i+1]
		if strings.Contains(all[i], "/") {
			text = "#!/bin/sh\n" + text
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// other is the other side of the shell charm's relation, in Go: it answers what it reads.
func other() *opstest.Charm {
	return opstest.NewCharm(func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnRelationChanged("link", func(e *ops.RelationChangedEvent) error {
			if e.Unit == "" {
				return nil
			}
			said, err := e.Relation.Data(e.Unit).Get("say")
			if err != nil {
				return err
			}
			return e.Relation.Data(f.Model().Unit()).Set("heard", said)
		}))
		return struct{}{}, nil
	}, opstest.YAML("name: other\nsummary: s\ndescription: d\nrequires:\n  link: {interface: link}\n"))
}

// A charm of scripts runs beside one in Go, with the real tools and environment, and what
// it does is in the same model.
func TestFolder(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	dir := shellCharm(t,
		"hooks/link-relation-joined", "relation-set \"say=$(config-get x) to $JUJU_REMOTE_UNIT\"\n",
		"hooks/link-relation-changed", "set -e\nstate-set \"heard=$(relation-get heard)\"\necho \"$(pwd | sed 's,.*/,,') $0\" | sed 's, /.*/charm/, ,'\necho oops >&2\njuju-log -l INFO hi\nstatus-set active \"$(state-get heard)\"\n",
		"actions/backup", "echo out; action-set n=1; exit 3\n")
	m.Deploy("shell", opstest.Folder(dir))
	m.Deploy("other", other())
	rel := m.Integrate("shell", "other")
	m.Settle()
	if got := m.UnitStatus("shell/0"); got != ops.ActiveStatus("a to other/0") {
		t.Errorf("status %q", got)
	}
	if got := rel.Bag("other/0")["heard"]; got != "a to other/0" {
		t.Errorf("the other side heard %q", got)
	}
	var events, logs []string
	for _, e := range m.Events() {
		if e.Unit == "shell/0" {
			events = append(events, e.String())
		}
	}
	if want := "link-relation-joined unit=other/0, link-relation-changed unit=other/0, link-relation-changed unit=other/0"; strings.Join(events, ", ") != want {
		t.Errorf("events %q, want %q", events, want)
	}
	for _, l := range m.Log() {
		logs = append(logs, l.String())
	}
	for _, want := range []string{"shell/0 INFO link:0: hi", "shell/0 DEBUG charm hooks/link-relation-changed", "shell/0 WARNING oops"} {
		if !strings.Contains(strings.Join(logs, "\n"), want) {
			t.Errorf("the log lacks %q: %q", want, logs)
		}
	}
	if got := m.Run("shell/0", "backup", nil); got.Status != "failed" || got.Message != "exit status 3" || got.Results["n"] != "1" {
		t.Errorf("action: %+v", got)
	}
}

// What a script that fails has written is dropped, and the hook is tried again.
func TestFolderFails(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	m.Deploy("shell", opstest.Folder(shellCharm(t, "hooks/config-changed",
		"state-set \"n=x$(state-get n)\"\n[ -e tried ] || { touch tried; exit 4; }\nstatus-set active \"$(state-get n)\"\n")))
	var failed *opstest.HookError
	if err := m.Try(m.Settle); !errors.As(err, &failed) || failed.Hook != "config-changed" || failed.Err.Error() != "exit status 4" {
		t.Fatalf("error %v", err)
	}
	m.Retry("shell/0")
	m.Settle()
	if got := m.UnitStatus("shell/0"); got != ops.ActiveStatus("x") {
		t.Errorf("status %q", got)
	}
}

// An upgrade replaces the charm's files and leaves what the charm made.
func TestFolderRefresh(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	m.Deploy("shell", opstest.Folder(shellCharm(t, "hooks/start", "touch made\n", "old/file", "")))
	m.Settle()
	m.Refresh("shell", opstest.Folder(shellCharm(t, "hooks/upgrade-charm", "status-set active \"$(echo made old/* new/*)\"\n", "new/file", "")))
	m.Settle()
	if got := m.UnitStatus("shell/0"); got != ops.ActiveStatus("made old/* new/file") {
		t.Errorf("status %q", got)
	}
}

// juju-reboot --now ends the process, drops what it wrote, and the hook runs again.
func TestFolderReboots(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	m.Deploy("shell", opstest.Folder(shellCharm(t, "hooks/config-changed",
		"state-set \"n=x$(state-get n)\"\n[ -e tried ] || { touch tried; juju-reboot --now; exec tail -f /dev/null; }\nstatus-set active \"$(state-get n)\"\n")))
	m.Settle()
	if got := m.UnitStatus("shell/0"); got != ops.ActiveStatus("x") {
		t.Errorf("status %q", got)
	}
}

// Explorations crash and fail processes at any of their calls.
func TestExploreFolder(t *testing.T) {
	t.Parallel()
	folder := opstest.Folder(shellCharm(t, "hooks/link-relation-joined", "set -e\nrelation-set say=$(config-get x)\nstate-set said=1\nrelation-set \"sure=$(state-get said)\"\n"))
	opstest.Explore(t, func(m *opstest.Model) error {
		m.Deploy("shell", folder, opstest.Units(2))
		m.Deploy("other", other())
		rel := m.Integrate("shell", "other")
		m.Invariant("all or nothing", func() error {
			for _, u := range []string{"shell/0", "shell/1"} {
				if bag := rel.Bag(u); (bag["say"] == "") != (bag["sure"] == "") {
					return errors.New(u + " wrote half")
				}
			}
			return nil
		})
		m.Settle()
		if got := rel.Bag("other/0")["heard"]; got != "a" {
			return errors.New("the other side heard " + got)
		}
		return nil
	}, opstest.Runs(4))
}

func TestFolderThatIsNoCharm(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	err := m.Try(func() { m.Deploy("x", opstest.Folder(t.TempDir())) })
	if kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), "cannot read the charm's metadata") {
		t.Errorf("error %v", err)
	}
}

// A charm in Go that has not been built runs nothing, and a test that took it for well would say nothing.
func TestFolderThatIsNotBuilt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"charmcraft.yaml": webYAML, "go.mod": "module web\n", "main.go": "package main\n"} { // any order: both
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := opstest.NewModel(t)
	err := m.Try(func() { m.Deploy("web", opstest.Folder(dir)) })
	if kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), "has no hooks nor dispatch file") || !strings.Contains(kith.HintOf(err), "go build -o dispatch") {
		t.Errorf("error %v, hint %q", err, kith.HintOf(err))
	}
}

// A test that ends because a hook has failed shows what the hook has logged: a process says no more than how it ended.
func TestFolderFailsWithItsLog(t *testing.T) {
	t.Parallel()
	dir, tb := shellCharm(t, "hooks/start", "juju-log -l INFO starting; echo 'no such disk' >&2; exit 3\n"), &recorder{}
	tb.run(func() { opstest.NewHarness(tb, opstest.Folder(dir)).BeginWithInitialHooks() })
	if want := "shell/0 start failed: exit status 3\nits log:\n  INFO starting\n  WARNING no such disk"; tb.fatal != want {
		t.Errorf("got\n%s\nwant\n%s", tb.fatal, want)
	}
}

// Tests of charms in Go link no client, server or store: what they link is built for each of them.
func TestDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "kith/ops/opstest").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, heavy := range []string{"net/http", "crypto/tls", "go.etcd.io/", "google.golang.org/", "kith/internal/agent", "kith/internal/client", "kith/internal/store"} {
		for dep := range strings.Lines(string(out)) {
			if strings.HasPrefix(dep, heavy) {
				t.Errorf("opstest links %s", dep)
			}
		}
	}
}

const pythonCharm = `import logging
import ops

class Charm(ops.CharmBase):
    def __init__(self, framework):
        super().__init__(framework)
        framework.observe(self.on.link_relation_joined, self._joined)
        framework.observe(self.on.link_relation_changed, self._changed)

    def _joined(self, event):
        event.relation.data[self.unit]["say"] = "hello from python"

    def _changed(self, event):
        heard = event.unit and event.relation.data[event.unit].get("heard")
        self.unit.status = ops.ActiveStatus(f"heard {heard}")

if __name__ == "__main__":
    ops.main(Charm)
`

// A charm on Python's ops runs beside one in Go.
func TestPythonFolder(t *testing.T) {
	t.Parallel()
	python, err := filepath.Abs(filepath.Join(cmp.Or(os.Getenv("KITH_VENV"), "../../build/venv"), "bin/python3"))
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(python, "-c", "import ops").Run(); err != nil {
		t.Skipf("no Python with ops at %s (%v): make venv", python, err)
	}
	dir := shellCharm(t, "src/charm.py", "")
	for name, text := range map[string]string{
		"src/charm.py": pythonCharm,
		"dispatch":     "#!/bin/sh\nexec " + python + " src/charm.py\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := opstest.NewModel(t)
	m.Deploy("shell", opstest.Folder(dir))
	m.Deploy("other", other())
	m.Integrate("shell", "other")
	m.Settle()
	if got := m.UnitStatus("shell/0"); got != ops.ActiveStatus("heard hello from python") {
		t.Errorf("status %q\n%v", got, m.Log())
	}
}

// Storage, resources and trust reach a charm of scripts as they reach one in Go.
func TestFolderHasStorage(t *testing.T) {
	t.Parallel()
	dir := shellCharm(t,
		"hooks/data-storage-attached", "set -e\ntest \"$(storage-get location)\" = \"$JUJU_STORAGE_LOCATION\"\necho kept > \"$JUJU_STORAGE_LOCATION/file\"\n",
		"hooks/start", "set -e\ncd \"$(storage-get -s data/0 location)\"\nstatus-set active \"$(cat file) $(cat \"$(resource-get image)\") $(credential-get --format json | grep -c manual)\"\n")
	meta := shellMeta + "storage:\n  data: {type: filesystem}\nresources:\n  image: {type: file, filename: image.tgz}\n"
	if err := os.WriteFile(filepath.Join(dir, "metadata.yaml"), []byte(meta), 0o644); err != nil {
		t.Fatal(err)
	}
	m := opstest.NewModel(t)
	m.Deploy("shell", opstest.Folder(dir))
	m.AttachResource("shell", "image", []byte("content"))
	m.SetTrust("shell", true)
	m.Settle()
	if got := m.UnitStatus("shell/0"); got != ops.ActiveStatus("kept content 1") {
		t.Errorf("status %q", got)
	}
}
