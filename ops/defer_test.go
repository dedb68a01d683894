package ops_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// diary is what handlers wrote down.
type diary []string

func (d *diary) write(text string) { *d = append(*d, text) }

func (d *diary) want(t *testing.T, what string, want ...string) {
	t.Helper()
	if !slices.Equal(*d, want) {
		t.Errorf("%s: handlers ran as %q, want %q", what, *d, want)
	}
	*d = nil
}

// Ops reference, section 6.4: what is deferred, when it comes back, in what order.
func TestDefer(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var d diary
	ready := false
	setup := func(f *ops.Framework) {
		f.Observe(
			ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
				d.write("deferring " + string(e.Unit))
				if ready {
					return nil
				}
				return e.Defer()
			}).Named("connect"),
			ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error { d.write("other " + string(e.Unit)); return nil }).Named("other"),
			ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { d.write("config"); return nil }),
		)
	}
	w.run(t, about(core.RelationChanged, "pg/0", ""), setup)
	d.want(t, "the first time", "deferring pg/0", "other pg/0")

	// An equal event is not delivered to the observer that waits; the other still runs.
	w.run(t, about(core.RelationChanged, "pg/0", ""), setup)
	d.want(t, "an equal event", "deferring pg/0", "other pg/0")

	// One from another unit is, and the queue keeps its order.
	w.run(t, about(core.RelationChanged, "pg/1", ""), setup)
	d.want(t, "another event", "deferring pg/0", "deferring pg/1", "other pg/1")
	w.run(t, configure, setup)
	d.want(t, "a hook of another kind", "deferring pg/0", "deferring pg/1", "config")

	// A failed hook changes nothing of the queue.
	ready = true
	if err := w.try(configure, func(f *ops.Framework) {
		setup(f)
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return errors.New("no") }))
	}); err == nil {
		t.Error("the hook did not fail")
	}
	d.want(t, "a failed hook", "deferring pg/0", "deferring pg/1", "config")
	w.run(t, configure, setup)
	d.want(t, "its retry", "deferring pg/0", "deferring pg/1", "config")
	w.run(t, configure, setup)
	d.want(t, "and then", "config")
	if len(w.state) != 0 {
		t.Errorf("an empty queue is kept: %v", w.state)
	}
}

// What a deferred event finds when its unit and its relation are gone (section 5.7,
// last row).
func TestDeferredTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld()
	found := false
	setup := func(f *ops.Framework) {
		f.Observe(ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
			if f.Env().Name() != "config-changed" {
				return e.Defer()
			}
			found = true
			if e.Relation.Active || e.Relation.App != "" || len(e.Relation.Units) != 0 || e.App != "pg" || e.Unit != "pg/0" || e.Relation.ID != 4 {
				t.Errorf("the event is %+v of %+v", e, e.Relation)
			}
			for _, owner := range []ops.Owner{e.Unit, e.App} { // whoever asks
				if all, err := e.Relation.Data(owner).All(); len(all) != 0 || err != nil {
					t.Errorf("its data is %v, %v", all, err)
				}
			}
			if n, err := e.Relation.Binding().Network(); err != nil || n.BindAddress() != "127.0.1.1" {
				t.Errorf("its network: %v, %v", n, err) // asked again without the relation
			}
			return nil
		}).Named("late"))
	}
	w.run(t, about(core.RelationChanged, "pg/0", ""), setup)
	w.context.Relations = slices.Delete(w.context.Relations, 2, 3)
	w.leader = false
	w.run(t, configure, setup)
	if !found {
		t.Error("the event did not come back")
	}
}

// Section 6.4, last paragraph: only the observer is missing.
func TestDeferredWithoutObserver(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.run(t, configure, func(f *ops.Framework) {
		f.Observe(ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error { return e.Defer() }).Named("old"))
	})
	w.run(t, core.Hook{Kind: core.UpdateStatus}, func(f *ops.Framework) {
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { t.Error("delivered to another observer"); return nil }).Named("new"))
	})
	if len(w.log) != 1 || !strings.HasPrefix(w.log[0], "WARNING dropped a deferred event") || len(w.state) != 0 {
		t.Errorf("log %q, state %v", w.log, w.state)
	}
}

