package embedetcd

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"

	"kith"
	"kith/internal/store"
	"kith/internal/store/storetest"
)

// guardedEtcd is an etcd as a careful operator runs it: TLS both ways, users with passwords.
type guardedEtcd struct {
	endpoint string
	roots    *x509.CertPool
	client   tls.Certificate
}

const etcdUser, etcdPassword = "kith", "correct horse"

func startGuarded(t *testing.T) guardedEtcd {
	t.Helper()
	ca := storetest.NewAuthority(t)
	serverCert, clientCert := ca.Issue(t, "127.0.0.1"), ca.Issue(t, "")
	server := start(t, Config{Dir: t.TempDir()})
	enableUsers(t, server.Client())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	grpc := v3rpc.Server(server.etcd, &tls.Config{
		Certificates: []tls.Certificate{serverCert}, ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs: ca.Pool, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"},
	}, nil)
	served := make(chan error, 1)
	go func() { served <- grpc.Serve(l) }()
	t.Cleanup(func() {
		grpc.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return guardedEtcd{"https://" + l.Addr().String(), ca.Pool, clientCert}
}

// enableUsers adds a root, as etcd wants one, and a user who may use kith's keys and no others.
func enableUsers(t *testing.T, client *clientv3.Client) {
	t.Helper()
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(client.UserAdd(ctx, "root", "root"))
	must(client.UserGrantRole(ctx, "root", "root"))
	must(client.RoleAdd(ctx, "kith"))
	must(client.RoleGrantPermission(ctx, "kith", "/kith/", clientv3.GetPrefixRangeEnd("/kith/"),
		clientv3.PermissionType(clientv3.PermReadWrite)))
	must(client.UserAdd(ctx, etcdUser, etcdPassword))
	must(client.UserGrantRole(ctx, etcdUser, "kith"))
	must(client.AuthEnable(ctx))
}

func (g guardedEtcd) config() store.DialConfig {
	return store.DialConfig{Endpoints: []string{g.endpoint}, Username: etcdUser, Password: etcdPassword,
		TLS: &tls.Config{RootCAs: g.roots, Certificates: []tls.Certificate{g.client}, MinVersion: tls.VersionTLS12}}
}

// A store behind TLS and a password works as any other, with no rights beyond /kith/.
func TestRemoteStoreTLS(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	client, err := store.Dial(t.Context(), g.config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	st, err := store.Open(t.Context(), store.Config{Client: client, Identity: store.Identity{ID: "tls"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	const model = kith.ModelUUID("0c5b7e1a-2f0f-4c1e-8c6f-1f2e3d4c5b6b")
	own, err := st.Own(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	batch := store.Batch{Model: model, Revision: 1, History: []byte(`{}`),
		Puts: []store.Entity{{Key: store.Key{Kind: "unit", ID: "web/0"}, Value: []byte(`{"x":1}`)}}}
	if err := st.Commit(t.Context(), own, batch); err != nil {
		t.Fatal(err)
	}
	loaded, err := st.Load(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Revision != 1 || len(loaded.Entities) != 1 || string(loaded.Entities[0].Value) != `{"x":1}` {
		t.Errorf("loaded %+v", loaded)
	}
}

// What is wrong with the certificates or the user is said, and never the password.
func TestRemoteStoreTLSRefused(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	for _, test := range []struct {
		name   string
		change func(*store.DialConfig)
		text   string
	}{
		{"password", func(c *store.DialConfig) { c.Password = "wrong horse" }, "invalid user ID or password"},
		{"no user", func(c *store.DialConfig) { c.Username, c.Password = "", "" }, "user name is empty"},
		{"authority", func(c *store.DialConfig) { c.TLS.RootCAs = x509.NewCertPool() }, "unknown authority"},
		{"no TLS", func(c *store.DialConfig) {
			c.Endpoints[0], c.TLS = strings.Replace(c.Endpoints[0], "https", "http", 1), nil
		}, "does it want https?"},
		{"no certificate", func(c *store.DialConfig) { c.TLS.Certificates = nil }, "certificate required"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			cfg := g.config()
			test.change(&cfg)
			client, err := store.Dial(t.Context(), cfg)
			if err == nil {
				client.Close()
				t.Fatal("it was let in")
			}
			if kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), test.text) || kith.HintOf(err) == "" {
				t.Errorf("got %v (%v), want %q", err, kith.CodeOf(err), test.text)
			}
			if strings.Contains(err.Error()+kith.HintOf(err), "horse") {
				t.Errorf("the password is in %v", err)
			}
		})
	}
}
