package core

import (
	"maps"
	"strings"

	"kith"
)

// MaxBagSize bounds one databag: the bytes of its keys plus those of its values
// (relations reference, section 6.3).
const MaxBagSize = 16 << 20

func bagSize(data map[string]string) int {
	n := 0
	for k, v := range data { // any order: a sum
		n += len(k) + len(v)
	}
	return n
}

// writeBag merges set into a bag; an empty value deletes its key. Only an
// effective change counts: it gives the bag a new version (section 12: "bump on
// every effective content change").
func (t *txn) writeBag(id kith.RelationID, owner string, set map[string]string) error {
	bag := Bag{Relation: id, Owner: owner}
	if old := t.m.Bag(id, owner); old != nil {
		bag = *old
	}
	data := merge(bag.Data, set)
	if data == nil {
		return nil
	}
	if size := bagSize(data); size > MaxBagSize {
		return kith.Errorf(kith.Invalid, "max allowed total size (%d): quota limit exceeded", MaxBagSize).
			WithHint("the bag of %s in relation %d would hold %d bytes", owner, id, size)
	}
	t.setBag(bag, data)
	return nil
}

// merge is old with set put in, as a map of its own; nil if that changes nothing.
func merge(old, set map[string]string) (merged map[string]string) {
	for k, v := range set { // any order: each key once
		if old[k] == v { // or there is nothing to delete
			continue
		}
		if merged == nil {
			if merged = maps.Clone(old); merged == nil {
				merged = make(map[string]string, len(set))
			}
		}
		if v == "" {
			delete(merged, k)
		} else {
			merged[k] = v
		}
	}
	return merged
}

// setBag gives a bag new content.
func (t *txn) setBag(bag Bag, data map[string]string) {
	bag.Data, bag.Version, bag.Rev = data, bag.Version+1, t.rev
	put(t, bag)
}

// addressKeys are what Juju itself writes into a unit's bag (section 3.2).
func addressKeys(address string) map[string]string {
	return map[string]string{
		"private-address": address,
		"ingress-address": address,
		"egress-subnets":  address + "/32",
	}
}

// ReadBag is the data of owner's bag in a relation, for actor. The access rules
// are those of section 6.1; refusals carry the texts of section 6.1, 3.6 column.
// The map is shared and must not be changed; it is nil if the bag is empty.
func ReadBag(m *Model, actor Actor, id kith.RelationID, owner string) (map[string]string, error) {
	r := m.Relation(id)
	if r == nil {
		return nil, kith.Errorf(kith.NotFound, "relation not found")
	}
	if actor.Kind != ActorUnit {
		return m.readBag(actor.Name, r, owner)
	}
	v, ok := ViewOf(m, kith.UnitName(actor.Name))
	if !ok {
		return nil, kith.Errorf(kith.NotFound, "relation not found")
	}
	return v.readBag(r, owner)
}

// readBag is [ReadBag] for the unit.
func (v View) readBag(r *Relation, owner string) (map[string]string, error) {
	if err := v.mayRead(r, owner); err != nil {
		return nil, err
	}
	return v.m.readBag(string(v.Unit.Name), r, owner)
}

// readBag is [ReadBag] for a reader who may.
func (m *Model) readBag(reader string, r *Relation, owner string) (map[string]string, error) {
	if bag := m.Bag(r.ID, owner); bag != nil {
		return bag.Data, nil
	}
	if strings.Contains(owner, "/") && owner != reader {
		return nil, kith.Errorf(kith.NotFound, "cannot read settings for unit %q in relation %q: unit %q: settings not found",
			owner, r.RelationKey(), owner)
	}
	return nil, nil
}

// mayRead is the access matrix, reading half.
func (v View) mayRead(r *Relation, owner string) error {
	reader := v.Unit.Name
	if r.end(v.App.Name) == nil || !v.attends(r) {
		return kith.Errorf(kith.NotFound, "relation not found")
	}
	denied := func() error { return kith.Errorf(kith.Forbidden, "permission denied") }
	if !strings.Contains(owner, "/") {
		if r.end(kith.AppName(owner)) == nil {
			return denied()
		}
		if leads, _ := v.Leader(); kith.AppName(owner) == v.App.Name && !r.Peer() && !leads {
			return denied()
		}
		return nil
	}
	unit := kith.UnitName(owner)
	if r.end(unit.App()) == nil {
		return denied()
	}
	if unit != reader && r.Scope == kith.Container && !v.m.shareContainer(r.ID, reader, unit) {
		return denied()
	}
	return nil
}

// shareContainer reports whether two units of a relation live in the same
// container. Of one that has left the model, only what the reader has been told tells.
func (m *Model) shareContainer(id kith.RelationID, reader, unit kith.UnitName) bool {
	if u := m.Unit(unit); u != nil {
		return container(u) == container(m.Unit(reader))
	}
	return m.seen.get(seenID(id, reader, unit)) != nil
}
