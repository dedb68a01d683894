package controller

import (
	"cmp"
	"slices"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// hold keeps the host informed of what it must know of a unit between hooks.
func (s *scheduler) hold(sl *slot, unit *core.Unit) {
	token := sl.held.Token
	if token == "" {
		token = s.fx.token(unit.Name)
	}
	h := api.HostUnit{Principal: unit.Principal, Machine: unit.Machine, Address: unit.Address, Life: unit.Life,
		Present: unit.Present, Token: token}
	h.Unit = unit.Name
	if info := s.m.Info(); info != nil {
		h.Model, h.ModelName = info.UUID, info.Name
	}
	if a := s.m.App(unit.App); a != nil {
		h.Charm = a.Charm
	}
	if p := s.m.Progress(unit.Name); p != nil {
		h.Unpacked = p.Charm
	}
	if h != sl.held {
		sl.held = h
		s.fx.send(sl.host, api.HostEvent{Hold: &h})
	}
}

// forget drops a unit that is no more.
func (s *scheduler) forget(u kith.UnitName) {
	sl := s.slots[u]
	if sl == nil {
		return
	}
	s.move(sl, idle, time.Time{})
	s.counts[idle]--
	s.setRetry(sl, nil)
	delete(s.slots, u)
	ref := sl.held.UnitRef
	s.fx.send(sl.host, api.HostEvent{Gone: &ref})
}

// setRetry keeps count of failed hooks that will run again by themselves.
func (s *scheduler) setRetry(sl *slot, p *core.Progress) {
	var at time.Time
	if p != nil && p.InError() {
		at = p.Failed.RetryAt
	}
	if !sl.retry.IsZero() {
		s.retries--
	}
	if !at.IsZero() {
		s.retries++
	}
	sl.retry = at
}

// attach connects a host's session and lists the units it must hold. What it was
// offered before, it is offered again.
func (s *scheduler) attach(host string, now time.Time) []api.HostUnit {
	h := s.host(host)
	s.takeBack(host, now)
	if !h.connected {
		h.connected = true
		s.renewLater(host, h, now)
	}
	var units []api.HostUnit
	for _, u := range sortedKeys(s.slots) {
		if sl := s.slots[u]; sl.host == host {
			held := sl.held
			if p := s.m.Progress(u); p != nil && p.InError() {
				held.Failed = p.Failed.Hook.Kind
			}
			units = append(units, held)
			if sl.aborted != 0 { // the session's predecessor may not have been told
				sl.aborted = 0
				s.touch(u)
			}
			if sl.leading.skipped != "" {
				s.touch(u)
			}
		}
	}
	return units
}

// detach notes that a host's session is gone. Hooks it was running count as
// running until its agent is back and says what became of them.
func (s *scheduler) detach(host string, now time.Time) {
	s.host(host).connected = false
	s.takeBack(host, now)
}

// takeBack makes what the host was offered ready again, before the rest.
func (s *scheduler) takeBack(host string, now time.Time) {
	h := s.host(host)
	var back []kith.UnitName
	for _, u := range sortedKeys(s.slots) {
		if sl := s.slots[u]; sl.host == host && sl.phase == offered {
			s.move(sl, ready, now)
			sl.stale = true
			back = append(back, u)
		}
	}
	h.ready = append(back, h.ready...)
}

// rested reports whether no unit has anything to do, runs anything or will by itself, and no
// data is being deleted.
func (s *scheduler) rested() bool {
	return s.counts[ready]+s.counts[offered]+s.counts[running]+s.counts[working]+s.retries+len(s.evictions)+len(s.wipes) == 0
}

// busy lists what keeps the scheduler from rest, by unit.
func (s *scheduler) busy() []api.Busy {
	var busy []api.Busy
	for _, u := range sortedKeys(s.slots) {
		sl := s.slots[u]
		b := api.Busy{Unit: u, Since: sl.since, Offline: !s.host(sl.host).connected}
		switch {
		case sl.phase == running:
			b.With, b.Hook = api.BusyRunning, sl.step.Hook.Title()
		case sl.phase == ready || sl.phase == offered:
			b.With, b.Hook = api.BusyPending, sl.step.Hook.Title()
		case sl.phase == working:
			b.With, b.Offline = api.BusyPending, false
		case !sl.retry.IsZero():
			b.With, b.Until = api.BusyRetry, sl.retry
			if p := s.m.Progress(u); p != nil && p.Failed != nil {
				b.Hook, b.Since = p.Failed.Hook.Name(), p.Failed.Since
			}
		default:
			continue
		}
		busy = append(busy, b)
	}
	return append(append(busy, s.evicting()...), s.wiping()...)
}

// evicting lists the forced removals that wait, units before relations, each in order of id.
func (s *scheduler) evicting() []api.Busy {
	var busy []api.Busy
	for key, until := range s.evictions { // any order: sorted below
		b := api.Busy{With: api.BusyEviction, Until: until}
		if id, ok := relationID(key.ID); ok && key.Kind == core.KindRelation {
			b.Relation = &id
		} else {
			b.Unit = kith.UnitName(key.ID)
		}
		busy = append(busy, b)
	}
	slices.SortFunc(busy, func(a, b api.Busy) int {
		switch {
		case a.Relation == nil && b.Relation == nil:
			return cmp.Compare(a.Unit, b.Unit)
		case a.Relation != nil && b.Relation != nil:
			return cmp.Compare(*a.Relation, *b.Relation)
		case a.Relation == nil:
			return -1
		}
		return 1
	})
	return busy
}
