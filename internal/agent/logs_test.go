package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kith"
	"kith/internal/api"
)

// sink takes deliveries of records, while err is nil.
type sink struct {
	mu         sync.Mutex
	err        error
	deliveries [][]string
}

func (s *sink) send(_ context.Context, model kith.ModelUUID, records []api.LogRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	var lines []string
	for _, r := range records {
		lines = append(lines, string(model)+" "+r.Message)
	}
	s.deliveries = append(s.deliveries, lines)
	return nil
}

func (s *sink) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, d := range s.deliveries {
		all = append(all, strings.Join(d, ", "))
	}
	return strings.Join(all, "; ")
}

// logging runs logs in a bubble until the function it returns.
func logging(s *sink) (l *logs, stop func()) {
	l = newLogs(s.send, time.Now)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.run(ctx, context.Background()) })
	return l, func() { cancel(); running.Wait() }
}

func TestLogsGather(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s sink
		l, stop := logging(&s)
		for _, r := range []struct{ model, message string }{{"m", "1"}, {"m", "2"}, {"n", "3"}, {"m", "4"}} {
			l.add(kith.ModelUUID(r.model), api.LogRecord{Message: r.message})
		}
		synctest.Wait()
		if got := s.String(); got != "" {
			t.Errorf("delivered at once: %s", got)
		}
		time.Sleep(logGather)
		synctest.Wait()
		if got, want := s.String(), "m 1, m 2; n 3; m 4"; got != want {
			t.Errorf("delivered %q, want %q", got, want)
		}
		l.add("m", api.LogRecord{Message: "5"})
		start := time.Now()
		l.flush(t.Context())
		if got := s.String(); !strings.HasSuffix(got, "; m 5") || time.Since(start) >= logGather {
			t.Errorf("flushed %q after %v", got, time.Since(start))
		}
		l.add("m", api.LogRecord{Message: "last"})
		stop()
		if got := s.String(); !strings.HasSuffix(got, "; m last") {
			t.Errorf("at the end: %q", got)
		}
	})
}

// A controller that is away gets the records later; a flush does not wait for ever.
func TestLogsWhileControllerIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sink{err: kith.Errorf(kith.Unavailable, "away")}
		l, stop := logging(&s)
		l.add("m", api.LogRecord{Message: "1"})
		ctx, cancel := context.WithTimeout(t.Context(), logFlush)
		defer cancel()
		l.flush(ctx)
		if ctx.Err() == nil {
			t.Error("flushed to nobody")
		}
		s.fail(nil)
		time.Sleep(maxBackoff)
		l.add("m", api.LogRecord{Message: "2"})
		l.flush(t.Context())
		if got, want := s.String(), "m 1; m 2"; got != want {
			t.Errorf("delivered %q, want %q", got, want)
		}
		stop()
	})
}

// What does not fit is dropped, counted, and the count is told.
func TestLogsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sink{err: kith.Errorf(kith.Unavailable, "away")}
		l, stop := logging(&s)
		big := strings.Repeat("x", 1<<20)
		for range 20 {
			l.add("m", api.LogRecord{Message: big})
		}
		l.mu.Lock()
		size, dropped := l.size, l.dropped
		l.mu.Unlock()
		if size > logBuffer || dropped != 13 {
			t.Errorf("%d bytes wait, %d were dropped", size, dropped)
		}
		s.fail(nil)
		time.Sleep(maxBackoff)
		l.flush(t.Context())
		l.add("m", api.LogRecord{Message: "after"})
		l.flush(t.Context())
		want := fmt.Sprintf("m dropped %d log records: the controller did not take them in time, m after", dropped)
		if got := s.String(); !strings.HasSuffix(got, want) {
			t.Errorf("delivered %q", got[max(0, len(got)-200):])
		}
		stop()
	})
}

// A delivery that is refused does not block the ones after it.
func TestLogsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sink{err: kith.Errorf(kith.NotFound, "model not found")}
		l, stop := logging(&s)
		l.add("m", api.LogRecord{Message: "1"})
		l.flush(t.Context())
		s.fail(nil)
		l.add("m", api.LogRecord{Message: "2"})
		l.flush(t.Context())
		if got := s.String(); got != "m 2" {
			t.Errorf("delivered %q", got)
		}
		stop()
	})
}
