package core

import (
	"fmt"
	"slices"

	"kith"
	"kith/charm"
)

// hand hands a storage to a unit, which is told by storage-attached.
func (t *txn) hand(s Storage, u kith.UnitName) {
	s.Unit, s.Rev, s.Since = u, t.rev, t.now
	put(t, s)
}

// checkAttach refuses to hand existing storage to a unit of an application on a host.
func (t *txn) checkAttach(ids []kith.StorageID, c *charm.Charm, host string, have func(name string) int) error {
	count := map[string]int{}
	for i, id := range ids {
		s := t.m.Storage(id)
		switch {
		case s == nil:
			return storageNotFound(id)
		case slices.Contains(ids[:i], id):
			return kith.Errorf(kith.Invalid, "storage %q specified more than once", id)
		case s.Life != kith.Alive:
			return kith.Errorf(kith.Conflict, "cannot attach storage %s: storage is %s", id, s.Life)
		case s.Unit != "":
			return kith.Errorf(kith.Conflict, "cannot attach storage %s: it is attached to unit %s", id, s.Unit).
				WithHint("detach it first: 'kith detach-storage %s'", id)
		case s.Host != host:
			return kith.Errorf(kith.Conflict, "cannot attach storage %s: it is on host %q, and the unit is on %q", id, s.Host, host)
		}
		declared, ok := c.Meta.Storage[id.Name()]
		if !ok {
			return kith.Errorf(kith.NotFound, "charm storage %q not found", id.Name())
		}
		if declared.Type != s.Kind || declared.ReadOnly != s.ReadOnly {
			return kith.Errorf(kith.Conflict, "cannot attach storage %s: the charm declares another type of storage", id)
		}
		count[id.Name()]++
		if err := checkCount(declared, have(id.Name()), count[id.Name()]); err != nil {
			return err
		}
	}
	return nil
}

// holds counts what a unit has of a storage and is to keep.
func (m *Model) holds(u kith.UnitName, name string) int {
	n := 0
	for _, s := range m.StorageOf(u) {
		if s.ID.Name() == name && !s.Detaching {
			n++
		}
	}
	return n
}

func storageNotFound(id kith.StorageID) *kith.Error {
	return kith.Errorf(kith.NotFound, "storage %q not found", id).WithHint("see 'kith storage'")
}

// addStorage adds instances to a unit, as an operator asks for it.
func (t *txn) addStorage(op AddStorage) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	if _, err := t.unit(op.Unit); err != nil {
		return err
	}
	for _, r := range op.Storage {
		if err := t.addInstances(op.Unit, r.Name, r.StorageDirective); err != nil {
			return err
		}
	}
	return nil
}

// addInstances adds instances of one storage. What d leaves out is as for a new unit,
// but one is meant where no count is given.
func (t *txn) addInstances(unit kith.UnitName, name string, d StorageDirective) error {
	u := t.m.Unit(unit)
	c := t.m.Charm(t.m.App(u.App).Charm).Charm
	s, ok := c.Meta.Storage[name]
	if !ok {
		return kith.Errorf(kith.NotFound, "charm storage %q not found", name).
			WithHint("charm %q declares %s", c.Meta.Name, listed(storageNames(&c)))
	}
	lead := fmt.Sprintf("adding %q storage to %s: ", name, unit)
	if u.Life != kith.Alive {
		return kith.Errorf(kith.Conflict, "%sunit is %s", lead, u.Life)
	}
	usual := t.m.App(u.App).plan(s)
	if d.Pool == "" {
		d.Pool = usual.Pool
	}
	if d.Size == 0 {
		d.Size = usual.Size
	}
	d.Count = max(d.Count, 1)
	if err := checkPlan(&c, s, d); err != nil {
		return err.Prefix("%s", lead)
	}
	if err := checkCount(s, t.m.holds(unit, name), d.Count); err != nil {
		return err.Prefix("%s", lead)
	}
	for range d.Count {
		t.makeStorage(unit, s, d)
	}
	return nil
}

