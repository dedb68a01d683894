package charm

import (
	"regexp"
	"strings"
)

const ignoreFile = ".jujuignore"

// alwaysIgnored is left out of every archive (section 2.3), in the syntax of .jujuignore.
//
// Juju: packs __pycache__ too. What Python keeps there changes whenever somebody runs the charm's tests, and is
// made anew on the unit: with it every run would make another charm.
const alwaysIgnored = ".git\n.svn\n.hg\n.bzr\n.tox\n/build/\n/revision\n/version\n.jujuignore\n__pycache__/\n"

// ignoreRule is one line of a .jujuignore.
type ignoreRule struct {
	pattern *regexp.Regexp
	keep    bool // the line began with "!"
	dirOnly bool
}

type ignoreRules []ignoreRule

// parseIgnore reads the syntax of .gitignore. Errors: Invalid, as [*Error].
func parseIgnore(data string) (ignoreRules, error) {
	var rules ignoreRules
	number := 0
	for line := range strings.Lines(data) {
		number++
		line = trimSpaces(strings.TrimRight(line, "\r\n"))
		if line == "" || line[0] == '#' {
			continue
		}
		var r ignoreRule
		text := line
		text, r.keep = strings.CutPrefix(text, "!")
		text, r.dirOnly = strings.CutSuffix(text, "/")
		if text == "" {
			continue
		}
		var err error
		if r.pattern, err = globPattern(text); err != nil {
			return nil, &Error{
				Reason: "cannot understand " + ignoreFile + ": bad pattern " + clip(line), File: ignoreFile, Line: number,
				Value: clip(line), Rule: "the syntax is that of .gitignore",
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// trimSpaces removes blanks at the end, but not one behind a backslash.
func trimSpaces(s string) string {
	for strings.HasSuffix(s, " ") && !strings.HasSuffix(s, `\ `) {
		s = s[:len(s)-1]
	}
	return s
}

// globPattern turns a pattern into a regular expression over whole paths. A
// slash at the start or inside ties it to the root; otherwise it fits at any depth.
func globPattern(glob string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString("^")
	if !strings.Contains(glob, "/") {
		b.WriteString("(?:.*/)?")
	}
	glob = strings.TrimPrefix(glob, "/")
	for i := 0; i < len(glob); {
		rest := glob[i:]
		atStart := i == 0 || glob[i-1] == '/'
		switch {
		case atStart && strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:.*/)?")
			i += 3
		case atStart && rest == "**":
			b.WriteString(".*")
			i += 2
		case rest[0] == '*':
			b.WriteString("[^/]*")
			i++
		case rest[0] == '?':
			b.WriteString("[^/]")
			i++
		case rest[0] == '[' && strings.IndexByte(rest[1:], ']') > 0:
			end := strings.IndexByte(rest[1:], ']') + 1
			class := strings.ReplaceAll(rest[1:end], "[", `\[`)
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			b.WriteString("[" + class + "]")
			i += end + 1
		case rest[0] == '\\' && len(rest) > 1:
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			i += 2
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
			i++
		}
	}
	b.WriteString("$")
	return regexp.Compile(b.String())
}

// ignored reports whether a path is left out: the last rule that fits decides.
func (rules ignoreRules) ignored(name string, isDir bool) bool {
	out := false
	for _, r := range rules {
		if (isDir || !r.dirOnly) && r.pattern.MatchString(name) {
			out = !r.keep
		}
	}
	return out
}
