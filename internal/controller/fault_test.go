package controller

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// What a command is answered when the store fails is what the store then holds
// (C3): a write that landed is a success though its answer was lost, any other
// is a failure that left nothing. The model goes on in every case.
func TestFailedWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		how  fault
		want kith.Code
	}{
		{"refused", failsBefore, kith.Unavailable},
		{"lost before it was written", lostBefore, kith.Unavailable},
		{"lost after it was written", lostLater, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			m := w.model("m")
			deploy(t, m, 0, webCharm)
			before := m.Snapshot().Revision
			w.faults.set(func() { w.faults.next = []fault{c.how} })
			reply, err := m.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1})
			landed := m.Snapshot().Unit("web/0") != nil
			switch {
			case c.want == "" && (err != nil || !landed || reply.Revision != before+1):
				t.Errorf("%+v, %v, landed %v", reply, err, landed)
			case c.want != "" && (kith.CodeOf(err) != c.want || landed):
				t.Errorf("%v, landed %v", err, landed)
			case c.how == failsBefore && kith.HintOf(err) != "make room":
				t.Errorf("hint %q is not the store's", kith.HintOf(err))
			}
			do(t, m, core.AddUnits{App: "web", Units: 1})
			units := 0
			for range m.Snapshot().Units() {
				units++
			}
			if want := map[bool]int{true: 2, false: 1}[landed]; units != want {
				t.Errorf("%d units, want %d", units, want)
			}
			checkModel(t, m)
			w.stop()
			again := openWorld(t, w.server, "one")
			reloaded, err := again.c.Model("m")
			if err != nil || reloaded.Snapshot().Revision != m.Snapshot().Revision {
				t.Errorf("the store is at %v, memory at %d", reloaded, m.Snapshot().Revision)
			}
		})
	}
}

// Commands that were decided on top of a write that failed are decided again.
func TestCommandsAfterAFailedWriteAreDecidedAgain(t *testing.T) {
	t.Parallel()
	e := newEngineWorld(t)
	e.create(webCharm)
	e.submit(admin, core.AddUnits{App: "web", Units: 1})
	e.e.Gather(e.now)
	f := e.e.Launch()
	second := e.submit(admin, core.AddUnits{App: "web", Units: 1})
	e.e.Gather(e.now) // decided as web/1, on top of web/0
	e.e.Land(errStore)
	if f == nil || e.e.Down() == nil {
		t.Fatal("the engine did not notice")
	}
	if err := e.e.Reload(t.Context(), e.now); err != nil {
		t.Fatal(err)
	}
	e.turn()
	if second.err != nil || len(second.reply.Created) == 0 || second.reply.Created[0].ID != "web/0" && second.reply.Created[1].ID != "web/0" {
		t.Errorf("the second command: %+v, %v", second.reply, second.err)
	}
}

// A refusal waits for the writes it was decided on: if they fail, it was wrong.
func TestRefusalWaitsForWhatItIsBasedOn(t *testing.T) {
	t.Parallel()
	e := newEngineWorld(t)
	e.create(webCharm)
	first := e.submit(admin, core.Deploy{App: "other", Charm: blobOf("web"), Units: 0})
	e.e.Gather(e.now)
	e.e.Launch()
	second := e.submit(admin, core.Deploy{App: "other", Charm: blobOf("web"), Units: 0})
	e.e.Gather(e.now)
	if second.done {
		t.Fatalf("refused before the first was durable: %v", second.err)
	}
	e.e.Land(errStore)
	if err := e.e.Reload(t.Context(), e.now); err != nil {
		t.Fatal(err)
	}
	e.turn()
	if kith.CodeOf(first.err) != kith.Unavailable || second.err != nil {
		t.Errorf("first %v, second %v", first.err, second.err)
	}
}

// A store that is away is said to be; the model is back when it is.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 0, webCharm)
	w.faults.set(func() { w.faults.down = true })
	if _, err := m.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1}); kith.CodeOf(err) != kith.Unavailable ||
		!strings.Contains(err.Error(), "cannot tell whether") {
		t.Errorf("the first: %v", err)
	}
	if _, err := m.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1}); kith.CodeOf(err) != kith.Unavailable {
		t.Errorf("the next: %v", err)
	}
	if m.Snapshot().App("web") == nil {
		t.Error("reads do not go on")
	}
	w.faults.set(func() { w.faults.down = false })
	w.clock.Advance(maxRetry)
	for {
		if _, err := m.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1}); err == nil {
			break
		}
	}
	checkModel(t, m)
}

// A lease that ran out while nobody else came is taken again.
func TestOwnershipIsTakenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 0, webCharm)
	w.server.Expire("one")
	for {
		if _, err := m.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1}); err == nil {
			break
		} else if kith.CodeOf(err) != kith.Unavailable {
			t.Fatal(err)
		}
		w.clock.Advance(maxRetry)
	}
}

// A controller whose models another one took over does not write to them.
func TestAnotherControllerTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 0, webCharm)
	w.faults.set(func() { w.faults.down = true }) // it does not notice for now
	if _, err := m.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1}); err == nil {
		t.Fatal("a store that is down took a command")
	}
	w.server.Expire("one")
	two := openWorld(t, w.server, "two")
	other, err := two.c.Model("m")
	if err != nil {
		t.Fatal(err)
	}
	do(t, other, core.AddUnits{App: "web", Units: 1})
	w.faults.set(func() { w.faults.down = false })
	for range 5 {
		w.clock.Advance(maxRetry)
		if _, err := m.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1}); kith.CodeOf(err) != kith.Unavailable {
			t.Fatalf("the old controller answered %v", err)
		}
	}
	if got := other.Snapshot().App("web").NextUnit; got != 1 {
		t.Errorf("%d units", got)
	}
}

