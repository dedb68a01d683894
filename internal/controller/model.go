package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// The bounds of a model's loop.
const (
	// maxWaiting bounds the requests that wait to be decided; who comes next waits outside.
	maxWaiting = 1024
	// Reloading after a failed write is tried again after firstRetry, then more and more rarely.
	firstRetry = 100 * time.Millisecond
	maxRetry   = 2 * time.Second
)

// Model is one model served by this controller: an engine in a goroutine.
type Model struct {
	ID kith.ModelUUID

	ctl    *Controller
	engine *Engine
	in     chan *Request
	calls  chan func()
	done   chan struct{} // closed when Run has ended
	ended  error         // why; set before done is closed

	// The loop's own.
	flights chan *Flight
	landed  chan error
	lost    <-chan struct{}
	retryAt time.Time
	retry   time.Duration
	wake    <-chan struct{}
	wakeAt  time.Time
	unwake  func()
	quit    bool
	calm    int // flights of one command in a row

	pruning sync.Mutex
	// The bytes of history that were counted, when that many had been written.
	counted              bool
	keptBytes, countedAt int64
}

func newModel(ctl *Controller, own store.Ownership) *Model {
	m := &Model{ID: own.Model, ctl: ctl, in: make(chan *Request, maxWaiting), calls: make(chan func()),
		done: make(chan struct{}), flights: make(chan *Flight, 1), landed: make(chan error, 1), lost: own.Lost, unwake: func() {}}
	m.engine = NewEngine(ctl.opt.Store, own, EngineOptions{Token: ctl.opt.Keys.Unit, Metrics: ctl.opt.Metrics, Sealer: ctl.opt.Keys.Sealer(own.Model)})
	return m
}

// Snapshot is the newest durable state.
func (m *Model) Snapshot() *core.Model { return m.engine.Snapshot() }

// Ended says why the model is no longer served, or nil.
func (m *Model) Ended() error {
	select {
	case <-m.done:
		return m.ended
	default:
		return nil
	}
}

// Run serves the model until ctx ends, the model is removed or its rules are broken.
func (m *Model) Run(ctx context.Context) {
	committed := make(chan struct{})
	go func() {
		defer close(committed)
		m.commit(ctx)
	}()
	err := m.loop(ctx)
	close(m.flights)
	<-committed
	m.unwake()
	m.ended = err
	m.engine.StopWatches(err, kith.CodeOf(err) == kith.NotFound)
	close(m.done)
}

// commit writes flights, one after the other.
func (m *Model) commit(ctx context.Context) {
	for f := range m.flights {
		m.landed <- m.write(ctx, f)
	}
}

// write commits one flight. It is finished even if ctx ends; the store bounds its time.
func (m *Model) write(ctx context.Context, f *Flight) error {
	start := time.Now()
	err := m.ctl.opt.Store.Commit(context.WithoutCancel(ctx), f.Own, f.Batch)
	m.ctl.opt.Metrics.commit(time.Since(start), err)
	return err
}

// loop turns the engine. A panic of the rules ends this model only.
func (m *Model) loop(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			reference := newReference()
			m.ctl.opt.Log.Error("model stopped: its rules are broken", "model", m.ID, "reference", reference,
				"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = kith.Errorf(kith.Internal, "model %q is stopped: its data or its rules are broken (reference %s)", m.ID, reference).
				WithHint("the controller's log says more; other models are not affected")
		}
	}()
	for {
		if m.quit {
			return kith.Errorf(kith.NotFound, "model %q not found", m.ID)
		}
		m.turn(ctx)
		if m.isDead() {
			if err := m.remove(ctx); err != nil {
				return err
			}
		}
		m.setWake()
		in := m.in
		if m.engine.Waiting() >= maxWaiting {
			in = nil
		}
		select {
		case r := <-in:
			m.engine.Submit(r)
			m.drain()
		case err := <-m.landed:
			m.engine.Land(err)
		case f := <-m.calls:
			f()
		case <-m.wake:
			m.wake = nil
			m.engine.Advance(m.now())
		case <-m.lost:
			m.lost = nil
			m.engine.Lose(store.Fenced("serve", m.ID))
		case <-ctx.Done():
			return m.finish()
		}
	}
}

// drain takes in what else is waiting, so that one batch carries it all.
func (m *Model) drain() {
	for m.engine.Waiting() < maxWaiting {
		select {
		case r := <-m.in:
			m.engine.Submit(r)
		default:
			return
		}
	}
}

