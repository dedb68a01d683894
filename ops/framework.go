package ops

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	"kith"
)

// Framework connects a charm with one dispatch: the charm registers its handlers
// here and finds the [Model] here. It lives for one event and is not safe for
// concurrent use.
type Framework struct {
	ctx     context.Context
	env     Env
	meta    *CharmMeta
	backend Backend
	model   *Model

	// observers are in the order they were registered in, those of all events.
	observers []Observation
	// named says which names of observers are taken, per event.
	named  map[string]bool
	stored storedStates
	queue  deferQueue
	err    error // the first mistake made while handlers were registered
}

func newFramework(ctx context.Context, d Dispatch) *Framework {
	f := &Framework{
		ctx: ctx, env: d.Env, meta: d.Meta, backend: d.Backend,
		stored: storedStates{backend: d.State},
	}
	if d.State == nil {
		f.stored.backend = d.Backend
	}
	f.model = newModel(f)
	return f
}

// Context is done when the charm is asked to end: pass it to what takes long.
func (f *Framework) Context() context.Context { return f.ctx }

// Env is what the environment says about this dispatch.
func (f *Framework) Env() Env { return f.env }

// Meta is what the charm says about itself in its metadata.
func (f *Framework) Meta() *CharmMeta { return f.meta }

// Model is what the charm can see and change.
func (f *Framework) Model() *Model { return f.model }

// Logger writes to the log of the unit, as juju-log does. Levels below Debug are
// TRACE, and levels above Error CRITICAL.
func (f *Framework) Logger() *slog.Logger { return slog.New(&logHandler{backend: f.backend}) }

// Observe registers handlers. Those of one event run in the order they were
// registered; the first error ends the dispatch. Handlers are registered anew in
// each dispatch, by the function given to [Main].
//
// An event the charm cannot have, such as one of an endpoint its metadata does not
// name, is a mistake in the charm: the dispatch fails with an error that says so.
func (f *Framework) Observe(handlers ...Observation) {
	f.observers = slices.Grow(f.observers, len(handlers))
	for _, o := range handlers {
		if err := f.check(o); err != nil {
			f.fail(err)
			continue
		}
		f.observers = append(f.observers, o)
	}
}

// fail keeps the first mistake.
func (f *Framework) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *Framework) check(o Observation) error {
	if o.call == nil {
		return kith.Errorf(kith.Invalid, "cannot observe: an empty Observation has no event").
			WithHint("make one with a function such as ops.OnConfigChanged")
	}
	if o.known != nil && !o.known(f.meta, o.of) {
		return kith.Errorf(kith.Invalid, "cannot observe %q: the charm has no %s %q", o.event(), o.subject, o.of).
			WithHint("the metadata of the charm has to name it")
	}
	if o.name == "" {
		return nil
	}
	id := o.key + " " + o.name
	if f.named[id] {
		return kith.Errorf(kith.Invalid, "cannot observe %q: it has an observer named %q already", o.event(), o.name)
	}
	if f.named == nil {
		f.named = map[string]bool{}
	}
	f.named[id] = true
	return nil
}

// Observation is a handler together with the event it is for. The functions named
// On… make one, and [Framework.Observe] registers it.
type Observation struct {
	key  string // see emission
	call func(f *Framework, em emission) error
	// restore reads a custom event back that was deferred; nil for the events of Juju.
	restore func(f *Framework, snapshot json.RawMessage) (any, error)
	// name identifies the observer from one dispatch to the next.
	name string
	// known reports whether a charm has the subject the event is about: the endpoint,
	// storage, action or container called of.
	known       func(meta *CharmMeta, of string) bool
	subject, of string
}

// event is the name people know the event by.
func (o Observation) event() string { return strings.TrimPrefix(o.key, hookPrefix) }

// Named gives the observer a name that stays the same from version to version of
// the charm. Only a named observer can defer, because its name is what the deferred
// event finds it by. Two observers of one event have different names.
func (o Observation) Named(name string) Observation {
	o.name = name
	return o
}

const (
	customPrefix   = "custom/"
	internalPrefix = "ops/"
)

// emission is one event on its way to its observers.
type emission struct {
	// key finds the observers: "hooks/start", "actions/backup", "custom/database/created".
	key  string
	name string   // "start", "backup", "database/created"
	env  EventEnv // of a hook or action
	// custom is the event itself where no hook is behind it.
	custom any
	// snapshot is what is kept of a custom event that is deferred.
	snapshot func() (json.RawMessage, error)
	// notice is the delivery under way, to an observer that may defer it.
	notice *notice
	// late: it was deferred, and comes again.
	late bool
}

// emit delivers an event to its observers, in order.
func (f *Framework) emit(em emission) error {
	for i := range f.observers {
		o := &f.observers[i]
		if o.key != em.key {
			continue
		}
		if o.name == "" {
			if err := o.call(f, em); err != nil {
				return err
			}
			continue
		}
		if err := f.deliver(*o, em); err != nil {
			return err
		}
	}
	return nil
}

// EventBase is in every event.
type EventBase struct {
	f    *Framework
	name string
}

// Name is the event's name: "db-relation-changed".
func (e *EventBase) Name() string { return e.name }

// Model is what the charm can see and change.
func (e *EventBase) Model() *Model { return e.f.model }

// Context is done when the charm is asked to end: pass it to what takes long.
func (e *EventBase) Context() context.Context { return e.f.ctx }

// Logger writes to the log of the unit.
func (e *EventBase) Logger() *slog.Logger { return e.f.Logger() }

// DeferrableEvent is in every event that may be handled later.
type DeferrableEvent struct {
	EventBase
	notice *notice
}

// Defer asks for this event again, for this observer, at the start of the next
// dispatch of any kind, before the event of that dispatch. The handler goes on, and
// should return.
//
// The observer needs a name, see [Observation.Named]. While an event is deferred,
// another one equal to it is not delivered to the same observer.
//
// Think twice. Nobody knows when the next dispatch comes. When it does, the unit
// may have left, the relation may be gone ([Relation.Active] is false, its data is
// empty), and the rest of the model has moved on. A handler that looks at the whole
// model and does what is left to do, see [OnReconcile], needs no deferral: whatever
// it waits for will be an event.
func (e *DeferrableEvent) Defer() error {
	if e.notice == nil {
		return kith.Errorf(kith.Invalid, "cannot defer %q: its observer has no name", e.name).
			WithHint("register it with .Named(\"…\"), so that the event finds it in a later dispatch")
	}
	e.notice.deferred = true
	return nil
}

func (f *Framework) base(em emission) EventBase { return EventBase{f, em.name} }

func (f *Framework) deferrable(em emission) DeferrableEvent {
	return DeferrableEvent{f.base(em), em.notice}
}
