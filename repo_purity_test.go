package kith_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// ---- 3. purity

// impureImports are the doors to the world, and what comes in by each.
var impureImports = map[string]string{
	"context": "a decision cannot be cancelled half way", "crypto/rand": "chance", "embed": "files",
	"hash/maphash": "a chance seed", "io/ioutil": "files", "log": "output", "log/slog": "output",
	"math/rand": "chance", "math/rand/v2": "chance", "net": "sockets", "net/http": "sockets", "os": "files and processes",
	"os/exec": "processes", "os/signal": "signals", "os/user": "files", "path/filepath": "files and the platform's paths",
	"runtime": "the scheduler", "sync": "locks", "sync/atomic": "shared memory", "syscall": "the system",
	"unsafe": "memory", "testing": "tests",
}

// impureNames are the functions of harmless packages that read a clock, wait or print.
var impureNames = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Local", "LoadLocation"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// exporter finds the compiled form of an imported package.
type exporter func(importPath string) (io.ReadCloser, error)

// exportData compiles (or finds in the build cache) packages and all they import.
func exportData(packages ...string) (exporter, error) {
	files := map[string]string{}
	if len(packages) > 0 {
		args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}"}, packages...)
		cmd := exec.Command("go", args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list -export: %v\n%s", err, stderr.Bytes())
		}
		for line := range strings.Lines(string(out)) {
			importPath, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
			files[importPath] = file
		}
	}
	return func(importPath string) (io.ReadCloser, error) { return os.Open(files[importPath]) }, nil
}

// typeChecker checks our packages from their source, and takes only those of
// others compiled: their compiled form stays in the build cache, ours changes
// with every edit.
type typeChecker struct {
	tree   *sourceTree
	others types.Importer
	done   map[string]*types.Package
}

// newTypeChecker prepares a checker for pkgs of tree.
func newTypeChecker(tree *sourceTree, pkgs []*sourcePackage) (*typeChecker, error) {
	exports, err := exportData(foreignImports(tree, pkgs)...)
	if err != nil {
		return nil, err
	}
	others := importer.ForCompiler(tree.fset, "gc", importer.Lookup(exports))
	return &typeChecker{tree, others, map[string]*types.Package{}}, nil
}

// foreignImports lists what pkgs import from others, and what of the standard
// library those of ours import that pkgs do. The modules that these use stay
// unknown: compiling them would take longer than all the rest of the test.
func foreignImports(tree *sourceTree, pkgs []*sourcePackage) []string {
	var foreign []string
	seen := map[string]bool{}
	for todo := slices.Clone(pkgs); len(todo) > 0; todo = todo[1:] {
		direct := slices.Contains(pkgs, todo[0])
		for _, f := range todo[0].files {
			for _, spec := range f.Imports {
				name := importPath(spec)
				target, ours := ownPackage(spec)
				switch {
				case seen[name] || !ours && !direct && !isStandard(name):
					continue
				case ours:
					todo = append(todo, tree.named(target)...)
				default:
					foreign = append(foreign, name)
				}
				seen[name] = true
			}
		}
	}
	return foreign
}

// isStandard reports whether a package belongs to the standard library.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// Import implements [types.Importer].
func (c *typeChecker) Import(path string) (*types.Package, error) {
	name, ours := ownName(path)
	if !ours {
		return c.others.Import(path)
	}
	if done := c.done[path]; done != nil {
		return done, nil
	}
	for _, p := range c.tree.named(name) {
		// What it uses of unknown modules is an error that does not matter here.
		pkg, _ := c.check(p, nil, func(error) {})
		c.done[path] = pkg
		return pkg, nil
	}
	return nil, fmt.Errorf("package %s is not there", path)
}

// check checks one package, up to its first error unless fail takes them.
func (c *typeChecker) check(p *sourcePackage, info *types.Info, fail func(error)) (*types.Package, error) {
	conf := types.Config{Importer: c, Error: fail}
	return conf.Check(path.Join("kith", p.path), c.tree.fset, c.forThisPlatform(p), info)
}

// forThisPlatform leaves out the files the go command would, by name and by
// their build lines, or the package would define things twice.
func (c *typeChecker) forThisPlatform(p *sourcePackage) []*ast.File {
	var files []*ast.File
	for _, f := range p.files {
		name := c.tree.fset.Position(f.Package).Filename
		if ok, err := build.Default.MatchFile(filepath.Dir(name), filepath.Base(name)); ok || err != nil {
			files = append(files, f)
		}
	}
	return files
}

func checkPure(c *typeChecker, p *sourcePackage) []finding {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	if _, err := c.check(p, info, nil); err != nil {
		return []finding{at(p.files[0].Package, "cannot check package %s for purity: %v", p.path, err)}
	}
	var found []finding
	for _, f := range p.files {
		found = append(found, impureImportsOf(p, f)...)
		w := pureChecker{info: info, marked: markedLines(c.tree.fset, f, "any order:"), fset: c.tree.fset}
		ast.Walk(&w, f)
		found = append(found, w.found...)
	}
	return found
}

