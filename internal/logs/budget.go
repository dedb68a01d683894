package logs

import (
	"fmt"
	"time"
	"unicode/utf8"

	"kith/internal/api"
)

// budget is what one entity may still write: it fills with time, up to the burst.
type budget struct {
	left    int64
	at      time.Time
	dropped int   // records since the last one that was taken
	bytes   int64 // of them
}

// recordOverhead stands for what a record has beside its message.
const recordOverhead = 128

// module is ours, for records that the log writes about itself.
const module = "kith.logs"

// admit returns what goes into the log for r: the record, cut to size, perhaps
// after a word on what was left out; or nothing; or a notice that it begins.
func (l *Log) admit(r api.LogRecord) []api.LogRecord {
	if cut := len(r.Message) - l.limits.Message; cut > 0 {
		end := l.limits.Message
		for end > 0 && !utf8.RuneStart(r.Message[end]) {
			end--
		}
		r.Message = fmt.Sprintf("%s… (%d more bytes cut off)", r.Message[:end], len(r.Message)-end)
	}
	b, now := l.budgets[r.Entity], l.now()
	if b == nil {
		b = &budget{left: l.limits.Burst, at: now}
		l.budgets[r.Entity] = b
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.left = min(l.limits.Burst, b.left+int64(passed.Seconds()*float64(l.limits.Rate)))
		b.at = now
	}
	cost := int64(len(r.Message) + recordOverhead)
	// Once it has run dry it must fill up a little: else notices would alternate with records.
	if cost > b.left || b.dropped > 0 && b.left < l.limits.Burst/8 {
		b.dropped++
		b.bytes += cost
		if b.dropped > 1 {
			return nil
		}
		return []api.LogRecord{l.notice(r, fmt.Sprintf("logs too much: records are dropped until it has written less than %d bytes a second for a while", l.limits.Rate))}
	}
	b.left -= cost
	if b.dropped == 0 {
		return []api.LogRecord{r}
	}
	over := l.notice(r, fmt.Sprintf("logged too much: %d records of %d bytes were dropped", b.dropped, b.bytes))
	b.dropped, b.bytes = 0, 0
	return []api.LogRecord{over, r}
}

func (l *Log) notice(r api.LogRecord, message string) api.LogRecord {
	return api.LogRecord{Time: r.Time, Entity: r.Entity, Level: api.LevelWarning, Module: module, Message: message}
}
