package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/controller"
	"kith/internal/core"
	"kith/internal/logs"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// world is a whole controller behind a unix socket, over a store in memory.
type world struct {
	t      testing.TB
	client *client.Client // the operator's
	keys   *controller.Keys
	c      *controller.Controller
	server *Server
	socket string
	log    *safeBuffer
	down   chan struct{}
}

// safeBuffer is a log that may be read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newWorld(t testing.TB) *world {
	t.Helper()
	dir, err := os.MkdirTemp("", "kith") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	keys, err := controller.LoadKeys(filepath.Join(dir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := controller.OpenBlobs(filepath.Join(dir, "blobs"), api.MaxBlob)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	files, err := logs.Open(filepath.Join(dir, "logs"), logs.Limits{}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(files.Close)
	registry := prometheus.NewRegistry()
	w := &world{t: t, keys: keys, socket: filepath.Join(dir, "kith.sock"), log: &safeBuffer{}, down: make(chan struct{})}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	w.c, err = controller.Open(ctx, controller.Options{Store: memstore.New(store.Limits{}).Open(store.Identity{ID: "one"}), Keys: keys,
		Blobs: blobs, Metrics: controller.NewMetrics(registry), Log: logger,
		Removed: func(id kith.ModelUUID) {
			if err := files.Remove(id); err != nil {
				t.Errorf("remove logs: %v", err)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	w.server = New(Options{Controller: w.c, Blobs: blobs, Logs: files, Keys: keys, Metrics: registry, Log: logger,
		Version: "1.2.3", Store: "one", UID: os.Getuid(), Shutdown: func() { close(w.down) }})
	l, err := ListenUnix(w.socket)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	serving, stopServing := context.WithCancel(context.Background())
	running.Go(func() {
		if err := w.server.Serve(serving, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	running.Go(func() {
		if err := w.c.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	w.client = client.Unix(w.socket)
	t.Cleanup(func() {
		w.client.Close()
		stopServing()
		cancel()
		running.Wait()
	})
	return w
}

func (w *world) model(name string) api.Model {
	w.t.Helper()
	for {
		m, err := w.client.CreateModel(w.t.Context(), api.CreateModel{Name: name})
		if kith.CodeOf(err) == kith.Unavailable {
			continue // the controller is about to run
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return m
	}
}

func rel(name string, role kith.Role, iface string) map[string]charm.Relation {
	return map[string]charm.Relation{name: {Name: kith.EndpointName(name), Role: role, Interface: iface, Scope: kith.Global}}
}

var (
	webCharm = charm.Charm{Meta: charm.Meta{Name: "web", Requires: rel("db", kith.Requirer, "pg")}}
	dbCharm  = charm.Charm{Meta: charm.Meta{Name: "db", Provides: rel("server", kith.Provider, "pg")}}
)

// put uploads something as an archive and returns its name.
func (w *world) put(content string) string {
	w.t.Helper()
	sum := sha256.Sum256([]byte(content))
	id := hex.EncodeToString(sum[:])
	if err := w.client.PutBlob(w.t.Context(), id, bytes.NewReader([]byte(content)), int64(len(content))); err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) do(model string, op core.Op) api.CommandReply {
	w.t.Helper()
	reply, err := w.client.Do(w.t.Context(), model, op)
	if err != nil {
		w.t.Fatalf("%s: %v", op.Name(), err)
	}
	return reply
}

// deploy uploads and deploys charms with a unit each.
func (w *world) deploy(model string, charms ...charm.Charm) {
	w.t.Helper()
	for _, c := range charms {
		id := w.put("archive of " + c.Meta.Name)
		w.do(model, core.AddCharm{ID: id, Charm: c})
		w.do(model, core.Deploy{App: kith.AppName(c.Meta.Name), Charm: id, Units: 1})
	}
}

// host is the client of the local host's agent.
func (w *world) host() *client.Client { return w.client.WithToken(w.keys.Host("local")) }

// unit is the client of a unit.
func (w *world) unit(m api.Model, u kith.UnitName) *client.Client {
	return w.client.WithToken(w.keys.Unit(m.UUID, u))
}

// agent runs hooks by saying so until ctx ends.
func (w *world) agent(run func(*api.Assignment) core.Effects) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var hooks sync.WaitGroup
	do := func(c *client.Client, m kith.ModelUUID, op core.Op) {
		if _, err := c.Do(ctx, string(m), op); err != nil && ctx.Err() == nil && kith.CodeOf(err) != kith.Conflict {
			w.t.Errorf("%s: %v", op.Name(), err)
		}
	}
	handle := func(e api.HostEvent) {
		var holds []api.HostUnit
		switch {
		case e.Units != nil:
			holds = e.Units.Units
		case e.Hold != nil:
			holds = []api.HostUnit{*e.Hold}
		case e.Run != nil:
			a := e.Run
			hooks.Go(func() {
				c := w.client.WithToken(a.Token)
				if t := a.Hook.Task; t != nil {
					do(c, a.Model, core.BeginTask{Unit: a.Unit, Task: t.ID, Epoch: "e1"})
					do(c, a.Model, core.LogTask{Unit: a.Unit, Task: t.ID, Number: 1, Message: "working"})
					do(c, a.Model, core.FinishTask{Unit: a.Unit, Task: t.ID, Epoch: "e1", TaskOutcome: core.TaskOutcome{Status: core.TaskCompleted,
						Values: map[string]any{"size": map[string]any{"bytes": "12"}}, Output: &core.Output{Stdout: "done\n"}}})
					return
				}
				do(c, a.Model, core.BeginHook{Unit: a.Unit, Seq: a.Seq, Hook: a.Hook, Attempt: a.Context.Attempt, Epoch: "e1"})
				var effects core.Effects
				if run != nil {
					effects = run(a)
				}
				do(c, a.Model, core.CommitHook{Unit: a.Unit, Seq: a.Seq, Hook: a.Hook, Effects: effects, Epoch: "e1"})
			})
		}
		for _, h := range holds {
			if !h.Present {
				hooks.Go(func() { do(w.host(), h.Model, core.UnitHello{Unit: h.Unit}) })
			}
		}
	}
	connected := make(chan struct{})
	hooks.Go(func() {
		for e, err := range w.host().Host(ctx, "local", "e1") {
			if err != nil {
				if ctx.Err() == nil {
					w.t.Errorf("host stream: %v", err)
				}
				return
			}
			if e.Units != nil {
				close(connected)
			}
			handle(e)
		}
	})
	<-connected
	w.t.Cleanup(func() { cancel(); hooks.Wait() })
}

// raw sends a request as it is and returns status and body.
func (w *world) raw(method, path, token string, body []byte) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, "http://kith"+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set(api.HeaderToken, "Bearer "+token)
	}
	resp, err := rawClient(w.socket).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var buf bytes.Buffer
	if req.Method != http.MethodHead {
		if _, err := buf.ReadFrom(resp.Body); err != nil {
			w.t.Fatal(err)
		}
	}
	return resp.StatusCode, buf.String()
}
