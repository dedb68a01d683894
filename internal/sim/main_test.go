package sim

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	scriptFlag    = flag.String("script", "", "for TestReplay: the schedule to replay")
	seedFlag      = flag.Uint64("seed", 0, "for TestSeed: the seed to run")
	schedulesFlag = flag.Int("schedules", 0, "for TestSimLong: how many schedules to run")
	firstFlag     = flag.Uint64("first", 0, "for TestSim and TestSimLong: the first seed")
)

// TestSim runs a hundred schedules. Their seeds are always the same ones, so
// that it fails for who broke something and not for who comes next; TestSimLong
// draws new ones.
func TestSim(t *testing.T) {
	t.Parallel()
	runSchedules(context.Background(), t, max(*firstFlag, 1), 100)
}

// TestSimLong is `make sim`: KITH_SIM_SCHEDULES, or -schedules, says how many. It
// ends cleanly on Ctrl-C.
func TestSimLong(t *testing.T) {
	n := *schedulesFlag
	if s := os.Getenv("KITH_SIM_SCHEDULES"); n == 0 && s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("KITH_SIM_SCHEDULES: %v", err)
		}
	}
	if n == 0 {
		t.Skip("long: run it by `make sim`, or with -schedules N")
	}
	first := *firstFlag
	if first == 0 {
		first = uint64(time.Now().UnixNano()) % 1e12
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	runSchedules(ctx, t, first, n)
}

// tally is what the workers of a run share.
type tally struct {
	next, done, hooks, happened, revisions atomic.Int64
	failed                                 atomic.Bool
}

// runSchedules runs schedules by seed on every core. The first that fails is
// shrunk, written to a file, and ends the run.
func runSchedules(ctx context.Context, t *testing.T, first uint64, n int) {
	t.Helper()
	// Worlds are small and short-lived: collecting each one's garbage at 4 MB costs a third of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	workers := min(runtime.GOMAXPROCS(0), n)
	t.Logf("seeds %d to %d, %d at a time", first, first+uint64(n)-1, workers)
	start := time.Now()
	var sum tally
	ended := make(chan struct{})
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := sum.next.Add(1) - 1; i < int64(n) && ctx.Err() == nil && !sum.failed.Load(); i = sum.next.Add(1) - 1 {
				sum.run(t, first+uint64(i))
			}
		})
	}
	go func() { all.Wait(); close(ended) }()
	every := time.NewTicker(10 * time.Second)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			fmt.Fprintf(os.Stderr, "sim: %d of %d schedules, %s\n", sum.done.Load(), n, time.Since(start).Round(time.Second))
			continue
		case <-ended:
		}
		break
	}
	took := time.Since(start)
	t.Logf("%d schedules in %s, %.1f ms each: %d things happened, %d hooks, %d revisions", sum.done.Load(), took.Round(time.Millisecond),
		float64(took.Milliseconds())*float64(workers)/float64(max(sum.done.Load(), 1)), sum.happened.Load(), sum.hooks.Load(), sum.revisions.Load())
}

func (s *tally) run(t *testing.T, seed uint64) {
	r := Run(Options{Seed: seed, Quiet: true})
	s.done.Add(1)
	s.hooks.Add(int64(r.Hooks))
	s.happened.Add(int64(r.Happened))
	s.revisions.Add(int64(r.Revision))
	if r.Violation != nil && !s.failed.Swap(true) {
		reportFailure(t, seed, r)
	}
}

// shrinkTime bounds the search for a smaller schedule.
const shrinkTime = 40 * time.Second

// reportFailure shrinks a failing schedule, writes it down, and says how to run both again.
func reportFailure(t *testing.T, seed uint64, r Result) {
	t.Helper()
	t.Errorf("seed %d: %s\nrepeat: go test ./internal/sim -run TestSeed -v -seed %d", seed, r.Violation, seed)
	ctx, cancel := context.WithTimeout(context.Background(), shrinkTime)
	defer cancel()
	steps, v := Shrink(ctx, r.Schedule, r.Violation, Options{})
	name := filepath.Join("testdata", "failures", fmt.Sprintf("seed-%d.txt", seed))
	var script bytes.Buffer
	if err := WriteScript(&script, seed, v, steps); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, script.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Errorf("shrunk to %d steps in internal/sim/%s: %s\nreplay: go test ./internal/sim -run TestReplay -v -script %s", len(steps), name, v, name)
}

// TestSeed runs one seed and tells its story.
func TestSeed(t *testing.T) {
	if *seedFlag == 0 {
		t.Skip("give -seed N")
	}
	tell(t, Run(Options{Seed: *seedFlag}))
}

// TestReplay runs one script and tells its story.
func TestReplay(t *testing.T) {
	if *scriptFlag == "" {
		t.Skip("give -script FILE")
	}
	tell(t, replay(t, *scriptFlag))
}

func replay(t *testing.T, name string) Result {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		// The name as people type it, from the root of the repository.
		if data, err = os.ReadFile(strings.TrimPrefix(name, "internal/sim/")); err != nil {
			t.Fatal(err)
		}
	}
	steps, err := ReadScript(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return Run(Options{Schedule: steps})
}

func tell(t *testing.T, r Result) {
	t.Helper()
	var story bytes.Buffer
	if err := WriteScript(&story, 0, r.Violation, r.Schedule); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + story.String())
	if r.Violation != nil {
		t.Error(r.Violation)
	}
}

// TestRegressions replays what once failed: each script is a bug that was found, and mended.
func TestRegressions(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/regressions/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skip("no script in testdata/regressions yet")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			if r := replay(t, name); r.Violation != nil {
				t.Error(r.Violation)
			}
		})
	}
}
