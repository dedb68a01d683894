// Package hookwire carries one hook tool call from kith-hook, or from a Go charm,
// to the unit agent and brings the answer back, over a unix socket.
//
// The conversation is call and answer: the caller writes one request frame, the
// agent writes one response frame, and both may go on with the next call on the
// same connection or close it. A frame is
//
//	'K' 'H' version kind length payload
//
// with one byte each for version and kind, four bytes (big endian) for the length
// of the payload, and at most [MaxFrame] bytes of payload. These eight bytes mean
// the same in every version, so a peer of another version is told so instead of
// being misread. Inside a payload every string is preceded by its four-byte length.
//
// A charm whose process stays (docs/design/resident.md) ends its event with the frame
// [Over] on the connection on which it has made its calls, and the agent answers with the
// next [Event] when there is one.
//
// Standard input is never sent at first. A tool that wants it answers NeedStdin,
// and the caller reads its standard input to the end and calls again: a tool that
// does not need standard input neither consumes it nor waits for it, which shell
// loops of the kind "while read" depend on (hook protocol reference, section 6.1).
//
// Promises: a decoder never panics and never allocates more than a small multiple
// of the bytes that really arrived, whatever the length field says; a frame that is
// not understood is answered with a sentence and ends the connection; a connection
// that dies while a call is under way gives [ErrClosed], never an empty answer.
//
// The package knows no tool and holds no policy. It links the standard library's
// os, syscall, io, errors and strconv, and nothing else (not net, not fmt), because every
// package linked here is paid for at each start of each hook tool: see the
// benchmark in cmd/kith-hook.
package hookwire
