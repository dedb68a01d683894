package opstest

import "errors"

// moment is a point in a hook's run at which something can happen to it.
type moment int

const (
	beforeHook moment = iota
	atCall            // before a tool is called
	afterHook         // before its writes commit
)

// errCrash ends a hook whose agent has died.
var errCrash = errors.New("the agent has died")

// errFault fails a hook that has nothing to be blamed for.
var errFault = errors.New("failed by the exploration")

// fault lets something happen to the hook, if chance is explored.
func (r *hookRun) fault(at moment) error {
	if r.w.chance == nil {
		return nil
	}
	return r.w.chance.fault(r, at)
}

// watch has the model looked at after a change, if chance is explored.
func (w *world) watch() {
	if w.chance != nil {
		w.chance.watch(w)
	}
}
