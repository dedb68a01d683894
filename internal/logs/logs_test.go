package logs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
)

const model kith.ModelUUID = "11111111-2222-4333-8444-555555555555"

type clock struct{ at time.Time }

func open(t *testing.T, dir string, limits Limits) (*Logs, *Log, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	logs, err := Open(dir, limits, func() time.Time { return c.at })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(logs.Close)
	log, err := logs.Model(model)
	if err != nil {
		t.Fatal(err)
	}
	return logs, log, c
}

func record(entity, message string) api.LogRecord {
	return api.LogRecord{Time: time.Unix(0, 0).UTC(), Entity: entity, Level: api.LevelInfo, Module: "unit.x/0.juju-log", Message: message}
}

func write(t *testing.T, l *Log, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := l.Append([]api.LogRecord{record("unit-x-0", fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, l *Log, q api.LogQuery) []string {
	t.Helper()
	var got []string
	err := l.Read(t.Context(), q, func(r api.LogRecord) error {
		got = append(got, r.Message)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestReadLast(t *testing.T) {
	t.Parallel()
	_, l, _ := open(t, t.TempDir(), Limits{Segment: 512}) // three records a segment
	write(t, l, 0, 20)
	for last, want := range map[int]int{-1: 20, 0: 0, 1: 1, 5: 5, 20: 20, 100: 20} {
		got := read(t, l, api.LogQuery{Last: last})
		if len(got) != want || want > 0 && got[want-1] != "19" || want > 0 && got[0] != fmt.Sprint(20-want) {
			t.Errorf("last %d: %v", last, got)
		}
	}
	// The newest two of those that match.
	if err := l.Append([]api.LogRecord{record("unit-y-0", "other")}); err != nil {
		t.Fatal(err)
	}
	got := read(t, l, api.LogQuery{Last: 2, LogFilter: api.LogFilter{Include: []string{"x"}}})
	if !slices.Equal(got, []string{"18", "19"}) {
		t.Errorf("filtered: %v", got)
	}
}

// A reader that follows gets everything once, in order, across segments.
func TestFollow(t *testing.T) {
	t.Parallel()
	_, l, _ := open(t, t.TempDir(), Limits{Segment: 512})
	write(t, l, 0, 5)
	const n = 200
	started, result := make(chan struct{}), make(chan []string, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		var got []string
		err := l.Read(ctx, api.LogQuery{Last: -1, Follow: true}, func(r api.LogRecord) error {
			if len(got) == 4 {
				close(started)
			}
			if got = append(got, r.Message); len(got) == n {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("read: %v", err)
		}
		result <- got
	}()
	<-started
	write(t, l, 5, n)
	for i, m := range <-result {
		if m != fmt.Sprint(i) {
			t.Fatalf("record %d is %q", i, m)
		}
	}
}

// The log never exceeds its bound; the newest records stay.
func TestTotalIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, l, _ := open(t, dir, Limits{Segment: 4 << 10, Total: 16 << 10})
	write(t, l, 0, 1000)
	var size int64
	files, err := filepath.Glob(filepath.Join(dir, string(model), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 16<<10+200 {
		t.Errorf("%d bytes in %d files", size, len(files))
	}
	got := read(t, l, api.LogQuery{Last: -1})
	if len(got) < 50 || got[len(got)-1] != "999" {
		t.Errorf("%d records are left, the last is %v", len(got), got[max(0, len(got)-1):])
	}
}

// A hook that prints a gigabyte is cut off, others are not, and the log says so.
func TestFloodIsDropped(t *testing.T) {
	t.Parallel()
	_, l, c := open(t, t.TempDir(), Limits{Segment: 64 << 10, Total: 1 << 20, Rate: 1000, Burst: 100_000})
	flood := make([]api.LogRecord, 100)
	for i := range flood {
		flood[i] = record("unit-x-0", strings.Repeat("a", 1000))
	}
	for range 100 {
		if err := l.Append(flood); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Append([]api.LogRecord{record("unit-y-0", "hello")}); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(time.Minute)
	write(t, l, 0, 1)
	got := read(t, l, api.LogQuery{Last: -1})
	if len(got) > 95 {
		t.Errorf("%d records were taken", len(got))
	}
	tail := got[len(got)-4:]
	if !strings.Contains(tail[0], "records are dropped") || tail[1] != "hello" ||
		!strings.Contains(tail[2], "records of") || tail[3] != "0" {
		t.Errorf("the log ends with %q", tail)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	t.Parallel()
	_, l, _ := open(t, t.TempDir(), Limits{Message: 10})
	if err := l.Append([]api.LogRecord{record("unit-x-0", "123456789äöü")}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, l, api.LogQuery{Last: 1}); got[0] != "123456789… (6 more bytes cut off)" {
		t.Errorf("got %q", got[0])
	}
}

// What a crash tore off at the end is dropped; the log goes on.
func TestReopenAfterTornWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logs, l, _ := open(t, dir, Limits{})
	write(t, l, 0, 3)
	logs.Close()
	f, err := os.OpenFile(segmentName(filepath.Join(dir, string(model)), 1), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"time":"2026-01-31T1`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	_, l, _ = open(t, dir, Limits{})
	write(t, l, 3, 5)
	if got := read(t, l, api.LogQuery{Last: -1}); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("got %v", got)
	}
}

// Removing a model's log ends its readers.
func TestRemove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logs, l, _ := open(t, dir, Limits{})
	write(t, l, 0, 1)
	reading, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- l.Read(t.Context(), api.LogQuery{Last: 1, Follow: true}, func(api.LogRecord) error {
			close(reading)
			return nil
		})
	}()
	<-reading
	if err := logs.Remove(model); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; kith.CodeOf(err) != kith.Unavailable {
		t.Errorf("the reader ended with %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, string(model))); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if err := l.Append([]api.LogRecord{record("unit-x-0", "late")}); kith.CodeOf(err) != kith.Unavailable {
		t.Errorf("a late record: %v", err)
	}
}

func TestBadModel(t *testing.T) {
	t.Parallel()
	logs, _, _ := open(t, t.TempDir(), Limits{})
	for _, id := range []kith.ModelUUID{"", "..", ".", "a/b"} {
		if _, err := logs.Model(id); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("model %q: %v", id, err)
		}
	}
}
