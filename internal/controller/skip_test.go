package controller

import (
	"slices"
	"testing"
	"time"

	"kith"
	"kith/internal/core"
)

// skips takes what a session has to say, and returns the hooks that are skipped.
func skips(t *testing.T, s *Session) []string {
	t.Helper()
	events, err := s.Take()
	if err != nil {
		t.Fatal(err)
	}
	var hooks []string
	for _, e := range events {
		if e.Skip != nil {
			hooks = append(hooks, string(e.Skip.Unit)+" "+e.Skip.Hook)
		}
	}
	return hooks
}

// Hook protocol reference, section 4.2: "leader-elected, and for application-owned secrets secret-rotate, … are
// dropped if the unit is no longer the leader when they come up; log unit is no longer the leader". The
// host is told which, once.
func TestSkippedHookIsTold(t *testing.T) {
	t.Parallel()
	w, s := withTask(t)
	host := core.Actor{Kind: core.ActorHost, Name: "local"}
	do := func(actor core.Actor, op core.Op) {
		t.Helper()
		k := w.submit(actor, op)
		w.turn()
		if k.err != nil {
			t.Fatalf("%s: %v", op.Name(), k.err)
		}
	}
	want := func(when string, s *Session, hooks ...string) {
		t.Helper()
		if got := skips(t, s); !slices.Equal(got, hooks) {
			t.Errorf("%s: told of %v, want %v", when, got, hooks)
		}
	}
	elect := func(u kith.UnitName) { do(core.System, core.Elect{Unit: u}) }
	do(core.UnitActor("web/0"), core.FinishTask{Unit: "web/0", Task: 2, TaskOutcome: core.TaskOutcome{Status: core.TaskCompleted}, Epoch: "1"})
	do(admin, core.AddUnits{App: "web", Units: 1})
	do(host, core.UnitHello{Unit: "web/1"})
	hook := core.Hook{Kind: core.LeaderElected}
	want("at first", s)

	elect("web/1") // web/0 was offered leader-elected
	want("offered", s, "web/0 leader-elected")
	do(admin, core.SetConfig{App: "web", Trust: new(true)})
	want("looked at again", s)

	elect("web/0")
	do(core.UnitActor("web/0"), core.BeginHook{Unit: "web/0", Seq: 2, Hook: hook, Epoch: "1"})
	do(core.UnitActor("web/0"), core.CommitHook{Unit: "web/0", Seq: 2, Hook: hook, Epoch: "1"})
	elect("web/1")
	want("it has run", s)

	elect("web/0")
	do(core.UnitActor("web/0"), core.FailHook{Unit: "web/0", Seq: 3, Hook: hook, Message: "exit status 1", Epoch: "1"})
	w.e.Detach(s)
	elect("web/1") // nobody is there to tell
	again := newSession("local", "1")
	w.e.Attach(again)
	w.e.Offer()
	want("in error", again, "web/0 leader-elected")

	// A secret of the application's is due to rotate.
	elect("web/0")
	hourly := core.RotateHourly
	past := w.e.Snapshot().Progress("web/0")
	do(core.UnitActor("web/0"), core.CommitHook{Unit: "web/0", Seq: past.Seq + 1, Hook: hook, Epoch: "1", Effects: core.Effects{Secrets: []core.SecretWrite{
		{ID: "9m4e2mr0ui3e8a215n40", Create: core.OwnerApp, SecretUpdate: core.SecretUpdate{Rotate: &hourly, Data: core.SecretData{"password": "djE="}}},
	}}})
	w.advance(time.Hour)
	want("due to rotate", again)
	elect("web/1")
	want("due to rotate, and deposed", again, "web/0 secret-rotate")
}
