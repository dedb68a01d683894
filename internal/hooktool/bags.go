package hooktool

import (
	"cmp"
	"maps"
	"slices"

	"kith"
	"kith/internal/core"
)

// bag reads a databag, once in a run. The result is not modified.
func (r *Run) bag(id kith.RelationID, owner string) (map[string]string, error) {
	if data, ok := r.known(id, owner); ok {
		return data, nil
	}
	data, err := r.host.Bag(id, owner)
	if err != nil {
		return nil, err
	}
	put(&r.bags, bagKey{id, owner}, data)
	return data, nil
}

// known is a databag if the run has it: of the few that came with the hook, or read before.
func (r *Run) known(id kith.RelationID, owner string) (map[string]string, bool) {
	for _, b := range r.ctx.Bags {
		if b.Relation == id && b.Owner == owner {
			return b.Data, true
		}
	}
	data, ok := r.bags[bagKey{id, owner}]
	return data, ok
}

// ownBag is one of the bags this unit writes, as it will be when the hook commits.
func (r *Run) ownBag(id kith.RelationID, app bool) (map[string]string, error) {
	data, err := r.bag(id, r.owner(app))
	if err != nil {
		return nil, err
	}
	if i, found := r.findWritten(id, app); found {
		data = overlay(data, r.written[i].Set)
	}
	return data, nil
}

// findWritten finds what the run has written into one of the unit's bags, or where that goes.
func (r *Run) findWritten(id kith.RelationID, app bool) (i int, found bool) {
	return slices.BinarySearchFunc(r.written, app, func(w core.BagWrite, app bool) int {
		switch {
		case w.Relation != id:
			return cmp.Compare(w.Relation, id)
		case w.App == app:
			return 0
		case app: // the unit's own bag first
			return -1
		}
		return 1
	})
}

// owner is whose bag the unit writes: its own, or its application's.
func (r *Run) owner(app bool) string {
	if app {
		return string(r.ctx.Unit.App())
	}
	return string(r.ctx.Unit)
}

// readBag is the bag of owner as a call in this hook sees it.
func (r *Run) readBag(id kith.RelationID, owner string) (map[string]string, error) {
	switch owner {
	case r.owner(false):
		return r.ownBag(id, false)
	case r.owner(true):
		leads, err := r.leads()
		if err != nil {
			return nil, because("cannot determine leadership status", err)
		}
		if leads {
			return r.ownBag(id, true)
		}
	}
	return r.bag(id, owner) // who may is the controller's to say
}

// write buffers settings for one of the unit's own bags. It keeps set, and nobody changes it
// from then on: neither a later write nor who got it as an effect.
func (r *Run) write(id kith.RelationID, app bool, set map[string]string) error {
	if len(set) == 0 {
		return nil
	}
	i, found := r.findWritten(id, app)
	if found {
		merged := maps.Clone(r.written[i].Set)
		maps.Copy(merged, set)
		set = merged
	}
	// What is in the bag already counts if it is known; if not, the commit will tell.
	known, _ := r.known(id, r.owner(app))
	if size := sizeOf(known, set); size > core.MaxBagSize {
		return kith.Errorf(kith.Invalid, "max allowed total size (%d): quota limit exceeded", core.MaxBagSize).
			WithHint("a databag holds %d bytes of keys and values (the limit core.MaxBagSize); these would make %d", core.MaxBagSize, size)
	}
	if !found {
		r.written = slices.Insert(r.written, i, core.BagWrite{Relation: id, App: app})
	}
	r.written[i].Set = set
	return nil
}

// sizeOf is the size of data with set written over it.
func sizeOf(data, set map[string]string) int {
	size := 0
	for k, v := range set { // any order: a sum
		if v != "" {
			size += len(k) + len(v)
		}
	}
	for k, v := range data { // any order: a sum
		if _, gone := set[k]; !gone {
			size += len(k) + len(v)
		}
	}
	return size
}

// overlay is data with set written over it; an empty value deletes.
func overlay(data, set map[string]string) map[string]string {
	merged := make(map[string]string, len(data)+len(set))
	maps.Copy(merged, data)
	for k, v := range set { // any order: keys are distinct
		if v == "" {
			delete(merged, k)
		} else {
			merged[k] = v
		}
	}
	return merged
}
