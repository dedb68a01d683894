package ops

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"kith"
)

// Storage is one attached instance of a storage the charm declares.
type Storage struct {
	Name  string // "data"
	Index int
	ID    string // "data/0"
	Kind  string // "filesystem" or "block"
	// Location is a folder or a device. It and Kind may be empty in an event that was deferred,
	// if the host has forgotten the instance since.
	Location string
}

// Storages are the attached instances of a storage, by index. Errors: Invalid for a
// storage the charm does not declare.
func (m *Model) Storages(name string) ([]*Storage, error) {
	if all, ok := m.storages[name]; ok {
		return all, nil
	}
	if err := m.declaresStorage("list", name); err != nil {
		return nil, err
	}
	ids, err := m.f.backend.StorageList(name)
	if err != nil {
		return nil, err
	}
	var all []*Storage
	for _, id := range ids {
		s, err := m.storage(id)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *Storage) int { return a.Index - b.Index })
	put(&m.storages, name, all)
	return all, nil
}

// declaresStorage refuses a storage the charm does not have.
func (m *Model) declaresStorage(verb, name string) error {
	if _, ok := m.f.meta.Storages[name]; !ok {
		return kith.Errorf(kith.Invalid, "cannot %s storage: the charm has no storage %q", verb, name).
			WithHint("the metadata of the charm has to name it")
	}
	return nil
}

// storage is an instance that is attached.
func (m *Model) storage(id string) (*Storage, error) {
	s, err := parseStorage(id)
	if err == nil {
		s.Kind, s.Location, err = m.f.backend.StorageGet(id)
	}
	return s, err
}

// parseStorage reads "data/0".
func parseStorage(id string) (*Storage, error) {
	name, number, _ := strings.Cut(id, "/")
	index, err := strconv.Atoi(number)
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot read the storage id %q", id)
	}
	return &Storage{Name: name, Index: index, ID: id}, nil
}

// RequestStorage asks for count more instances of a storage, one at least. They come with
// storage-attached, once the hook has succeeded. Errors: Invalid for a storage the charm
// does not declare, [*ModelError] for a count that is none. More than the charm's
// metadata allows fails the hook, now or when it commits.
func (m *Model) RequestStorage(name string, count int) error {
	if err := m.declaresStorage("ask for", name); err != nil {
		return err
	}
	return m.f.backend.StorageAdd(name, count)
}

// Resource is the path of a resource's file. Errors: Invalid for a resource the charm
// does not declare, [*ModelError] for one that was not given or cannot be fetched.
func (m *Model) Resource(name string) (string, error) {
	if path, ok := m.resources[name]; ok {
		return path, nil
	}
	if _, ok := m.f.meta.Resources[name]; !ok {
		return "", kith.Errorf(kith.Invalid, "cannot fetch a resource: the charm has no resource %q", name).
			WithHint("the metadata of the charm has to name it")
	}
	path, err := m.f.backend.ResourceGet(name)
	if err != nil {
		return "", err
	}
	put(&m.resources, name, path)
	return path, nil
}

// StorageEvent is what the storage events have in common.
type StorageEvent struct {
	DeferrableEvent
	Storage *Storage
}

// bind finds the storage of the event. Where the host does not say where it is it is asked,
// and may not know any more if the event was deferred.
func (e *StorageEvent) bind(f *Framework, em emission) error {
	s, err := parseStorage(em.env.StorageID)
	if err != nil {
		return err
	}
	e.Storage = s
	if s.Kind, s.Location = em.env.StorageKind, em.env.StorageLocation; s.Location == "" {
		var refused *ModelError
		switch known, err := f.model.storage(s.ID); {
		case err == nil:
			e.Storage = known
		case !em.late || !errors.As(err, &refused):
			return err
		}
	}
	return e.DeferrableEvent.bind(f, em)
}

// StorageAttachedEvent comes when an instance can be used.
type StorageAttachedEvent struct{ StorageEvent }

// StorageDetachingEvent comes before an instance is taken away.
type StorageDetachingEvent struct{ StorageEvent }

// OnStorageAttached observes storage-attached of a storage.
func OnStorageAttached(name string, handle func(*StorageAttachedEvent) error) Observation {
	return hookOf(aStorage, name, "-"+storageAttached, handle)
}

// OnStorageDetaching observes storage-detaching of a storage.
func OnStorageDetaching(name string, handle func(*StorageDetachingEvent) error) Observation {
	return hookOf(aStorage, name, "-"+storageDetaching, handle)
}