// turn does everything that can be done without waiting.
func (m *Model) turn(ctx context.Context) {
	if m.engine.Down() != nil && !m.now().Before(m.retryAt) {
		m.reload(ctx)
	}
	for m.engine.Down() == nil {
		m.engine.Gather(m.now())
		if f := m.engine.Launch(); f != nil {
			if m.alone(f) {
				m.engine.Tell(m.now())
				m.engine.Land(m.write(ctx, f))
				m.engine.Tell(m.now())
				continue
			}
			m.flights <- f
		}
		m.engine.Tell(m.now())
		if m.engine.Flying() || m.engine.Waiting() == 0 {
			break
		}
	}
	m.engine.Flush()
}

// calmFlights is after how many single commands in a row the next one is taken to
// come alone, too.
const calmFlights = 8

// alone reports whether commands come one at a time, so that there is nothing to
// decide while the write is under way: then the loop writes by itself, since two
// switches between goroutines would be a good part of what a write takes.
func (m *Model) alone(f *Flight) bool {
	if len(f.decided) > 1 || len(m.in) > 0 {
		m.calm = 0
		return false
	}
	m.calm++
	return m.calm > calmFlights
}

// reload brings an engine back that is down: it owns the model again if it has
// to, and loads it.
func (m *Model) reload(ctx context.Context) {
	cause := m.engine.Down()
	var err error
	if Fenced(cause) {
		var own store.Ownership
		if own, err = m.ctl.opt.Store.Own(ctx, m.ID); err == nil {
			m.lost = own.Lost
			m.engine.Reown(own)
		}
	}
	if err == nil {
		err = m.engine.Reload(ctx, m.now())
	} else {
		m.engine.Refuse(err)
	}
	if err == nil {
		m.ctl.opt.Log.Warn("model loaded again after a failed write", "model", m.ID, "cause", cause)
		m.retry = 0
		return
	}
	m.retry = min(max(2*m.retry, firstRetry), maxRetry)
	m.retryAt = m.now().Add(m.retry)
	m.ctl.opt.Log.Warn("cannot load model; trying again", "model", m.ID, "cause", cause, "error", err, "in", m.retry)
}

// setWake arms the clock for the next deadline.
func (m *Model) setWake() {
	at, ok := m.engine.Next()
	if m.engine.Down() != nil {
		at, ok = m.retryAt, true
	}
	if m.wake != nil && ok && at.Equal(m.wakeAt) {
		return
	}
	m.unwake()
	m.wake, m.unwake = nil, func() {}
	if ok {
		m.wakeAt = at
		m.wake, m.unwake = m.ctl.opt.Clock.At(at)
	}
}

// finish lands the flight that is under way and refuses the rest.
func (m *Model) finish() error {
	if m.engine.Flying() {
		m.engine.Land(<-m.landed)
		m.engine.Tell(m.now())
	}
	return kith.Errorf(kith.Unavailable, "the controller is shutting down").WithHint("start one with 'kith up'")
}

func (m *Model) now() time.Time { return m.ctl.opt.Clock.Now() }

// isDead reports whether the model is to be removed, and nothing of it is under way.
func (m *Model) isDead() bool {
	info := m.Snapshot().Info()
	return info != nil && info.Life == kith.Dead && !m.engine.Flying() && m.engine.Down() == nil
}

// remove takes a dead model out of the store, and returns the error that ends its
// loop; nil if it must be tried again.
func (m *Model) remove(ctx context.Context) error {
	name := m.Snapshot().Info().Name
	if err := m.ctl.opt.Store.RemoveModel(ctx, m.engine.own); err != nil {
		m.retryAt, m.retry = m.now().Add(firstRetry), firstRetry
		m.engine.Lose(err)
		return nil
	}
	m.ctl.forget(m)
	return kith.Errorf(kith.NotFound, "model %q not found", name)
}

// do runs f in the loop.
func (m *Model) do(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case m.calls <- func() { defer close(ran); f() }:
	case <-m.done:
		return m.ended
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-ran:
		return nil
	case <-m.done:
		return m.ended
	}
}

type result struct {
	reply api.CommandReply
	err   error
}

