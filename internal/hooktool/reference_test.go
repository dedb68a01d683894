package hooktool_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kith/internal/hooktool"
)

// elsewhere are texts of the reference's sections 6 to 14 that no script or vector here shows, and why.
var elsewhere = map[string]string{
	// Not kith-hook's business: the client's and the transport's, with their tests in package hookwire and package agent.
	"JUJU_CONTEXT_ID not set":                  "hookwire: TestMainWithoutAnAgent",
	"bad request: unknown command: frobnicate": "agent: TestRefusedCalls",
	" a = b ": "no message; keyvalues.txt has it with other names",
	"option provided but not defined: --nope":     "vector 60 says --bogus",
	`invalid boolean value "x" for --app: ...`:    "options.txt says --application",
	"cannot read relation settings: ":             "kith writes a databag without reading it first",
	"cannot read relation application settings: ": "kith writes a databag without reading it first",
	"max allowed key length (256) exceeded":       "TestStateLimits",
	"max allowed value length (65536) exceeded":   "TestStateLimits",
	"max allowed size (2097152) exceeded":         "found at the commit: core, and agent's TestResults",

	// What Juju 4.x says, where kith follows 3.6 (section 2), and what only Kubernetes has.
	"relation unit not found":                                                          "4.x",
	`no bind address attached to space for binding "x"`:                                "4.x",
	"no ingress address ...":                                                           "4.x",
	"no primary address ...":                                                           "4.x",
	"max allowed key length (256): quota limit exceeded":                               "4.x",
	"max allowed value length (65536): quota limit exceeded":                           "4.x",
	"max allowed total size (2097152): quota limit exceeded":                           "4.x",
	`secret with label "x" not found`:                                                  "4.x",
	`"web/0" is not allowed to read this secret`:                                       "4.x",
	"port ranges are not supported for k8s applications, please specify a single port": "Kubernetes",
}

// page is a part of the hook protocol reference, a line at a time with the section it is in.
type page struct{ section, line string }

// reference reads sections 6 to 14, those of the tools; it is beside the repository, not in it.
func reference(t *testing.T) []page {
	t.Helper()
	path := filepath.Join("..", "..", "..", "shared", "reference", "hook-protocol.md")
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		t.Skipf("the reference is not beside the repository: no %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, tools, found := strings.Cut(string(text), "\n## 6. Tools")
	tools, _, also := strings.Cut(tools, "\n## 15. What is buffered")
	if !found || !also {
		t.Fatal("the reference has no sections 6 to 14")
	}
	heading := regexp.MustCompile(`^###? (\d+(\.\d+)?)`)
	var lines []page
	section := "6"
	for line := range strings.Lines(tools) {
		if m := heading.FindStringSubmatch(line); m != nil {
			section = m[1]
			continue
		}
		lines = append(lines, page{section, strings.TrimRight(line, "\n")})
	}
	return lines
}

// shown is everything the scripts and the vectors print, with single blanks between words.
func shown(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all strings.Builder
	for _, f := range append(files, "vectors_test.go") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.ReplaceAll(string(text), `\"`, `"`))
	}
	return strings.Join(strings.Fields(all.String()), " ")
}

// isMessage reports whether a word of the reference's code is what a tool prints when it fails.
func isMessage(line, code string) bool {
	if strings.HasPrefix(code, "ERROR ") {
		return true
	}
	call := regexp.MustCompile(`^[a-z0-9]+-[a-z-]+ |^--`).MatchString(code)
	speaks := regexp.MustCompile(`not|invalid|missing|cannot|expected|must|only|specif|could|error`).MatchString(code)
	return len(strings.Fields(code)) >= 3 && !call && (strings.HasPrefix(line, "|") || speaks)
}

// pattern finds a message whatever names it has in it: "x" is any word, <reason> is any text.
func pattern(message string) *regexp.Regexp {
	expr := regexp.QuoteMeta(strings.Join(strings.Fields(message), " "))
	expr = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(expr, `"[^"]*"`)
	expr = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(expr, `.*?`)
	return regexp.MustCompile(strings.ReplaceAll(expr, `\.\.\.`, `.*?`))
}

