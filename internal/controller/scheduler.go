package controller

import (
	"cmp"
	"slices"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/resolve"
)

// phase is how far the engine has come with a unit's next step.
//
//	idle ──▶ ready ──▶ offered ──▶ running ──▶ idle
//	  └────▶ working ─────────────────────────▶ idle
//
// A unit is ready when it has a hook to run and waits for a place with its
// host; offered when the host's agent was told; running once the begin is
// durable. Working means that the controller does a bookkeeping step itself.
type phase int

const (
	idle phase = iota
	ready
	offered
	running
	working
	phases
)

// offerWindow is how many hooks a host is offered before it begins one. It keeps
// an agent's workers fed, and bounds the offers that every change may make stale.
const offerWindow = 64

// slot is what the scheduler knows of one unit.
type slot struct {
	phase phase
	since time.Time // of the phase
	step  resolve.Step
	// stale is true for a ready or working unit whose view has changed: it is looked
	// at again when its turn comes, however many changes there were.
	stale bool
	retry time.Time // when a failed hook runs again by itself; zero if none will
	wake  time.Time // the timer that counts; others are out of date
	host  string
	held  api.HostUnit // as the host was told
	// aborted is the task the host was told to abort; 0 if none.
	aborted kith.TaskID
	leading leading
}

// hostSlots is the queue of one host.
type hostSlots struct {
	connected bool
	ready     []kith.UnitName // in order of becoming ready; some are no longer
	offered   int
	renewAt   time.Time // the lease timer that counts
}

// effects is what the scheduler causes. The engine implements it.
type effects interface {
	// bookkeep submits a command of the controller's own for a unit; done must be
	// called with whether it changed anything.
	bookkeep(op core.Op, done func(changed bool))
	// send hands an event to a host's session.
	send(host string, e api.HostEvent)
	// token is a unit's credential.
	token(u kith.UnitName) string
}

// scheduler knows for every unit whether it has something to do. It is fed with
// durable snapshots and never looks at a unit that nothing has happened to.
type scheduler struct {
	fx     effects
	m      *core.Model
	slots  map[kith.UnitName]*slot
	hosts  map[string]*hostSlots
	counts [phases]int
	// retries counts units whose failed hook runs again by itself.
	retries int
	// evictions are relations and units whose forced removal waits for hooks.
	evictions map[core.Key]time.Time
	// wipes is the storage whose data hosts have to delete.
	wipes   map[kith.StorageID]core.Storage
	timers  timers
	dirty   []kith.UnitName
	isDirty map[kith.UnitName]bool
}

func newScheduler(fx effects) *scheduler {
	return &scheduler{fx: fx, m: &core.Model{}, slots: make(map[kith.UnitName]*slot), hosts: make(map[string]*hostSlots),
		evictions: make(map[core.Key]time.Time), wipes: make(map[kith.StorageID]core.Storage), isDirty: make(map[kith.UnitName]bool)}
}

// feed takes a new snapshot and what led to it.
func (s *scheduler) feed(m *core.Model, changes []core.Change, now time.Time) {
	before := s.m
	s.m = m
	for _, c := range changes {
		s.note(c)
		affected(before, m, c, s.touch)
	}
	s.settle(now)
}

// reset takes a snapshot without knowing what has changed: after a reload.
func (s *scheduler) reset(m *core.Model, now time.Time) {
	s.m = m
	clear(s.evictions)
	clear(s.wipes)
	s.timers = nil
	for a := range m.Apps() {
		if lease := m.Lease(a.Name); lease != nil {
			s.note(core.Put(lease))
		}
	}
	for r := range m.Relations() {
		s.note(core.Put(r))
	}
	for _, name := range sortedKeys(s.slots) {
		s.slots[name].wake = time.Time{}
		s.touch(name)
	}
	for st := range m.Storages() {
		s.note(core.Put(st))
	}
	for u := range m.Units() {
		s.note(core.Put(u))
		s.touch(u.Name)
	}
	s.settle(now)
}

// note keeps the deadlines of the model itself.
func (s *scheduler) note(c core.Change) {
	switch e := c.Entity.(type) {
	case *core.Lease:
		if e.Holder != "" {
			s.timers.push(timer{at: e.Expires.Add(late), lease: e.App})
		}
	case *core.Relation:
		s.evict(c.Key, e.EvictAt)
	case *core.Unit:
		s.evict(c.Key, e.EvictAt)
	case *core.Storage:
		s.wipe(*e)
	case nil:
		delete(s.evictions, c.Key)
		if c.Key.Kind == core.KindStorage {
			delete(s.wipes, kith.StorageID(c.Key.ID))
		}
	}
}

// evict keeps when a forced removal stops waiting; zero if it is not forced.
func (s *scheduler) evict(key core.Key, at time.Time) {
	if at.IsZero() {
		delete(s.evictions, key)
	} else if known, ok := s.evictions[key]; !ok || !known.Equal(at) {
		s.evictions[key] = at
		s.timers.push(timer{at: at.Add(late), evict: key})
	}
}

// touch marks a unit to be looked at.
func (s *scheduler) touch(u kith.UnitName) {
	if !s.isDirty[u] {
		s.isDirty[u] = true
		s.dirty = append(s.dirty, u)
	}
}

