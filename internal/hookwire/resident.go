package hookwire

import "io"

// Over is what a charm says when its event is over and its process stays, on the
// connection on which it has made its calls. The agent answers with the next [Event],
// whenever that comes, or hangs up. The charm says that it has begun, makes its calls,
// says Over, and so on: on one connection for as long as the process lives.
type Over struct {
	// ContextID names the event that is over: JUJU_CONTEXT_ID.
	ContextID string
	// PID is the process that stays. The agent keeps only the one that it has started: a
	// process that another one waits for would keep that from ending.
	PID int
	// Code is how the event ended: what the exit status would have been, 0 to 255.
	Code uint8
}

// Event is one event for a charm that stays.
type Event struct {
	// Env is the whole environment of the event, as NAME=value.
	Env []string
}

func writeOver(w io.Writer, o Over) error {
	b := appendString(newPayload(9+len(o.ContextID)), o.ContextID)
	b = append(appendUint32(b, o.PID), o.Code)
	return writeFrame(w, kindOver, b)
}

func decodeOver(payload []byte) (*Over, error) {
	d := decoder{rest: payload}
	o := &Over{ContextID: d.string(), PID: d.uint32(), Code: d.byte()}
	if !d.done() {
		return nil, ErrProtocol
	}
	return o, nil
}

func writeEvent(w io.Writer, e Event) error {
	size := 4
	for _, v := range e.Env {
		size += 4 + len(v)
	}
	b := appendUint32(newPayload(size), len(e.Env))
	for _, v := range e.Env {
		b = appendString(b, v)
	}
	return writeFrame(w, kindEvent, b)
}

// readEvent reads one event. The end of the connection, wherever it comes, is ErrClosed.
func readEvent(r io.Reader) (Event, error) {
	payload, err := readFrame(r, kindEvent)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return Event{}, ErrClosed
	}
	if err != nil {
		return Event{}, err
	}
	d := decoder{rest: payload}
	n := d.uint32()
	if n < 0 || n > len(d.rest)/4 { // each variable takes four bytes at least
		return Event{}, ErrProtocol
	}
	e := Event{Env: make([]string, n)}
	for i := range e.Env {
		e.Env[i] = d.string()
	}
	if !d.done() {
		return Event{}, ErrProtocol
	}
	return e, nil
}

func writeBegun(w io.Writer) error { return writeFrame(w, kindBegun, newPayload(0)) }
