package controller

import (
	"cmp"
	"maps"
	"strings"

	"kith"
	"kith/internal/core"
)

// affected calls add for every unit whose view, and so whose next step or hook
// context, may differ between before and after because of change c; for some
// of them more than once. It may name too many units, never too few: a unit it
// forgets would sleep through its work. Which entity reaches which views
// is decided by package core's View; the test compares with looking at everybody.
func affected(before, after *core.Model, c core.Change, add func(kith.UnitName)) {
	switch c.Key.Kind {
	case core.KindModel:
		if sameModel(before.Info(), after.Info()) {
			return
		}
		for u := range after.Units() {
			add(u.Name)
		}
	case core.KindApp:
		name := kith.AppName(c.Key.ID)
		if sameApp(before.App(name), after.App(name)) {
			return
		}
		unitsOf(after, name, add)
	case core.KindUnit:
		name := kith.UnitName(c.Key.ID)
		add(name)
		for _, m := range []*core.Model{before, after} {
			if u := m.Unit(name); u != nil && u.Principal != "" {
				add(u.Principal) // it waits for its subordinates to go
			}
		}
	case core.KindRelation:
		affectedByRelation(before, after, c, add)
	case core.KindMember:
		affectedByMember(before, after, c, add)
	case core.KindSeen:
		// "relation/unit/remote": only the unit that was told.
		if _, unit, ok := splitOwner(c.Key.ID); ok {
			add(firstUnit(unit))
		}
	case core.KindBag:
		affectedByBag(before, after, c, add)
	case core.KindLease:
		affectedByLease(before, after, c, add)
	case core.KindProgress, core.KindState:
		add(kith.UnitName(c.Key.ID))
	case core.KindStorage:
		for _, m := range []*core.Model{before, after} {
			if s := m.Storage(kith.StorageID(c.Key.ID)); s != nil && s.Unit != "" {
				add(s.Unit)
			}
		}
	case core.KindTask:
		affectedByTask(before, after, c, add)
	case core.KindOperation, core.KindTaskLog:
		// For operators only.
	case core.KindSecret, core.KindSecretRevision, core.KindSecretConsumer:
		affectedBySecret(before, after, c, add)
	case core.KindSecretContent, core.KindSecretGrant:
		// No view shows them; what a grant ends has a consumer's row.
	case core.KindCharm, core.KindMachine, core.KindHost:
		// A charm comes before the first application that runs it and never changes;
		// no view shows machines and hosts.
	}
}

// sameModel reports whether nothing changed but the counters.
func sameModel(a, b *core.ModelInfo) bool {
	return a != nil && b != nil && a.Life == b.Life && a.Name == b.Name && maps.Equal(a.Config, b.Config)
}

// sameApp reports whether nothing changed that a unit's view or hook shows.
func sameApp(a, b *core.App) bool {
	return a != nil && b != nil && a.Charm == b.Charm && a.CharmRev == b.CharmRev && a.Life == b.Life &&
		a.ConfigVersion == b.ConfigVersion && a.ConfigRev == b.ConfigRev && a.Trust == b.Trust &&
		a.LeaderVersion == b.LeaderVersion && a.LeaderRev == b.LeaderRev && a.Subordinate == b.Subordinate &&
		a.ResourceVersion == b.ResourceVersion && a.ResourceRev == b.ResourceRev
}

func unitsOf(m *core.Model, app kith.AppName, add func(kith.UnitName)) {
	for u := range m.UnitsOf(app) {
		add(u.Name)
	}
}

func affectedByRelation(before, after *core.Model, c core.Change, add func(kith.UnitName)) {
	id, ok := relationID(c.Key.ID)
	if !ok {
		return
	}
	r := after.Relation(id)
	if r == nil {
		r = before.Relation(id)
	} else if old := before.Relation(id); old != nil && old.Life == r.Life && old.LifeRev == r.LifeRev && old.Suspended == r.Suspended {
		return // its status only
	}
	if r == nil {
		return
	}
	for _, end := range r.Ends {
		unitsOf(after, end.App, add)
	}
}

func affectedByMember(before, after *core.Model, c core.Change, add func(kith.UnitName)) {
	id, owner, ok := splitOwner(c.Key.ID)
	if !ok {
		return
	}
	unit := kith.UnitName(owner)
	add(unit)
	old, now := before.Member(id, unit), after.Member(id, unit)
	if old != nil && now != nil && old.Rev == now.Rev && old.Departing == now.Departing &&
		old.DepartingRev == now.DepartingRev && old.Principal == now.Principal {
		return // what it was told is nobody else's business
	}
	others(before, after, id, owner, add)
}

func affectedByBag(before, after *core.Model, c core.Change, add func(kith.UnitName)) {
	id, owner, ok := splitOwner(c.Key.ID)
	if !ok {
		return
	}
	name := kith.UnitName(owner)
	if name.App() != kith.AppName(owner) { // a unit's bag travels with its own hooks, too
		add(name)
	}
	others(before, after, id, owner, add)
}

// others names the units that can see owner, a unit or an application, in the
// relation: those of the other end, or of the same application in a peer
// relation. In container scope a unit is seen inside its container only.
func others(before, after *core.Model, id kith.RelationID, owner string, add func(kith.UnitName)) {
	r, m := after.Relation(id), after
	if r == nil {
		r, m = before.Relation(id), before
	}
	if r == nil {
		return
	}
	app := kith.UnitName(owner).App()
	other := r.Ends[0].App
	if other == app {
		other = r.Ends[len(r.Ends)-1].App
	}
	unit := m.Unit(kith.UnitName(owner))
	if r.Scope != kith.Container || unit == nil {
		unitsOf(after, other, add)
		return
	}
	principal := unit
	if unit.Principal != "" {
		principal = m.Unit(unit.Principal)
	}
	if principal == nil {
		return
	}
	for _, u := range append(principal.Subordinates[:len(principal.Subordinates):len(principal.Subordinates)], principal.Name) {
		if u.App() == other {
			add(u)
		}
	}
}

// affectedBySecret names the units that manage the secret, and those that have read it where
// it has a new revision.
func affectedBySecret(before, after *core.Model, c core.Change, add func(kith.UnitName)) {
	id, rest, _ := strings.Cut(c.Key.ID, "/")
	if c.Key.Kind == core.KindSecretConsumer {
		add(kith.UnitName(rest))
		return
	}
	old, now := before.Secret(kith.SecretID(id)), after.Secret(kith.SecretID(id))
	s := cmp.Or(now, old)
	if s == nil {
		return // its revisions came and went between two looks
	}
	switch s.Owner.Kind {
	case core.OwnerUnit:
		add(kith.UnitName(s.Owner.Name))
	case core.OwnerApp:
		unitsOf(after, kith.AppName(s.Owner.Name), add)
	case core.OwnerModel:
	}
	if c.Key.Kind == core.KindSecret && (old == nil || now == nil || old.Latest != now.Latest) {
		for consumer := range after.SecretConsumers(s.ID) {
			add(consumer.Unit)
		}
	}
}

// affectedByLease names all units of the application when the leadership has moved:
// for the followers it is the cause of the leader settings they are told of.
func affectedByLease(before, after *core.Model, c core.Change, add func(kith.UnitName)) {
	app := kith.AppName(c.Key.ID)
	old, now := before.Lease(app), after.Lease(app)
	if old != nil && now != nil && old.Holder == now.Holder && old.Rev == now.Rev {
		add(now.Holder) // extended: it may have run out before
		return
	}
	unitsOf(after, app, add)
}
