package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"kith"
	"kith/internal/store"
)

// A model nobody has written to is at revision 0 and not listed.
func testEmpty(t *testing.T, start Start) {
	f := newFixture(t, start)
	if snap := f.load(model); snap.Revision != 0 || len(snap.Entities) != 0 || snap.StoreRevision == 0 {
		t.Errorf("got %+v", snap)
	}
	if records := f.history(0, 100, 0, store.OldestFirst); len(records) != 0 {
		t.Errorf("got history %v", records)
	}
	models, err := f.Models(t.Context())
	if err != nil || len(models) != 0 {
		t.Errorf("got models %v, %v", models, err)
	}
}

// I1: puts, deletes, the revision and the record of a batch are all there.
func testCommitAndLoad(t *testing.T, start Start) {
	f := newFixture(t, start)
	f.commit(batch(1, entity("unit", "web/0", `{"a":1}`), entity("databag", "3/web/0", `{}`)))
	b := batch(2, entity("unit", "web/0", `{"a":2}`), entity("unit", "web/1", `1`))
	b.Deletes = []store.Key{{Kind: "databag", ID: "3/web/0"}, {Kind: "databag", ID: "never/there"}}
	f.commit(b)

	snap := f.load(model)
	want := []store.Entity{entity("unit", "web/0", `{"a":2}`), entity("unit", "web/1", `1`)}
	if snap.Revision != 2 || !same(snap.Entities, want) {
		t.Errorf("got revision %d, %v", snap.Revision, snap.Entities)
	}
	if got := f.history(1, 2, 0, store.OldestFirst); len(got) != 2 || !bytes.Equal(got[1].Value, record(2)) {
		t.Errorf("got history %v", got)
	}
	models, err := f.Models(t.Context())
	if err != nil || !slices.Equal(models, []kith.ModelUUID{model}) {
		t.Errorf("got models %v, %v", models, err)
	}
}

// Entities come in the order of the bytes of "kind/id", whatever the kinds are called.
func testKeyOrder(t *testing.T, start Start) {
	f := newFixture(t, start)
	keys := []string{"a/ü", "historian/0", "history-x/1", "historyx/1", "owners/1", "revision-2/0", "revisions/0",
		"unit-x/0", "unit/web/0", "unit/web/1/2", "unit/web/10", "zzz/~"}
	b := batch(1)
	for _, k := range keys {
		kind, id, _ := strings.Cut(k, "/")
		b.Puts = append(b.Puts, entity(kind, id, `{}`))
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(b.Puts), func(i, j int) { b.Puts[i], b.Puts[j] = b.Puts[j], b.Puts[i] })
	f.commit(b)
	if got := keysOf(f.load(model).Entities); !slices.Equal(got, slices.Sorted(slices.Values(keys))) {
		t.Errorf("got %q", got)
	}
}

// I1: a batch that is refused has changed nothing, whatever it was refused for.
func testRefusedBatchLeavesNothing(t *testing.T, start Start) {
	f := newFixture(t, start)
	other := f.acquire(f.Store, "m-2")
	if err := f.Commit(t.Context(), other, store.Batch{Model: "m-2", Revision: 7, History: []byte("{}")}); err == nil {
		t.Error("revision 7 of a new model was committed")
	}
	f.commit(batch(1, entity("unit", "web/0", `1`)))
	before := f.load(model)
	b := batch(3, entity("unit", "web/0", `2`), entity("unit", "web/1", `2`))
	b.Deletes = []store.Key{{Kind: "unit", ID: "web/9"}}
	f.refused(f.Commit(t.Context(), f.own, b), store.ErrRevision, kith.Conflict)

	after := f.load(model)
	if after.Revision != 1 || !same(after.Entities, before.Entities) || after.StoreRevision != before.StoreRevision {
		t.Errorf("was %+v, is %+v", before, after)
	}
	if got := f.history(0, 100, 0, store.OldestFirst); len(got) != 1 {
		t.Errorf("got history %v", got)
	}
	if models, err := f.Models(t.Context()); err != nil || !slices.Equal(models, []kith.ModelUUID{model}) {
		t.Errorf("got models %v, %v", models, err)
	}
}

