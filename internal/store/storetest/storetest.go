package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"kith"
	"kith/internal/store"
)

// Server is what a suite runs against: one server, any number of controllers.
type Server struct {
	Open    func(store.Identity) store.Store
	Compact func() // forgets the versions of the past, as a server does after a while
}

// Start starts a fresh server for one test, with those limits or its usual ones, and
// stops it when the test ends.
type Start func(*testing.T, store.Limits) Server

// Run runs the suite.
func Run(t *testing.T, start Start) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Start)
	}{
		{"Empty", testEmpty},
		{"CommitAndLoad", testCommitAndLoad},
		{"KeyOrder", testKeyOrder},
		{"RefusedBatchLeavesNothing", testRefusedBatchLeavesNothing},
		{"MalformedBatch", testMalformedBatch},
		{"RandomBatches", testRandomBatches},
		{"Revision", testRevision},
		{"RacingCommits", testRacingCommits},
		{"ConcurrentModels", testConcurrentModels},
		{"RemoveModel", testRemoveModel},
		{"BigValues", testBigValues},
		{"Closed", testClosed},
		{"Canceled", testCanceled},

		{"OwnedByAnother", testOwnedByAnother},
		{"TakeOverBySameIdentity", testTakeOver},
		{"Release", testRelease},
		{"CloseReleases", testCloseReleases},

		{"WatchFromRevision", testWatchFromRevision},
		{"WatchLive", testWatchLive},
		{"WatchOwners", testWatchOwners},
		{"WatchOneModel", testWatchOneModel},
		{"WatchEnds", testWatchEnds},
		{"WatchResync", testWatchResync},
		{"WatchSlowReader", testWatchSlowReader},

		{"History", testHistory},
		{"PruneHistory", testPruneHistory},

		{"LimitBytes", testLimitBytes},
		{"LimitOps", testLimitOps},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, start)
		})
	}
}

const model = kith.ModelUUID("0c5b7e1a-2f0f-4c1e-8c6f-1f2e3d4c5b6a")

var (
	alice = store.Identity{ID: "alice", Address: "unix:///run/alice"}
	bob   = store.Identity{ID: "bob"}
)

// fixture is one controller that owns one model.
type fixture struct {
	*testing.T
	Server
	store.Store
	own store.Ownership
}

func newFixture(t *testing.T, start Start) *fixture {
	t.Helper()
	server := start(t, store.Limits{})
	f := &fixture{T: t, Server: server, Store: open(t, server, alice)}
	f.own = f.acquire(f.Store, model)
	return f
}

func open(t *testing.T, server Server, id store.Identity) store.Store {
	t.Helper()
	s := server.Open(id)
	t.Cleanup(func() { s.Close() })
	return s
}

func (f *fixture) acquire(s store.Store, m kith.ModelUUID) store.Ownership {
	f.Helper()
	own, err := s.Own(f.Context(), m)
	if err != nil {
		f.Fatal(err)
	}
	return own
}

// commit commits what must succeed.
func (f *fixture) commit(b store.Batch) {
	f.Helper()
	if err := f.Commit(f.Context(), f.own, b); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) load(m kith.ModelUUID) store.Snapshot {
	f.Helper()
	snap, err := f.Load(f.Context(), m)
	if err != nil {
		f.Fatal(err)
	}
	return snap
}

func (f *fixture) history(from, to uint64, limit int, order store.Order) []store.Record {
	f.Helper()
	records, err := f.History(f.Context(), model, from, to, limit, order)
	if err != nil {
		f.Fatal(err)
	}
	return records
}

// refused demands an error for one reason, with one code and a hint.
func (f *fixture) refused(err, reason error, code kith.Code) {
	f.Helper()
	if err == nil || reason != nil && !errors.Is(err, reason) || kith.CodeOf(err) != code {
		f.Fatalf("got %v (%s), want %v (%s)", err, kith.CodeOf(err), reason, code)
	}
	if reason != nil && reason != context.Canceled && kith.HintOf(err) == "" {
		f.Errorf("%v: no hint", err)
	}
}

// batch is a batch at a revision, with one history record.
func batch(rev uint64, puts ...store.Entity) store.Batch {
	return store.Batch{Model: model, Revision: rev, Puts: puts, History: record(rev)}
}

func record(rev uint64) []byte { return fmt.Appendf(nil, `{"n":%d}`, rev) }

func entity(kind, id, value string) store.Entity {
	return store.Entity{Key: store.Key{Kind: kind, ID: id}, Value: []byte(value)}
}

// same compares what is stored, in order.
func same(a, b []store.Entity) bool {
	return slices.EqualFunc(a, b, func(a, b store.Entity) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) })
}

func keysOf(entities []store.Entity) []string {
	var keys []string
	for _, e := range entities {
		keys = append(keys, e.Key.String())
	}
	return keys
}

// take reads n events of a watch and stops it.
func take(ctx context.Context, s store.Store, m kith.ModelUUID, after int64, n int) (events []store.Event, err error) {
	for e, err := range s.Watch(ctx, m, after) {
		if err != nil {
			return events, err
		}
		if events = append(events, e); len(events) == n {
			break
		}
	}
	return events, nil
}
