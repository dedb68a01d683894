package core

import "kith"

// LeaseRev is the revision at which somebody last took the leadership of the
// unit's application; 0 if nobody ever did.
func (v View) LeaseRev() uint64 {
	if l := v.m.Lease(v.App.Name); l != nil {
		return l.Rev
	}
	return 0
}

// Entered is the revision at which remote entered the relation; 0 if it is not in scope.
func (r RelationView) Entered(remote kith.UnitName) uint64 {
	if m := r.v.m.Member(r.Relation.ID, remote); m != nil {
		return m.Rev
	}
	return 0
}

// UnitBag is the version of a remote unit's bag, and the revision of its last
// change; 0 if there is no such bag. A bag outlives its unit's stay in scope.
func (r RelationView) UnitBag(remote kith.UnitName) (version, rev uint64) {
	if b := r.v.m.Bag(r.Relation.ID, string(remote)); b != nil {
		return b.Version, b.Rev
	}
	return 0, 0
}

// MustWait reports whether the unit may not enter the relation yet because the
// subordinate that entering would ask for is there and on its way out (section 3.1).
func (r RelationView) MustWait() bool {
	if r.Relation.Scope != kith.Container {
		return false
	}
	for _, name := range r.v.Unit.Subordinates {
		if u := r.v.m.Unit(name); u != nil && u.App == r.Other.App && u.Life != kith.Alive {
			return true
		}
	}
	return false
}
