package opstest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kith/internal/core"
)

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

// told puts a command of the test's into the story, if there is one.
func (w *world) told(op core.Op) {
	if w.chance != nil {
		w.tell(asCommand(op))
	}
}

// tell puts what the test asks for into the story, if there is one.
func (w *world) tell(what string) {
	if w.chance != nil {
		w.chance.tell("== %s", what)
	}
}

// asCommand is a command with what it is about, in few words.
func asCommand(op core.Op) string {
	what := op.Name()
	switch op := op.(type) {
	case core.Deploy:
		return fmt.Sprintf("deploy %s", op.App)
	case core.AddUnits:
		return fmt.Sprintf("add-unit %s -n %d", op.App, op.Units)
	case core.RemoveUnits:
		if op.Force {
			what = "lose-unit"
		}
		return fmt.Sprintf("%s %s", what, joined(op.Units))
	case core.RemoveApps:
		return fmt.Sprintf("remove-application %s", joined(op.Apps))
	case core.Integrate:
		return fmt.Sprintf("integrate %s %s", op.A, op.B)
	case core.RemoveRelation:
		return fmt.Sprintf("remove-relation %s", joined(op.Endpoints))
	case core.SetConfig:
		return fmt.Sprintf("config %s %s", op.App, strings.Join(append(slices.Sorted(maps.Keys(op.Set)), op.Reset...), " "))
	case core.Elect:
		return fmt.Sprintf("elect %s", op.Unit)
	case core.Refresh:
		return fmt.Sprintf("refresh %s", op.App)
	case core.Resolved:
		return fmt.Sprintf("resolved %s", joined(op.Units))
	}
	return what
}

func joined[T any](all []T) string { return strings.Trim(fmt.Sprint(all), "[]") }
