package opstest

import (
	"time"

	"kith"
	"kith/internal/core"
)

// Model is a model with many charms under test, each with as many units as the test
// says. Units run when [Model.Settle] says so, or Advance; until then commands pile up as they
// do under a busy controller. A command that is refused ends the test, and so
// does a hook that fails; [Model.Try] makes an error of both.
type Model struct {
	w *world
}

// NewModel makes an empty model.
func NewModel(t TB) *Model {
	t.Helper()
	m := &Model{w: newWorld(t)}
	m.w.keep = true
	return m
}

// do is a command of the operator.
func (m *Model) do(op core.Op) {
	m.w.tb.Helper()
	m.w.told(op)
	m.w.ok(m.w.do(admin, op))
	m.w.watch()
}

// DeployOption adds to what [Model.Deploy] does.
type DeployOption func(*deployOptions)

// deployOptions is what the options make of a deployment. That units were asked for is told apart from
// core.DefaultUnits, which is a number too.
type deployOptions struct {
	core.Deploy
	unitsGiven bool
}

// Units is how many units to deploy. Without it there is one, or none of a subordinate.
func Units(n int) DeployOption {
	return func(d *deployOptions) { d.Units, d.unitsGiven = n, true }
}

// Config is the configuration to deploy with.
func Config(set map[string]any) DeployOption {
	return func(d *deployOptions) { d.Config = plainConfig(set) }
}

// Deploy makes an application and its first units.
func (m *Model) Deploy(app kith.AppName, c *Charm, opts ...DeployOption) {
	m.w.tb.Helper()
	id, err := m.w.addCharm(c)
	m.w.ok(err)
	op := deployOptions{Deploy: core.Deploy{App: app, Charm: id, Units: core.DefaultUnits}}
	for _, o := range opts {
		o(&op)
	}
	if op.unitsGiven && (op.Units < 0 || op.Units > core.MaxUnits) {
		m.w.fail(kith.Errorf(kith.Invalid, "cannot deploy %d units of %q", op.Units, app).WithHint("from 0 to %d", core.MaxUnits))
	}
	if op.Units > 0 && c.meta.Meta.Subordinate {
		m.w.fail(kith.Errorf(kith.Invalid, "cannot deploy %d units of subordinate %q: it has one for each unit of its principal", op.Units, app).
			WithHint("leave Units out, and Integrate it"))
	}
	m.do(op.Deploy)
}

// Refresh gives an application another charm: upgrade-charm and config-changed follow.
func (m *Model) Refresh(app kith.AppName, c *Charm) {
	m.w.tb.Helper()
	id, err := m.w.addCharm(c)
	m.w.ok(err)
	m.do(core.Refresh{App: app, Charm: id})
}

// AddUnit adds units to an application.
func (m *Model) AddUnit(app kith.AppName, n int) {
	m.w.tb.Helper()
	if n < 1 || n > core.MaxUnits {
		m.w.fail(kith.Errorf(kith.Invalid, "cannot add %d units to %q", n, app).WithHint("from 1 to %d at a time", core.MaxUnits))
	}
	m.do(core.AddUnits{App: app, Units: n})
}

// RemoveUnit sets units dying: they leave their relations, stop and are removed.
func (m *Model) RemoveUnit(units ...kith.UnitName) {
	m.w.tb.Helper()
	m.do(core.RemoveUnits{Units: units})
}

// LoseUnit takes units away at once, as with a machine that does not come back: their
// hooks do not run, and the others see them depart.
func (m *Model) LoseUnit(units ...kith.UnitName) {
	m.w.tb.Helper()
	m.do(core.RemoveUnits{Units: units, Force: true})
}

// RemoveApplication sets applications dying, with their units and relations.
func (m *Model) RemoveApplication(apps ...kith.AppName) {
	m.w.tb.Helper()
	m.do(core.RemoveApps{Apps: apps})
}

// Integrate relates two applications, named "app" or "app:endpoint".
func (m *Model) Integrate(a, b string) Relation {
	m.w.tb.Helper()
	ends := m.endpoints(a, b)
	id := m.w.model.Info().NextRelation
	m.do(core.Integrate{A: ends[0], B: ends[1]})
	return Relation{m, id}
}

