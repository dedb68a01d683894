package hookwire

import "io"

// Request is one call of one hook tool.
type Request struct {
	// ContextID names the hook run the caller belongs to: JUJU_CONTEXT_ID.
	ContextID string
	// Dir is the caller's working directory, absolute: file options are relative to it.
	Dir string
	// Tool is the name the tool was called by, without directories.
	Tool string
	// Args are the arguments after the name.
	Args []string
	// StdinSupplied says that Stdin holds all of standard input, which may be empty.
	StdinSupplied bool
	Stdin         []byte
}

// Response is what the tool answered.
type Response struct {
	// Code is the exit status: 0 to 255.
	Code   uint8
	Stdout []byte
	Stderr []byte
	// NeedStdin asks the caller to read its standard input and to call again with it.
	// Nothing has happened yet, and the other fields mean nothing.
	NeedStdin bool
}

// BadRequest is the answer to a call that names no tool, no live hook run or nothing
// that could be done: Juju's text and exit status 1 (hook protocol reference, section 6.1).
func BadRequest(reason string) Response {
	return Response{Code: 1, Stderr: []byte("ERROR bad request: " + reason + "\n")}
}

const (
	flagStdinSupplied = 1
	flagNeedStdin     = 1
)

// WriteRequest sends one request. Errors: ErrTooLarge, or the connection's.
func WriteRequest(w io.Writer, q Request) error {
	size := 24 + len(q.ContextID) + len(q.Dir) + len(q.Tool) + len(q.Stdin)
	for _, a := range q.Args {
		size += 4 + len(a)
	}
	if size > MaxFrame {
		return ErrTooLarge
	}
	b := newPayload(size)
	b = appendString(b, q.ContextID)
	b = appendString(b, q.Dir)
	b = appendString(b, q.Tool)
	b = appendUint32(b, len(q.Args))
	for _, a := range q.Args {
		b = appendString(b, a)
	}
	var flags byte
	if q.StdinSupplied {
		flags |= flagStdinSupplied
	}
	b = append(b, flags)
	b = appendString(b, q.Stdin)
	return writeFrame(w, kindRequest, b)
}

// ReadRequest reads one request. It returns io.EOF if the connection ended where a
// request could begin, and ErrProtocol, ErrVersion or ErrTooLarge for bytes that are
// not one; after those the connection is of no more use.
func ReadRequest(r io.Reader) (Request, error) {
	payload, err := readFrame(r, kindRequest)
	if err != nil {
		return Request{}, err
	}
	return decodeRequest(payload)
}

func decodeRequest(payload []byte) (Request, error) {
	d := decoder{rest: payload}
	q := Request{ContextID: d.string(), Dir: d.string(), Tool: d.string()}
	n := d.uint32()
	if n < 0 || n > len(d.rest)/4 { // each argument takes four bytes at least
		return Request{}, ErrProtocol
	}
	if n > 0 {
		q.Args = make([]string, n)
	}
	for i := range q.Args {
		q.Args[i] = d.string()
	}
	flags := d.byte()
	q.StdinSupplied = flags&flagStdinSupplied != 0
	q.Stdin = d.bytes()
	if !d.done() || flags&^flagStdinSupplied != 0 {
		return Request{}, ErrProtocol
	}
	return q, nil
}

// WriteResponse sends one response. Errors: ErrTooLarge, or the connection's.
func WriteResponse(w io.Writer, p Response) error {
	size := 10 + len(p.Stdout) + len(p.Stderr)
	if size > MaxFrame {
		return ErrTooLarge
	}
	var flags byte
	if p.NeedStdin {
		flags |= flagNeedStdin
	}
	b := append(newPayload(size), p.Code, flags)
	b = appendString(b, p.Stdout)
	b = appendString(b, p.Stderr)
	return writeFrame(w, kindResponse, b)
}

// ReadResponse reads one response. The end of the connection, wherever it comes, is
// ErrClosed: an answer was due.
func ReadResponse(r io.Reader) (Response, error) {
	payload, err := readFrame(r, kindResponse)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return Response{}, ErrClosed
	}
	if err != nil {
		return Response{}, err
	}
	d := decoder{rest: payload}
	p := Response{Code: d.byte()}
	flags := d.byte()
	p.NeedStdin = flags&flagNeedStdin != 0
	p.Stdout, p.Stderr = d.bytes(), d.bytes()
	if !d.done() || flags&^flagNeedStdin != 0 {
		return Response{}, ErrProtocol
	}
	return p, nil
}
