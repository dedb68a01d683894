package agent_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kith"
	"kith/charm"
	"kith/internal/agent"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/controller"
	"kith/internal/core"
	"kith/internal/logs"
	"kith/internal/server"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// whole is everything but the disk: a controller over a store in memory, its
// server on a socket, the client, and an agent with the real hook tools.
type whole struct {
	t      testing.TB
	client *client.Client
	model  string
	dir    string
}

func newWhole(t testing.TB) *whole { return newWholeOver(t, false) }

// newWholeOver has the agent ask over the socket, or beside the server.
func newWholeOver(t testing.TB, overSocket bool) *whole {
	t.Helper()
	dir, err := os.MkdirTemp("", "kith") // short: a socket is in it
	check(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	keys, err := controller.LoadKeys(filepath.Join(dir, "secret.key"))
	check(t, err)
	blobs, err := controller.OpenBlobs(filepath.Join(dir, "blobs"), api.MaxBlob)
	check(t, err)
	files, err := logs.Open(filepath.Join(dir, "logs"), logs.Limits{}, time.Now)
	check(t, err)
	registry := prometheus.NewRegistry()
	ctx, cancel := context.WithCancel(context.Background())
	c, err := controller.Open(ctx, controller.Options{Store: memstore.New(store.Limits{}).Open(store.Identity{ID: "one"}), Keys: keys,
		Blobs: blobs, Metrics: controller.NewMetrics(registry)})
	check(t, err)
	srv := server.New(server.Options{Controller: c, Blobs: blobs, Logs: files, Keys: keys, Metrics: registry, UID: os.Getuid(), Shutdown: func() {}})
	socket := filepath.Join(dir, "kith.sock")
	l, err := server.ListenUnix(socket)
	check(t, err)
	local := client.Unix(socket)
	way := agent.Over(srv.Beside(keys.Host("local")))
	if overSocket {
		way = agent.Over(local.WithToken(keys.Host("local")))
	}
	a := agent.New(agent.Config{Controller: way, Dir: filepath.Join(dir, "agent"), HookTool: agent.HookToolForTest(t)})
	agentCtx, stopAgent := context.WithCancel(context.Background())
	var serving, running sync.WaitGroup
	running.Go(func() {
		if err := a.Run(agentCtx); err != nil {
			t.Errorf("agent: %v", err)
		}
	})
	for _, run := range []func() error{func() error { return srv.Serve(ctx, l) }, func() error { return c.Run(ctx) }} {
		serving.Go(func() {
			if err := run(); err != nil {
				t.Errorf("serve: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		stopAgent()
		running.Wait()
		cancel()
		serving.Wait()
		local.Close()
		files.Close()
		check(t, blobs.Close())
	})
	w := &whole{t: t, client: local, dir: dir}
	w.create()
	return w
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *whole) create() {
	w.t.Helper()
	for {
		m, err := w.client.CreateModel(context.Background(), api.CreateModel{Name: "prod"})
		if kith.CodeOf(err) == kith.Unavailable {
			continue // the controller is about to run
		}
		check(w.t, err)
		w.model = string(m.UUID)
		return
	}
}

func (w *whole) do(op core.Op) {
	w.t.Helper()
	_, err := w.client.Do(context.Background(), w.model, op)
	check(w.t, err)
}

// deploy deploys a charm from a folder.
func (w *whole) deploy(app kith.AppName, dir string, units int) {
	w.t.Helper()
	var archive bytes.Buffer
	check(w.t, charm.Pack(dir, &archive))
	sum := sha256.Sum256(archive.Bytes())
	id := hex.EncodeToString(sum[:])
	c, err := charm.ReadZip(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	check(w.t, err)
	check(w.t, w.client.PutBlob(context.Background(), id, bytes.NewReader(archive.Bytes()), int64(archive.Len())))
	w.do(core.AddCharm{ID: id, Charm: *c})
	w.do(core.Deploy{App: app, Charm: id, Units: units})
}

func (w *whole) settle() {
	w.t.Helper()
	s, err := w.client.Settle(context.Background(), w.model, 60*time.Second)
	check(w.t, err)
	if !s.Settled || len(s.Errors) > 0 {
		w.t.Fatalf("not settled: %+v\n%s", s, w.log())
	}
}

func (w *whole) log() string {
	var b strings.Builder
	for r, err := range w.client.Logs(context.Background(), w.model, api.LogQuery{Last: -1, LogFilter: api.LogFilter{Level: api.LevelTrace}}) {
		if err != nil {
			return b.String() + err.Error()
		}
		b.WriteString(r.Entity + " " + string(r.Level) + " " + r.Module + " " + r.Message + "\n")
	}
	return b.String()
}

// files writes a charm.
func files(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(path), 0o755))
		check(t, os.WriteFile(path, []byte(text), 0o755))
	}
	return dir
}

// Two example charms, through the whole of kith but the disk: when the model is
// settled the data is there, and so is the log of every hook: the agent beside the server, and over
// its socket.
func TestWhole(t *testing.T) {
	t.Parallel()
	for name, overSocket := range map[string]bool{"beside": false, "over the socket": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testWhole(t, newWholeOver(t, overSocket))
		})
	}
}

func testWhole(t *testing.T, w *whole) {
	w.deploy("database", "../../examples/charms/database", 1)
	w.deploy("web", "../../examples/charms/web-app", 2)
	w.do(core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "database"}})
	w.settle()
	s, err := w.client.Status(context.Background(), w.model)
	check(t, err)
	for _, u := range s.Units {
		if u.Workload.Current != kith.Active {
			t.Errorf("%s is %s: %s\n%s", u.Name, u.Workload.Current, u.Workload.Message, w.log())
		}
	}
	log := w.log()
	for _, unit := range []string{"unit-web-0", "unit-web-1"} {
		if want := unit + ` INFO juju.worker.uniter.operation ran "database-relation-changed" hook`; !strings.Contains(log, want) {
			t.Errorf("settled, and the log lacks %q:\n%s", want, log)
		}
	}
}

// BenchmarkWholeHook is one hook after another of one unit, from a changed option
// to the commit, through everything but the disk. See BenchmarkBareProcess.
func BenchmarkWholeHook(b *testing.B) {
	w := newWhole(b)
	w.deploy("web", files(b, map[string]string{"metadata.yaml": "name: web\nsummary: s\ndescription: d\n",
		"config.yaml": "options:\n  x: {type: string, default: a}\n", "hooks/config-changed": "#!/bin/sh\n"}), 1)
	w.settle()
	n := 0
	for b.Loop() {
		n++
		w.do(core.SetConfig{App: "web", Set: map[string]any{"x": strconv.Itoa(n)}})
		w.settle()
	}
}
