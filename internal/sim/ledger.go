package sim

import (
	"encoding/json"
	"strconv"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// ledger is what the store has made durable, as it came: the history the checkers
// judge by. It hears of a batch when the store has it, whether or not anybody else ever does.
type ledger struct {
	w        *World
	records  []store.Record
	batch    uint64 // the store's revision
	revision uint64 // the model's
	epoch    int64
	entries  []core.Entry // entries[i] has revision i+1
	facts    facts
}

func newLedger(w *World) *ledger {
	return &ledger{w: w, facts: facts{running: map[kith.UnitName]core.Hook{}, failed: map[kith.UnitName]core.Hook{}}}
}

// record is the stored form of a batch's history.
type record struct {
	Epoch   int64        `json:"epoch"`
	Last    uint64       `json:"last"`
	Entries []core.Entry `json:"entries"`
}

func (l *ledger) add(b store.Batch) {
	var r record
	if err := json.Unmarshal(b.History, &r); err != nil {
		l.w.violate("history", "record %d cannot be read: %v", b.Revision, err)
		return
	}
	l.records = append(l.records, store.Record{Revision: b.Revision, Value: b.History})
	l.w.checks.batch(b, r)
	l.batch, l.epoch = b.Revision, r.Epoch
	for i := range r.Entries {
		e := &r.Entries[i]
		l.w.checks.entry(e)
		l.revision = e.Revision
		l.entries = append(l.entries, *e)
		for _, f := range l.facts.of(l.w, e) {
			l.w.checks.fact(f)
		}
	}
	l.w.checks.landed(b)
}

// at is the entry with a revision; nil if the store has none.
func (l *ledger) at(revision uint64) *core.Entry {
	if revision == 0 || revision > uint64(len(l.entries)) {
		return nil
	}
	return &l.entries[revision-1]
}

// factKind is what an entry of history says about one unit.
type factKind int

const (
	factBegan   factKind = iota // a hook was begun
	factRan                     // a hook has committed
	factSkipped                 // a failed hook was counted as run by an operator
	factFailed                  // a hook has failed
	factEntered                 // the unit has entered a relation
	factLeft                    // it is out of it
	factGone                    // it is out of the model
)

// fact is one thing that is known from history to have happened to a unit.
type fact struct {
	kind     factKind
	unit     kith.UnitName
	relation kith.RelationID
	hook     core.Hook
	// proper: the unit has left, or gone, by its own last hook and not by force.
	proper bool
	entry  *core.Entry
}

// about is the relation of a hook; -1 if it has none.
func (f fact) about() kith.RelationID {
	if f.hook.Relation == nil {
		return -1
	}
	return f.hook.Relation.ID
}

// hooked reports whether the fact is a hook that counts as run.
func (f fact) hooked() bool { return f.kind == factRan || f.kind == factSkipped }

// facts reads entries as facts. It believes history about which commands there
// were and which rows came and went, and nothing else.
type facts struct {
	running, failed map[kith.UnitName]core.Hook
	list            []fact
}

func (x *facts) of(w *World, e *core.Entry) []fact {
	x.list = x.list[:0]
	switch e.Command {
	case "begin-hook":
		x.hook(factBegan, e)
		x.running[e.Hook.Unit] = e.Hook.Hook
	case "commit-hook":
		x.hook(factRan, e)
		delete(x.running, e.Hook.Unit)
		delete(x.failed, e.Hook.Unit)
	case "fail-hook":
		delete(x.running, e.Hook.Unit)
	case "resolved":
		x.skipped(w, e)
	}
	for _, d := range e.Deltas {
		x.delta(e, d)
	}
	return x.list
}

func (x *facts) hook(kind factKind, e *core.Entry) {
	x.list = append(x.list, fact{kind: kind, unit: e.Hook.Unit, hook: e.Hook.Hook, entry: e})
}

// skipped finds which hooks an operator's resolved counted as run.
func (x *facts) skipped(w *World, e *core.Entry) {
	c := w.given[e.Actor.Name]
	if c == nil || !c.op.(core.Resolved).NoRetry {
		return
	}
	for _, d := range e.Deltas {
		unit := kith.UnitName(d.ID)
		if h, failed := x.failed[unit]; d.Kind == core.KindProgress && failed {
			x.list = append(x.list, fact{kind: factSkipped, unit: unit, hook: h, entry: e})
			delete(x.failed, unit)
		}
	}
}

func (x *facts) delta(e *core.Entry, d core.Delta) {
	switch {
	case d.Kind == core.KindProgress && d.Failure != "":
		unit := kith.UnitName(d.ID)
		h, began := x.running[unit]
		if e.Hook != nil {
			h, began = e.Hook.Hook, true
		}
		if first, again := x.failed[unit]; again && first.Same(h) {
			h = first
		}
		delete(x.running, unit)
		if began {
			x.failed[unit] = h
			x.list = append(x.list, fact{kind: factFailed, unit: unit, hook: h, entry: e})
		}
	case d.Kind == core.KindMember && d.Action != core.Changed:
		f := fact{kind: factEntered, entry: e}
		f.relation, f.unit = splitMember(d.ID)
		if d.Action == core.Deleted {
			if h := x.failed[f.unit]; h.Relation != nil && h.Relation.ID == f.relation {
				delete(x.failed, f.unit)
			}
			f.kind = factLeft
			f.proper = e.Command == "leave-scopes" ||
				e.Command == "commit-hook" && e.Hook.Unit == f.unit && e.Hook.Hook.Kind == core.RelationBroken && e.Hook.Hook.Relation.ID == f.relation
		}
		x.list = append(x.list, f)
	case d.Kind == core.KindUnit && d.Action == core.Deleted:
		unit := kith.UnitName(d.ID)
		delete(x.running, unit)
		delete(x.failed, unit)
		x.list = append(x.list, fact{kind: factGone, unit: unit, entry: e, proper: e.Command == "remove-dead-unit"})
	}
}

// splitMember reads "relation/unit".
func splitMember(id string) (kith.RelationID, kith.UnitName) {
	number, unit, _ := strings.Cut(id, "/")
	n, err := strconv.Atoi(number)
	if err != nil {
		panic("sim: member " + id + " has no relation")
	}
	return kith.RelationID(n), kith.UnitName(unit)
}
