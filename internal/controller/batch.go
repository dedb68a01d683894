package controller

import (
	"encoding/json"
	"strconv"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// Request is a command on its way. Answer is called once, by whoever turns the
// engine; it must not block.
type Request struct {
	Actor  core.Actor
	Op     core.Op
	Answer func(api.CommandReply, error)

	submitted time.Time
	own       bool // the controller's own bookkeeping: it keeps a model from being settled, and is no load
}

// decided is a request whose outcome stands as soon as its batch is durable.
type decided struct {
	*Request
	reply api.CommandReply
	err   error
}

// The size at which a batch is closed though more commands wait: past it, a
// larger write delays everybody more than it saves.
const (
	softBytes = 4 << 20
	softOps   = 4096
)

// batch gathers decided commands and the newest row of each entity they changed.
type batch struct {
	model   kith.ModelUUID
	decided []decided
	changes []core.Change // one for each key, in order of first change
	values  [][]byte      // JSON of changes, nil for a delete
	at      map[core.Key]int
	entries []json.RawMessage
	bytes   int // as store.Limits counts them
	ops     int
}

// record is one history record: what one batch did. Its revisions go from the
// first entry's to the last one's, without a gap.
type record struct {
	// Epoch is the ownership under which it was written. With the revisions it tells
	// a batch from any other that could stand in its place.
	Epoch   int64             `json:"epoch"`
	Last    uint64            `json:"last"`
	Entries []json.RawMessage `json:"entries"`
}

// recordOverhead is what a record adds to the JSON of its entries.
const recordOverhead = 128

func newBatch(model kith.ModelUUID) *batch {
	empty := store.Batch{Model: model}
	return &batch{model: model, at: make(map[core.Key]int), bytes: empty.Bytes() + recordOverhead, ops: empty.Ops()}
}

// encoded is what a command adds to a batch, in stored form.
type encoded struct {
	values [][]byte
	entry  json.RawMessage
}

func (enc encoder) encode(entry core.Entry, changes []core.Change) (encoded, error) {
	e := encoded{values: make([][]byte, len(changes))}
	var err error
	if e.entry, err = enc.marshal(entry); err != nil {
		return e, err
	}
	for i, c := range changes {
		if c.Entity == nil {
			continue
		}
		if e.values[i], err = enc.marshal(c.Entity); err != nil {
			return e, err
		}
	}
	return e, nil
}

// size is how many bytes and operations the batch has with these changes added.
func (b *batch) size(changes []core.Change, e encoded) (bytes, ops int) {
	bytes, ops = b.bytes+len(e.entry)+1, b.ops
	for i, c := range changes {
		if at, twice := b.at[c.Key]; twice {
			bytes += len(e.values[i]) - len(b.values[at])
			continue
		}
		bytes += store.EntityBytes(b.model, store.Key{Kind: string(c.Key.Kind), ID: c.Key.ID}, len(e.values[i]))
		ops++
	}
	return bytes, ops
}

func (b *batch) add(changes []core.Change, e encoded) {
	b.bytes, b.ops = b.size(changes, e)
	b.entries = append(b.entries, e.entry)
	for i, c := range changes {
		if at, twice := b.at[c.Key]; twice {
			b.changes[at], b.values[at] = c, e.values[i]
			continue
		}
		b.at[c.Key] = len(b.changes)
		b.changes = append(b.changes, c)
		b.values = append(b.values, e.values[i])
	}
}

// full reports whether it is time to write.
func (b *batch) full() bool { return b.bytes >= softBytes || b.ops >= softOps }

// store turns the batch into its stored form.
func (b *batch) store(revision uint64, epoch int64, last uint64) store.Batch {
	out := store.Batch{Model: b.model, Revision: revision, Puts: make([]store.Entity, 0, len(b.changes))}
	for i, c := range b.changes {
		key := store.Key{Kind: string(c.Key.Kind), ID: c.Key.ID}
		if c.Entity == nil {
			out.Deletes = append(out.Deletes, key)
		} else {
			out.Puts = append(out.Puts, store.Entity{Key: key, Value: b.values[i]})
		}
	}
	out.History = b.record(epoch, last)
	return out
}

// record is the JSON of a record, put together by hand: its entries are JSON already,
// and may hold large bags.
func (b *batch) record(epoch int64, last uint64) []byte {
	size := recordOverhead
	for _, e := range b.entries {
		size += len(e) + 1
	}
	out := make([]byte, 0, size)
	out = append(out, `{"epoch":`...)
	out = strconv.AppendInt(out, epoch, 10)
	out = append(out, `,"last":`...)
	out = strconv.AppendUint(out, last, 10)
	out = append(out, `,"entries":[`...)
	for i, e := range b.entries {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e...)
	}
	return append(out, "]}"...)
}
