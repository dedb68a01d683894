package opstest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The table of docs/reference/harness.md names what there is, has a counterpart or a
// reason for each method of the ops reference, section 8, and leaves out no method of Harness, Model and Relation.
func TestHarnessTable(t *testing.T) {
	t.Parallel()
	text := readText(t, "../../docs/reference/harness.md")
	has := exported(t)
	text, _, _ = strings.Cut(text, "\n## Where Python's departs")
	theirs, named := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(text) {
		for _, name := range quoted(line) {
			named[name] = true
		}
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") || strings.Contains(cells[1], "ops.testing") {
			continue
		}
		ours := quoted(cells[2])
		for _, name := range quoted(cells[1]) {
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
		for _, name := range quoted(methods) {
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

var quotes = regexp.MustCompile("`([^`]+)`")

func quoted(s string) (all []string) {
	for _, m := range quotes.FindAllStringSubmatch(s, -1) {
		all = append(all, m[1])
	}
	return all
}

// exported are the exported functions, types and methods of package opstest.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() {
					has[receiver(d)+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						has[s.Name.Name] = true
					}
				}
			}
		}
	}
	return has
}

// receiver is "Harness." for a method of a Harness.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	if id, ok := x.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "?."
}
