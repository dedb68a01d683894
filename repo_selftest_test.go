package kith_test

import (
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A check that never fails checks nothing: here each one is shown a small
// source that breaks its rule, and one beside it that does not.

// source parses the files of one package; names ending in _test.go are tests.
func source(t *testing.T, path string, files map[string]string) (*token.FileSet, *sourcePackage) {
	t.Helper()
	fset := token.NewFileSet()
	p := &sourcePackage{path: path}
	for name, text := range files {
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		p.add(name, file)
	}
	return fset, p
}

// wantFindings compares what was found with substrings, one for each finding.
func wantFindings(t *testing.T, found []finding, want ...string) {
	t.Helper()
	var texts []string
	for _, f := range found {
		texts = append(texts, f.text)
	}
	if len(texts) != len(want) {
		t.Fatalf("found %d:\n%s\nwant %d: %q", len(texts), strings.Join(texts, "\n"), len(want), want)
	}
	for i, text := range texts {
		if !strings.Contains(text, want[i]) {
			t.Errorf("finding %d is %q, want it to say %q", i, text, want[i])
		}
	}
}

func TestCheckPackageDoc(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"package x":                             {"has no doc"},
		"// Helpers for x.\npackage x":          {`say "Package x …"`},
		"// Package x knows things.\npackage x": nil,
		"// Command x does.\npackage main":      nil,
	} {
		_, p := source(t, "internal/x", map[string]string{"x.go": text})
		wantFindings(t, checkPackageDoc(p), want...)
	}
}

func TestCheckExportedDocs(t *testing.T) {
	t.Parallel()
	_, p := source(t, "charm", map[string]string{"x.go": `package charm
type T struct{}
// U is documented.
type U struct{}
func F() {}
func f() {}
func (T) M() {}
// N is documented.
func (T) N() {}
type hidden struct{}
func (hidden) M() {}
const C = 1
// Group of constants.
const (
	D = 1
	E = 2
)
var (
	V = 1 // said on the line
	W = 2
)
// A group is no doc for its types.
type (
	X int
)
`})
	wantFindings(t, checkExportedDocs(p), "charm.T", "charm.F", "charm.M", "charm.C", "charm.W", "charm.X")
}

func TestCheckArrows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, imports string
		want          []string
	}{
		{"internal/core", `"kith"; "kith/charm"; "fmt"`, nil},
		{"internal/core", `"kith/internal/store"`, []string{"internal/core may not import internal/store"}},
		{"internal/resolve", `"kith/internal/core"`, nil},
		{"internal/controller", `"kith/internal/resolve"`, nil},
		{"internal/controller", `"kith/internal/store/memstore"`, []string{"may not import internal/store/memstore"}},
		{"internal/agent", `"kith/internal/store"`, []string{"through the API alone"}},
		{"internal/agent/process", `"kith/internal/hookwire"; "kith/internal/agent"`, nil},
		{"internal/hookwire", `"kith"`, []string{"must stay small"}},
		{"cmd/kith-hook", `"kith/internal/hookwire"; "kith/internal/cli"`, []string{"may not import internal/cli"}},
		{"internal/cli", `"kith/internal/server"; "kith/internal/sim"`, []string{"nothing imports the simulator"}},
		{"internal/surprise", `"fmt"`, []string{"has no line in the arrows"}},
		{".", `"kith/charm"`, []string{"the words depend on nothing"}},
		{"ops", `"kith/internal/core"`, []string{"by running them"}},
	} {
		_, p := source(t, c.path, map[string]string{"x.go": "package x; import (" + c.imports + ")"})
		t.Run(c.path, func(t *testing.T) { wantFindings(t, checkArrows(p, arrows), c.want...) })
	}
	_, p := source(t, "internal/core", map[string]string{"x_test.go": `package x; import ("kith/internal/sim"; "kith/internal/store")`})
	wantFindings(t, checkArrows(p, arrows), "nothing imports the simulator")
}

func TestCheckFences(t *testing.T) {
	t.Parallel()
	text := `package x; import ("go.etcd.io/etcd/client/v3"; "github.com/spf13/cobra")`
	_, p := source(t, "internal/cli", map[string]string{"x.go": text, "x_test.go": text})
	wantFindings(t, checkFences(p, fences), "may not import go.etcd.io/etcd/client/v3: one subsystem speaks to etcd")
	_, p = source(t, "internal/store/embedetcd", map[string]string{"x.go": text})
	wantFindings(t, checkFences(p, fences), "github.com/spf13/cobra")
}

