package storetest

import (
	"strings"
	"testing"

	"kith"
	"kith/internal/store"
)

// I2: a second controller is told who owns the model and where.
func testOwnedByAnother(t *testing.T, start Start) {
	f := newFixture(t, start)
	other := open(t, f.Server, bob)
	_, err := other.Own(t.Context(), model)
	f.refused(err, store.ErrOwned, kith.Conflict)
	if !strings.Contains(err.Error(), `"alice" at unix:///run/alice`) {
		t.Errorf("the owner is not named: %v", err)
	}
	owner, err := other.Owner(t.Context(), model)
	if err != nil || owner != alice {
		t.Errorf("got owner %v, %v", owner, err)
	}
	_, err = other.Owner(t.Context(), "m-2")
	f.refused(err, nil, kith.NotFound)
	f.commit(batch(1))
	if snap, err := other.Load(t.Context(), model); err != nil || snap.Revision != 1 {
		t.Errorf("the other loads %+v, %v", snap, err)
	}
}

// I2: a controller that comes back takes its models at once, and what it was before
// can do nothing any more.
func testTakeOver(t *testing.T, start Start) {
	f := newFixture(t, start)
	f.commit(batch(1, entity("unit", "web/0", `1`)))
	again := open(t, f.Server, alice)
	own := f.acquire(again, model)
	if own.Epoch <= f.own.Epoch {
		t.Errorf("epoch %d follows %d", own.Epoch, f.own.Epoch)
	}
	f.refused(f.Commit(t.Context(), f.own, batch(2)), store.ErrFenced, kith.Conflict)
	f.refused(f.PruneHistory(t.Context(), f.own, 100), store.ErrFenced, kith.Conflict)
	f.refused(f.RemoveModel(t.Context(), f.own), store.ErrFenced, kith.Conflict)
	if err := f.Release(t.Context(), f.own); err != nil {
		t.Error(err)
	}
	if err := again.Commit(t.Context(), own, batch(2)); err != nil {
		t.Fatal(err)
	}
	if snap := f.load(model); snap.Revision != 2 || len(snap.Entities) != 1 {
		t.Errorf("got %+v", snap)
	}
	// The old one's end does not touch what the new one owns.
	if err := f.Store.Close(); err != nil {
		t.Error(err)
	}
	if err := again.Commit(t.Context(), own, batch(3)); err != nil {
		t.Error(err)
	}
	// The same controller may acquire again, for instance after an error; that fences too.
	newer := f.acquire(again, model)
	f.refused(again.Commit(t.Context(), own, batch(4)), store.ErrFenced, kith.Conflict)
	if err := again.Commit(t.Context(), newer, batch(4)); err != nil {
		t.Error(err)
	}
}

func testRelease(t *testing.T, start Start) {
	f := newFixture(t, start)
	other := open(t, f.Server, bob)
	if err := f.Release(t.Context(), f.own); err != nil {
		t.Fatal(err)
	}
	_, err := f.Owner(t.Context(), model)
	f.refused(err, nil, kith.NotFound)
	f.refused(f.Commit(t.Context(), f.own, batch(1)), store.ErrFenced, kith.Conflict)
	own := f.acquire(other, model)
	if err := other.Commit(t.Context(), own, batch(1)); err != nil {
		t.Error(err)
	}
	select {
	case <-own.Lost:
		t.Error("lost at once")
	default:
	}
}

// A controller that closes its store leaves its models to others at once.
func testCloseReleases(t *testing.T, start Start) {
	f := newFixture(t, start)
	second := f.acquire(f.Store, "m-2")
	if err := f.Store.Close(); err != nil {
		t.Fatal(err)
	}
	<-f.own.Lost
	<-second.Lost
	other := open(t, f.Server, bob)
	own := f.acquire(other, model)
	if err := other.Commit(t.Context(), own, batch(1)); err != nil {
		t.Error(err)
	}
	f.acquire(other, "m-2")
}
