package hooktool

import (
	"maps"

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
	data = printable(data)
	put(&r.bags, bagKey{id, owner}, data)
	return data, nil
}

// known is a databag if the run has it: of the few that came with the hook, or read before.
func (r *Run) known(id kith.RelationID, owner string) (map[string]string, bool) {
	for _, b := range r.ctx.Bags {
		if b.Relation == id && b.Owner == owner {
			return printable(b.Data), true
		}
	}
	data, ok := r.bags[bagKey{id, owner}]
	return data, ok
}

// printable makes an empty bag print as {}.
func printable(data map[string]string) map[string]string {
	if data == nil {
		return map[string]string{}
	}
	return data
}

// ownBag is one of the bags this unit writes, as it will be when the hook commits.
func (r *Run) ownBag(id kith.RelationID, app bool) (map[string]string, error) {
	data, err := r.bag(id, r.owner(app))
	if err != nil {
		return nil, err
	}
	return overlay(data, r.written[sideKey{id, app}]), nil
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

// write buffers settings for one of the unit's own bags.
func (r *Run) write(id kith.RelationID, app bool, set map[string]string) error {
	if len(set) == 0 {
		return nil
	}
	side := sideKey{id, app}
	merged := maps.Clone(r.written[side])
	if merged == nil {
		merged = make(map[string]string, len(set))
	}
	maps.Copy(merged, set)
	size := 0
	// What is in the bag already counts if it is known; if not, the commit will tell.
	known, _ := r.known(id, r.owner(app))
	for k, v := range overlay(known, merged) { // any order: a sum
		size += len(k) + len(v)
	}
	if size > core.MaxBagSize {
		return kith.Errorf(kith.Invalid, "max allowed total size (%d): quota limit exceeded", core.MaxBagSize).
			WithHint("a databag holds %d bytes of keys and values (the limit core.MaxBagSize); these would make %d", core.MaxBagSize, size)
	}
	put(&r.written, side, merged)
	return nil
}

// overlay is data with set written over it; an empty value deletes.
func overlay(data, set map[string]string) map[string]string {
	if len(set) == 0 {
		return data
	}
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