// Batches keep to the store's limits; what does not fit at all is refused by name.
func TestBatchesKeepToTheLimits(t *testing.T) {
	t.Parallel()
	server := memstore.New(store.Limits{MaxTxnBytes: 20_000, MaxTxnOps: 60})
	e := newEngineWorldOn(t, server)
	e.create(webCharm)
	var tasks []*task
	for range 40 { // each unit is five entities or so
		tasks = append(tasks, e.submit(admin, core.AddUnits{App: "web", Units: 1}))
	}
	tooMuch := e.submit(admin, core.AddUnits{App: "web", Units: 100})
	tasks = append(tasks, e.submit(admin, core.AddUnits{App: "web", Units: 1}))
	e.turn()
	for i, k := range tasks {
		if !k.done || k.err != nil {
			t.Errorf("command %d: %v", i, k.err)
		}
	}
	if kith.CodeOf(tooMuch.err) != kith.Invalid || !strings.Contains(tooMuch.err.Error(), "20000 bytes") {
		t.Errorf("the large one: %v", tooMuch.err)
	}
	if got := e.e.Snapshot().App("web").NextUnit; got != 41 {
		t.Errorf("%d units, want 41", got)
	}
}

// brokenOp has no rule: deciding it panics.
type brokenOp struct{}

func (brokenOp) Name() string { return "broken" }

// A panic of the rules stops the model, says so, and touches no other.
func TestPanicStopsOneModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad, good := w.model("bad"), w.model("good")
	deploy(t, bad, 1, webCharm)
	deploy(t, good, 1, webCharm)
	if _, err := bad.Submit(t.Context(), core.System, brokenOp{}); kith.CodeOf(err) != kith.Internal || !strings.Contains(err.Error(), "is stopped") {
		t.Fatalf("got %v", err)
	}
	if _, err := bad.Submit(t.Context(), admin, core.AddUnits{App: "web", Units: 1}); kith.CodeOf(err) != kith.Internal {
		t.Errorf("later: %v", err)
	}
	s, units, err := w.c.Connect(t.Context(), "local", "e1")
	if err != nil {
		t.Fatal(err)
	}
	defer w.c.Disconnect(s)
	if len(units.Away) != 1 || units.Away[0] != bad.ID || len(units.Units) != 1 {
		t.Errorf("the host holds %+v", units)
	}
	do(t, good, core.AddUnits{App: "web", Units: 1})
	for _, m := range w.c.Models() {
		if (m.Name == "bad") != (m.Stopped != "") {
			t.Errorf("%+v", m)
		}
	}
}

// What a failing agent leaves running fails when it comes back as another life.
func TestHostComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 1, webCharm)
	hello := core.Actor{Kind: core.ActorHost, Name: "local"}
	s, _, err := w.c.Connect(t.Context(), "local", "e1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Submit(t.Context(), hello, core.UnitHello{Unit: "web/0"}); err != nil {
		t.Fatal(err)
	}
	run := next(t, s, func(e api.HostEvent) bool { return e.Run != nil }).Run
	begin := core.BeginHook{Unit: run.Unit, Seq: run.Seq, Hook: run.Hook, Epoch: "e1"}
	if _, err := m.Submit(t.Context(), core.UnitActor("web/0"), begin); err != nil {
		t.Fatal(err)
	}
	w.c.Disconnect(s)
	r, err := m.Settle(t.Context(), 0)
	if err != nil || r.Settled || len(r.Busy) != 1 || r.Busy[0].With != api.BusyRunning || !r.Busy[0].Offline {
		t.Errorf("away: %+v, %v", r, err)
	}
	s, units, err := w.c.Connect(t.Context(), "local", "e2")
	if err != nil {
		t.Fatal(err)
	}
	if len(units.Units) != 1 || !units.Units[0].Present {
		t.Errorf("the host holds %+v", units)
	}
	r, err = m.Settle(t.Context(), 0)
	if err != nil || r.Settled || len(r.Busy) != 1 || r.Busy[0].With != api.BusyRetry || len(r.Errors) != 1 {
		t.Errorf("back: %+v, %v", r, err)
	}
	w.clock.Advance(time.Minute) // the retry is due
	again := next(t, s, func(e api.HostEvent) bool { return e.Run != nil }).Run
	if again.Seq != run.Seq || !again.Hook.Same(run.Hook) || again.Context.Attempt != 1 {
		t.Errorf("again: %+v", again)
	}
	// The old life is fenced out.
	if _, err := m.Submit(t.Context(), core.UnitActor("web/0"), begin); kith.CodeOf(err) != kith.Conflict {
		t.Errorf("the old life: %v", err)
	}
}

// next waits for an event.
func next(t *testing.T, s *Session, wanted func(api.HostEvent) bool) api.HostEvent {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		events, err := s.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if wanted(e) {
				return e
			}
		}
	}
}

// A second agent for a host ends the session of the first.
func TestSecondAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	first, _, err := w.c.Connect(t.Context(), "local", "e1")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := w.c.Connect(t.Context(), "local", "e2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Next(t.Context()); kith.CodeOf(err) != kith.Conflict {
		t.Errorf("the first ended with %v", err)
	}
	w.c.Disconnect(first) // late, as its stream ends: the second stays
	if hosts := w.c.Hosts(); fmt.Sprint(hosts) != "[local]" {
		t.Errorf("hosts: %v", hosts)
	}
	w.c.Disconnect(second)
}
