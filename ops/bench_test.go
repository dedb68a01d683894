package ops_test

import (
	"testing"

	"kith"
	"kith/ops"
)

// typedBackend answers a few calls without text: what Run itself costs.
type typedBackend struct{ ops.Backend }

func (typedBackend) RelationUnits(ops.RelationRef) ([]kith.UnitName, error) {
	return []kith.UnitName{"pg/0"}, nil
}

func (typedBackend) RelationGet(ops.RelationRef, bool, string) (map[string]string, error) {
	return map[string]string{"a": "1"}, nil
}
func (typedBackend) RelationSet(ops.RelationRef, bool, map[string]string) error { return nil }

// changedOver is a relation-changed over a backend.
func changedOver(b ops.Backend) ops.Dispatch {
	return ops.Dispatch{
		Env:  ops.Env{DispatchPath: "hooks/db-relation-changed", Unit: "web/0", Event: ops.EventEnv{Relation: "db", RelationID: 4, RemoteApp: "pg", RemoteUnit: "pg/0"}},
		Meta: newWorld().meta, Backend: b,
	}
}

// readAndWrite is a charm that reads a databag and writes another in relation-changed.
func readAndWrite(f *ops.Framework) (struct{}, error) {
	f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
		if _, err := e.Relation.Data(e.Unit).Get("a"); err != nil {
			return err
		}
		return e.Relation.Data(e.Model().Unit()).Set("b", "2")
	}))
	return struct{}{}, nil
}

// A dispatch makes what the event needs, whatever else the charm observes.
func TestRunAllocates(t *testing.T) {
	d := changedOver(typedBackend{})
	n := testing.AllocsPerRun(100, func() {
		_, err := ops.Run(t.Context(), d, func(f *ops.Framework) (struct{}, error) {
			for range 20 {
				f.Observe(
					ops.OnInstall(func(*ops.InstallEvent) error { return nil }),
					ops.OnRelationJoined("db", func(*ops.RelationJoinedEvent) error { return nil }),
					ops.OnAction("backup", func(*ops.ActionEvent) error { return nil }),
				)
			}
			return readAndWrite(f)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if n > 30 { // half of one for each of 60 observations; 14 when this was written
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkRun is one relation-changed that reads a databag and writes another: over
// typed calls, and over the real tools.
func BenchmarkRun(b *testing.B) {
	newCharm := readAndWrite
	b.Run("typed", func(b *testing.B) {
		d := changedOver(typedBackend{})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ops.Run(b.Context(), d, newCharm); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tools", func(b *testing.B) {
		w := newWorld()
		b.ReportAllocs()
		for b.Loop() {
			w.bags["4 web/0"] = map[string]string{}
			w.calls = w.calls[:0]
			if err := w.dispatch(changed("db", 4, "pg", "pg/0"), newCharm); err != nil {
				b.Fatal(err)
			}
		}
	})
}
