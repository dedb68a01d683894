package kith_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// sourceTree is every Go package of the repository, parsed.
type sourceTree struct {
	fset     *token.FileSet
	packages []*sourcePackage
}

// sourcePackage is the files of one folder, whatever platform they are for.
type sourcePackage struct {
	path  string // internal/core; "." for kith itself
	name  string
	files []*ast.File // without tests
	tests []*ast.File
}

// finding is one broken rule and where.
type finding struct {
	pos  token.Pos
	text string
}

func at(pos token.Pos, format string, args ...any) finding {
	return finding{pos, fmt.Sprintf(format, args...)}
}

// loadTree parses the module whose go.mod is in root. It asks the file system
// and not the go command, so that files for other platforms are seen too.
func loadTree(root string) (*sourceTree, error) {
	tree := &sourceTree{fset: token.NewFileSet()}
	byPath := map[string]*sourcePackage{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && skipDir(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(tree.fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := relative(root, name)
		p := byPath[dir]
		if p == nil {
			p = &sourcePackage{path: dir}
			byPath[dir] = p
			tree.packages = append(tree.packages, p)
		}
		p.add(name, file)
		return nil
	})
	return tree, err
}

// relative is the folder of name below root, with slashes.
func relative(root, name string) string {
	dir, err := filepath.Rel(root, filepath.Dir(name))
	if err != nil {
		dir = filepath.Dir(name)
	}
	return filepath.ToSlash(dir)
}

func skipDir(name string) bool {
	return name == "testdata" || name == "bin" || name == "build" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")
}

func (p *sourcePackage) add(name string, file *ast.File) {
	if strings.HasSuffix(name, "_test.go") {
		p.tests = append(p.tests, file)
		return
	}
	p.name = file.Name.Name
	p.files = append(p.files, file)
}

// only returns the packages with these paths, or below them, that exist.
func (t *sourceTree) only(paths []string) []*sourcePackage {
	var found []*sourcePackage
	for _, p := range t.packages {
		if len(p.files) > 0 && slices.ContainsFunc(paths, func(s string) bool { return under(p.path, s) }) {
			found = append(found, p)
		}
	}
	return found
}

// named returns the package with this name, if it exists.
func (t *sourceTree) named(name string) []*sourcePackage {
	i := slices.IndexFunc(t.packages, func(p *sourcePackage) bool { return p.path == name })
	if i < 0 {
		return nil
	}
	return t.packages[i : i+1]
}

// under reports whether path is parent or below it.
func under(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

// ---- 1. documentation

func checkPackageDoc(p *sourcePackage) []finding {
	if len(p.files) == 0 {
		return nil // tests only
	}
	for _, f := range p.files {
		if f.Doc == nil {
			continue
		}
		text := f.Doc.Text()
		if p.name != "main" && !strings.HasPrefix(text, "Package "+p.name+" ") {
			return []finding{at(f.Doc.Pos(), "the doc of package %s starts with %q: say \"Package %s …\", so that go doc reads well",
				p.path, firstLine(text), p.name)}
		}
		return nil
	}
	return []finding{at(p.files[0].Package, "package %s has no doc: say what it is, what it promises and what it does not do", p.path)}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func checkExportedDocs(p *sourcePackage) []finding {
	var found []finding
	missing := func(pos token.Pos, name string) {
		found = append(found, at(pos, "%s.%s is public and has no doc: who imports it has nothing else to go by", p.name, name))
	}
	for _, f := range p.files {
		for _, decl := range f.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					missing(d.Pos(), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					for _, name := range undocumented(d, spec) {
						missing(name.Pos(), name.Name)
					}
				}
			}
		}
	}
	return found
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

// undocumented lists the exported names of spec that have no comment. The doc
// of a group speaks for its constants and variables; a comment on the line does too.
func undocumented(d *ast.GenDecl, spec ast.Spec) []*ast.Ident {
	var names []*ast.Ident
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if s.Doc == nil && (d.Doc == nil || d.Lparen.IsValid()) {
			names = append(names, s.Name)
		}
	case *ast.ValueSpec:
		if s.Doc == nil && s.Comment == nil && d.Doc == nil {
			names = s.Names
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n *ast.Ident) bool { return !n.IsExported() })
}

// ---- 2. imports

func checkArrows(p *sourcePackage, rules []rule) []finding {
	own, ok := ruleFor(p.path, rules)
	if !ok && len(p.files) > 0 {
		return []finding{at(p.files[0].Package, "package %s has no line in the arrows of repo_test.go: say what it may import, and why", p.path)}
	}
	var found []finding
	for _, f := range p.files {
		for _, spec := range f.Imports {
			if target, ours := ownPackage(spec); ours && !mayImport(p.path, own, target, rules) {
				found = append(found, at(spec.Pos(), "%s may not import %s: %s", p.path, target, own.reason))
			}
		}
	}
	for _, f := range slices.Concat(p.files, p.tests) {
		for _, spec := range f.Imports {
			if target, _ := ownPackage(spec); under(target, simulator) && !under(p.path, simulator) {
				found = append(found, at(spec.Pos(), "%s may not import %s: nothing imports the simulator", p.path, target))
			}
		}
	}
	return found
}

func importPath(spec *ast.ImportSpec) string { return strings.Trim(spec.Path.Value, "`\"") }

// ownPackage is the name of an imported package of ours, below the module.
func ownPackage(spec *ast.ImportSpec) (string, bool) { return ownName(importPath(spec)) }

// ownName turns an import path of ours into a name below the module.
func ownName(importPath string) (string, bool) {
	if importPath == "kith" {
		return ".", true
	}
	return strings.CutPrefix(importPath, "kith/")
}

// ruleFor is the rule of pkg, or of its nearest parent below the root.
func ruleFor(pkg string, rules []rule) (rule, bool) {
	for dir := pkg; ; dir = path.Dir(dir) {
		if i := slices.IndexFunc(rules, func(r rule) bool { return r.pkg == dir }); i >= 0 {
			return rules[i], true
		}
		if !strings.Contains(dir, "/") {
			return rule{}, false
		}
	}
}

// mayImport reports whether pkg, which is under rule own, may import target.
func mayImport(pkg string, own rule, target string, rules []rule) bool {
	if slices.Contains(words, target) && !slices.Contains(wordless, pkg) {
		return true
	}
	theirs, ok := ruleFor(target, rules)
	may := strings.Fields(own.may)
	return ok && (theirs.pkg == own.pkg || slices.Contains(may, theirs.pkg) || slices.Contains(may, everything))
}

func checkFences(p *sourcePackage, fences []fence) []finding {
	var found []finding
	for _, f := range p.files {
		for _, spec := range f.Imports {
			for _, fence := range fences {
				if under(importPath(spec), fence.module) && !slices.ContainsFunc(strings.Fields(fence.only), func(s string) bool { return under(p.path, s) }) {
					found = append(found, at(spec.Pos(), "%s may not import %s: %s", p.path, importPath(spec), fence.reason))
				}
			}
		}
	}
	return found
}

// ---- 7. kith-hook, and the pages

func checkHookDeps(list string, own, never []string) []string {
	var found, ours []string
	for line := range strings.Lines(list) {
		standard, importPath, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case standard != "true":
			ours = append(ours, importPath)
		case slices.Contains(never, importPath):
			found = append(found, fmt.Sprintf("kith-hook links %s: every hook tool would pay for its start", importPath))
		}
	}
	slices.Sort(ours)
	if !slices.Equal(ours, own) {
		found = append(found, fmt.Sprintf("kith-hook links %v outside the standard library; the golden list is %v", ours, own))
	}
	return found
}

