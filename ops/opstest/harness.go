package opstest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/core"
	"kith/ops"
)

// Harness is one unit of one charm under test. See the package documentation.
//
// A method that asks for what Juju refuses ends the test, and so does a hook of the
// charm that fails; [Harness.Try] makes an error of both.
type Harness struct {
	w     *world
	charm *Charm
	app   kith.AppName
	unit  kith.UnitName
	id    string // of the charm in the model
	fresh uint64 // the model's revision once the charm was deployed
	begun bool
	leads bool // to be, once the unit of a subordinate is there
	// disabled counts DisableHooks.
	disabled int
	last     any // what the charm's function returned last
	// waiting are writes of the own unit to relations it has yet to enter.
	waiting map[kith.RelationID]map[bool]map[string]string
}

// New makes a harness for the charm that new makes: its application, named as the charm, with one
// unit, number 0, that does not lead and has run nothing yet. The metadata is that of the
// folder the test runs in, unless another is given.
func New[C any](t TB, new func(*ops.Framework) (C, error), from ...Metadata) *Harness {
	t.Helper()
	return NewHarness(t, NewCharm(new, from...))
}

// NewHarness is [New] for a charm that was made before, a [Folder] for instance.
func NewHarness(t TB, c *Charm) *Harness {
	t.Helper()
	h := &Harness{w: newWorld(t), charm: c}
	h.w.entered, h.w.made = h.catchUp, func(made any) { h.last = made }
	h.deploy()
	return h
}

func (h *Harness) deploy() {
	h.w.tb.Helper()
	id, err := h.w.addCharm(h.charm)
	h.w.ok(err)
	h.id, h.app = id, kith.AppName(h.charm.meta.Meta.Name)
	h.unit = kith.UnitOf(h.app, 0)
	h.do(core.Deploy{App: h.app, Charm: id, Units: core.DefaultUnits})
	h.fresh = h.w.model.Revision
}

// CharmOf is the charm as it was made for the last event. It ends the test if there was
// no event yet, or the charm is of another type, or a [Folder].
func CharmOf[C any](h *Harness) C {
	h.w.tb.Helper()
	c, ok := h.last.(C)
	if h.charm.packed != nil {
		h.w.fail(kith.Errorf(kith.Invalid, "the charm runs as processes: there is no value to look at"))
	}
	if h.last == nil {
		h.w.fail(kith.Errorf(kith.Invalid, "there is no charm to look at: it has had no event yet").WithHint("BeginWithInitialHooks runs the first events"))
	}
	if !ok {
		h.w.fail(kith.Errorf(kith.Invalid, "the charm is a %T and no %T: it is made anew for each event", h.last, c))
	}
	return c
}

// Unit is the unit under test.
func (h *Harness) Unit() kith.UnitName { return h.unit }

// App is its application.
func (h *Harness) App() kith.AppName { return h.app }

// do is a command of the operator.
func (h *Harness) do(op core.Op) {
	h.w.tb.Helper()
	h.w.ok(h.w.do(admin, op))
}

// Begin lets time start: from now on, what changes in the model is an event for the charm.
// What was there before is not: the unit has installed, started and joined without the
// charm being told.
func (h *Harness) Begin() {
	h.w.tb.Helper()
	h.begin()
	h.quietly(h.settle)
}

// BeginWithInitialHooks lets time start with everything that happens to a new unit, in
// Juju's order: storage-attached for each storage, install, relation-created for each relation and peer relation,
// leader-elected or leader-settings-changed, config-changed, start, and then for each relation its
// changed, joined and changed events.
func (h *Harness) BeginWithInitialHooks() {
	h.w.tb.Helper()
	h.begin()
	h.settle()
}

func (h *Harness) begin() {
	h.w.tb.Helper()
	if h.begun {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot begin: the harness has begun already"))
	}
	if h.w.model.Unit(h.unit) == nil {
		h.addPrincipal()
	}
	h.begun = true
}

// DisableHooks makes what happens from now on no event for the charm: its unit goes
// through all hooks without telling it. Calls nest.
func (h *Harness) DisableHooks() { h.disabled++ }

// EnableHooks takes one DisableHooks back. Without one it is refused.
func (h *Harness) EnableHooks() {
	h.w.tb.Helper()
	if h.disabled == 0 {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot enable hooks: they are not disabled"))
	}
	h.disabled--
}

// HooksDisabled runs f with hooks disabled.
func (h *Harness) HooksDisabled(f func()) {
	h.DisableHooks()
	defer h.EnableHooks()
	f()
}

