package controller

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"sort"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// pageRecords is how many records one read of history asks for.
const pageRecords = 256

// History reads a part of what was done to the model.
func (m *Model) History(ctx context.Context, q api.HistoryQuery) (api.HistoryReply, error) {
	if q.Limit <= 0 || q.Limit > api.MaxHistory {
		q.Limit = api.MaxHistory
	}
	if q.To == 0 {
		q.To = math.MaxUint64
	}
	reply := api.HistoryReply{Revision: m.Snapshot().Revision, Entries: []api.HistoryEntry{}}
	oldest, err := m.ctl.opt.Store.History(ctx, m.ID, 0, math.MaxUint64, 1, store.OldestFirst)
	if err != nil || len(oldest) == 0 {
		return reply, err
	}
	r, err := parseRecord(oldest[0])
	if err != nil {
		return reply, err
	}
	reply.Horizon = r.first()
	err = m.scan(ctx, q, func(e json.RawMessage, _ uint64) bool {
		if len(reply.Entries) == q.Limit {
			reply.More = true
			return false
		}
		reply.Entries = append(reply.Entries, e)
		return true
	})
	return reply, err
}

// scan calls take with the entries of a range of revisions, in the order asked
// for, until it returns false.
func (m *Model) scan(ctx context.Context, q api.HistoryQuery, take func(e json.RawMessage, revision uint64) bool) error {
	from, to, err := m.records(ctx, q.From, q.To)
	if err != nil {
		return err
	}
	order := store.OldestFirst
	if q.Newest {
		order = store.NewestFirst
	}
	for from <= to {
		page, err := m.ctl.opt.Store.History(ctx, m.ID, from, to, pageRecords, order)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, stored := range page {
			r, err := parseRecord(stored)
			if err != nil {
				return err
			}
			if q.Newest {
				slices.Reverse(r.Entries)
			}
			for i, e := range r.Entries {
				revision := r.first() + uint64(i)
				if q.Newest {
					revision = r.Last - uint64(i)
				}
				if revision >= q.From && revision <= q.To && !take(e, revision) {
					return nil
				}
			}
		}
		if last := page[len(page)-1].Revision; q.Newest {
			to = last - 1
		} else {
			from = last + 1
		}
	}
	return nil
}

// records finds which records hold a range of revisions. The store numbers
// batches and the model numbers commands, so the place is searched: the numbers
// of both grow together.
func (m *Model) records(ctx context.Context, from, to uint64) (first, last uint64, err error) {
	newest, err := m.ctl.opt.Store.History(ctx, m.ID, 0, math.MaxUint64, 1, store.NewestFirst)
	if err != nil || len(newest) == 0 {
		return 1, 0, err
	}
	last = newest[0].Revision
	find := func(revision uint64) (uint64, error) {
		var failed error
		n := sort.Search(int(last), func(i int) bool {
			if failed != nil {
				return true
			}
			r, ok, err := m.recordFrom(ctx, uint64(i)+1)
			failed = err
			return err == nil && (!ok || r.Last >= revision)
		})
		return uint64(n) + 1, failed
	}
	if first, err = find(from); err != nil {
		return 0, 0, err
	}
	if to < m.Snapshot().Revision {
		end, err := find(to)
		if err != nil {
			return 0, 0, err
		}
		last = min(last, end)
	}
	return first, last, nil
}

// recordFrom is the first record of a batch or a later one. What was pruned counts
// as older than anything asked for.
func (m *Model) recordFrom(ctx context.Context, batch uint64) (record, bool, error) {
	records, err := m.ctl.opt.Store.History(ctx, m.ID, batch, math.MaxUint64, 1, store.OldestFirst)
	if err != nil || len(records) == 0 {
		return record{}, false, err
	}
	r, err := parseRecord(records[0])
	return r, true, err
}

// maxStatusScan bounds how many entries back one status log looks.
const maxStatusScan = 100_000

// StatusLog reads past statuses of an entity from history, oldest first.
func (m *Model) StatusLog(ctx context.Context, q api.StatusLogQuery) ([]api.StatusLogEntry, error) {
	if q.Limit <= 0 {
		q.Limit = 20
	}
	if len(q.Types) == 0 {
		q.Types = []api.StatusType{api.StatusAgent, api.StatusWorkload}
	}
	log := []api.StatusLogEntry{}
	seen := 0
	var failed error
	err := m.scan(ctx, api.HistoryQuery{To: math.MaxUint64, Newest: true}, func(raw json.RawMessage, _ uint64) bool {
		var e core.Entry
		if failed = json.Unmarshal(raw, &e); failed != nil {
			return false
		}
		if seen++; seen > maxStatusScan || e.Time.Before(q.Since) {
			return false
		}
		for _, s := range slices.Backward(statusesOf(e, q)) {
			log = prepend(log, s)
		}
		return len(log) < q.Limit
	})
	if err == nil {
		err = failed
	}
	log = log[:min(len(log), q.Limit)]
	slices.Reverse(log)
	return log, err
}

// prepend adds what was before all of log, which is newest first. An agent that was idle already when
// it became idle, as after a hook that the charm does not have, was so from the first time on.
func prepend(log []api.StatusLogEntry, s api.StatusLogEntry) []api.StatusLogEntry {
	if s.Type == api.StatusAgent {
		for i := len(log) - 1; i >= 0; i-- {
			if log[i].Type != api.StatusAgent {
				continue
			}
			if s.Current == kith.Idle && log[i].Current == kith.Idle {
				log = slices.Delete(log, i, i+1)
			}
			break
		}
	}
	return append(log, s)
}

// statusesOf are the statuses one command gave to the entity of q.
func statusesOf(e core.Entry, q api.StatusLogQuery) []api.StatusLogEntry {
	var log []api.StatusLogEntry
	tell := func(s api.StatusLogEntry) {
		if slices.Contains(q.Types, s.Type) {
			log = append(log, s)
		}
	}
	add := func(t api.StatusType, s core.Status) { tell(api.StatusLogEntry{Type: t, Status: s}) }
	if h := e.Hook; h != nil && string(h.Unit) == q.Entity {
		if s, ok := api.AgentStatusOf(e); ok {
			add(api.StatusAgent, s)
		}
	}
	for _, d := range e.Deltas {
		switch {
		case d.Kind == core.KindUnit && d.ID == q.Entity:
			if d.Action == core.Added {
				add(api.StatusAgent, core.Status{Current: "allocating", Since: e.Time})
			}
			if d.Status != nil {
				add(api.StatusWorkload, *d.Status)
			}
		case d.Kind == core.KindApp && d.ID == q.Entity && d.Status != nil:
			add(api.StatusApp, *d.Status)
		case d.Kind == core.KindModel && q.Entity == "" && d.Action == core.Added:
			add(api.StatusModel, core.Status{Current: api.Available, Since: e.Time})
		case d.Kind == core.KindModel && q.Entity == "" && d.Life != "":
			add(api.StatusModel, core.Status{Current: api.Destroying, Since: e.Time})
		case d.Kind == core.KindProgress && d.ID == q.Entity && d.Failure != "":
			hook := d.Hook
			if hook == nil && e.Hook != nil {
				hook = &e.Hook.Hook
			}
			if hook != nil {
				tell(api.StatusLogEntry{Type: api.StatusWorkload, Data: api.FailureData(*hook),
					Status: core.Status{Current: kith.Errored, Message: api.FailedMessage(*hook), Since: e.Time}})
			}
		}
	}
	return log
}
