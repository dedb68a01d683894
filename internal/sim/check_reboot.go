package sim

import (
	"encoding/json"
	"fmt"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// startsAgain: a unit that has started starts again after its machine was rebooted, be it that a hook
// has asked for it or that the computer went down; and never without (hook protocol reference, section 3.8).
type startsAgain struct {
	units   map[kith.UnitName]core.Unit // as the store has them
	boots   map[string]string           // of hosts
	booted  map[string]int              // hosts of which a hello in this batch is that of a new boot → hellos so far
	started map[kith.UnitName]uint64    // revision of the last start
	may     map[kith.UnitName]uint64    // of the last reboot, which may have been none
	must    map[kith.UnitName]uint64    // of the last that was one
	asked   map[hookID]asks
}

// asks are how often a hook was run to an end, by whether it asked for a reboot.
type asks struct{ yes, no int }

func (*startsAgain) name() string { return "starts-again" }

func (c *startsAgain) init() {
	if c.units == nil {
		c.units, c.boots, c.booted = map[kith.UnitName]core.Unit{}, map[string]string{}, map[string]int{}
		c.started, c.may, c.must = map[kith.UnitName]uint64{}, map[kith.UnitName]uint64{}, map[kith.UnitName]uint64{}
		c.asked = map[hookID]asks{}
	}
}

func (c *startsAgain) batch(_ *ledger, b store.Batch, _ record) string {
	c.init()
	clear(c.booted)
	for _, e := range b.Puts {
		switch core.Kind(e.Kind) {
		case core.KindUnit:
			var u core.Unit
			if err := json.Unmarshal(e.Value, &u); err != nil {
				return err.Error()
			}
			c.units[u.Name] = u
		case core.KindHost:
			var h core.Host
			if err := json.Unmarshal(e.Value, &h); err != nil {
				return err.Error()
			}
			boot, _, _ := strings.Cut(h.Epoch, "/")
			was, known := c.boots[h.Name]
			if known && was != boot {
				c.booted[h.Name] = 0
			}
			c.boots[h.Name] = boot
		}
	}
	return ""
}

func (c *startsAgain) ended(h *hookRun) string {
	c.init()
	id := hookID{h.u.name, h.a.Seq}
	a := c.asked[id]
	if !h.missing && h.run.Effects().Reboot {
		a.yes++
	} else {
		a.no++
	}
	c.asked[id] = a
	return ""
}

func (c *startsAgain) restarting(h *hookRun) string {
	c.init()
	id := hookID{h.u.name, h.a.Seq}
	a := c.asked[id]
	a.yes++
	c.asked[id] = a
	return ""
}

func (c *startsAgain) entry(_ *ledger, e *core.Entry) string {
	c.init()
	switch e.Command {
	case "host-hello":
		before, booted := c.booted[e.Actor.Name]
		for name, u := range c.units { // any order: each by itself
			if u.Host == e.Actor.Name && booted {
				c.reboot(name, e.Revision, before == 0) // of several one told of the boot: the first, or one after it
			}
		}
		if booted {
			c.booted[e.Actor.Name]++
		}
	case "commit-hook", "fail-hook":
		id := hookID{e.Hook.Unit, e.Hook.Seq}
		if e.Command == "commit-hook" && e.Hook.Hook.Kind == core.Start && c.started[id.unit] == 0 {
			c.started[id.unit] = e.Revision // it may ask for a reboot itself
		}
		if a := c.asked[id]; a.yes > 0 {
			c.machine(id.unit, e.Revision, e.Command == "commit-hook" && a.no == 0)
		}
		if e.Command == "commit-hook" {
			delete(c.asked, id)
		}
	}
	return ""
}

// answered tells which failures were reboots.
func (c *startsAgain) answered(_ *ledger, k *call, r api.CommandReply, err error) string {
	if op, ok := k.op.(core.FailHook); ok && op.Reboot && err == nil && !r.Unchanged {
		c.machine(op.Unit, r.Revision, true)
	}
	return ""
}

// machine notes the reboot of a unit's machine.
func (c *startsAgain) machine(of kith.UnitName, revision uint64, sure bool) {
	for name, u := range c.units { // any order: each by itself
		if u.Machine == c.units[of].Machine {
			c.reboot(name, revision, sure)
		}
	}
}

func (c *startsAgain) reboot(u kith.UnitName, revision uint64, sure bool) {
	if first := c.started[u]; first == 0 || first > revision {
		return // what has not started need not start again
	}
	c.may[u] = max(c.may[u], revision)
	if sure {
		c.must[u] = max(c.must[u], revision)
	}
}

func (c *startsAgain) fact(f fact) string {
	c.init()
	switch {
	case f.kind == factGone:
		delete(c.units, f.unit)
		delete(c.started, f.unit)
		delete(c.may, f.unit)
		delete(c.must, f.unit)
	case f.hooked() && f.hook.Kind == core.Start:
		last := c.started[f.unit]
		c.started[f.unit] = f.entry.Revision
		if last != 0 && last != f.entry.Revision && c.may[f.unit] < last {
			return fmt.Sprintf("%s starts again at revision %d, and its machine was not rebooted since %d", f.unit, f.entry.Revision, last)
		}
	}
	return ""
}

func (c *startsAgain) rested(_ *World, p *process) string {
	m := p.engine.Snapshot()
	for u := range m.Units() {
		if must := c.must[u.Name]; u.Life == kith.Alive && m.Progress(u.Name).Failed == nil && must > 0 && c.started[u.Name] <= must {
			return fmt.Sprintf("the machine of %s was rebooted at revision %d, and its last start was at %d", u.Name, must, c.started[u.Name])
		}
	}
	return ""
}