func (h *Harness) quietly(f func()) {
	h.w.tb.Helper()
	h.disabled++
	defer func() { h.disabled-- }()
	f()
}

// settle lets the unit run what has become due.
func (h *Harness) settle() {
	h.w.tb.Helper()
	if !h.begun {
		return
	}
	h.w.mute[h.unit] = h.disabled > 0
	h.w.ok(h.w.settleUnit(h.unit))
}

// Try runs a piece of the test and returns what would have ended it: what Juju refused, a
// [*kith.Error], or a hook of the charm that failed, a [*HookError]. A failed hook
// stays in error, and the unit runs nothing else, until [Harness.Retry].
func (h *Harness) Try(f func()) error { return h.w.try(f) }

// Retry runs a failed hook again, as an operator does with "resolved", and then what
// waited for it.
func (h *Harness) Retry() {
	h.w.tb.Helper()
	h.do(core.Resolved{Units: []kith.UnitName{h.unit}})
	h.settle()
}

// Skip counts a failed hook as run, as "resolved --no-retry" does.
func (h *Harness) Skip() {
	h.w.tb.Helper()
	h.do(core.Resolved{Units: []kith.UnitName{h.unit}, NoRetry: true})
	h.settle()
}

// UpdateConfig sets options of the charm's configuration, and puts those named in unset
// back to their defaults. Values are of the option's type, or their text. If that changes anything,
// config-changed follows.
func (h *Harness) UpdateConfig(set map[string]any, unset ...string) {
	h.w.tb.Helper()
	h.do(core.SetConfig{App: h.app, Set: plainConfig(set), Reset: unset})
	h.settle()
}

// SetLeader makes the unit the leader, which is a leader-elected event if it was not, or
// makes another unit the leader: leadership is lost only to somebody. That unit is added if
// there is none; it is in no relation until [Harness.AddRelationUnit] says so.
func (h *Harness) SetLeader(leads bool) {
	h.w.tb.Helper()
	h.there("set the leader")
	switch {
	case h.w.model.Unit(h.unit) == nil: // of a subordinate, before it is related
		h.leads = leads
		return
	case leads:
		h.w.hello(h.unit)
		h.w.must(core.System, core.Elect{Unit: h.unit})
	case h.IsLeader():
		h.w.must(core.System, core.Elect{Unit: h.deputy()})
	default:
		return
	}
	h.settle()
}

// IsLeader reports whether the unit leads.
func (h *Harness) IsLeader() bool { return h.w.model.IsLeader(h.unit, h.w.now) }

// deputy is another unit of the application that can lead, made if there is none.
func (h *Harness) deputy() kith.UnitName {
	for u := range h.w.model.UnitsOf(h.app) {
		if u.Name != h.unit && u.Life == kith.Alive {
			h.w.hello(u.Name)
			return u.Name
		}
	}
	h.addUnits(h.app, h.w.model.App(h.app).NextUnit)
	return h.deputy()
}

// SetPlannedUnits adds units to the application, or takes the youngest away, until it has so many: what the charm sees
// as planned units, and as members of its peer relations once [Harness.AddRelationUnit] says so. The
// unit under test is one of them, so that 1 is the least. A subordinate has one for each unit of its principal.
func (h *Harness) SetPlannedUnits(n int) {
	h.w.tb.Helper()
	if n < 1 {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot plan %d units of %q: the one under test is one of them", n, h.app))
	}
	if h.meta().Meta.Subordinate {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot plan units of subordinate %q: it has one for each unit of its principal", h.app).
			WithHint("AddRelationUnit with a unit of the principal brings one"))
	}
	var planned []kith.UnitName
	for u := range h.w.model.UnitsOf(h.app) {
		if u.Life == kith.Alive && u.Name != h.unit {
			planned = append(planned, u.Name)
		}
	}
	slices.SortFunc(planned, func(a, b kith.UnitName) int { return a.Number() - b.Number() })
	switch others := n - 1; {
	case others > len(planned):
		h.addUnits(h.app, h.w.model.App(h.app).NextUnit+others-len(planned)-1)
	case others < len(planned):
		h.do(core.RemoveUnits{Units: planned[others:], Force: true})
	}
	h.settle()
}

// addUnits adds units to an application until it has had one of this number.
func (h *Harness) addUnits(app kith.AppName, number int) {
	h.w.tb.Helper()
	if missing := number + 1 - h.w.model.App(app).NextUnit; missing > core.MaxUnits {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot add unit %q: %d others of %q would have to come before it", kith.UnitOf(app, number), missing-1, app).
			WithHint("numbers begin with 0, and at most %d units are added at a time", core.MaxUnits))
	} else if missing > 0 {
		h.do(core.AddUnits{App: app, Units: missing})
	}
}

