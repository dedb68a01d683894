package controller

import (
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// Two applications are integrated and come to rest; the order is that of the
// relations reference, section 4.3.
func TestIntegrateToSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 1, webCharm, dbCharm)
	a := startAgent(w, func(as *api.Assignment) (core.Effects, error) {
		if as.Hook.Name() != "server-relation-joined" {
			return core.Effects{}, nil
		}
		return core.Effects{Bags: []core.BagWrite{{Relation: as.Hook.Relation.ID, Set: map[string]string{"endpoint": "here"}}}}, nil
	})
	if r := settle(t, m); !r.Settled || len(r.Busy) != 0 {
		t.Fatalf("settle: %+v", r)
	}
	reply := do(t, m, core.Integrate{A: endpoint(t, "web:db"), B: endpoint(t, "db:server")})
	if len(reply.Created) != 1 || reply.Created[0].Name != "web:db db:server" {
		t.Errorf("integrate created %+v", reply.Created)
	}
	settle(t, m)
	got := a.hooksOf("web/0")
	i := slices.Index(got, "start")
	want := []string{"db-relation-created", "db-relation-joined", "db-relation-changed"}
	if after := got[i+1:]; i < 0 || !slices.Equal(after[:3], want) {
		t.Errorf("web/0 ran %v", got)
	}
	bag := m.Snapshot().Bag(reply2id(t, reply), "db/0")
	if bag == nil || bag.Data["endpoint"] != "here" {
		t.Errorf("the bag of db/0 is %+v", bag)
	}
	checkModel(t, m)
}

func reply2id(t *testing.T, r api.CommandReply) kith.RelationID {
	t.Helper()
	id, ok := relationID(r.Created[0].ID)
	if !ok {
		t.Fatalf("no relation in %+v", r)
	}
	return id
}

func checkModel(t *testing.T, m *Model) {
	t.Helper()
	for _, v := range core.Check(m.Snapshot()) {
		t.Errorf("invariant broken: %+v", v)
	}
}

// A refused command gets its error; others of the same batch proceed.
func TestRefusalsDoNotHoldOthersUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 1, webCharm, dbCharm)
	gate := make(chan struct{})
	w.faults.set(func() { w.faults.gate = gate })
	results := make(chan error, 3)
	submit := func(op core.Op) {
		go func() {
			_, err := m.Submit(t.Context(), admin, op)
			results <- err
		}()
	}
	submit(core.AddUnits{App: "web", Units: 1})
	submit(core.AddUnits{App: "nosuch", Units: 1})
	submit(core.AddUnits{App: "db", Units: 1})
	go func() {
		for {
			select {
			case gate <- struct{}{}:
			case <-t.Context().Done():
				return
			}
		}
	}()
	var refused int
	for range 3 {
		if err := <-results; err != nil {
			refused++
			if kith.CodeOf(err) != kith.NotFound {
				t.Errorf("refused with %v", err)
			}
		}
	}
	if refused != 1 {
		t.Errorf("%d were refused, want 1", refused)
	}
	w.faults.set(func() { w.faults.gate = nil })
}

// While a write is in flight the next batch gathers: many commands, few writes.
func TestCommandsAreWrittenInBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 0, webCharm)
	gate := make(chan struct{})
	w.faults.set(func() { w.faults.gate, w.faults.batches = gate, nil })
	const n = 200
	results := make(chan error, n)
	for range n { // not by Submit, which would wait for the gate
		m.in <- &Request{Actor: admin, Op: core.AddUnits{App: "web", Units: 1},
			Answer: func(_ api.CommandReply, err error) { results <- err }}
	}
	close(gate)
	for range n {
		if err := <-results; err != nil {
			t.Fatal(err)
		}
	}
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	if len(w.faults.batches) > n/4 {
		t.Errorf("%d commands took %d writes", n, len(w.faults.batches))
	}
	if got := m.Snapshot().App("web").NextUnit; got != n {
		t.Errorf("%d units were made, want %d", got, n)
	}
}

// A restarted controller goes on where the last one was, with the same revision.
func TestRestartKeepsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 2, webCharm, dbCharm)
	do(t, m, core.Integrate{A: endpoint(t, "web"), B: endpoint(t, "db")})
	before := m.Snapshot()
	w.stop()

	again := openWorld(t, w.server, "one")
	m, err := again.c.Model("m")
	if err != nil {
		t.Fatal(err)
	}
	after := m.Snapshot()
	if after.Revision != before.Revision {
		t.Errorf("revision %d, want %d", after.Revision, before.Revision)
	}
	for u := range before.Units() {
		if after.Unit(u.Name) == nil {
			t.Errorf("unit %s is gone", u.Name)
		}
	}
	startAgent(again, nil)
	settle(t, m)
	checkModel(t, m)
}

// A model that is destroyed leaves nothing behind; its name is free again.
func TestDestroyModel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 2, webCharm, dbCharm)
	do(t, m, core.Integrate{A: endpoint(t, "web"), B: endpoint(t, "db")})
	startAgent(w, nil)
	settle(t, m)
	gone := make(chan error, 1)
	watching := make(chan struct{})
	go func() {
		var last api.WatchEvent
		err := m.Watch(t.Context(), false, func(e api.WatchEvent) error {
			if last.Revision == 0 {
				close(watching)
			}
			last = e
			return nil
		})
		if !last.Removed {
			t.Errorf("the watch's last event was %+v", last)
		}
		gone <- err
	}()
	<-watching
	do(t, m, core.DestroyModel{})
	if err := <-gone; kith.CodeOf(err) != kith.NotFound {
		t.Errorf("the watch ended with %v", err)
	}
	if _, err := w.c.Model("m"); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("the model is still there: %v", err)
	}
	ids, err := w.faults.Models(t.Context())
	if err != nil || len(ids) != 0 {
		t.Errorf("the store still has %v, %v", ids, err)
	}
	w.model("m")
}

// Names are unique, and a refused model leaves nothing behind.
func TestCreateModelRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	for name, code := range map[string]kith.Code{"m": kith.Conflict, "Bad Name": kith.Invalid} {
		if _, err := w.c.CreateModel(t.Context(), admin, api.CreateModel{Name: name}); kith.CodeOf(err) != code {
			t.Errorf("create %q: %v, want %s", name, err, code)
		}
	}
	if got := w.c.Models(); len(got) != 1 || got[0].Name != "m" {
		t.Errorf("models: %+v", got)
	}
}

// Two models in one controller go their own ways, with addresses of their own.
func TestTwoModels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.model("one"), w.model("two")
	for _, m := range []*Model{one, two} {
		deploy(t, m, 1, webCharm)
	}
	a := startAgent(w, nil)
	settle(t, one)
	settle(t, two)
	if one.Snapshot().Unit("web/0").Address == two.Snapshot().Unit("web/0").Address {
		t.Error("units of two models share an address")
	}
	var starts int
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, line := range a.trace {
		if strings.HasSuffix(line, " start") {
			starts++
		}
	}
	if starts == 0 {
		t.Errorf("no unit started: %v", a.trace)
	}
}
