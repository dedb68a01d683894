package core

import (
	"slices"
	"time"

	"kith"
)

// wipePatience is how long a model that is destroyed by force waits for its data to be deleted.
const wipePatience = time.Minute

// detached takes a storage from its unit: it waits for another one, or goes.
func (t *txn) detached(id kith.StorageID) {
	s := *t.m.Storage(id)
	t.forgetStorageHook(s)
	if s.Location == "" { // no unit ever used it
		s.Fate = DestroyStorage
	}
	s.Unit, s.Attached, s.Detaching, s.Rev, s.Since = "", false, false, t.rev, t.now
	put(t, s)
	if s.Location == "" && t.m.Host(s.Host) == nil {
		// No agent of that host has ever been heard of, so none was told to make its place. Nothing
		// less will do: an agent that takes the unit up later may hold an offer of before.
		t.drop(s.Key())
		return
	}
	t.endStorage(id)
}

// forgetStorageHook clears a failed hook about a storage that the unit loses: it is skipped.
func (t *txn) forgetStorageHook(s Storage) {
	p := t.m.Progress(s.Unit)
	if p == nil || !p.InError() || p.Failed.Hook.Storage == nil || p.Failed.Hook.Storage.ID != s.ID {
		return
	}
	past := *p
	past.Failed = nil
	put(t, past)
}

// endStorage does with a storage that nobody has what its fate says.
func (t *txn) endStorage(id kith.StorageID) {
	s := *t.m.Storage(id)
	switch {
	case s.Life == kith.Dead:
	case s.Fate == DestroyStorage:
		s.Life, s.Rev = kith.Dead, t.rev
		put(t, s)
	case s.Fate == ReleaseStorage:
		t.drop(s.Key())
		t.reapModel()
	}
}

// doomStorage has what a unit holds destroyed, or released, when the unit goes; and what
// its subordinates hold.
func (t *txn) doomStorage(u kith.UnitName, fate StorageFate) {
	for _, row := range t.m.StorageOf(u) {
		s := *row
		s.Fate = fate
		if s.Life == kith.Alive {
			s.Life = kith.Dying
		}
		t.putStorage(s)
	}
	for _, sub := range t.m.Unit(u).Subordinates {
		t.doomStorage(sub, fate)
	}
}

// storageWiped drops storage whose data is deleted.
func (t *txn) storageWiped(op StorageWiped) error {
	for _, id := range op.Storage {
		s := t.m.Storage(id)
		if s == nil || s.Life != kith.Dead {
			continue
		}
		if s.Host != op.Host {
			return kith.Errorf(kith.Forbidden, "permission denied").WithHint("storage %q is on host %q", id, s.Host)
		}
		t.drop(s.Key())
	}
	t.reapModel()
	return nil
}

// destroyStorage has all storage of a model that goes destroyed or released.
func (t *txn) destroyStorage(op DestroyModel) error {
	n := 0
	for range t.m.Storages() {
		n++
	}
	info := *t.m.Info()
	switch {
	case op.DestroyStorage && op.ReleaseStorage:
		return kith.Errorf(kith.Invalid, "--destroy-storage and --release-storage cannot both be specified")
	case op.DestroyStorage:
		info.StorageFate = DestroyStorage
	case op.ReleaseStorage:
		info.StorageFate = ReleaseStorage
	case n > 0 && info.StorageFate == KeepStorage:
		return kith.Errorf(kith.Conflict, "cannot destroy model %q\n\nThe model has persistent storage remaining:\n    %d filesystem(s)", info.Name, n).
			WithHint("--destroy-storage deletes it with the model; --release-storage leaves its data where it is")
	}
	if info.StorageFate != t.m.Info().StorageFate {
		put(t, info)
	}
	for _, row := range slices.Collect(t.m.Storages()) {
		s := *row
		if s.Fate != DestroyStorage {
			s.Fate = info.StorageFate
		}
		if s.Life == kith.Alive {
			s.Life, s.Rev = kith.Dying, t.rev
		}
		if op.Force {
			s.EvictAt = t.now.Add(wipePatience)
		}
		t.putStorage(s)
		if s.Unit == "" {
			t.endStorage(s.ID)
		}
	}
	return nil
}

// evictStorage drops dead storage whose data nobody has deleted in time.
func (t *txn) evictStorage() {
	for _, s := range slices.Collect(t.m.Storages()) {
		if s.Life == kith.Dead && !s.EvictAt.IsZero() && !t.now.Before(s.EvictAt) {
			t.drop(s.Key())
		}
	}
	t.reapModel()
}
