package opstest_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

const storeYAML = `
name: store
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
storage:
  data: {type: filesystem, multiple: {range: 1-3}}
  cache: {type: filesystem, multiple: {range: 0-1}}
resources:
  software: {type: file, filename: software.txt}
config:
  options:
    reboot: {type: string}
`

// store leaves a file in each storage it gets, and says what is in its resource.
type store struct{ model *ops.Model }

func newStore(f *ops.Framework) (*store, error) {
	c := &store{f.Model()}
	f.Observe(
		ops.OnStorageAttached("data", func(e *ops.StorageAttachedEvent) error {
			return os.WriteFile(filepath.Join(e.Storage.Location, "owner"), []byte(c.model.Unit().Name()), 0o600)
		}),
		ops.OnStorageDetaching("data", func(e *ops.StorageDetachingEvent) error {
			return os.WriteFile(filepath.Join(e.Storage.Location, "left"), nil, 0o600)
		}),
		ops.OnConfigChanged(c.configChanged),
		ops.OnUpgradeCharm(func(*ops.UpgradeCharmEvent) error {
			path, err := c.model.Resource("software")
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			return errors.Join(err, c.model.Unit().SetStatus(ops.ActiveStatus(string(content))))
		}),
	)
	return c, nil
}

func (c *store) configChanged(*ops.ConfigChangedEvent) error {
	config, err := c.model.Config()
	if err != nil || config["reboot"] == nil {
		return err
	}
	return c.model.Unit().Reboot(config["reboot"] == "now")
}

func newStoreHarness(t *testing.T) *opstest.Harness {
	t.Helper()
	return opstest.New(t, newStore, opstest.YAML(storeYAML))
}

// Relations reference, section 4.2: a machine charm has its storage before install.
func TestStorageBeforeInstall(t *testing.T) {
	t.Parallel()
	h := newStoreHarness(t)
	if added := h.AddStorage("data", 1); !slices.Equal(added, []kith.StorageID{"data/1"}) {
		t.Errorf("added %v", added)
	}
	h.BeginWithInitialHooks()
	expect(t, "events", h.EventNames(), `data-storage-attached
data-storage-attached
install
leader-settings-changed
config-changed
start
`)
	for _, id := range h.Storages("data") {
		owner, err := os.ReadFile(filepath.Join(h.StorageDir(id), "owner"))
		if err != nil || string(owner) != "store/0" {
			t.Errorf("%s is of %q: %v", id, owner, err)
		}
	}
}

// Storage comes and goes by the rules: what the charm cannot do without stays, what is
// detached keeps its data, and what is removed does not.
func TestStorageComesAndGoes(t *testing.T) {
	t.Parallel()
	h := newStoreHarness(t)
	h.Begin()
	if err := h.Try(func() { h.DetachStorage("data/0") }); err == nil {
		t.Error("the only data was detached")
	}
	added := h.AddStorage("data", 1)
	dir := h.StorageDir(added[0])
	h.DetachStorage(added[0])
	if left := h.Storages("data"); !slices.Equal(left, []kith.StorageID{"data/0"}) {
		t.Errorf("the unit has %v", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "left")); err != nil {
		t.Errorf("detaching did not run on the data: %v", err)
	}
	h.AttachStorage(added[0])
	h.RemoveStorage(added[0])
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the data of removed storage is still there: %v", err)
	}
	expect(t, "events", h.EventNames(), "data-storage-attached\ndata-storage-detaching\ndata-storage-attached\ndata-storage-detaching\n")
	if err := h.Try(func() { h.AddStorage("data", 5) }); err == nil {
		t.Error("six of at most three were added")
	}
}

func TestResource(t *testing.T) {
	t.Parallel()
	h := newStoreHarness(t)
	h.Begin()
	if err := h.Try(func() { h.Upgrade() }); err == nil {
		t.Error("a resource that nobody gave was fetched")
	}
	h.AddResource("software", []byte("one"))
	h.Retry()
	if h.Status() != ops.ActiveStatus("one") {
		t.Errorf("got %v", h.Status())
	}
	h.AddResource("software", []byte("two"))
	if h.Status() != ops.ActiveStatus("two") {
		t.Errorf("got %v", h.Status())
	}
}

// Hook protocol reference, section 3.8: a reboot follows the hook that asks for it; with
// --now the hook is ended, and runs again after it.
func TestReboot(t *testing.T) {
	t.Parallel()
	h := newStoreHarness(t)
	h.Begin()
	h.UpdateConfig(map[string]any{"reboot": "later"})
	expect(t, "events", h.EventNames(), "config-changed\nstart\n")
	if h.Reboots() != 1 {
		t.Errorf("%d reboots", h.Reboots())
	}
}

// What a hook wrote before it asked for a reboot at once is dropped.
func TestRebootNow(t *testing.T) {
	t.Parallel()
	again := false
	h := opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		var kept struct{ Runs int }
		if err := f.StoredState("runs", &kept); err != nil {
			return struct{}{}, err
		}
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
			kept.Runs++
			if again {
				return nil
			}
			again = true
			return f.Model().Unit().Reboot(true)
		}))
		return struct{}{}, nil
	}, opstest.YAML(storeYAML))
	h.BeginWithInitialHooks()
	expect(t, "events", h.EventNames(), `data-storage-attached
install
leader-settings-changed
config-changed
config-changed
start
`)
	if state := h.StoredState()["runs"]; state != `{"Runs":1}` || h.Reboots() != 1 {
		t.Errorf("stored %s after %d reboots", state, h.Reboots())
	}
}

// The cloud is for trusted applications only.
func TestTrust(t *testing.T) {
	t.Parallel()
	var spec ops.CloudSpec
	var asked error
	h := opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
			spec, asked = f.Model().GetCloudSpec()
			return nil
		}))
		return struct{}{}, nil
	}, opstest.YAML(storeYAML))
	h.BeginWithInitialHooks()
	if !errors.Is(asked, ops.ErrPermission) {
		t.Errorf("got %v", asked)
	}
	h.SetTrust(true)
	if asked != nil || spec.Name == "" {
		t.Errorf("got %+v, %v", spec, asked)
	}
}

func TestSetModel(t *testing.T) {
	t.Parallel()
	var name, address string
	h := opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnStart(func(*ops.StartEvent) error {
			name = f.Model().Name() + " " + string(f.Model().UUID())
			n, err := f.Model().GetBinding("juju-info").Network()
			if err == nil {
				address = string(n.BindAddress())
			}
			return err
		}))
		return struct{}{}, nil
	}, opstest.YAML(storeYAML))
	const uuid = "11111111-2222-4333-8444-555555555555"
	h.SetModel("prod", uuid)
	h.BeginWithInitialHooks()
	if name != "prod "+uuid || address != h.Address() || address == "" {
		t.Errorf("the charm sees %q at %q; it is at %q", name, address, h.Address())
	}
	if err := h.Try(func() { h.SetModel("late") }); kith.CodeOf(err) != kith.Conflict {
		t.Errorf("got %v", err)
	}
}
