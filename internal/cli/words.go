package cli

import (
	"fmt"
	"strings"

	"kith"
)

// wordSet is the set of the words in s.
func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// plural is "1 unit" or "3 units".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// aborted is the error of a prompt that was not answered with a yes.
func aborted(what string) error {
	return kith.Errorf(kith.Conflict, "%s: aborted", what).WithHint("--no-prompt does it without asking")
}

// appArg reads an application name. The wording is that of the commands which
// say no more than that it is bad.
func appArg(s string) (kith.AppName, error) {
	if !kith.ValidAppName(s) {
		return "", usagef("invalid application name %q", s)
	}
	return kith.AppName(s), nil
}

// unitArg reads a unit name.
func unitArg(s string) (kith.UnitName, error) {
	u, err := kith.ParseUnitName(s)
	if err != nil {
		return "", &usageError{err}
	}
	return u, nil
}
