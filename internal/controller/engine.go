package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// Engine is one model's writer and scheduler. One goroutine at a time may use it;
// only Snapshot is for everybody.
//
// Turning it: Submit what comes in, Gather, take a Flight from Launch and commit
// it, Land what came of it and Tell; Advance when Next says so. After a failed landing
// [Engine.Down] is set until Reload succeeds.
type Engine struct {
	model kith.ModelUUID
	store store.Store
	own   store.Ownership
	opt   EngineOptions

	encoder encoder

	working  *core.Model // with everything decided, durable or not
	revision uint64      // of the store: counts batches
	queue    []*Request
	open     *batch
	base     *core.Model // working as it was before open's first command
	flight   *Flight
	untold   *Flight // landed, and nobody knows
	failed   *Flight // whose outcome Reload must find out
	down     error

	snapshot atomic.Pointer[core.Model]
	sched    *scheduler
	sessions map[string]*Session
	watches  map[*Watch]struct{}
	now      time.Time // of the last command; it never goes back
	written  int64     // bytes of history since the start

	// What watchers have not been told, and whether they were last told that the model is settled.
	pending []json.RawMessage
	unseen  bool
	settled bool
}

// EngineOptions are what an engine gets from around it. All may be left out.
type EngineOptions struct {
	// Token makes a unit's credential.
	Token func(kith.ModelUUID, kith.UnitName) string
	// Metrics counts; nil counts nothing.
	Metrics *Metrics
	// Sealer seals the content of secrets; without one there can be no secrets.
	Sealer *Sealer
}

// Flight is one batch on its way to the store.
type Flight struct {
	Own   store.Ownership
	Batch store.Batch

	snapshot *core.Model
	changes  []core.Change
	entries  []json.RawMessage
	decided  []decided
}

// NewEngine makes an engine for a model owned by the caller. It must be loaded before use.
func NewEngine(st store.Store, own store.Ownership, opt EngineOptions) *Engine {
	e := &Engine{model: own.Model, store: st, own: own, opt: opt, encoder: newEncoder(opt.Sealer),
		working: &core.Model{}, sessions: make(map[string]*Session), watches: make(map[*Watch]struct{})}
	e.sched = newScheduler(e)
	e.down = kith.Errorf(kith.Unavailable, "cannot use model %q: it is not loaded", own.Model)
	e.snapshot.Store(&core.Model{})
	return e
}

// Snapshot is the newest durable state. Any goroutine may call it and read the result.
func (e *Engine) Snapshot() *core.Model { return e.snapshot.Load() }

// Down says why the engine takes no commands, or nil. Reload mends it.
func (e *Engine) Down() error { return e.down }

// Submit takes a request in. While the engine is down it is refused at once.
func (e *Engine) Submit(r *Request) {
	if e.down != nil {
		e.answer(decided{Request: r, err: e.unavailable()})
		return
	}
	e.queue = append(e.queue, r)
}

func (e *Engine) unavailable() error {
	return kith.Errorf(kith.Unavailable, "cannot change the model now: %v", e.down).WithHint("%s", hintOr(e.down, "try again"))
}

func hintOr(err error, fallback string) string {
	if hint := kith.HintOf(err); hint != "" {
		return hint
	}
	return fallback
}

// Waiting is how many requests have not been decided.
func (e *Engine) Waiting() int { return len(e.queue) }

// Gather decides what is waiting, until the open batch is full.
func (e *Engine) Gather(now time.Time) {
	if now.After(e.now) {
		e.now = now
	}
	n := 0
	for n < len(e.queue) && (e.open == nil || !e.open.full()) {
		if !e.decide(e.queue[n]) {
			break
		}
		n++
	}
	if n == len(e.queue) {
		e.queue = e.queue[:0]
		return
	}
	e.queue = append(e.queue[:0], e.queue[n:]...)
}

