package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// order is one kind of command an operator gives, and how often.
type order struct {
	weight int
	make   func(*World) core.Op // nil if there is nothing to give it for
}

// orders lists what the operator does; the first is the least harmful.
func orders() []order {
	return []order{
		{14, (*World).integrate},
		{2, func(w *World) core.Op { return integrate(pairs()[w.pick(len(pairs()))]) }},
		{6, (*World).deploy},
		{10, func(w *World) core.Op {
			return core.AddUnits{App: w.someApp(), Units: 1 + w.pick(5)/4, Host: w.someHost()}
		}},
		{8, func(w *World) core.Op { return core.RemoveUnits{Units: w.someUnits()} }},
		{2, func(w *World) core.Op {
			return core.RemoveUnits{Units: w.someUnits(), Force: true, Wait: w.someWait()}
		}},
		{9, func(w *World) core.Op { id := w.someRelation(); return core.RemoveRelation{ID: &id} }},
		{3, func(w *World) core.Op {
			id := w.someRelation()
			return core.RemoveRelation{ID: &id, Force: true, Wait: w.someWait()}
		}},
		{1, func(w *World) core.Op {
			p := pairs()[w.pick(len(pairs()))]
			return core.RemoveRelation{Endpoints: ends(p)}
		}},
		{5, func(w *World) core.Op {
			return core.Suspend{IDs: []kith.RelationID{w.someRelation()}, Force: true}
		}},
		{5, func(w *World) core.Op {
			return core.Suspend{IDs: []kith.RelationID{w.someSuspended()}, Force: true, Resume: true}
		}},
		{6, func(w *World) core.Op {
			return core.SetConfig{App: w.someApp(), Set: map[string]any{"x": fmt.Sprint(w.pick(4))}}
		}},
		{1, func(w *World) core.Op { return core.SetConfig{App: w.someApp(), Reset: []string{"x"}} }},
		{1, func(w *World) core.Op {
			return core.SetConfig{App: w.someApp(), Set: map[string]any{"nonsense": "1"}}
		}},
		{6, (*World).refresh},
		{5, func(w *World) core.Op { return core.Resolved{Units: w.someFailed(), NoRetry: w.pick(2) == 1} }},
		{2, func(w *World) core.Op { return core.Resolved{All: true, NoRetry: w.pick(4) == 1} }},
		{2, func(w *World) core.Op { return core.RemoveApps{Apps: []kith.AppName{w.someApp()}} }},
		{1, func(w *World) core.Op {
			return core.RemoveApps{Apps: []kith.AppName{w.someApp()}, Force: true, Wait: w.someWait()}
		}},
		{1, func(w *World) core.Op {
			return core.SetModelConfig{Set: map[string]string{"automatically-retry-hooks": fmt.Sprint(w.pick(2) == 0)}}
		}},
		{1, func(w *World) core.Op {
			return core.SetModelConfig{Set: map[string]string{"update-status-hook-interval": []string{"5m", "1m", "1ms"}[w.pick(3)]}}
		}},
		{6, (*World).runTask},
		{3, (*World).runCommand},
		{1, (*World).cancelTask},
		{3, (*World).addSecret},
		{5, (*World).updateSecret},
		{6, (*World).grantSecret},
		{2, (*World).removeSecret},
		{2, (*World).addContract},
		{1, (*World).removeContract},
		{2, (*World).setContractMode},
	}
}

func ends(p [2]string) []kith.Endpoint {
	var all []kith.Endpoint
	for _, s := range p {
		e, err := kith.ParseEndpoint(s)
		if err != nil {
			panic(err) // the cast's own words
		}
		all = append(all, e)
	}
	return all
}

func integrate(p [2]string) core.Op {
	e := ends(p)
	return core.Integrate{A: e[0], B: e[1]}
}

// operate gives one command. An operator does not wait for the answer, and does
// not repeat a command that may have been done.
func (w *World) operate() {
	w.give(w.orders[weighted(&w.choice, w.weights)].make(w))
}

// give sends an operator's command to a controller that runs. The operator's
// name is different each time: history tells which command an entry came from.
func (w *World) give(op core.Op) *call {
	var to *process
	if all := w.processes; len(all) > 0 {
		to = all[w.pick(len(all))]
	}
	return w.giveTo(to, op)
}

func (w *World) giveTo(to *process, op core.Op) *call {
	w.operators++
	c := &call{actor: core.Actor{Kind: core.ActorUser, Name: fmt.Sprintf("admin-%d", w.operators)}, op: op, to: to,
		said: describe(op), done: func(api.CommandReply, error) {}}
	w.say("operator: %s", c.said)
	w.given[c.actor.Name] = c
	return w.send(c)
}

// again removes a relation and integrates the same pair at once.
func (w *World) again() {
	var regular []*core.Relation
	for r := range w.model().Relations() {
		if !r.Peer() {
			regular = append(regular, r)
		}
	}
	if len(regular) == 0 {
		return
	}
	r := regular[w.pick(len(regular))]
	id := r.ID
	op := core.RemoveRelation{ID: &id}
	if w.pick(3) == 1 {
		op.Force = true
	}
	a, b := r.Ends[0], r.Ends[1]
	w.give(op)
	w.give(core.Integrate{A: kith.Endpoint{App: a.App, Name: a.Endpoint}, B: kith.Endpoint{App: b.App, Name: b.Endpoint}})
}

// integrate relates applications that are there.
func (w *World) integrate() core.Op {
	m := w.model()
	fit := fitting(func(app kith.AppName) bool { return m.App(app) != nil })
	if len(fit) == 0 {
		fit = pairs()
	}
	return integrate(fit[w.pick(len(fit))])
}

