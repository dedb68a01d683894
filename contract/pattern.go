package contract

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// foldsCase finds the flag by which a pattern takes upper for lower case.
var foldsCase = regexp.MustCompile(`\(\?[a-zA-Z]*i`)

// patternSize bounds how many instructions a regular expression compiles to, without
// compiling it. What needs backtracking is refused, because it has no bound, and so is what
// takes long to read: a range of characters in both cases is gone through one by one.
func patternSize(text string) (int, error) {
	if len(text) > MaxPatternBytes {
		return 0, fmt.Errorf("a pattern of %d characters is longer than %d", len(text), MaxPatternBytes)
	}
	if foldsCase.MatchString(text) && (strings.Contains(text, `\x{`) || !ascii(text)) {
		return 0, fmt.Errorf("the pattern %s folds the case of more than ASCII, which takes too long", clip(strconv.Quote(text)))
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, fmt.Errorf("the pattern %s cannot be matched in linear time: %s", clip(strconv.Quote(text)), reason(err))
	}
	size := instructions(tree) + 2 // its end, and to fail
	if size > MaxPatternSize {
		return 0, fmt.Errorf("the pattern %s is too large: %d instructions, at most %d are taken", clip(strconv.Quote(text)), size, MaxPatternSize)
	}
	return size, nil
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

// reason is what package regexp has against a pattern, without the pattern.
func reason(err error) string {
	var bad *syntax.Error
	if errors.As(err, &bad) {
		return string(bad.Code)
	}
	return err.Error()
}

// instructions bounds the length of the program of a pattern: what is repeated is there
// as often as it may come. The parser has bounded depth and product of the repetitions.
func instructions(re *syntax.Regexp) int {
	sum := 0
	for _, sub := range re.Sub {
		sum += instructions(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		return max(len(re.Rune), 1)
	case syntax.OpConcat:
		return max(sum, 1)
	case syntax.OpAlternate:
		return sum + len(re.Sub)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpCapture:
		return sum + 2
	case syntax.OpRepeat:
		if re.Max < 0 {
			return sum*max(re.Min, 1) + 2
		}
		return (sum+1)*max(re.Max-re.Min, 0) + sum*re.Min + 1
	}
	return sum + 1
}
