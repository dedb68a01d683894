package store

import (
	"context"
	"errors"
	"sort"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kith"
)

const (
	// What we ask for at most; a server that allows more is used up to here.
	probedTxnBytes = 64 << 20
	probedTxnOps   = 65536

	// etcd accepts messages this much larger than --max-request-bytes.
	grpcOverhead = 512 << 10
	// etcd's own defaults, tried first.
	etcdRequestBytes = 3 << 19 // 1.5 MiB
	etcdTxnOps       = 128

	// How exactly the limits are probed.
	byteStep = 64 << 10
	opStep   = 128

	probeTimeout = 3 * opTimeout // the largest request is 64 MiB
)

// probe learns what a remote server accepts by trying. etcd has no call that tells.
// Nothing is written: a read with a long key is refused for its size alone, and a
// transaction of reads for its length alone.
func (s *Etcd) probe(ctx context.Context) (Limits, error) {
	ops, err := s.largest(ctx, etcdTxnOps, probedTxnOps, opStep, s.acceptsOps)
	if err != nil {
		return Limits{}, err
	}
	bytes, err := s.largest(ctx, etcdRequestBytes, probedTxnBytes, byteStep, s.acceptsBytes)
	if err != nil {
		return Limits{}, err
	}
	return Limits{MaxTxnBytes: bytes, MaxTxnOps: ops}, nil
}

// largest finds, in steps, the largest number up to most that is accepted. A server
// either has the usual limit or was given more than enough, so those are tried first,
// the small requests before the large.
func (s *Etcd) largest(ctx context.Context, usual, most, step int, accepts func(context.Context, int) (bool, error)) (int, error) {
	low, high := 0, most+step // low is accepted, high is not
	for _, n := range []int{usual, usual + step, most} {
		ok, err := accepts(ctx, n)
		if err != nil {
			return 0, err
		}
		if !ok {
			high = n
			break
		}
		low = n
	}
	var failed error
	n := sort.Search((high-low)/step-1, func(i int) bool {
		ok, err := accepts(ctx, low+(i+1)*step)
		failed = errors.Join(failed, err)
		return !ok || err != nil
	})
	return low + n*step, failed
}

func (s *Etcd) acceptsOps(ctx context.Context, n int) (bool, error) {
	ctx, done := s.begin(ctx, probeTimeout)
	defer done()
	ops := make([]clientv3.Op, n)
	for i := range ops {
		ops[i] = clientv3.OpGet(formatKey, clientv3.WithKeysOnly())
	}
	_, err := s.client.Txn(ctx).If(clientv3.Compare(clientv3.Version(formatKey), "<", 0)).Then(ops...).Commit()
	return s.accepted(ctx, err)
}

func (s *Etcd) acceptsBytes(ctx context.Context, n int) (bool, error) {
	ctx, done := s.begin(ctx, probeTimeout)
	defer done()
	// The rest of the message is a few bytes; etcd's allowance on top is for gRPC.
	_, err := s.client.Get(ctx, rootPrefix+strings.Repeat("x", n+grpcOverhead-len(rootPrefix)-64), clientv3.WithCountOnly())
	return s.accepted(ctx, err)
}

func (s *Etcd) accepted(ctx context.Context, err error) (bool, error) {
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, rpctypes.ErrTooManyOps), errors.Is(err, rpctypes.ErrRequestTooLarge), status.Code(err) == codes.ResourceExhausted:
		return false, nil
	}
	failure := s.failure(ctx, "learn the limits of etcd", err)
	if e := (*kith.Error)(nil); errors.As(failure, &e) {
		return false, e
	}
	return false, failure
}
