package sim

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteScript writes a schedule for people to read and for [ReadScript]: a step to
// a line, its action, the draws made in it, and what happened.
func WriteScript(w io.Writer, seed uint64, v *Violation, steps []Step) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# A schedule of kith's simulator that breaks a property. Seed %d.\n#\n", seed)
	if v != nil {
		for _, line := range strings.Split(v.String(), "\n") {
			fmt.Fprintf(b, "# %s\n", line)
		}
	}
	fmt.Fprintf(b, "#\n# Replay it from the root of the repository:\n#\n#\tgo test ./internal/sim -run TestReplay -v -script FILE\n#\n")
	fmt.Fprintf(b, "# Each line is a step: what is done, the choices made in doing it, and what happened.\n\n")
	for _, s := range steps {
		if s.Action == "rest" {
			continue // comes by itself
		}
		fmt.Fprint(b, s.Action)
		for _, d := range s.Draws {
			fmt.Fprintf(b, " %d", d)
		}
		b.WriteString("\n")
		for _, said := range strings.Split(s.Said, "; ") {
			if said != "" {
				fmt.Fprintf(b, "    # %s\n", said)
			}
		}
	}
	return b.Flush()
}

// ReadScript reads a schedule. What happened is not read: it happens again.
func ReadScript(r io.Reader) ([]Step, error) {
	var steps []Step
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		s := Step{Action: words[0]}
		for _, word := range words[1:] {
			d, err := strconv.Atoi(word)
			if err != nil || d < 0 {
				return nil, fmt.Errorf("line %d: draw %q is not a number", n, word)
			}
			s.Draws = append(s.Draws, d)
		}
		if !known(s.Action) {
			return nil, fmt.Errorf("line %d: unknown action %q", n, s.Action)
		}
		steps = append(steps, s)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(steps) == 0 || steps[0].Action != "setup" {
		return nil, fmt.Errorf("a schedule begins with setup")
	}
	return steps, nil
}

func known(name string) bool {
	for _, a := range actions() {
		if a.name == name {
			return true
		}
	}
	return false
}