func TestCheckPure(t *testing.T) {
	t.Parallel()
	exports, err := exportData("fmt", "maps", "slices", "time", "os", "context")
	if err != nil {
		t.Fatal(err)
	}
	checker := func(fset *token.FileSet) *typeChecker {
		others := importer.ForCompiler(fset, "gc", importer.Lookup(exports))
		return &typeChecker{&sourceTree{fset: fset}, others, map[string]*types.Package{}}
	}
	for _, c := range []struct {
		name, imports, body string
		want                []string
	}{
		{"clock", `"time"`, `_ = time.Now()`, []string{"time.Now in pure code"}},
		{"clock by another name", `t "time"`, `now := t.Now; _ = now`, []string{"time.Now in pure code"}},
		{"time as a value", `"time"`, `var t time.Time; _ = t.Add(time.Second)`, nil},
		{"world", `"os"`, `_ = os.Getenv("X")`, []string{"imports os (files and processes)"}},
		{"context", `"context"`, `_ = context.Background()`, []string{"imports context"}},
		{"print", `"fmt"`, `fmt.Println()`, []string{"fmt.Println in pure code"}},
		{"format", `"fmt"`, `_ = fmt.Sprintf("x")`, nil},
		{"goroutine", ``, `go func() {}()`, []string{"a goroutine"}},
		{"channel", ``, `_ = make(chan int)`, []string{"a channel"}},
		{"select", ``, `select {}`, []string{"a select"}},
		{"range", ``, `for k := range m { _ = k }`, []string{"a range over a map"}},
		{"range of a named map", ``, `type named map[string]int; for k := range named(m) { _ = k }`, []string{"a range over a map"}},
		{"range over a slice", ``, `for k := range []int{1} { _ = k }`, nil},
		{"range that counts", ``, `for range m {}`, nil},
		{"range marked above", ``, "// any order: only summed\nfor k := range m { _ = k }", nil},
		{"range marked beside", ``, "for k := range m { // any order: only summed\n_ = k }", nil},
		{"range marked without reason", ``, "// any order:\nfor k := range m { _ = k }", []string{"a range over a map"}},
		{"mark reaches one line", ``, "// any order: only summed\n\nfor k := range m { _ = k }", []string{"a range over a map"}},
		{"keys", `"maps"`, `for k := range maps.Keys(m) { _ = k }`, []string{"maps.Keys"}},
		{"keys sorted", `"maps"; "slices"`, `for _, k := range slices.Sorted(maps.Keys(m)) { _ = k }`, nil},
		{"keys collected", `"maps"; "slices"`, `_ = slices.Collect(maps.Values(m))`, []string{"maps.Values"}},
		{"range hidden in sorted", `"maps"; "slices"`, `_ = slices.Sorted(maps.Keys(func() map[string]int { for k := range m { _ = k }; return m }()))`,
			[]string{"a range over a map"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := "package x\nimport (" + c.imports + ")\nvar m map[string]int\nfunc f() {\n" + c.body + "\n}\n"
			fset, p := source(t, "internal/core", map[string]string{"x.go": text})
			wantFindings(t, checkPure(checker(fset), p), c.want...)
		})
	}
	fset, p := source(t, "internal/core", map[string]string{"x.go": `package x; import _ "example.com/y"`})
	wantFindings(t, checkPure(checker(fset), p), "cannot check package internal/core")
	_, p = source(t, "internal/core", map[string]string{"x.go": `package x; import (_ "go.uber.org/zap"; _ "github.com/tidwall/btree")`})
	wantFindings(t, impureImportsOf(p, p.files[0]), "go.uber.org/zap, which is not among the pure modules")
}

// A map is a map when another package of ours declares it, for this platform or another.
func TestCheckPureAcrossPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"words.go":                   "package kith\ntype Set map[string]bool\n",
		"internal/core/c.go":         "package core\nimport \"kith\"\nfunc f(s kith.Set) { for k := range s { _ = k } }\n",
		"internal/core/c_plan9.go":   "package core\nfunc f(s int) {}\n",
		"internal/core/c_ignored.go": "//go:build never\n\npackage core\nfunc f(s int) {}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := loadTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	pure := tree.only(purePackages)
	checker, err := newTypeChecker(tree, pure)
	if err != nil {
		t.Fatal(err)
	}
	if len(pure) != 1 {
		t.Fatalf("%d pure packages, want 1", len(pure))
	}
	wantFindings(t, checkPure(checker, pure[0]), "a range over a map")
}

