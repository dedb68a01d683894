package ops

import (
	"context"
)

// Dispatch is one event to give to a charm, and all the charm can know about it.
type Dispatch struct {
	Env     Env
	Meta    *CharmMeta // what the charm's metadata says
	Backend Backend
	// State is where stored states and deferred events are kept; nil means the Backend.
	State StateBackend
}

// Run gives one event to a charm and returns the charm. The function makes the charm
// and registers its handlers; it is called once in each dispatch, before anything else.
//
// Then, in this order (ops reference, section 2): events that earlier dispatches
// deferred; the event; the reconcile handlers; collect-status, the application's on
// the leader and the unit's; at last what is to be stored is written. Without a
// handler for the event the first and the last steps still happen.
//
// The first error ends the dispatch and is returned: nothing is stored, and whoever
// runs the hook fails it, so that nothing the backend has buffered takes effect. An
// error made by [StatusError] is no failure.
//
// Run has no global state, reads no environment and ends no process: [Main] does.
// Any number of charms may run beside each other in one process.
func Run[C any](ctx context.Context, d Dispatch, new func(*Framework) (C, error)) (C, error) {
	f := newFramework(ctx, d)
	charm, err := new(f)
	if err == nil {
		err = f.err
	}
	if err == nil {
		err = f.dispatch()
	}
	if err != nil {
		err = f.giveUp(err)
	}
	return charm, err
}

// dispatch is everything after the charm has been made.
func (f *Framework) dispatch() error {
	kind := kindOf(f.event.name)
	action := f.event.space == actionSpace
	// In these two hooks most tools are refused.
	restricted := !action && (kind == collectMetrics || kind == meterStatusChanged)
	if !restricted {
		if err := f.reemit(); err != nil {
			return err
		}
	}
	if err := f.emit(emission{key: f.event, name: f.event.name, env: &f.env.Event}); err != nil {
		return err
	}
	if !action && kind != stop && kind != remove && !restricted {
		if err := f.emit(emission{key: eventKey{internalSpace, reconcileName}, name: f.event.name}); err != nil {
			return err
		}
	}
	if !restricted {
		for _, app := range []bool{true, false} {
			if err := f.collectStatus(app); err != nil {
				return err
			}
		}
	}
	if f.err != nil {
		return f.err
	}
	return f.commit()
}

// commit stores what has to be there in the next dispatch.
func (f *Framework) commit() error {
	if f.err != nil { // of a handler that registered others
		return f.err
	}
	if err := f.saveQueue(); err != nil {
		return err
	}
	return f.stored.commit()
}

// giveUp ends a dispatch with the error of a handler, unless that is a status.
func (f *Framework) giveUp(err error) error {
	status := statusIn(err)
	if status == nil {
		return err
	}
	if err := f.model.unit.SetStatus(status.status); err != nil {
		return err
	}
	return f.commit()
}
