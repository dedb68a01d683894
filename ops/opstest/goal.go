package opstest

import (
	"kith"
	"kith/internal/api"
	"kith/internal/hooktool"
)

// GoalState is where the unit's application and those it is related to are going.
func (r *hookRun) GoalState() (hooktool.GoalState, error) {
	g, ok := api.GoalStateOf(&r.w.model, r.unit)
	if !ok {
		return hooktool.GoalState{}, kith.Errorf(kith.NotFound, "unit %q not found", r.unit)
	}
	units, relations := g.Statuses()
	return hooktool.GoalState{Units: units, Relations: relations}, nil
}
