package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kith"
	"kith/internal/api"
)

// Log is one model's log. It may be used from many goroutines.
type Log struct {
	dir    string
	limits Limits
	now    func() time.Time

	mu       sync.Mutex
	segments []segment // by number; the last one is written to
	file     *os.File
	budgets  map[string]*budget
	changed  chan struct{} // closed and replaced at every append
	closed   bool
}

// segment is one file: its number and how many bytes are good.
type segment struct {
	number uint64
	size   int64
}

const suffix = ".ndjson"

func segmentName(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%012d%s", number, suffix))
}

func openLog(dir string, limits Limits, now func() time.Time) (*Log, error) {
	l := &Log{dir: dir, limits: limits, now: now, budgets: make(map[string]*budget), changed: make(chan struct{})}
	if err := l.load(); err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot open log %s: %v", dir, err)
	}
	return l, nil
}

// load finds the segments and opens the last one, without what a crash tore off.
func (l *Log) load() error {
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(l.dir) // sorted by name, and so by number
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, err := strconv.ParseUint(strings.TrimSuffix(e.Name(), suffix), 10, 64)
		if err != nil || !strings.HasSuffix(e.Name(), suffix) {
			continue // not ours
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		l.segments = append(l.segments, segment{n, info.Size()})
	}
	if len(l.segments) == 0 {
		return l.next(1)
	}
	last := &l.segments[len(l.segments)-1]
	if last.size, err = wholeLines(segmentName(l.dir, last.number), last.size); err != nil {
		return err
	}
	l.file, err = os.OpenFile(segmentName(l.dir, last.number), os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := l.file.Truncate(last.size); err != nil {
		return err
	}
	_, err = l.file.Seek(last.size, 0)
	return err
}

// wholeLines is how many bytes of a file are complete lines.
func wholeLines(name string, size int64) (int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	for size > 0 {
		n := min(int64(len(buf)), size)
		if _, err := f.ReadAt(buf[:n], size-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return size - n + int64(i) + 1, nil
		}
		size -= n
	}
	return 0, nil
}

// next begins a segment and removes the oldest while there are too many bytes.
func (l *Log) next(number uint64) error {
	f, err := os.OpenFile(segmentName(l.dir, number), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if l.file != nil {
		l.file.Close()
	}
	l.file = f
	l.segments = append(l.segments, segment{number: number})
	total := l.limits.Segment // what the new one may grow to
	for _, s := range l.segments {
		total += s.size
	}
	for total > l.limits.Total && len(l.segments) > 1 {
		oldest := l.segments[0]
		if err := os.Remove(segmentName(l.dir, oldest.number)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= oldest.size
		l.segments = slices.Delete(l.segments, 0, 1)
	}
	return nil
}

// Append adds records in the order given; what an entity writes beyond its
// budget is left out, and said to be.
func (l *Log) Append(records []api.LogRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed
	}
	var buf bytes.Buffer
	for _, r := range records {
		for _, r := range l.admit(r) {
			line, err := json.Marshal(r)
			if err != nil {
				return kith.Errorf(kith.Invalid, "cannot log a record of %s: %v", r.Entity, err)
			}
			buf.Write(line)
			buf.WriteByte('\n')
			if l.last().size+int64(buf.Len()) >= l.limits.Segment {
				if err := l.write(&buf); err != nil {
					return err
				}
			}
		}
	}
	return l.write(&buf)
}

func (l *Log) last() *segment { return &l.segments[len(l.segments)-1] }

// write appends whole lines to the current segment, and begins the next one if it is full.
func (l *Log) write(buf *bytes.Buffer) error {
	if buf.Len() == 0 {
		return nil
	}
	last := l.last()
	n, err := l.file.Write(buf.Bytes())
	if err != nil {
		// Nobody may read half a line: the next write goes where this one began.
		if n > 0 {
			l.file.Truncate(last.size)
			l.file.Seek(last.size, 0)
		}
		return kith.Errorf(kith.Unavailable, "cannot write the log: %v", err).WithHint("is the disk full?")
	}
	buf.Reset()
	last.size += int64(n)
	if last.size >= l.limits.Segment {
		if err := l.next(last.number + 1); err != nil {
			return kith.Errorf(kith.Unavailable, "cannot write the log: %v", err).WithHint("is the disk full?")
		}
	}
	close(l.changed)
	l.changed = make(chan struct{})
	return nil
}

var errClosed = kith.Errorf(kith.Unavailable, "the log is closed")

func (l *Log) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	l.file.Close()
	close(l.changed)
}