func TestCheckVariables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		decl string
		want []string
	}{
		{`func init() {}`, []string{"has an init function"}},
		{`type T struct{}; func (T) init() {}`, nil},
		{`var ErrGone = errors.New("gone")`, nil},
		{`var errGone = kith.Errorf(kith.NotFound, "gone").WithHint("look")`, nil},
		{`var errGone = &Error{}`, nil},
		{`var pattern = regexp.MustCompile("x")`, nil},
		{`var table = map[string]int{"a": 1}`, nil},
		{`var _ Reader = (*T)(nil)`, nil},
		{"//go:embed page.html\nvar page string", nil},
		{`var count int`, []string{"package variable internal/x.count"}},
		{`var now = time.Now`, []string{"internal/x.now"}},
		{`var mu sync.Mutex`, []string{"internal/x.mu"}},
		{`var pool = sync.Pool{}`, []string{"internal/x.pool"}},
		{`var one = &T{}`, []string{"internal/x.one"}},
		{`var a, b = 1, map[string]int{}`, []string{"internal/x.a"}},
		{`var name = "x"`, []string{"make it a const"}},
		{`var allowed = "x"`, nil},
		{`var table = map[string]int{}; func f() { table["a"] = 1 }`, []string{"table is changed here"}},
		{`var table = []int{1}; func f() { table = nil }`, []string{"table is changed here"}},
		{`var table = []T{}; func f() { table[0].n++ }`, []string{"table is changed here"}},
		{`var table = map[string]int{}; func f() { delete(table, "a") }`, []string{"table is changed here"}},
		{`var table = []int{1}; func f() { var table []int; table = append(table, 2) }`, nil},
		{`var table = []int{1}; func f(table []int) { table[0] = 2 }`, nil},
	} {
		fset, p := source(t, "internal/x", map[string]string{"x.go": "package x\n" + c.decl})
		t.Run(c.decl, func(t *testing.T) {
			wantFindings(t, checkVariables(fset, p, map[string]string{"internal/x.allowed": "the linker sets it"}), c.want...)
		})
	}
	// The table stands in one file, the change in another.
	fset, p := source(t, "internal/x", map[string]string{
		"a.go": `package x; var table = map[string]int{}`,
		"b.go": `package x; import "nowhere/y"; func f() { table["a"] = y.N }`,
	})
	wantFindings(t, checkVariables(fset, p, nil), "table is changed here")
}

func TestCheckSleep(t *testing.T) {
	t.Parallel()
	const text = `package x
func a() { time.Sleep(1) }
func b() { <-time.After(1) }
func c() { select { case <-time.After(1): case <-done: } }
func d() { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }
// Called in a synctest bubble: every test that uses it is one.
func e() { time.Sleep(1) }
`
	fset, p := source(t, "internal/x", map[string]string{"x_test.go": text})
	wantFindings(t, checkSleep(fset, p), "a test sleeps", "a test sleeps")
	fset, p = source(t, "internal/store/storetest", map[string]string{"x.go": strings.Replace(text, "package x", "package storetest", 1)})
	wantFindings(t, checkSleep(fset, p), "a test sleeps", "a test sleeps")
	fset, p = source(t, "internal/x", map[string]string{"x.go": text})
	wantFindings(t, checkSleep(fset, p))
}

func TestCheckHookDeps(t *testing.T) {
	t.Parallel()
	own := []string{"kith/cmd/kith-hook", "kith/internal/hookwire"}
	never := []string{"net/http"}
	good := "true net\nfalse kith/internal/hookwire\nfalse kith/cmd/kith-hook\n"
	if found := checkHookDeps(good, own, never); len(found) != 0 {
		t.Errorf("found %q in a good list", found)
	}
	for extra, want := range map[string]string{
		"true net/http\n":                "kith-hook links net/http",
		"false github.com/spf13/cobra\n": "github.com/spf13/cobra kith/cmd/kith-hook",
		"false kith/internal/hooktool\n": "the golden list is",
	} {
		if found := checkHookDeps(good+extra, own, never); len(found) != 1 || !strings.Contains(found[0], want) {
			t.Errorf("with %q: found %q, want one that says %q", extra, found, want)
		}
	}
}

func TestCheckSizes(t *testing.T) {
	t.Parallel()
	bad := checkSizes(map[string]int64{"go.sum": 30_000, "limit": maxTracked, "bench": 43_000_000})
	if len(bad) != 1 || !strings.Contains(bad[0], "git rm --cached bench") {
		t.Errorf("%q", bad)
	}
}

func TestCheckDependencyPage(t *testing.T) {
	t.Parallel()
	const mod = `module kith
go 1.26.0
require example.com/one v1.0.0
require (
	example.com/two v1.0.0
	example.com/two/more v1.0.0
	// a comment
	example.com/far v1.0.0 // indirect
)
tool example.com/two/cmd
`
	if got, want := directModules(mod), []string{"example.com/one", "example.com/two", "example.com/two/more"}; !slices.Equal(got, want) {
		t.Errorf("direct modules %q, want %q", got, want)
	}
	page := "| Module | Why |\n|---|---|\n| `example.com/one` | it does one thing |\n| `example.com/two/more` | |\n"
	found := checkDependencyPage(mod, page)
	if len(found) != 2 || !strings.HasPrefix(found[0], "example.com/two is") || !strings.HasPrefix(found[1], "example.com/two/more is") {
		t.Errorf("found %q, want example.com/two (no line) and example.com/two/more (no reason)", found)
	}
}

func TestRelativeLinks(t *testing.T) {
	t.Parallel()
	page := "[a](docs/a.md) [b](https://example.com/x) [c](#here) [d](../b.md#part) ![e](e.png)"
	if got, want := relativeLinks(page), []string{"docs/a.md", "../b.md", "e.png"}; !slices.Equal(got, want) {
		t.Errorf("links %q, want %q", got, want)
	}
}
