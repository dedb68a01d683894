package core

import (
	"maps"
	"slices"

	"kith"
)

// enterScopes puts a unit into relations. Those it may not enter are passed
// over: the next look finds out (section 3.1).
func (t *txn) enterScopes(op EnterScopes) error {
	for _, id := range op.Relations {
		v, ok := ViewOf(t.m, op.Unit) // anew for each: entering one may have changed the unit
		if !ok {
			return nil
		}
		if r, ok := v.Relation(id); ok && r.Member == nil && !r.Ending() && r.Declared() && !r.MustWait() {
			t.enter(v, r)
		}
	}
	return nil
}

func (t *txn) enter(v View, r RelationView) {
	m := Member{Relation: r.Relation.ID, Unit: v.Unit.Name, Rev: t.rev}
	if r.Relation.Scope == kith.Container {
		m.Principal = v.container()
	}
	put(t, m)
	// A unit that comes back starts from fresh address keys; the version goes on,
	// so that whoever knew the old content sees a change and no more (G5).
	bag := Bag{Relation: r.Relation.ID, Owner: string(v.Unit.Name)}
	if old := t.m.Bag(bag.Relation, bag.Owner); old != nil {
		bag = *old
	}
	back := bag.Left != 0
	bag.Left = 0
	if fresh := addressKeys(v.Unit.Address); !maps.Equal(bag.Data, fresh) {
		t.setBag(bag, fresh)
	} else if back {
		put(t, bag)
	}
	if leads, _ := v.Leader(); leads && r.Relation.Status.Current == kith.Joining {
		joined := *t.m.Relation(r.Relation.ID)
		joined.Status = Status{Current: kith.Joined, Since: t.now}
		put(t, joined)
	}
	t.addSubordinate(v, r)
}

// addSubordinate gives a principal that enters a container relation its unit
// of the subordinate application, if it has none yet (section 9).
func (t *txn) addSubordinate(v View, r RelationView) {
	sub := t.m.App(r.Other.App)
	if r.Relation.Scope != kith.Container || v.Unit.Principal != "" || !sub.Subordinate || sub.Life != kith.Alive {
		return
	}
	for _, name := range v.Unit.Subordinates {
		if name.App() == sub.Name {
			return
		}
	}
	t.addUnit(sub.Name, "", v.Unit.Name)
}

// leaveScopes takes a unit out of relations without hooks. Only an ending
// relation whose end here is the implicit endpoint is left that way.
func (t *txn) leaveScopes(op LeaveScopes) error {
	for _, id := range op.Relations {
		v, ok := ViewOf(t.m, op.Unit)
		if !ok {
			return nil
		}
		if r, ok := v.Relation(id); ok && r.Member != nil && r.Own.Implicit && r.Ending() {
			t.leave(id, op.Unit)
		}
	}
	return nil
}

// leave takes a unit out of a relation; the last one out of a dying relation
// deletes it. The bag stays readable until then (section 3.4).
func (t *txn) leave(id kith.RelationID, unit kith.UnitName) {
	t.noteLeft(id, unit)
	t.drop(Key{KindMember, memberID(id, unit)})
	for _, s := range slices.Collect(t.m.SeenBy(id, unit)) {
		t.drop(s.Key())
	}
	t.forgetHook(id, unit)
	t.reapRelation(id)
}

// noteLeft keeps when a unit was lost from sight, for those who have yet to be
// told: the cause of their relation-departed. A relation that is itself ending is its own cause.
func (t *txn) noteLeft(id kith.RelationID, unit kith.UnitName) {
	b, m := t.m.Bag(id, string(unit)), t.m.Member(id, unit)
	if b == nil || m == nil || t.m.Relation(id).Life != kith.Alive {
		return
	}
	left := *b
	left.Left = t.rev
	if m.Departing {
		left.Left = m.DepartingRev
	}
	put(t, left)
}
