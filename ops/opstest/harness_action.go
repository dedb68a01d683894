package opstest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kith"
	"kith/internal/core"
)

// ActionResult is what came of an action.
type ActionResult struct {
	// Status is "completed" or "failed".
	Status string
	// Message is why it failed.
	Message string
	// Results are what the charm has set: strings, and maps of them.
	Results map[string]any
	// Log is what the charm has told the operator meanwhile.
	Log []string
}

// RunAction runs an action of the charm. An action that the charm does not declare, and
// parameters that do not fit, are refused. That it fails is in the result, and ends no test.
func (h *Harness) RunAction(name string, params map[string]any) ActionResult {
	h.w.tb.Helper()
	h.idle("run action " + strconv.Quote(name))
	id, err := h.w.queueAction(h.unit, name, params)
	h.w.ok(err)
	h.settle()
	return h.w.actionResult(id)
}

// queueAction queues an action and returns its task.
func (w *world) queueAction(unit kith.UnitName, name string, params map[string]any) (kith.TaskID, error) {
	op := kith.OperationID(w.model.Info().LastTask + 1)
	if err := w.do(admin, core.RunAction{Receivers: []string{string(unit)}, Action: name, Params: params}); err != nil {
		return 0, err
	}
	whole := w.model.Operation(op)
	if whole == nil || whole.Count == 0 {
		return 0, kith.Errorf(kith.Invalid, "cannot run action %q on unit %q: %s", name, unit, strings.Join(whole.Refused, "; ")).
			WithHint("%s", w.actionsOf(unit))
	}
	return kith.TaskID(int(op) + 1), nil
}

// actionsOf says which actions a unit's charm has.
func (w *world) actionsOf(unit kith.UnitName) string {
	app := w.model.App(unit.App())
	if app == nil {
		return ""
	}
	c := w.model.Charm(app.Charm).Charm
	return fmt.Sprintf("charm %q has these actions: %s", c.Meta.Name, orNone(slices.Sorted(maps.Keys(c.Actions))))
}

func (w *world) actionResult(id kith.TaskID) ActionResult {
	t := w.model.Task(id)
	r := ActionResult{Status: string(t.Status), Message: t.Message, Results: t.Values}
	for part := range w.model.Log(id) {
		for _, m := range part.Messages {
			r.Log = append(r.Log, m.Text)
		}
	}
	return r
}
