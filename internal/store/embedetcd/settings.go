package embedetcd

import (
	"math"
	"net/url"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/features"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

const (
	memberName = "kith"

	// One databag may have 16 MiB and its history record as much again; JSON can
	// double both. The server is in this process, so a large request costs its copies
	// and no connection's limit.
	maxTxnBytes = 128 << 20
	maxTxnOps   = 65536

	// Ticks drive elections and leases. A cluster of one needs neither to be quick
	// (Start elects it), so the process may sleep: ten wake-ups a second.
	tick          = 100 * time.Millisecond
	electionTicks = 10

	// A snapshot bounds what a restart replays and what raft keeps in memory. It costs
	// a commit of the database and some small writes, after the entries were answered.
	snapshotEntries = 100
	keepFiles       = 1 // snapshots and log segments that nothing needs any more

	// What is left of raft's log after a snapshot, meant for followers, of which there are
	// none. But a start replays what came after the last snapshot, makes one of that, and
	// raft, told to elect itself, may look at those entries once more before it hears that they
	// have been applied: were they gone, it would panic. So these are more than a start replays.
	catchUpEntries = 2 * snapshotEntries

	// A start reads the log's segments whole, twice; with etcd's 64 MB that takes half
	// a second. Entries larger than a segment make it as large as they are.
	segmentBytes = 2 << 20

	// quota is where etcd stops writing. It is far above what models need and far
	// below what would make a start slow; etcd itself advises against more.
	quota = 8 << 30

	// defragAbove is how much free space inside the database file is given back at
	// start. Below, the file is as large as it once had to be, and its pages are reused.
	defragAboveMiB = 512

	slowApply = time.Second // what etcd's log calls slow
)

// segments guards the one setting that etcd has only as a variable of a package, so
// that servers started at once in one process do not race for it.
var segments sync.Once

// serverConfig is etcd for one member and no network.
func serverConfig(cfg Config, logger *zap.Logger) config.ServerConfig {
	segments.Do(func() { wal.SegmentSizeBytes = segmentBytes })
	// etcd wants an address for its peers. Nobody listens on it and nobody connects.
	nowhere := types.URLs{url.URL{Scheme: "http", Host: "127.0.0.1:1"}}
	return config.ServerConfig{
		Name:                memberName,
		DataDir:             cfg.Dir,
		PeerURLs:            nowhere,
		ClientURLs:          types.URLs{},
		InitialPeerURLsMap:  types.URLsMap{memberName: nowhere},
		InitialClusterToken: memberName,
		NewCluster:          true,

		TickMs:                     uint(tick / time.Millisecond),
		ElectionTicks:              electionTicks,
		InitialElectionTickAdvance: true,

		SnapshotCount:          snapshotEntries,
		SnapshotCatchUpEntries: catchUpEntries,
		MaxSnapFiles:           keepFiles,
		MaxWALFiles:            keepFiles,

		BackendFreelistType:               bolt.FreelistMapType,
		QuotaBackendBytes:                 cfg.quota,
		BootstrapDefragThresholdMegabytes: defragAboveMiB,
		// AutoCompactionRetention stays 0: maintain compacts, by bytes and not only by time.

		MaxTxnOps:            uint(cfg.Limits.MaxTxnOps),
		MaxRequestBytes:      uint(cfg.Limits.MaxTxnBytes),
		MaxConcurrentStreams: math.MaxUint32,

		WarningApplyDuration:        slowApply,
		WarningUnaryRequestDuration: slowApply,
		CompactHashCheckTime:        time.Hour, // compares members, of which there is one

		AuthToken:         "simple", // a name etcd insists on; authentication stays off
		TokenTTL:          300,
		BcryptCost:        4,
		MaxLearners:       1,
		ServerFeatureGate: features.NewDefaultServerFeatureGate(memberName, logger),
		Metrics:           "basic",
		Logger:            logger,

		UnsafeNoFsync: false, // never: an acknowledged write is on the disk
	}
}
