package embedetcd

import (
	"os"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kith/internal/store"
	"kith/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, limits store.Limits) storetest.Server {
		server := start(t, Config{Dir: t.TempDir(), Limits: limits})
		return storetest.Server{
			Open:    func(id store.Identity) store.Store { return openStore(t, server, id) },
			Compact: func() { compactAll(t, server.Client()) },
		}
	})
}

// A remote etcd is reached through gRPC. Where the suite sets limits, the store has
// to find them by trying; that takes a while, so elsewhere it is told.
func TestRemoteStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, limits store.Limits) storetest.Server {
		server := start(t, Config{Dir: shortDir(t), Limits: limits, Socket: true})
		client, err := store.Dial(t.Context(), store.DialConfig{Endpoints: []string{"unix://" + server.dir + "/" + socketName}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { client.Close() })
		known := store.Limits{MaxTxnBytes: 64 << 20, MaxTxnOps: maxTxnOps}
		if limits != (store.Limits{}) {
			known = store.Limits{} // and so learnt
		}
		return storetest.Server{
			Open: func(id store.Identity) store.Store {
				s, err := store.Open(t.Context(), store.Config{Client: client, Identity: id, Limits: known})
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Compact: func() { compactAll(t, client) },
		}
	})
}

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	server, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

func openStore(t *testing.T, server *Server, id store.Identity) *store.Etcd {
	t.Helper()
	s, err := server.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compactAll(t *testing.T, client *clientv3.Client) {
	t.Helper()
	resp, err := client.Get(t.Context(), "x")
	if err == nil {
		_, err = client.Compact(t.Context(), resp.Header.Revision)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// shortDir is a temporary directory whose name leaves room for a socket's: 108 bytes
// is all a socket's path may have.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "kith")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
