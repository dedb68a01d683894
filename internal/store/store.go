package store

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"kith"
)

// Format is the number of the key layout and of the JSON forms stored in it. A store
// with an older number is upgraded, one with a newer number is not opened.
const Format = 2

// Key names an entity within its model. Kind is a word such as "unit"; ID may
// contain slashes: "web/0", "3/web/0".
type Key struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// String is "kind/id".
func (k Key) String() string { return k.Kind + "/" + k.ID }

// Entity is one stored thing. Value is JSON; the store does not look inside.
type Entity struct {
	Key
	Value json.RawMessage `json:"value"`
}

// Batch is what one Commit changes. No key may appear twice in it.
type Batch struct {
	Model    kith.ModelUUID
	Revision uint64 // the model's revision after this batch: one more than before it
	Puts     []Entity
	Deletes  []Key
	History  []byte // one JSON record; there is one for each batch
}

// Snapshot is everything of a model at one moment, but for its history.
type Snapshot struct {
	Revision      uint64 // the model's revision; 0 if nothing was ever committed
	StoreRevision int64  // where to watch from
	Entities      []Entity
}

// Event is one change of a model as a watcher sees it: a batch, a new or vanished
// owner, or the removal of the model.
type Event struct {
	StoreRevision int64           `json:"store-revision"`
	Revision      uint64          `json:"revision,omitempty"` // the model's revision; 0 if no batch was committed
	Puts          []Entity        `json:"puts,omitempty"`     // in key order
	Deletes       []Key           `json:"deletes,omitempty"`  // in key order
	History       json.RawMessage `json:"history,omitempty"`
	Owner         *Identity       `json:"owner,omitempty"`      // the new owner
	OwnerGone     bool            `json:"owner-gone,omitempty"` // nobody owns the model now
	Removed       bool            `json:"removed,omitempty"`    // the model is gone; the last event
}

// Record is one history record.
type Record struct {
	Revision uint64          `json:"revision"`
	Value    json.RawMessage `json:"value"`
}

// Identity names a controller and says where it can be reached. Two running
// controllers must never share an ID: each would take the other's models.
type Identity struct {
	ID      string `json:"id"`
	Address string `json:"address,omitempty"`
}

// Ownership is the right to commit to a model. It is a value: copy it freely.
type Ownership struct {
	Model kith.ModelUUID
	// Epoch grows with every acquisition in the store; an older epoch is fenced out.
	Epoch int64
	// Lost is closed when the owner's lease is gone: others may own the model now.
	// It stays open if a controller with the same identity took over; only a
	// commit tells that (ErrFenced).
	Lost <-chan struct{}
}

// Order says from which end History reads.
type Order bool

// The two orders.
const (
	OldestFirst Order = false
	NewestFirst Order = true
)

// Store keeps models. All methods may be called at once from many goroutines;
// commits to one model are to be made one after another by its owner.
//
// Every method may fail with Unavailable when the server is away.
type Store interface {
	// Limits says how large a batch may be; see [Limits.Check].
	Limits() Limits

	// Models lists the models that have ever been committed to and not removed, in order.
	Models(ctx context.Context) ([]kith.ModelUUID, error)

	// Own makes this store's identity the owner of the model, which need not exist
	// yet. An earlier ownership of the same identity is fenced out at once. Errors:
	// Conflict (ErrOwned) if another live controller owns it.
	Own(ctx context.Context, model kith.ModelUUID) (Ownership, error)

	// Owner says who owns the model. Errors: NotFound if nobody does.
	Owner(ctx context.Context, model kith.ModelUUID) (Identity, error)

	// Release gives ownership up, so that others need not wait for the lease to end.
	// Releasing what is no longer owned is no error.
	Release(ctx context.Context, own Ownership) error

	// Load returns the model at one moment. A model that does not exist is at revision 0.
	Load(ctx context.Context, model kith.ModelUUID) (Snapshot, error)

	// Commit applies the batch (I1 to I5, I8). Errors: Conflict (ErrFenced, ErrRevision),
	// Invalid (ErrTooLarge; or a malformed batch), Unavailable (ErrUnknown if it may have
	// been applied nevertheless).
	Commit(ctx context.Context, own Ownership, batch Batch) error

	// Watch yields what happens to the model after a store revision, and ends with the
	// one error that ended it: the context's, Unavailable, or ErrResync. It ends without
	// an error after the event that says the model was removed.
	Watch(ctx context.Context, model kith.ModelUUID, after int64) iter.Seq2[Event, error]

	// History returns at most limit records with from <= revision <= to, all if limit is 0.
	History(ctx context.Context, model kith.ModelUUID, from, to uint64, limit int, order Order) ([]Record, error)

	// PruneHistory deletes the records before a revision, but never the newest one, which
	// holds the model's revision. Errors: Conflict (ErrFenced).
	PruneHistory(ctx context.Context, own Ownership, before uint64) error

	// RemoveModel deletes everything of the model, its history and its ownership too.
	// Errors: Conflict (ErrFenced).
	RemoveModel(ctx context.Context, own Ownership) error

	// Close gives up every ownership and ends every watch. It does not close the server.
	Close() error
}

// sort puts an event's changes in key order, whatever order they were made in.
func (e *Event) sort() {
	slices.SortFunc(e.Puts, func(a, b Entity) int { return a.Key.compare(b.Key) })
	slices.SortFunc(e.Deletes, Key.compare)
}

// compare orders keys as etcd does: by the bytes of "kind/id".
func (k Key) compare(other Key) int { return strings.Compare(k.String(), other.String()) }
