package sim

import (
	"fmt"
	"maps"
	"slices"

	"kith"
	"kith/internal/core"
)

// departedOnce: each unit that has joined departs once, unless the relation or
// the unit is taken away by force (5.3 G6).
type departedOnce struct {
	in stays[map[kith.UnitName]bool]
}

func (*departedOnce) name() string { return "departed-once" }

func (c *departedOnce) fact(f fact) string {
	here := c.in.follow(f)
	if here == nil {
		return ""
	}
	if f.kind == factLeft {
		// A peer relation is left when the unit goes; then, too, nobody may be left behind.
		if (f.proper || f.entry.Command == "remove-dead-unit") && len(*here) > 0 {
			return fmt.Sprintf("%s left relation %d without departed of %v", f.unit, f.relation, slices.Sorted(maps.Keys(*here)))
		}
		return ""
	}
	if !f.hooked() {
		return ""
	}
	remote := f.hook.Relation.RemoteUnit
	switch f.hook.Kind {
	case core.RelationJoined:
		if (*here)[remote] {
			return fmt.Sprintf("%s ran joined of %s twice in relation %d", f.unit, remote, f.about())
		}
		if *here == nil {
			*here = map[kith.UnitName]bool{}
		}
		(*here)[remote] = true
	case core.RelationDeparted:
		if !(*here)[remote] {
			return fmt.Sprintf("%s ran departed of %s, which is not there, in relation %d", f.unit, remote, f.about())
		}
		delete(*here, remote)
	}
	return ""
}

// silentAfterDeparted: after departed of X nothing is about X unless it joins again (5.3 G10).
type silentAfterDeparted struct {
	in stays[map[kith.UnitName]bool]
}

func (*silentAfterDeparted) name() string { return "silent-after-departed" }

func (c *silentAfterDeparted) fact(f fact) string {
	gone := c.in.follow(f)
	if !f.hooked() || gone == nil || f.hook.Relation.RemoteUnit == "" {
		return ""
	}
	remote := f.hook.Relation.RemoteUnit
	switch f.hook.Kind {
	case core.RelationJoined:
		delete(*gone, remote)
	default:
		if (*gone)[remote] {
			return fmt.Sprintf("%s ran %s of %s after its departed in relation %d", f.unit, f.hook.Name(), remote, f.about())
		}
	}
	if f.hook.Kind == core.RelationDeparted {
		if *gone == nil {
			*gone = map[kith.UnitName]bool{}
		}
		(*gone)[remote] = true
	}
	return ""
}
