package memstore_test

import (
	"context"
	"testing"

	"kith/internal/store"
	"kith/internal/store/memstore"
	"kith/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(_ *testing.T, limits store.Limits) storetest.Server {
		server := memstore.New(limits)
		return storetest.Server{
			Open:    func(id store.Identity) store.Store { return server.Open(id) },
			Compact: server.Compact,
		}
	})
}

// I2: when a lease ends, its owner is told, fenced out, and another may follow.
func TestExpire(t *testing.T) {
	t.Parallel()
	server := memstore.New(store.Limits{})
	alice, bob := server.Open(store.Identity{ID: "alice"}), server.Open(store.Identity{ID: "bob"})
	old := own(t, alice)
	server.Expire("alice")
	<-old.Lost
	if err := alice.Commit(t.Context(), old, store.Batch{Model: "m", Revision: 1}); err == nil {
		t.Error("committed without a lease")
	}
	own(t, bob)
	server.Expire("bob")
	own(t, alice) // with a new lease
	events, err := server.Events("m", 0)
	if err != nil || len(events) != 5 || !events[1].OwnerGone || !events[3].OwnerGone {
		t.Errorf("got %+v, %v", events, err)
	}
}

func own(t *testing.T, s *memstore.Store) store.Ownership {
	t.Helper()
	own, err := s.Own(context.Background(), "m")
	if err != nil {
		t.Fatal(err)
	}
	return own
}
