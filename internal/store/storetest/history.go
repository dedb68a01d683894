package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/store"
)

func revisions(records []store.Record) []uint64 {
	var revs []uint64
	for _, r := range records {
		revs = append(revs, r.Revision)
	}
	return revs
}

func upTo(from, to uint64) []uint64 {
	var revs []uint64
	for r := from; r <= to; r++ {
		revs = append(revs, r)
	}
	return revs
}

func reversed(revs []uint64) []uint64 {
	slices.Reverse(revs)
	return revs
}

// I1: each batch has its record; they are read by range, from either end.
func testHistory(t *testing.T, start Start) {
	f := newFixture(t, start)
	const batches = 200
	for rev := uint64(1); rev <= batches; rev++ {
		f.commit(batch(rev))
	}
	for _, c := range []struct {
		from, to uint64
		limit    int
		order    store.Order
		want     []uint64
	}{
		{0, math.MaxUint64, 0, store.OldestFirst, upTo(1, batches)},
		{0, math.MaxUint64, 0, store.NewestFirst, reversed(upTo(1, batches))},
		{10, 12, 0, store.OldestFirst, []uint64{10, 11, 12}},
		{10, 12, 2, store.OldestFirst, []uint64{10, 11}},
		{10, 12, 2, store.NewestFirst, []uint64{12, 11}},
		{0, math.MaxUint64, 3, store.NewestFirst, []uint64{200, 199, 198}},
		{0, 150, 70, store.NewestFirst, reversed(upTo(81, 150))},
		{150, 180, 0, store.NewestFirst, reversed(upTo(150, 180))},
		{199, 900, 0, store.OldestFirst, []uint64{199, 200}},
		{201, 900, 0, store.OldestFirst, nil},
		{201, 900, 0, store.NewestFirst, nil},
		{12, 10, 0, store.OldestFirst, nil},
	} {
		got := f.history(c.from, c.to, c.limit, c.order)
		if !slices.Equal(revisions(got), c.want) {
			t.Errorf("%+v: got %v", c, revisions(got))
		}
		for _, r := range got {
			if string(r.Value) != string(record(r.Revision)) {
				t.Errorf("%d: got %s", r.Revision, r.Value)
			}
		}
	}
}

// Pruning shortens the history from its old end and touches nothing else.
func testPruneHistory(t *testing.T, start Start) {
	f := newFixture(t, start)
	if err := f.PruneHistory(t.Context(), f.own, 100); err != nil {
		t.Error("no history yet:", err)
	}
	for rev := uint64(1); rev <= 20; rev++ {
		f.commit(batch(rev, entity("unit", "web/0", fmt.Sprint(rev))))
	}
	snap := f.load(model)
	for _, c := range []struct{ before, oldest uint64 }{{0, 1}, {1, 1}, {11, 11}, {5, 11}, {20, 20}} {
		if err := f.PruneHistory(t.Context(), f.own, c.before); err != nil {
			t.Fatal(err)
		}
		if got := revisions(f.history(0, 100, 0, store.OldestFirst)); !slices.Equal(got, upTo(c.oldest, 20)) {
			t.Errorf("before %d: got %v", c.before, got)
		}
	}
	if after := f.load(model); after.Revision != 20 || !same(after.Entities, snap.Entities) {
		t.Errorf("got %+v", after)
	}
	f.commit(batch(21))
	if err := f.PruneHistory(t.Context(), f.own, math.MaxUint64); err != nil {
		t.Fatal(err)
	}
	if got := revisions(f.history(0, 100, 0, store.NewestFirst)); !slices.Equal(got, []uint64{21}) {
		t.Errorf("the newest record holds the model's revision; got %v", got)
	}
	if snap := f.load(model); snap.Revision != 21 {
		t.Errorf("got revision %d", snap.Revision)
	}
	f.refused(f.Commit(t.Context(), f.own, batch(21)), store.ErrRevision, kith.Conflict)
	f.refused(f.Commit(t.Context(), f.own, batch(1)), store.ErrRevision, kith.Conflict)
	f.commit(batch(22))
	// A watcher is told of batches, not of pruning.
	events, err := take(t.Context(), f.Store, model, snap.StoreRevision, 2)
	if err != nil || events[0].Revision != 21 || events[1].Revision != 22 {
		t.Errorf("got %+v, %v", events, err)
	}
}

// I8: what is larger than the limits is refused by name and value; what just fits is not.
func testLimitBytes(t *testing.T, start Start) {
	limits := store.Limits{MaxTxnBytes: 1 << 18, MaxTxnOps: 30 * 128}
	f := limited(t, start, limits)
	fill := func(b *store.Batch, total int) {
		b.Puts[len(b.Puts)-1].Value = nil
		b.Puts[len(b.Puts)-1].Value = []byte(`"` + strings.Repeat("x", total-b.Bytes()-2) + `"`)
	}
	fits := batch(1, entity("databag", "3/web/0", `""`), entity("unit", "u", ``))
	fill(&fits, limits.MaxTxnBytes)
	f.commit(fits)
	// Batch.Bytes must not be too small an estimate for many small things either.
	small := batch(2)
	for size := small.Bytes(); size < limits.MaxTxnBytes-200; {
		e := entity("u", fmt.Sprint(len(small.Puts)), ``)
		small.Puts = append(small.Puts, e)
		size += store.EntityBytes(model, e.Key, 0)
	}
	f.commit(small)
	large := batch(3, entity("unit", "u", ``))
	fill(&large, limits.MaxTxnBytes+1)
	err := f.Commit(t.Context(), f.own, large)
	f.refused(err, store.ErrTooLarge, kith.Invalid)
	if !strings.Contains(err.Error(), "request size limit of 262144 bytes") || !strings.Contains(kith.HintOf(err), "--max-request-bytes") {
		t.Errorf("got %v, hint %s", err, kith.HintOf(err))
	}
	if snap := f.load(model); snap.Revision != 2 {
		t.Errorf("got revision %d", snap.Revision)
	}
}

func testLimitOps(t *testing.T, start Start) {
	limits := store.Limits{MaxTxnBytes: 1 << 20, MaxTxnOps: 256}
	f := limited(t, start, limits)
	many := func(rev uint64, n int) store.Batch {
		b := batch(rev)
		for i := range n {
			if i%2 == 0 {
				b.Puts = append(b.Puts, entity("unit", fmt.Sprint(i), `1`))
			} else {
				b.Deletes = append(b.Deletes, store.Key{Kind: "unit", ID: fmt.Sprint(i)})
			}
		}
		return b
	}
	empty := many(1, 0)
	most := limits.MaxTxnOps - empty.Ops()
	f.commit(many(1, most))
	err := f.Commit(t.Context(), f.own, many(2, most+1))
	f.refused(err, store.ErrTooLarge, kith.Invalid)
	if !strings.Contains(err.Error(), "limit of 256 operations") || !strings.Contains(kith.HintOf(err), "--max-txn-ops") {
		t.Errorf("got %v, hint %s", err, kith.HintOf(err))
	}
}

func limited(t *testing.T, start Start, limits store.Limits) *fixture {
	server := start(t, limits)
	f := &fixture{T: t, Server: server, Store: open(t, server, alice)}
	if got := f.Limits(); got != limits {
		t.Errorf("limits are %+v, want %+v", got, limits)
	}
	f.own = f.acquire(f.Store, model)
	return f
}
