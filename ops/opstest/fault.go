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

// explorer chooses what happens to hooks.
type explorer struct{}

// fault lets something happen to the hook, if chance is explored.
func (r *hookRun) fault(moment) error { return nil }
