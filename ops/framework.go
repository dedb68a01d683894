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
	event   eventKey // of the hook or action
	meta    *CharmMeta
	backend Backend
	model   Model

	// observers are those that may get an event in this dispatch, in the order they were
	// registered in.
	observers []Observation
	// sources are the names of custom events.
	sources []string
	// mayDefer: an observer has a name.
	mayDefer  bool
	stored    storedStates
	queue     deferQueue
	collected Status // the most severe that was added to the one being asked for
	err       error  // the first mistake in a call that returns no error
}

func newFramework(ctx context.Context, d Dispatch) *Framework {
	f := &Framework{
		ctx: ctx, env: d.Env, event: d.Env.key(), meta: d.Meta, backend: d.Backend,
		stored: storedStates{backend: d.State},
	}
	if d.State == nil {
		f.stored.backend = d.Backend
	}
	f.model.begin(f)
	return f
}

// Context is done when the charm is asked to end: pass it to what takes long.
func (f *Framework) Context() context.Context { return f.ctx }

// Env is what the environment says about this dispatch.
func (f *Framework) Env() Env { return f.env }

// Meta is what the charm says about itself in its metadata.
func (f *Framework) Meta() *CharmMeta { return f.meta }

// Backend makes the hook tool calls themselves, for what the [Model] does not offer. It
// keeps nothing: what it reads is asked for each time, and what it writes does not show in what the
// Model has read. The maps it gives are not to be changed.
func (f *Framework) Backend() Backend { return f.backend }

// Model is what the charm can see and change.
func (f *Framework) Model() *Model { return &f.model }

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
	wanted := 0
	for i := range handlers {
		if f.mayGet(&handlers[i]) {
			wanted++
		}
	}
	f.observers = slices.Grow(f.observers, wanted)
	for i := range handlers {
		o := &handlers[i]
		if err := f.check(o); err != nil {
			f.fail(err)
			continue
		}
		if f.mayGet(o) {
			f.observers = append(f.observers, *o)
		}
	}
}

// fail keeps the first mistake.
func (f *Framework) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// mayGet reports whether an observer may get an event in this dispatch: the one that came, one
// that was deferred, or one that the charm makes.
func (f *Framework) mayGet(o *Observation) bool {
	return o.isFor(f.event) || o.name != "" || o.space == customSpace || o.space == internalSpace
}

func (f *Framework) check(o *Observation) error {
	if o.handler == nil {
		return kith.Errorf(kith.Invalid, "cannot observe: an empty Observation has no event").
			WithHint("make one with a function such as ops.OnConfigChanged")
	}
	if o.subject != "" && !f.meta.has(o.subject, o.of) {
		return kith.Errorf(kith.Invalid, "cannot observe %q: the charm has no %s %q", o.event(), o.subject, o.of).
			WithHint("the metadata of the charm has to name it")
	}
	if o.handler.missing() {
		return kith.Errorf(kith.Invalid, "cannot observe %q: the handler is nil", o.event())
	}
	if o.name == "" {
		return nil
	}
	for i := range f.observers {
		if other := &f.observers[i]; other.name == o.name && other.isFor(o.key()) {
			return kith.Errorf(kith.Invalid, "cannot observe %q: it has an observer named %q already", o.event(), o.name)
		}
	}
	f.mayDefer = true
	return nil
}

// Observation is a handler together with the event it is for. The functions named
// On… make one, and [Framework.Observe] registers it.
type Observation struct {
	// The event is called of + kind, as in "db" and "-relation-changed": most observations
	// are for other events than the one that comes, and no name is put together for those.
	space, of, kind string
	// subject is what the charm needs to have under the name of; empty where it needs nothing.
	subject subject
	handler handler
	// name identifies the observer from one dispatch to the next.
	name string
}

// handler is what a charm has registered, a function that takes its event.
type handler interface {
	handle(f *Framework, em emission) error
	// missing reports whether the charm gave no function.
	missing() bool
}

// handlerOf handles an event of the type E with a function of the charm.
type handlerOf[E any, P event[E]] func(*E) error