// UpdateStatus runs update-status now. It is refused before Begin, and of a unit that is in error.
func (h *Harness) UpdateStatus() {
	h.w.tb.Helper()
	h.hook(core.Hook{Kind: core.UpdateStatus})
}

// hook runs a hook that nothing has made due.
func (h *Harness) hook(hook core.Hook) {
	h.w.tb.Helper()
	h.free("run " + hook.Name())
	h.w.mute[h.unit] = h.disabled > 0
	h.w.ok(h.w.runHook(h.unit, hook))
	h.settle()
}

// Upgrade replaces the charm, by one whose metadata may differ: upgrade-charm and
// config-changed follow. Without a charm it is the same one in a new revision.
func (h *Harness) Upgrade(to ...*Charm) {
	h.w.tb.Helper()
	c := h.charm
	if len(to) > 0 {
		c = to[0]
	}
	id, err := h.w.addCharm(c)
	h.w.ok(err)
	h.do(core.Refresh{App: h.app, Charm: id})
	h.charm, h.id = c, id
	h.settle()
}

// Remove takes the unit out of the model: it leaves its relations, with departed and
// broken events, stops and is removed. What needs the unit is refused afterwards.
func (h *Harness) Remove() {
	h.w.tb.Helper()
	h.alive("remove the unit")
	if !h.IsLeader() {
		h.w.must(core.System, core.Elect{Unit: h.deputy()})
	}
	h.w.hello(h.unit)
	h.do(core.RemoveUnits{Units: []kith.UnitName{h.unit}})
	h.settle()
}

// Advance lets time pass, in which update-status runs, secrets expire or are to be
// rotated, and failed hooks are tried again.
func (h *Harness) Advance(d time.Duration) {
	h.w.tb.Helper()
	h.w.ok(h.w.advance(d, func() error {
		if !h.begun {
			return nil
		}
		h.w.mute[h.unit] = h.disabled > 0
		return h.w.settleUnit(h.unit)
	}))
}

// Now is what the clock says. It moves by Advance alone.
func (h *Harness) Now() time.Time { return h.w.now }

// Status is the unit's status, which is an error while a failed hook waits.
func (h *Harness) Status() ops.Status {
	u := h.w.model.Unit(h.unit)
	if u == nil {
		return ops.Status{Name: kith.Terminated}
	}
	return statusOf(api.WorkloadStatus(&h.w.model, u, h.w.model.Progress(h.unit)))
}

// AppStatus is the application's status as its leader has set it.
func (h *Harness) AppStatus() ops.Status { return statusOf(h.w.model.App(h.app).Status) }

func statusOf(s core.Status) ops.Status {
	if s.Current == "" {
		s.Current = kith.Unknown
	}
	return ops.Status{Name: s.Current, Message: s.Message}
}

// WorkloadVersion is the version the charm has set last.
func (h *Harness) WorkloadVersion() string { return h.w.model.App(h.app).WorkloadVersion }

// OpenedPorts are the unit's open ports, as "80/tcp", sorted.
func (h *Harness) OpenedPorts() []string { return h.w.ports(h.unit) }

func (w *world) ports(unit kith.UnitName) []string {
	var all []string
	if u := w.model.Unit(unit); u != nil {
		for _, p := range u.Ports {
			all = append(all, p.String())
		}
	}
	return all
}

// StoredState is what the charm keeps from one event to the next: JSON by key.
func (h *Harness) StoredState() map[string]string { return h.w.stored(h.unit) }

func (w *world) stored(unit kith.UnitName) map[string]string {
	kept := map[string]string{}
	if s := w.model.State(unit); s != nil {
		for k, v := range s.Data { // any order: a copy
			kept[k] = v
		}
	}
	return kept
}

// Events are the events the charm has had since the last call, in order.
func (h *Harness) Events() []Event {
	all := h.w.events
	h.w.events = nil
	return all
}

// EventNames are the same as a text: one event a line, as in [Event.String].
func (h *Harness) EventNames() string { return eventLines(h.Events(), false) }

func eventLines(events []Event, units bool) string {
	var b strings.Builder
	for _, e := range events {
		if units {
			fmt.Fprintf(&b, "%s ", e.Unit)
		}
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// Log is what the charm has written to its log since the last call.
func (h *Harness) Log() []LogRecord {
	all := h.w.logs
	h.w.logs = nil
	return all
}

// meta is what the charm says about itself.
func (h *Harness) meta() *charm.Charm { return h.charm.meta }
