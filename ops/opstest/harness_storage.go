package opstest

import (
	"kith"
	"kith/internal/core"
)

// AddStorage gives the unit n more instances of a storage that its charm declares, as
// "kith add-storage" does, and returns their ids, "data/1". storage-attached follows for
// each; before Begin it comes ahead of install. The instances that the charm cannot do
// without are there from the start: [Harness.Storages] names them.
func (h *Harness) AddStorage(name string, n int) []kith.StorageID {
	h.w.tb.Helper()
	h.w.ok(checkCount(name, n))
	next := h.w.model.Info().NextStorage
	h.do(addStorage(h.unit, name, n))
	added := h.w.storagesOf(h.unit, name, next)
	h.settle()
	return added
}

// Storages are the instances of a storage that the unit has or is about to have, by
// number.
func (h *Harness) Storages(name string) []kith.StorageID {
	return h.w.storagesOf(h.unit, name, 0)
}

// StorageDir is the folder of a storage, which is there once storage-attached has run:
// the test may put files there, and look at those of the charm.
func (h *Harness) StorageDir(id kith.StorageID) string {
	h.w.tb.Helper()
	return h.w.storagePlace(id)
}

// DetachStorage has the unit give a storage back: storage-detaching follows. Its data is kept.
// What the charm cannot do without is refused.
func (h *Harness) DetachStorage(id kith.StorageID) {
	h.w.tb.Helper()
	h.do(core.DetachStorage{Storage: id})
	h.settle()
}

// AttachStorage hands a storage to the unit that nobody has: storage-attached follows.
func (h *Harness) AttachStorage(id kith.StorageID) {
	h.w.tb.Helper()
	h.do(core.AttachStorage{Unit: h.unit, Storage: []kith.StorageID{id}})
	h.settle()
}

// RemoveStorage removes a storage with its data. If the unit has it,
// storage-detaching comes first.
func (h *Harness) RemoveStorage(id kith.StorageID) {
	h.w.tb.Helper()
	h.do(core.RemoveStorage{Storage: id, Force: true})
	h.settle()
}

// AddResource gives the application a file for one of its charm's resources, in place of
// one it had. Once the unit is installed, upgrade-charm and config-changed follow.
func (h *Harness) AddResource(name string, content []byte) {
	h.w.tb.Helper()
	h.do(core.AttachResource{App: h.app, Resource: name, File: h.w.resource(content)})
	h.settle()
}
