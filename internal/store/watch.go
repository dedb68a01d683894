package store

import (
	"context"
	"errors"
	"iter"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kith"
)

// How far a watcher may fall behind before it is cut off (I7). One batch may be
// larger than that: a single event is always delivered.
const (
	maxLagEvents = 1024
	maxLagBytes  = 64 << 20
)

// Watch implements [Store]. While the iteration lasts, a goroutine takes what etcd
// sends, so that neither etcd's client nor its server has to keep it for us; it has
// ended when the iteration has.
func (s *Etcd) Watch(ctx context.Context, model kith.ModelUUID, after int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := CheckModel(model); err != nil {
			yield(Event{}, err)
			return
		}
		ctx, done := s.begin(ctx, 0)
		keys := layoutOf(model)
		changes := s.client.Watch(clientv3.WithRequireLeader(ctx), keys.prefix, clientv3.WithPrefix(), clientv3.WithRev(after+1))
		lag := newLag(model)
		var filling sync.WaitGroup
		filling.Go(func() { s.fill(ctx, lag, keys, changes) })
		defer filling.Wait()
		defer done()
		for {
			event, err := lag.next()
			if err != nil {
				yield(Event{}, err)
				return
			}
			if !yield(event, nil) || event.Removed {
				return
			}
		}
	}
}

// fill moves what etcd sends into the queue until one of them ends.
func (s *Etcd) fill(ctx context.Context, lag *lag, keys layout, changes clientv3.WatchChan) {
	for resp := range changes {
		if err := resp.Err(); err != nil {
			lag.fail(s.watchFailure(ctx, lag.model, err))
			return
		}
		for events := resp.Events; len(events) > 0; {
			n := 1
			for n < len(events) && events[n].Kv.ModRevision == events[0].Kv.ModRevision {
				n++
			}
			event, size, err := translate(keys, events[:n])
			if err != nil {
				lag.fail(err)
				return
			}
			if !event.empty() && !lag.add(event, size) {
				return
			}
			events = events[n:]
		}
	}
	lag.fail(s.watchFailure(ctx, lag.model, context.Cause(ctx)))
}

func (s *Etcd) watchFailure(ctx context.Context, model kith.ModelUUID, err error) error {
	var stopped *kith.Error
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		return Resync(model, "the versions it asks for are compacted")
	case errors.As(context.Cause(ctx), &stopped):
		return s.failure(ctx, "watch model "+quote(model), err)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		err = errors.New("the watch was closed")
	}
	return s.failure(ctx, "watch model "+quote(model), err)
}

// translate makes one event of the changes of one transaction.
func translate(keys layout, changes []*clientv3.Event) (Event, int, error) {
	event := Event{StoreRevision: changes[0].Kv.ModRevision}
	size := 0
	forgotten := false // records were deleted
	for _, c := range changes {
		size += len(c.Kv.Key) + len(c.Kv.Value)
		deleted := c.Type == mvccpb.DELETE
		kind, id := keys.split(string(c.Kv.Key))
		var err error
		switch {
		case kind == ownerName || kind == revisionName: // left of format 1
		case kind == historyName && id == ownerName && deleted:
			event.OwnerGone = true
		case kind == historyName && id == ownerName:
			var owner Identity
			owner, err = parseIdentity(c.Kv.Value)
			event.Owner = &owner
		case kind == historyName && deleted:
			forgotten = true
		case kind == historyName:
			event.Revision, err = parseRevision([]byte(id))
			event.History = c.Kv.Value
		case deleted:
			event.Deletes = append(event.Deletes, Key{kind, id})
		default:
			event.Puts = append(event.Puts, Entity{Key{kind, id}, c.Kv.Value})
		}
		if err != nil {
			return Event{}, 0, kith.Errorf(kith.Internal, "cannot read key %s: %v", c.Kv.Key, err)
		}
	}
	if forgotten && event.OwnerGone { // pruning leaves the owner, and who goes leaves the records
		return Event{StoreRevision: event.StoreRevision, Removed: true}, size, nil
	}
	event.sort()
	return event, size, nil
}

// empty reports that nothing happened that a watcher is told: history was pruned.
func (e *Event) empty() bool {
	return e.Revision == 0 && e.Owner == nil && !e.OwnerGone && !e.Removed
}

// lag is what a watcher has not taken yet: a queue with a bound.
type lag struct {
	model kith.ModelUUID

	mu     sync.Mutex
	more   *sync.Cond
	events []Event
	sizes  []int
	bytes  int
	err    error
}

func newLag(model kith.ModelUUID) *lag {
	l := &lag{model: model}
	l.more = sync.NewCond(&l.mu)
	return l
}

// add reports false if the watcher is too far behind: then nobody need add any more.
func (l *lag) add(e Event, size int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.more.Signal()
	if len(l.events) >= maxLagEvents || len(l.events) > 0 && l.bytes+size > maxLagBytes {
		l.events, l.sizes, l.err = nil, nil, Resync(l.model, "it is too far behind")
		return false
	}
	l.events, l.sizes, l.bytes = append(l.events, e), append(l.sizes, size), l.bytes+size
	return true
}

// fail ends the queue: next returns the error once what is in it was taken.
func (l *lag) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.more.Signal()
	if l.err == nil {
		l.err = err
	}
}

// next waits for the oldest event.
func (l *lag) next() (Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.events) == 0 && l.err == nil {
		l.more.Wait()
	}
	if len(l.events) == 0 {
		return Event{}, l.err
	}
	e := l.events[0]
	l.bytes -= l.sizes[0]
	l.events[0] = Event{}
	l.events, l.sizes = l.events[1:], l.sizes[1:]
	return e, nil
}
