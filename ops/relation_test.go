package ops_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// configure is the hook that most tests here run in.
var configure = core.Hook{Kind: core.ConfigChanged}

// in runs a function as the handler of a hook.
func (w *world) in(t *testing.T, hook core.Hook, do func(m *ops.Model) error) {
	t.Helper()
	w.run(t, hook, func(f *ops.Framework) {
		f.Observe(ops.OnReconcile(func(e *ops.ReconcileEvent) error { return do(e.Model()) }))
	})
}

// inRelation is in, for what is about the one relation of the endpoint db.
func (w *world) inRelation(t *testing.T, hook core.Hook, do func(m *ops.Model, r *ops.Relation) error) {
	t.Helper()
	w.in(t, hook, func(m *ops.Model) error {
		r, err := m.GetRelation("db")
		if err != nil {
			return err
		}
		return do(m, r)
	})
}

// count is how often a tool was called.
func (w *world) count(call string) int {
	n := 0
	for _, c := range w.calls {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

// Ops reference, section 5.2, the table of look-ups.
func TestGetRelation(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.in(t, configure, func(m *ops.Model) error {
		r, err := m.GetRelation("db")
		if err != nil || r == nil || r.ID != 4 || r.App != "pg" || !r.Active || !slices.Equal(r.Units, []kith.UnitName{"pg/0", "pg/1"}) {
			t.Errorf("GetRelation(db) = %+v, %v", r, err)
		}
		again, err := m.GetRelationByID("db", 4)
		if err != nil || again != r {
			t.Errorf("GetRelationByID gives another object: %p and %p, %v", r, again, err)
		}
		_, err = m.GetRelation("logs")
		var many *ops.TooManyRelatedAppsError
		if !errors.As(err, &many) || *many != (ops.TooManyRelatedAppsError{Endpoint: "logs", NumRelated: 2, MaxSupported: 1}) {
			t.Errorf("GetRelation(logs) = %v", err)
		}
		if text := err.Error(); !strings.Contains(text, `"logs"`) || !strings.Contains(text, "2") || !strings.Contains(text, "1") {
			t.Errorf("the error does not name endpoint and numbers: %s", text)
		}
		all, err := m.Relations("logs")
		if err != nil || len(all) != 2 || all[0].ID != 2 || all[1].ID != 10 || all[0].App != "loki" {
			t.Errorf("Relations(logs) = %v, %v", all, err)
		}
		for _, id := range []kith.RelationID{99, 4} { // never there, and on another endpoint
			gone, err := m.GetRelationByID("logs", id)
			if err != nil || gone.Active || gone.App != "" || gone.ID != id {
				t.Errorf("GetRelationByID(logs, %v) = %+v, %v", id, gone, err)
			}
		}
		if _, err := m.GetRelation("nosuch"); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("GetRelation(nosuch) = %v", err)
		}
		peer, err := m.GetRelation("cluster")
		if err != nil || !peer.IsPeer() || peer.App != "web" || !slices.Equal(peer.Units, []kith.UnitName{"web/1"}) {
			t.Errorf("GetRelation(cluster) = %+v, %v", peer, err)
		}
		return nil
	})
	if n := w.count("relation-ids"); n != 3 {
		t.Errorf("%d calls of relation-ids for three endpoints", n)
	}
	w.context.Relations = w.context.Relations[:1]
	w.in(t, configure, func(m *ops.Model) error {
		r, err := m.GetRelation("db")
		if r != nil || err != nil {
			t.Errorf("GetRelation of an endpoint without relations = %v, %v", r, err)
		}
		return nil
	})
}

// about is a hook of relation 4.
func about(kind core.HookKind, unit, departing kith.UnitName) core.Hook {
	return core.Hook{Kind: kind, Relation: &core.RelationHook{ID: 4, Endpoint: "db", RemoteApp: "pg", RemoteUnit: unit, Departing: departing}}
}

// Ops reference, section 5.7: what a handler sees per hook.
func TestRelationEvents(t *testing.T) {
	t.Parallel()
	type seen struct {
		app             kith.AppName
		unit, departing kith.UnitName
		units           string
		active          bool
		listed          bool // among Model.Relations
		unitBag, appBag bool // can be read
	}
	for name, c := range map[string]struct {
		hook core.Hook
		want seen
	}{
		"created":     {about(core.RelationCreated, "", ""), seen{"pg", "", "", "[pg/0 pg/1]", true, true, false, true}},
		"joined":      {about(core.RelationJoined, "pg/0", ""), seen{"pg", "pg/0", "", "[pg/0 pg/1]", true, true, true, true}},
		"changed":     {about(core.RelationChanged, "pg/0", ""), seen{"pg", "pg/0", "", "[pg/0 pg/1]", true, true, true, true}},
		"app changed": {about(core.RelationChanged, "", ""), seen{"pg", "", "", "[pg/0 pg/1]", true, true, false, true}},
		"departed":    {about(core.RelationDeparted, "pg/0", "pg/0"), seen{"pg", "pg/0", "pg/0", "[pg/1]", true, true, true, true}},
		"broken":      {about(core.RelationBroken, "", ""), seen{"pg", "", "", "[]", false, false, false, true}},
	} {
		w := newWorld()
		if c.hook.Kind == core.RelationBroken { // nobody is left then
			w.context.Relations[2].Members = nil
		}
		var got seen
		observed := func(e ops.RelationEvent, unit, departing kith.UnitName) error {
			r := e.Relation
			got = seen{app: e.App, unit: unit, departing: departing, active: r.Active}
			got.units = "[" + joinNames(r.Units) + "]"
			all, err := e.Model().Relations("db")
			if err != nil {
				return err
			}
			got.listed = slices.Contains(all, r)
			if one, err := e.Model().GetRelation("db"); err != nil || (one == r) != got.listed {
				t.Errorf("%s: GetRelation = %v, %v", name, one, err)
			}
			if byID, err := e.Model().GetRelationByID("db", 4); err != nil || byID != r {
				t.Errorf("%s: GetRelationByID = %v, %v", name, byID, err)
			}
			_, err = r.Data(unit).All()
			got.unitBag = err == nil
			_, err = r.Data(e.App).All()
			got.appBag = err == nil
			return nil
		}
		w.run(t, c.hook, func(f *ops.Framework) {
			f.Observe(
				ops.OnRelationCreated("db", func(e *ops.RelationCreatedEvent) error { return observed(e.RelationEvent, "", "") }),
				ops.OnRelationJoined("db", func(e *ops.RelationJoinedEvent) error { return observed(e.RelationEvent, e.Unit, "") }),
				ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error { return observed(e.RelationEvent, e.Unit, "") }),
				ops.OnRelationDeparted("db", func(e *ops.RelationDepartedEvent) error { return observed(e.RelationEvent, e.Unit, e.DepartingUnit) }),
				ops.OnRelationBroken("db", func(e *ops.RelationBrokenEvent) error { return observed(e.RelationEvent, "", "") }),
			)
		})
		if got != c.want {
			t.Errorf("%s: saw\n%+v, want\n%+v", name, got, c.want)
		}
	}
}