func checkDependencyPage(mod, page string) []string {
	var found []string
	for _, module := range directModules(mod) {
		reason := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(module) + "` \\|.*\\w{3,}.*\\w{3,}.*\\|$")
		if !reason.MatchString(page) {
			found = append(found, fmt.Sprintf("%s is a direct dependency without a line of reason in docs/dependencies.md", module))
		}
	}
	return found
}

func markdownPages(root string) ([]string, error) {
	var pages []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && skipDir(d.Name()):
			return filepath.SkipDir
		case strings.HasSuffix(name, ".md"):
			pages = append(pages, filepath.ToSlash(name))
		}
		return nil
	})
	return pages, err
}

var markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// relativeLinks are the targets in page that are files of ours, without their anchors.
func relativeLinks(page string) []string {
	var targets []string
	for _, m := range markdownLink.FindAllStringSubmatch(page, -1) {
		target, _, _ := strings.Cut(m[1], "#")
		if target != "" && !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") {
			targets = append(targets, target)
		}
	}
	return targets
}

// maxTracked is several times the largest file that anybody has written here.
const maxTracked = 256 << 10

// checkSizes says which of the tracked files are too large to have been written.
func checkSizes(sizes map[string]int64) []string {
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		if n := sizes[name]; n > maxTracked {
			bad = append(bad, fmt.Sprintf("%s has %d bytes, the limit is %d: was it built? (git rm --cached %s)", name, n, maxTracked, name))
		}
	}
	return bad
}
