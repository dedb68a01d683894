package embedetcd

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// maintainEvery bounds how long superseded versions are kept when little is written.
	maintainEvery = 5 * time.Minute
	// keepRevisions is how far back a watcher may start: it has loaded a snapshot, and
	// some batches were committed meanwhile. Where they are large it is less, one
	// round of maintenance.
	keepRevisions = 1000
	// largeWrite is the mean size of writes above which raft's memory is turned over:
	// it keeps up to 100 entries whatever their size.
	largeWrite = 256 << 10
	// turnover is how many entries it takes to push the older ones out of it.
	turnover = snapshotEntries + 10
)

// maintain keeps the server from growing, until ctx ends: it forgets superseded
// versions. They take room, and a start has to read them all.
func (s *Server) maintain(ctx context.Context) {
	due := time.NewTicker(maintainEvery)
	defer due.Stop()
	last := s.etcd.KV().Rev() // at the round before; no watcher is older than the server
	for {
		select {
		case <-due.C:
		case <-s.enough:
		case <-ctx.Done():
			return
		}
		bytes, writes := s.written.Swap(0), s.writes.Swap(0)
		now := s.etcd.KV().Rev()
		if now == last {
			continue
		}
		if s.compact(ctx, max(last, now-keepRevisions)) != nil {
			continue // the next round is as good; a server that failed ends ctx
		}
		last = now
		if writes > 0 && bytes/writes >= largeWrite {
			s.turnOver(ctx)
		}
	}
}

// compact forgets the versions superseded before a revision.
func (s *Server) compact(ctx context.Context, rev int64, opts ...clientv3.CompactOption) error {
	_, err := s.client.Compact(ctx, rev, opts...)
	if errors.Is(err, rpctypes.ErrCompacted) {
		return nil
	}
	return err
}

// turnOver writes entries that change nothing, so that raft lets go of large ones.
func (s *Server) turnOver(ctx context.Context) {
	never := clientv3.Compare(clientv3.Version("/kith/format"), "<", 0)
	for range turnover {
		if _, err := s.client.Txn(ctx).If(never).Then(clientv3.OpPut("/kith/never", "")).Commit(); err != nil {
			return
		}
	}
}
