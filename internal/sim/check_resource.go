package sim

import (
	"fmt"

	"kith"
	"kith/internal/core"
)

// resourcesTold: resource-get gives what an operator gave last, as far as the hook can know; and at rest
// every unit has run upgrade-charm, or install, since a resource of its application was given.
type resourcesTold struct {
	given map[kith.AppName]map[string][]gift
	told  map[kith.UnitName]uint64 // how often something had been given when the last such hook was chosen
}

// gift is one content of a resource, and when it was given.
type gift struct {
	at  uint64
	sum string
}

func (*resourcesTold) name() string { return "resources-told" }

func (c *resourcesTold) init() {
	if c.given == nil {
		c.given, c.told = map[kith.AppName]map[string][]gift{}, map[kith.UnitName]uint64{}
	}
}

func (c *resourcesTold) entry(l *ledger, e *core.Entry) string {
	c.init()
	for _, d := range e.Deltas {
		if d.Kind == core.KindApp && d.Action == core.Deleted {
			delete(c.given, kith.AppName(d.ID))
		}
	}
	call := l.w.given[e.Actor.Name]
	if e.Actor.Kind != core.ActorUser || call == nil {
		return ""
	}
	op, ok := call.op.(core.AttachResource)
	if !ok {
		return ""
	}
	if c.given[op.App] == nil {
		c.given[op.App] = map[string][]gift{}
	}
	all := c.given[op.App][op.Resource]
	if len(all) == 0 || all[len(all)-1].sum != op.File.Sum() {
		c.given[op.App][op.Resource] = append(all, gift{e.Revision, op.File.Sum()})
	}
	return ""
}

func (c *resourcesTold) fact(f fact) string {
	c.init()
	switch {
	case f.kind == factGone:
		delete(c.told, f.unit)
	case f.hooked() && (f.hook.Kind == core.UpgradeCharm || f.hook.Kind == core.Install):
		c.told[f.unit] = f.hook.Resources
	}
	return ""
}

// fetched allows what was given after the hook was chosen: it may have been chosen anew since.
func (c *resourcesTold) fetched(h *hookRun, r core.ResourceContext) string {
	c.init()
	all := c.given[h.u.name.App()][r.Name]
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].sum == r.Sum() {
			return ""
		}
		if all[i].at <= h.a.UpdatedRevision {
			return fmt.Sprintf("%s has fetched %.12s of resource %q, and at revision %d it was %.12s", h.u.name, r.Sum(), r.Name, h.a.UpdatedRevision, all[i].sum)
		}
	}
	if len(all) > 0 && h.u.w.model().App(h.u.name.App()) == nil {
		return ""
	}
	return fmt.Sprintf("%s has fetched resource %q, which nobody gave", h.u.name, r.Name)
}

func (c *resourcesTold) rested(_ *World, p *process) string {
	c.init()
	m := p.engine.Snapshot()
	for u := range m.Units() {
		past := m.Progress(u.Name)
		told, known := c.told[u.Name]
		if u.Life != kith.Alive || past.Failed != nil || !past.Installed || !known {
			continue
		}
		given := 0
		for _, all := range c.given[u.App] { // any order: a sum
			given += len(all)
		}
		if int(told) != given {
			return fmt.Sprintf("%s was told of its resources when they had been given %d times, and they were given %d times", u.Name, told, given)
		}
	}
	return ""
}
