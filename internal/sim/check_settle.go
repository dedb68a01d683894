package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/resolve"
)

// settleExact: what the controller says is left to do is what looking at every
// unit finds; it says settled only if that is nothing.
type settleExact struct {
	// What looking at every unit of m found, and until when it holds.
	m     *core.Model
	want  map[kith.UnitName]api.BusyWith
	until time.Time
}

func (*settleExact) name() string { return "settle-exact" }

// late is more than a timer may be behind its deadline.
const late = 2 * time.Millisecond

func (c *settleExact) turned(w *World, p *process) string {
	now := w.now()
	if at, ok := p.engine.Next(); ok && !at.After(now.Add(late)) {
		return "" // a deadline has come, and the engine has not been told the time
	}
	e, m := p.engine, p.engine.Snapshot()
	if c.m != m || !now.Before(c.until) {
		c.look(m, now)
	}
	settled := w.settled(p)
	if settled && len(c.want) == 0 {
		return evictions(m)
	}
	said := map[kith.UnitName]api.Busy{}
	for _, b := range e.Settle(0).Busy {
		if b.Unit != "" && b.With != api.BusyEviction {
			said[b.Unit] = b
		}
	}
	for u := range m.Units() {
		b, busy := said[u.Name]
		delete(said, u.Name)
		want := c.want[u.Name]
		switch {
		case busy && b.With == want, !busy && want == "":
		case b.With == api.BusyPending && want != api.BusyRunning && (b.Offline || e.Flying() || e.Waiting() > 0):
			// It is looked at again when its host is back, or when its command is decided.
		default:
			return fmt.Sprintf("%s is %q to the controller, and a look finds %q: %s", u.Name, b.With, want, busyOf(p))
		}
		if want != "" && settled {
			return fmt.Sprintf("the controller says settled, and %s is %s", u.Name, want)
		}
	}
	if len(said) > 0 {
		return fmt.Sprintf("units that do not exist are busy: %v", slices.Sorted(maps.Keys(said)))
	}
	return ""
}

// look finds what is left for every unit of a model.
func (c *settleExact) look(m *core.Model, now time.Time) {
	c.m, c.until = m, now.Add(time.Hour)
	c.want = make(map[kith.UnitName]api.BusyWith)
	for u := range m.Units() {
		if with := left(m, u.Name, now); with != "" {
			c.want[u.Name] = with
		}
		v, _ := core.ViewOf(m, u.Name)
		if at, ok := resolve.Wake(v); ok && at.After(now) && at.Before(c.until) {
			c.until = at
		}
	}
}

// left is what a unit has to do, by a look at everything.
func left(m *core.Model, u kith.UnitName, now time.Time) api.BusyWith {
	v, _ := core.ViewOf(m, u)
	if v.Past.Running != nil {
		return api.BusyRunning
	}
	if _, ok := resolve.Next(v, now); ok {
		return api.BusyPending
	}
	if f := v.Past.Failed; f != nil && !f.RetryAt.IsZero() {
		return api.BusyRetry
	}
	return ""
}

// evictions finds forced removals that a settled model should not be waiting for.
func evictions(m *core.Model) string {
	for r := range m.Relations() {
		if !r.EvictAt.IsZero() {
			return fmt.Sprintf("the controller says settled, and the forced removal of relation %d waits until %s", r.ID, r.EvictAt)
		}
	}
	for u := range m.Units() {
		if !u.EvictAt.IsZero() {
			return fmt.Sprintf("the controller says settled, and the forced removal of %s waits until %s", u.Name, u.EvictAt)
		}
	}
	return ""
}

// busy is what a controller says is left, for people.
func busyOf(p *process) string {
	var all []string
	for _, b := range p.engine.Settle(0).Busy {
		switch {
		case b.Relation != nil:
			all = append(all, fmt.Sprintf("relation %s: %s", *b.Relation, b.With))
		case b.Count > 0:
			all = append(all, fmt.Sprintf("%d %s", b.Count, b.With))
		default:
			all = append(all, fmt.Sprintf("%s: %s %s", b.Unit, b.With, b.Hook))
		}
	}
	return strings.Join(all, ", ")
}
