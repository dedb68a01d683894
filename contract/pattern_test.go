package contract

import (
	"regexp/syntax"
	"testing"
)

// The size of a pattern, which is told without compiling it, is never less than what it compiles
// to, and not much more.
func TestPatternSize(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		``, `a`, `abc`, `^[a-z]+$`, `(a|b|c)*`, `(a|bc|[0-9])`, `a{3}`, `a{3,}`, `a{0,9}`, `(a{2,5}b?){7}`, `(?:a*)*`, `(?:a?){50}`, `.*`, `(?s).+?`,
		`\pL{999}`, `(([a-z]{9}b){10}c){3}`, `([a-z]{9}b){90}`, `\b\w+\B`, `(?i)hello|help|helm`, `a|ab|abc|abd`, `(|a|)`, `((((a){3}){3}){3}){3}`, `[^\x00-\x{10FFFF}]`, `x{1000}`,
	} {
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		prog, err := syntax.Compile(tree.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		tree, _ = syntax.Parse(pattern, syntax.Perl)
		if got, want := instructions(tree)+2, len(prog.Inst); got < want || got > 2*want+4 {
			t.Errorf("%s: %d instructions, %d were expected", pattern, want, got)
		}
	}
}

// FuzzPatternSize holds the same for patterns of any form.
func FuzzPatternSize(f *testing.F) {
	f.Add(`(a{2,5}b?){7}|[^x]*`)
	f.Add(`(?i:a|B)+?\z`)
	f.Fuzz(func(t *testing.T, pattern string) {
		size, err := patternSize(pattern)
		if err != nil {
			return
		}
		tree, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if prog, err := syntax.Compile(tree.Simplify()); err != nil || len(prog.Inst) > size {
			t.Fatalf("%q has %d instructions, %d were expected: %v", pattern, len(prog.Inst), size, err)
		}
	})
}