// decide decides one request into the open batch; false if it must wait for the next one.
func (e *Engine) decide(r *Request) bool {
	if e.open == nil {
		e.open, e.base = newBatch(e.model), e.working.Snapshot()
	}
	entry, changes, err := core.Commit(e.working, core.Command{Now: e.now, Actor: r.Actor, Op: r.Op})
	if err != nil || len(changes) == 0 {
		reply := api.CommandReply{Revision: e.working.Revision, Unchanged: true}
		e.open.decided = append(e.open.decided, decided{r, reply, err})
		return true
	}
	enc, err := e.encoder.encode(entry, changes)
	if err != nil {
		panic(fmt.Sprintf("controller: cannot encode what %s changed: %v", r.Op.Name(), err))
	}
	limits := e.store.Limits()
	if bytes, ops := e.open.size(changes, enc); bytes > limits.MaxTxnBytes || ops > limits.MaxTxnOps {
		return e.overflow(r, bytes, ops)
	}
	e.open.add(changes, enc)
	reply := api.CommandReply{Revision: e.working.Revision}
	if r.Actor.Kind == core.ActorUser {
		summarize(&reply, e.base, e.working, changes)
	}
	if entry.Hook != nil {
		reply.Verdicts = entry.Hook.Verdicts
	}
	e.open.decided = append(e.open.decided, decided{r, reply, nil})
	return true
}

// overflow handles a command that does not fit: into this batch, or into any.
// The working state goes back to the batch's start and comes forward again
// without it; that is rare enough to cost what it costs.
func (e *Engine) overflow(r *Request, bytes, ops int) bool {
	before := e.open
	alone := len(before.entries) == 0
	e.working, e.open = e.base, nil
	for _, d := range before.decided {
		e.decide(d.Request)
	}
	if !alone {
		return false
	}
	if e.open == nil {
		e.open, e.base = newBatch(e.model), e.working.Snapshot()
	}
	limits := e.store.Limits()
	err := kith.Errorf(kith.Invalid, "cannot %s: it changes %d bytes in %d entities at once, and the store takes %d bytes in %d",
		r.Op.Name(), bytes, ops, limits.MaxTxnBytes, limits.MaxTxnOps).
		WithHint("ask for less at once, or raise the limits of the etcd server (--max-request-bytes, --max-txn-ops)")
	e.open.decided = append(e.open.decided, decided{r, api.CommandReply{}, err})
	return true
}

// Launch closes the open batch if no flight is under way, and returns it to be
// committed; nil if there is nothing to write. A batch of refusals needs no write:
// everything it was decided on is durable already.
func (e *Engine) Launch() *Flight {
	if e.flight != nil || e.open == nil {
		return nil
	}
	b := e.open
	e.open, e.base = nil, nil
	if len(b.changes) == 0 && len(b.entries) == 0 {
		for _, d := range b.decided {
			e.answer(d)
		}
		e.sched.settle(e.now)
		return nil
	}
	stored := b.store(e.revision+1, e.own.Epoch, e.working.Revision)
	e.opt.Metrics.batch(len(b.entries))
	e.flight = &Flight{Own: e.own, Batch: stored, snapshot: e.working.Snapshot(), changes: b.changes, entries: b.entries, decided: b.decided}
	return e.flight
}

// Land ends the flight with what the store said. Whoever waits for it hears of it
// from Tell, which may come after the next Launch: what is decided already need not
// wait for that.
func (e *Engine) Land(err error) {
	f := e.flight
	e.flight = nil
	if err != nil {
		e.fail(f, err)
		return
	}
	e.revision = f.Batch.Revision
	e.written += int64(len(f.Batch.History))
	e.publish(f.snapshot, f.entries)
	e.untold = f
}

// Tell answers the commands of the flight that has landed, and looks at what is to be done now.
func (e *Engine) Tell(now time.Time) {
	f := e.untold
	if f == nil {
		return
	}
	e.untold = nil
	for _, d := range f.decided {
		e.answer(d)
	}
	e.sched.feed(f.snapshot, f.changes, now)
}

// fail gives up the working state. What was decided on top of the failed flight
// was never answered and waits to be decided again.
func (e *Engine) fail(f *Flight, err error) {
	e.down = err
	var again []*Request
	if e.open != nil {
		for _, d := range e.open.decided {
			again = append(again, d.Request)
		}
	}
	e.open, e.base = nil, nil
	e.queue = append(again, e.queue...)
	e.failed = f
}

