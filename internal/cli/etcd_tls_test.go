package cli

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"

	"kith/internal/store/storetest"
)

// scriptGuardedEtcd starts an etcd as a careful operator runs it: with TLS both ways, and users
// with passwords. It sets ETCD to its URL and ADDRESS to host and port, and leaves ca.pem, me.pem and me.key in the
// script's folder. The user "kith" has the password "correct-horse".
func scriptGuardedEtcd(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: guardedetcd")
		}
		dir := ts.MkAbs(".")
		ca := storetest.NewAuthority(t)
		caFile := ca.WritePEM(t, dir)
		storetest.WritePEM(t, dir, "me", ca.Issue(t, ""))
		cert, key := storetest.WritePEM(t, dir, "server", ca.Issue(t, "127.0.0.1"))
		sockets, err := os.MkdirTemp("", "etcd") // a socket's path may not be long
		ts.Check(err)
		ts.Defer(func() { os.RemoveAll(sockets) })

		cfg := embed.NewConfig()
		cfg.Dir = filepath.Join(dir, "guarded")
		cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		cfg.ClientTLSInfo.CertFile, cfg.ClientTLSInfo.KeyFile = cert, key
		cfg.ClientTLSInfo.TrustedCAFile, cfg.ClientTLSInfo.ClientCertAuth = caFile, true
		client, peer := url.URL{Scheme: "https", Host: "127.0.0.1:0"}, url.URL{Scheme: "unix", Path: sockets + "/p"}
		cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
		cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
		cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
		server, err := embed.StartEtcd(cfg)
		ts.Check(err)
		ts.Defer(server.Close)
		<-server.Server.ReadyNotify()
		ts.Check(addUsers(v3client.New(server.Server)))
		ts.Setenv("ADDRESS", server.Clients[0].Addr().String())
		ts.Setenv("ETCD", "https://"+server.Clients[0].Addr().String())
	}
}

// addUsers adds a root, as etcd wants one, and a user who may use kith's keys and no others.
func addUsers(c *clientv3.Client) error {
	defer c.Close()
	ctx := context.Background()
	for _, step := range []func() error{
		func() error { _, err := c.UserAdd(ctx, "root", "root"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := c.RoleAdd(ctx, "kith"); return err },
		func() error {
			_, err := c.RoleGrantPermission(ctx, "kith", "/kith/", clientv3.GetPrefixRangeEnd("/kith/"),
				clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := c.UserAdd(ctx, "kith", "correct-horse"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "kith", "kith"); return err },
		func() error { _, err := c.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
