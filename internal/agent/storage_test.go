package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

const storageMeta = `name: web
summary: s
description: d
storage:
  data: {type: filesystem, location: /srv/data}
  logs: {type: filesystem, multiple: {range: 0-9}}
  seed: {type: filesystem, read-only: true, multiple: {range: 0-1}}
`

// noteStorage is a hook that notes what it is told of its storage, and leaves a mark there.
const noteStorage = `#!/bin/sh
set -e
test "$(storage-get location)" = "$JUJU_STORAGE_LOCATION"
test "$(storage-get kind)" = "$JUJU_STORAGE_KIND"
echo "$JUJU_HOOK_NAME $JUJU_DISPATCH_PATH $JUJU_STORAGE_ID $JUJU_STORAGE_KIND $(stat -c %a "$JUJU_STORAGE_LOCATION") $(cat "$JUJU_STORAGE_LOCATION/mark" 2>/dev/null)"
echo "$JUJU_UNIT_NAME" >> "$JUJU_STORAGE_LOCATION/mark" || true
`

func storageDir(dir string, id kith.StorageID) string {
	return dirs{dir}.storage(api.StorageRef{Model: testModel, Storage: id})
}

// Hook protocol reference, section 5.6, and the relations reference, section 4.2: each storage is a
// private folder of its own, made before its storage-attached hook, which comes before install. It
// outlives its unit, and the next one finds what is in it.
func TestStorage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charm := w.addCharm(map[string]string{"metadata.yaml": storageMeta, "hooks/data-storage-attached": noteStorage,
		"hooks/data-storage-detaching": noteStorage, "hooks/seed-storage-attached": noteStorage,
		"hooks/install": "#!/bin/sh\necho \"install with $(storage-list | tr '\\n' ' ')\"\n"})
	w.must(core.Deploy{App: "web", Charm: charm, Units: 1, Storage: map[string]core.StorageDirective{"seed": {Count: 1}}})
	dir := t.TempDir()
	w.start(dir)
	w.settle()
	const logger = "unit-web-0 DEBUG unit.web/0."
	w.wantLog(logger+"data-storage-attached data-storage-attached hooks/data-storage-attached data/0 filesystem 700 ",
		logger+"seed-storage-attached seed-storage-attached hooks/seed-storage-attached seed/1 filesystem 500 ",
		logger+"install install with data/0 seed/1 ")
	w.mu.Lock()
	at := w.m.Storage("data/0").Location
	w.mu.Unlock()
	if at != storageDir(dir, "data/0") {
		t.Errorf("the model says data/0 is at %q", at)
	}

	w.must(core.RemoveUnits{Units: []kith.UnitName{"web/0"}})
	w.until("web/0 is gone", func(m *core.Model) bool { return m.Unit("web/0") == nil })
	w.wantLog(logger + "data-storage-detaching data-storage-detaching hooks/data-storage-detaching data/0 filesystem 700 web/0")
	w.must(core.AddUnits{App: "web", Units: 1, AttachStorage: []kith.StorageID{"data/0"}})
	w.settle()
	w.wantLog("unit-web-1 DEBUG unit.web/1.data-storage-attached data-storage-attached hooks/data-storage-attached data/0 filesystem 700 web/0",
		"unit-web-1 DEBUG unit.web/1.data-storage-attached web/0")
	if text, err := os.ReadFile(filepath.Join(at, "mark")); err != nil || string(text) != "web/0\nweb/0\nweb/1\n" {
		t.Errorf("data/0 holds %q, %v", text, err)
	}
}

