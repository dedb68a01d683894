package sim

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func TestOne(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("N"))
	from, _ := strconv.Atoi(os.Getenv("FROM"))
	start := time.Now()
	var happened, hooks, rev int
	bad := map[string]int{}
	for seed := uint64(from); seed < uint64(from+n); seed++ {
		r := Run(Options{Seed: seed, Quiet: n > 1})
		happened += r.Happened
		hooks += r.Hooks
		rev += int(r.Revision)
		if r.Violation != nil {
			bad[r.Violation.Property]++
			if bad[r.Violation.Property] == 1 {
				t.Errorf("seed %d: %.600s", seed, r.Violation)
			}
			if n == 1 {
				for _, s := range r.Schedule {
					t.Logf("%s %v # %s", s.Action, s.Draws, s.Said)
				}
			}
		}
	}
	t.Logf("%v per schedule; happened %d hooks %d rev %d; bad %v", time.Since(start)/time.Duration(n), happened/n, hooks/n, rev/n, bad)
}
