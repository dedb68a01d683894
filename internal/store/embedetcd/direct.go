package embedetcd

import (
	"context"
	"errors"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
)

// job is a transaction for a worker.
type job struct {
	ctx  context.Context
	txn  *pb.TxnRequest
	done chan<- answer
}

type answer struct {
	resp *pb.TxnResponse
	err  error
}

// Txn implements store.Host. It leaves out what etcd does to requests of strangers before
// it takes them in: that no key is there twice, and that the operations are not too many,
// the store has seen to. The quota is checked a second time where requests are applied, and
// there it holds.
//
// Like every call it runs in another goroutine, see guarded; those of commits are kept, for a
// new one would have to grow its stack each time.
func (s *Server) Txn(ctx context.Context, txn *pb.TxnRequest) (*pb.TxnResponse, error) {
	if s.alive.Err() != nil {
		return nil, context.Cause(s.alive)
	}
	done := make(chan answer, 1)
	j := job{ctx, txn, done}
	select {
	case s.jobs <- j:
	default: // nobody is free
		go s.work(j) // waited for, unless the server has failed; ends with the server
	}
	select {
	case o := <-done:
		return o.resp, asClientSees(o.err)
	case <-s.alive.Done():
		return nil, context.Cause(s.alive)
	}
}

// work does a job and then waits for others. There are as many workers as there were
// transactions at once: as many as there are models, at most.
func (s *Server) work(j job) {
	for {
		resp, err := s.etcd.Txn(j.ctx, j.txn)
		j.done <- answer{resp, err}
		j = job{}
		select {
		case j = <-s.jobs:
		case <-s.alive.Done():
			return
		}
	}
}

// seen are the errors that the store tells apart, as etcd's server and its client know them.
var seen = []struct{ server, client error }{
	{etcderrors.ErrRequestTooLarge, rpctypes.ErrRequestTooLarge},
	{etcderrors.ErrNoSpace, rpctypes.ErrNoSpace},
	{etcderrors.ErrTooManyRequests, rpctypes.ErrTooManyRequests},
}

func asClientSees(err error) error {
	if err == nil {
		return nil
	}
	for _, e := range seen {
		if errors.Is(err, e.server) {
			return e.client
		}
	}
	return err
}
