package sim

import "math/rand/v2"

// Step is one step of a schedule: what was done, and every choice made in doing it.
type Step struct {
	Action string
	Draws  []int
	// Said is what happened, for people; a replay does not read it.
	Said string
}

// chooser makes the choices of a run. Each is a number below a bound, kept with
// the step it was made in, so that a run can be repeated and its steps taken
// out one by one. Zero is always the harmless choice: a draw that is missing in
// a replay is zero.
type chooser struct {
	rng  *rand.Rand // nil in a replay
	step *Step
	next int  // of step.Draws, in a replay
	calm bool // every choice is zero, and not kept
}

// pick chooses a number below n.
func (c *chooser) pick(n int) int {
	switch {
	case c.calm:
		return 0
	case c.rng == nil:
		v := 0
		if c.next < len(c.step.Draws) {
			v = c.step.Draws[c.next]
		}
		c.next++
		return v % max(n, 1)
	}
	v := c.rng.IntN(max(n, 1))
	c.step.Draws = append(c.step.Draws, v)
	return v
}

// chance is true in so many of a hundred cases.
func (c *chooser) chance(percent int) bool { return c.pick(100) >= 100-percent }

// weighted chooses an index, each as often as its weight says.
func weighted(c *chooser, weights []int) int {
	total := 0
	for _, w := range weights {
		total += w
	}
	n := c.pick(total)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return 0
}