func (m *Model) endpoints(names ...string) []kith.Endpoint {
	m.w.tb.Helper()
	all := make([]kith.Endpoint, len(names))
	for i, n := range names {
		e, err := kith.ParseEndpoint(n)
		m.w.ok(err)
		all[i] = e
	}
	return all
}

// RemoveRelation sets the relation between two applications dying.
func (m *Model) RemoveRelation(a, b string) {
	m.w.tb.Helper()
	m.do(core.RemoveRelation{Endpoints: m.endpoints(a, b)})
}

// SetConfig sets options of an application, and puts those in unset back to their defaults.
func (m *Model) SetConfig(app kith.AppName, set map[string]any, unset ...string) {
	m.w.tb.Helper()
	m.do(core.SetConfig{App: app, Set: plainConfig(set), Reset: unset})
}

// Elect makes a unit the leader of its application.
func (m *Model) Elect(unit kith.UnitName) {
	m.w.tb.Helper()
	m.w.told(core.Elect{Unit: unit})
	m.w.hello(unit)
	m.w.ok(m.w.do(core.System, core.Elect{Unit: unit}))
	m.w.watch()
}

// Retry runs failed hooks again at the next Settle, as an operator does with "resolved".
func (m *Model) Retry(units ...kith.UnitName) {
	m.w.tb.Helper()
	m.do(core.Resolved{Units: units})
}

// Crash kills what a unit's agent runs and starts the agent anew. Between events nothing
// runs, so that this shows only in a failed hook, which is tried again from the start.
func (m *Model) Crash(unit kith.UnitName) {
	m.w.tb.Helper()
	u := m.w.model.Unit(unit)
	if u == nil {
		m.w.fail(kith.Errorf(kith.NotFound, "unit %q not found", unit))
	}
	m.w.crash(u.Host)
}

// Try runs a piece of the test and returns what would have ended it.
func (m *Model) Try(f func()) error { return m.w.try(f) }

// Settle lets the units run until none of them has anything left to do: each in turn, in
// order of name, as far as it gets. A hook that fails ends the test; within [Model.Try] it ends
// the Settle, and the unit stays in error.
func (m *Model) Settle() {
	m.w.tb.Helper()
	m.w.tell("settle")
	m.w.ok(m.w.settle())
	m.w.ok(m.w.checkInvariants())
}

// Advance lets time pass and the units run what it brings: update-status, secrets that
// expire or are to be rotated, failed hooks that are tried again.
func (m *Model) Advance(d time.Duration) {
	m.w.tb.Helper()
	m.w.tell("advance " + d.String())
	m.w.ok(m.w.advance(d, m.w.settle))
}

// settle lets all units run until none has anything left to do, or a hook fails.
func (w *world) settle() error {
	if w.chance != nil {
		return w.chance.settle(w)
	}
	steps := 0
	for moved := true; moved; {
		moved = false
		for _, u := range w.unitNames() {
			w.hello(u)
			for {
				did, err := w.step(u)
				if err != nil {
					return err
				}
				if !did {
					break
				}
				moved = true
				if steps++; steps > maxSteps {
					return errRestless(u)
				}
			}
		}
	}
	return w.wipe()
}

func errRestless(u kith.UnitName) error {
	return kith.Errorf(kith.Unavailable, "cannot settle: no rest after %d steps, and unit %q has still something to do", maxSteps, u).
		WithHint("units that answer each other with ever new data never come to rest")
}

// crash ends what a host's agent runs, and starts its next life.
func (w *world) crash(name string) {
	h := w.host(name)
	h.start()
	w.must(core.Actor{Kind: core.ActorHost, Name: name}, h.hello())
}

// Run runs an action on a unit, after what is to be done before it, and returns what came of it.
func (m *Model) Run(unit kith.UnitName, action string, params map[string]any) ActionResult {
	m.w.tb.Helper()
	m.w.tell("run " + string(unit) + " " + action)
	id, err := m.w.queueAction(unit, action, params)
	m.w.ok(err)
	m.Settle()
	return m.w.actionResult(id)
}