func impureImportsOf(p *sourcePackage, f *ast.File) []finding {
	var found []finding
	for _, spec := range f.Imports {
		target := importPath(spec)
		what, bad := impureImports[target]
		foreign := !isStandard(target) && !slices.Contains(pureModules, target)
		switch {
		case bad:
			found = append(found, at(spec.Pos(), "%s is pure and imports %s (%s): decide in pure code, act at the edge", p.path, target, what))
		case foreign:
			found = append(found, at(spec.Pos(), "%s is pure and imports %s, which is not among the pure modules of repo_test.go", p.path, target))
		}
	}
	return found
}

// markedLines are the lines with a comment that holds mark and a reason after
// it, and the lines just below such a comment.
func markedLines(fset *token.FileSet, f *ast.File, mark string) map[int]bool {
	lines := map[int]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			_, reason, ok := strings.Cut(c.Text, mark)
			if ok && strings.TrimSpace(reason) != "" {
				lines[fset.Position(c.Pos()).Line] = true
				lines[fset.Position(group.End()).Line+1] = true
			}
		}
	}
	return lines
}

// pureChecker walks one file of a pure package.
type pureChecker struct {
	fset   *token.FileSet
	info   *types.Info
	marked map[int]bool
	found  []finding
}

func (c *pureChecker) add(n ast.Node, format string, args ...any) {
	c.found = append(c.found, at(n.Pos(), format, args...))
}

// Visit implements [ast.Visitor].
func (c *pureChecker) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.GoStmt:
		c.add(n, "a goroutine in pure code: its order is luck")
	case *ast.SelectStmt:
		c.add(n, "a select in pure code: its choice is chance")
	case *ast.ChanType:
		c.add(n, "a channel in pure code: it blocks")
	case *ast.RangeStmt:
		c.checkRange(n)
	case *ast.CallExpr:
		return c.checkCall(n)
	case *ast.SelectorExpr:
		pkg, name := c.qualified(n)
		if slices.Contains(impureNames[pkg], name) {
			c.add(n, "%s.%s in pure code: pass the fact in, with the command or the view", pkg, name)
		}
	}
	return c
}

func (c *pureChecker) checkRange(n *ast.RangeStmt) {
	if n.Key == nil && n.Value == nil {
		return // only counts
	}
	if _, isMap := c.info.TypeOf(n.X).Underlying().(*types.Map); isMap && !c.isMarked(n) {
		c.add(n, "a range over a map in pure code: sort first (slices.Sorted(maps.Keys(m))), or say why any order does: // any order: …")
	}
}

// checkCall catches maps.Keys and its sisters, unless their result is sorted at once.
func (c *pureChecker) checkCall(n *ast.CallExpr) ast.Visitor {
	pkg, name := c.callee(n)
	if pkg == "maps" && slices.Contains([]string{"Keys", "Values", "All"}, name) && !c.isMarked(n) {
		c.add(n, "maps.%s in pure code yields chance order: wrap it in slices.Sorted, or say why any order does: // any order: …", name)
	}
	if pkg != "slices" || !strings.HasPrefix(name, "Sorted") || len(n.Args) == 0 {
		return c
	}
	inner, ok := n.Args[0].(*ast.CallExpr)
	if pkg, _ := c.callee(inner); !ok || pkg != "maps" {
		return c
	}
	for _, arg := range slices.Concat(inner.Args, n.Args[1:]) {
		ast.Walk(c, arg)
	}
	return nil
}

func (c *pureChecker) isMarked(n ast.Node) bool { return c.marked[c.fset.Position(n.Pos()).Line] }

// callee is the package and name of a call to a function of another package, or empty.
func (c *pureChecker) callee(n *ast.CallExpr) (pkg, name string) {
	if n == nil {
		return "", ""
	}
	fun := ast.Unparen(n.Fun)
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		return c.qualified(sel)
	}
	return "", ""
}

func (c *pureChecker) qualified(sel *ast.SelectorExpr) (pkg, name string) {
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	if pkgName, ok := c.info.Uses[id].(*types.PkgName); ok {
		return pkgName.Imported().Path(), sel.Sel.Name
	}
	return "", ""
}

// ---- 5. init and package variables

// tableCalls make a value that nobody changes: an error, a pattern, a table.
var tableCalls = regexp.MustCompile(`^(errors\.New|fmt\.Errorf|(kith\.)?Errorf|strings\.NewReplacer|time\.Date|prometheus\.ExponentialBuckets|(\w+\.)?Must\w*)$`)

func checkVariables(fset *token.FileSet, p *sourcePackage, allowed map[string]string) []finding {
	var found []finding
	tables := map[string]bool{}
	for _, f := range p.files {
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					found = append(found, at(d.Pos(), "%s has an init function: wiring is one readable function, called from main", p.path))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					found = append(found, checkVarDecl(p, d, allowed, tables)...)
				}
			}
		}
	}
	return append(found, checkTablesStay(fset, p, tables)...)
}

