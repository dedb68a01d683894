package pycharms_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packedFor is the Python that testdata/charmcraft was packed with: pip put the packages of
// the newer form into a folder of that name.
const packedFor = "3.11"

// testCharmcraft: archives that charmcraft itself has packed, unchanged. They are
// testdata/charmcraft/packed, made by `charmcraft pack --destructive-mode`
// of versions 2.7.4 and 4.5.0 from PyPI: twice with the "charm" plugin, once with "python"
// instead (python-requirements: [requirements.txt], no prime). Packing wants root and an Ubuntu 24.04,
// which is why it is not done here. The charm says of itself where it runs.
func testCharmcraft(t *testing.T, m *model) {
	for _, name := range []string{"charm-plugin-2.7", "charm-plugin-4.5", "python-plugin-4.5"} {
		archive, err := filepath.Abs(filepath.Join("testdata", "charmcraft", name+".charm"))
		if err != nil {
			t.Fatal(err)
		}
		m.kith("deploy", archive, strings.ReplaceAll(name, ".", "x"))
	}
	m.do()
	newer := "hello from start in venv"
	if m.pythonVersion() != packedFor {
		newer = "start in venv" // it runs, and finds none of its packages, as on another release of Ubuntu
	}
	status := m.status()
	want(t, "packed by 2.7", status.workload("charm-plugin-2x7/0"), "active: hello from start in outside")
	want(t, "packed by 4.5", status.workload("charm-plugin-4x5/0"), "active: hello from start in outside")
	want(t, "packed by 4.5 with the newer plugin", status.workload("python-plugin-4x5/0"), "active: "+newer)

	// What was in the archive is there, as it was (hook protocol 3.1, 5.9).
	for file, mode := range map[string]string{"dispatch": "-rwxr-xr-x", "src/charm.py": "-rwxr-xr-x", "manifest.yaml": "-rw-r--r--",
		"hooks/install": "-rwxr-xr-x", "venv/greeter-1.0.dist-info/RECORD": "-rw-r--r--"} {
		info, err := os.Stat(filepath.Join(m.charmDir("charm-plugin-4x5/0"), file))
		if err != nil {
			t.Error(err)
			continue
		}
		want(t, "the mode of "+file, info.Mode().Perm().String(), mode)
	}
	// The newer dispatch has linked the Python it found into the charm's own venv.
	if _, err := os.Readlink(filepath.Join(m.charmDir("python-plugin-4x5/0"), "venv", "bin", "python")); err != nil {
		t.Error(err)
	}

	// Configuration and actions that stood in charmcraft.yaml are in files of their own.
	m.do("config charm-plugin-2x7 greeting=changed")
	want(t, "configured", m.status().workload("charm-plugin-2x7/0"), "active: changed from config-changed in outside")
	got, _, _ := m.task("run", "charm-plugin-4x5/0", "where")
	want(t, "its packages", got.Results["greeter"], "venv/greeter/__init__.py")

	// The one is refreshed to the other, which takes what only the first had.
	archive, err := filepath.Abs(filepath.Join("testdata", "charmcraft", "python-plugin-4.5.charm"))
	if err != nil {
		t.Fatal(err)
	}
	m.do("refresh charm-plugin-4x5 --path " + archive)
	want(t, "refreshed", strings.HasSuffix(m.status().workload("charm-plugin-4x5/0"), " in venv"), true)
	if _, err := os.Stat(filepath.Join(m.charmDir("charm-plugin-4x5/0"), "hooks", "install")); err == nil {
		t.Error("hooks/install of the first archive is still there")
	}
}
