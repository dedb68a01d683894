package embedetcd

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"kith"
	"kith/internal/store"
)

const benchModel = kith.ModelUUID("3f0e7c56-0d8e-4f6e-9b7a-5f1b2f3c4d5e")

// hookCommit is a batch as a hook that sets five keys of a databag makes it: the
// bag, the unit's progress, and the record that tells both.
func hookCommit(rev uint64, unit int) store.Batch {
	value := func(n int) []byte {
		return append(append([]byte(`{"v":"`), bytes.Repeat([]byte("x"), n)...), `"}`...)
	}
	return store.Batch{
		Model:    benchModel,
		Revision: rev,
		Puts: []store.Entity{
			{Key: store.Key{Kind: "databag", ID: fmt.Sprintf("3/web/%d", unit)}, Value: value(300)},
			{Key: store.Key{Kind: "unit", ID: fmt.Sprintf("web/%d", unit)}, Value: value(400)},
			{Key: store.Key{Kind: "progress", ID: fmt.Sprintf("web/%d", unit)}, Value: value(300)},
		},
		History: value(700),
	}
}

// BenchmarkCommit is a hook's commit through the store, one at a time.
func BenchmarkCommit(b *testing.B) {
	s, own := benchStore(b)
	rev := uint64(0)
	for b.Loop() {
		rev++
		if err := s.Commit(b.Context(), own, hookCommit(rev, int(rev%100))); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRawTxn is the same bytes in a plain transaction: what etcd alone takes.
func BenchmarkRawTxn(b *testing.B) {
	server := benchServer(b)
	benchRaw(b, server.Client())
}

// BenchmarkRawTxnBareEtcd is the same again on etcd with the settings it comes with.
func BenchmarkRawTxnBareEtcd(b *testing.B) {
	server := bareEtcd(b, b.TempDir())
	defer server.Close()
	client := v3client.New(server.Server)
	defer client.Close()
	benchRaw(b, client)
}

func benchRaw(b *testing.B, client *clientv3.Client) {
	rev := 0
	for b.Loop() {
		rev++
		batch := hookCommit(uint64(rev), rev%100)
		var ops []clientv3.Op
		for _, e := range batch.Puts {
			ops = append(ops, clientv3.OpPut("/kith/1/models/"+string(benchModel)+"/"+e.Key.String(), string(e.Value)))
		}
		ops = append(ops, clientv3.OpPut(fmt.Sprintf("/kith/1/models/%s/history/%020d", benchModel, rev), string(batch.History)))
		if _, err := client.Txn(b.Context()).Then(ops...).Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommitGrouped is 64 hooks' commits in one batch, as the writer groups them
// under load; the figure is for one hook.
func BenchmarkCommitGrouped(b *testing.B) {
	const group = 64
	s, own := benchStore(b)
	rev := uint64(0)
	for b.Loop() {
		rev++
		batch := hookCommit(rev, 0)
		for i := 1; i < group; i++ {
			one := hookCommit(rev, i)
			batch.Puts = append(batch.Puts, one.Puts...)
			batch.History = append(batch.History, one.History...)
		}
		if err := s.Commit(b.Context(), own, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/group, "ns/hook")
}

// BenchmarkStart is from nothing to the first answered request. On a busy machine
// cpu-ms/op says more than the time.
func BenchmarkStart(b *testing.B) {
	b.Run("first", func(b *testing.B) {
		cpu := 0.0
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			b.StartTimer()
			cpu += startOnce(b, dir)
		}
		b.ReportMetric(cpu/float64(b.N), "cpu-ms/op")
	})
	for _, batches := range []int{100, 2000, 10000} {
		b.Run(fmt.Sprintf("restart-%d", batches), func(b *testing.B) {
			dir := b.TempDir()
			fillModel(b, dir, 100, batches)
			cpu := 0.0
			for b.Loop() {
				cpu += startOnce(b, dir)
			}
			b.ReportMetric(cpu/float64(b.N), "cpu-ms/op")
		})
	}
	b.Run("bare-etcd-first", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			dir := b.TempDir()
			b.StartTimer()
			server := bareEtcd(b, dir)
			b.StopTimer()
			server.Close()
			b.StartTimer()
		}
	})
}

// cpuTime is what this process has used so far, in milliseconds.
func cpuTime(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

// startOnce starts, opens a store and loads a model; stopping is not measured.
func startOnce(b *testing.B, dir string) float64 {
	before := cpuTime(b)
	server, err := Start(b.Context(), Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.Open(b.Context(), store.Identity{ID: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Load(b.Context(), benchModel); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	used := cpuTime(b) - before
	s.Close()
	server.Close()
	b.StartTimer()
	return used
}

// bareEtcd is etcd as an application embeds it without a thought, but on sockets of
// its own and quiet. It returns when the first request was answered.
func bareEtcd(b *testing.B, dir string) *embed.Etcd {
	cfg := embed.NewConfig()
	cfg.Dir = dir
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	sockets, err := os.MkdirTemp("", "bare")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(sockets) })
	client, peer := url.URL{Scheme: "unix", Path: sockets + "/c"}, url.URL{Scheme: "unix", Path: sockets + "/p"}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		b.Fatal(err)
	}
	<-server.Server.ReadyNotify()
	c := v3client.New(server.Server)
	defer c.Close()
	if _, err := c.Get(b.Context(), "x"); err != nil {
		b.Fatal(err)
	}
	return server
}

func benchServer(b *testing.B) *Server {
	server, err := Start(b.Context(), Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Close() })
	return server
}

func benchStore(b *testing.B) (*store.Etcd, store.Ownership) {
	server := benchServer(b)
	s, err := server.Open(b.Context(), store.Identity{ID: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	own, err := s.Own(b.Context(), benchModel)
	if err != nil {
		b.Fatal(err)
	}
	return s, own
}

// fillModel makes a model of so many units, with a history of so many batches.
func fillModel(b *testing.B, dir string, units, batches int) {
	server, err := Start(b.Context(), Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	if err := fill(server, units, 1, batches); err != nil {
		b.Fatal(err)
	}
}

func fill(server *Server, units, from, to int) error {
	ctx := context.Background()
	s, err := server.Open(ctx, store.Identity{ID: "bench"})
	if err != nil {
		return err
	}
	defer s.Close()
	own, err := s.Own(ctx, benchModel)
	for rev := from; rev <= to && err == nil; rev++ {
		err = s.Commit(ctx, own, hookCommit(uint64(rev), rev%units))
	}
	return err
}

// BenchmarkResident is the memory of a process that does nothing but run the server,
// after 2000 hooks' commits for 20 units.
func BenchmarkResident(b *testing.B) {
	for b.Loop() {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleVar+"=rest", dirVar+"="+b.TempDir())
		out, err := cmd.Output()
		var all, anon float64
		if _, serr := fmt.Sscan(string(out), &all, &anon); err != nil || serr != nil {
			b.Fatalf("%v %v: %q", err, serr, out)
		}
		b.ReportMetric(all/1024, "MB-resident")
		b.ReportMetric(anon/1024, "MB-anonymous")
	}
}

// childRests commits, comes to rest, and says how much memory it has, in KiB.
func childRests(dir string) {
	server, err := Start(context.Background(), Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	if err := fill(server, 20, 1, 2000); err != nil {
		panic(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for _, field := range []string{"VmRSS:", "RssAnon:"} {
		_, after, _ := strings.Cut(string(status), field)
		fmt.Println(strings.Fields(after)[0])
	}
}
