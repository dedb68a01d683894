package opstest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// chooser makes the choices of a run: each is a number below a bound. Zero is always the
// harmless one, and what a replay has no number for, so that a schedule can be cut short.
type chooser struct {
	seed    uint64
	rng     *rand.Rand // nil in a replay
	replay  []int
	replays bool
	made    []int
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6f70737465737400)) }

// pick chooses a number below n.
func (c *chooser) pick(n int) int {
	v := 0
	switch {
	case !c.replays:
		v = c.rng.IntN(max(n, 1))
	case len(c.made) < len(c.replay):
		v = c.replay[len(c.made)] % max(n, 1)
	}
	c.made = append(c.made, v)
	return v
}

// chance is true in so many of a hundred cases: never for a zero.
func (c *chooser) chance(percent int) bool { return c.pick(100) >= 100-percent }

// maxTries bounds how long shrinking takes: a run is well below a millisecond or two.
const maxTries = 3000

// shrink makes the choices of a failed run harmless, one block after the other and
// smaller and smaller blocks, for as long as it fails in the same way.
func (e *exploration) shrink(f *failure) *failure {
	best, tries := f, 0
	keep := func(draws []int) bool {
		if tries++; tries > maxTries {
			return false
		}
		try := e.run(&chooser{replay: draws, replays: true})
		if try == nil || try.kind != best.kind {
			return false
		}
		try.draws = trim(draws)
		best = try
		return true
	}
	best.draws = trim(best.draws)
	for n := len(best.draws); n > 0; n /= 2 {
		for at := 0; at < len(best.draws); at += n {
			draws := append([]int(nil), best.draws...)
			changed := false
			for i := at; i < min(at+n, len(draws)); i++ {
				changed = changed || draws[i] != 0
				draws[i] = 0
			}
			if changed {
				keep(draws)
			}
		}
	}
	if same := e.run(&chooser{replay: best.draws, replays: true}); same != nil { // with its story
		same.draws = best.draws
		return same
	}
	return f
}

// trim cuts off the zeros at the end: they are what is chosen anyway.
func trim(draws []int) []int {
	n := len(draws)
	for n > 0 && draws[n-1] == 0 {
		n--
	}
	return draws[:n]
}

const scheduleHeader = "opstest schedule 1"

// save writes a schedule: a header, what happens as comments, and the choices.
func save(path, test string, seed uint64, f *failure) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n# %s with seed %d: %s\n", scheduleHeader, test, seed, strings.ReplaceAll(f.err.Error(), "\n", "\n#   "))
	for _, line := range f.story {
		fmt.Fprintf(&b, "#   %s\n", strings.ReplaceAll(line, "\n", "\n#     "))
	}
	for i, d := range f.draws {
		if i%20 == 0 && i > 0 {
			b.WriteByte('\n')
		} else if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(d))
	}
	b.WriteByte('\n')
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// load reads what save has written.
func load(path string) ([]int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	header, rest, _ := strings.Cut(string(data), "\n")
	if header != scheduleHeader {
		return nil, fmt.Errorf("%q is not the header of a schedule, %q", header, scheduleHeader)
	}
	var draws []int
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, word := range strings.Fields(line) {
			d, err := strconv.Atoi(word)
			if err != nil || d < 0 {
				return nil, fmt.Errorf("%q is no choice", word)
			}
			draws = append(draws, d)
		}
	}
	return draws, nil
}

// fileName makes a folder's name of a test's.
func fileName(test string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>| `, r) {
			return '-'
		}
		return r
	}, test)
}
