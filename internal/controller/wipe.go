package controller

import (
	"cmp"
	"slices"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// wipe notes storage whose data its host has to delete, and tells the host. It says so each
// time it has looked anew: who has deleted it already says so again.
func (s *scheduler) wipe(st core.Storage) {
	if st.Life != kith.Dead {
		return
	}
	s.wipes[st.ID] = st
	if info := s.m.Info(); info != nil {
		s.fx.send(st.Host, api.HostEvent{Wipe: &api.StorageRef{Model: info.UUID, Storage: st.ID}})
	}
	if !st.EvictAt.IsZero() {
		s.timers.push(timer{at: st.EvictAt.Add(late), wipe: st.ID})
	}
}

// toWipe lists the storage whose data a host has to delete.
func (s *scheduler) toWipe(host string) []api.StorageRef {
	var refs []api.StorageRef
	for _, id := range sortedKeys(s.wipes) {
		if s.wipes[id].Host == host {
			refs = append(refs, api.StorageRef{Model: s.m.Info().UUID, Storage: id})
		}
	}
	return refs
}

// wiping lists what is being deleted.
func (s *scheduler) wiping() []api.Busy {
	var busy []api.Busy
	for _, id := range sortedKeys(s.wipes) {
		st := s.wipes[id]
		busy = append(busy, api.Busy{With: api.BusyWiping, Storage: id, Since: st.Since, Offline: !s.host(st.Host).connected})
	}
	return busy
}

// ToWipe lists the storage whose data a host has to delete, for one that has just attached.
func (e *Engine) ToWipe(host string) []api.StorageRef { return e.sched.toWipe(host) }

func compareStorageRefs(a, b api.StorageRef) int {
	return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Storage, b.Storage))
}

// wipeDue reports whether a timer is that of a storage which still waits.
func (s *scheduler) wipeDue(t timer) bool {
	st, ok := s.wipes[t.wipe]
	return ok && st.EvictAt.Add(late).Equal(t.at)
}

// sessionWipes are what a host's session has yet to be told to delete.
type sessionWipes []api.StorageRef

func (w *sessionWipes) add(ref api.StorageRef) {
	if i, found := slices.BinarySearchFunc(*w, ref, compareStorageRefs); !found {
		*w = slices.Insert(*w, i, ref)
	}
}

func (w *sessionWipes) take() []api.HostEvent {
	var events []api.HostEvent
	for _, ref := range *w {
		events = append(events, api.HostEvent{Wipe: &ref})
	}
	*w = nil
	return events
}
