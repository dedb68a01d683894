package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// world is a controller over a store in memory, with a clock turned by hand.
type world struct {
	t      *testing.T
	server *memstore.Server
	faults *faulty
	clock  *ManualClock
	c      *Controller
	stop   func()
}

var testSecret = []byte("0123456789abcdef0123456789abcdef")

func newWorld(t *testing.T) *world {
	t.Helper()
	server := memstore.New(store.Limits{})
	return openWorld(t, server, "one")
}

func openWorld(t *testing.T, server *memstore.Server, id string) *world {
	t.Helper()
	keys, err := NewKeys(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, server: server, faults: &faulty{Store: server.Open(store.Identity{ID: id})},
		clock: NewManualClock(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))}
	ctx, cancel := context.WithCancel(t.Context())
	if w.c, err = Open(ctx, Options{Store: w.faults, Keys: keys, Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- w.c.Run(ctx) }()
	for started := false; !started; {
		w.c.mu.Lock()
		started = w.c.running != nil
		w.c.mu.Unlock()
	}
	var once sync.Once
	w.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ran; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(w.stop)
	return w
}

var admin = core.Actor{Kind: core.ActorUser, Name: "admin"}

func (w *world) model(name string) *Model {
	w.t.Helper()
	if _, err := w.c.CreateModel(w.t.Context(), admin, api.CreateModel{Name: name}); err != nil {
		w.t.Fatal(err)
	}
	m, err := w.c.Model(name)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// tryModel makes a model if the controller runs already.
func (w *world) tryModel(t testing.TB) (*Model, error) {
	if _, err := w.c.CreateModel(t.Context(), admin, api.CreateModel{Name: "m"}); err != nil {
		return nil, err
	}
	return w.c.Model("m")
}

// do sends a command as the operator.
func do(t testing.TB, m *Model, op core.Op) api.CommandReply {
	t.Helper()
	reply, err := m.Submit(t.Context(), admin, op)
	if err != nil {
		t.Fatalf("%s: %v", op.Name(), err)
	}
	return reply
}

func rel(name string, role kith.Role, iface string) map[string]charm.Relation {
	return map[string]charm.Relation{name: {Name: kith.EndpointName(name), Role: role, Interface: iface, Scope: kith.Global}}
}

var (
	actions  = map[string]charm.Action{"go": {Title: "go"}, "free": {Title: "free", Parallel: true}}
	webCharm = charm.Charm{Meta: charm.Meta{Name: "web", Requires: rel("db", kith.Requirer, "pg")}, Actions: actions}
	dbCharm  = charm.Charm{Meta: charm.Meta{Name: "db", Provides: rel("server", kith.Provider, "pg"), Peers: rel("cluster", kith.Peer, "db_peers")}, Actions: actions}
	logCharm = charm.Charm{Meta: charm.Meta{Name: "log", Subordinate: true, Requires: map[string]charm.Relation{
		"info": {Name: "info", Role: kith.Requirer, Interface: charm.JujuInfo, Scope: kith.Container}}}, Actions: actions}
)

func blobOf(name string) string {
	return strings.Repeat("0", 64-len(name)) + fmt.Sprintf("%x", name)[:len(name)]
}

// deploy adds charms and applications.
func deploy(t testing.TB, m *Model, units int, charms ...charm.Charm) {
	t.Helper()
	for _, c := range charms {
		do(t, m, core.AddCharm{ID: blobOf(c.Meta.Name), Charm: c})
		n := units
		if c.Meta.Subordinate {
			n = 0
		}
		do(t, m, core.Deploy{App: kith.AppName(c.Meta.Name), Charm: blobOf(c.Meta.Name), Units: n})
	}
}

func endpoint(t testing.TB, s string) kith.Endpoint {
	t.Helper()
	e, err := kith.ParseEndpoint(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// agent is a host's agent that runs no processes: every hook does what run says.
type agent struct {
	c     *Controller
	run   func(*api.Assignment) (core.Effects, error)
	task  func(*api.Assignment) core.TaskOutcome // what tasks come to; nil: nothing
	epoch string
	host  string

	mu    sync.Mutex
	trace []string
	wg    sync.WaitGroup
}

func startAgent(w *world, run func(*api.Assignment) (core.Effects, error)) *agent {
	w.t.Helper()
	if run == nil {
		run = func(*api.Assignment) (core.Effects, error) { return core.Effects{}, nil }
	}
	a := &agent{c: w.c, run: run, epoch: "e1", host: "local"}
	ctx, cancel := context.WithCancel(w.t.Context())
	s, units, err := w.c.Connect(ctx, a.host, a.epoch)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, u := range units.Units {
		a.event(ctx, api.HostEvent{Hold: &u})
	}
	a.wg.Go(func() {
		for {
			events, err := s.Next(ctx)
			if err != nil {
				return
			}
			for _, e := range events {
				a.event(ctx, e)
			}
		}
	})
	w.t.Cleanup(func() { cancel(); a.wg.Wait() })
	return a
}

func (a *agent) event(ctx context.Context, e api.HostEvent) {
	switch {
	case e.Hold != nil && !e.Hold.Present:
		hold := *e.Hold
		a.wg.Go(func() {
			a.submit(ctx, hold.Model, core.Actor{Kind: core.ActorHost, Name: a.host}, core.UnitHello{Unit: hold.Unit})
		})
	case e.Run != nil:
		a.wg.Go(func() { a.hook(ctx, e.Run) })
	}
}

func (a *agent) submit(ctx context.Context, model kith.ModelUUID, actor core.Actor, op core.Op) error {
	m, err := a.c.Model(string(model))
	if err != nil {
		return err
	}
	for {
		_, err = m.Submit(ctx, actor, op)
		if kith.CodeOf(err) != kith.Unavailable || ctx.Err() != nil || m.Ended() != nil {
			return err
		}
	}
}

func (a *agent) hook(ctx context.Context, as *api.Assignment) {
	actor := core.UnitActor(as.Unit)
	// A real agent takes a unit up before it runs anything for it.
	a.submit(ctx, as.Model, core.Actor{Kind: core.ActorHost, Name: a.host}, core.UnitHello{Unit: as.Unit})
	if t := as.Hook.Task; t != nil {
		if a.submit(ctx, as.Model, actor, core.BeginTask{Unit: as.Unit, Task: t.ID, Epoch: a.epoch}) == nil {
			a.submit(ctx, as.Model, actor, core.FinishTask{Unit: as.Unit, Task: t.ID, TaskOutcome: a.task(as), Epoch: a.epoch})
		}
		return
	}
	begin := core.BeginHook{Unit: as.Unit, Seq: as.Seq, Hook: as.Hook, Attempt: as.Context.Attempt, Epoch: a.epoch}
	if a.submit(ctx, as.Model, actor, begin) != nil {
		return // withdrawn, or another assignment of the same number came first
	}
	a.mu.Lock()
	line := fmt.Sprintf("%s %d %s", as.Unit, as.Seq, as.Hook.Name())
	first := !slices.Contains(a.trace, line)
	if first {
		a.trace = append(a.trace, line)
	}
	a.mu.Unlock()
	effects, err := a.run(as)
	if err != nil {
		a.submit(ctx, as.Model, actor, core.FailHook{Unit: as.Unit, Seq: as.Seq, Hook: as.Hook, Message: err.Error(), Attempt: as.Context.Attempt, Epoch: a.epoch})
		return
	}
	a.submit(ctx, as.Model, actor, core.CommitHook{Unit: as.Unit, Seq: as.Seq, Hook: as.Hook, Effects: effects, Epoch: a.epoch})
}

// hooksOf is what one unit ran, in order.
func (a *agent) hooksOf(u kith.UnitName) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var hooks []string
	for _, line := range a.trace {
		if f := strings.Fields(line); f[0] == string(u) {
			hooks = append(hooks, f[2])
		}
	}
	return hooks
}

// settle waits for rest; in real time, which the clock by hand does not bound.
func settle(t testing.TB, m *Model) api.SettleReply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := m.Settle(ctx, time.Hour)
	if err != nil {
		now, _ := m.Settle(t.Context(), 0)
		t.Fatalf("settle: %v; %+v", err, now)
	}
	return r
}

// faulty is a store that can be told to fail.
type faulty struct {
	store.Store
	mu sync.Mutex
	// next decides what the next commits do; empty: they work.
	next []fault
	// down makes every call fail.
	down bool
	// gate, if set, holds every commit until it can be received from.
	gate    chan struct{}
	batches []store.Batch
}

// fault is one way a commit can end.
type fault int

const (
	works       fault = iota
	failsBefore       // refused: nothing was written, and that is known
	lostBefore        // no answer: nothing was written
	lostLater         // no answer: it was written
)

var errStore = kith.Errorf(kith.Unavailable, "the disk is full").WithHint("make room")

func (f *faulty) Commit(ctx context.Context, own store.Ownership, b store.Batch) error {
	f.mu.Lock()
	how, gate, down := works, f.gate, f.down
	if len(f.next) > 0 {
		how, f.next = f.next[0], f.next[1:]
	}
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if down {
		return store.Because(store.ErrUnknown, errStore)
	}
	switch how {
	case failsBefore:
		return errStore
	case lostBefore:
		return store.Because(store.ErrUnknown, errStore)
	}
	err := f.Store.Commit(ctx, own, b)
	if how == lostLater && err == nil {
		err = store.Because(store.ErrUnknown, errStore)
	}
	if err == nil || errors.Is(err, store.ErrUnknown) {
		f.mu.Lock()
		f.batches = append(f.batches, b)
		f.mu.Unlock()
	}
	return err
}

func (f *faulty) Load(ctx context.Context, id kith.ModelUUID) (store.Snapshot, error) {
	f.mu.Lock()
	down := f.down
	f.mu.Unlock()
	if down {
		return store.Snapshot{}, errStore
	}
	return f.Store.Load(ctx, id)
}

func (f *faulty) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}
