package controller

import (
	"context"
	"sync"

	"kith"
	"kith/internal/api"
)

// Session is the stream of one host's agent, over all models. It is
// level-triggered: of each unit it holds what is newest and not yet sent, so
// it is never larger than the host is, however slow the agent reads.
type Session struct {
	Host, Epoch string
	notify      chan struct{} // holds one token if there is something new

	mu     sync.Mutex
	units  map[api.UnitRef]*unitEvents
	order  []api.UnitRef // of units that have something
	models []kith.ModelUUID
	wipes  sessionWipes
	ended  error
}

// unitEvents is what a host must be told of one unit.
type unitEvents struct {
	hold   *api.HostUnit
	gone   bool
	run    *api.Assignment
	cancel bool
	abort  kith.TaskID
	skip   *api.SkippedHook
}

func newSession(host, epoch string) *Session {
	return &Session{Host: host, Epoch: epoch, notify: make(chan struct{}, 1), units: make(map[api.UnitRef]*unitEvents)}
}

// put takes an event in, in place of older ones it makes void.
func (s *Session) put(e api.HostEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e.Hold != nil:
		u := s.unit(e.Hold.UnitRef)
		u.hold, u.gone = e.Hold, false
	case e.Gone != nil:
		*s.unit(*e.Gone) = unitEvents{gone: true}
	case e.Run != nil:
		u := s.unit(e.Run.UnitRef)
		u.run, u.cancel = e.Run, false
	case e.Cancel != nil:
		u := s.unit(*e.Cancel)
		u.run, u.cancel = nil, true
	case e.Abort != nil:
		s.unit(e.Abort.UnitRef).abort = e.Abort.Task
	case e.Skip != nil:
		s.unit(e.Skip.UnitRef).skip = e.Skip
	case e.Wipe != nil:
		s.wipes.add(*e.Wipe)
	case e.ModelGone != "":
		s.models = append(s.models, e.ModelGone)
	}
	s.wake()
}

func (s *Session) unit(ref api.UnitRef) *unitEvents {
	u := s.units[ref]
	if u == nil {
		u = &unitEvents{}
		s.units[ref] = u
		s.order = append(s.order, ref)
	}
	return u
}

func (s *Session) wake() {
	select {
	case s.notify <- struct{}{}:
	default:
	}
}

// Next waits for events. Errors: the context's, or why the session ended.
func (s *Session) Next(ctx context.Context) ([]api.HostEvent, error) {
	for {
		events, err := s.Take()
		if len(events) > 0 || err != nil {
			return events, err
		}
		select {
		case <-s.notify:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// Take is Next without the waiting.
func (s *Session) Take() ([]api.HostEvent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return nil, s.ended
	}
	var events []api.HostEvent
	for _, ref := range s.order {
		u := s.units[ref]
		switch {
		case u.gone:
			events = append(events, api.HostEvent{Gone: &ref})
		case u.hold != nil:
			events = append(events, api.HostEvent{Hold: u.hold})
		}
		if u.skip != nil {
			events = append(events, api.HostEvent{Skip: u.skip})
		}
		switch {
		case u.run != nil:
			events = append(events, api.HostEvent{Run: u.run})
		case u.cancel:
			events = append(events, api.HostEvent{Cancel: &ref})
		}
		if u.abort != 0 {
			events = append(events, api.HostEvent{Abort: &api.TaskRef{UnitRef: ref, Task: u.abort}})
		}
	}
	events = append(events, s.wipes.take()...)
	for _, id := range s.models {
		events = append(events, api.HostEvent{ModelGone: id})
	}
	s.order, s.models = nil, nil
	clear(s.units)
	return events, nil
}

// end ends the session with a reason.
func (s *Session) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = err
		s.wake()
	}
}

// Attach connects a session to the engine's model and returns the units its host
// must hold. Only events after that reach the session.
func (e *Engine) Attach(s *Session) []api.HostUnit {
	e.sessions[s.Host] = s
	units := e.sched.attach(s.Host, e.now)
	return units
}

// Offer gives an attached host what there is to run.
func (e *Engine) Offer() { e.sched.settle(e.now) }

// Detach disconnects a session, unless another has taken its place.
func (e *Engine) Detach(s *Session) {
	if e.sessions[s.Host] == s {
		delete(e.sessions, s.Host)
		e.sched.detach(s.Host, e.now)
	}
}
