package dispatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"kith/internal/api"
)

// logged reads r as the output of a hook.
func logged(t *testing.T, r io.Reader) []string {
	t.Helper()
	var lines []string
	o := NewOutput(func(level api.Level, line string) { lines = append(lines, string(level)+" "+line) })
	if err := o.read(r, api.LevelDebug); err != nil {
		t.Fatal(err)
	}
	o.Finish()
	return lines
}

// Hook protocol reference, section 3.3: a record a line, cut at 4096 bytes.
func TestOutputLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxLine)
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"lines", "a\nb\n", []string{"a", "b"}},
		{"no newline at the end", "a\nb", []string{"a", "b"}},
		{"empty lines", "\n\na\n", []string{"", "", "a"}},
		{"carriage return", "a\r\nb\r\n", []string{"a", "b"}},
		{"exactly a record", long + "\n", []string{long}},
		{"one byte more", long + "y\n", []string{long, "y"}},
		{"three records", long + long + "z", []string{long, long, "z"}},
		{"between characters", long[1:] + "é\n", []string{long[1:], "é"}},
		{"not text", strings.Repeat("\x80", MaxLine+1), []string{strings.Repeat("\x80", MaxLine), "\x80"}},
	} {
		var want []string
		for _, l := range c.want {
			want = append(want, "DEBUG "+l)
		}
		if got := logged(t, strings.NewReader(c.in)); !slices.Equal(got, want) {
			t.Errorf("%s: %.80q, want %.80q", c.name, got, want)
		}
		if got := logged(t, iotest.OneByteReader(strings.NewReader(c.in))); !slices.Equal(got, want) {
			t.Errorf("%s, byte by byte: %.80q, want %.80q", c.name, got, want)
		}
	}
}

// Whatever comes, nothing but cutting changes it.
func FuzzOutput(f *testing.F) {
	f.Add("a\nb\r\n\nc", 3)
	f.Fuzz(func(t *testing.T, in string, repeat int) {
		in = strings.Repeat(in, max(1, min(repeat, 100)))
		if len(in) > MaxOutput/2 {
			return
		}
		var got strings.Builder
		for _, l := range logged(t, iotest.HalfReader(strings.NewReader(in))) {
			l = strings.TrimPrefix(l, "DEBUG ")
			if len(l) > MaxLine {
				t.Errorf("a record of %d bytes", len(l))
			}
			got.WriteString(l)
		}
		strip := strings.NewReplacer("\n", "", "\r", "")
		if want := strip.Replace(in); strip.Replace(got.String()) != want {
			t.Errorf("%q became %q", in, got.String())
		}
	})
}

// A hook that prints a gigabyte: the log gets the beginning, the end and the size
// of the gap, and memory stays what it was.
func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	const lines = 300_000
	r := &counting{line: []byte(strings.Repeat("spam ", 20)), left: lines}
	var got []string
	size := 0
	o := NewOutput(func(level api.Level, line string) { got, size = append(got, string(level)+" "+line), size+len(line)+1 })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := o.read(r, api.LevelDebug); err != nil {
		t.Fatal(err)
	}
	o.Finish()
	runtime.ReadMemStats(&after)
	if size > MaxOutput+tailLines*MaxLine+1000 {
		t.Errorf("%d bytes were logged", size)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	gap := slices.IndexFunc(got, func(l string) bool { return strings.HasPrefix(l, "WARNING dropped ") })
	if gap < 0 || len(got)-gap-1 != tailLines {
		t.Fatalf("%d lines, the gap at %d, want %d lines after it", len(got), gap, tailLines)
	}
	var n, b int
	if _, err := fmt.Sscanf(got[gap], "WARNING dropped %d lines (%d bytes)", &n, &b); err != nil || n+len(got)-1 != lines {
		t.Errorf("%q with %d lines logged of %d", got[gap], len(got)-1, lines)
	}
	if last := got[len(got)-1]; !strings.HasSuffix(last, fmt.Sprint(" ", lines)) {
		t.Errorf("the last line is %q", last)
	}
}

// counting yields left numbered lines.
type counting struct {
	line []byte
	n    int
	left int
	rest []byte
}

func (c *counting) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		if c.left == 0 {
			return 0, io.EOF
		}
		c.left--
		c.n++
		c.rest = fmt.Appendf(c.rest[:0], "%s %d\n", c.line, c.n)
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func TestOutputReadError(t *testing.T) {
	t.Parallel()
	o := NewOutput(func(api.Level, string) {})
	boom := errors.New("boom")
	if err := o.read(io.MultiReader(bytes.NewReader([]byte("a")), iotest.ErrReader(boom)), api.LevelDebug); !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
}
