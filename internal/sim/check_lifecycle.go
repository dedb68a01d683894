package sim

import (
	"fmt"
	"strings"

	"kith"
	"kith/internal/core"
)

// lifecycle: the first storage, install, then config-changed, then start, then everything else; stop
// and remove at the end; each once (4.2), but for start, of which see [startsAgain].
type lifecycle struct{ units map[kith.UnitName]*life }

type life struct{ installed, configured, started, stopped, removed bool }

func (*lifecycle) name() string { return "lifecycle" }

func (c *lifecycle) fact(f fact) string {
	if c.units == nil {
		c.units = map[kith.UnitName]*life{}
	}
	l := c.units[f.unit]
	if l == nil {
		l = &life{}
		c.units[f.unit] = l
	}
	if f.kind == factGone {
		delete(c.units, f.unit)
		if f.proper && l.installed && !l.removed {
			return fmt.Sprintf("%s is gone without remove", f.unit)
		}
		return ""
	}
	if !f.hooked() {
		return ""
	}
	if bad := l.ran(f.hook); bad != "" {
		return fmt.Sprintf("%s ran %s %s", f.unit, f.hook.Name(), bad)
	}
	return ""
}

// ran says what is wrong with a hook at this point of a unit's life.
func (l *life) ran(h core.Hook) string {
	switch {
	case l.removed:
		return "after remove"
	case !l.installed && h.Kind != core.Install && h.Storage == nil:
		return "before install"
	case l.stopped && (h.Relation != nil || h.Storage != nil):
		return "after stop"
	}
	switch h.Kind {
	case core.Install:
		if l.installed {
			return "twice"
		}
		l.installed = true
	case core.ConfigChanged:
		l.configured = true
	case core.Start:
		if !l.configured || l.stopped {
			return "before config-changed, or after stop"
		}
		l.started = true
	case core.Stop:
		if l.stopped || !l.started {
			return "twice, or without start"
		}
		l.stopped = true
	case core.Remove:
		if l.started && !l.stopped {
			return "before stop"
		}
		l.removed = true
	case core.RelationJoined, core.RelationChanged:
		if !l.started {
			return "before start"
		}
	}
	return ""
}

// errorsBlock: after a hook that failed, the unit's next is that one again,
// unless what it was about is gone (section 8).
type errorsBlock struct {
	in     stays[struct{}]
	failed map[kith.UnitName]core.Hook
}

func (*errorsBlock) name() string { return "errors-block" }

// entry lets go of failed hooks about a secret or a storage that something has happened to: they
// may have lost their object.
func (c *errorsBlock) entry(_ *ledger, e *core.Entry) string {
	for unit, h := range c.failed { // any order: each by itself
		if h.Storage != nil && concerns(e, h.Storage.ID) {
			delete(c.failed, unit)
		}
		if h.Secret == nil {
			continue
		}
		for _, d := range e.Deltas {
			if strings.HasPrefix(d.ID, string(h.Secret.ID)) || d.Kind == core.KindLease && d.ID == string(unit.App()) {
				delete(c.failed, unit)
			}
		}
	}
	return ""
}

func (c *errorsBlock) fact(f fact) string {
	c.in.follow(f)
	if c.failed == nil {
		c.failed = map[kith.UnitName]core.Hook{}
	}
	h, failed := c.failed[f.unit]
	switch f.kind {
	case factFailed:
		c.failed[f.unit] = f.hook
	case factLeft:
		if failed && h.Relation != nil && h.Relation.ID == f.relation {
			delete(c.failed, f.unit)
		}
	case factGone:
		delete(c.failed, f.unit)
	case factBegan, factRan, factSkipped:
		if f.kind != factBegan {
			delete(c.failed, f.unit)
		}
		if failed && !h.Same(f.hook) && h.Kind != core.LeaderElected {
			return fmt.Sprintf("%s ran %s while %s was in error", f.unit, f.hook.Name(), h.Name())
		}
	case factEntered:
	}
	return ""
}
