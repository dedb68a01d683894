package sim

import (
	"fmt"
	"maps"
	"slices"

	"kith"
	"kith/internal/core"
)

// brokenLast: relation-broken runs when nobody is left, and is the relation's
// last hook until the unit enters it again (5.3 G7, G9).
type brokenLast struct {
	in stays[map[kith.UnitName]bool]
	// over are stays that have ended properly: by broken, or without any hook.
	over map[stay]bool
}

func (*brokenLast) name() string { return "broken-last" }

func (c *brokenLast) fact(f fact) string {
	if c.over == nil {
		c.over = map[stay]bool{}
	}
	known := c.in.follow(f)
	switch {
	case f.kind == factEntered:
		delete(c.over, stay{f.unit, f.relation})
		return ""
	case f.kind == factLeft:
		c.over[stay{f.unit, f.relation}] = f.proper
		return ""
	case !f.hooked() || f.hook.Relation == nil:
		return ""
	case known == nil:
		proper, was := c.over[stay{f.unit, f.about()}]
		if proper || !was {
			return fmt.Sprintf("%s ran %s of relation %d, which it is not in", f.unit, f.hook.Name(), f.about())
		}
		return "" // it was thrown out while the hook ran
	}
	switch f.hook.Kind {
	case core.RelationJoined:
		if *known == nil {
			*known = map[kith.UnitName]bool{}
		}
		(*known)[f.hook.Relation.RemoteUnit] = true
	case core.RelationDeparted:
		delete(*known, f.hook.Relation.RemoteUnit)
	case core.RelationBroken:
		if len(*known) > 0 {
			return fmt.Sprintf("%s ran %s of relation %d with %v there", f.unit, f.hook.Name(), f.about(), slices.Sorted(maps.Keys(*known)))
		}
	}
	return ""
}

// neverBrokenForPeers: relation-broken does not run for a peer relation (5.3 G8).
type neverBrokenForPeers struct{}

func (neverBrokenForPeers) name() string { return "never-broken-for-peers" }

func (neverBrokenForPeers) fact(f fact) string {
	if f.kind == factBegan || f.hooked() {
		if f.hook.Kind == core.RelationBroken && f.hook.Relation.RemoteApp == f.unit.App() {
			return fmt.Sprintf("%s ran %s of peer relation %d", f.unit, f.hook.Name(), f.about())
		}
	}
	return ""
}

// neverAboutItself: no hook is about the unit that runs it, and only a peer
// relation tells a unit of its own application's data (5.3 G11).
type neverAboutItself struct{}

func (neverAboutItself) name() string { return "never-about-itself" }

func (neverAboutItself) fact(f fact) string {
	if f.hooked() && f.hook.Relation != nil && f.hook.Relation.RemoteUnit == f.unit {
		return fmt.Sprintf("%s ran %s about itself in relation %d", f.unit, f.hook.Name(), f.about())
	}
	return ""
}
