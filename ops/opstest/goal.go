package opstest

import (
	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// GoalState is where the unit's application and those it is related to are going.
func (r *hookRun) GoalState() (hooktool.GoalState, error) {
	g, ok := api.GoalStateOf(&r.w.model, r.unit)
	if !ok {
		return hooktool.GoalState{}, kith.Errorf(kith.NotFound, "unit %q not found", r.unit)
	}
	out := hooktool.GoalState{Units: goals(g.Units), Relations: make(map[string]map[string]core.Status, len(g.Relations))}
	for endpoint, who := range g.Relations { // any order: a map is made
		out.Relations[endpoint] = goals(who)
	}
	return out, nil
}

func goals(in map[string]api.GoalStatus) map[string]core.Status {
	out := make(map[string]core.Status, len(in))
	for name, s := range in { // any order: a map is made
		out[name] = core.Status{Current: s.Status, Since: s.Since}
	}
	return out
}
