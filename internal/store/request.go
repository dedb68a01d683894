package store

import (
	"context"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// send sends a batch in the shortest way there is to the server.
func (s *Etcd) send(ctx context.Context, own Ownership, b *Batch) (succeeded bool, err error) {
	keys := layoutOf(b.Model)
	conditions := s.commitIf(keys, own, b.Revision)
	if s.host != nil {
		resp, err := s.host.Txn(ctx, request(keys, conditions, b))
		return resp.GetSucceeded(), err
	}
	resp, err := s.client.Txn(ctx).If(conditions...).Then(commitOps(keys, b)...).Commit()
	if err != nil {
		return false, err
	}
	return resp.Succeeded, nil
}

func commitOps(keys layout, b *Batch) []clientv3.Op {
	ops := make([]clientv3.Op, 0, b.Ops())
	if b.Revision == 1 {
		ops = append(ops, clientv3.OpPut(indexKey(b.Model), indexValue))
	}
	ops = append(ops, clientv3.OpPut(keys.record(b.Revision), string(b.History)))
	for _, e := range b.Puts {
		ops = append(ops, clientv3.OpPut(keys.entity(e.Key), string(e.Value)))
	}
	for _, k := range b.Deletes {
		ops = append(ops, clientv3.OpDelete(keys.entity(k)))
	}
	return ops
}

// request is the transaction of commitOps as the server takes it. It shares the batch's
// values, of which etcd's client would make two copies, and has one allocation for all of
// a kind where the client makes four for each operation.
func request(keys layout, conditions []clientv3.Cmp, b *Batch) *etcdserverpb.TxnRequest {
	r := &requestBuilder{
		puts: make([]putOp, 0, len(b.Puts)+batchOps), deletes: make([]deleteOp, 0, len(b.Deletes)),
		names: make([]byte, 0, nameBytes(keys, b)),
		txn:   &etcdserverpb.TxnRequest{Success: make([]*etcdserverpb.RequestOp, 0, b.Ops())},
	}
	for i := range conditions {
		r.txn.Compare = append(r.txn.Compare, conditions[i].GetCompare())
	}
	if b.Revision == 1 {
		r.put(r.name(indexKey(b.Model)), []byte(indexValue))
	}
	r.put(r.name(keys.record(b.Revision)), b.History)
	for _, e := range b.Puts {
		r.put(r.name(keys.prefix, e.Kind, "/", e.ID), e.Value)
	}
	for _, k := range b.Deletes {
		r.delete(r.name(keys.prefix, k.Kind, "/", k.ID))
	}
	return r.txn
}

type putOp struct {
	op  etcdserverpb.RequestOp
	in  etcdserverpb.RequestOp_RequestPut
	put etcdserverpb.PutRequest
}

type deleteOp struct {
	op     etcdserverpb.RequestOp
	in     etcdserverpb.RequestOp_RequestDeleteRange
	delete etcdserverpb.DeleteRangeRequest
}

// requestBuilder fills a request. Its slices have room for all that will be in them, since
// what is in them is pointed at.
type requestBuilder struct {
	puts    []putOp
	deletes []deleteOp
	names   []byte
	txn     *etcdserverpb.TxnRequest
}

// nameBytes is how much room the names of a batch take.
func nameBytes(keys layout, b *Batch) int {
	n := len(keys.record(b.Revision))
	if b.Revision == 1 {
		n += len(indexKey(b.Model))
	}
	for _, e := range b.Puts {
		n += len(keys.prefix) + len(e.Kind) + 1 + len(e.ID)
	}
	for _, k := range b.Deletes {
		n += len(keys.prefix) + len(k.Kind) + 1 + len(k.ID)
	}
	return n
}

func (r *requestBuilder) name(parts ...string) []byte {
	from := len(r.names)
	for _, p := range parts {
		r.names = append(r.names, p...)
	}
	return r.names[from:len(r.names):len(r.names)]
}

func (r *requestBuilder) put(key, value []byte) {
	r.puts = append(r.puts, putOp{})
	o := &r.puts[len(r.puts)-1]
	o.put.Key, o.put.Value = key, value
	o.in.RequestPut = &o.put
	o.op.Request = &o.in
	r.txn.Success = append(r.txn.Success, &o.op)
}

func (r *requestBuilder) delete(key []byte) {
	r.deletes = append(r.deletes, deleteOp{})
	o := &r.deletes[len(r.deletes)-1]
	o.delete.Key = key
	o.in.RequestDeleteRange = &o.delete
	o.op.Request = &o.in
	r.txn.Success = append(r.txn.Success, &o.op)
}
