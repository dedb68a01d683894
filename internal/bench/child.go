package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
)

// childFlag makes this program run as a peer that is measured from outside.
const childFlag = "-child"

// child is a bare embedded etcd: it starts in a folder, answers one request, says
// so, and ends when its standard input does.
func child(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "usage: bench -child DIR")
		return 2
	}
	etcd, err := bareEtcd(context.Background(), args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	etcd.Close()
	return 0
}

// bareEtcd is etcd as any program embeds it, with the settings it comes with,
// quiet and on unix sockets. It returns when the first request was answered.
func bareEtcd(ctx context.Context, dir string) (*embed.Etcd, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	cfg := embed.NewConfig()
	cfg.Dir = filepath.Join(dir, "data")
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	clientURL := url.URL{Scheme: "unix", Path: filepath.Join(dir, "c")}
	peerURL := url.URL{Scheme: "unix", Path: filepath.Join(dir, "p")}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{clientURL}, []url.URL{clientURL}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peerURL}, []url.URL{peerURL}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	etcd, err := embed.StartEtcd(cfg)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
	case err := <-etcd.Err():
		etcd.Close()
		return nil, err
	}
	client := v3client.New(etcd.Server)
	defer client.Close()
	if _, err := client.Get(ctx, "x"); err != nil {
		etcd.Close()
		return nil, err
	}
	return etcd, nil
}
