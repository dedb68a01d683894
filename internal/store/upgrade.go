package store

import (
	"context"
	"strconv"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kith"
)

// Format 1 kept the owner and the revision of a model in keys of their own beside the
// entities. A store of that format gets its new number when it is opened, so that no
// older version opens it any more. Each model changes its form when it is owned next,
// in the transaction that acquires it, so that a controller of an older version which
// still runs is fenced out like any other.

// switched is the value of the old revision key in a model of format 2. An older version
// that still runs takes it for damage and keeps away.
const switched = "see history"

func (l layout) oldOwner() string    { return l.prefix + ownerName }
func (l layout) oldRevision() string { return l.prefix + revisionName }

// checkFormat compares the stored format with ours, and writes ours into a store that is
// empty or older.
func (s *Etcd) checkFormat(ctx context.Context) error {
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	stored := clientv3.Compare(clientv3.Value(formatKey), "=", "1")
	write := clientv3.OpPut(formatKey, strconv.Itoa(Format))
	resp, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(formatKey), ">", 0)).
		Then(clientv3.OpTxn([]clientv3.Cmp{stored}, []clientv3.Op{write}, []clientv3.Op{clientv3.OpGet(formatKey)})).
		Else(write).
		Commit()
	if err != nil {
		return s.failure(ctx, "open the store", err)
	}
	if !resp.Succeeded {
		return nil
	}
	known := resp.Responses[0].GetResponseTxn()
	if known.Succeeded {
		return nil
	}
	return formatError(string(known.Responses[0].GetResponseRange().Kvs[0].Value))
}

func formatError(stored string) error {
	n, err := strconv.Atoi(stored)
	switch {
	case err != nil || n < 1:
		return kith.Errorf(kith.Conflict, "cannot open the store: %q is not a store format (key %s)", stored, formatKey).
			WithHint("this etcd holds something else, or was damaged: restore a backup, or use another --data or --etcd")
	case n > Format:
		return kith.Errorf(kith.Conflict, "cannot open the store: it has format %d, and this version of kith knows up to %d", n, Format).
			WithHint("a newer kith wrote it: use that version")
	}
	return nil
}

// claim is what the ownership keys of a model hold, and what acquiring it takes.
type claim struct {
	holder *Identity      // nil if nobody owns it
	seen   []clientv3.Cmp // hold while the keys are as they were read
	then   []clientv3.Op  // change the model's form, if it has the old one
}

// readClaim reads who owns the model, in either form. Errors: Conflict if the keys of
// the old form contradict each other.
func (s *Etcd) readClaim(ctx context.Context, model kith.ModelUUID) (claim, error) {
	keys := layoutOf(model)
	names := []string{keys.owner(), keys.oldOwner(), keys.oldRevision()}
	reads := make([]clientv3.Op, len(names))
	for i, name := range names {
		reads[i] = clientv3.OpGet(name)
	}
	resp, err := s.client.Txn(ctx).Then(append(reads, keys.firstRecord(0))...).Commit()
	if err != nil {
		return claim{}, err
	}
	var c claim
	found := make([]*mvccpb.KeyValue, len(names))
	for i, name := range names {
		seen := int64(0)
		if kvs := resp.Responses[i].GetResponseRange().Kvs; len(kvs) > 0 {
			found[i], seen = kvs[0], kvs[0].ModRevision
		}
		c.seen = append(c.seen, clientv3.Compare(clientv3.ModRevision(name), "=", seen))
	}
	owner, oldOwner, oldRevision := found[0], found[1], found[2]
	if oldRevision != nil && string(oldRevision.Value) == switched || oldRevision == nil && oldOwner == nil {
		c.holder, err = identityIn(owner)
		return c, err
	}
	_, newest, err := keys.bounds(resp.Responses[len(names)].GetResponseRange())
	if err != nil {
		return c, err
	}
	if oldRevision != nil && string(oldRevision.Value) != strconv.FormatUint(newest, 10) {
		return c, damaged(model, "its revision is "+strconv.Quote(string(oldRevision.Value))+" and its newest history record "+strconv.FormatUint(newest, 10))
	}
	c.then = []clientv3.Op{clientv3.OpPut(keys.oldRevision(), switched), clientv3.OpDelete(keys.oldOwner())}
	c.holder, err = identityIn(oldOwner)
	return c, err
}

func identityIn(kv *mvccpb.KeyValue) (*Identity, error) {
	if kv == nil {
		return nil, nil
	}
	identity, err := parseIdentity(kv.Value)
	return &identity, err
}
