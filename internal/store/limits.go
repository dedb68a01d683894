package store

import "kith"

// Limits says how large one transaction may be.
type Limits struct {
	MaxTxnBytes int // as etcd counts them; see Batch.Bytes
	MaxTxnOps   int // as etcd counts them; see Batch.Ops
}

// What a batch costs beyond its keys and values. An etcd request wraps each
// operation in three nested messages (at most 6 bytes for each of the five length
// prefixes); the request itself carries an id and two comparisons.
const (
	opOverhead    = 30
	batchOverhead = 1024
	batchOps      = 2 // history record, index entry
)

// Bytes is an upper bound of the size of the batch as a request.
func (b *Batch) Bytes() int {
	prefix := len(modelsPrefix) + len(b.Model) + 1
	n := batchOverhead + 3*prefix + len(b.History)
	for _, e := range b.Puts {
		n += EntityBytes(b.Model, e.Key, len(e.Value))
	}
	for _, k := range b.Deletes {
		n += EntityBytes(b.Model, k, 0)
	}
	return n
}

// EntityBytes is what one put (or one delete, with size 0) adds to Batch.Bytes, for
// a caller that fills a batch up to the limits.
func EntityBytes(model kith.ModelUUID, k Key, size int) int {
	return len(modelsPrefix) + len(model) + 1 + len(k.Kind) + 1 + len(k.ID) + size + opOverhead
}

// Ops is the number of operations of the batch as a transaction.
func (b *Batch) Ops() int { return len(b.Puts) + len(b.Deletes) + batchOps }

// Check refuses a batch that does not fit. Errors: Invalid (ErrTooLarge).
func (l Limits) Check(b *Batch) error {
	if n := b.Bytes(); n > l.MaxTxnBytes {
		return tooLarge(b.Model, "request size", n, l.MaxTxnBytes, "bytes", "--max-request-bytes")
	}
	if n := b.Ops(); n > l.MaxTxnOps {
		return tooLarge(b.Model, "transaction size", n, l.MaxTxnOps, "operations", "--max-txn-ops")
	}
	return nil
}

func tooLarge(model kith.ModelUUID, limit string, n, most int, unit, flag string) error {
	return Because(ErrTooLarge, kith.Errorf(kith.Invalid, "cannot commit to model %q: %d %s exceed the store's %s limit of %d %s",
		model, n, unit, limit, most, unit).
		WithHint("write less at once, or raise etcd's %s (and restart the controller)", flag))
}
