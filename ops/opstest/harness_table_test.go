package opstest_test

import (
	"os"
	"strings"
	"testing"

	"kith/internal/tools/doctable"
)

// The table of docs/reference/harness.md names what there is, has a counterpart or a
// reason for each method of the ops reference, section 8, and leaves out no method of Harness, Model and Relation.
func TestHarnessTable(t *testing.T) {
	t.Parallel()
	text := readText(t, "../../docs/reference/harness.md")
	has, err := doctable.Exported(".")
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ = strings.Cut(text, "\n## Where Python's departs")
	theirs, named := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(text) {
		for _, name := range doctable.Quoted(line) {
			named[name] = true
		}
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") || strings.Contains(cells[1], "ops.testing") {
			continue
		}
		ours := doctable.Quoted(cells[2])
		for _, name := range doctable.Quoted(cells[1]) {
			theirs[name] = true
			if len(ours) == 0 && strings.TrimSpace(cells[3]) == "" {
				t.Errorf("%s has neither a counterpart nor a reason", name)
			}
		}
		for _, name := range ours {
			if !has[name] {
				t.Errorf("package opstest has no %s", name)
			}
		}
	}
	for name := range has {
		of, _, method := strings.Cut(name, ".")
		if method && (of == "Harness" || of == "Model" || of == "Relation") && !named[name] {
			t.Errorf("the table does not name %s", name)
		}
	}
	const shared = "../../../shared/reference/ops-sdk.md"
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("the reference is not here, so that nobody can say whether the table is whole: %v", err)
	}
	_, section, _ := strings.Cut(readText(t, shared), "\n## 8.")
	section, _, _ = strings.Cut(section, "\n## 9.")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.Contains(cells[1], "`") && !strings.Contains(cells[1], "private") {
			continue
		}
		methods := cells[1]
		if strings.Contains(methods, "private") {
			methods = cells[2]
		}
		for _, name := range doctable.Quoted(methods) {
			if name, _, _ = strings.Cut(name, "("); !theirs[name] {
				t.Errorf("the table leaves out %s", name)
			}
		}
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
