package agent

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kith"
	"kith/internal/api"
)

const (
	// logBuffer bounds, in bytes, the records that wait while the controller is away.
	logBuffer = 8 << 20
	// logBatch is how many bytes one delivery holds at most, far below api.MaxLogBody
	// however JSON escapes them.
	logBatch = 512 << 10
	// logGather is how long a record waits for company unless somebody flushes.
	logGather = 50 * time.Millisecond
	// recordOverhead stands for what a record costs beside its text.
	recordOverhead = 128
)

// logs delivers records to the controller in the background, or at once for who
// cannot wait, in the order they came. What does not fit its bounded buffer is dropped and
// counted, and the count is logged in its place.
type logs struct {
	send func(context.Context, kith.ModelUUID, []api.LogRecord) error
	now  func() time.Time
	wake chan struct{} // something was added; holds one
	turn chan struct{} // filled by who delivers

	mu      sync.Mutex
	queue   []logEntry
	size    int
	added   uint64 // entries ever taken into the queue
	sent    uint64 // of these, delivered or given up
	dropped int    // since the last entry of the queue
}

type logEntry struct {
	model kith.ModelUUID
	api.LogRecord
}

func newLogs(send func(context.Context, kith.ModelUUID, []api.LogRecord) error, now func() time.Time) *logs {
	return &logs{send: send, now: now, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)}
}

// add takes a record.
func (l *logs) add(model kith.ModelUUID, r api.LogRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size+cost(r) > logBuffer {
		l.dropped++
		return
	}
	if l.dropped > 0 {
		gap := r
		gap.Level, gap.Message = api.LevelWarning, fmt.Sprintf("dropped %d log records: the controller did not take them in time", l.dropped)
		l.dropped = 0
		l.put(logEntry{model, gap})
	}
	l.put(logEntry{model, r})
	poke(l.wake)
}

func (l *logs) put(e logEntry) {
	l.queue = append(l.queue, e)
	l.size += cost(e.LogRecord)
	l.added++
}

func cost(r api.LogRecord) int { return recordOverhead + len(r.Module) + len(r.Message) }

// poke fills a channel that holds one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// flush delivers everything added so far, unless ctx ends before.
func (l *logs) flush(ctx context.Context) {
	l.mu.Lock()
	upTo := l.added
	l.mu.Unlock()
	l.deliver(ctx, upTo)
}

// run delivers until ctx ends, and then what is left, within a grace given by last.
func (l *logs) run(ctx, last context.Context) {
	for {
		select {
		case <-ctx.Done():
			l.flush(last)
			return
		case <-l.wake:
			pause(ctx, logGather)
			l.flush(ctx)
		}
	}
}

// deliver sends the queue up to an entry, batch by batch; one goroutine at a time. A batch that
// the controller refuses is given up: the next may be better.
func (l *logs) deliver(ctx context.Context, upTo uint64) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-l.turn }()
	for {
		batch := l.batch(upTo)
		if len(batch) == 0 {
			return
		}
		records := make([]api.LogRecord, len(batch))
		for i, e := range batch {
			records[i] = e.LogRecord
		}
		_, err := insist(ctx, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, l.send(ctx, batch[0].model, records)
		})
		if err != nil && ctx.Err() != nil {
			return // what is left is for the last try, or lost
		}
		l.delivered(batch)
	}
}

// batch is the front of the queue: records of one model, up to logBatch bytes; empty once the
// entry upTo was delivered.
func (l *logs) batch(upTo uint64) []logEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sent >= upTo {
		return nil
	}
	size, n := 0, 0
	for n < len(l.queue) && l.queue[n].model == l.queue[0].model {
		size += cost(l.queue[n].LogRecord)
		if n > 0 && size > logBatch {
			break
		}
		n++
	}
	return l.queue[:n:n]
}

func (l *logs) delivered(batch []logEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range batch {
		l.size -= cost(e.LogRecord)
	}
	l.queue = l.queue[len(batch):]
	if len(l.queue) == 0 {
		l.queue = nil // let go of the array
	}
	l.sent += uint64(len(batch))
}
