package controller

import (
	"context"
	"math"
	"sort"
	"time"

	"kith/internal/store"
)

// Retention bounds the history kept of each model. A field that is zero does not bound.
type Retention struct {
	Records uint64        // batches
	Bytes   int64         // of their records
	Age     time.Duration // of the oldest
}

// DefaultRetention keeps what answers "why" for days of work. Records is what starting
// pays for: etcd reads every key it holds, which at this number takes about a tenth of a second.
var DefaultRetention = Retention{Records: 10_000, Bytes: 256 << 20, Age: 14 * 24 * time.Hour}

// pruneEvery is how often history is looked over. Between two looks it may
// exceed its bounds by what is written meanwhile.
const pruneEvery = 5 * time.Minute

// prune keeps the models' histories and operations within their bounds until ctx ends.
func (c *Controller) prune(ctx context.Context) {
	for {
		due, stop := c.opt.Clock.At(c.opt.Clock.Now().Add(pruneEvery))
		select {
		case <-due:
		case <-ctx.Done():
			stop()
			return
		}
		for _, m := range c.all() {
			if m.Ended() != nil {
				continue
			}
			if err := m.Prune(ctx); err != nil && ctx.Err() == nil {
				c.opt.Log.Warn("cannot prune history", "model", m.ID, "error", err)
			}
			if err := m.pruneTasks(ctx); err != nil && ctx.Err() == nil {
				c.opt.Log.Warn("cannot prune operations", "model", m.ID, "error", err)
			}
		}
	}
}

// Prune deletes history that exceeds the retention. The newest record always stays:
// it holds the model's revision.
func (m *Model) Prune(ctx context.Context) error {
	m.pruning.Lock()
	defer m.pruning.Unlock()
	oldest, newest, err := m.bounds(ctx)
	if err != nil || newest == nil {
		return err
	}
	keep, before := m.ctl.opt.Retention, oldest.Revision
	if n := newest.Revision; keep.Records > 0 && n-before >= keep.Records {
		before = n - keep.Records + 1
	}
	if limit := m.now().Add(-keep.Age); keep.Age > 0 && recordTime(*oldest).Before(limit) {
		young, err := m.firstSince(ctx, before, newest.Revision, limit)
		if err != nil {
			return err
		}
		before = max(before, young)
	}
	if keep.Bytes > 0 {
		small, err := m.firstWithin(ctx, before, keep.Bytes)
		if err != nil {
			return err
		}
		before = max(before, small)
	}
	if before = min(before, newest.Revision); before <= oldest.Revision {
		return nil
	}
	var own store.Ownership
	if err := m.do(ctx, func() { own = m.engine.own }); err != nil {
		return err
	}
	return m.ctl.opt.Store.PruneHistory(ctx, own, before)
}

// bounds are the oldest and the newest record; nil if there is none.
func (m *Model) bounds(ctx context.Context) (oldest, newest *store.Record, err error) {
	for _, end := range []struct {
		order store.Order
		into  **store.Record
	}{{store.OldestFirst, &oldest}, {store.NewestFirst, &newest}} {
		records, err := m.ctl.opt.Store.History(ctx, m.ID, 0, math.MaxUint64, 1, end.order)
		if err != nil || len(records) == 0 {
			return nil, nil, err
		}
		*end.into = &records[0]
	}
	return oldest, newest, nil
}

// firstSince is the first record that is not older than limit.
func (m *Model) firstSince(ctx context.Context, from, to uint64, limit time.Time) (uint64, error) {
	var failed error
	n := sort.Search(int(to-from), func(i int) bool {
		if failed != nil {
			return true
		}
		records, err := m.ctl.opt.Store.History(ctx, m.ID, from+uint64(i), to, 1, store.OldestFirst)
		failed = err
		return err != nil || len(records) == 0 || !recordTime(records[0]).Before(limit)
	})
	return from + uint64(n), failed
}

// firstWithin is the first record from which on all of them together have at most
// limit bytes. It reads only when what was counted, and what was written since, exceed it.
func (m *Model) firstWithin(ctx context.Context, from uint64, limit int64) (uint64, error) {
	var written int64
	if err := m.do(ctx, func() { written = m.engine.written }); err != nil {
		return 0, err
	}
	if m.counted && m.keptBytes+written-m.countedAt <= limit {
		return from, nil
	}
	// Back to nine tenths, so that not every look has to walk.
	m.keptBytes, m.countedAt, m.counted = 0, written, true
	to := uint64(math.MaxUint64)
	for {
		page, err := m.ctl.opt.Store.History(ctx, m.ID, from, to, pageRecords, store.NewestFirst)
		if err != nil || len(page) == 0 {
			m.counted = err == nil
			return from, err
		}
		for _, r := range page {
			if m.keptBytes+int64(len(r.Value)) > limit/10*9 {
				return r.Revision + 1, nil
			}
			m.keptBytes += int64(len(r.Value))
		}
		if to = page[len(page)-1].Revision - 1; to == 0 {
			return from, nil
		}
	}
}
