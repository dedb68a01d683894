package api

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"kith"
	"kith/internal/core"
)

// StorageStatus is one storage (CLI reference, section 5.2).
type StorageStatus struct {
	ID       kith.StorageID `json:"id"`
	Kind     string         `json:"kind"`
	Pool     string         `json:"pool"`
	Size     uint64         `json:"size"` // in MiB
	ReadOnly bool           `json:"read-only,omitempty"`
	Life     kith.Life      `json:"life"`
	Status   core.Status    `json:"status"` // pending, attaching, attached, detaching, detached or destroying
	// Unit and Machine hold it; Location is where its data is, once a unit was told of it.
	Unit     kith.UnitName  `json:"unit,omitempty"`
	Machine  kith.MachineID `json:"machine,omitempty"`
	Location string         `json:"location,omitempty"`
	// Lost is true if its data goes with its unit.
	Lost bool `json:"lost,omitempty"`
}

// Statuses of storage.
const (
	Attaching kith.Status = "attaching"
	Attached  kith.Status = "attached"
	Detaching kith.Status = "detaching"
	Detached  kith.Status = "detached"
)

func storageStatuses(m *core.Model) []StorageStatus {
	var all []StorageStatus
	for s := range m.Storages() {
		st := StorageStatus{ID: s.ID, Kind: s.Kind, Pool: s.Pool, Size: s.Size, ReadOnly: s.ReadOnly, Life: s.Life, Unit: s.Unit,
			Location: s.Location, Lost: s.StorageLost(), Status: core.Status{Current: storageWord(s), Since: s.Since}}
		if u := m.Unit(s.Unit); u != nil {
			st.Machine = u.Machine
		}
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b StorageStatus) int { return Natural(string(a.ID), string(b.ID)) })
	return all
}

func storageWord(s *core.Storage) kith.Status {
	switch {
	case s.Life == kith.Dead:
		return Destroying
	case s.Unit == "":
		return Detached
	case s.Detaching && s.Attached:
		return Detaching
	case s.Attached:
		return Attached
	case s.Location != "":
		return Attaching
	}
	return Pending
}

// StorageOf is the storage with an id, or nil.
func (s *Status) StorageOf(id kith.StorageID) *StorageStatus {
	for i := range s.Storage {
		if s.Storage[i].ID == id {
			return &s.Storage[i]
		}
	}
	return nil
}

// AppResource is a resource that an application's charm declares, and what was given for it.
type AppResource struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // file or oci-image
	Filename    string `json:"filename,omitempty"`
	Description string `json:"description,omitempty"`
	// Given is when it was given, and User by whom; zero if it never was.
	Given time.Time `json:"given,omitzero"`
	User  string    `json:"user,omitempty"`
	core.ResourceFile
	// Units has for each unit the content its hooks have fetched ([core.ResourceFile.Sum]).
	Units map[kith.UnitName]string `json:"units,omitempty"`
}

func appResources(m *core.Model, a *core.App) []AppResource {
	c := m.Charm(a.Charm)
	if c == nil {
		return nil
	}
	var all []AppResource
	for _, name := range slices.Sorted(maps.Keys(c.Charm.Meta.Resources)) {
		declared, given := c.Charm.Meta.Resources[name], a.Resources[name]
		r := AppResource{Name: name, Type: declared.Type, Filename: declared.Filename, Description: declared.Description,
			Given: given.Given, User: given.User, ResourceFile: given.ResourceFile, Units: map[kith.UnitName]string{}}
		for u := range m.UnitsOf(a.Name) {
			if sum := u.Resources[name]; sum != "" {
				r.Units[u.Name] = sum
			}
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b AppResource) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
