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

// BenchmarkRun is one relation-changed that reads a databag and writes another: over
// typed calls, and over the real tools.
func BenchmarkRun(b *testing.B) {
	newCharm := func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			if _, err := e.Relation.Data(e.Unit).Get("a"); err != nil {
				return err
			}
			return e.Relation.Data(e.Model().Unit()).Set("b", "2")
		}))
		return struct{}{}, nil
	}
	b.Run("typed", func(b *testing.B) {
		d := ops.Dispatch{
			Env:  ops.Env{DispatchPath: "hooks/db-relation-changed", Unit: "web/0", Event: ops.EventEnv{Relation: "db", RelationID: 4, RemoteApp: "pg", RemoteUnit: "pg/0"}},
			Meta: newWorld().meta, Backend: typedBackend{},
		}
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
