package controller

import (
	"container/heap"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/resolve"
)

// late is how long after a deadline its timer fires, so that "before" and "not
// after" both see it passed.
const late = time.Millisecond

// timer is one deadline. Exactly one of unit, lease, renew and wipe is set, or none
// for an eviction. A timer is not taken back when it no longer matters; it is
// ignored when it fires.
type timer struct {
	at    time.Time
	unit  kith.UnitName
	lease kith.AppName
	renew string // a host
	wipe  kith.StorageID
	evict core.Key
}

// timers is a heap by time.
type timers []timer

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timers) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }

// Push implements heap.Interface.
func (t *timers) Push(x any) { *t = append(*t, x.(timer)) }

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	old := *t
	last := old[len(old)-1]
	*t = old[:len(old)-1]
	return last
}

func (t *timers) push(x timer) { heap.Push(t, x) }

// sleep sets the timer for when the step of a unit that has none may change by itself.
func (s *scheduler) sleep(u kith.UnitName, sl *slot, v core.View) {
	at, ok := resolve.Wake(v)
	s.setWake(u, sl, at, ok)
}

// doze sets it for a unit that has a hook to run and has not begun: one about a
// secret may come before it.
func (s *scheduler) doze(u kith.UnitName, sl *slot, v core.View, now time.Time) {
	at, ok := v.SecretTimer(now)
	s.setWake(u, sl, at, ok)
}

func (s *scheduler) setWake(u kith.UnitName, sl *slot, at time.Time, ok bool) {
	if !ok {
		sl.wake = time.Time{}
		return
	}
	if !sl.wake.Equal(at) {
		sl.wake = at
		s.timers.push(timer{at: at.Add(late), unit: u})
	}
}

// next is when advance has something to do; false if nothing is waited for.
func (s *scheduler) next() (time.Time, bool) {
	if len(s.timers) == 0 {
		return time.Time{}, false
	}
	return s.timers[0].at, true
}

// advance fires what has come due.
func (s *scheduler) advance(now time.Time) {
	tick := false
	for len(s.timers) > 0 && !s.timers[0].at.After(now) {
		t := heap.Pop(&s.timers).(timer)
		switch {
		case t.unit != "":
			if sl := s.slots[t.unit]; sl != nil && sl.wake.Add(late).Equal(t.at) {
				sl.wake = time.Time{}
				s.touch(t.unit)
			}
		case t.lease != "":
			if l := s.m.Lease(t.lease); l != nil && l.Expires.Add(late).Equal(t.at) {
				tick = true
				s.touch(l.Holder) // it is no longer the leader, whoever comes next
			}
		case t.wipe != "":
			tick = tick || s.wipeDue(t)
		case t.renew != "":
			s.renew(t.renew, now)
		default:
			_, waiting := s.evictions[t.evict]
			tick = tick || waiting
		}
	}
	if tick {
		s.fx.bookkeep(core.Tick{}, func(bool) {})
	}
	s.settle(now)
}

// renew extends the leases of a host's units for as long as it is connected.
func (s *scheduler) renew(host string, now time.Time) {
	h := s.hosts[host]
	if h == nil || !h.connected || now.Before(h.renewAt) {
		return
	}
	s.fx.bookkeep(core.RenewLeases{Host: host}, func(bool) {})
	s.renewLater(host, h, now)
}

func (s *scheduler) renewLater(host string, h *hostSlots, now time.Time) {
	h.renewAt = now.Add(core.LeaseRenewal)
	s.timers.push(timer{at: h.renewAt, renew: host})
}
