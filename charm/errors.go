package charm

import (
	"fmt"
	"strings"

	"kith"
)

// Error says what is wrong with a charm, where, and what to do about it. It
// wraps a [*kith.Error] of code Invalid with the same text, so that code which
// only knows kith errors can carry it.
type Error struct {
	// Reason is the sentence alone; where Juju has one for the case, it is Juju's.
	Reason string `json:"reason"`
	// File is the file's name inside the charm: "metadata.yaml".
	File string `json:"file,omitempty"`
	// Line counts from 1; 0 if the mistake has no line of its own.
	Line int `json:"line,omitempty"`
	// Field is the dotted path to the value: "requires.db.limit".
	Field string `json:"field,omitempty"`
	// Value is the offending value as it is written in the file.
	Value string `json:"value,omitempty"`
	// Rule says what a right value looks like.
	Rule string `json:"rule,omitempty"`
	// Hint says what to do next, if that is more than keeping the rule.
	Hint string `json:"hint,omitempty"`
}

// Error is the reason, followed by the place in brackets.
func (e *Error) Error() string {
	switch {
	case e.File == "":
		return e.Reason
	case e.Line == 0:
		return fmt.Sprintf("%s (%s)", e.Reason, e.File)
	default:
		return fmt.Sprintf("%s (%s:%d)", e.Reason, e.File, e.Line)
	}
}

// Unwrap gives the error in the form that crosses process boundaries. Its hint
// is Hint, or else Rule.
func (e *Error) Unwrap() error {
	hint := e.Hint
	if hint == "" {
		hint = e.Rule
	}
	return &kith.Error{Code: kith.Invalid, Message: e.Error(), Hint: hint}
}

// maxQuoted bounds how much of a value an error repeats, so that a megabyte in
// the wrong place does not become a megabyte on the terminal.
const maxQuoted = 300

// clip shortens s to maxQuoted bytes.
func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "…"
}
