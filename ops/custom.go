package ops

import (
	"encoding/json"
	"slices"

	"kith"
)

// CustomEvent is to be embedded in the events of a charm library: see [Source].
type CustomEvent struct{ DeferrableEvent }

func (e *CustomEvent) custom() {}

// custom is a pointer to a struct that embeds CustomEvent.
type custom[T any] interface {
	event[T]
	custom()
}

// Restorer may be implemented by a custom event that refers to what does not
// survive a dispatch, a [*Relation] for example: when the event was deferred and its
// exported fields are read back, Restore finds the rest in the model.
type Restorer interface{ Restore(m *Model) error }

// Source is an event a charm library has beside those of Juju. A library makes its
// sources when it is made, offers a method that makes an [Observation] for each, and
// emits them from its own handlers:
//
//	type Requirer struct{ created *ops.Source[CreatedEvent, *CreatedEvent] }
//
//	func (r *Requirer) OnCreated(h func(*CreatedEvent) error) ops.Observation { return r.created.On(h) }
//
// What the event's exported fields hold is kept as JSON when an observer defers it;
// fields that do not go into JSON carry the tag json:"-".
type Source[T any, P custom[T]] struct {
	f    *Framework
	name string
}

// NewSource makes a source. The name is unique in the charm and stays the same, as
// deferred events are found by it: "database/created", with the endpoint's name where
// a charm may have the library twice. An empty name, or one that is taken, is a mistake in the charm:
// the dispatch fails with an error that says so.
//
// A source belongs to the dispatch it was made in, as all of a charm does: it is made anew for each
// event, by the function given to [Main], and never kept in a package variable.
func NewSource[T any, P custom[T]](f *Framework, name string) *Source[T, P] {
	switch {
	case name == "":
		f.fail(kith.Errorf(kith.Invalid, "cannot make a source of events without a name"))
	case slices.Contains(f.sources, name):
		f.fail(kith.Errorf(kith.Invalid, "cannot make two sources of events named %q", name).
			WithHint("a library that a charm has twice puts the endpoint into the names of its events"))
	}
	f.sources = append(f.sources, name)
	return &Source[T, P]{f, name}
}

// On makes an observation for [Framework.Observe]. Each observer gets an event of its own.
func (s *Source[T, P]) On(handle func(P) error) Observation {
	return Observation{space: customSpace, kind: s.name, handler: customHandler[T, P](handle)}
}

// customHandler handles a custom event with a function of the charm, or of a library.
type customHandler[T any, P custom[T]] func(P) error

func (h customHandler[T, P]) handle(f *Framework, em emission) error {
	e := em.custom.(T)
	if err := P(&e).bind(f, em); err != nil {
		return err
	}
	return h(&e)
}

func (h customHandler[T, P]) missing() bool { return h == nil }

// restore reads an event back that was deferred.
func (h customHandler[T, P]) restore(f *Framework, snapshot json.RawMessage) (any, error) {
	var e T
	if err := json.Unmarshal(snapshot, &e); err != nil {
		return nil, errSnapshot
	}
	if r, ok := any(&e).(Restorer); ok {
		if err := r.Restore(&f.model); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Emit runs the observers at once, before it returns. The first error of one ends it.
func (s *Source[T, P]) Emit(e T) error {
	return s.f.emit(emission{
		key: eventKey{customSpace, s.name}, name: s.name, custom: e,
		snapshot: func() (json.RawMessage, error) { return json.Marshal(e) },
	})
}
