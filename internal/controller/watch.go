package controller

import (
	"context"
	"encoding/json"
	"sync"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// maxWatchBytes bounds the history entries that wait for one watcher. A reader
// that far behind is better off with a fresh picture.
const maxWatchBytes = 8 << 20

// ErrResync ends a watch whose reader was too slow. It should start again.
var ErrResync = kith.Errorf(kith.Unavailable, "cannot watch further: the reader was too slow").WithHint("start again")

// Watch is one reader's view of a model's revisions. Its methods but Next belong
// to the engine.
type Watch struct {
	withEntries bool
	notify      chan struct{} // holds one token if there is something new

	mu      sync.Mutex
	event   api.WatchEvent
	fresh   bool
	bytes   int
	stopped error
}

// Next waits for the next event. Errors: the context's, or why the watch ended;
// ErrResync if the reader was too slow.
func (w *Watch) Next(ctx context.Context) (api.WatchEvent, error) {
	for {
		w.mu.Lock()
		fresh, event, stopped := w.fresh, w.event, w.stopped
		w.fresh, w.event.Entries, w.bytes = false, nil, 0
		w.mu.Unlock()
		switch {
		case fresh:
			return event, nil
		case stopped != nil:
			return api.WatchEvent{}, stopped
		}
		select {
		case <-w.notify:
		case <-ctx.Done():
			return api.WatchEvent{}, context.Cause(ctx)
		}
	}
}

func (w *Watch) put(e api.WatchEvent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped != nil {
		return
	}
	entries := w.event.Entries
	if w.withEntries {
		for _, entry := range e.Entries {
			w.bytes += len(entry)
		}
		if w.bytes > maxWatchBytes {
			w.end(ErrResync)
			return
		}
		entries = append(entries, e.Entries...)
	}
	w.event = e
	w.event.Entries = entries
	w.fresh = true
	w.wake()
}

// stop ends the watch after what it still holds.
func (w *Watch) stop(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped == nil {
		w.stopped = err
		w.wake()
	}
}

// end stops the watch and drops what it holds. The caller holds the lock.
func (w *Watch) end(err error) {
	w.stopped, w.fresh, w.event = err, false, api.WatchEvent{}
	w.wake()
}

func (w *Watch) wake() {
	select {
	case w.notify <- struct{}{}:
	default:
	}
}

// Watch begins a watch of the engine's model; its first event says how things are.
func (e *Engine) Watch(withEntries bool) *Watch {
	w := &Watch{withEntries: withEntries, notify: make(chan struct{}, 1)}
	w.put(api.WatchEvent{Revision: e.Snapshot().Revision, Settled: e.Settled()})
	e.watches[w] = struct{}{}
	e.opt.Metrics.watchers(1)
	return w
}

// Unwatch ends a watch.
func (e *Engine) Unwatch(w *Watch) {
	if _, known := e.watches[w]; known {
		delete(e.watches, w)
		e.opt.Metrics.watchers(-1)
	}
}

// StopWatches ends every watch with err; with removed, after an event that says
// that the model is gone.
func (e *Engine) StopWatches(err error, removed bool) {
	for w := range e.watches { // any order: each by itself
		if removed {
			w.put(api.WatchEvent{Revision: e.Snapshot().Revision, Settled: true, Removed: true})
		}
		w.stop(err)
		e.Unwatch(w)
	}
}

// publish shows a durable snapshot to readers.
func (e *Engine) publish(m *core.Model, entries []json.RawMessage) {
	e.snapshot.Store(m)
	e.pending = append(e.pending, entries...)
	e.unseen = true
}

// Flush tells watchers what has happened since the last time. Whoever turns the
// engine calls it when a turn is complete, so that Settled is told as it is then.
func (e *Engine) Flush() {
	settled := e.Settled()
	if !e.unseen && settled == e.settled {
		return
	}
	event := api.WatchEvent{Revision: e.Snapshot().Revision, Settled: settled, Entries: e.pending}
	e.settled, e.unseen, e.pending = settled, false, nil
	for w := range e.watches { // any order: each by itself
		w.put(event)
	}
}

// Settled reports whether the model has come to rest (api.SettleReply says what that means).
func (e *Engine) Settled() bool {
	return e.down == nil && e.flight == nil && e.open == nil && len(e.queue) == 0 && e.sched.rested()
}

// Settle says how the model stands. Waiting counts commands the engine was not given yet.
func (e *Engine) Settle(waiting int) api.SettleReply {
	m := e.Snapshot()
	r := api.SettleReply{Settled: e.Settled() && waiting == 0, Revision: m.Revision, Errors: api.ErrorsOf(m)}
	if r.Settled {
		return r
	}
	r.Busy = e.sched.busy()
	waiting += len(e.queue)
	if e.open != nil {
		waiting += len(e.open.decided)
	}
	if e.flight != nil {
		waiting += len(e.flight.decided)
	}
	if waiting > 0 {
		r.Busy = append(r.Busy, api.Busy{With: api.BusyCommands, Count: waiting})
	}
	return r
}
