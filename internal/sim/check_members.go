package sim

import (
	"fmt"
	"maps"
	"slices"

	"kith"
	"kith/internal/core"
)

// membersAnnounced: relation-list shows who has joined and not departed; in
// joined it shows the one who joins, in departed not the one who leaves (5.6, 12.1 number 8).
type membersAnnounced struct {
	in   stays[map[kith.UnitName]bool]
	last map[kith.UnitName]uint64 // number of the last hook that counts as run
}

func (*membersAnnounced) name() string { return "members-announced" }

func (c *membersAnnounced) fact(f fact) string {
	known := c.in.follow(f)
	c.count(f)
	if !f.hooked() || known == nil || f.hook.Relation.RemoteUnit == "" {
		return ""
	}
	switch f.hook.Kind {
	case core.RelationJoined:
		if *known == nil {
			*known = map[kith.UnitName]bool{}
		}
		(*known)[f.hook.Relation.RemoteUnit] = true
	case core.RelationDeparted:
		delete(*known, f.hook.Relation.RemoteUnit)
	}
	return ""
}

// count keeps the number of the unit's last hook.
func (c *membersAnnounced) count(f fact) {
	if c.last == nil {
		c.last = map[kith.UnitName]uint64{}
	}
	switch f.kind {
	case factRan:
		c.last[f.unit] = f.entry.Hook.Seq
	case factSkipped:
		c.last[f.unit]++
	}
}

func (c *membersAnnounced) ended(h *hookRun) string {
	r := h.a.Hook.Relation
	if r == nil || h.listed == nil || c.in == nil {
		return ""
	}
	known := c.in[stay{h.u.name, r.ID}]
	if known == nil || c.last[h.u.name]+1 != h.a.Seq {
		return "" // it has run already, and is repeated in vain
	}
	want := maps.Clone(*known)
	if want == nil {
		want = map[kith.UnitName]bool{}
	}
	switch h.a.Hook.Kind {
	case core.RelationJoined:
		want[r.RemoteUnit] = true
	case core.RelationDeparted:
		delete(want, r.RemoteUnit)
	}
	if all := slices.Sorted(maps.Keys(want)); !slices.Equal(all, h.listed) {
		return fmt.Sprintf("%s: relation-list in %s of %q says %v, announced are %v", h.u.name, h.a.Hook.Name(), r.RemoteUnit, h.listed, all)
	}
	return ""
}