// Reload loads the model and finds out what became of the failed flight. On
// success the engine is up; else everybody who waits is answered Unavailable.
func (e *Engine) Reload(ctx context.Context, now time.Time) error {
	m, revision, err := load(ctx, e.store, e.model, e.opt.Sealer)
	landed := false
	if err == nil {
		landed, err = e.landed(ctx, revision)
	}
	if err != nil {
		e.Refuse(err)
		return err
	}
	cause := e.down
	e.working, e.revision, e.down = m, revision, nil
	snapshot := m.Snapshot()
	e.publish(snapshot, nil)
	e.resolve(landed, cause)
	e.sched.reset(snapshot, now)
	return nil
}

// landed tells what became of the failed flight, by what the store holds now
// (store, I5): the record in its place is its own, or is not.
func (e *Engine) landed(ctx context.Context, revision uint64) (bool, error) {
	f := e.failed
	if f == nil || revision < f.Batch.Revision {
		return false, nil
	}
	records, err := e.store.History(ctx, e.model, f.Batch.Revision, f.Batch.Revision, 1, store.OldestFirst)
	return len(records) == 1 && string(records[0].Value) == string(f.Batch.History), err
}

// resolve answers the failed flight, after what it did can be seen.
func (e *Engine) resolve(landed bool, cause error) {
	f := e.failed
	if f == nil {
		return
	}
	e.failed = nil
	for _, d := range f.decided {
		if !landed { // a refusal, too, may rest on what is not there
			d.err = kith.Errorf(kith.Unavailable, "cannot %s: the store failed, and nothing was changed: %v", d.Op.Name(), cause).
				WithHint("%s", hintOr(cause, "try again"))
		}
		e.answer(d)
	}
}

// refuseAll answers everybody who waits for something that cannot be done now. Of
// the failed flight nobody knows the outcome: those who sent it are told so, once.
func (e *Engine) refuseAll() {
	if e.failed != nil {
		for i, d := range e.failed.decided {
			if d.Answer == nil {
				continue
			}
			d.err = kith.Errorf(kith.Unavailable, "cannot tell whether %s was done: the store is away: %v", d.Op.Name(), e.down).
				WithHint("look with 'kith status' once it is back")
			e.answer(d)
			e.failed.decided[i].Request = &Request{Op: d.Op}
		}
	}
	queue := e.queue
	e.queue = nil
	for _, r := range queue {
		e.answer(decided{Request: r, err: e.unavailable()})
	}
}

// Refuse keeps a down engine down for another reason, and answers everybody who waits.
func (e *Engine) Refuse(err error) {
	e.down = err
	e.refuseAll()
}

// Flying reports whether a flight is under way.
func (e *Engine) Flying() bool { return e.flight != nil }

// Lose takes the engine down because its ownership is over, though no write has
// failed yet. It may be called between flights only.
func (e *Engine) Lose(err error) {
	if e.flight == nil && e.down == nil {
		e.fail(nil, err)
	}
}

// Reown replaces the ownership after it was lost; Reload must follow.
func (e *Engine) Reown(own store.Ownership) { e.own = own }

func (e *Engine) answer(d decided) {
	e.opt.Metrics.command(d, e.now)
	if d.Answer != nil {
		d.Answer(d.reply, d.err)
	}
}

// Fenced reports whether err says that somebody else owns the model, or may.
func Fenced(err error) bool { return errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrOwned) }

// Next is when Advance has something to do; false if nothing is waited for.
func (e *Engine) Next() (time.Time, bool) { return e.sched.next() }

// Advance fires the deadlines that have passed.
func (e *Engine) Advance(now time.Time) {
	if e.down == nil {
		e.sched.advance(now)
	}
}

// bookkeep implements effects.
func (e *Engine) bookkeep(op core.Op, done func(changed bool)) {
	e.Submit(&Request{Actor: core.System, Op: op, own: true, Answer: func(r api.CommandReply, err error) {
		done(err == nil && !r.Unchanged)
	}})
}

// send implements effects.
func (e *Engine) send(host string, ev api.HostEvent) {
	s := e.sessions[host]
	if s == nil {
		return
	}
	if ev.Run != nil {
		e.opt.Metrics.assignment()
	}
	s.put(ev)
}

// token implements effects.
func (e *Engine) token(u kith.UnitName) string {
	if e.opt.Token == nil {
		return ""
	}
	return e.opt.Token(e.model, u)
}
