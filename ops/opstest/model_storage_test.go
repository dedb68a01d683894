package opstest_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kith"
	"kith/ops/opstest"
)

// Storage comes and goes in a model by the rules of a harness, for each unit, and goes from one to
// another with its data.
func TestModelStorage(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	m.Deploy("store", opstest.NewCharm(newStore, opstest.YAML(storeYAML)), opstest.Units(2), opstest.Storage("data", 2))
	m.Settle()
	first, second := m.Storages("store/0", "data"), m.Storages("store/1", "data")
	if !slices.Equal(first, []kith.StorageID{"data/0", "data/1"}) || !slices.Equal(second, []kith.StorageID{"data/2", "data/3"}) {
		t.Fatalf("the units have %v and %v", first, second)
	}
	m.Events()

	added := m.AddStorage("store/0", "data", 1)
	if !slices.Equal(added, []kith.StorageID{"data/4"}) {
		t.Errorf("added %v", added)
	}
	if err := m.Try(func() { m.StorageDir("data/4") }); err == nil {
		t.Error("a storage has a folder before it is attached")
	}
	m.Settle()
	owner := filepath.Join(m.StorageDir("data/4"), "owner")
	if got, err := os.ReadFile(owner); err != nil || string(got) != "store/0" {
		t.Errorf("it is of %q: %v", got, err)
	}

	m.DetachStorage("data/4")
	m.Settle()
	if got := m.Storages("store/0", "data"); !slices.Equal(got, first) {
		t.Errorf("store/0 has %v", got)
	}
	m.AttachStorage("store/1", "data/4")
	m.Settle()
	if got, err := os.ReadFile(owner); err != nil || string(got) != "store/1" {
		t.Errorf("its data went to %q: %v", got, err)
	}

	m.RemoveStorage("data/4")
	m.Settle()
	if _, err := os.Stat(owner); !os.IsNotExist(err) {
		t.Errorf("the data of removed storage is still there: %v", err)
	}
	expect(t, "events", m.EventNames(), `store/0 data-storage-attached
store/0 data-storage-detaching
store/1 data-storage-attached
store/1 data-storage-detaching
`)

	if err := m.Try(func() { m.AddStorage("store/0", "data", 5) }); err == nil {
		t.Error("seven of at most three were added")
	}
	m.DetachStorage("data/1")
	m.Settle()
	if err := m.Try(func() { m.DetachStorage("data/0") }); err == nil {
		t.Error("the only data was detached")
	}
}