func joinNames(units []kith.UnitName) string {
	var names []string
	for _, u := range units {
		names = append(names, string(u))
	}
	return strings.Join(names, " ")
}

// Ops reference, section 5.5: the databag as a mapping.
func TestRelationData(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.inRelation(t, configure, func(m *ops.Model, r *ops.Relation) error {
		own := r.Data(m.Unit())
		if err := own.Update(map[string]string{"a": "1", "b": "2", "private-address": "127.0.1.1", "never": ""}); err != nil {
			return err
		}
		if all, err := own.All(); err != nil || len(all) != 3 || all["a"] != "1" { // own writes show
			t.Errorf("after Update: %v, %v", all, err)
		}
		if err := own.Set("a", "1"); err != nil { // changes nothing
			return err
		}
		if err := own.Delete("b", "absent"); err != nil {
			return err
		}
		if v, err := own.Get("b"); v != "" || err != nil {
			t.Errorf("a deleted key reads %q, %v", v, err)
		}
		if keys, err := own.Keys(); err != nil || !slices.Equal(keys, []string{"a", "private-address"}) {
			t.Errorf("keys %v, %v", keys, err)
		}
		var wrong *ops.RelationDataTypeError
		if err := own.Set("bytes", "\xff"); !errors.As(err, &wrong) || wrong.Key != "bytes" {
			t.Errorf("what is not UTF-8: %v", err)
		}
		if v, err := r.Data(kith.UnitName("pg/0")).Get("ready"); v != "yes" || err != nil {
			t.Errorf("remote: %q, %v", v, err)
		}
		return nil
	})
	if sets, gets := w.count("relation-set"), w.count("relation-get"); sets != 2 || gets != 2 {
		t.Errorf("%d calls of relation-set and %d of relation-get, want 2 and 2:\n%s", sets, gets, strings.Join(w.calls, "\n"))
	}
	if got := w.bags["4 web/0"]; len(got) != 2 || got["a"] != "1" {
		t.Errorf("committed: %v", got)
	}
	w.inRelation(t, configure, func(m *ops.Model, r *ops.Relation) error {
		return r.Data(m.Unit()).Replace(map[string]string{"c": "3"})
	})
	if got := w.bags["4 web/0"]; len(got) != 1 || got["c"] != "3" {
		t.Errorf("after Replace: %v", got)
	}
}