// Submit sends a command and waits until it is durable, or refused. If ctx ends
// first the command may still take effect.
func (m *Model) Submit(ctx context.Context, actor core.Actor, op core.Op) (api.CommandReply, error) {
	if add, ok := op.(core.AddCharm); ok && m.ctl.opt.Blobs != nil {
		if err := m.ctl.opt.Blobs.Require(ctx, add.ID); err != nil {
			return api.CommandReply{}, err
		}
	}
	if m.ctl.opt.Blobs != nil {
		for _, file := range core.Given(op) {
			if file.SHA256 == "" {
				continue
			}
			if err := m.ctl.opt.Blobs.Require(ctx, file.SHA256); err != nil {
				return api.CommandReply{}, err
			}
		}
	}
	answer := make(chan result, 1)
	r := &Request{Actor: actor, Op: op, submitted: time.Now(),
		Answer: func(reply api.CommandReply, err error) { answer <- result{reply, err} }}
	select {
	case m.in <- r:
	case <-m.done:
		return api.CommandReply{}, m.ended
	case <-ctx.Done():
		return api.CommandReply{}, context.Cause(ctx)
	}
	select {
	case res := <-answer:
		return res.reply, res.err
	case <-m.done:
	case <-ctx.Done():
		return api.CommandReply{}, kith.Errorf(kith.Unavailable, "gave up waiting for %s: it may still be done", op.Name())
	}
	select { // it may have been answered just before the end
	case res := <-answer:
		return res.reply, res.err
	default:
		return api.CommandReply{}, m.ended
	}
}

// Settle waits for the model to come to rest, or until timeout has passed (0 does
// not wait), and says how it stands.
func (m *Model) Settle(ctx context.Context, timeout time.Duration) (api.SettleReply, error) {
	var w *Watch
	var reply api.SettleReply
	ask := func() { reply = m.engine.Settle(len(m.in)) }
	err := m.do(ctx, func() {
		if ask(); !reply.Settled && timeout > 0 {
			w = m.engine.Watch(false)
		}
	})
	if err != nil || w == nil {
		return reply, err
	}
	defer m.do(context.WithoutCancel(ctx), func() { m.engine.Unwatch(w) })
	up, stop := m.ctl.opt.Clock.At(m.now().Add(timeout))
	defer stop()
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-up:
			cancel(errTimeUp)
		case <-waiting.Done():
		}
	}()
	defer func() { cancel(nil); <-watched }()
	for {
		event, err := w.Next(waiting)
		switch {
		case errors.Is(err, errTimeUp):
			return reply, m.do(ctx, ask)
		case err != nil:
			return reply, err
		case event.Settled:
			return api.SettleReply{Settled: true, Revision: event.Revision, Errors: api.ErrorsOf(m.Snapshot())}, nil
		}
	}
}

var errTimeUp = errors.New("time is up")

// Watch calls f with the model's revision now and whenever it changes, until ctx
// ends, f fails or the watch ends.
func (m *Model) Watch(ctx context.Context, entries bool, f func(api.WatchEvent) error) error {
	var w *Watch
	if err := m.do(ctx, func() { w = m.engine.Watch(entries) }); err != nil {
		return err
	}
	defer m.do(context.WithoutCancel(ctx), func() { m.engine.Unwatch(w) })
	for {
		event, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if err := f(event); err != nil {
			return err
		}
	}
}

// Live is what hook tools of a unit answer with what is true now; false if there is no such unit.
func (m *Model) Live(u kith.UnitName, units bool) (api.UnitLive, bool) {
	return api.UnitLiveOf(m.Snapshot(), u, units, m.now())
}

// Secret is the content of a secret, as a unit may read it now.
func (m *Model) Secret(u kith.UnitName, q core.SecretQuery) (core.SecretValue, error) {
	return core.ReadSecret(m.Snapshot(), u, q, m.now())
}

// Status is the whole model as people look at it; with what contracts say of its
// relations if contracts is set.
func (m *Model) Status(ctx context.Context, contracts bool) api.Status {
	snapshot := m.Snapshot()
	s := api.StatusOf(snapshot, m.now())
	for host, since := range m.ctl.away(snapshot) { // any order: each marks its own units
		s.MarkLost(host, since, snapshot)
	}
	if contracts {
		s.AddContracts(snapshot, m.settledAt(ctx, snapshot))
	}
	return s
}

// ShowUnit is one unit with its relations, their data, and what contracts say of it. Errors: NotFound.
func (m *Model) ShowUnit(ctx context.Context, u kith.UnitName) (api.ShowUnit, error) {
	snapshot := m.Snapshot()
	show, ok := api.ShowUnitOf(snapshot, u)
	if !ok {
		return api.ShowUnit{}, kith.Errorf(kith.NotFound, "unit %q not found", u).WithHint("see 'kith status'")
	}
	show.AddContracts(snapshot, m.settledAt(ctx, snapshot))
	return show, nil
}

// settledAt reports whether the model is settled, and as snapshot shows it; false if that cannot be told now.
func (m *Model) settledAt(ctx context.Context, snapshot *core.Model) bool {
	reply, err := m.Settle(ctx, 0)
	return err == nil && reply.Settled && reply.Revision == snapshot.Revision
}
