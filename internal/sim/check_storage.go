package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// storageTold: a unit hears that it has a storage, and then that it has not, in turns; no two have
// one at the same time; storage-list shows what a unit has heard of; who stops has nothing
// left; and at rest everybody has heard of what it holds (hook protocol reference, sections 4.2 and 13).
type storageTold struct {
	told   map[kith.UnitName]map[kith.StorageID]bool
	holder map[kith.StorageID]kith.UnitName
	last   map[kith.UnitName]uint64 // number of the last hook that counts as run
}

func (*storageTold) name() string { return "storage-told" }

func (c *storageTold) fact(f fact) string {
	if c.told == nil {
		c.told, c.holder, c.last = map[kith.UnitName]map[kith.StorageID]bool{}, map[kith.StorageID]kith.UnitName{}, map[kith.UnitName]uint64{}
	}
	switch f.kind {
	case factGone:
		for id := range c.told[f.unit] { // any order: each by itself
			delete(c.holder, id)
		}
		delete(c.told, f.unit)
		delete(c.last, f.unit)
		return ""
	case factRan:
		c.last[f.unit] = f.entry.Hook.Seq
	case factSkipped:
		c.last[f.unit]++
	case factBegan, factFailed, factEntered, factLeft:
		return ""
	}
	switch {
	case f.hook.Storage != nil && concerns(f.entry, f.hook.Storage.ID): // else it was taken away while the hook ran
		return c.heard(f.unit, f.hook.Kind, f.hook.Storage.ID)
	case f.hook.Kind == core.Stop && len(c.told[f.unit]) > 0:
		return fmt.Sprintf("%s has stopped, and has %v", f.unit, slices.Sorted(maps.Keys(c.told[f.unit])))
	}
	return ""
}

// concerns reports whether an entry has changed a storage.
func concerns(e *core.Entry, id kith.StorageID) bool {
	return slices.ContainsFunc(e.Deltas, func(d core.Delta) bool { return d.Kind == core.KindStorage && d.ID == string(id) })
}

func (c *storageTold) heard(u kith.UnitName, kind core.HookKind, id kith.StorageID) string {
	if kind == core.StorageDetaching {
		if !c.told[u][id] {
			return fmt.Sprintf("%s is to give %s back, of which it was not told", u, id)
		}
		delete(c.told[u], id)
		delete(c.holder, id)
		return ""
	}
	if had := c.holder[id]; had != "" {
		return fmt.Sprintf("%s is told of %s, which %s has", u, id, had)
	}
	if c.told[u] == nil {
		c.told[u] = map[kith.StorageID]bool{}
	}
	c.told[u][id], c.holder[id] = true, u
	return ""
}

func (c *storageTold) ended(h *hookRun) string {
	if h.stored == nil || c.last[h.u.name]+1 != h.a.Seq {
		return "" // it did not ask, or has run already, and is repeated in vain
	}
	want := maps.Clone(c.told[h.u.name])
	if want == nil {
		want = map[kith.StorageID]bool{}
	}
	if s := h.a.Hook.Storage; s != nil {
		want[s.ID] = true
	}
	if all := slices.Sorted(maps.Keys(want)); !slices.Equal(all, h.stored) {
		return fmt.Sprintf("%s: storage-list in %s says %v, told of are %v", h.u.name, h.a.Hook.Name(), h.stored, all)
	}
	return ""
}