// After an upgrade an event may not fit its type any more: it is dropped, and the unit goes on.
func TestDeferredThatDoesNotFit(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.state["#notices#"] = `[{"event":"custom/x","observer":"a","snapshot":{"Text":1}},{"event":"hooks/config-changed","observer":"b","snapshot":[]}]`
	w.run(t, core.Hook{Kind: core.UpdateStatus}, func(f *ops.Framework) {
		f.Observe(
			ops.NewSource[noticed](f, "x").On(func(*noticed) error { t.Error("delivered"); return nil }).Named("a"),
			ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { t.Error("delivered"); return nil }).Named("b"),
		)
	})
	if len(w.log) != 2 || len(w.state) != 0 {
		t.Errorf("log %q, state %v", w.log, w.state)
	}
}

// A charm that takes the place of one in Python may find what that has deferred under the same key (hook
// protocol reference, section 16.4): YAML, of objects that are not there.
func TestDeferredByAnotherFramework(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"- - Charm/on/start[1]\n  - Charm\n  - _on_start\n", "[[\"a\",\"b\"]]", "{}", "[]"} {
		w := newWorld()
		w.state["#notices#"] = text
		w.state["Charm/StoredStateData[_stored]"] = "ready: true\n"
		ran := false
		w.run(t, configure, func(f *ops.Framework) {
			f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { ran = true; return nil }).Named("a"))
		})
		if warned := len(w.log) == 1 && strings.HasPrefix(w.log[0], "WARNING dropped all"); !ran || warned != (text != "[]") || len(w.state) != 1 {
			t.Errorf("%q: ran %v, log %q, state %v", text, ran, w.log, w.state)
		}
	}
}

func TestDeferNeedsAName(t *testing.T) {
	t.Parallel()
	w := newWorld()
	err := w.try(configure, func(f *ops.Framework) {
		f.Observe(ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error { return e.Defer() }))
	})
	if kith.CodeOf(err) != kith.Invalid || !strings.Contains(kith.HintOf(err), "Named") {
		t.Errorf("deferring without a name: %v", err)
	}
	if w.count("state-get") != 0 {
		t.Error("the queue was read though nobody can defer")
	}
	err = w.try(configure, func(f *ops.Framework) {
		o := ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return nil })
		f.Observe(o.Named("a"), o.Named("a"))
	})
	if kith.CodeOf(err) != kith.Invalid {
		t.Errorf("two observers with one name: %v", err)
	}
}

// noticed is a custom event with a live field.
type noticed struct {
	ops.CustomEvent
	Text     string
	Relation *ops.Relation `json:"-"`
	ID       kith.RelationID
}

func (e *noticed) Restore(m *ops.Model) (err error) {
	e.Relation, err = m.GetRelationByID("db", e.ID)
	return err
}

// Ops reference, section 6.3: custom events run at once, nested, and section 6.6.
func TestCustomEvents(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var d diary
	wait := true
	setup := func(f *ops.Framework) {
		source := ops.NewSource[noticed](f, "library/noticed")
		f.Observe(
			ops.OnRelationChanged("db", func(e *ops.RelationChangedEvent) error {
				d.write("before")
				err := source.Emit(noticed{Text: "hello", Relation: e.Relation, ID: e.Relation.ID})
				d.write("after")
				return err
			}),
			source.On(func(e *noticed) error {
				d.write(e.Name() + " " + e.Text + " " + e.Relation.String())
				e.Text = "changed" // an event of one's own
				if wait {
					return e.Defer()
				}
				return nil
			}).Named("first"),
			source.On(func(e *noticed) error { d.write("second " + e.Text); return nil }),
		)
	}
	w.run(t, about(core.RelationChanged, "pg/0", ""), setup)
	d.want(t, "emitted", "before", "library/noticed hello db:4", "second hello", "after")
	wait = false
	w.run(t, configure, setup)
	d.want(t, "deferred", "library/noticed hello db:4")
}

// Two libraries cannot share the name of an event: one would get the other's.
func TestSourceNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"twice", ""} {
		err := newWorld().try(configure, func(f *ops.Framework) {
			ops.NewSource[noticed](f, name)
			ops.NewSource[noticed](f, name)
		})
		if kith.CodeOf(err) != kith.Invalid {
			t.Errorf("two sources named %q: %v", name, err)
		}
	}
	type unkeepable struct {
		ops.CustomEvent
		F func()
	}
	err := newWorld().try(configure, func(f *ops.Framework) {
		source := ops.NewSource[unkeepable](f, "library/bad")
		f.Observe(
			source.On(func(*unkeepable) error { return nil }).Named("a"),
			ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return source.Emit(unkeepable{}) }),
		)
	})
	if kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), `"library/bad"`) || !strings.Contains(kith.HintOf(err), "json") {
		t.Errorf("an event that cannot be kept: %v", err)
	}
}

