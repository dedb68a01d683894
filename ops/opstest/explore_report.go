package opstest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// legend says how to read a story.
const legend = "(== the test asks for it, -- it goes wrong, <- out of turn)"

// plainly is said of a failure that needs none of this.
const plainly = "Nothing has to go wrong for it: each time the first unit that can go on does."

// mostLines of a story are in a message. The file has all.
const mostLines = 120

// report shrinks a failure, saves it and fails the test.
func (e *exploration) report(seed uint64, f *failure) {
	e.t.Helper()
	small := e.shrink(f)
	path := filepath.Join(e.dir, strconv.FormatUint(seed, 10)+".txt")
	again := "go test -run '" + onlyTest(e.t.Name()) + "'"
	saved := fmt.Sprintf("it is saved as %s, which the next run of the test replays first: %s", path, again)
	if err := save(path, e.t.Name(), seed, small); err != nil {
		saved = fmt.Sprintf("it could not be saved: %v", err)
	}
	e.t.Fatalf("seed %d fails: %s\n\nmade small, this is what happens:  %s\n  %s\n\n%s\nhint: %s=%d %s runs the seed alone, as it was before it was made small",
		seed, describe(small.err), legend, strings.Join(small.told(), "\n  "), saved, seedVariable, seed, again)
}

// told is the story for a message.
func (f *failure) told() []string {
	lines := f.story
	if more := len(lines) - mostLines; more > 0 {
		lines = slices.Insert(slices.Clone(lines[more:]), 0, fmt.Sprintf("… %d lines", more))
	}
	if len(f.draws) == 0 {
		lines = append(slices.Clone(lines), "", plainly)
	}
	return lines
}

// onlyTest is what go test -run takes to run a test alone.
func onlyTest(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// replay runs the schedules that were saved; false if one of them fails.
func (e *exploration) replay() bool {
	e.t.Helper()
	files, _ := filepath.Glob(filepath.Join(e.dir, "*.txt"))
	slices.Sort(files)
	for _, file := range files {
		draws, err := load(file)
		if err != nil {
			e.t.Fatalf("cannot replay %s: %v\nhint: remove the file, and what it was found with will be found again if it is there still", file, err)
			return false
		}
		c := &chooser{replay: draws, replays: true, name: file}
		if f := e.run(c); f != nil {
			f.draws = trim(f.draws)
			e.t.Fatalf("the schedule in %s fails: %s\n\nthis is what happens:  %s\n  %s\n\nhint: go test -run '%s' replays it; remove the file once it is of no use",
				file, describe(f.err), legend, strings.Join(f.told(), "\n  "), onlyTest(e.t.Name()))
			return false
		}
		if c.misfit || len(c.made) < len(draws) {
			e.t.Logf("the schedule in %s holds, and fits the test no longer: the body or a charm has changed since. Remove it if it is of no use", file)
		}
	}
	return true
}

const scheduleHeader = "opstest schedule 1"

// save writes a schedule: a header, what happens as comments, and the choices.
func save(path, test string, seed uint64, f *failure) error {
	var b strings.Builder
	comment := func(s string) { fmt.Fprintf(&b, "# %s\n", strings.ReplaceAll(s, "\n", "\n#   ")) }
	fmt.Fprintln(&b, scheduleHeader)
	comment(fmt.Sprintf("%s with seed %d: %v", test, seed, f.err))
	comment(legend)
	for _, line := range f.story {
		comment("  " + line)
	}
	if len(f.draws) == 0 {
		comment(plainly)
	}
	for i, d := range f.draws {
		switch {
		case i > 0 && i%20 == 0:
			b.WriteByte('\n')
		case i > 0:
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

// load reads what save has written. Line ends may be those of another system.
func load(path string) ([]int, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	header, rest, _ := strings.Cut(string(data), "\n")
	if header = strings.TrimSpace(header); header != scheduleHeader {
		return nil, fmt.Errorf("line 1 is %q, which is not the header of a schedule, %q", header, scheduleHeader)
	}
	var draws []int
	number := 1
	for line := range strings.Lines(rest) {
		number++
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, word := range strings.Fields(line) {
			d, err := strconv.Atoi(word)
			if err != nil || d < 0 {
				return nil, fmt.Errorf("line %d: %q is no choice, which is a number from 0 on", number, word)
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
