package controller

import (
	"sync"
	"time"
)

// Clock is where the controller gets the time. There is one in a process;
// tests and the simulator turn it by hand.
type Clock interface {
	Now() time.Time
	// At returns a channel that is closed once the time has come, and a function
	// that gives it up.
	At(t time.Time) (<-chan struct{}, func())
}

// SystemClock is the real one.
type SystemClock struct{}

// Now is the time in UTC, without a monotonic part: it is stored and compared with what was.
func (SystemClock) Now() time.Time { return time.Now().UTC().Round(0) }

// At implements [Clock].
func (SystemClock) At(t time.Time) (<-chan struct{}, func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(time.Until(t), func() { close(done) })
	return done, func() { timer.Stop() }
}

// ManualClock stands still until it is advanced.
type ManualClock struct {
	mu    sync.Mutex
	now   time.Time
	waits map[chan struct{}]time.Time
}

// NewManualClock makes a clock that shows that time.
func NewManualClock(now time.Time) *ManualClock {
	return &ManualClock{now: now, waits: make(map[chan struct{}]time.Time)}
}

// Now implements [Clock].
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// At implements [Clock].
func (c *ManualClock) At(t time.Time) (<-chan struct{}, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := make(chan struct{})
	if !t.After(c.now) {
		close(done)
		return done, func() {}
	}
	c.waits[done] = t
	return done, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waits, done)
	}
}

// Advance moves the clock on and wakes who was waiting for it.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for done, t := range c.waits { // any order: all of them wake
		if !t.After(c.now) {
			close(done)
			delete(c.waits, done)
		}
	}
}
