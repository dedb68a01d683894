package cli

import (
	"fmt"
	"io"
)

// progress is one line on a terminal that changes while a command waits. On
// anything else it shows nothing.
type progress struct {
	w     io.Writer // nil: no terminal
	shown bool
}

func (x *call) newProgress() *progress {
	if x.quiet || !isTerminal(x.err) {
		return &progress{}
	}
	return &progress{w: x.err}
}

// widthShown bounds the line, so that it does not wrap on a narrow terminal.
const widthShown = 78

func (p *progress) show(line string) {
	if p.w != nil {
		fmt.Fprintf(p.w, "\r\x1b[K%s", shorten(line, widthShown))
		p.shown = true
	}
}

// clear takes the line away.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
