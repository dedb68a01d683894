package core

import (
	"cmp"
	"slices"
	"time"

	"kith"
)

// Entry is what history keeps of one command: when, who, what, why, and every
// key it changed. It is written in the same transaction as the changes.
type Entry struct {
	Revision uint64    `json:"revision"`
	Time     time.Time `json:"time"`
	Actor    Actor     `json:"actor"`
	Command  string    `json:"command"` // Op.Name
	// Hook is the hook the command came from, if one.
	Hook *HookRef `json:"hook,omitempty"`
	// Cause is the revision that made the hook due; 0 if the command has no cause in the model.
	Cause  uint64  `json:"cause,omitempty"`
	Deltas []Delta `json:"deltas,omitempty"`
}

// HookRef is one run of a hook.
type HookRef struct {
	Unit kith.UnitName `json:"unit"`
	Seq  uint64        `json:"seq"`
	Hook Hook          `json:"hook"`
	// Verdicts is what contracts say of the databags the run has changed, in the order it
	// wrote them; of those no contract says anything about, nothing.
	Verdicts []BagVerdict `json:"verdicts,omitempty"`
}

// Record is the history record of one batch: its entries in order of revision.
type Record struct {
	Entries []Entry `json:"entries"`
}

// DeltaAction says what became of an entity.
type DeltaAction string

// The actions.
const (
	Added   DeltaAction = "added"
	Changed DeltaAction = "changed"
	Deleted DeltaAction = "deleted"
)

// Delta is one entity a command changed, with the parts that people ask about:
// the keys of a bag, a life, a status.
type Delta struct {
	Kind   Kind        `json:"kind"`
	ID     string      `json:"id"`
	Action DeltaAction `json:"action"`
	// Set and Unset are the keys of a bag that were written and deleted; of an application
	// and of the model (there as "*") the endpoints whose mode of contracts has changed.
	Set   map[string]string `json:"set,omitempty"`
	Unset []string          `json:"unset,omitempty"`
	// Keys are the names of the values in the new revision of a secret: never the values.
	Keys []string `json:"keys,omitempty"`
	// Life is the new life, if it changed.
	Life kith.Life `json:"life,omitempty"`
	// Status is the new status of a unit's workload, an application, a relation or a
	// task, if it changed.
	Status *Status `json:"status,omitempty"`
	// Failure is the message of a hook that has just failed.
	Failure string `json:"failure,omitempty"`
	// Hook is that hook if the command was not about it: it was cut short with its agent.
	Hook *Hook `json:"hook,omitempty"`
	// Name is the key of a relation, which its id does not tell once it is gone.
	Name string `json:"name,omitempty"`
}

// entry describes what the command did, from what was there before and what is there now.
func (t *txn) entry(op Op) Entry {
	e := Entry{
		Revision: t.rev, Time: t.now, Actor: t.actor, Command: op.Name(),
		Cause: t.cause, Deltas: make([]Delta, 0, len(t.steps)),
	}
	if t.hook != nil {
		about := *t.hook
		e.Hook = &about
	}
	for _, s := range t.steps {
		if s.effective() {
			d := delta(s.key, s.old, s.now)
			if d.Failure != "" && t.hook == nil {
				d.Hook = &row[Progress](s.now).Failed.Hook
			}
			e.Deltas = append(e.Deltas, d)
		}
	}
	return e
}

func delta(k Key, old, now Entity) Delta {
	d := Delta{Kind: k.Kind, ID: k.ID, Action: Changed}
	switch {
	case old == nil:
		d.Action = Added
	case now == nil:
		d.Action = Deleted
	}
	switch k.Kind {
	case KindBag:
		was := row[Bag](old)
		is := row[Bag](now)
		d.diff(was.Data, is.Data)
	case KindUnit:
		was := row[Unit](old)
		is := row[Unit](now)
		d.moved(was.Life, is.Life, was.Workload, is.Workload)
	case KindApp:
		was := row[App](old)
		is := row[App](now)
		d.moved(was.Life, is.Life, was.Status, is.Status)
		d.diff(modeTexts(was.Contracts), modeTexts(is.Contracts))
	case KindModel:
		was := row[ModelInfo](old)
		is := row[ModelInfo](now)
		if was.Contracts != is.Contracts {
			d.Set = map[string]string{"*": string(cmp.Or(is.Contracts, ContractsWarn))}
		}
	case KindRelation:
		was := row[Relation](old)
		is := row[Relation](now)
		d.moved(was.Life, is.Life, was.Status, is.Status)
		if now == nil {
			is = was
		}
		d.Name = is.RelationKey()
	case KindTask:
		was := row[Task](old)
		is := row[Task](now)
		d.moved("", "", was.shown(), is.shown())
	case KindStorage:
		was := row[Storage](old)
		is := row[Storage](now)
		d.moved(was.Life, is.Life, Status{}, Status{})
	case KindSecretContent:
		if is, ok := now.(*SecretContent); ok {
			d.Keys = is.Data.Keys()
		}
	case KindProgress:
		was := row[Progress](old)
		is := row[Progress](now)
		if is.Failed != nil && (was.Failed == nil || was.Failed.Since != is.Failed.Since) {
			d.Failure = is.Failed.Message
		}
	}
	return d
}

// diff records the keys of a bag that changed. A deleted bag lists nothing: it went as a whole.
func (d *Delta) diff(was, is map[string]string) {
	if d.Action == Deleted {
		return
	}
	for k, v := range is { // any order: into a map
		if old, ok := was[k]; !ok || old != v {
			if d.Set == nil {
				d.Set = make(map[string]string)
			}
			d.Set[k] = v
		}
	}
	for k := range was { // any order: sorted below
		if _, ok := is[k]; !ok {
			d.Unset = append(d.Unset, k)
		}
	}
	slices.Sort(d.Unset)
}

func (d *Delta) moved(was, is kith.Life, from, to Status) {
	if was != is {
		d.Life = is
	}
	if d.Action != Deleted && to.Current != "" && (from.Current != to.Current || from.Message != to.Message) {
		d.Status = &to
	}
}
