package opstest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// chooser makes the choices of a run: each is a number below a bound. Zero is always the
// harmless one, and what a replay has no number for, so that a schedule can be cut short.
type chooser struct {
	seed    uint64
	rng     *rand.Rand // nil in a replay
	replay  []int
	replays bool
	name    string // of what is replayed
	made    []int
	misfit  bool // a number was replayed that is not below its bound
	// trusting runs do not have kith's own invariants checked after every step: what they look for is something else.
	trusting bool
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6f70737465737400)) }

// String says which run it is.
func (c *chooser) String() string {
	if c.replays {
		return "replaying " + c.name
	}
	return fmt.Sprintf("seed %d", c.seed)
}

// pick chooses a number below n.
func (c *chooser) pick(n int) int {
	v := 0
	switch {
	case !c.replays:
		v = c.rng.IntN(max(n, 1))
	case len(c.made) < len(c.replay):
		v = c.replay[len(c.made)]
		c.misfit = c.misfit || v >= n
		v %= max(n, 1)
	}
	c.made = append(c.made, v)
	return v
}

// chance is true in so many of a hundred cases: never for a zero.
func (c *chooser) chance(percent int) bool { return c.pick(100) >= 100-percent }

// maxTries and maxTime bound how long shrinking takes. A run is a millisecond or two, unless charms run as
// processes.
const (
	maxTries = 2000
	maxTime  = 20 * time.Second
)

// shrinking is the search for a smaller schedule that fails in the same way.
type shrinking struct {
	e     *exploration
	best  *failure
	tries int
	until time.Time
}

// shrink makes the choices of a failed run harmless, or leaves them out, one block after the other and
// smaller and smaller blocks, for as long as it fails in the same way and gets smaller.
func (e *exploration) shrink(f *failure) *failure {
	f.draws = trim(f.draws)
	s := &shrinking{e: e, best: f, until: time.Now().Add(maxTime)}
	for before := -1; before != s.size(); {
		before = s.size()
		for n := len(s.best.draws); n > 0; n /= 2 {
			s.pass(n, func(draws []int, at, end int) []int {
				clear(draws[at:end])
				return draws
			})
		}
		s.align()
		for n := len(s.best.draws); n >= smallestCut; n /= 2 {
			s.pass(n, func(draws []int, at, end int) []int { return slices.Delete(draws, at, end) })
		}
	}
	return s.best
}

// size is how much of a schedule is left: choices that are not harmless count most.
func (s *shrinking) size() int { return weight(s.best.draws) }

func weight(draws []int) int {
	w := len(draws)
	for _, d := range draws {
		if d != 0 {
			w += 1000
		}
	}
	return w
}

// pass tries a change on each block of n choices.
func (s *shrinking) pass(n int, change func(draws []int, at, end int) []int) {
	for at := 0; at < len(s.best.draws); at += n {
		draws := slices.Clone(s.best.draws)
		draws = trim(change(draws, at, min(at+n, len(draws))))
		if weight(draws) < s.size() {
			s.try(draws)
		}
	}
}

// smallestCut is the smallest block that is left out: smaller ones cost more tries than they are worth.
const smallestCut = 8

// align makes single choices harmless, and moves what follows: what does not go wrong needs no choices of how
// it does, and what goes in turn may need others.
func (s *shrinking) align() {
	for i := len(s.best.draws) - 1; i >= 0; i-- {
		for shift := -3; shift <= 3 && i < len(s.best.draws) && s.best.draws[i] != 0; shift++ {
			draws := slices.Clone(s.best.draws)
			draws[i] = 0
			if shift < 0 {
				draws = slices.Delete(draws, i+1, min(i+1-shift, len(draws)))
			} else {
				draws = slices.Insert(draws, i+1, make([]int, shift)...)
			}
			s.try(trim(draws))
		}
	}
}

func (s *shrinking) try(draws []int) {
	if s.tries++; s.tries > maxTries || time.Now().After(s.until) {
		return
	}
	f := s.e.run(&chooser{replay: draws, replays: true, name: "a smaller schedule", trusting: s.best.kind != "invariant "+ownInvariant})
	if f != nil && f.kind == s.best.kind {
		f.draws = draws
		s.best = f
	}
}

// trim cuts off the zeros at the end: they are what is chosen anyway.
func trim(draws []int) []int {
	n := len(draws)
	for n > 0 && draws[n-1] == 0 {
		n--
	}
	return draws[:n]
}
