package embedetcd

import (
	"context"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"
	"go.etcd.io/etcd/server/v3/proxy/grpcproxy/adapter"
	"google.golang.org/grpc"
)

// newClient makes a client that calls the server's functions. When etcd fails, the
// goroutine that noticed is ended, with whatever locks it held; so no caller's goroutine
// may be that one, nor wait for it.
func (s *Server) newClient() *clientv3.Client {
	client := v3client.New(s.etcd)
	kv := adapter.KvServerToKvClient(v3rpc.NewQuotaKVServer(s.etcd))
	client.KV = clientv3.NewKVFromKVClient(guarded{kv, s.alive}, client)
	return client
}

// guarded makes each call in a goroutine of its own, and returns when the server has
// ended if the call does not.
type guarded struct {
	pb.KVClient
	alive context.Context
}

func guard[Q, A any](g guarded, ctx context.Context, req Q, call func(context.Context, Q, ...grpc.CallOption) (A, error), opts []grpc.CallOption) (A, error) {
	type outcome struct {
		answer A
		err    error
	}
	if g.alive.Err() != nil {
		var none A
		return none, context.Cause(g.alive)
	}
	done := make(chan outcome, 1)
	go func() { // waited for, unless the server has failed
		answer, err := call(ctx, req, opts...)
		done <- outcome{answer, err}
	}()
	select {
	case o := <-done:
		return o.answer, o.err
	case <-g.alive.Done():
		var none A
		return none, context.Cause(g.alive)
	}
}

func (g guarded) Range(ctx context.Context, in *pb.RangeRequest, opts ...grpc.CallOption) (*pb.RangeResponse, error) {
	return guard(g, ctx, in, g.KVClient.Range, opts)
}

func (g guarded) Put(ctx context.Context, in *pb.PutRequest, opts ...grpc.CallOption) (*pb.PutResponse, error) {
	return guard(g, ctx, in, g.KVClient.Put, opts)
}

func (g guarded) DeleteRange(ctx context.Context, in *pb.DeleteRangeRequest, opts ...grpc.CallOption) (*pb.DeleteRangeResponse, error) {
	return guard(g, ctx, in, g.KVClient.DeleteRange, opts)
}

func (g guarded) Txn(ctx context.Context, in *pb.TxnRequest, opts ...grpc.CallOption) (*pb.TxnResponse, error) {
	return guard(g, ctx, in, g.KVClient.Txn, opts)
}

func (g guarded) Compact(ctx context.Context, in *pb.CompactionRequest, opts ...grpc.CallOption) (*pb.CompactionResponse, error) {
	return guard(g, ctx, in, g.KVClient.Compact, opts)
}
