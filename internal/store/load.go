package store

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kith"
)

const (
	// pageKeys is how many keys one read asks for, to bound what etcd has to hold for one reply.
	pageKeys = 4096
	// loadAttempts bounds how often Load starts over because the versions it reads were compacted.
	loadAttempts = 3
)

// Models implements [Store].
func (s *Etcd) Models(ctx context.Context) ([]kith.ModelUUID, error) {
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	var models []kith.ModelUUID
	_, err := s.scan(ctx, indexPrefix, clientv3.GetPrefixRangeEnd(indexPrefix), 0, func(kv *mvccpb.KeyValue) error {
		models = append(models, kith.ModelUUID(kv.Key[len(indexPrefix):]))
		return nil
	})
	if err != nil {
		return nil, s.failure(ctx, "list models", err)
	}
	return models, nil
}

// Load implements [Store].
func (s *Etcd) Load(ctx context.Context, model kith.ModelUUID) (Snapshot, error) {
	if err := CheckModel(model); err != nil {
		return Snapshot{}, err
	}
	ctx, done := s.begin(ctx, loadAttempts*opTimeout)
	defer done()
	for attempt := 1; ; attempt++ {
		snap, err := s.load(ctx, model)
		switch {
		case err == nil:
			return snap, nil
		case errors.Is(err, rpctypes.ErrCompacted) && attempt < loadAttempts:
		case kith.CodeOf(err) != kith.Internal:
			return Snapshot{}, err
		default:
			return Snapshot{}, s.failure(ctx, "load model "+quote(model), err)
		}
	}
}

// load reads what sorts before the history, then what sorts after it, and which record
// is the newest, all as of the moment of the first read.
func (s *Etcd) load(ctx context.Context, model kith.ModelUUID) (Snapshot, error) {
	var snap Snapshot
	keys := layoutOf(model)
	take := func(kv *mvccpb.KeyValue) error {
		switch kind, id := keys.split(string(kv.Key)); kind {
		case ownerName, revisionName: // left of format 1
		default:
			snap.Entities = append(snap.Entities, Entity{Key{kind, id}, kv.Value})
		}
		return nil
	}
	var err error
	if snap.StoreRevision, err = s.scan(ctx, keys.prefix, keys.history(), 0, take); err != nil {
		return snap, err
	}
	if _, err = s.scan(ctx, clientv3.GetPrefixRangeEnd(keys.history()), clientv3.GetPrefixRangeEnd(keys.prefix), snap.StoreRevision, take); err != nil {
		return snap, err
	}
	snap.Revision, err = s.head(ctx, model, snap.StoreRevision)
	if err == nil && snap.Revision == 0 && len(snap.Entities) > 0 {
		err = damaged(model, "it has no history record")
	}
	return snap, err
}

// head is the model's revision, that of its newest record, as of a revision of etcd; 0 if there is none.
func (s *Etcd) head(ctx context.Context, model kith.ModelUUID, at int64) (uint64, error) {
	keys := layoutOf(model)
	read := func(from uint64) (*clientv3.GetResponse, error) {
		return s.client.Get(ctx, keys.record(from), append(firstOnly(keys), clientv3.WithRev(at))...)
	}
	records, err := read(0)
	if err != nil {
		return 0, err
	}
	_, newest, err := keys.bounds((*etcdserverpb.RangeResponse)(records))
	if err != nil || newest == 0 {
		return 0, err
	}
	// They were counted. If one is missing, the last of them is not where it should be.
	last, err := read(newest)
	if err == nil && (last.Count != 1 || string(last.Kvs[0].Key) != keys.record(newest)) {
		err = damaged(model, "a history record is missing")
	}
	return newest, err
}

// damaged is the error of a model whose keys contradict each other.
func damaged(model kith.ModelUUID, why string) error {
	return kith.Errorf(kith.Conflict, "cannot load model %q: %s", model, why).
		WithHint("the store was damaged: restore a backup")
}

// scan calls take for each key in [from, end) in order, as of one revision of etcd
// (the newest if at is 0), which it returns.
func (s *Etcd) scan(ctx context.Context, from, end string, at int64, take func(*mvccpb.KeyValue) error) (int64, error) {
	for {
		resp, err := s.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(pageKeys), clientv3.WithRev(at))
		if err != nil {
			return 0, err
		}
		if at == 0 {
			at = resp.Header.Revision
		}
		for _, kv := range resp.Kvs {
			if err := take(kv); err != nil {
				return 0, err
			}
		}
		if !resp.More {
			return at, nil
		}
		from = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
	}
}
