package sim

import (
	"fmt"
	"time"

	"kith"
	"kith/internal/core"
)

// oneLeader: yes to is-leader is a promise for 30 seconds (section 7): meanwhile
// no other unit of the application is told yes. Leadership that was moved by
// hand, or by the leader's going, is moved at once; the promise ends with that.
type oneLeader struct {
	promises map[kith.AppName]promise
	// moved is the revision of the last deliberate move.
	moved map[kith.AppName]uint64
}

type promise struct {
	unit  kith.UnitName
	until time.Time
}

func (*oneLeader) name() string { return "one-leader" }

func (c *oneLeader) init() {
	if c.promises == nil {
		c.promises, c.moved = map[kith.AppName]promise{}, map[kith.AppName]uint64{}
	}
}

func (c *oneLeader) entry(_ *ledger, e *core.Entry) string {
	c.init()
	for _, d := range e.Deltas {
		var app kith.AppName
		switch {
		case d.Kind == core.KindLease && e.Command == "elect":
			app = kith.AppName(d.ID)
		case d.Kind == core.KindUnit && d.Action == core.Deleted:
			app = kith.UnitName(d.ID).App()
			if c.promises[app].unit != kith.UnitName(d.ID) {
				continue
			}
		default:
			continue
		}
		c.moved[app] = e.Revision
		delete(c.promises, app)
	}
	return ""
}

func (c *oneLeader) leads(u kith.UnitName, now time.Time, revision uint64) string {
	c.init()
	if revision < c.moved[u.App()] {
		return "" // answered by a controller that has not heard of the move
	}
	if p, ok := c.promises[u.App()]; ok && p.unit != u && now.Before(p.until) {
		return fmt.Sprintf("%s was told that it leads, and %s was promised that it does for another %s", u, p.unit, p.until.Sub(now))
	}
	c.promises[u.App()] = promise{u, now.Add(core.LeaseTerm - core.LeaseRenewal)}
	return ""
}
