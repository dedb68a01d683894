package kith

import (
	"errors"
	"fmt"
)

// Code classifies an error for machines. There are seven; [HTTPStatus] and
// [ExitStatus] map them to the two worlds outside.
type Code string

// The codes.
const (
	Invalid         Code = "invalid"         // the request makes no sense, whoever sends it
	Unauthenticated Code = "unauthenticated" // we do not know who asks
	Forbidden       Code = "forbidden"       // we know who asks, and they may not
	NotFound        Code = "not-found"       // the named thing does not exist
	Conflict        Code = "conflict"        // the request does not fit the state things are in
	Unavailable     Code = "unavailable"     // try again: something needed is away or too slow
	Internal        Code = "internal"        // our fault
)

// Error is the error that crosses package, process and network boundaries.
// Message is one line in lower case with the offending value quoted; where Juju
// has a wording, it is Juju's. Hint says what to do next, or is empty.
type Error struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Errorf makes an error from a code and a sentence. It does not wrap.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithHint returns a copy of e that says what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	c := *e
	c.Hint = fmt.Sprintf(format, args...)
	return &c
}

// Prefix returns a copy of e whose message starts with what was being attempted.
func (e *Error) Prefix(format string, args ...any) *Error {
	c := *e
	c.Message = fmt.Sprintf(format, args...) + e.Message
	return &c
}

// Error is the message alone: hints are for the last one who prints.
func (e *Error) Error() string { return e.Message }

// CodeOf is the code of the first [*Error] in err's chain; Internal if there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// HintOf is the hint of the first [*Error] in err's chain, or empty.
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// codes is the one table from codes to HTTP and exit statuses.
var codes = map[Code]struct{ http, exit int }{
	Invalid:         {400, 2},
	Unauthenticated: {401, 1},
	Forbidden:       {403, 1},
	NotFound:        {404, 1},
	Conflict:        {409, 1},
	Unavailable:     {503, 1},
	Internal:        {500, 1},
}

// HTTPStatus is the HTTP status that carries c; 500 for a code we do not know.
func (c Code) HTTPStatus() int {
	if s, ok := codes[c]; ok {
		return s.http
	}
	return 500
}

// ExitStatus is the process exit status for c: 2 for bad usage, else 1.
func (c Code) ExitStatus() int {
	if s, ok := codes[c]; ok {
		return s.exit
	}
	return 1
}
