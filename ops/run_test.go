package ops_test

import (
	"errors"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// Ops reference, section 5.4: the table of who may do what, on the real hook tools.
func TestDatabagRules(t *testing.T) {
	t.Parallel()
	for _, leader := range []bool{true, false} {
		w := newWorld()
		w.leader = leader
		w.run(t, core.Hook{Kind: core.RelationDeparted, Relation: &core.RelationHook{ID: 1, Endpoint: "cluster", RemoteApp: "web", RemoteUnit: "web/1", Departing: "web/1"}}, func(f *ops.Framework) {
			f.Observe(ops.OnRelationDeparted("cluster", func(e *ops.RelationDepartedEvent) error {
				m := e.Model()
				for _, c := range []struct {
					owner       ops.Owner
					read, write bool
				}{
					{m.Unit(), true, true},
					{e.Unit, true, false}, // another local unit, and one that is leaving
					{m.App(), true, leader},
					{kith.UnitName("pg/0"), false, false}, // no party to the relation
					{kith.AppName("pg"), false, false},
					{nil, false, false},
					{kith.UnitName(""), false, false}, // as an event without a unit has it
				} {
					bag := e.Relation.Data(c.owner)
					_, err := bag.All()
					wantAccess(t, "read", bag, err, c.read)
					wantAccess(t, "write", bag, bag.Set("a", "1"), c.write)
				}
				return nil
			}))
		})
		w.run(t, changed("db", 4, "pg", "pg/0"), func(f *ops.Framework) {
			f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
				m := e.Model()
				for _, c := range []struct {
					owner       ops.Owner
					read, write bool
				}{
					{m.Unit(), true, true},
					{e.Unit, true, false},
					{m.App(), leader, leader},
					{e.App, true, false},
				} {
					bag := e.Relation.Data(c.owner)
					_, err := bag.All()
					wantAccess(t, "read", bag, err, c.read)
					wantAccess(t, "write", bag, bag.Set("a", "1"), c.write)
				}
				return nil
			}))
		})
	}
}

func wantAccess(t *testing.T, op string, bag *ops.RelationData, err error, may bool) {
	t.Helper()
	var denied *ops.RelationDataAccessError
	if may && err != nil || !may && (!errors.As(err, &denied) || !errors.Is(err, ops.ErrPermission) || denied.Op != op) {
		t.Errorf("%s the data of %s: %v, want allowed: %v", op, bag.Owner(), err, may)
	}
}

func changed(endpoint kith.EndpointName, id kith.RelationID, app kith.AppName, unit kith.UnitName) core.Hook {
	return core.Hook{Kind: core.RelationChanged, Relation: &core.RelationHook{ID: id, Endpoint: endpoint, RemoteApp: app, RemoteUnit: unit}}
}

func TestErrorEndsTheDispatch(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ran := ""
	err := w.try(core.Hook{Kind: core.ConfigChanged}, func(f *ops.Framework) {
		f.Observe(
			ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { ran += "a"; return errors.New("no") }),
			ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { ran += "b"; return nil }),
			ops.OnReconcile(func(*ops.ReconcileEvent) error { ran += "c"; return nil }),
		)
	})
	if err == nil || err.Error() != "no" || ran != "a" {
		t.Errorf("ran %q, error %v", ran, err)
	}
}