// settle looks at everybody who was touched and offers what there is to offer.
func (s *scheduler) settle(now time.Time) {
	for i := 0; i < len(s.dirty); i++ {
		u := s.dirty[i]
		delete(s.isDirty, u)
		s.look(u, now)
	}
	s.dirty = s.dirty[:0]
	for _, name := range sortedKeys(s.hosts) {
		s.offer(name, now)
	}
}

// look brings one unit's slot up to date with the snapshot.
func (s *scheduler) look(u kith.UnitName, now time.Time) {
	unit := s.m.Unit(u)
	if unit == nil {
		s.forget(u)
		return
	}
	sl := s.slots[u]
	if sl == nil {
		sl = &slot{host: unit.Host}
		s.slots[u] = sl
		s.counts[idle]++
	}
	s.hold(sl, unit)
	p := s.m.Progress(u)
	s.setRetry(sl, p)
	s.skip(sl, unit, p)
	switch {
	case p != nil && p.Running != nil:
		s.move(sl, running, p.Running.Since)
		sl.step = resolve.Step{Kind: resolve.Run, Hook: p.Running.Hook}
		s.abort(sl, p)
	case sl.phase == ready:
		sl.stale = true
	case sl.phase == working:
		sl.stale = true
	default:
		s.evaluate(u, sl, now)
	}
}

// evaluate asks for the unit's next step and acts on it.
func (s *scheduler) evaluate(u kith.UnitName, sl *slot, now time.Time) {
	sl.stale = false
	v, ok := core.ViewOf(s.m, u)
	if !ok {
		return
	}
	step, ok := resolve.Next(v, now)
	wasOffered := sl.phase == offered
	if wasOffered && (!ok || step.Kind != resolve.Run) {
		ref := sl.held.UnitRef
		s.fx.send(sl.host, api.HostEvent{Cancel: &ref})
	}
	switch {
	case !ok:
		s.move(sl, idle, now)
		s.sleep(u, sl, v)
	case step.Kind != resolve.Run:
		s.bookkeep(u, sl, step, now)
	case wasOffered:
		sl.step = step
		s.assign(u, sl, v, now)
		s.doze(u, sl, v, now)
	default:
		sl.step = step
		s.doze(u, sl, v, now)
		if sl.phase != ready {
			s.move(sl, ready, now)
			h := s.host(sl.host)
			h.ready = append(h.ready, u)
		}
	}
}

// bookkeep does a step that needs no process. A step that turns out to change
// nothing, because the model has moved on, is not tried again before the unit is
// touched again: it must not spin.
func (s *scheduler) bookkeep(u kith.UnitName, sl *slot, step resolve.Step, now time.Time) {
	var op core.Op
	switch step.Kind {
	case resolve.Enter:
		op = core.EnterScopes{Unit: u, Relations: step.Relations}
	case resolve.Leave:
		op = core.LeaveScopes{Unit: u, Relations: step.Relations}
	case resolve.Terminate:
		op = core.RemoveDeadUnit{Unit: u}
	default:
		panic("controller: unknown step " + string(step.Kind))
	}
	sl.step = step
	s.move(sl, working, now)
	s.fx.bookkeep(op, func(changed bool) {
		if s.slots[u] != sl || sl.phase != working {
			return
		}
		s.move(sl, idle, now)
		if changed || sl.stale {
			s.touch(u)
		}
	})
}

// offer fills the host's window from its queue.
func (s *scheduler) offer(host string, now time.Time) {
	h := s.hosts[host]
	for h.connected && h.offered < offerWindow && len(h.ready) > 0 {
		u := h.ready[0]
		h.ready = h.ready[1:]
		sl := s.slots[u]
		if sl == nil || sl.phase != ready {
			continue
		}
		if sl.stale {
			// Out of the queue first, so that the look puts it where it belongs now.
			since := sl.since
			s.move(sl, idle, now)
			s.evaluate(u, sl, now)
			if sl.phase != ready {
				continue
			}
			sl.since = since
			h.ready = h.ready[:len(h.ready)-1] // it was put last, but its turn is now
		}
		v, _ := core.ViewOf(s.m, u)
		s.move(sl, offered, now)
		s.assign(u, sl, v, now)
	}
	if len(h.ready) == 0 {
		h.ready = nil // let the array go that was sliced from the front
	}
}

// assign tells the host what the unit runs next.
func (s *scheduler) assign(u kith.UnitName, sl *slot, v core.View, now time.Time) {
	var seq uint64 = 1
	if v.Past != nil {
		seq = v.Past.Seq + 1
	}
	s.fx.send(v.Unit.Host, api.HostEvent{Run: &api.Assignment{
		UnitRef: sl.held.UnitRef, ModelName: sl.held.ModelName, Seq: seq, Hook: sl.step.Hook,
		Context: v.Context(sl.step.Hook, now), Token: sl.held.Token, UpdatedRevision: s.m.Revision,
	}})
}

// move changes a slot's phase and keeps the counts.
func (s *scheduler) move(sl *slot, to phase, since time.Time) {
	if sl.phase == to {
		return
	}
	if sl.phase == offered {
		s.host(sl.host).offered--
	}
	if to == offered {
		s.host(sl.host).offered++
	}
	s.counts[sl.phase]--
	s.counts[to]++
	sl.phase, sl.since = to, since
}

func (s *scheduler) host(name string) *hostSlots {
	h := s.hosts[name]
	if h == nil {
		h = &hostSlots{}
		s.hosts[name] = h
	}
	return h
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m { // any order: sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
