package memstore

import (
	"context"
	"iter"
	"slices"
	"sync"

	"kith"
	"kith/internal/store"
)

// Store is one controller's connection to a [Server]. It implements store.Store.
type Store struct {
	server   *Server
	identity store.Identity

	closing sync.Once
	done    chan struct{} // closed by Close

	session *session // guarded by server.mu
}

var _ store.Store = (*Store)(nil)

// enter refuses a call on a closed store or with an ended context; else it locks the server.
func (s *Store) enter(ctx context.Context) error {
	select {
	case <-s.done:
		return closedError()
	default:
	}
	if err := ctx.Err(); err != nil {
		return store.Because(err, kith.Errorf(kith.Unavailable, "cannot reach the store: %v", err))
	}
	s.server.mu.Lock()
	return nil
}

func closedError() error { return kith.Errorf(kith.Unavailable, "cannot use the store: it is closed") }

// Limits implements store.Store.
func (s *Store) Limits() store.Limits { return s.server.limits }

// Models implements store.Store.
func (s *Store) Models(ctx context.Context) ([]kith.ModelUUID, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.server.mu.Unlock()
	var ids []kith.ModelUUID
	for id, m := range s.server.models { // any order: sorted below
		if m.revision > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Own implements store.Store.
func (s *Store) Own(ctx context.Context, id kith.ModelUUID) (store.Ownership, error) {
	if err := store.CheckModel(id); err != nil {
		return store.Ownership{}, err
	}
	if err := s.enter(ctx); err != nil {
		return store.Ownership{}, err
	}
	defer s.server.mu.Unlock()
	m := s.server.models[id]
	if m != nil && m.owner != nil && m.owner.identity.ID != s.identity.ID {
		return store.Ownership{}, store.OwnedBy(id, m.owner.identity)
	}
	if m == nil {
		m = &model{entities: make(map[store.Key][]byte)}
		s.server.models[id] = m
	}
	s.server.revision++
	m.owner, m.epoch = s.currentSession(), s.server.revision
	identity := s.identity
	s.server.record(id, store.Event{Owner: &identity}, 0)
	return store.Ownership{Model: id, Epoch: m.epoch, Lost: m.owner.lost}, nil
}

func (s *Store) currentSession() *session {
	if s.session != nil {
		select {
		case <-s.session.lost:
		default:
			return s.session
		}
	}
	s.session = &session{identity: s.identity, lost: make(chan struct{})}
	return s.session
}

// Owner implements store.Store.
func (s *Store) Owner(ctx context.Context, id kith.ModelUUID) (store.Identity, error) {
	if err := s.enter(ctx); err != nil {
		return store.Identity{}, err
	}
	defer s.server.mu.Unlock()
	if m := s.server.models[id]; m != nil && m.owner != nil {
		return m.owner.identity, nil
	}
	return store.Identity{}, store.NotOwned(id)
}

// Release implements store.Store.
func (s *Store) Release(ctx context.Context, own store.Ownership) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.server.mu.Unlock()
	m, err := s.server.get("release", own)
	if err != nil {
		return nil
	}
	m.owner = nil
	s.server.revision++
	s.server.record(own.Model, store.Event{OwnerGone: true}, 0)
	if m.revision == 0 {
		delete(s.server.models, own.Model)
	}
	return nil
}

// Load implements store.Store.
func (s *Store) Load(ctx context.Context, id kith.ModelUUID) (store.Snapshot, error) {
	if err := s.enter(ctx); err != nil {
		return store.Snapshot{}, err
	}
	defer s.server.mu.Unlock()
	snap := store.Snapshot{StoreRevision: s.server.revision}
	if m := s.server.models[id]; m != nil {
		snap.Revision, snap.Entities = m.revision, m.snapshot()
	}
	return snap, nil
}

// Commit implements store.Store.
func (s *Store) Commit(ctx context.Context, own store.Ownership, b store.Batch) error {
	if err := store.CheckCommit(own, &b, s.server.limits); err != nil {
		return err
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.server.mu.Unlock()
	m, err := s.server.get("commit to", own)
	if err != nil {
		return err
	}
	if m.revision != b.Revision-1 {
		return store.Moved(b, m.revision)
	}
	s.server.revision++
	s.server.record(b.Model, m.apply(&b), b.Bytes())
	return nil
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, id kith.ModelUUID, after int64) iter.Seq2[store.Event, error] {
	return func(yield func(store.Event, error) bool) {
		for {
			events, changed, err := s.server.since(id, after)
			if err != nil {
				yield(store.Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) || e.Removed {
					return
				}
				after = e.StoreRevision
			}
			if len(events) > 0 {
				continue
			}
			select {
			case <-changed:
			case <-ctx.Done():
				yield(store.Event{}, context.Cause(ctx))
				return
			case <-s.done:
				yield(store.Event{}, closedError())
				return
			}
		}
	}
}

// History implements store.Store.
func (s *Store) History(ctx context.Context, id kith.ModelUUID, from, to uint64, limit int, order store.Order) ([]store.Record, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.server.mu.Unlock()
	m := s.server.models[id]
	if m == nil {
		return nil, nil
	}
	var records []store.Record
	for _, r := range m.history {
		if r.Revision >= from && r.Revision <= to {
			records = append(records, r)
		}
	}
	if order == store.NewestFirst {
		slices.Reverse(records)
	}
	if limit > 0 && len(records) > limit {
		records = records[:limit]
	}
	return records, nil
}

// PruneHistory implements store.Store.
func (s *Store) PruneHistory(ctx context.Context, own store.Ownership, before uint64) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.server.mu.Unlock()
	m, err := s.server.get("prune the history of", own)
	if err != nil {
		return err
	}
	s.server.revision++
	before = min(before, m.revision)
	m.history = slices.DeleteFunc(m.history, func(r store.Record) bool { return r.Revision < before })
	return nil
}

// RemoveModel implements store.Store.
func (s *Store) RemoveModel(ctx context.Context, own store.Ownership) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.server.mu.Unlock()
	m, err := s.server.get("remove", own)
	if err != nil {
		return err
	}
	delete(s.server.models, own.Model)
	s.server.revision++
	if m.revision == 0 {
		s.server.record(own.Model, store.Event{OwnerGone: true}, 0)
	} else {
		s.server.record(own.Model, store.Event{Removed: true}, 0)
	}
	return nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.closing.Do(func() {
		close(s.done)
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		if s.session != nil {
			s.server.end(func(o *session) bool { return o == s.session })
		}
	})
	return nil
}
