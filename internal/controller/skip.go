package controller

import (
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/resolve"
)

// leading is what the scheduler knows of a unit's hooks that only a leader runs. Their being
// dropped is said in the unit's log (hook protocol reference, section 4.2). One that was
// running while the leadership moved on has been heard of, and is not mentioned again.
type leading struct {
	failed  string // such a hook in error
	told    bool   // the unit does not lead, and what was due of it has been noted
	skipped string // one that was dropped, until the host is told
}

// skip notes which hooks of a leader were waiting for their turn, their retry or an operator when
// the unit ceased to be one, and tells the host. It is called before the unit's step is looked at anew.
func (s *scheduler) skip(sl *slot, unit *core.Unit, p *core.Progress) {
	l := &sl.leading
	if s.m.HoldsLease(unit.Name) {
		l.told, l.failed = false, ""
		if p != nil && p.InError() {
			l.failed = s.leaderOnly(p.Failed.Hook)
		}
	} else if !l.told {
		l.told = true
		if l.failed != "" {
			l.skipped = l.failed
		} else if (sl.phase == ready || sl.phase == offered) && sl.step.Kind == resolve.Run && (p == nil || p.Running == nil) {
			l.skipped = s.leaderOnly(sl.step.Hook)
		}
	}
	if l.skipped != "" && s.host(sl.host).connected {
		s.fx.send(sl.host, api.HostEvent{Skip: &api.SkippedHook{UnitRef: sl.held.UnitRef, Hook: l.skipped}})
		l.skipped = ""
	}
}

// leaderOnly is the name of a hook if it is one that only a leader runs.
func (s *scheduler) leaderOnly(h core.Hook) string {
	if s.m.LeaderOnly(h) {
		return h.Name()
	}
	return ""
}