// attachStorage hands storage that nobody has to a unit.
func (t *txn) attachStorage(op AttachStorage) error {
	u, err := t.unit(op.Unit)
	if err != nil {
		return err
	}
	if u.Life != kith.Alive {
		return kith.Errorf(kith.Conflict, "cannot attach storage to unit %s: unit is %s", u.Name, u.Life)
	}
	c := t.m.Charm(t.m.App(u.App).Charm).Charm
	if err := t.checkAttach(op.Storage, &c, u.Host, func(name string) int { return t.m.holds(u.Name, name) }); err != nil {
		return err
	}
	for _, id := range op.Storage {
		t.hand(*t.m.Storage(id), u.Name)
	}
	return nil
}

// detachStorage asks a unit to give a storage back; its data stays.
func (t *txn) detachStorage(op DetachStorage) error {
	s := t.m.Storage(op.Storage)
	if s == nil || s.Life == kith.Dead {
		return storageNotFound(op.Storage)
	}
	if s.Unit == "" {
		return kith.Errorf(kith.Conflict, "storage %s is not attached", s.ID)
	}
	return t.askBack(*s, op.Force)
}

// askBack has a unit give a storage back. It must be able to spare it, unless that is forced.
func (t *txn) askBack(s Storage, force bool) error {
	if s.Detaching {
		t.putStorage(s)
		return nil
	}
	declared, ok := t.m.Charm(t.m.App(s.Unit.App()).Charm).Charm.Meta.Storage[s.ID.Name()]
	if ok && !force && t.m.Unit(s.Unit).Life == kith.Alive {
		if err := checkCount(declared, t.m.holds(s.Unit, s.ID.Name()), -1); err != nil {
			return err.WithHint("--force takes it all the same")
		}
	}
	s.Detaching, s.Rev, s.Since = true, t.rev, t.now
	put(t, s)
	if !s.Attached && !t.m.tells(s) {
		t.detached(s.ID)
	}
	return nil
}

// tells reports whether the unit is just running the hook that tells it of a storage: then
// it will have to hear that the storage goes, unless that hook fails.
func (m *Model) tells(s Storage) bool {
	p := m.Progress(s.Unit)
	return p.Running != nil && p.Running.Hook.Kind == StorageAttached && p.Running.Hook.Storage.ID == s.ID
}

// removeStorage removes a storage with its data, or without it. One that is attached is
// asked back first, if that is forced.
func (t *txn) removeStorage(op RemoveStorage) error {
	row := t.m.Storage(op.Storage)
	if row == nil || row.Life == kith.Dead {
		return storageNotFound(op.Storage)
	}
	if row.Unit != "" && !op.Force {
		return kith.Errorf(kith.Conflict, "storage is attached").WithHint("it is attached to unit %s", row.Unit)
	}
	s := *row
	s.Fate = DestroyStorage
	if op.NoDestroy {
		s.Fate = ReleaseStorage
	}
	if s.Life == kith.Alive {
		s.Life, s.Rev = kith.Dying, t.rev
	}
	if s.Unit != "" {
		return t.askBack(s, true)
	}
	put(t, s)
	t.endStorage(s.ID)
	return nil
}

// putStorage sets a storage, if that changes anything.
func (t *txn) putStorage(s Storage) {
	if *t.m.Storage(s.ID) != s {
		put(t, s)
	}
}

// advanceStorage is the bookkeeping of a storage hook.
func (t *txn) advanceStorage(unit kith.UnitName, h Hook) {
	row := t.m.Storage(h.Storage.ID)
	if row == nil || row.Unit != unit {
		return // it was taken away while the hook ran
	}
	if h.Kind == StorageDetaching {
		t.detached(row.ID)
		return
	}
	s := *row
	s.Attached, s.Since = true, t.now
	if h.Storage.Location != "" {
		s.Location = h.Storage.Location
	}
	put(t, s)
}

// applyStorageAdds makes what a hook asked for with storage-add. A unit that has started
// dying meanwhile gets nothing, and does not fail for it.
func (t *txn) applyStorageAdds(unit kith.UnitName, adds []StorageAdd) error {
	if t.m.Unit(unit).Life != kith.Alive {
		return nil
	}
	for _, a := range adds {
		if err := t.addInstances(unit, a.Name, StorageDirective{Count: a.Count}); err != nil {
			return err
		}
	}
	return nil
}
