package pycharms_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/charm"
)

// testFolders: a charm in each of the forms people have it in (protocol 5.9). It
// shows in its status which hook it last ran, and where it found ops.
func testFolders(t *testing.T, m *model) {
	source, err := filepath.Abs(filepath.Join("testdata", "charms", "plain"))
	if err != nil {
		t.Fatal(err)
	}
	libraries := filepath.Join("lib", "python"+m.pythonVersion(), "site-packages")

	// The folder a charm is written in, with ops from the venv kith was started in.
	m.kith("deploy", source, "source")

	// As older charmcraft packs it: packages directly in venv/.
	older := filepath.Join(m.dir, "older")
	m.tree(source, older)
	m.tree(filepath.Join(m.w.venv, "older"), filepath.Join(older, "venv"))
	packed := filepath.Join(m.dir, "plain_ubuntu-24.04-amd64.charm")
	m.pack(older, packed)
	m.kith("deploy", packed, "older", "--config", "greeting=packed")

	// A venv beside the charm as `python3 -m venv` makes it has absolute links, which
	// no charm may hold. Left out, as newer charmcraft does, the dispatch puts one back.
	newer := filepath.Join(m.dir, "newer")
	m.tree(source, newer)
	m.tree(filepath.Join(m.w.venv, "older"), filepath.Join(newer, "venv", libraries))
	m.copy(filepath.Join(m.w.venv, "pyvenv.cfg"), filepath.Join(newer, "venv", "pyvenv.cfg"))
	m.copy("testdata/lib/dispatch-venv", filepath.Join(newer, "dispatch"))
	link(t, "/usr/bin/python3", filepath.Join(newer, "venv", "bin", "python3"))
	out, err := m.try("deploy", newer)
	if err == nil || !strings.Contains(out, `symlink "venv/bin/python3" is absolute`) {
		t.Errorf("a folder with absolute links: %v\n%s", err, out)
	}
	m.write(filepath.Join(newer, ".jujuignore"), "/venv/bin/\n")
	m.kith("deploy", newer, "newer")

	// No dispatch at all: hooks/ with links to the charm.
	hooks := filepath.Join(m.dir, "hooks")
	m.tree(source, hooks)
	if err := os.Remove(filepath.Join(hooks, "dispatch")); err != nil {
		t.Fatal(err)
	}
	for _, hook := range []string{"install", "start", "config-changed"} {
		link(t, "../src/charm.py", filepath.Join(hooks, "hooks", hook))
	}
	m.do("deploy " + hooks + " hooks")

	status := m.status()
	shared := filepath.Join(m.w.venv, libraries, "ops")
	want(t, "from its source folder", status.workload("source/0"), "active: hello from start with "+shared)
	want(t, "packages in venv/", status.workload("older/0"), "active: packed from start with venv/ops")
	want(t, "a venv beside the charm", status.workload("newer/0"), "active: hello from start with venv/"+filepath.ToSlash(libraries)+"/ops")
	want(t, "hooks/ without dispatch", status.workload("hooks/0"), "active: hello from start with "+shared)

	// The charm is worked on, and refreshed from its folder.
	code, err := os.ReadFile(filepath.Join(older, "src", "charm.py"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(older, "src", "charm.py"), []byte(strings.Replace(string(code), "{hook} with", "the new {hook} with", 1)), 0o755); err != nil {
		t.Fatal(err)
	}
	m.do("refresh older --path " + older)
	want(t, "after a refresh", m.status().workload("older/0"), "active: packed from the new config-changed with venv/ops")
}

// pythonVersion is the major and minor version of the venv's Python.
func (m *model) pythonVersion() string {
	m.t.Helper()
	found, err := filepath.Glob(filepath.Join(m.w.venv, "lib", "python3.*"))
	if err != nil || len(found) != 1 {
		m.t.Fatalf("the venv has %v (%v)", found, err)
	}
	return strings.TrimPrefix(filepath.Base(found[0]), "python")
}

func (m *model) pack(dir, to string) {
	m.t.Helper()
	f, err := os.Create(to)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	if err := charm.Pack(dir, f); err != nil {
		m.t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}