// A storage that is to be destroyed is deleted with what a charm left in it, whatever its modes, and
// nothing beside it; one the agent was not there for is deleted when it is back.
func TestStorageIsWiped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charm := w.addCharm(map[string]string{"metadata.yaml": storageMeta, "hooks/logs-storage-attached": `#!/bin/sh -e
mkdir -p "$JUJU_STORAGE_LOCATION/deep/er"
touch "$JUJU_STORAGE_LOCATION/deep/er/file"
chmod 0 "$JUJU_STORAGE_LOCATION/deep/er" "$JUJU_STORAGE_LOCATION/deep" "$JUJU_STORAGE_LOCATION"
`})
	w.must(core.Deploy{App: "web", Charm: charm, Units: 1, Storage: map[string]core.StorageDirective{"logs": {Count: 3}}})
	dir := t.TempDir()
	stop := w.start(dir)
	w.settle()
	gone := func(id kith.StorageID) func(*core.Model) bool {
		return func(m *core.Model) bool { return m.Storage(id) == nil }
	}
	w.must(core.RemoveStorage{Storage: "logs/1", Force: true})
	w.until("logs/1 is gone", gone("logs/1"))
	if _, err := os.Stat(storageDir(dir, "logs/1")); !os.IsNotExist(err) {
		t.Errorf("logs/1 is still there: %v", err)
	}
	stop()

	w.must(core.RemoveUnits{Units: []kith.UnitName{"web/0"}, Force: true, DestroyStorage: true})
	if _, err := os.Stat(storageDir(dir, "data/0")); err != nil {
		t.Errorf("data/0 went while nobody was there to delete it: %v", err)
	}
	w.start(dir)
	w.until("all storage is gone", func(m *core.Model) bool {
		for range m.Storages() {
			return false
		}
		return true
	})
	if left, err := os.ReadDir(dirs{dir}.storages()); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// What is detached or released is nobody's to delete: not the end of its unit, nor a fresh
// picture without it, takes it.
func TestStorageIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": storageMeta}), 1)
	dir := t.TempDir()
	stop := w.start(dir)
	w.settle()
	w.must(core.RemoveUnits{Units: []kith.UnitName{"web/0"}})
	w.until("web/0 is gone", func(m *core.Model) bool { return m.Unit("web/0") == nil })
	w.must(core.RemoveStorage{Storage: "data/0", NoDestroy: true})
	stop()
	w.deploy("other", w.addCharm(map[string]string{"metadata.yaml": webMeta}), 1)
	w.start(dir)
	w.settle()
	if _, err := os.Stat(storageDir(dir, "data/0")); err != nil {
		t.Errorf("released storage was deleted: %v", err)
	}
}

// An agent whose folder was moved tells charms where their storage is now.
func TestStorageMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": storageMeta,
		"hooks/config-changed": "#!/bin/sh\necho \"at $(storage-get -s data/0 location)\"\n", "config.yaml": "options:\n  x: {type: string}\n"}), 1)
	old, moved := filepath.Join(t.TempDir(), "old"), filepath.Join(t.TempDir(), "moved")
	stop := w.start(old)
	w.settle()
	stop()
	w.check(os.Rename(old, moved))
	w.start(moved)
	w.must(core.SetConfig{App: "web", Set: map[string]any{"x": "1"}})
	w.settle()
	w.wantLog("unit-web-0 DEBUG unit.web/0.config-changed at " + storageDir(moved, "data/0"))
}

// A storage that cannot be made fails its hook, and is made when it can be.
func TestStorageThatCannotBeMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	blocked := dirs{dir}.storages()
	w.check(os.WriteFile(blocked, nil, 0o600))
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": storageMeta}), 1)
	w.start(dir)
	if f := w.failed(); !strings.HasPrefix(f.Message, "cannot make storage data/0: ") || f.Hook.Kind != core.StorageAttached {
		t.Errorf("failure %+v", f)
	}
	w.check(os.Remove(blocked))
	w.must(core.Resolved{Units: []kith.UnitName{"web/0"}})
	w.settle()
	if _, err := os.Stat(storageDir(dir, "data/0")); err != nil {
		t.Error(fmt.Errorf("no storage: %w", err))
	}
}

// A hook that was on its way when its storage was taken away by force does not make the folder again:
// nobody would delete it any more.
func TestStorageStaysGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	u := &unit{agent: &Agent{}}
	attach := func(id kith.StorageID) error {
		return u.makeStorage(&api.Assignment{UnitRef: api.UnitRef{Model: testModel, Unit: "web/0"}, Hook: core.Hook{
			Kind: core.StorageAttached, Storage: &core.StorageHook{ID: id, Location: storageDir(dir, id)}}})
	}
	u.agent.graves.add(api.StorageRef{Model: testModel, Storage: "logs/7"})
	if err := attach("logs/7"); err == nil || err.Error() != "cannot make storage logs/7: it was removed" {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(storageDir(dir, "logs/7")); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
	if err := attach("logs/8"); err != nil {
		t.Error(err)
	}
}
