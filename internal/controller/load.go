package controller

import (
	"context"
	"encoding/json"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// load reads a model: its entities, its revision, and the store's revision that
// the next batch builds on. A model that was never written is empty.
func load(ctx context.Context, st store.Store, model kith.ModelUUID, sealer *Sealer) (m *core.Model, batch uint64, err error) {
	snap, err := st.Load(ctx, model)
	if err != nil {
		return nil, 0, err
	}
	m = &core.Model{}
	for _, e := range snap.Entities {
		value, err := e.Value, error(nil)
		if core.Kind(e.Kind) == core.KindSecretContent {
			value, err = sealer.Open(e.ID, e.Value)
		}
		if err != nil {
			return nil, 0, err
		}
		entity, err := core.Decode(core.Kind(e.Kind), e.ID, value)
		if err != nil {
			return nil, 0, err
		}
		core.Apply(m, core.Put(entity))
	}
	if snap.Revision == 0 {
		return m, 0, nil
	}
	records, err := st.History(ctx, model, snap.Revision, snap.Revision, 1, store.NewestFirst)
	if err != nil {
		return nil, 0, err
	}
	if len(records) != 1 {
		return nil, 0, damaged(model, "the history record of its newest batch is missing")
	}
	r, err := parseRecord(records[0])
	if err != nil {
		return nil, 0, err
	}
	m.Revision = r.Last
	return m, snap.Revision, nil
}

func parseRecord(stored store.Record) (record, error) {
	var r record
	if err := json.Unmarshal(stored.Value, &r); err != nil || r.Last == 0 || uint64(len(r.Entries)) > r.Last {
		return r, kith.Errorf(kith.Internal, "cannot read history record %d", stored.Revision).
			WithHint("the store is damaged; restore it from a backup")
	}
	return r, nil
}

// first is the revision of the record's first entry.
func (r record) first() uint64 { return r.Last - uint64(len(r.Entries)) + 1 }

func damaged(model kith.ModelUUID, why string) error {
	return kith.Errorf(kith.Internal, "cannot load model %q: %s", model, why).
		WithHint("the store is damaged; restore it from a backup")
}

// recordTime is when a record was written, as its last entry says; zero if it says nothing.
func recordTime(stored store.Record) time.Time {
	r, err := parseRecord(stored)
	if err != nil || len(r.Entries) == 0 {
		return time.Time{}
	}
	var e struct {
		Time time.Time `json:"time"`
	}
	if json.Unmarshal(r.Entries[len(r.Entries)-1], &e) != nil {
		return time.Time{}
	}
	return e.Time
}
