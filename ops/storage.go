package ops

import (
	"strconv"
	"strings"

	"kith"
)

// Storage is one attached instance of a storage the charm declares.
type Storage struct {
	Name  string // "data"
	Index int
	ID    string // "data/0"
	// Kind is "filesystem" or "block"; empty in an event, where the host says only where it is.
	Kind     string
	Location string // a folder or a device
}

// Storages are the attached instances of a storage, by id. Errors: Invalid for a
// storage the charm does not declare.
func (m *Model) Storages(name string) ([]*Storage, error) {
	if all, ok := m.storages[name]; ok {
		return all, nil
	}
	if _, ok := m.f.meta.Storages[name]; !ok {
		return nil, kith.Errorf(kith.Invalid, "cannot list storage: the charm has no storage %q", name).
			WithHint("the metadata of the charm has to name it")
	}
	ids, err := m.f.backend.StorageList(name)
	if err != nil {
		return nil, err
	}
	var all []*Storage
	for _, id := range ids {
		s, err := m.storage(id, "")
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if m.storages == nil {
		m.storages = map[string][]*Storage{}
	}
	m.storages[name] = all
	return all, nil
}

// storage is an instance; where its location is not known it is asked for.
func (m *Model) storage(id, location string) (*Storage, error) {
	name, number, _ := strings.Cut(id, "/")
	index, err := strconv.Atoi(number)
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot read the storage id %q", id)
	}
	s := &Storage{Name: name, Index: index, ID: id, Location: location}
	if location == "" {
		s.Kind, s.Location, err = m.f.backend.StorageGet(id)
	}
	return s, err
}

// RequestStorage asks for more instances of a storage. They come with
// storage-attached, once the hook has succeeded. What the charm does not declare, or
// allows no more of, fails the hook when it commits.
func (m *Model) RequestStorage(name string, count int) error {
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
	if m.resources == nil {
		m.resources = map[string]string{}
	}
	m.resources[name] = path
	return path, nil
}

// StorageEvent is what the storage events have in common.
type StorageEvent struct {
	DeferrableEvent
	Storage *Storage
}

// StorageAttachedEvent comes when an instance can be used.
type StorageAttachedEvent struct{ StorageEvent }

// StorageDetachingEvent comes before an instance is taken away.
type StorageDetachingEvent struct{ StorageEvent }

// OnStorageAttached observes storage-attached of a storage.
func OnStorageAttached(name string, handle func(*StorageAttachedEvent) error) Observation {
	return storageHook(name, storageAttached, func(e StorageEvent) error { return handle(&StorageAttachedEvent{e}) })
}

// OnStorageDetaching observes storage-detaching of a storage.
func OnStorageDetaching(name string, handle func(*StorageDetachingEvent) error) Observation {
	return storageHook(name, storageDetaching, func(e StorageEvent) error { return handle(&StorageDetachingEvent{e}) })
}

func storageHook(name, kind string, call func(StorageEvent) error) Observation {
	return hook(name+"-"+kind, func(f *Framework, em emission) error {
		s, err := f.model.storage(em.env.StorageID, em.env.StorageLocation)
		if err != nil {
			return err
		}
		return call(StorageEvent{f.deferrable(em), s})
	}).about("storage", name, func(c *CharmMeta, name string) bool {
		_, ok := c.Storages[name]
		return ok
	})
}
