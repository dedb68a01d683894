package hooktool

import (
	"time"

	"kith"
	"kith/internal/core"
)

// goalStatus is one leaf of what goal-state prints.
type goalStatus struct {
	Status kith.Status `yaml:"status" json:"status"`
	Since  string      `yaml:"since" json:"since"`
}

func goalStatuses(in map[string]core.Status) map[string]goalStatus {
	out := map[string]goalStatus{}
	for name, s := range in { // any order: a map is made
		since := s.Since
		if since.IsZero() {
			since = time.Unix(0, 0)
		}
		out[name] = goalStatus{orUnknown(s), since.UTC().Format("2006-01-02 15:04:05Z")}
	}
	return out
}

func goalState(i *invocation) error {
	out := i.output("yaml", "json")
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	g, err := i.run.host.GoalState()
	if err != nil {
		return err
	}
	relations := map[string]map[string]goalStatus{}
	for endpoint, who := range g.Relations { // any order: a map is made
		relations[endpoint] = goalStatuses(who)
	}
	return out.print(struct {
		Units     map[string]goalStatus            `yaml:"units" json:"units"`
		Relations map[string]map[string]goalStatus `yaml:"relations" json:"relations"`
	}{goalStatuses(g.Units), relations})
}
