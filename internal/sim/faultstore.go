package sim

import (
	"context"

	"kith"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// commitFault is what happens to one commit on its way.
type commitFault int

const (
	commitWell    commitFault = iota
	commitRefused             // it never reaches the store
	commitUnheard             // it is applied, and the answer is lost
	commitFaults
)

// faultStore is a controller's connection to the store, as bad as the schedule wants it.
type faultStore struct {
	*memstore.Store
	w    *World
	id   string
	next commitFault // of the next commit
}

var _ store.Store = (*faultStore)(nil)

func (s *faultStore) reach(verb string) error {
	if !s.w.storeAway {
		return nil
	}
	return kith.Errorf(kith.Unavailable, "cannot %s: the store is away", verb)
}

// Own implements store.Store.
func (s *faultStore) Own(ctx context.Context, id kith.ModelUUID) (store.Ownership, error) {
	if err := s.reach("own the model"); err != nil {
		return store.Ownership{}, err
	}
	own, err := s.Store.Own(ctx, id)
	if err == nil {
		s.w.epoch, s.w.granted, s.w.owner = own.Epoch, own.Epoch, s.id
	}
	return own, err
}

// Load implements store.Store.
func (s *faultStore) Load(ctx context.Context, id kith.ModelUUID) (store.Snapshot, error) {
	if err := s.reach("load the model"); err != nil {
		return store.Snapshot{}, err
	}
	return s.Store.Load(ctx, id)
}

// History implements store.Store.
func (s *faultStore) History(ctx context.Context, id kith.ModelUUID, from, to uint64, limit int, order store.Order) ([]store.Record, error) {
	if err := s.reach("read history"); err != nil {
		return nil, err
	}
	return s.Store.History(ctx, id, from, to, limit, order)
}

// Commit implements store.Store. What the store applied goes into the ledger.
func (s *faultStore) Commit(ctx context.Context, own store.Ownership, b store.Batch) error {
	fault := s.next
	s.next = commitWell
	if err := s.reach("commit"); err != nil {
		return err
	}
	if fault == commitRefused {
		return kith.Errorf(kith.Unavailable, "cannot commit: the connection was refused")
	}
	if d := s.w.defect.commit; d != nil {
		var lied bool
		if b, own, lied = d(s, own, b); lied {
			return nil
		}
	}
	if err := s.Store.Commit(ctx, own, b); err != nil {
		return err
	}
	s.w.ledger.add(b)
	if fault == commitUnheard {
		return store.Because(store.ErrUnknown, kith.Errorf(kith.Unavailable, "cannot tell whether the batch was applied: the connection broke"))
	}
	return nil
}
