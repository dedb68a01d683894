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
	for {
		q, err := ReadRequest(conn)
		switch err {
		case nil:
		case io.EOF:
			return nil
		case ErrProtocol, ErrVersion, ErrTooLarge:
			_ = WriteResponse(conn, BadRequest(err.Error())) // the first error is the one to report
			return err
		default:
			return err
		}
		if err := WriteResponse(conn, fitting(answer(q, handle))); err != nil {
			return err
		}
	}
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