func testMalformedBatch(t *testing.T, start Start) {
	f := newFixture(t, start)
	twice := batch(1, entity("unit", "web/0", `1`))
	twice.Deletes = []store.Key{{Kind: "unit", ID: "web/0"}}
	wrong := batch(1)
	wrong.Model = "m-2"
	silent := batch(1, entity("unit", "web/0", `1`))
	silent.History = nil
	for name, b := range map[string]store.Batch{ // any order: each is refused for itself
		"no kind":           batch(1, entity("", "x", `1`)),
		"kind of two words": batch(1, entity("a/b", "x", `1`)),
		"kind owner":        batch(1, entity("owner", "x", `1`)),
		"kind revision":     batch(1, entity("revision", "x", `1`)),
		"kind history":      batch(1, entity("history", "00000000000000000001", `1`)),
		"no id":             batch(1, entity("unit", "", `1`)),
		"id with NUL":       batch(1, entity("unit", "a\x00b", `1`)),
		"id not UTF-8":      batch(1, entity("unit", "\xff", `1`)),
		"put twice":         batch(1, entity("unit", "web/0", `1`), entity("unit", "web/0", `2`)),
		"put and deleted":   twice,
		"revision 0":        batch(0),
		"another model":     wrong,
		"no record":         silent,
	} {
		if err := f.Commit(t.Context(), f.own, b); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, bad := range []kith.ModelUUID{"", "a/b", "UPPER", "a b"} {
		if _, err := f.Own(t.Context(), bad); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("own %q: got %v", bad, err)
		}
	}
	if snap := f.load(model); snap.Revision != 0 {
		t.Errorf("got revision %d", snap.Revision)
	}
}

// I1, I6: after any batches the model is what a plain map would be, and so is what a
// watcher makes of the events.
func testRandomBatches(t *testing.T, start Start) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	f := newFixture(t, start)
	from := f.load(model).StoreRevision
	const batches = 60
	want := map[store.Key]string{}
	for rev := uint64(1); rev <= batches; rev++ {
		b := batch(rev)
		for _, n := range rnd.Perm(30)[:rnd.IntN(12)] {
			k := store.Key{Kind: fmt.Sprintf("k%d", n%3), ID: fmt.Sprintf("id/%d", n)}
			if rnd.IntN(3) == 0 {
				b.Deletes = append(b.Deletes, k)
				delete(want, k)
			} else {
				v := fmt.Sprintf(`{"v":%d}`, rnd.IntN(1000))
				b.Puts = append(b.Puts, store.Entity{Key: k, Value: []byte(v)})
				want[k] = v
			}
		}
		f.commit(b)
	}
	loaded := map[store.Key]string{}
	for _, e := range f.load(model).Entities {
		loaded[e.Key] = string(e.Value)
	}
	if !maps.Equal(loaded, want) {
		t.Errorf("loaded %v, want %v", loaded, want)
	}
	events, err := take(t.Context(), f.Store, model, from, batches)
	if err != nil {
		t.Fatal(err)
	}
	watched := map[store.Key]string{}
	for _, e := range events {
		for _, p := range e.Puts {
			watched[p.Key] = string(p.Value)
		}
		for _, k := range e.Deletes {
			delete(watched, k)
		}
	}
	if !maps.Equal(watched, want) {
		t.Errorf("watched %v, want %v", watched, want)
	}
}

// I3: only the next revision is accepted; a batch sent twice is applied once.
func testRevision(t *testing.T, start Start) {
	f := newFixture(t, start)
	f.refused(f.Commit(t.Context(), f.own, batch(2)), store.ErrRevision, kith.Conflict)
	f.commit(batch(1))
	f.refused(f.Commit(t.Context(), f.own, batch(1)), store.ErrRevision, kith.Conflict)
	err := f.Commit(t.Context(), f.own, batch(3))
	f.refused(err, store.ErrRevision, kith.Conflict)
	if want := fmt.Sprintf("cannot commit revision 3 of model %q: the model is at revision 1", model); err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	f.commit(batch(2))
	if snap := f.load(model); snap.Revision != 2 {
		t.Errorf("got revision %d", snap.Revision)
	}
}

// I3: of batches that race for a revision one wins, and only that one is there.
func testRacingCommits(t *testing.T, start Start) {
	f := newFixture(t, start)
	const racers = 8
	for rev := uint64(1); rev <= 10; rev++ {
		won := make([]bool, racers)
		var racing sync.WaitGroup
		for i := range racers {
			racing.Go(func() {
				err := f.Commit(t.Context(), f.own, batch(rev, entity("unit", fmt.Sprintf("web/%d", i), fmt.Sprint(rev))))
				if won[i] = err == nil; err != nil && !errors.Is(err, store.ErrRevision) {
					t.Error(err)
				}
			})
		}
		racing.Wait()
		var written []bool
		for i := range racers {
			written = append(written, slices.ContainsFunc(f.load(model).Entities, func(e store.Entity) bool {
				return e.ID == fmt.Sprintf("web/%d", i) && string(e.Value) == fmt.Sprint(rev)
			}))
		}
		if n := len(slices.DeleteFunc(slices.Clone(won), func(w bool) bool { return !w })); n != 1 || !reflect.DeepEqual(won, written) {
			t.Fatalf("revision %d: won %v, written %v", rev, won, written)
		}
	}
}

