package store

import (
	"context"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"kith"
)

// historyWindow is how many revisions one read backwards looks at, at first.
const historyWindow = 64

// History implements [Store].
func (s *Etcd) History(ctx context.Context, model kith.ModelUUID, from, to uint64, limit int, order Order) ([]Record, error) {
	if err := CheckModel(model); err != nil {
		return nil, err
	}
	if order == NewestFirst {
		oldest, newest, err := s.historyBounds(ctx, model, from)
		if err != nil {
			return nil, err
		}
		from, to = max(from, oldest), min(to, newest)
	}
	if from > to {
		return nil, nil
	}
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	var records []Record
	var err error
	if order == OldestFirst {
		records, err = s.records(ctx, model, from, to, limit)
	} else {
		records, err = s.recordsBackwards(ctx, model, from, to, limit)
	}
	if err != nil {
		return nil, s.failure(ctx, "read the history of model "+quote(model), err)
	}
	return records, nil
}

// records reads from <= revision <= to in order, at most limit (all if 0).
func (s *Etcd) records(ctx context.Context, model kith.ModelUUID, from, to uint64, limit int) ([]Record, error) {
	keys := layoutOf(model)
	var records []Record
	next, end := keys.record(from), keys.record(to)+"\x00"
	for {
		page := pageKeys
		if limit > 0 {
			page = min(page, limit-len(records))
		}
		resp, err := s.client.Get(ctx, next, clientv3.WithRange(end), clientv3.WithLimit(int64(page)))
		if err != nil {
			return nil, err
		}
		for _, kv := range resp.Kvs {
			record, err := keys.parseRecord(kv)
			if err != nil {
				return nil, err
			}
			records = append(records, record)
		}
		if !resp.More || limit > 0 && len(records) >= limit {
			return records, nil
		}
		next = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
	}
}

// recordsBackwards reads windows of revisions from the end: etcd would read and sort
// the whole range to give the last few of it.
func (s *Etcd) recordsBackwards(ctx context.Context, model kith.ModelUUID, from, to uint64, limit int) ([]Record, error) {
	var records []Record
	window := uint64(max(historyWindow, min(limit, pageKeys)))
	for {
		low := from
		if to-from >= window {
			low = to - window + 1
		}
		part, err := s.records(ctx, model, low, to, 0)
		if err != nil {
			return nil, err
		}
		slices.Reverse(part)
		records = append(records, part...)
		switch {
		case limit > 0 && len(records) >= limit:
			return records[:limit], nil
		case low == from:
			return records, nil
		}
		to, window = low-1, min(2*window, pageKeys)
	}
}

// historyBounds tells the first revision from `from` on that has a record, and the
// newest that has one; oldest is greater than newest if there is no record.
func (s *Etcd) historyBounds(ctx context.Context, model kith.ModelUUID, from uint64) (oldest, newest uint64, err error) {
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	keys := layoutOf(model)
	resp, err := s.client.Do(ctx, keys.firstRecord(from))
	if err != nil {
		return 0, 0, s.failure(ctx, "read the history of model "+quote(model), err)
	}
	return keys.bounds((*etcdserverpb.RangeResponse)(resp.Get()))
}

// firstRecord reads the key of the first record from a revision on, and counts them.
func (l layout) firstRecord(from uint64) clientv3.Op {
	return clientv3.OpGet(l.record(from), firstOnly(l)...)
}

func firstOnly(l layout) []clientv3.OpOption {
	return []clientv3.OpOption{clientv3.WithRange(l.recordsEnd()), clientv3.WithLimit(1), clientv3.WithKeysOnly()}
}

// bounds tells the oldest and the newest revision of what firstRecord found; 1 and 0 if
// it found none. The newest need not be read, for which etcd would read all of them:
// every batch has a record, and they are deleted from the oldest on, so they are
// numbered without a gap.
func (l layout) bounds(found *etcdserverpb.RangeResponse) (oldest, newest uint64, err error) {
	if len(found.Kvs) == 0 {
		return 1, 0, nil
	}
	first, err := l.parseRecord(found.Kvs[0])
	return first.Revision, first.Revision + uint64(found.Count) - 1, err
}

func (l layout) parseRecord(kv *mvccpb.KeyValue) (Record, error) {
	rev, err := parseRevision([]byte(strings.TrimPrefix(string(kv.Key), l.history())))
	if err != nil {
		return Record{}, kith.Errorf(kith.Internal, "cannot read history key %q: %v", kv.Key, err)
	}
	return Record{rev, kv.Value}, nil
}
