package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kith"
	"kith/internal/store"
	"kith/internal/store/embedetcd"
)

const model = kith.ModelUUID("0c5b7e1a-2f0f-4c1e-8c6f-1f2e3d4c5b6a")

func startServer(t *testing.T) *embedetcd.Server {
	t.Helper()
	server, err := embedetcd.Start(t.Context(), embedetcd.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

func openStore(t *testing.T, cfg store.Config) *store.Etcd {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func acquire(t *testing.T, s store.Store) store.Ownership {
	t.Helper()
	own, err := s.Own(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func put(rev uint64, kind, id, value string) store.Batch {
	return store.Batch{Model: model, Revision: rev, History: fmt.Appendf(nil, `{"n":%d}`, rev),
		Puts: []store.Entity{{Key: store.Key{Kind: kind, ID: id}, Value: []byte(value)}}}
}

// The keys are as the package and docs/design/store.md say, and as etcdctl shows them.
func TestLayout(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	s := openStore(t, store.Config{Client: server.Client(), Identity: store.Identity{ID: "c1", Address: "unix:///run/c1"}, Limits: store.Limits{MaxTxnBytes: 1 << 20, MaxTxnOps: 128}})
	own := acquire(t, s)
	if err := s.Commit(t.Context(), own, put(1, "databag", "3/web/0", `{"port":"80"}`)); err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Get(t.Context(), "", clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, kv := range resp.Kvs {
		got = append(got, fmt.Sprintf("%s = %s", kv.Key, kv.Value))
	}
	want := []string{
		"/kith/1/index/" + string(model) + " = {}",
		"/kith/1/models/" + string(model) + `/databag/3/web/0 = {"port":"80"}`,
		"/kith/1/models/" + string(model) + `/history/00000000000000000001 = {"n":1}`,
		"/kith/1/models/" + string(model) + `/history/owner = {"id":"c1","address":"unix:///run/c1"}`,
		fmt.Sprintf("/kith/format = %d", store.Format),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// flaky loses the answer of a transaction, or the transaction.
type flaky struct {
	clientv3.KV
	lose *losing
}

type losing int

const (
	nothing losing = iota
	answers
	requests
)

type flakyTxn struct {
	clientv3.Txn
	lose losing
}

func (f flaky) Txn(ctx context.Context) clientv3.Txn {
	return flakyTxn{f.KV.Txn(ctx), *f.lose}
}

func (f flakyTxn) If(c ...clientv3.Cmp) clientv3.Txn  { return flakyTxn{f.Txn.If(c...), f.lose} }
func (f flakyTxn) Then(o ...clientv3.Op) clientv3.Txn { return flakyTxn{f.Txn.Then(o...), f.lose} }
func (f flakyTxn) Else(o ...clientv3.Op) clientv3.Txn { return flakyTxn{f.Txn.Else(o...), f.lose} }
func (f flakyTxn) Commit() (*clientv3.TxnResponse, error) {
	if f.lose == requests {
		return nil, context.DeadlineExceeded
	}
	resp, err := f.Txn.Commit()
	if f.lose == answers && err == nil {
		return nil, context.DeadlineExceeded
	}
	return resp, err
}

// I5: when the answer to a commit is lost its outcome is unknown, and Load tells.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	lose := nothing
	client := server.Client()
	client.KV = flaky{client.KV, &lose}
	s := openStore(t, store.Config{Client: client, Identity: store.Identity{ID: "a"}, Limits: store.Limits{MaxTxnBytes: 1 << 20, MaxTxnOps: 128}})
	own := acquire(t, s)
	rev := uint64(0)
	for _, lost := range []losing{answers, requests, answers} {
		lose = lost
		err := s.Commit(t.Context(), own, put(rev+1, "unit", "web/0", fmt.Sprint(rev+1)))
		if !errors.Is(err, store.ErrUnknown) || kith.CodeOf(err) != kith.Unavailable || kith.HintOf(err) == "" {
			t.Errorf("got %v, hint %q", err, kith.HintOf(err))
		}
		lose = nothing
		snap, err := s.Load(t.Context(), model)
		if err != nil {
			t.Fatal(err)
		}
		if lost == answers {
			rev++
		}
		if snap.Revision != rev {
			t.Fatalf("at revision %d, want %d", snap.Revision, rev)
		}
		// Whoever takes an unknown outcome for a failure, and tries again, is refused.
		if lost == answers {
			if err := s.Commit(t.Context(), own, put(rev, "unit", "web/0", "again")); !errors.Is(err, store.ErrRevision) {
				t.Errorf("the same again: %v", err)
			}
		}
	}
}

// held keeps transactions back, as a network may, and says that there is no answer.
type held struct {
	clientv3.KV
	back *[]clientv3.Txn // nil: nothing is kept back
}

type heldTxn struct {
	clientv3.Txn
	back *[]clientv3.Txn
}

func (h *held) Txn(ctx context.Context) clientv3.Txn {
	if h.back == nil {
		return h.KV.Txn(ctx)
	}
	return heldTxn{h.KV.Txn(context.WithoutCancel(ctx)), h.back}
}

func (h heldTxn) If(c ...clientv3.Cmp) clientv3.Txn  { return heldTxn{h.Txn.If(c...), h.back} }
func (h heldTxn) Then(o ...clientv3.Op) clientv3.Txn { return heldTxn{h.Txn.Then(o...), h.back} }
func (h heldTxn) Commit() (*clientv3.TxnResponse, error) {
	*h.back = append(*h.back, h.Txn)
	return nil, context.DeadlineExceeded
}

// I3: a commit that arrives when its sender has long given it up, and has gone on, changes
// nothing, under the same ownership or a later one, however often it arrives.
func TestLateCommit(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := server.Client()
	kv := &held{KV: client.KV}
	client.KV = kv
	s := openStore(t, store.Config{Client: client, Identity: store.Identity{ID: "a"}, Limits: limits})
	own := acquire(t, s)
	rev := uint64(0)
	commit := func(value string) error {
		return s.Commit(t.Context(), own, put(rev+1, "unit", "web/0", value))
	}
	var late []clientv3.Txn
	for round := range 4 {
		for range 2 { // one whose predecessor is known, one that has to ask
			kv.back = &late
			if err := commit(`"late"`); !errors.Is(err, store.ErrUnknown) {
				t.Fatal(err)
			}
			kv.back = nil
		}
		for range 3 {
			if err := commit(`"in time"`); err != nil {
				t.Fatal(err)
			}
			rev++
		}
		if round%2 == 1 {
			own = acquire(t, s)
		}
		if err := s.PruneHistory(t.Context(), own, rev+10); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for i, txn := range late {
				resp, err := txn.Commit()
				if err != nil || resp.Succeeded {
					t.Fatalf("late commit %d of round %d: %+v, %v", i, round, resp, err)
				}
			}
		}
		snap, err := s.Load(t.Context(), model)
		if err != nil || snap.Revision != rev || string(snap.Entities[0].Value) != `"in time"` {
			t.Fatalf("got %+v, %v", snap, err)
		}
	}
}

// I2: an owner whose lease has ended is told, is fenced out, and can own again.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	s := openStore(t, store.Config{Client: server.Client(), Identity: store.Identity{ID: "a"}, LeaseTTL: 1, Limits: store.Limits{MaxTxnBytes: 1 << 20, MaxTxnOps: 128}})
	own := acquire(t, s)
	leases, err := server.Client().Leases(t.Context())
	if err != nil || len(leases.Leases) != 1 {
		t.Fatalf("got %v, %v", leases, err)
	}
	if _, err := server.Client().Revoke(t.Context(), leases.Leases[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), own, put(1, "unit", "web/0", `1`)); !errors.Is(err, store.ErrFenced) {
		t.Errorf("got %v", err)
	}
	<-own.Lost // with the next keep-alive
	other := openStore(t, store.Config{Client: server.Client(), Identity: store.Identity{ID: "b"}, Limits: store.Limits{MaxTxnBytes: 1 << 20, MaxTxnOps: 128}})
	if err := other.Release(t.Context(), acquire(t, other)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), acquire(t, s), put(1, "unit", "web/0", `1`)); err != nil {
		t.Error(err)
	}
}

// What cannot be reached is said at once, with the address and the reason.
func TestDial(t *testing.T) {
	t.Parallel()
	nobody := "unix://" + t.TempDir() + "/nobody"
	for _, c := range []struct {
		endpoints []string
		code      kith.Code
		says      string
	}{
		{nil, kith.Invalid, "no etcd endpoint"},
		{[]string{"host:2379"}, kith.Invalid, `invalid etcd endpoint "host:2379"`},
		{[]string{"ftp://host"}, kith.Invalid, `invalid etcd endpoint "ftp://host"`},
		{[]string{"https://"}, kith.Invalid, `invalid etcd endpoint "https://"`},
		{[]string{nobody, nobody}, kith.Unavailable, "cannot reach etcd at " + nobody + "," + nobody + ": dial unix"},
	} {
		_, err := store.Dial(t.Context(), store.DialConfig{Endpoints: c.endpoints})
		if kith.CodeOf(err) != c.code || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%v: got %v", c.endpoints, err)
		}
	}
}
