package sim

import (
	"fmt"
	"slices"

	"kith"
	"kith/charm"
	"kith/internal/core"
	"kith/internal/store"
)

// sees: whoever a unit hears of is on the other side of the relation, or a peer, and in a container
// relation in the same container (3.3); a hook names the endpoint of the one and the application of the other (5.5);
// the implicit endpoint has no hooks (1.3).
type sees struct {
	relations rows[core.Relation]
	units     rows[core.Unit]
}

func (*sees) name() string { return "sees-whom-it-may" }

func (c *sees) batch(_ *ledger, b store.Batch, _ record) string {
	if _, err := c.relations.put(core.KindRelation, b); err != nil {
		return err.Error()
	}
	if _, err := c.units.put(core.KindUnit, b); err != nil {
		return err.Error()
	}
	return ""
}

func (c *sees) fact(f fact) string {
	if h := f.hook.Relation; f.hooked() && h != nil {
		if bad := c.wrong(f.unit, h); bad != "" {
			return fmt.Sprintf("%s ran %s of %q in relation %d: %s", f.unit, f.hook.Name(), h.RemoteUnit, h.ID, bad)
		}
	}
	return ""
}

func (c *sees) ended(h *hookRun) string {
	for _, remote := range h.listed {
		if !c.visible(h.u.name, h.a.Hook.Relation.ID, remote) {
			return fmt.Sprintf("%s: relation-list in %s says %v, and %s it cannot see", h.u.name, h.a.Hook.Name(), h.listed, remote)
		}
	}
	return ""
}

// wrong says what a hook should not be about.
func (c *sees) wrong(u kith.UnitName, h *core.RelationHook) string {
	own, other := c.ends(u, h.ID)
	switch {
	case own.App != u.App() || own.Endpoint != h.Endpoint:
		return fmt.Sprintf("its end is %s, and the hook's %s", own, h.Endpoint)
	case own.Implicit:
		return "its end is implicit"
	case other.App != h.RemoteApp:
		return fmt.Sprintf("the other end is %s, and the hook's %s", other, h.RemoteApp)
	case h.RemoteUnit != "" && !c.visible(u, h.ID, h.RemoteUnit):
		return "it cannot see that"
	}
	return ""
}

// visible leaves the unit itself to [neverAboutItself].
func (c *sees) visible(u kith.UnitName, id kith.RelationID, remote kith.UnitName) bool {
	_, other := c.ends(u, id)
	return remote.App() == other.App && (c.relations[id.String()].Scope != kith.Container || c.container(u) == c.container(remote))
}

// ends are a unit's end of a relation and the other one; the same twice for peers.
func (c *sees) ends(u kith.UnitName, id kith.RelationID) (own, other core.End) {
	all := c.relations[id.String()].Ends
	if len(all) == 0 {
		return core.End{}, core.End{}
	}
	if own, other = all[0], all[len(all)-1]; own.App != u.App() {
		own, other = other, own
	}
	return own, other
}

func (c *sees) container(u kith.UnitName) kith.UnitName {
	if p := c.units[string(u)].Principal; p != "" {
		return p
	}
	return u
}

// inScope: at rest who is up is in every relation that it may be in, and nobody in one that is suspended (3.1,
// 2.5); no relation is left dying (2.3). A principal has one unit of each subordinate application that it has entered
// a relation with, and a subordinate unit a relation that holds it (9).
type inScope struct{}

func (inScope) name() string { return "in-scope" }

func (c inScope) rested(_ *World, p *process) string { return c.look(p.engine.Snapshot()) }

func (c inScope) look(m *core.Model) string {
	for u := range m.Units() {
		past := m.Progress(u.Name)
		if u.Life != kith.Alive || past.Failed != nil || !past.Installed {
			continue
		}
		meta, held := m.Charm(past.Charm).Charm.Meta, u.Principal == ""
		for r := range m.RelationsOf(u.App) {
			own, other := r.Ends[0], r.Ends[len(r.Ends)-1]
			if own.App != u.App {
				own, other = other, own
			}
			_, declared := meta.Endpoint(own.Endpoint)
			may := declared || own.Endpoint == charm.JujuInfo
			if r.Scope == kith.Container && u.Principal != "" && !m.App(other.App).Subordinate {
				may = may && other.App == u.Principal.App()
				held = held || other.App == u.Principal.App()
			}
			if bad := c.in(m, u, r, may); bad != "" {
				return bad
			}
			if bad := c.accompanied(m, u, r, other.App); bad != "" {
				return bad
			}
		}
		if !held {
			return fmt.Sprintf("%s is there, and nothing holds it to %s", u.Name, u.Principal)
		}
	}
	return ""
}

// in says what is wrong with a unit's being in a relation, or not.
func (inScope) in(m *core.Model, u *core.Unit, r *core.Relation, may bool) string {
	in := m.Member(r.ID, u.Name) != nil
	switch {
	case r.Life != kith.Alive:
		return fmt.Sprintf("relation %d is still %s", r.ID, r.Life)
	case in && r.Suspended:
		return fmt.Sprintf("%s is in relation %d, which is suspended", u.Name, r.ID)
	case !in && may && !r.Suspended:
		return fmt.Sprintf("%s is not in relation %d, %s", u.Name, r.ID, r.RelationKey())
	}
	return ""
}

// accompanied says whether a principal in a container relation lacks its subordinate unit, or has two.
func (inScope) accompanied(m *core.Model, u *core.Unit, r *core.Relation, other kith.AppName) string {
	if r.Scope != kith.Container || u.Principal != "" || m.Member(r.ID, u.Name) == nil {
		return ""
	}
	subs := slices.DeleteFunc(slices.Clone(u.Subordinates), func(s kith.UnitName) bool { return s.App() != other })
	if len(subs) != 1 {
		return fmt.Sprintf("%s is in relation %d, and its units of %s are %v", u.Name, r.ID, other, subs)
	}
	return ""
}
