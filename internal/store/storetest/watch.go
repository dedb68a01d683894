package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"kith"
	"kith/internal/store"
)

// I6: a watch from a snapshot yields every later batch whole, once, in order.
func testWatchFromRevision(t *testing.T, start Start) {
	f := newFixture(t, start)
	f.commit(batch(1, entity("unit", "web/0", `1`)))
	from := f.load(model).StoreRevision
	b := batch(2, entity("unit", "web/1", `2`), entity("databag", "3/web/1", `2`))
	b.Deletes = []store.Key{{Kind: "unit", ID: "web/0"}, {Kind: "unit", ID: "never"}}
	f.commit(b)
	f.commit(batch(3)) // of nothing but its record

	events, err := take(t.Context(), f.Store, model, from, 2)
	if err != nil {
		t.Fatal(err)
	}
	e := events[0]
	if e.Revision != 2 || !slices.Equal(keysOf(e.Puts), []string{"databag/3/web/1", "unit/web/1"}) ||
		!slices.Equal(e.Deletes, []store.Key{{Kind: "unit", ID: "web/0"}}) || !bytes.Equal(e.History, record(2)) {
		t.Errorf("got %+v", e)
	}
	if e := events[1]; e.Revision != 3 || len(e.Puts)+len(e.Deletes) != 0 || e.StoreRevision <= events[0].StoreRevision {
		t.Errorf("got %+v", e)
	}
	// From an event one can go on where it was.
	rest, err := take(t.Context(), f.Store, model, events[0].StoreRevision, 1)
	if err != nil || rest[0].Revision != 3 {
		t.Errorf("got %+v, %v", rest, err)
	}
	// An event is one line of JSON that says it all.
	line, err := json.Marshal(e)
	var back store.Event
	if err != nil || json.Unmarshal(line, &back) != nil || back.Revision != e.Revision || !same(back.Puts, e.Puts) || !slices.Equal(back.Deletes, e.Deletes) {
		t.Errorf("got %s, %v", line, err)
	}
}

// I6: a watch that is waiting yields what comes; several watchers see the same.
func testWatchLive(t *testing.T, start Start) {
	f := newFixture(t, start)
	from := f.load(model).StoreRevision
	const watchers, batches = 4, 50
	var seen [watchers][]uint64
	var watching sync.WaitGroup
	for n := range watchers {
		watching.Go(func() {
			events, err := take(t.Context(), f.Store, model, from, batches)
			if err != nil {
				t.Error(err)
			}
			for _, e := range events {
				seen[n] = append(seen[n], e.Revision)
			}
		})
	}
	var want []uint64
	for rev := uint64(1); rev <= batches; rev++ {
		f.commit(batch(rev, entity("unit", "web/0", fmt.Sprint(rev))))
		want = append(want, rev)
	}
	watching.Wait()
	for n := range watchers {
		if !slices.Equal(seen[n], want) {
			t.Errorf("watcher %d saw %v", n, seen[n])
		}
	}
}

// A watcher is told who owns the model, and when nobody does.
func testWatchOwners(t *testing.T, start Start) {
	f := newFixture(t, start)
	from := f.load(model).StoreRevision
	if err := f.Release(t.Context(), f.own); err != nil {
		t.Fatal(err)
	}
	other := open(t, f.Server, bob)
	f.acquire(other, model)
	f.acquire(other, model)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	events, err := take(t.Context(), f.Store, model, from, 4)
	if err != nil {
		t.Fatal(err)
	}
	if !events[0].OwnerGone || events[1].Owner == nil || *events[1].Owner != bob || events[2].Owner == nil || !events[3].OwnerGone {
		t.Errorf("got %+v", events)
	}
}

// A watch yields nothing of other models, not even of one whose name starts alike.
func testWatchOneModel(t *testing.T, start Start) {
	f := newFixture(t, start)
	from := f.load(model).StoreRevision
	for _, id := range []kith.ModelUUID{model + "0", "m-2"} {
		own := f.acquire(f.Store, id)
		if err := f.Commit(t.Context(), own, store.Batch{Model: id, Revision: 1, History: record(1), Puts: []store.Entity{entity("unit", "x", `1`)}}); err != nil {
			t.Fatal(err)
		}
	}
	f.commit(batch(1, entity("unit", "web/0", `1`)))
	events, err := take(t.Context(), f.Store, model, from, 1)
	if err != nil || events[0].Revision != 1 || !slices.Equal(keysOf(events[0].Puts), []string{"unit/web/0"}) {
		t.Errorf("got %+v, %v", events, err)
	}
}

// A watch ends with its context, with the store, and with the model.
func testWatchEnds(t *testing.T, start Start) {
	f := newFixture(t, start)
	f.commit(batch(1))
	from := f.load(model).StoreRevision

	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := take(ctx, f.Store, model, from, 1)
		ended <- err
	}()
	cancel(stop)
	if err := <-ended; !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}

	other := open(t, f.Server, bob)
	go func() {
		_, err := take(t.Context(), other, model, from, 1)
		ended <- err
	}()
	other.Close()
	f.refused(<-ended, nil, kith.Unavailable)

	if err := f.RemoveModel(t.Context(), f.own); err != nil {
		t.Fatal(err)
	}
	events, err := take(t.Context(), f.Store, model, from, 100)
	if err != nil || len(events) != 1 || !events[0].Removed {
		t.Errorf("got %+v, %v", events, err)
	}
}

// I7: who asks for what is forgotten is told to load again, and then can go on.
func testWatchResync(t *testing.T, start Start) {
	f := newFixture(t, start)
	from := f.load(model).StoreRevision
	for rev := uint64(1); rev <= 5; rev++ {
		f.commit(batch(rev, entity("unit", "web/0", fmt.Sprint(rev))))
	}
	f.Compact()
	events, err := take(t.Context(), f.Store, model, from, 1)
	f.refused(err, store.ErrResync, kith.Unavailable)
	if len(events) != 0 {
		t.Errorf("got %+v", events)
	}
	snap := f.load(model)
	f.commit(batch(6))
	events, err = take(t.Context(), f.Store, model, snap.StoreRevision, 1)
	if err != nil || snap.Revision != 5 || events[0].Revision != 6 {
		t.Errorf("got %+v after %+v, %v", events, snap, err)
	}
}

// I7: a reader that does not read is cut off or catches up; either way it sees no gap.
func testWatchSlowReader(t *testing.T, start Start) {
	f := newFixture(t, start)
	from := f.load(model).StoreRevision
	const batches = 1500
	f.commit(batch(1))
	next := uint64(1)
	for e, err := range f.Watch(t.Context(), model, from) {
		if err != nil {
			f.refused(err, store.ErrResync, kith.Unavailable)
			return
		}
		if e.Revision != next {
			t.Fatalf("revision %d follows %d", e.Revision, next-1)
		}
		for rev := uint64(2); next == 1 && rev <= batches; rev++ { // meanwhile nothing is read
			f.commit(batch(rev))
		}
		if next++; next > batches {
			return
		}
	}
}
