package sim

import (
	"fmt"

	"kith"
	"kith/internal/core"
)

// createdFirst: relation-created follows install, comes before joined and changed,
// and once for each time a unit enters a relation (relations reference, 5.3 G1 and G2).
type createdFirst struct {
	in        stays[creation]
	installed map[kith.UnitName]bool
}

type creation struct{ created, other bool }

func (*createdFirst) name() string { return "created-first" }

func (c *createdFirst) fact(f fact) string {
	in := c.in.follow(f)
	if !f.hooked() {
		return ""
	}
	if c.installed == nil {
		c.installed = map[kith.UnitName]bool{}
	}
	if f.hook.Kind == core.Install {
		c.installed[f.unit] = true
	}
	if in == nil {
		return ""
	}
	switch f.hook.Kind {
	case core.RelationCreated:
		if !c.installed[f.unit] || in.created || in.other {
			return fmt.Sprintf("%s ran %s of relation %d: installed %v, created before %v, others before %v",
				f.unit, f.hook.Name(), f.about(), c.installed[f.unit], in.created, in.other)
		}
		in.created = true
	case core.RelationJoined, core.RelationChanged:
		if !in.created {
			return fmt.Sprintf("%s ran %s of relation %d before created", f.unit, f.hook.Name(), f.about())
		}
	default:
		in.other = in.other || f.hook.Relation != nil
	}
	return ""
}
