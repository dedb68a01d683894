package sim

import (
	"fmt"

	"kith"
	"kith/internal/core"
)

// joinedBeforeChanged: nothing is said of a unit's data, or of its leaving, before it has joined.
type joinedBeforeChanged struct {
	in stays[map[kith.UnitName]bool]
}

func (*joinedBeforeChanged) name() string { return "joined-before-changed" }

func (c *joinedBeforeChanged) fact(f fact) string {
	joined := c.in.follow(f)
	if !f.hooked() || joined == nil || f.hook.Relation.RemoteUnit == "" {
		return ""
	}
	remote := f.hook.Relation.RemoteUnit
	switch f.hook.Kind {
	case core.RelationJoined:
		if *joined == nil {
			*joined = map[kith.UnitName]bool{}
		}
		(*joined)[remote] = true
	case core.RelationChanged, core.RelationDeparted:
		if !(*joined)[remote] {
			return fmt.Sprintf("%s ran %s of %s, which never joined relation %d", f.unit, f.hook.Name(), remote, f.about())
		}
	}
	return ""
}

// changedAfterJoined: joined of X is followed by changed of X, as the next hook of
// that relation (5.3 G3).
type changedAfterJoined struct{ in stays[kith.UnitName] }

func (*changedAfterJoined) name() string { return "changed-after-joined" }

func (c *changedAfterJoined) fact(f fact) string {
	owed := c.in.follow(f)
	if owed == nil {
		return ""
	}
	if f.kind == factLeft {
		if f.proper && *owed != "" {
			return fmt.Sprintf("%s left relation %d without changed of %s", f.unit, f.relation, *owed)
		}
		return ""
	}
	if !f.hooked() {
		return ""
	}
	remote := f.hook.Relation.RemoteUnit
	if *owed != "" && (f.hook.Kind != core.RelationChanged || remote != *owed) {
		return fmt.Sprintf("%s ran %s of %q in relation %d, and owed changed of %s", f.unit, f.hook.Name(), remote, f.about(), *owed)
	}
	*owed = ""
	if f.hook.Kind == core.RelationJoined {
		*owed = remote
	}
	return ""
}
