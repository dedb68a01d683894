package sim

import (
	"encoding/json"
	"fmt"
	"maps"

	"kith"
	"kith/internal/core"
)

// convergence: at rest every unit knows exactly whom it can see, and was told of
// the newest version of every bag; what its charm read then is what is written now (5.3 G4).
type convergence struct {
	in stays[map[string]string] // what was read of whom, as JSON
	// ran holds what the attempts of a hook have read; one of them is what counts.
	ran map[hookID][]string
}

// hookID is a hook by its unit and number: all its attempts.
type hookID struct {
	unit kith.UnitName
	seq  uint64
}

func (*convergence) name() string { return "convergence" }

func (c *convergence) ended(h *hookRun) string {
	if c.ran == nil {
		c.ran = map[hookID][]string{}
	}
	if h.a.Hook.Kind == core.RelationChanged {
		id := hookID{h.u.name, h.a.Seq}
		c.ran[id] = append(c.ran[id], h.read)
	}
	return ""
}

func (c *convergence) fact(f fact) string {
	told := c.in.follow(f)
	if !f.hooked() || told == nil {
		return ""
	}
	if *told == nil {
		*told = map[string]string{}
	}
	switch f.hook.Kind {
	case core.RelationChanged:
		owner := string(f.hook.Relation.RemoteUnit)
		if owner == "" {
			owner = string(f.hook.Relation.RemoteApp)
		}
		delete(*told, owner)
		if f.kind == factRan {
			id := hookID{f.unit, f.entry.Hook.Seq}
			// Of several attempts one has counted, and it is not known which.
			if reads := c.ran[id]; len(reads) == 1 && reads[0] != "" {
				(*told)[owner] = reads[0]
			}
			delete(c.ran, id)
		}
	case core.RelationDeparted:
		delete(*told, string(f.hook.Relation.RemoteUnit))
	}
	return ""
}

func (c *convergence) rested(_ *World, p *process) string {
	m := p.engine.Snapshot()
	for u := range m.Units() {
		past := m.Progress(u.Name)
		if past.Failed != nil || !past.Started || u.Life != kith.Alive {
			continue
		}
		v, _ := core.ViewOf(m, u.Name)
		for r := range v.Relations() {
			if r.Member == nil || r.Own.Implicit {
				continue
			}
			if bad := c.converged(m, u.Name, r); bad != "" {
				return fmt.Sprintf("%s in relation %d: %s", u.Name, r.Relation.ID, bad)
			}
		}
	}
	return ""
}

func (c *convergence) converged(m *core.Model, u kith.UnitName, r core.RelationView) string {
	if !r.Member.Created || r.Member.ChangedPending != "" {
		return fmt.Sprintf("created %v, owes changed of %q", r.Member.Created, r.Member.ChangedPending)
	}
	known := map[kith.UnitName]uint64{}
	for s := range r.Known() {
		known[s.Remote] = s.Version
	}
	for remote := range r.Remotes() {
		told, ok := known[remote.Unit]
		if !ok || told != remote.Version {
			return fmt.Sprintf("was told of %s: %v, version %d of %d", remote.Unit, ok, told, remote.Version)
		}
		delete(known, remote.Unit)
		if bad := c.read(m, u, r.Relation.ID, string(remote.Unit)); bad != "" {
			return bad
		}
	}
	if len(known) > 0 {
		return fmt.Sprintf("believes that %v are there", known)
	}
	if version, _ := r.AppBag(); version != r.Member.AppVersion {
		return fmt.Sprintf("was told of version %d of %s's data, which has %d", r.Member.AppVersion, r.Other.App, version)
	}
	return c.read(m, u, r.Relation.ID, string(r.Other.App))
}

// read compares what the unit's charm has read of a bag with what is in it.
func (c *convergence) read(m *core.Model, u kith.UnitName, id kith.RelationID, owner string) string {
	told := c.in[stay{u, id}]
	if told == nil || (*told)[owner] == "" {
		return "" // told by an operator's word, or not at all
	}
	was := map[string]string{}
	if err := json.Unmarshal([]byte((*told)[owner]), &was); err != nil {
		return err.Error()
	}
	var is map[string]string
	if b := m.Bag(id, owner); b != nil {
		is = b.Data
	}
	if !maps.Equal(was, is) {
		return fmt.Sprintf("last read of %s: %v, now it is %v", owner, was, is)
	}
	return ""
}