func (c *storageTold) rested(_ *World, p *process) string {
	m := p.engine.Snapshot()
	for u := range m.Units() {
		past := m.Progress(u.Name)
		if u.Life != kith.Alive || past.Failed != nil || !past.Installed {
			continue
		}
		declared := m.Charm(past.Charm).Charm.Meta.Storage
		count := map[string]int{}
		for _, s := range m.StorageOf(u.Name) {
			switch count[s.ID.Name()]++; {
			case s.Detaching:
				return fmt.Sprintf("%s is to give %s back, and does not", u.Name, s.ID)
			case !c.told[u.Name][s.ID]:
				return fmt.Sprintf("%s has %s, and was not told", u.Name, s.ID)
			}
		}
		if n := len(m.StorageOf(u.Name)); n != len(c.told[u.Name]) {
			return fmt.Sprintf("%s has %d storages, and believes %v", u.Name, n, slices.Sorted(maps.Keys(c.told[u.Name])))
		}
		for name, n := range count { // any order: only complaints
			if s := declared[name]; s.CountMax >= 0 && n > s.CountMax {
				return fmt.Sprintf("%s has %d of storage %q, of which it can take %d", u.Name, n, name, s.CountMax)
			}
		}
	}
	return ""
}

// storageKept: the data of a storage is deleted when an operator has said so, or no unit ever had it;
// never otherwise. At rest the disks hold what the model has, and what was released.
type storageKept struct {
	rows     map[kith.StorageID]core.Storage // as the store has them
	doomed   map[kith.StorageID]bool         // an operator has had it destroyed
	used     map[kith.StorageID]bool         // a unit was told of it
	released map[kith.StorageID]bool
}

func (*storageKept) name() string { return "storage-kept" }

// batch reads the rows of a batch; who held what when an order came is what the rows said before.
func (c *storageKept) batch(l *ledger, b store.Batch, r record) string {
	if c.rows == nil {
		c.rows, c.doomed = map[kith.StorageID]core.Storage{}, map[kith.StorageID]bool{}
		c.used, c.released = map[kith.StorageID]bool{}, map[kith.StorageID]bool{}
	}
	for i := range r.Entries {
		c.ordered(l.w, &r.Entries[i])
	}
	for _, e := range b.Puts {
		if e.Kind != string(core.KindStorage) {
			continue
		}
		var s core.Storage
		if err := json.Unmarshal(e.Value, &s); err != nil {
			return err.Error()
		}
		c.rows[s.ID] = s
	}
	for i := range r.Entries {
		c.ordered(l.w, &r.Entries[i]) // a batch may make a storage and doom it
	}
	return ""
}

// ordered notes what an operator's command dooms.
func (c *storageKept) ordered(w *World, e *core.Entry) {
	call := w.given[e.Actor.Name]
	if e.Actor.Kind != core.ActorUser || call == nil {
		return
	}
	switch op := call.op.(type) {
	case core.RemoveStorage:
		c.doomed[op.Storage], c.released[op.Storage] = !op.NoDestroy, op.NoDestroy
	case core.RemoveUnits:
		for id, s := range c.rows { // any order: each by itself
			if op.DestroyStorage && (slices.Contains(op.Units, s.Unit) || s.Unit.App() == "logger") {
				c.doomed[id] = true // of the unit, or perhaps of its subordinate
			}
		}
	}
}

func (c *storageKept) fact(f fact) string {
	if f.hooked() && f.hook.Kind == core.StorageAttached && concerns(f.entry, f.hook.Storage.ID) {
		c.used[f.hook.Storage.ID] = true
	}
	return ""
}

func (c *storageKept) wiped(_ *ledger, host string, id kith.StorageID) string {
	switch s, known := c.rows[id]; {
	case !known:
		return fmt.Sprintf("%s deletes %s, which history does not know", host, id)
	case s.Host != host:
		return fmt.Sprintf("%s deletes %s, which is on %s", host, id, s.Host)
	case s.Life != kith.Dead:
		return fmt.Sprintf("%s deletes %s, which is %s", host, id, s.Life)
	case !c.doomed[id] && c.used[id]:
		return fmt.Sprintf("%s deletes %s, and nobody has said so", host, id)
	}
	return ""
}

func (c *storageKept) rested(w *World, p *process) string {
	m := p.engine.Snapshot()
	for _, a := range w.agents {
		for _, id := range slices.Sorted(maps.Keys(a.disk)) {
			if m.Storage(id) == nil && !c.released[id] {
				return fmt.Sprintf("%s has the data of %s, which is gone", a.host, id)
			}
		}
	}
	return ""
}
