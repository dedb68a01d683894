package store

import (
	"context"
	"slices"
	"strings"

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
	oldest, newest, err := s.historyBounds(ctx, model, from)
	if err != nil {
		return nil, err
	}
	from, to = max(from, oldest), min(to, newest)
	if from > to {
		return nil, nil
	}
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	var records []Record
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
// model's revision; oldest is greater than newest if there is no record.
func (s *Etcd) historyBounds(ctx context.Context, model kith.ModelUUID, from uint64) (oldest, newest uint64, err error) {
	ctx, done := s.begin(ctx, opTimeout)
	defer done()
	keys := layoutOf(model)
	resp, err := s.client.Txn(ctx).Then(
		clientv3.OpGet(keys.revision()),
		clientv3.OpGet(keys.record(from), clientv3.WithRange(clientv3.GetPrefixRangeEnd(keys.history())), clientv3.WithLimit(1), clientv3.WithKeysOnly()),
	).Commit()
	if err != nil {
		return 0, 0, s.failure(ctx, "read the history of model "+quote(model), err)
	}
	if kvs := resp.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		if newest, err = parseRevision(kvs[0].Value); err != nil {
			return 0, 0, kith.Errorf(kith.Internal, "cannot read the revision of model %q: %v", model, err)
		}
	}
	oldest = newest + 1
	if kvs := resp.Responses[1].GetResponseRange().Kvs; len(kvs) > 0 {
		record, err := keys.parseRecord(kvs[0])
		if err != nil {
			return 0, 0, err
		}
		oldest = record.Revision
	}
	return oldest, newest, nil
}

func (l layout) parseRecord(kv *mvccpb.KeyValue) (Record, error) {
	rev, err := parseRevision([]byte(strings.TrimPrefix(string(kv.Key), l.history())))
	if err != nil {
		return Record{}, kith.Errorf(kith.Internal, "cannot read history key %q: %v", kv.Key, err)
	}
	return Record{rev, kv.Value}, nil
}
