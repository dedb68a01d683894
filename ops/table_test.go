package ops_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tables of docs/reference/ops.md name what there is, have a counterpart or a reason for each name of
// the ops reference, sections 1, 4 and 7, and tests that exist.
func TestOpsTable(t *testing.T) {
	t.Parallel()
	has, tests := exportedNames(t), testNames(t, ".", "opstest")
	theirs := map[string]bool{}
	for line := range strings.Lines(readText(t, "../docs/reference/ops.md")) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.Contains(cells[2], "`kith/ops`") || strings.HasPrefix(cells[1], "---") {
			continue
		}
		ours := quoted(cells[2])
		for _, name := range quoted(cells[1]) {
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
		for _, name := range quoted(cells[4]) {
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
				for _, name := range quoted(cells[column]) {
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

func quoted(s string) (all []string) {
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(s, -1) {
		all = append(all, m[1])
	}
	return all
}

// declarations calls f for each declaration of the Go files of a folder that end so.
func declarations(t *testing.T, dir string, wanted func(name string) bool, f func(ast.Decl)) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !wanted(name) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f(d)
		}
	}
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

// testNames are the tests and examples of folders.
func testNames(t *testing.T, dirs ...string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, dir := range dirs {
		declarations(t, dir, isTest, func(d ast.Decl) {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				all[fn.Name.Name] = true
			}
		})
	}
	return all
}

// exportedNames are the exported names of package ops, those of methods and fields with their type.
func exportedNames(t *testing.T) map[string]bool {
	t.Helper()
	has := map[string]bool{}
	declarations(t, ".", func(name string) bool { return !isTest(name) }, func(d ast.Decl) {
		switch d := d.(type) {
		case *ast.FuncDecl:
			has[receiverOf(d)+d.Name.Name] = true
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, name := range s.Names {
						has[name.Name] = true
					}
				case *ast.TypeSpec:
					has[s.Name.Name] = true
					if st, ok := s.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							for _, name := range field.Names {
								has[s.Name.Name+"."+name.Name] = true
							}
						}
					}
				}
			}
		}
	})
	return has
}

// receiverOf is "Model." for a method of a Model.
func receiverOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	if generic, ok := x.(*ast.IndexListExpr); ok {
		x = generic.X
	}
	if id, ok := x.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "?."
}
