package agent

import (
	"context"
	"sync"
	"time"
)

// slots bounds how many hooks are in their first slotTime at once. That is a limit
// on work, not on hooks: most are over by then, and one that takes longer waits
// for something, or hangs. It gives its slot away, so that no number of hanging
// hooks keeps another unit from running (hook protocol reference, section 3.7, is
// the warning: there one hook can hold up a whole machine).
type slots struct{ free chan struct{} }

// slotTime is long for a hook that works and short for one that waits.
const slotTime = time.Second

func newSlots(n int) slots { return slots{make(chan struct{}, n)} }

// acquire waits for a slot, first come first served. The function it returns
// gives it back, if time has not done so; ok is false when ctx ended first.
func (s slots) acquire(ctx context.Context) (release func(), ok bool) {
	select {
	case s.free <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	var once sync.Once
	back := func() { once.Do(func() { <-s.free }) }
	timer := time.AfterFunc(slotTime, back)
	return func() { timer.Stop(); back() }, true
}
