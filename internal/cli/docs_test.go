package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// docsDir is where the reference of the command line is kept.
var docsDir = filepath.Join("..", "..", "docs", "reference", "cli")

// The reference is what the program says: this test fails when they differ, and
// -update rewrites it.
func TestReferenceDocs(t *testing.T) {
	t.Parallel()
	pages := map[string]string{"README.md": referenceIndex()}
	for _, c := range commands() {
		if !c.hidden {
			pages[c.word()+".md"] = referencePage(c)
		}
	}
	if *update {
		if err := os.RemoveAll(docsDir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(docsDir, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range pages {
			if err := os.WriteFile(filepath.Join(docsDir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(docsDir, name))
		if err != nil || string(got) != want {
			t.Errorf("docs/reference/cli/%s is not what the program says (%v): go test ./internal/cli -update", name, err)
		}
	}
	entries, err := os.ReadDir(docsDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := pages[e.Name()]; !ok {
			t.Errorf("docs/reference/cli/%s is about no command: go test ./internal/cli -update", e.Name())
		}
	}
}

const generated = "<!-- Made from the program's help by go test ./internal/cli -update. Do not edit. -->\n\n"

// referenceIndex lists the commands, and says what holds for all of them.
func referenceIndex() string {
	var b strings.Builder
	b.WriteString(generated + "# Command line\n\n")
	b.WriteString("Called as `juju`, the same program answers as Juju's client does.\n")
	for _, g := range groups() {
		fmt.Fprintf(&b, "\n## %s\n\n", g)
		for _, c := range commands() {
			if c.group == g && !c.hidden {
				fmt.Fprintf(&b, "- [`%s`](%s.md): %s\n", c.name, c.word(), lowerFirst(c.summary))
			}
		}
	}
	b.WriteString(`
## Exit statuses

| Status | Meaning |
|---|---|
| 0 | the command did its job |
| 1 | it was understood, and something went wrong |
| 2 | it was not understood: a wrong flag, argument or name; for commands with ` + "`-m`" + ` also that there is no controller or no current model |
| 130 | it was interrupted |

## Where output goes

The answer goes to stdout; what there is to say about it, questions and errors go to stderr. An error is ` + "`ERROR `" + ` and
the message; a line ` + "`hint: `" + ` below it says what to do next. A command that was asked for JSON or YAML and fails
before it has printed anything prints ` + "`{}`" + ` on stdout.

## Environment

| Variable | Meaning |
|---|---|
| ` + "`KITH_HOME`" + ` | folder of the client's state and the controller's data (` + "`~/.local/share/kith`; `$XDG_DATA_HOME/kith`" + ` if that is set); two homes never disturb each other |
| ` + "`JUJU_DATA`" + ` | the same, if the program is called as juju and KITH_HOME is not set |
| ` + "`JUJU_MODEL`" + ` | model to work on when ` + "`-m`" + ` is not given |
| ` + "`JUJU_CONTROLLER`" + ` | controller to work on; there is one for each home, called ` + "`kith`" + ` |
| ` + "`JUJU_STATUS_ISO_TIME`" + ` | ` + "`true`" + `: ` + "`status`" + ` shows times in UTC |
| ` + "`NO_COLOR`, `TERM=dumb`" + ` | no colours |
`)
	return b.String()
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// referencePage is the help on one command as a page.
func referencePage(c *command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s# kith %s\n\n%s.\n\n", generated, c.name, c.summary)
	fmt.Fprintf(&b, "```text\n%s\n```\n", usageLine("kith", c))
	if len(c.aliases) > 0 {
		fmt.Fprintf(&b, "\nAlso called: `%s`\n", strings.Join(c.aliases, "`, `"))
	}
	fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.details))
	_, own := flagSections(c)
	if own != "" {
		fmt.Fprintf(&b, "\n## Options\n\n```text\n%s\n```\n", own)
	}
	b.WriteString("\n## Examples\n")
	for _, e := range c.examples {
		fmt.Fprintf(&b, "\n%s:\n\n```sh\nkith %s\n```\n", e.says, e.line)
	}
	if len(c.seeAlso) > 0 {
		b.WriteString("\n## See also\n\n")
		for _, name := range c.seeAlso {
			fmt.Fprintf(&b, "- [%s](%s.md)\n", name, findCommand(name).word())
		}
	}
	return b.String()
}

// Every command says what it is for, in full.
func TestCommandTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, c := range commands() {
		for _, name := range append([]string{c.name}, c.aliases...) {
			if seen[name] || jujuOnly[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if c.summary == "" || strings.HasSuffix(c.summary, ".") || c.details == "" || len(c.examples) == 0 || c.group == "" {
			t.Errorf("%s lacks a summary (no full stop), details, an example or a group", c.name)
		}
		for _, name := range c.seeAlso {
			if findCommand(name) == nil {
				t.Errorf("%s points to %s, which is no command", c.name, name)
			}
		}
		for _, line := range strings.Split(c.details, "\n") {
			if len(line) > 88 {
				t.Errorf("%s: a line of %d characters in its details: %q", c.name, len(line), line)
			}
		}
	}
}