func (w *World) deploy() core.Op { return w.deployOf(w.apps[w.pick(len(w.apps))]) }

func (w *World) deployOf(a castApp) core.Op {
	op := core.Deploy{App: a.name, Charm: a.charm + "-1", Units: []int{1, 2, 1, 3, 2}[w.pick(5)], Host: w.someHost()}
	if w.pick(6) == 5 {
		op.Charm = a.charm + "-2"
	}
	if a.charm == "logger" {
		op.Units = 0
	}
	return op
}

func (w *World) refresh() core.Op {
	a := w.apps[w.pick(len(w.apps))]
	revision := []string{"-2", "-1"}[w.pick(2)]
	return core.Refresh{App: a.name, Charm: a.charm + revision, Force: w.pick(3) == 1, ForceUnits: w.pick(3) == 1}
}

func (w *World) someApp() kith.AppName { return w.apps[w.pick(len(w.apps))].name }

func (w *World) someHost() string { return w.agents[w.pick(len(w.agents))].host }

func (w *World) someWait() time.Duration {
	return []time.Duration{0, 10 * time.Second, time.Minute}[w.pick(3)]
}

// someUnits is one unit or two, now and then one that is not there.
func (w *World) someUnits() []kith.UnitName {
	var all []kith.UnitName
	for u := range w.model().Units() {
		all = append(all, u.Name)
	}
	all = append(all, "db/77")
	names := []kith.UnitName{all[w.pick(len(all))]}
	if w.pick(4) == 1 {
		names = append(names, all[w.pick(len(all))])
	}
	return slices.Compact(names)
}

func (w *World) someFailed() []kith.UnitName {
	var all []kith.UnitName
	for u := range w.model().Units() {
		if p := w.model().Progress(u.Name); p.Failed != nil {
			all = append(all, u.Name)
		}
	}
	if len(all) == 0 {
		return w.someUnits()
	}
	return []kith.UnitName{all[w.pick(len(all))]}
}

// someSuspended is a relation to resume; any, if none is suspended.
func (w *World) someSuspended() kith.RelationID {
	for r := range w.model().Relations() {
		if r.Suspended {
			return r.ID
		}
	}
	return w.someRelation()
}

func (w *World) someRelation() kith.RelationID {
	ids := []kith.RelationID{}
	for r := range w.model().Relations() {
		if !r.Peer() || w.pick(10) == 9 {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return 99
	}
	slices.Sort(ids)
	return ids[w.pick(len(ids))]
}

// describe is a command as people type it, near enough.
func describe(op core.Op) string {
	words := []string{op.Name()}
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	force := func(force bool, wait time.Duration) {
		if force {
			add("force wait=%s", wait)
		}
	}
	switch op := op.(type) {
	case core.Deploy:
		add("%s charm=%s units=%d host=%s", op.App, op.Charm, op.Units, op.Host)
	case core.AddUnits:
		add("%s units=%d host=%s attach=%v", op.App, op.Units, op.Host, op.AttachStorage)
	case core.RemoveUnits:
		add("%v destroy=%v", op.Units, op.DestroyStorage)
		force(op.Force, op.Wait)
	case core.RemoveApps:
		add("%v", op.Apps)
		force(op.Force, op.Wait)
	case core.Integrate:
		add("%s %s", op.A, op.B)
	case core.RemoveRelation:
		if op.ID != nil {
			add("%d", *op.ID)
		} else {
			add("%v", op.Endpoints)
		}
		force(op.Force, op.Wait)
	case core.Suspend:
		add("%v", op.IDs)
	case core.SetConfig:
		add("%s %v reset=%v", op.App, op.Set, op.Reset)
	case core.SetModelConfig:
		add("%v", op.Set)
	case core.Refresh:
		add("%s to=%s force=%v force-units=%v", op.App, op.Charm, op.Force, op.ForceUnits)
	case core.Resolved:
		add("%v all=%v no-retry=%v", op.Units, op.All, op.NoRetry)
	case core.AddCharm:
		add("%s", op.ID)
	case core.RunAction:
		add("%v %s", op.Receivers, op.Action)
	case core.RunCommand:
		add("%v %v all=%v serial=%v group=%q", op.Units, op.Apps, op.All, op.Serial, op.Group)
	case core.CancelTasks:
		add("%v", op.Tasks)
	case core.AddSecret:
		add("%s", op.ID)
	case core.UpdateSecret:
		add("%s", op.Secret)
	case core.GrantSecret:
		add("%s %v", op.Secret, op.Apps)
	case core.AddContract:
		add("%q", op.Text)
	case core.RemoveContract:
		add("%s", op.Interface)
	case core.SetContractMode:
		add("%s %s:%s", op.Mode, op.App, op.Endpoint)
	case core.RemoveSecret:
		add("%s revision=%d", op.Secret, op.Revision)
	case core.AddStorage:
		add("%s %v", op.Unit, op.Storage)
	case core.DetachStorage:
		add("%s force=%v", op.Storage, op.Force)
	case core.AttachStorage:
		add("%s %v", op.Unit, op.Storage)
	case core.RemoveStorage:
		add("%s no-destroy=%v force=%v", op.Storage, op.NoDestroy, op.Force)
	case core.AttachResource:
		add("%s %s=%d", op.App, op.Resource, op.File.Size)
	case core.Elect:
		add("%s", op.Unit)
	}
	return strings.Join(words, " ")
}