// A relation the host knows no more reads as empty and cannot be written.
func TestRelationThatIsGone(t *testing.T) {
	t.Parallel()
	newWorld().in(t, configure, func(m *ops.Model) error {
		r, err := m.GetRelationByID("db", 99)
		if err != nil {
			return err
		}
		if all, err := r.Data(kith.UnitName("pg/0")).All(); len(all) != 0 || err != nil {
			t.Errorf("its data is %v, %v", all, err)
		}
		if err := r.Data(m.Unit()).Set("a", "1"); !errors.Is(err, ops.ErrRelationNotFound) {
			t.Errorf("writing it: %v", err)
		}
		if n, err := r.Binding().Network(); err != nil || n.BindAddress() != "127.0.1.1" {
			t.Errorf("its network: %v, %v", n, err)
		}
		return nil
	})
}

// Ops reference, section 5.2: so does one by its number on another endpoint. Hosts go by the number
// alone (hook protocol reference, section 6.7), so they are not asked.
func TestRelationOfAnotherEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.in(t, configure, func(m *ops.Model) error {
		r, err := m.GetRelationByID("logs", 4)
		if err != nil {
			return err
		}
		for _, owner := range []ops.Owner{m.Unit(), m.App(), kith.UnitName("pg/0"), kith.AppName("pg")} {
			if all, err := r.Data(owner).All(); len(all) != 0 || err != nil {
				t.Errorf("its data is %v, %v", all, err)
			}
		}
		s, err := m.GetSecretByLabel("my-label")
		if err != nil {
			return err
		}
		_, model := r.RemoteModel()
		for what, err := range map[string]error{
			"write": r.Data(m.Unit()).Set("a", "1"), "replace": r.Data(m.App()).Replace(map[string]string{"a": "1"}), "model": model,
			"grant": s.Grant(r), "unit": s.GrantUnit(r, "pg/0"), "revoke": s.Revoke(r), "revoke unit": s.RevokeUnit(r, "pg/0"),
		} {
			if !errors.Is(err, ops.ErrRelationNotFound) || !strings.Contains(err.Error(), `"logs:4"`) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := r.Data(m.Unit()).Delete("a"); err != nil {
			t.Errorf("deleting what is not there: %v", err)
		}
		if n, err := r.Binding().Network(); err != nil || n.BindAddress() != "127.0.1.1" {
			t.Errorf("its network: %v, %v", n, err)
		}
		live, err := m.GetRelation("db")
		if err != nil {
			return err
		}
		if v, err := live.Data(kith.UnitName("pg/0")).Get("ready"); v != "yes" || err != nil {
			t.Errorf("the relation that has the number: %q, %v", v, err)
		}
		return nil
	})
	if len(w.effects.Bags) != 0 || w.count("secret-grant") != 0 {
		t.Errorf("written %+v, calls %q", w.effects.Bags, w.calls)
	}
}

// losing is a host that does not know the relation of its event any more, and tells no application.
type losing struct{ ops.Backend }

func (losing) RelationUnits(r ops.RelationRef) ([]kith.UnitName, error) {
	return nil, ops.NewModelError("relation-list", 2, "ERROR invalid value \""+r.String()+"\" for option -r: relation not found")
}

// knowing knows it.
type knowing struct{ ops.Backend }

func (knowing) RelationUnits(ops.RelationRef) ([]kith.UnitName, error) {
	return []kith.UnitName{"remote-0123456789abcdef/7"}, nil
}

// Ops reference, section 5.3: the application is found from the units, from the event, or by asking.
// Names from other models need not follow our grammar.
func TestAppOfEvent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		backend     ops.Backend
		told        kith.AppName // by the environment
		event, seen kith.AppName
		active      bool
	}{
		"told, and gone":    {losing{}, "pg", "pg", "pg", false},
		"told":              {knowing{}, "remote-0123456789abcdef", "remote-0123456789abcdef", "remote-0123456789abcdef", true},
		"not told":          {knowing{}, "", "remote-0123456789abcdef", "remote-0123456789abcdef", true},
		"not told and gone": {losing{}, "", "", "", false},
	} {
		env := ops.Env{DispatchPath: "hooks/db-relation-changed", Unit: "web/0", Event: ops.EventEnv{Relation: "db", RelationID: 4, RemoteApp: c.told}}
		_, err := ops.Run(t.Context(), ops.Dispatch{Env: env, Meta: newWorld().meta, Backend: c.backend}, func(f *ops.Framework) (struct{}, error) {
			f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
				if e.App != c.event || e.Relation.App != c.seen || e.Relation.Active != c.active {
					t.Errorf("%s: event of %q, relation with %q, active %v", name, e.App, e.Relation.App, e.Relation.Active)
				}
				return nil
			}))
			return struct{}{}, nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A leader that is none any more is refused by the tool, with the same error.
func TestLeadershipLostOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.in(t, configure, func(m *ops.Model) error {
		r, err := m.GetRelation("cluster")
		if err != nil {
			return err
		}
		if err := r.Data(m.App()).Set("a", "1"); err != nil {
			return err
		}
		w.losing = true // between the check and the call
		err = r.Data(m.App()).Set("a", "2")
		var denied *ops.RelationDataAccessError
		var refused *ops.ModelError
		if !errors.As(err, &denied) || denied.Op != "write" || !errors.As(err, &refused) || !errors.Is(err, ops.ErrNotLeader) || refused.Status != 1 {
			t.Errorf("writing as a leader that is none any more: %v", err)
		}
		return nil
	})
}

// Ops reference, section 5.8.
func TestNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.in(t, configure, func(m *ops.Model) error {
		n, err := m.GetBinding("db").Network()
		if err != nil {
			return err
		}
		if _, err := m.GetBinding("db").Network(); err != nil {
			return err
		}
		if n.BindAddress() != "127.0.1.1" || n.IngressAddress() != "127.0.1.1" || len(n.Interfaces) != 1 {
			t.Errorf("network %+v", n)
		}
		if ip, ok := n.BindAddress().IP(); !ok || !ip.IsLoopback() {
			t.Errorf("address %v", ip)
		}
		if p, ok := n.EgressSubnets[0].Prefix(); !ok || p.Bits() != 32 {
			t.Errorf("egress %v", n.EgressSubnets)
		}
		if n.Interfaces[0].Subnet == "" {
			t.Error("an address without a subnet has none of its own")
		}
		_, err = m.GetBinding("nosuch").Network()
		var refused *ops.ModelError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), `no network config found for binding "nosuch"`) {
			t.Errorf("unknown binding: %v", err)
		}
		return nil
	})
	if n := w.count("network-get"); n != 2 {
		t.Errorf("%d calls of network-get", n)
	}
}

// sharedBackend has one databag for all, which nobody may change, and keeps what it is given.
type sharedBackend struct {
	typedBackend
	bag, kept map[string]string
}

func (b *sharedBackend) RelationGet(ops.RelationRef, bool, string) (map[string]string, error) {
	return b.bag, nil
}

func (b *sharedBackend) RelationSet(_ ops.RelationRef, _ bool, set map[string]string) error {
	if b.kept == nil {
		b.kept = set
	}
	return nil
}

// What a backend returns and what it was given stay as they are; the charm sees its writes
// over them, and what it gets is its own.
func TestSharedBags(t *testing.T) {
	t.Parallel()
	b := &sharedBackend{bag: map[string]string{"a": "1", "b": "2"}}
	_, err := ops.Run(t.Context(), changedOver(b), func(f *ops.Framework) (struct{}, error) {
		f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			own := e.Relation.Data(e.Model().Unit())
			for range 2 {
				all, err := own.All()
				if err != nil {
					return err
				}
				all["a"], all["mine"] = "changed", "yes"
			}
			err := errors.Join(own.Set("c", "3"), own.Delete("a"), own.Update(map[string]string{"b": "two", "c": "3"}))
			keys, _ := own.Keys()
			if a, _ := own.Get("a"); a != "" || !slices.Equal(keys, []string{"b", "c"}) {
				t.Errorf("it reads a=%q and keys %q", a, keys)
			}
			if theirs, _ := e.Relation.Data(e.Unit).All(); !maps.Equal(theirs, b.bag) {
				t.Errorf("another bag is %v", theirs)
			}
			return err
		}))
		return struct{}{}, nil
	})
	if err != nil || !maps.Equal(b.bag, map[string]string{"a": "1", "b": "2"}) || !maps.Equal(b.kept, map[string]string{"c": "3"}) {
		t.Errorf("bag %v, first write %v, error %v", b.bag, b.kept, err)
	}
}

// Hook protocol reference, section 7.1: a databag has a limit, which the write that breaks it is told.
func TestDatabagTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.inRelation(t, configure, func(m *ops.Model, r *ops.Relation) error {
		own := r.Data(m.Unit())
		var refused *ops.ModelError
		if err := own.Set("k", strings.Repeat("x", 16<<20)); !errors.As(err, &refused) || refused.Tool != "relation-set" || !strings.Contains(err.Error(), "quota limit exceeded") {
			t.Errorf("more than a databag holds: %.100v", err)
		}
		if v, err := own.Get("k"); v != "" || err != nil { // what was refused does not show
			t.Errorf("a databag of %d bytes, %v", len(v), err)
		}
		return own.Set("k", strings.Repeat("x", 15<<20))
	})
	if got := len(w.bags["4 web/0"]["k"]); got != 15<<20 {
		t.Errorf("written: %d bytes", got)
	}
}
