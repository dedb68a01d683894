package sim

import (
	"context"
	"slices"
)

// Shrink makes a failing schedule smaller for as long as ctx lasts: steps are taken
// out, then choices made harmless, and what still breaks the same property is kept.
// It returns the smallest schedule found and what it breaks.
func Shrink(ctx context.Context, schedule []Step, v *Violation, opt Options) ([]Step, *Violation) {
	s := &shrinker{ctx: ctx, opt: opt, best: schedule, violation: v}
	for before := 0; before != s.size() && ctx.Err() == nil; {
		before = s.size()
		s.dropSteps()
		s.splitRuns()
		s.calmDraws()
	}
	// Once more, to tell what happens in the steps that are left.
	opt.Schedule, opt.Quiet = s.best, false
	r := Run(opt)
	if r.Violation == nil {
		return schedule, v // cannot be: a replay is exact
	}
	return r.Schedule, r.Violation
}

type shrinker struct {
	ctx       context.Context
	opt       Options
	best      []Step
	violation *Violation
}

// size is what shrinking makes smaller: steps first, then what is drawn in them.
func (s *shrinker) size() int {
	n := 1000 * len(s.best)
	for _, step := range s.best {
		for _, d := range step.Draws {
			n += min(d, 1)
		}
		n += len(step.Draws)
	}
	return n
}

// keep takes a smaller schedule if it breaks the same property.
func (s *shrinker) keep(try []Step) bool {
	if s.ctx.Err() != nil || len(try) == 0 {
		return false
	}
	s.opt.Schedule, s.opt.Quiet = clone(try), true
	r := Run(s.opt)
	if r.Violation == nil || r.Violation.Property != s.violation.Property {
		return false
	}
	s.best, s.violation = try, r.Violation
	return true
}

func clone(steps []Step) []Step {
	all := slices.Clone(steps)
	for i := range all {
		all[i].Draws = slices.Clone(all[i].Draws)
	}
	return all
}

// dropSteps takes out halves, quarters and so on down to single steps. The first, setup, stays.
func (s *shrinker) dropSteps() {
	for n := max(1, len(s.best)/2); n > 0; n /= 2 {
		for at := len(s.best) - n; at >= 1; {
			if s.keep(append(slices.Clone(s.best[:at]), s.best[at+n:]...)) {
				at = min(at, len(s.best)) - n
				continue
			}
			at -= n
		}
	}
}

// splitRuns makes runs of many things shorter.
func (s *shrinker) splitRuns() {
	for i := range s.best {
		if i >= len(s.best) || s.best[i].Action != "run" || len(s.best[i].Draws) == 0 {
			continue
		}
		for n := s.best[i].Draws[0] / 2; ; n /= 2 {
			try := clone(s.best)
			try[i].Draws[0] -= n + 1
			if try[i].Draws[0] < 0 || !s.keep(try) {
				if n == 0 {
					break
				}
				continue
			}
			n = 2 * (s.best[i].Draws[0] / 2)
		}
	}
}

// calmDraws cuts off a step's last draws, and makes others zero.
func (s *shrinker) calmDraws() {
	for i := range s.best {
		for n := len(s.best[i].Draws); n > 0; n /= 2 {
			for len(s.best[i].Draws) >= n {
				try := clone(s.best)
				try[i].Draws = try[i].Draws[:len(try[i].Draws)-n]
				if !s.keep(try) {
					break
				}
			}
		}
		for j := len(s.best[i].Draws) - 1; j >= 0 && s.ctx.Err() == nil; j-- {
			if s.best[i].Draws[j] != 0 {
				try := clone(s.best)
				try[i].Draws[j] = 0
				s.keep(try)
			}
		}
	}
}