// Every message that the reference gives in its sections about tools is printed by one of the scripts
// or vectors, or has a reason why not.
func TestEveryMessageIsShown(t *testing.T) {
	t.Parallel()
	lines, all := reference(t), shown(t)
	code := regexp.MustCompile("`([^`]+)`")
	seen := map[string]int{} // by section
	for _, p := range lines {
		for _, m := range code.FindAllStringSubmatch(p.line, -1) {
			if !isMessage(p.line, m[1]) {
				continue
			}
			message := strings.TrimPrefix(m[1], "ERROR ")
			seen[p.section]++
			if _, known := elsewhere[message]; !known && !pattern(message).MatchString(all) {
				t.Errorf("section %s: no test shows %q", p.section, message)
			}
		}
	}
	for _, section := range []string{"6.3", "6.7", "7.2", "8.4", "9.1", "9.3", "10.2", "11.2", "12.2", "12.7", "13.1", "13.3", "14"} {
		if seen[section] == 0 {
			t.Errorf("section %s has no message: its tables are not read", section)
		}
	}
}

// Every tool of the reference is there, and every option its synopsis names is used by a script or vector.
func TestEveryOptionIsUsed(t *testing.T) {
	t.Parallel()
	lines := reference(t)
	calls := toolCalls(t)
	tools := hooktool.Names()
	synopsis := regexp.MustCompile("^`?([a-z0-9]+(?:-[a-z0-9]+)+(?:\\|[a-z-]+)?)[ `]")
	option := regexp.MustCompile(`(?:^|[ \[|])(--[a-z-]+|-[a-z])\b`)
	documented := map[string]bool{}
	var about []string // the tools of the synopsis that goes on
	for _, p := range lines {
		text := strings.TrimSpace(strings.TrimPrefix(p.line, "|"))
		if m := synopsis.FindStringSubmatch(text); m != nil && slices.Contains(tools, strings.Split(m[1], "|")[0]) {
			about = strings.Split(m[1], "|")
		} else if !strings.HasPrefix(p.line, "      ") {
			about = nil
		}
		for _, tool := range about {
			documented[tool] = true
			for _, o := range option.FindAllStringSubmatch(text, -1) {
				if !used(calls[tool], o[1]) {
					t.Errorf("section %s: no test calls %s with %s", p.section, tool, o[1])
				}
			}
		}
	}
	for _, tool := range tools {
		if len(calls[tool]) == 0 {
			t.Errorf("no test calls %s", tool)
		}
	}
	if len(documented) < 30 {
		t.Errorf("only the synopses of %d tools were found", len(documented))
	}
}

// used reports whether an option is in one of the calls; -o and --output, -r and --relation, -a and --all,
// -l and --log-level are the same option.
func used(calls []string, option string) bool {
	same := map[string]string{"-o": "--output", "-r": "--relation", "-a": "--all", "-l": "--log-level", "--relation": "-r", "--app": "--application"}
	return slices.ContainsFunc(calls, func(call string) bool {
		for _, word := range strings.Fields(call) {
			word, _, _ = strings.Cut(word, "=")
			if word == option || same[option] != "" && word == same[option] {
				return true
			}
		}
		return false
	})
}

// toolCalls are the calls of each tool in the scripts and vectors.
func toolCalls(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("testdata/scripts/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string][]string{}
	for _, f := range append(files, "vectors_test.go") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasSuffix(f, ".go") {
				words := strings.Split(line, `"`)
				if len(words) < 4 {
					continue
				}
				line = words[3]
			}
			for call := range strings.SplitSeq(strings.TrimPrefix(line, "$ "), "; ") {
				tool, _, _ := strings.Cut(strings.TrimSpace(call), " ")
				calls[tool] = append(calls[tool], call)
			}
		}
	}
	return calls
}
