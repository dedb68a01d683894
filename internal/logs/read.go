package logs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"kith"
	"kith/internal/api"
)

// position is a place between two records.
type position struct {
	segment uint64
	offset  int64
}

// Read calls f with the records that q asks for, oldest first, until they end, f
// fails, or ctx ends; with q.Follow it waits for more. Errors: f's, the context's,
// Unavailable when the log is closed.
func (l *Log) Read(ctx context.Context, q api.LogQuery, f func(api.LogRecord) error) error {
	at, err := l.history(q, f)
	if err != nil || !q.Follow {
		return err
	}
	for {
		l.mu.Lock()
		end, changed, closed := l.end(), l.changed, l.closed
		l.mu.Unlock()
		if at != end {
			if at, err = l.between(at, end, q.LogFilter, f); err != nil {
				return err
			}
			continue
		}
		if closed {
			return errClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// end is the place after the last record. The caller holds the lock.
func (l *Log) end() position { return position{l.last().number, l.last().size} }

// history delivers what is there and returns the place where it ended.
func (l *Log) history(q api.LogQuery, f func(api.LogRecord) error) (position, error) {
	l.mu.Lock()
	end, segments := l.end(), slices.Clone(l.segments)
	l.mu.Unlock()
	switch {
	case q.Last == 0:
		return end, nil
	case q.Last < 0:
		return l.between(position{segments[0].number, 0}, end, q.LogFilter, f)
	}
	// The newest so many: segments from the end until there are enough.
	var tail []api.LogRecord
	for _, s := range slices.Backward(segments) {
		var part []api.LogRecord
		err := l.scan(s.number, 0, s.size, func(r api.LogRecord) error {
			if q.Match(r) {
				part = append(part, r)
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return end, err
		}
		tail = append(part, tail...)
		if len(tail) >= q.Last {
			break
		}
	}
	for _, r := range tail[max(0, len(tail)-q.Last):] {
		if err := f(r); err != nil {
			return end, err
		}
	}
	return end, nil
}

// between delivers the records from one place to another. Where segments are
// gone by now, it says so and goes on with the oldest.
func (l *Log) between(from, to position, filter api.LogFilter, f func(api.LogRecord) error) (position, error) {
	deliver := func(r api.LogRecord) error {
		if !filter.Match(r) {
			return nil
		}
		return f(r)
	}
	for from.segment <= to.segment {
		l.mu.Lock()
		i := slices.IndexFunc(l.segments, func(s segment) bool { return s.number >= from.segment })
		s := l.segments[i]
		l.mu.Unlock()
		if s.number > from.segment {
			if err := deliver(l.skipped()); err != nil {
				return from, err
			}
			from = position{s.number, 0}
			if from.segment > to.segment {
				return from, nil
			}
		}
		size := s.size
		if s.number == to.segment {
			size = to.offset
		}
		err := l.scan(s.number, from.offset, size, deliver)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed just now: the list tells
		}
		if err != nil {
			return from, err
		}
		if s.number == to.segment {
			break
		}
		from = position{s.number + 1, 0}
	}
	return to, nil
}

func (l *Log) skipped() api.LogRecord {
	return api.LogRecord{Time: l.now(), Entity: "controller-0", Level: api.LevelWarning, Module: module,
		Message: "records were removed before they could be read here"}
}

// scan delivers the records of one segment between two offsets.
func (l *Log) scan(number uint64, from, to int64, f func(api.LogRecord) error) error {
	file, err := os.Open(segmentName(l.dir, number))
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(io.NewSectionReader(file, from, to-from), 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return kith.Errorf(kith.Internal, "cannot read the log: %v", err)
		}
		var rec api.LogRecord
		if json.Unmarshal(line, &rec) != nil {
			continue // damaged on disk: the rest is still good
		}
		if err := f(rec); err != nil {
			return err
		}
	}
}