// A queue too long for one value of a host, 64 KiB, is kept in parts (hook protocol reference, section 10.2).
func TestLongQueue(t *testing.T) {
	t.Parallel()
	w := newWorld()
	const many = 1000
	var d diary
	done := false
	setup := func(f *ops.Framework) {
		source := ops.NewSource[noticed](f, "ä")
		f.Observe(
			source.On(func(e *noticed) error {
				d.write(e.Text)
				if done {
					return nil
				}
				return e.Defer()
			}).Named("umlaut-ä"),
			ops.OnInstall(func(*ops.InstallEvent) error {
				for n := range many {
					if err := source.Emit(noticed{Text: fmt.Sprint("ä", n), ID: 4}); err != nil {
						return err
					}
				}
				return nil
			}),
		)
	}
	w.run(t, core.Hook{Kind: core.Install}, setup)
	if len(w.state) < 2 {
		t.Errorf("%d events are kept under %d keys", many, len(w.state))
	}
	for key, text := range w.state { // any order: each alone
		if len(text) > 64<<10 || !utf8.ValidString(text) {
			t.Errorf("%s has %d bytes", key, len(text))
		}
	}
	d, done = nil, true
	w.run(t, core.Hook{Kind: core.UpdateStatus}, setup)
	if len(d) != many || d[0] != "ä0" || d[many-1] != fmt.Sprint("ä", many-1) || len(w.state) != 0 {
		t.Errorf("%d events came back, %d keys are left", len(d), len(w.state))
	}
}

// What is too large to be stored is named.
func TestStoredStateErrors(t *testing.T) {
	t.Parallel()
	w := newWorld()
	small, large := "s", strings.Repeat("x", 1<<16)
	err := w.try(configure, func(f *ops.Framework) {
		for key, err := range map[string]error{
			"": f.StoredState("", &small), "#notices#1": f.StoredState("#notices#1", &small), "value": f.StoredState("value", small), "nil": f.StoredState("nil", (*string)(nil)),
		} {
			if kith.CodeOf(err) != kith.Invalid {
				t.Errorf("key %q: %v", key, err)
			}
		}
		if err := errors.Join(f.StoredState("small", &small), f.StoredState("large", &large)); err != nil {
			t.Error(err)
		}
	})
	var refused *ops.ModelError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), `"large" of 65538 bytes`) {
		t.Errorf("a state that is too large: %v", err)
	}
	w.state["small"] = "1"
	err = w.try(configure, func(f *ops.Framework) {
		if err := f.StoredState("small", &small); kith.CodeOf(err) != kith.Invalid || kith.HintOf(err) == "" {
			t.Errorf("what another version stored: %v", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// Stored states are typed, saved at the end, and only when they changed.
func TestStoredState(t *testing.T) {
	t.Parallel()
	w := newWorld()
	type kept struct {
		Count int      `json:"count"`
		Names []string `json:"names,omitempty"`
	}
	fail := false
	dispatch := func() (kept, error) {
		k := kept{Count: 40}
		err := w.dispatch(configure, func(f *ops.Framework) (struct{}, error) {
			f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
				k.Count++
				if fail {
					return errors.New("no")
				}
				return nil
			}))
			return struct{}{}, f.StoredState("charm", &k)
		})
		return k, err
	}
	if k, err := dispatch(); k.Count != 41 || err != nil || w.state["charm"] != `{"count":41}` {
		t.Errorf("first: %v, %v, stored %v", k, err, w.state)
	}
	fail = true
	if _, err := dispatch(); err == nil || w.state["charm"] != `{"count":41}` {
		t.Errorf("failed: %v, stored %v", err, w.state)
	}
	fail = false
	if k, err := dispatch(); k.Count != 42 || err != nil {
		t.Errorf("second: %v, %v", k, err)
	}
	w.calls = nil
	if err := w.dispatch(configure, func(f *ops.Framework) (struct{}, error) {
		var k kept
		return struct{}{}, f.StoredState("charm", &k)
	}); err != nil || w.count("state-set") != 0 {
		t.Errorf("unchanged: %v, calls %q", err, w.calls)
	}
	if err := w.dispatch(configure, func(f *ops.Framework) (struct{}, error) {
		var a, b kept
		return struct{}{}, errors.Join(f.StoredState("x", &a), f.StoredState("x", &b))
	}); kith.CodeOf(err) != kith.Invalid {
		t.Errorf("one key twice: %v", err)
	}
	w.state["charm"] = "[]"
	if _, err := dispatch(); kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), `"charm"`) {
		t.Errorf("what does not fit: %v", err)
	}
}
