package memstore

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"kith"
	"kith/internal/store"
)

// Limits of a server made without others: those of the embedded etcd.
const (
	defaultTxnBytes = 128 << 20
	defaultTxnOps   = 65536
)

// The log of events is for watchers that lag; older events are forgotten, as etcd
// compacts its versions.
const (
	maxLogEvents = 1024
	maxLogBytes  = 256 << 20
)

// Server holds the models. Make one with [New].
type Server struct {
	limits store.Limits

	mu       sync.Mutex
	revision int64 // counts changes, as etcd's revision does
	models   map[kith.ModelUUID]*model
	log      []logged
	logBytes int
	forgot   int64         // events up to this store revision are not in the log
	changed  chan struct{} // closed and replaced at every change
}

// model is one model's state. It may exist for its owner alone (revision 0).
type model struct {
	revision uint64
	entities map[store.Key][]byte
	history  []store.Record // by revision
	owner    *session
	epoch    int64
}

// session is what a lease is in etcd: when it ends, its ownerships do.
type session struct {
	identity store.Identity
	lost     chan struct{}
}

type logged struct {
	model kith.ModelUUID
	event store.Event
	bytes int
}

// New makes an empty server. The zero Limits stand for those of the embedded etcd.
func New(limits store.Limits) *Server {
	if limits.MaxTxnBytes == 0 {
		limits.MaxTxnBytes = defaultTxnBytes
	}
	if limits.MaxTxnOps == 0 {
		limits.MaxTxnOps = defaultTxnOps
	}
	return &Server{limits: limits, revision: 1, models: make(map[kith.ModelUUID]*model), changed: make(chan struct{})}
}

// Open connects a controller.
func (s *Server) Open(identity store.Identity) *Store {
	return &Store{server: s, identity: identity, done: make(chan struct{})}
}

// Expire ends the lease of every store with that identity, as if it had been
// silent for too long. The store itself does not notice but by Ownership.Lost.
func (s *Server) Expire(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(func(o *session) bool { return o.identity.ID == id })
}

// Compact forgets all events so far: a watch from before gets store.ErrResync.
func (s *Server) Compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log, s.logBytes, s.forgot = nil, 0, s.revision
}

// Events returns what Watch would yield without waiting.
func (s *Server) Events(m kith.ModelUUID, after int64) ([]store.Event, error) {
	events, _, err := s.since(m, after)
	return events, err
}

func (s *Server) since(m kith.ModelUUID, after int64) ([]store.Event, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if after < s.forgot {
		return nil, nil, store.Resync(m, "events were missed")
	}
	from, _ := slices.BinarySearchFunc(s.log, after+1, func(l logged, rev int64) int { return int(l.event.StoreRevision - rev) })
	var events []store.Event
	for _, l := range s.log[from:] {
		if l.model == m {
			events = append(events, l.event)
		}
	}
	return events, s.changed, nil
}

// end ends the sessions that match, in one change.
func (s *Server) end(match func(*session) bool) {
	var gone []kith.ModelUUID
	ended := make(map[*session]bool)
	for id, m := range s.models { // any order: sorted below
		if m.owner != nil && match(m.owner) {
			ended[m.owner] = true
			m.owner = nil
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return
	}
	slices.Sort(gone)
	s.revision++
	for _, id := range gone {
		s.record(id, store.Event{OwnerGone: true}, 0)
		if s.models[id].revision == 0 {
			delete(s.models, id)
		}
	}
	for o := range ended { // any order: each is closed
		close(o.lost)
	}
}

// record adds an event of the current store revision to the log.
func (s *Server) record(id kith.ModelUUID, e store.Event, size int) {
	e.StoreRevision = s.revision
	s.log = append(s.log, logged{id, e, size})
	s.logBytes += size
	for len(s.log) > maxLogEvents || s.logBytes > maxLogBytes && len(s.log) > 1 {
		s.logBytes -= s.log[0].bytes
		s.forgot = s.log[0].event.StoreRevision
		s.log[0] = logged{}
		s.log = s.log[1:]
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// get returns the model if the ownership still holds.
func (s *Server) get(verb string, own store.Ownership) (*model, error) {
	m := s.models[own.Model]
	if m == nil || m.owner == nil || m.epoch != own.Epoch {
		return nil, store.Fenced(verb, own.Model)
	}
	return m, nil
}

func (m *model) snapshot() []store.Entity {
	entities := make([]store.Entity, 0, len(m.entities))
	for k, v := range m.entities { // any order: sorted below
		entities = append(entities, store.Entity{Key: k, Value: v})
	}
	sortEntities(entities)
	return entities
}

// apply makes the batch's changes and returns the event. Deletes of what is not
// there are left out of it, as etcd leaves them out.
func (m *model) apply(b *store.Batch) store.Event {
	event := store.Event{Revision: b.Revision}
	for _, e := range b.Puts {
		e.Value = bytes.Clone(e.Value)
		m.entities[e.Key] = e.Value
		event.Puts = append(event.Puts, e)
	}
	for _, k := range b.Deletes {
		if _, there := m.entities[k]; there {
			delete(m.entities, k)
			event.Deletes = append(event.Deletes, k)
		}
	}
	event.History = bytes.Clone(b.History)
	m.history = append(m.history, store.Record{Revision: b.Revision, Value: event.History})
	m.revision = b.Revision
	sortEntities(event.Puts)
	slices.SortFunc(event.Deletes, compareKeys)
	return event
}

func sortEntities(e []store.Entity) {
	slices.SortFunc(e, func(a, b store.Entity) int { return compareKeys(a.Key, b.Key) })
}

func compareKeys(a, b store.Key) int { return strings.Compare(a.String(), b.String()) }