func checkVarDecl(p *sourcePackage, d *ast.GenDecl, allowed map[string]string, tables map[string]bool) []finding {
	var found []finding
	for _, spec := range d.Specs {
		s := spec.(*ast.ValueSpec)
		for i, name := range s.Names {
			embedded := strings.Contains(rawText(d.Doc)+rawText(s.Doc), "//go:embed")
			if name.Name == "_" || embedded || allowed[p.path+"."+name.Name] != "" {
				continue
			}
			if len(s.Values) != len(s.Names) || !isTable(s.Values[i]) {
				found = append(found, at(name.Pos(), "package variable %s.%s is no error, table or pattern: give the state an owner, or make it a const", p.path, name.Name))
				continue
			}
			tables[name.Name] = true
		}
	}
	return found
}

// rawText is a comment with its directives, which Text leaves out.
func rawText(g *ast.CommentGroup) string {
	var b strings.Builder
	if g != nil {
		for _, c := range g.List {
			b.WriteString(c.Text + "\n")
		}
	}
	return b.String()
}

// isTable reports whether e is a value meant to be read only.
func isTable(e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return !strings.HasPrefix(types.ExprString(x.Type), "sync.")
	case *ast.UnaryExpr:
		lit, ok := x.X.(*ast.CompositeLit)
		return x.Op == token.AND && ok && strings.HasSuffix(types.ExprString(lit.Type), "Error")
	case *ast.CallExpr:
		if sel, ok := x.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "WithHint" {
			return isTable(sel.X)
		}
		_, conversion := x.Fun.(*ast.ArrayType)
		return conversion || tableCalls.MatchString(types.ExprString(x.Fun))
	}
	return false
}

// checkTablesStay finds assignments to package tables. Types are checked without
// imports and errors are let pass: only which name is which variable matters.
func checkTablesStay(fset *token.FileSet, p *sourcePackage, tables map[string]bool) []finding {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: noImports{}, Error: func(error) {}}
	pkg, _ := conf.Check(p.path, fset, p.files, info)
	var found []finding
	changed := func(e ast.Expr) {
		id := rootIdent(e)
		if id == nil || !tables[id.Name] {
			return
		}
		if v := info.Uses[id]; v != nil && v.Parent() == pkg.Scope() {
			found = append(found, at(e.Pos(), "package variable %s.%s is changed here: tables are for reading", p.path, id.Name))
		}
	}
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					changed(e)
				}
			case *ast.IncDecStmt:
				changed(n.X)
			case *ast.CallExpr:
				if fun, ok := n.Fun.(*ast.Ident); ok && (fun.Name == "delete" || fun.Name == "clear") && len(n.Args) > 0 {
					changed(n.Args[0])
				}
			}
			return true
		})
	}
	return found
}

// noImports is an importer that finds nothing.
type noImports struct{}

func (noImports) Import(string) (*types.Package, error) { return nil, errors.New("not looked up") }

// rootIdent is x of x, x[i], x.f, *x and their nestings.
func rootIdent(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// ---- 6. sleeping tests

func checkSleep(fset *token.FileSet, p *sourcePackage) []finding {
	files := slices.Clone(p.tests)
	if strings.HasSuffix(p.name, "test") { // storetest, opstest: tests in all but file name
		files = append(files, p.files...)
	}
	var found []finding
	for _, f := range files {
		marked := markedLines(fset, f, bubbleMark)
		timeouts := map[ast.Node]bool{} // the cases of select
		ast.Inspect(f, func(n ast.Node) bool {
			if inBubble(n) {
				return false
			}
			if clause, ok := n.(*ast.CommClause); ok {
				timeouts[clause.Comm] = true
			}
			if sleeps(n) && !timeouts[n] && !marked[fset.Position(n.Pos()).Line] {
				found = append(found, at(n.Pos(), "a test sleeps: wait for an event, a revision or settle, or use testing/synctest"))
			}
			return true
		})
	}
	return found
}

// bubbleMark, with a reason after it, says that a helper is called with synctest's time only.
const bubbleMark = "in a synctest bubble:"

// inBubble reports whether time is a toy inside n: what synctest runs, and
// functions whose doc bears the mark.
func inBubble(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		return strings.HasPrefix(types.ExprString(n.Fun), "synctest.")
	case *ast.FuncDecl:
		return strings.Contains(n.Doc.Text(), bubbleMark)
	}
	return false
}

// sleeps reports whether n is time.Sleep(…) or the bare statement <-time.After(…).
func sleeps(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		return types.ExprString(n.Fun) == "time.Sleep"
	case *ast.ExprStmt:
		receive, ok := n.X.(*ast.UnaryExpr)
		if !ok || receive.Op != token.ARROW {
			return false
		}
		call, ok := receive.X.(*ast.CallExpr)
		return ok && types.ExprString(call.Fun) == "time.After"
	}
	return false
}