func (h handlerOf[E, P]) handle(f *Framework, em emission) error {
	e := new(E)
	if err := P(e).bind(f, em); err != nil {
		return err
	}
	return h(e)
}

func (h handlerOf[E, P]) missing() bool { return h == nil }

// event is a pointer to an event, which bind fills in.
type event[E any] interface {
	*E
	bind(f *Framework, em emission) error
}

// key is what the event is found by.
func (o *Observation) key() eventKey { return eventKey{o.space, o.of + o.kind} }

// event is the name people know the event by.
func (o *Observation) event() string { return strings.TrimPrefix(o.key().String(), hookSpace) }

// isFor reports whether k is the key.
func (o *Observation) isFor(k eventKey) bool {
	return o.space == k.space && strings.HasPrefix(k.name, o.of) && k.name[len(o.of):] == o.kind
}

// Named gives the observer a name that stays the same from version to version of
// the charm. Only a named observer can defer, because its name is what the deferred
// event finds it by. Two observers of one event have different names.
func (o Observation) Named(name string) Observation {
	o.name = name
	return o
}

// The spaces of event names.
const (
	hookSpace     = "hooks/"
	actionSpace   = "actions/"
	customSpace   = "custom/"
	internalSpace = "ops/"
)

// eventKey is what the observers of an event are found by: a space, and a name within.
type eventKey struct{ space, name string }

// String is "hooks/start", "actions/backup", "custom/database/created".
func (k eventKey) String() string { return k.space + k.name }

func parseEventKey(s string) eventKey {
	i := strings.IndexByte(s, '/') + 1
	return eventKey{s[:i], s[i:]}
}

// emission is one event on its way to its observers.
type emission struct {
	key  eventKey
	name string    // what the observers know it by; that of reconcile is the hook's
	env  *EventEnv // of a hook or action
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
		if !o.isFor(em.key) {
			continue
		}
		if o.name == "" {
			if err := o.handler.handle(f, em); err != nil {
				return err
			}
			continue
		}
		if err := f.deliver(o, em); err != nil {
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

func (e *EventBase) bind(f *Framework, em emission) error {
	e.f, e.name = f, em.name
	return nil
}

// Name is the event's name: "db-relation-changed".
func (e *EventBase) Name() string { return e.name }

// Model is what the charm can see and change.
func (e *EventBase) Model() *Model { return &e.f.model }

// Context is done when the charm is asked to end: pass it to what takes long.
func (e *EventBase) Context() context.Context { return e.f.ctx }

// Logger writes to the log of the unit.
func (e *EventBase) Logger() *slog.Logger { return e.f.Logger() }

// DeferrableEvent is in every event that may be handled later.
type DeferrableEvent struct {
	EventBase
	notice *notice
}

func (e *DeferrableEvent) bind(f *Framework, em emission) error {
	e.notice = em.notice
	return e.EventBase.bind(f, em)
}

// Defer asks for this event again, for this observer, at the start of the next
// dispatch of any kind, before the event of that dispatch. The handler goes on, and
// should return.
//
// The observer needs a name, see [Observation.Named]. While an event is deferred,
// another one equal to it is not delivered to the same observer.
//
// Think twice. Nobody knows when the next dispatch comes: update-status is minutes away. When it
// does, [Framework.Env] is that of another event, the unit may have left, the relation may be
// gone ([Relation.Active] is false, its data is empty), its relation-broken may have run, and the
// rest of the model has moved on. Where many events wait for one thing they all come back once it
// is there. What is deferred goes with the unit, and a hook that fails takes nothing
// off the queue and adds nothing to it. A handler that looks at the whole model and does what is
// left to do, see [OnReconcile], needs no deferral: whatever it waits for will be an event.
//
// An event comes back in the next version of the charm too. If that has no observer of the name, or
// a custom event whose fields do not fit, it is dropped with a warning in the log.
func (e *DeferrableEvent) Defer() error {
	if e.notice == nil {
		return kith.Errorf(kith.Invalid, "cannot defer %q: its observer has no name", e.name).
			WithHint("register it with .Named(\"…\"), so that the event finds it in a later dispatch")
	}
	e.notice.deferred = true
	return nil
}
