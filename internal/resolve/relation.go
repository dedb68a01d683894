package resolve

import (
	"kith"
	"kith/internal/core"
)

// scopes is the bookkeeping that comes before any relation hook: leave what has
// nothing to run, then enter everything the unit may enter (section 3.1).
func (u *unit) scopes() (Step, bool) {
	var enter, leave []kith.RelationID
	for _, r := range u.relations {
		switch {
		case r.Member != nil && r.Own.Implicit && r.Ending():
			leave = append(leave, r.Relation.ID)
		case r.Member == nil && !r.Ending() && r.Declared() && !r.MustWait():
			enter = append(enter, r.Relation.ID)
		}
	}
	switch {
	case len(leave) > 0:
		return Step{Kind: Leave, Relations: leave}, true
	case len(enter) > 0:
		return Step{Kind: Enter, Relations: enter}, true
	}
	return Step{}, false
}

// created is relation-created for the first relation the unit is in and has not
// been told of. One that started ending before that goes without (G7).
func (u *unit) created() (core.Hook, bool) {
	for _, r := range u.relations {
		if r.Member == nil || r.Member.Created || r.Own.Implicit || r.Ending() {
			continue
		}
		// What made it due: the relation came about, or resumed, or the unit came later.
		return relationHook(r, core.RelationCreated, max(r.Relation.LifeRev, u.Unit.LifeRev)), true
	}
	return core.Hook{}, false
}

// relationHook is the next hook of the first relation that has one; regular
// relations come before peers.
func (u *unit) relationHook() (core.Hook, bool) {
	for _, r := range u.relations {
		if r.Member == nil || r.Own.Implicit {
			continue
		}
		if h, ok := next(r); ok {
			return h, true
		}
	}
	return core.Hook{}, false
}

// next is the rule of section 5.2 for one relation the unit is in: what comes
// first of a pending changed, departed, broken, changed of the application,
// joined, changed. Candidates are taken in string order of name.
//
// The candidates come from an index that core keeps, so a look costs the same
// for every size of the relation.
func next(r core.RelationView) (core.Hook, bool) {
	if pending := r.Member.ChangedPending; pending != "" { // 1
		return changed(r, pending), true
	}
	if r.Ending() { // 2, 3
		return ending(r)
	}
	left, newcomer, other := r.News()
	if left != "" { // 2
		return departed(r, left), true
	}
	if version, rev := r.AppBag(); version != r.Member.AppVersion { // 4
		h := relationHook(r, core.RelationChanged, rev)
		h.Relation.Version = version
		return h, true
	}
	if newcomer != "" { // 5
		return joined(r, newcomer), true
	}
	if other != "" { // 6
		return changed(r, other), true
	}
	return core.Hook{}, false
}

// ending is the rule for a relation that is to be treated as empty.
func ending(r core.RelationView) (core.Hook, bool) {
	for s := range r.Known() { // 2: nobody is there any more
		return departed(r, s.Remote), true
	}
	// 3. A peer relation is left when the unit is taken out of the model (section 3.4).
	return relationHook(r, core.RelationBroken, r.Gone("")), !r.Peer()
}

func joined(r core.RelationView, remote kith.UnitName) core.Hook {
	h := relationHook(r, core.RelationJoined, r.Entered(remote))
	h.Relation.RemoteUnit = remote
	h.Relation.Version, _ = r.UnitBag(remote)
	return h
}

func changed(r core.RelationView, remote kith.UnitName) core.Hook {
	version, rev := r.UnitBag(remote)
	// The change that follows joined is due to the remote's entry if nothing was written since.
	h := relationHook(r, core.RelationChanged, max(rev, r.Entered(remote)))
	h.Relation.RemoteUnit, h.Relation.Version = remote, version
	return h
}

func departed(r core.RelationView, remote kith.UnitName) core.Hook {
	h := relationHook(r, core.RelationDeparted, r.Gone(remote))
	h.Relation.RemoteUnit, h.Relation.Departing = remote, r.Departing(remote)
	return h
}

func relationHook(r core.RelationView, kind core.HookKind, cause uint64) core.Hook {
	return core.Hook{Kind: kind, Cause: cause, Relation: &core.RelationHook{
		ID: r.Relation.ID, Endpoint: r.Own.Endpoint, RemoteApp: r.Other.App,
	}}
}
