package controller

import (
	"fmt"
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
