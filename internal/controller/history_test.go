package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kith/internal/api"
	"kith/internal/core"
)

// History is pruned by number, by age and by size; the newest record stays, and
// the horizon says where it begins.
func TestPrune(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		retention Retention
		least     int // entries that stay at least, and at most
		most      int
	}{
		{"nothing", Retention{}, 44, 44},
		{"number", Retention{Records: 10}, 10, 10},
		{"age", Retention{Age: 10 * time.Minute}, 10, 11},
		{"size", Retention{Bytes: 3000}, 2, 20},
		{"everything", Retention{Age: time.Nanosecond}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.c.opt.Retention = c.retention
			m := w.model("m")
			deploy(t, m, 0, webCharm)
			for i := range 41 {
				w.clock.Advance(time.Minute)
				do(t, m, core.SetModelConfig{Set: map[string]string{"x": fmt.Sprint(i)}})
			}
			if c.name == "everything" {
				w.clock.Advance(time.Hour)
			}
			for range 2 { // a second look finds nothing more to do
				if err := m.Prune(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			h, err := m.History(t.Context(), api.HistoryQuery{})
			if err != nil {
				t.Fatal(err)
			}
			n := len(h.Entries)
			if n < c.least || n > c.most || h.Horizon != h.Revision-uint64(n)+1 {
				t.Errorf("%d entries are left, from %d to %d", n, h.Horizon, h.Revision)
			}
			// The model's revision survives, and new commands go on from it.
			w.stop()
			again := openWorld(t, w.server, "one")
			if m, err = again.c.Model("m"); err != nil || m.Snapshot().Revision != h.Revision {
				t.Errorf("reloaded at %d, %v; want %d", m.Snapshot().Revision, err, h.Revision)
			}
		})
	}
}

// "Status data carries what applies", and an agent that dies while a hook runs: "status error" (hook protocol
// reference, sections 3.4 and 3.5). Both are in the status log.
func TestStatusLogOfErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	deploy(t, m, 1, webCharm)
	as := func(actor core.Actor, op core.Op) {
		t.Helper()
		if _, err := m.Submit(t.Context(), actor, op); err != nil {
			t.Fatalf("%s: %v", op.Name(), err)
		}
	}
	host, unit, install := core.Actor{Kind: core.ActorHost, Name: "local"}, core.UnitActor("web/0"), core.Hook{Kind: core.Install, Charm: blobOf("web")}
	as(host, core.HostHello{Host: "local", Epoch: "1"})
	as(host, core.UnitHello{Unit: "web/0"})
	as(unit, core.BeginHook{Unit: "web/0", Seq: 1, Hook: install, Epoch: "1"})
	as(unit, core.FailHook{Unit: "web/0", Seq: 1, Hook: install, Message: "exit status 1", Epoch: "1"})
	as(unit, core.BeginHook{Unit: "web/0", Seq: 1, Hook: install, Attempt: 1, Epoch: "1"})
	as(unit, core.CommitHook{Unit: "web/0", Seq: 1, Hook: install, Epoch: "1"})
	config := core.Hook{Kind: core.ConfigChanged}
	as(unit, core.BeginHook{Unit: "web/0", Seq: 2, Hook: config, Epoch: "1"})
	as(host, core.HostHello{Host: "local", Epoch: "2"})
	log, err := m.StatusLog(t.Context(), api.StatusLogQuery{Entity: "web/0", Types: []api.StatusType{api.StatusWorkload}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range log {
		got = append(got, fmt.Sprintf("%s %q %v", e.Current, e.Message, e.Data["hook"]))
	}
	want := []string{`waiting "waiting for machine" <nil>`, `waiting "agent initialising" <nil>`, `maintenance "installing charm software" <nil>`,
		`error "hook failed: \"install\"" install`, `error "hook failed: \"config-changed\"" config-changed`}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
