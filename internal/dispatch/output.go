package dispatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"kith/internal/api"
)

// Bounds on what one run of a hook may put into the log.
const (
	// MaxLine is where Juju cuts a log record (hook protocol reference, section 3.3).
	// What is beyond becomes a record of its own.
	MaxLine = 4096
	// MaxOutput bounds the log of one run: a hook in a loop must fill neither the
	// disk nor the controller. A long Python traceback is some 10 KiB.
	MaxOutput = 1 << 20
	// tailLines is how many of the last lines are kept when lines were dropped:
	// the reason of a failure is usually at the end.
	tailLines = 50
)

// Output turns what a hook prints into log records: a line each, bounded in all.
// Both streams of a hook share one.
type Output struct {
	emit func(level api.Level, line string)

	mu      sync.Mutex
	left    int // bytes that may still be logged
	tail    []tailLine
	next    int // where the next line of a full tail goes
	dropped int // lines that went through the tail and out of it
	bytes   int64
}

type tailLine struct {
	level api.Level
	line  string
}

// NewOutput makes one that passes records on.
func NewOutput(emit func(level api.Level, line string)) *Output {
	return &Output{emit: emit, left: MaxOutput}
}

// read logs everything r yields, at level, until it ends or is closed. Its
// memory does not grow with what comes.
func (o *Output) read(r io.Reader, level api.Level) error {
	buf := make([]byte, 0, 4*MaxLine)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = o.lines(buf[:len(buf)+n], level)
		if err != nil {
			if len(buf) > 0 {
				o.line(level, buf)
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// lines logs the complete lines of buf, and what is too long to wait for its
// end, and returns the rest moved to the front.
func (o *Output) lines(buf []byte, level api.Level) []byte {
	rest := buf
	for {
		end := bytes.IndexByte(rest[:min(len(rest), MaxLine+1)], '\n')
		switch {
		case end >= 0:
			o.line(level, bytes.TrimSuffix(rest[:end], []byte("\r")))
			rest = rest[end+1:]
		case len(rest) > MaxLine:
			cut := cutAt(rest)
			o.line(level, rest[:cut])
			rest = rest[cut:]
		default:
			return buf[:copy(buf, rest)]
		}
	}
}

// cutAt is how much of an overlong line fits a record: MaxLine bytes, or a little
// less where that would cut a character.
func cutAt(line []byte) int {
	for back := range utf8.UTFMax {
		if utf8.RuneStart(line[MaxLine-back]) {
			return MaxLine - back
		}
	}
	return MaxLine // not text
}

// line logs one record, or keeps it for later once the hook has used up its share.
func (o *Output) line(level api.Level, line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if cost := len(line) + 1; cost <= o.left {
		o.left -= cost
		o.emit(level, string(line))
		return
	}
	o.left = 0 // no shorter line may overtake the ones that are kept
	if len(o.tail) < tailLines {
		o.tail = append(o.tail, tailLine{level, string(line)})
		return
	}
	out := &o.tail[o.next]
	o.dropped++
	o.bytes += int64(len(out.line)) + 1
	*out = tailLine{level, string(line)}
	o.next = (o.next + 1) % tailLines
}

// Finish logs how much was dropped, and the lines after the gap.
func (o *Output) Finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dropped > 0 {
		o.emit(api.LevelWarning, fmt.Sprintf("dropped %d lines (%d bytes) of output: a hook may log %d bytes; its last %d lines follow",
			o.dropped, o.bytes, MaxOutput, len(o.tail)))
	}
	for i := range o.tail {
		t := o.tail[(o.next+i)%len(o.tail)]
		o.emit(t.level, t.line)
	}
	o.tail, o.next, o.dropped = nil, 0, 0
}
