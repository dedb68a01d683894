package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"kith"
)

// deferKey is where the deferred events are kept, beside the stored states; partKey names the
// keys of a queue too long for one.
const deferKey = "#notices#"

func partKey(n int) string {
	if n == 0 {
		return deferKey
	}
	return deferKey + strconv.Itoa(n)
}

// notice is one delivery of one event to one observer that was deferred, or may be.
type notice struct {
	Event    string          `json:"event"` // eventKey
	Observer string          `json:"observer"`
	Snapshot json.RawMessage `json:"snapshot,omitempty"`

	deferred bool
}

func (n *notice) same(o *notice) bool {
	return n.Event == o.Event && n.Observer == o.Observer && bytes.Equal(n.Snapshot, o.Snapshot)
}

// deferQueue holds the deferred events, oldest first.
type deferQueue struct {
	notices []*notice
	loaded  bool
	// saved is the form the queue was loaded in, and parts how many keys it was under.
	saved string
	parts int
}

// loadQueue reads the queue, if any observer of this charm could have deferred.
func (f *Framework) loadQueue() error {
	if f.queue.loaded || !f.mayDefer {
		return nil
	}
	text := ""
	for {
		part, err := f.stored.get(partKey(f.queue.parts))
		if err != nil {
			return err
		}
		if part == "" {
			break
		}
		text += part
		f.queue.parts++
	}
	f.queue.loaded, f.queue.saved = true, text
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), &f.queue.notices); err != nil {
		// A charm in Python, which this one has taken the place of, may keep its own there.
		f.queue.notices = nil
		f.Logger().Warn("dropped all deferred events: they are not of this framework", "reason", err)
	}
	return nil
}

// deliver gives an event to an observer that may defer it. An event that waits
// already is not delivered a second time (ops reference, section 6.4).
func (f *Framework) deliver(o *Observation, em emission) error {
	if err := f.loadQueue(); err != nil {
		return err
	}
	snapshot, err := em.keep()
	if err != nil {
		return err
	}
	n := &notice{Event: em.key.String(), Observer: o.name, Snapshot: snapshot}
	if slices.ContainsFunc(f.queue.notices, n.same) {
		return nil
	}
	em.notice = n
	err = o.handler.handle(f, em)
	if n.deferred {
		f.queue.notices = append(f.queue.notices, n)
	}
	return err
}

// keep is what is stored of an event.
func (em emission) keep() (json.RawMessage, error) {
	if em.snapshot != nil {
		data, err := em.snapshot()
		if err != nil {
			return nil, kith.Errorf(kith.Invalid, "cannot keep the event %q: %v", em.name, err).
				WithHint("a field that does not go into JSON has the tag json:\"-\"")
		}
		return data, nil
	}
	return json.Marshal(em.env)
}

// reemit delivers what earlier dispatches deferred, oldest first. What is deferred
// again keeps its place; what has no observer any more is dropped with a warning.
func (f *Framework) reemit() error {
	if err := f.loadQueue(); err != nil {
		return err
	}
	for _, n := range slices.Clone(f.queue.notices) {
		n.deferred = false
		err := f.redeliver(n)
		if !n.deferred {
			f.queue.notices = slices.DeleteFunc(f.queue.notices, func(m *notice) bool { return m == n })
		}
		if err != nil {
			return err // and only a status error lets the queue be saved
		}
	}
	return nil
}

// redeliver gives a deferred event to its observer. One that cannot be delivered any
// more, after an upgrade of the charm, must not block the unit for ever.
func (f *Framework) redeliver(n *notice) error {
	drop := func(reason string) error {
		f.Logger().Warn("dropped a deferred event: "+reason, "event", n.Event, "observer", n.Observer)
		return nil
	}
	key := parseEventKey(n.Event)
	i := slices.IndexFunc(f.observers, func(o Observation) bool { return o.isFor(key) && o.name == n.Observer })
	if i < 0 {
		return drop("its observer is gone")
	}
	h := f.observers[i].handler
	em := emission{key: key, name: key.name, notice: n, late: true}
	if custom, ok := h.(restorer); ok {
		var err error
		em.custom, err = custom.restore(f, n.Snapshot)
		if errors.Is(err, errSnapshot) {
			return drop(err.Error())
		}
		if err != nil {
			return err
		}
	} else {
		em.env = new(EventEnv)
		if err := json.Unmarshal(n.Snapshot, em.env); err != nil {
			return drop(err.Error())
		}
	}
	return h.handle(f, em)
}

// restorer is the handler of a custom event.
type restorer interface {
	restore(f *Framework, snapshot json.RawMessage) (any, error)
}

// errSnapshot is a deferred event that does not fit its type any more.
var errSnapshot = errors.New("what was kept of it does not fit its type any more")

// saveQueue writes the queue if it has changed.
func (f *Framework) saveQueue() error {
	if !f.queue.loaded {
		return nil
	}
	text := ""
	if len(f.queue.notices) > 0 {
		data, err := json.Marshal(f.queue.notices)
		if err != nil {
			return err
		}
		text = string(data)
	}
	if text == f.queue.saved {
		return nil
	}
	n := 0
	for ; text != ""; n++ {
		part := head(text, maxValue)
		put(&f.stored.set, partKey(n), part)
		text = text[len(part):]
	}
	for ; n < f.queue.parts; n++ {
		f.stored.deleted = append(f.stored.deleted, partKey(n))
	}
	return nil
}
