package resolve_test

import (
	"maps"
	"slices"

	"kith"
	"kith/internal/core"
)

// storage checks one storage hook (section 4.2, and section 5.6 of the hook protocol): attached
// once, and by one unit at a time; detaching only of what is attached, after the relations and
// before stop.
func (x *witness) storage(u kith.UnitName, s *lifeStory, h core.Hook) {
	id := h.Storage.ID
	if h.Kind == core.StorageDetaching {
		if !s.storage[id] {
			x.complain(u, "4.2: detaching of storage %s, which is not attached", id)
		}
		delete(s.storage, id)
	} else if row := x.w.Model().Storage(id); row != nil && row.Unit == u {
		if s.storage[id] {
			x.complain(u, "4.2: attached of storage %s twice", id)
		}
		for other, o := range x.units { // any order: only complaints
			if other != u && o.storage[id] && x.w.Model().Unit(other) != nil {
				x.complain(u, "storage %s is attached to %s, too", id, other)
			}
		}
		s.storage[id] = true
	}
	if s.stopped {
		x.complain(u, "4.2: %s after stop", h.Name())
	}
	unit := x.w.Model().Unit(u)
	if h.Kind != core.StorageDetaching || unit == nil || unit.Life == kith.Alive || h.Cause != unit.LifeRev {
		return // not a part of the teardown
	}
	for relation := range s.relations { // any order: only complaints
		if x.told(u, relation) {
			x.complain(u, "4.2: %s before the unit has left relation %d", h.Name(), relation)
		}
	}
}

// told reports whether the unit still has a hook to run for a relation before it may go on with
// its teardown: only those of a peer relation end without broken.
func (x *witness) told(u kith.UnitName, id kith.RelationID) bool {
	r := x.w.Model().Relation(id)
	return r != nil && x.w.Model().Member(id, u) != nil && !r.Peer() && !x.implicit(u, r)
}

func (x *witness) implicit(u kith.UnitName, r *core.Relation) bool {
	return slices.ContainsFunc(r.Ends, func(e core.End) bool { return e.App == u.App() && e.Implicit })
}

// storageSettled checks that every unit knows of what it holds, and of nothing else.
func (x *witness) storageSettled() {
	for _, u := range slices.Sorted(maps.Keys(x.units)) {
		if x.w.Model().Unit(u) == nil || len(x.units[u].storage) == 0 && len(x.w.Model().StorageOf(u)) == 0 {
			continue
		}
		held := map[kith.StorageID]bool{}
		for _, s := range x.w.Model().StorageOf(u) {
			held[s.ID] = true
		}
		if !maps.Equal(held, x.units[u].storage) {
			x.complain(u, "4.2: it holds %v and was told of %v", held, x.units[u].storage)
		}
	}
	for s := range x.w.Model().Storages() {
		if s.Life == kith.Dead {
			x.complain(s.Unit, "storage %s was never deleted", s.ID)
		}
	}
}
