package cli

import (
	"io"
	"os"

	"golang.org/x/term"

	"kith"
)

// palette colours text, or leaves it alone.
type palette bool

// The two palettes.
const (
	plain   palette = false
	colored palette = true
)

// paletteFor decides about a stream: colours only on a terminal that can, and
// not if NO_COLOR is set (CLI reference, section 1.6).
func paletteFor(w io.Writer, getenv func(string) string) palette {
	if getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return plain
	}
	return palette(isTerminal(w))
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (p palette) paint(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p palette) red(s string) string    { return p.paint("1;31", s) }
func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }

// status colours a status word by how good it is.
func (p palette) status(s string) string {
	switch kith.Status(s) {
	case kith.Active, kith.Idle, "started", "running", "available", kith.Joined:
		return p.green(s)
	case kith.Blocked, kith.Errored, "down", "lost", "failed":
		return p.red(s)
	case kith.Maintenance, kith.Waiting, kith.Executing, kith.Allocating, "pending", kith.Suspended, kith.Suspending:
		return p.yellow(s)
	}
	return s
}
