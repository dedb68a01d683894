package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// revisions: batches, and commands in them, are numbered without a gap, time
// does not go back in them, and what a reader is shown never goes back.
type revisions struct {
	shown map[*process]uint64
}

func (*revisions) name() string { return "revisions" }

func (*revisions) batch(l *ledger, b store.Batch, r record) string {
	if b.Revision != l.batch+1 || r.Last != l.revision+uint64(len(r.Entries)) {
		return fmt.Sprintf("batch %d up to revision %d follows batch %d up to revision %d", b.Revision, r.Last, l.batch, l.revision)
	}
	return ""
}

func (*revisions) entry(l *ledger, e *core.Entry) string {
	if e.Revision != l.revision+1 {
		return fmt.Sprintf("revision %d follows %d", e.Revision, l.revision)
	}
	if last := l.at(l.revision); last != nil && e.Time.Before(last.Time) {
		return fmt.Sprintf("revision %d is of %s, and the one before of %s", e.Revision, e.Time, last.Time)
	}
	if e.Cause > e.Revision {
		return fmt.Sprintf("revision %d was caused by %d", e.Revision, e.Cause)
	}
	return ""
}

func (c *revisions) turned(w *World, p *process) string {
	if c.shown == nil {
		c.shown = map[*process]uint64{}
	}
	now := p.engine.Snapshot().Revision
	if was := c.shown[p]; now < was {
		return fmt.Sprintf("%s shows revision %d after %d", p, now, was)
	}
	c.shown[p] = now
	if now > w.ledger.revision {
		return fmt.Sprintf("%s shows revision %d, and the store has %d", p, now, w.ledger.revision)
	}
	return ""
}

// fenced: only who owns the model writes to it, and an earlier ownership never does again.
type fenced struct{}

func (fenced) name() string { return "fenced" }

func (fenced) batch(l *ledger, b store.Batch, r record) string {
	if r.Epoch < l.epoch || r.Epoch != l.w.epoch {
		return fmt.Sprintf("batch %d was written under ownership %d; the one before under %d, and %d holds now",
			b.Revision, r.Epoch, l.epoch, l.w.epoch)
	}
	return ""
}

// storeAgrees: a model loaded from the store is the one its controller shows, and
// the store's history is what went into it.
type storeAgrees struct{ turns int }

func (*storeAgrees) name() string { return "store-agrees" }

// everyTurns is how often the whole model is compared; it costs as much as the model is large.
const everyTurns = 256

func (c *storeAgrees) turned(_ *World, p *process) string {
	if c.turns++; c.turns%everyTurns != 0 || p.flight != nil && p.flight.sent || !p.serves() {
		return ""
	}
	return sameEntities(p)
}

func (*storeAgrees) rested(w *World, p *process) string {
	if bad := sameEntities(p); bad != "" {
		return bad
	}
	records, err := p.store.Store.History(context.Background(), modelID, 0, math.MaxUint64, 0, store.OldestFirst)
	if err != nil || len(records) != len(w.ledger.records) {
		return fmt.Sprintf("the store has %d records of history, and has taken %d: %v", len(records), len(w.ledger.records), err)
	}
	for i, r := range records {
		if r.Revision != w.ledger.records[i].Revision || !bytes.Equal(r.Value, w.ledger.records[i].Value) {
			return fmt.Sprintf("record %d of history is not what was written", r.Revision)
		}
	}
	return ""
}

func sameEntities(p *process) string {
	snap, err := p.store.Store.Load(context.Background(), modelID)
	if err != nil {
		return err.Error()
	}
	stored := make(map[string][]byte, len(snap.Entities))
	for _, e := range snap.Entities {
		stored[e.Key.String()] = e.Value
	}
	for _, e := range core.Entities(p.engine.Snapshot()) {
		key := string(e.Key().Kind) + "/" + e.Key().ID
		value, err := json.Marshal(e)
		if err != nil {
			return err.Error()
		}
		if e.Key().Kind == core.KindSecretContent && stored[key] != nil {
			if stored[key], err = p.w.sealer.Open(e.Key().ID, stored[key]); err != nil {
				return err.Error()
			}
		}
		if !bytes.Equal(value, stored[key]) {
			return fmt.Sprintf("%s is %s to the controller, and %s in the store", key, value, stored[key])
		}
		delete(stored, key)
	}
	for key, value := range stored {
		return fmt.Sprintf("%s is in the store (%s), and not with the controller", key, value)
	}
	return ""
}

// nothingLeft: when every application has been removed, nothing of them remains.
type nothingLeft struct{}

func (nothingLeft) name() string { return "nothing-left" }

func (nothingLeft) empty(m *core.Model) string {
	for _, e := range core.Entities(m) {
		switch k := e.Key(); k.Kind {
		case core.KindModel, core.KindCharm, core.KindHost, core.KindContract: // these are the model's
		case core.KindOperation, core.KindTask, core.KindTaskLog: // kept until they are pruned
		case core.KindSecret, core.KindSecretRevision, core.KindSecretContent:
			if owner := ownerIn(m, k.ID); owner.Kind != core.OwnerModel { // a user's stays
				return fmt.Sprintf("%s/%s of %s is left after everything was removed", k.Kind, k.ID, owner)
			}
		default:
			return fmt.Sprintf("%s/%s is left after everything was removed", k.Kind, k.ID)
		}
	}
	return ""
}

// ownerIn is who owns the secret of an entity with that id.
func ownerIn(m *core.Model, id string) core.SecretOwner {
	secret, _, _ := strings.Cut(id, "/")
	if s := m.Secret(kith.SecretID(secret)); s != nil {
		return s.Owner
	}
	return core.SecretOwner{}
}
