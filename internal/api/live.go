package api

import (
	"time"

	"kith"
	"kith/internal/core"
)

// UnitLive is what hook tools answer with what is true now, and what a unit may
// know of itself: is-leader, status-get, leader-get.
type UnitLive struct {
	Leader   bool        `json:"leader"`
	Workload core.Status `json:"workload"`
	// LeaderSettings are the application's, as leader-set left them.
	LeaderSettings map[string]string `json:"leader-settings,omitempty"`
	// App and Units are there if they were asked for: they cost a look at every
	// unit of the application.
	App   *core.Status                  `json:"application,omitempty"`
	Units map[kith.UnitName]core.Status `json:"units,omitempty"`
	// Failures are the FailureData of those of Units that are in error.
	Failures map[kith.UnitName]map[string]any `json:"failures,omitempty"`
}

// UnitLiveOf builds it for a unit, with its application if units is set; false if
// there is no such unit.
func UnitLiveOf(m *core.Model, name kith.UnitName, units bool, now time.Time) (UnitLive, bool) {
	u := m.Unit(name)
	if u == nil {
		return UnitLive{}, false
	}
	app := m.App(u.App)
	live := UnitLive{Leader: m.IsLeader(name, now), Workload: u.Workload, LeaderSettings: app.LeaderSettings}
	if !units {
		return live, true
	}
	live.Units = make(map[kith.UnitName]core.Status)
	var own []UnitStatus
	for sibling := range m.UnitsOf(u.App) {
		s := unitStatus(m, sibling)
		if s.Workload.Current == kith.Errored { // charms are not told the other side of the relation there
			hook := m.Progress(sibling.Name).Failed.Hook
			s.Workload.Message = FailedMessage(hook)
			if live.Failures == nil {
				live.Failures = map[kith.UnitName]map[string]any{}
			}
			live.Failures[sibling.Name] = FailureData(hook)
		}
		own = append(own, s)
		live.Units[sibling.Name] = s.Workload
	}
	status := AppStatusOf(app, own)
	live.App = &status
	return live, true
}