func testConcurrentModels(t *testing.T, start Start) {
	f := newFixture(t, start)
	const models, batches = 8, 30
	var working sync.WaitGroup
	for n := range models {
		working.Go(func() {
			id := kith.ModelUUID(fmt.Sprintf("m-%d", n))
			own, err := f.Own(t.Context(), id)
			for rev := uint64(1); rev <= batches && err == nil; rev++ {
				err = f.Commit(t.Context(), own, store.Batch{Model: id, Revision: rev, History: record(rev), Puts: []store.Entity{entity("unit", fmt.Sprintf("u/%d", rev%7), fmt.Sprint(n))}})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	working.Wait()
	listed, err := f.Models(t.Context())
	if err != nil || len(listed) != models || !slices.IsSorted(listed) {
		t.Errorf("got models %v, %v", listed, err)
	}
	for n := range models {
		snap := f.load(kith.ModelUUID(fmt.Sprintf("m-%d", n)))
		if snap.Revision != batches || len(snap.Entities) != 7 || string(snap.Entities[0].Value) != fmt.Sprint(n) {
			t.Errorf("model %d: got %+v", n, snap)
		}
	}
}

// A removed model is gone with its history and its owner; its name is free.
func testRemoveModel(t *testing.T, start Start) {
	f := newFixture(t, start)
	f.commit(batch(1, entity("unit", "web/0", `1`)))
	longer := model + "0" // a name that starts with the other's
	own := f.acquire(f.Store, longer)
	if err := f.Commit(t.Context(), own, store.Batch{Model: longer, Revision: 1, History: record(1), Puts: []store.Entity{entity("unit", "web/0", `1`)}}); err != nil {
		t.Fatal(err)
	}
	if err := f.RemoveModel(t.Context(), f.own); err != nil {
		t.Fatal(err)
	}
	if snap := f.load(model); snap.Revision != 0 || len(snap.Entities) != 0 {
		t.Errorf("got %+v", snap)
	}
	if got := f.history(0, 10, 0, store.OldestFirst); len(got) != 0 {
		t.Errorf("got history %v", got)
	}
	if models, err := f.Models(t.Context()); err != nil || !slices.Equal(models, []kith.ModelUUID{longer}) {
		t.Errorf("got models %v, %v", models, err)
	}
	f.refused(f.Commit(t.Context(), f.own, batch(2)), store.ErrFenced, kith.Conflict)
	f.refused(f.RemoveModel(t.Context(), f.own), store.ErrFenced, kith.Conflict)
	if snap := f.load(longer); snap.Revision != 1 || len(snap.Entities) != 1 {
		t.Errorf("the other model: got %+v", snap)
	}
	f.own = f.acquire(f.Store, model)
	f.commit(batch(1))
}

// A databag may have 16 MiB, and the record of its change too.
func testBigValues(t *testing.T, start Start) {
	f := newFixture(t, start)
	from := f.load(model).StoreRevision
	big := append(append([]byte{'"'}, bytes.Repeat([]byte("kith "), 16<<20/5)...), '"')
	b := batch(1, store.Entity{Key: store.Key{Kind: "databag", ID: "3/web/0"}, Value: big})
	b.History = big
	f.commit(b)
	if got := f.load(model).Entities; len(got) != 1 || !bytes.Equal(got[0].Value, big) {
		t.Error("loaded something else")
	}
	if got := f.history(1, 1, 1, store.NewestFirst); len(got) != 1 || !bytes.Equal(got[0].Value, big) {
		t.Error("the history has something else")
	}
	events, err := take(t.Context(), f.Store, model, from, 1)
	if err != nil || len(events) != 1 || !bytes.Equal(events[0].History, big) || !bytes.Equal(events[0].Puts[0].Value, big) {
		t.Errorf("watched something else, %v", err)
	}
}

func testClosed(t *testing.T, start Start) {
	f := newFixture(t, start)
	if err := f.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Store.Close(); err != nil {
		t.Error("closed twice:", err)
	}
	_, err := f.Load(t.Context(), model)
	f.refused(err, nil, kith.Unavailable)
	_, err = f.Own(t.Context(), model)
	f.refused(err, nil, kith.Unavailable)
	err = f.Commit(t.Context(), f.own, batch(1))
	f.refused(err, nil, kith.Unavailable)
	if errors.Is(err, store.ErrUnknown) {
		t.Error("the outcome is known: nothing was sent")
	}
}

// A call whose context has ended does nothing, and says so.
func testCanceled(t *testing.T, start Start) {
	f := newFixture(t, start)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := f.Commit(ctx, f.own, batch(1))
	f.refused(err, context.Canceled, kith.Unavailable)
	if errors.Is(err, store.ErrUnknown) {
		t.Error("the outcome is known: nothing was sent")
	}
	_, err = f.Load(ctx, model)
	f.refused(err, context.Canceled, kith.Unavailable)
	f.commit(batch(1))
}
