package hookwire

import (
	"io"
	"strconv"
)

// Serve answers the calls that arrive on conn, one after another, until the caller
// hangs up (nil) or something goes wrong (the error). It does not close conn.
//
// A request that names no tool or no absolute directory is answered here; all others
// go to handle. Bytes that are not a request are answered with a sentence, for the
// sake of whoever reads it, and end the service.
func Serve(conn io.ReadWriter, handle func(Request) Response) error {
	_, err := ServeEvent(conn, handle)
	return err
}

// ServeEvent is Serve until the caller says that its event is over, and what it says:
// nil if it hangs up.
func ServeEvent(conn io.ReadWriter, handle func(Request) Response) (*Over, error) {
	for {
		q, over, err := readCall(conn)
		switch err {
		case nil:
		case io.EOF:
			return nil, nil
		case ErrProtocol, ErrVersion, ErrTooLarge:
			_ = WriteResponse(conn, BadRequest(err.Error())) // the first error is the one to report
			return nil, err
		default:
			return nil, err
		}
		if over != nil {
			return over, nil
		}
		if err := WriteResponse(conn, fitting(answer(q, handle))); err != nil {
			return nil, err
		}
	}
}

// readCall reads what a caller may say: a request, or that its event is over.
func readCall(conn io.Reader) (q Request, over *Over, err error) {
	kind, payload, err := readOneOf(conn, kindRequest, kindOver)
	if err != nil {
		return q, nil, err
	}
	if kind == kindOver {
		over, err = decodeOver(payload)
		return q, over, err
	}
	q, err = decodeRequest(payload)
	return q, nil, err
}

// SendEvent gives an event to a charm that stays, and returns when the charm has begun
// it. After an error it has not, as far as anybody knows, and the connection is of no
// more use.
func SendEvent(conn io.ReadWriter, e Event) error {
	if err := writeEvent(conn, e); err != nil {
		return err
	}
	payload, err := readFrame(conn, kindBegun)
	if err == nil && len(payload) > 0 {
		err = ErrProtocol
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = ErrClosed
	}
	return err
}

func answer(q Request, handle func(Request) Response) Response {
	switch {
	case q.Tool == "":
		return BadRequest("command not specified")
	case q.Dir == "" || q.Dir[0] != '/':
		return BadRequest("Dir is not absolute")
	}
	return handle(q)
}

// fitting replaces an answer that no frame can hold by one that says so.
func fitting(p Response) Response {
	n := len(p.Stdout) + len(p.Stderr)
	if n+10 <= MaxFrame {
		return p
	}
	return Response{Code: 1, Stderr: []byte("ERROR output of " + strconv.Itoa(n) +
		" bytes is over the limit hookwire.MaxFrame (" + strconv.Itoa(MaxFrame) + " bytes)\n")}
}
