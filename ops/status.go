package ops

import (
	"cmp"
	"fmt"
	"slices"

	"kith"
)

// Status is the workload status of a unit or an application, as people see it.
type Status struct {
	Name    kith.Status
	Message string
}

// ActiveStatus: the workload does what it is for.
func ActiveStatus(message string) Status { return Status{kith.Active, message} }

// BlockedStatus: a person has to do something; the message says what.
func BlockedStatus(message string) Status { return Status{kith.Blocked, message} }

// MaintenanceStatus: the charm is at work on the workload.
func MaintenanceStatus(message string) Status { return Status{kith.Maintenance, message} }

// WaitingStatus: another unit or application has to do something first.
func WaitingStatus(message string) Status { return Status{kith.Waiting, message} }

// String is "blocked: needs a database".
func (s Status) String() string {
	if s.Message == "" {
		return string(s.Name)
	}
	return string(s.Name) + ": " + s.Message
}

// severity orders statuses for collect-status (ops reference, section 6.7); those a
// charm cannot set have none.
var severity = map[kith.Status]int{kith.Blocked: 4, kith.Maintenance: 3, kith.Waiting: 2, kith.Active: 1}

// settable refuses a status that no charm can set.
func (s Status) settable() error {
	if severity[s.Name] == 0 {
		return &InvalidStatusError{s}
	}
	return nil
}

// StatusError is for a handler to return when it cannot go on and no retry would
// help: the unit gets the status, the handlers that are left and collect-status do
// not run, and the hook succeeds, so that what was written so far is kept, stored states
// and deferred events included. An event whose handler gives up so counts as handled. If it was a
// deferred one, the event of the dispatch itself reaches no handler any more.
//
//	return ops.StatusError(ops.BlockedStatus("needs a database"))
//
// It may be wrapped, and joined with others like it: the first counts. Joined with any other error it
// is a failure.
func StatusError(s Status) error { return &statusError{s} }

type statusError struct{ status Status }

// statusIn is the status that an error stands for, the first of several joined. It is nil for a
// failure, and for a status joined with one.
func statusIn(err error) (first *statusError) {
	switch e := err.(type) {
	case *statusError:
		return e
	case interface{ Unwrap() error }:
		return statusIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			status := statusIn(part)
			if status == nil {
				return nil
			}
			first = cmp.Or(first, status)
		}
	}
	return first
}

func (e *statusError) Error() string { return fmt.Sprintf("status %s", e.status) }

// CollectStatusEvent comes at the end of every dispatch and asks what status the
// unit or the application has. The most severe of what is added wins: blocked,
// maintenance, waiting, active; of equals the first. If nothing is added the status
// stays as it is.
type CollectStatusEvent struct{ EventBase }

// AddStatus adds one. A status that cannot be set fails the hook with an
// [*InvalidStatusError].
func (e *CollectStatusEvent) AddStatus(s Status) {
	if err := s.settable(); err != nil {
		e.f.fail(err)
	}
	if severity[s.Name] > severity[e.f.collected.Name] {
		e.f.collected = s
	}
}

// collectStatus asks for the unit's status, or the application's, and sets it.
func (f *Framework) collectStatus(app bool) error {
	key := eventKey{internalSpace, collectUnitStatusName}
	if app {
		key.name = collectAppStatusName
	}
	if !slices.ContainsFunc(f.observers, func(o Observation) bool { return o.isFor(key) }) {
		return nil
	}
	if app {
		leader, err := f.model.unit.IsLeader()
		if err != nil || !leader {
			return err
		}
	}
	f.collected = Status{}
	if err := f.emit(emission{key: key, name: key.name}); err != nil {
		return err
	}
	if f.err != nil || f.collected.Name == "" {
		return f.err
	}
	return f.backend.StatusSet(app, f.collected)
}
