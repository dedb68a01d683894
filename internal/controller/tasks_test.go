package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// withTask is an engine with unit web/0, installed, and a task of it that runs. Its host is connected.
func withTask(t *testing.T) (*engineWorld, *Session) {
	t.Helper()
	w := newEngineWorld(t)
	w.create(webCharm)
	host, unit := core.Actor{Kind: core.ActorHost, Name: "local"}, core.UnitActor("web/0")
	s := newSession("local", "1")
	for _, step := range []struct {
		actor core.Actor
		op    core.Op
	}{
		{host, core.HostHello{Host: "local", Epoch: "1"}},
		{admin, core.AddUnits{App: "web", Units: 1}},
		{host, core.UnitHello{Unit: "web/0"}},
		{unit, core.CommitHook{Unit: "web/0", Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: blobOf("web")}}},
		{admin, core.RunAction{Receivers: []string{"web/0"}, Action: "go"}},
		{unit, core.BeginTask{Unit: "web/0", Task: 2, Epoch: "1"}},
	} {
		k := w.submit(step.actor, step.op)
		w.turn()
		if k.err != nil {
			t.Fatalf("%s: %v", step.op.Name(), k.err)
		}
	}
	w.e.Attach(s)
	w.e.Offer()
	return w, s
}

func aborts(t *testing.T, s *Session) []kith.TaskID {
	t.Helper()
	events, err := s.Take()
	if err != nil {
		t.Fatal(err)
	}
	var ids []kith.TaskID
	for _, e := range events {
		if e.Abort != nil {
			ids = append(ids, e.Abort.Task)
		}
	}
	return ids
}

// The host is told once that a task is to be aborted, and again when it connects anew: the
// session before may not have been heard.
func TestAbortIsTold(t *testing.T) {
	t.Parallel()
	w, s := withTask(t)
	if got := aborts(t, s); len(got) > 0 {
		t.Errorf("told to abort %v", got)
	}
	w.submit(admin, core.CancelTasks{Tasks: []kith.TaskID{2}})
	w.turn()
	if got := aborts(t, s); !slices.Equal(got, []kith.TaskID{2}) {
		t.Errorf("told to abort %v, want 2", got)
	}
	w.submit(admin, core.SetConfig{App: "web", Trust: new(true)})
	w.turn()
	if got := aborts(t, s); len(got) > 0 {
		t.Errorf("told again: %v", got)
	}
	w.e.Detach(s)
	again := newSession("local", "1")
	w.e.Attach(again)
	w.e.Offer()
	if got := aborts(t, again); !slices.Equal(got, []kith.TaskID{2}) {
		t.Errorf("a new session is told to abort %v, want 2", got)
	}
	w.submit(core.UnitActor("web/0"), core.FinishTask{Unit: "web/0", Task: 2, Epoch: "1", TaskOutcome: core.TaskOutcome{Status: core.TaskAborted}})
	w.turn()
	if got := aborts(t, again); len(got) > 0 {
		t.Errorf("told to abort what is over: %v", got)
	}
}

// Settle counts tasks: one that waits and one that runs keep a model from rest (api.SettleReply).
func TestSettleKnowsTasks(t *testing.T) {
	t.Parallel()
	w, _ := withTask(t)
	r := w.e.Settle(0)
	if len(r.Busy) != 1 || r.Busy[0].With != api.BusyRunning || r.Busy[0].Hook != "action go" {
		t.Errorf("%+v", r.Busy)
	}
	w.submit(admin, core.RunAction{Receivers: []string{"web/0"}, Action: "free"})
	w.turn()
	w.submit(core.UnitActor("web/0"), core.FinishTask{Unit: "web/0", Task: 2, Epoch: "1", TaskOutcome: core.TaskOutcome{Status: core.TaskCompleted}})
	w.turn()
	var busy []string
	for _, b := range w.e.Settle(0).Busy {
		busy = append(busy, fmt.Sprint(b.With, " ", b.Hook))
	}
	if !slices.Equal(busy, []string{"pending leader-elected"}) && !slices.Equal(busy, []string{"pending action free"}) {
		t.Errorf("%q", busy)
	}
}

// Who follows an operation hears each change of it, each message once, and nothing of other
// things; and the watch ends with the operation.
func TestWatchOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 1, dbCharm)
	a := startAgent(w, nil)
	settle(t, m)
	do(t, m, core.RunAction{Receivers: []string{"db/0"}, Action: "nope"})
	hold := make(chan struct{})
	a.task = func(as *api.Assignment) core.TaskOutcome {
		<-hold
		for n, text := range []string{"one", "two"} {
			a.submit(t.Context(), m.ID, core.UnitActor("db/0"), core.LogTask{Unit: "db/0", Task: as.Hook.Task.ID, Number: n + 1, Message: text})
		}
		return core.TaskOutcome{Status: core.TaskCompleted, Output: &core.Output{}}
	}
	do(t, m, core.RunAction{Receivers: []string{"db/0"}, Action: "go"})
	var seen []core.TaskStatus
	var said []string
	err := m.WatchOperation(t.Context(), 2, func(e api.OperationEvent) error {
		if len(seen) == 0 {
			close(hold)
		}
		seen = append(seen, e.Operation.Status)
		for _, msg := range e.Log {
			said = append(said, fmt.Sprint(msg.Task, " ", msg.Text))
		}
		return nil
	})
	if err != nil || seen[len(seen)-1] != core.TaskCompleted || !slices.Equal(said, []string{"3 one", "3 two"}) || len(seen) > 6 {
		t.Errorf("%v, %q, %v", seen, said, err)
	}
	n := 0
	if err := m.WatchOperation(t.Context(), 1, func(e api.OperationEvent) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("an operation that is over: %d events, %v", n, err)
	}
	if err := m.WatchOperation(t.Context(), 99, nil); kith.CodeOf(err) != kith.NotFound || err.Error() != `operation "99" not found` {
		t.Errorf("%v", err)
	}
}

// Operations that need not be kept any more are dropped in the background, in as many commands
// as it takes.
func TestPruneTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 1, dbCharm)
	for range 250 {
		do(t, m, core.RunAction{Receivers: []string{"db/0"}, Action: strings.Repeat("no", 3)})
	}
	if err := m.pruneTasks(t.Context()); err != nil || len(m.Snapshot().Operations()) != 250 {
		t.Fatalf("%d operations, %v", len(m.Snapshot().Operations()), err)
	}
	w.clock.Advance(337 * time.Hour)
	if err := m.pruneTasks(t.Context()); err != nil || len(m.Snapshot().Operations()) != 0 {
		t.Errorf("%d operations, %v", len(m.Snapshot().Operations()), err)
	}
}
