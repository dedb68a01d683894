package opstest

import (
	"kith"
	"kith/internal/core"
)

// AttachResource gives an application a file for a resource of its charm.
func (m *Model) AttachResource(app kith.AppName, resource string, content []byte) {
	m.w.tb.Helper()
	m.do(core.AttachResource{App: app, Resource: resource, File: m.w.resource(content)})
}

// SetTrust says whether an application is trusted, which lets its charm ask for the cloud.
func (m *Model) SetTrust(app kith.AppName, trust bool) {
	m.w.tb.Helper()
	m.do(core.SetConfig{App: app, Trust: &trust})
}

// Storage is what to deploy with of a storage that the charm declares: n instances for each unit.
func Storage(name string, n int) DeployOption {
	return func(d *deployOptions) {
		if d.Storage == nil {
			d.Storage = map[string]core.StorageDirective{}
		}
		d.Storage[name] = core.StorageDirective{Count: n}
	}
}

// AddStorage gives a unit n more instances of a storage that its charm declares, and
// returns their ids, "data/1". storage-attached follows for each at the next Settle. What the charm
// cannot do without is there from the start: [Model.Storages] names it.
func (m *Model) AddStorage(unit kith.UnitName, name string, n int) []kith.StorageID {
	m.w.tb.Helper()
	m.w.ok(checkCount(name, n))
	next := m.w.model.Info().NextStorage
	m.do(addStorage(unit, name, n))
	return m.w.storagesOf(unit, name, next)
}

func addStorage(unit kith.UnitName, name string, n int) core.AddStorage {
	return core.AddStorage{Unit: unit, Storage: []core.StorageRequest{{Name: name, StorageDirective: core.StorageDirective{Count: n}}}}
}

// Storages are the instances of a storage that a unit has or is about to have, by number.
func (m *Model) Storages(unit kith.UnitName, name string) []kith.StorageID {
	return m.w.storagesOf(unit, name, 0)
}

// storagesOf are the instances of a storage that a unit has, from a number on.
func (w *world) storagesOf(unit kith.UnitName, name string, from int) []kith.StorageID {
	var all []kith.StorageID
	for _, s := range w.model.StorageOf(unit) {
		if s.ID.Name() == name && s.ID.Number() >= from {
			all = append(all, s.ID)
		}
	}
	return all
}

// StorageDir is the folder of a storage, which is there once storage-attached has run:
// the test may put files there, and look at those of the charm.
func (m *Model) StorageDir(id kith.StorageID) string {
	m.w.tb.Helper()
	return m.w.storagePlace(id)
}

// storagePlace is where a storage is, for the test. It ends the test if that is nowhere yet.
func (w *world) storagePlace(id kith.StorageID) string {
	w.tb.Helper()
	s := w.model.Storage(id)
	if s == nil {
		w.fail(kith.Errorf(kith.NotFound, "storage %q not found", id))
	}
	if s.Location == "" {
		w.fail(kith.Errorf(kith.NotFound, "storage %q has no folder", id).WithHint("storage-attached makes it"))
	}
	return s.Location
}

// DetachStorage has the unit that has a storage give it back: storage-detaching follows. Its data is
// kept. What the charm cannot do without is refused.
func (m *Model) DetachStorage(id kith.StorageID) {
	m.w.tb.Helper()
	m.do(core.DetachStorage{Storage: id})
}

// AttachStorage hands a storage that nobody has to a unit: storage-attached follows.
func (m *Model) AttachStorage(unit kith.UnitName, id kith.StorageID) {
	m.w.tb.Helper()
	m.do(core.AttachStorage{Unit: unit, Storage: []kith.StorageID{id}})
}

// RemoveStorage removes a storage with its data. If a unit has it, storage-detaching comes first.
func (m *Model) RemoveStorage(id kith.StorageID) {
	m.w.tb.Helper()
	m.do(core.RemoveStorage{Storage: id, Force: true})
}
