package opstest

import (
	"os"
	"slices"
	"strconv"

	"kith"
)

// ExploreOption changes how [Explore] goes about it.
type ExploreOption func(*exploration)

// defaultRuns finds what is easily found in a second or so.
const defaultRuns = 100

// Runs is how many interleavings to try, of the seeds 1, 2, 3 and so on: 100 without it.
func Runs(n int) ExploreOption { return func(e *exploration) { e.runs = n } }

// Seeds tries the interleavings of these seeds, in this order, and no others.
func Seeds(seeds ...uint64) ExploreOption {
	return func(e *exploration) { e.given = append(e.given, seeds...) }
}

// MayLose lets units of these applications be lost for good, with the machine they are on,
// as long as one of each application is left.
func MayLose(apps ...kith.AppName) ExploreOption {
	return func(e *exploration) { e.lose = append(e.lose, apps...) }
}

// Calm leaves out what the name says: "crash", "fail", "elect", or "slow" units.
func Calm(names ...string) ExploreOption {
	return func(e *exploration) { e.calm = append(e.calm, names...) }
}

// SaveIn saves failing schedules in another folder, and replays those that are there.
func SaveIn(dir string) ExploreOption { return func(e *exploration) { e.dir = dir } }

// seedVariable, in the environment, is the only seed to run.
const seedVariable = "OPSTEST_SEED"

// plan works out which seeds to run, and refuses what would run none of what was meant.
func (e *exploration) plan() error {
	if e.body == nil {
		return kith.Errorf(kith.Invalid, "cannot explore: there is no function to run")
	}
	if e.runs < 1 {
		return kith.Errorf(kith.Invalid, "cannot explore: Runs(%d) runs nothing", e.runs)
	}
	known := []string{crash, elect, fail, slow}
	for _, name := range e.calm {
		if !slices.Contains(known, name) {
			return kith.Errorf(kith.Invalid, "cannot explore: Calm knows no %q", name).
				WithHint("it knows crash, elect, fail and slow; units are lost only if MayLose says so")
		}
	}
	return e.planSeeds()
}

func (e *exploration) planSeeds() error {
	if s, ok := os.LookupEnv(seedVariable); ok && s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return kith.Errorf(kith.Invalid, "cannot explore: %s is %q, which is no seed", seedVariable, s).WithHint("a seed is a whole number")
		}
		e.seeds, e.alone = []uint64{n}, true
		return nil
	}
	e.seeds = e.given
	for seed := uint64(1); len(e.given) == 0 && len(e.seeds) < e.runs; seed++ {
		e.seeds = append(e.seeds, seed)
	}
	return nil
}
