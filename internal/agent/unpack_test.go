package agent

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith/internal/core"
)

// contents are the files of a folder with their text; links as "-> target".
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if info.Mode()&os.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			files[name] = "-> " + target
			return err
		}
		text, err := os.ReadFile(path)
		files[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func pick(all map[string]string, names ...string) map[string]string {
	some := map[string]string{}
	for _, n := range names {
		if text, ok := all[n]; ok {
			some[n] = text
		}
	}
	return some
}

// upgradeWorld has two charms, v1 and v2, and an unpacker for one unit.
func upgradeWorld(t *testing.T) (a *archives, d unitDir, v1, v2 string) {
	t.Helper()
	w := newWorld(t)
	v1 = w.addCharm(map[string]string{"metadata.yaml": webMeta, "hooks/install": "v1", "same": "v1", "lib/old": "v1", "lib/both": "v1", "gone/deep/x": "v1", "thing": "v1"})
	v2 = w.addCharm(map[string]string{"metadata.yaml": webMeta, "hooks/install": "v2", "same": "v2", "lib/both": "v2", "new/x": "v2", "thing/is/folder": "v2"})
	root := dirs{t.TempDir()}
	w.check(root.prepare("/nowhere", nil))
	d, err := root.prepareUnit(refOf("web/0"))
	w.check(err)
	return &archives{dirs: root, fetch: w.Blob}, d, v1, v2
}

// What a charm makes of its own: files beside those of the archive, and in their folders.
func makeOwn(t *testing.T, d unitDir) map[string]string {
	t.Helper()
	own := map[string]string{".unit-state.db": "mine", "lib/cache": "mine", "venv/bin/x": "mine", "gone/deep/kept": "mine"}
	for name, text := range own {
		path := filepath.Join(d.charm(), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return own
}

// Hook protocol reference, section 3.10.
func TestUpgradeKeepsWhatTheCharmMade(t *testing.T) {
	t.Parallel()
	a, d, v1, v2 := upgradeWorld(t)
	if err := a.unpack(t.Context(), d, v1); err != nil {
		t.Fatal(err)
	}
	own := makeOwn(t, d)
	if err := a.unpack(t.Context(), d, v2); err != nil {
		t.Fatal(err)
	}
	checkV2(t, d, own)
	if err := os.WriteFile(filepath.Join(d.charm(), "same"), []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.unpack(t.Context(), d, v2); err != nil { // nothing to do
		t.Fatal(err)
	}
	if got := contents(t, d.charm())["same"]; got != "edited" {
		t.Errorf("a charm that is unpacked was unpacked again: %q", got)
	}
}

func checkV2(t *testing.T, d unitDir, own map[string]string) {
	t.Helper()
	want := map[string]string{"hooks/install": "v2", "same": "v2", "lib/both": "v2", "new/x": "v2", "thing/is/folder": "v2"}
	maps.Copy(want, own)
	got := contents(t, d.charm())
	for _, extra := range []string{"metadata.yaml", "revision", "version"} {
		delete(got, extra)
	}
	if !maps.Equal(got, want) {
		t.Errorf("the folder has %v, want %v", got, want)
	}
	left, err := os.ReadDir(d.root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"charm", "manifest.json", "tools"}) {
		t.Errorf("the unit's folder has %v", names)
	}
}

// An upgrade that died at any point is finished by doing it again, or by another one.
func TestUpgradeInterrupted(t *testing.T) {
	t.Parallel()
	a, d, v1, v2 := upgradeWorld(t)
	if err := a.unpack(t.Context(), d, v1); err != nil {
		t.Fatal(err)
	}
	own := makeOwn(t, d)
	before, err := readManifest(d.manifest())
	if err != nil {
		t.Fatal(err)
	}
	// As after a death in the middle: the intent is written, some files are new, some
	// old ones are gone, and a stage is left.
	intent := manifest{Files: union(before.Files, []string{"new", "new/x", "third"})}
	for _, err := range []error{
		intent.write(d.manifest()),
		os.WriteFile(filepath.Join(d.charm(), "same"), []byte("v2"), 0o600),
		os.WriteFile(filepath.Join(d.charm(), "third"), []byte("of a charm that was never whole"), 0o600),
		os.Remove(filepath.Join(d.charm(), "lib/old")),
		os.Mkdir(filepath.Join(d.root, ".charm.unpack-1"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.unpack(t.Context(), d, v2); err != nil {
		t.Fatal(err)
	}
	checkV2(t, d, own)
}

// A charm whose files became links to elsewhere does not lead an upgrade astray.
func TestUpgradeStaysInside(t *testing.T) {
	t.Parallel()
	a, d, v1, v2 := upgradeWorld(t)
	if err := a.unpack(t.Context(), d, v1); err != nil {
		t.Fatal(err)
	}
	outside := t.TempDir()
	for _, name := range []string{"old", "both", "deep/x"} {
		path := filepath.Join(outside, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("precious"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"lib", "gone"} {
		path := filepath.Join(d.charm(), name)
		if err := errors.Join(os.RemoveAll(path), os.Symlink(outside, path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.unpack(t.Context(), d, v2); err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, outside), (map[string]string{"old": "precious", "both": "precious", "deep/x": "precious"}); !maps.Equal(got, want) {
		t.Errorf("outside there is %v", got)
	}
	if got := pick(contents(t, d.charm()), "lib/both", "same"); got["lib/both"] != "v2" || got["same"] != "v2" {
		t.Errorf("inside there is %v", got)
	}
}

// An archive that is not what its name says is not used.
func TestArchiveIsChecked(t *testing.T) {
	t.Parallel()
	a, d, v1, _ := upgradeWorld(t)
	a.fetch = func(context.Context, string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("something else")), nil
	}
	err := a.unpack(t.Context(), d, v1)
	if err == nil || !strings.Contains(err.Error(), "its bytes have the sum") {
		t.Errorf("error %v", err)
	}
	left, _ := os.ReadDir(a.dirs.charms())
	if len(left) != 0 {
		t.Errorf("%d archives were kept", len(left))
	}
}

// The charm changes with upgrade-charm, and hooks before it run in the old one.
func TestRefresh(t *testing.T) {
	t.Parallel()
	w, unit := oneUnit(t, map[string]string{"hooks/config-changed": "#!/bin/sh\necho old\n", "only-old": "x"})
	w.settle()
	v2 := w.addCharm(map[string]string{"metadata.yaml": webMeta, "config.yaml": "options:\n  x: {type: string, default: a}\n",
		"hooks/upgrade-charm": "#!/bin/sh\nls\n", "hooks/config-changed": "#!/bin/sh\necho new\n"})
	w.must(core.Refresh{App: "web", Charm: v2})
	w.settle()
	log := w.log()
	for _, want := range []string{"config-changed old\n", "upgrade-charm metadata.yaml\n", "config-changed new\n"} {
		i := strings.Index(log, want)
		if i < 0 {
			t.Fatalf("no %q, in this order, in\n%s", want, w.log())
		}
		log = log[i:]
	}
	if _, err := os.Stat(filepath.Join(unit.charm(), "only-old")); !os.IsNotExist(err) {
		t.Errorf("a file of the old charm: %v", err)
	}
}
