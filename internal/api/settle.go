package api

import (
	"time"

	"kith"
	"kith/internal/core"
)

// SettleReply says whether a model has come to rest, and if not, what is left.
//
// A model is settled when no unit has a hook or a task to run, none is running, no
// command is waiting, no failed hook will be retried by itself, no forced removal
// is waiting and no data of storage is being deleted. A unit whose hook failed for good does not keep the model
// from settling; it is listed in Errors.
type SettleReply struct {
	Settled  bool   `json:"settled"`
	Revision uint64 `json:"revision"`
	Busy     []Busy `json:"busy,omitempty"`
	// Errors are the units with a failed hook, settled or not.
	Errors []UnitError `json:"errors,omitempty"`
}

// BusyWith says what keeps a model from being settled.
type BusyWith string

// What there is to wait for.
const (
	BusyRunning  BusyWith = "running"  // a hook or a task is running
	BusyPending  BusyWith = "pending"  // a hook or a task is due and has not begun
	BusyRetry    BusyWith = "retry"    // a failed hook will be run again at Until
	BusyCommands BusyWith = "commands" // Count commands are waiting to be decided
	BusyEviction BusyWith = "eviction" // a forced removal waits for units until Until
	BusyWiping   BusyWith = "wiping"   // the data of a storage is being deleted
)

// Busy is one thing that keeps a model from being settled.
type Busy struct {
	Unit  kith.UnitName `json:"unit,omitempty"`
	With  BusyWith      `json:"with"`
	Hook  string        `json:"hook,omitempty"` // or "action NAME"
	Since time.Time     `json:"since,omitzero"`
	Until time.Time     `json:"until,omitzero"`
	Count int           `json:"count,omitempty"`
	// Relation is the relation that waits for eviction; else Unit is the unit that does.
	Relation *kith.RelationID `json:"relation,omitempty"`
	// Storage is what is being wiped.
	Storage kith.StorageID `json:"storage,omitempty"`
	// Offline is true if the agent of the unit, or of the storage, is not connected.
	Offline bool `json:"offline,omitempty"`
}

// UnitError is a unit in error.
type UnitError struct {
	Unit    kith.UnitName `json:"unit"`
	Hook    string        `json:"hook"`
	Message string        `json:"message"`
	Since   time.Time     `json:"since"`
}

// ErrorsOf lists the units in error, in natural order.
func ErrorsOf(m *core.Model) []UnitError {
	var errs []UnitError
	for _, u := range sortedUnits(m) {
		if p := m.Progress(u.Name); p != nil && p.InError() {
			f := p.Failed
			errs = append(errs, UnitError{Unit: u.Name, Hook: f.Hook.Name(), Message: f.Message, Since: f.Since})
		}
	}
	return errs
}
