package ops_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"kith/internal/tools/doctable"
)

// The tables of docs/reference/ops.md name what there is, have a counterpart or a reason for each name of
// the ops reference, sections 1, 4 and 7, and tests that exist.
func TestOpsTable(t *testing.T) {
	t.Parallel()
	has, err := doctable.Exported(".")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := doctable.Tests(".", "opstest")
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]bool{}
	for line := range strings.Lines(readText(t, "../docs/reference/ops.md")) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.Contains(cells[2], "`kith/ops`") || strings.HasPrefix(cells[1], "---") {
			continue
		}
		ours := doctable.Quoted(cells[2])
		for _, name := range doctable.Quoted(cells[1]) {
			theirs[lastPart(name)] = true
			if len(ours) == 0 && strings.TrimSpace(cells[3]) == "" {
				t.Errorf("%s has neither a counterpart nor a reason", name)
			}
		}
		for _, name := range ours {
			if !has[name] {
				t.Errorf("package ops has no %s", name)
			}
		}
		for _, name := range doctable.Quoted(cells[4]) {
			if !tests[name] {
				t.Errorf("there is no test %s", name)
			}
		}
	}
	const shared = "../../shared/reference/ops-sdk.md"
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("the reference is not here, so that nobody can say whether the table is whole: %v", err)
	}
	text := readText(t, shared)
	for _, c := range []struct {
		from, to string
		columns  []int
	}{{"\n## 1.", "\n## 2.", []int{2}}, {"\n## 4.", "\n## 5.", []int{1, 2}}, {"\n## 7.", "\n## 8.", []int{2}}} {
		_, section, _ := strings.Cut(text, c.from)
		section, _, _ = strings.Cut(section, c.to)
		for line := range strings.Lines(section) {
			cells := strings.Split(strings.ReplaceAll(line, `\|`, "or"), "|")
			if len(cells) < 4 || strings.HasPrefix(cells[1], " Containers") || strings.Contains(cells[1], "ops.pebble") {
				continue // one line of the table is for all of these
			}
			for _, column := range c.columns {
				for _, name := range doctable.Quoted(cells[column]) {
					name = regexp.MustCompile(`[(\[ =].*`).ReplaceAllString(name, "")
					if !theirs[lastPart(name)] {
						t.Errorf("the table leaves out %s", name)
					}
				}
			}
		}
	}
}

// lastPart is the name of a thing without what it belongs to.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
