// Command stats prints how large the packages of a tree are, how much of each is
// comment, and the ten longest files and functions. It judges nothing: a long
// function is a question for people, not an error.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// longest is how many files and functions are listed.
const longest = 10

func main() {
	root := "."
	if len(os.Args) > 1 {
		root = os.Args[1]
	}
	s, err := measure(os.DirFS(root))
	if err == nil {
		err = s.print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
}

// size is something with a length in lines.
type size struct {
	name  string
	lines int
}

// pkg is one folder of Go files.
type pkg struct {
	files, lines, comments, tests int
}

// stats is what was measured. Test files count in pkg.tests and nowhere else.
type stats struct {
	packages    map[string]*pkg
	files, funs []size
}

// measure reads every Go file below the root of tree.
func measure(tree fs.FS) (*stats, error) {
	s := &stats{packages: map[string]*pkg{}}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base[0] == '.' || base == "testdata" || base == "build"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go"):
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		return s.add(name, text)
	})
	return s, err
}

// add measures one file.
func (s *stats) add(name string, text []byte) error {
	dir := filepath.ToSlash(filepath.Dir(name))
	p := s.packages[dir]
	if p == nil {
		p = &pkg{}
		s.packages[dir] = p
	}
	lines := bytes.Count(text, []byte("\n"))
	if strings.HasSuffix(name, "_test.go") {
		p.tests += lines
		return nil
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		return err
	}
	length := func(n ast.Node) int { return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1 }
	p.files++
	p.lines += lines
	for _, c := range file.Comments {
		p.comments += length(c)
	}
	s.files = append(s.files, size{name, lines})
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
			place := fmt.Sprintf("%s  %s:%d", f.Name.Name, name, fset.Position(f.Pos()).Line)
			s.funs = append(s.funs, size{place, length(f.Type) + length(f.Body) - 1})
		}
	}
	return nil
}

// print writes the tables, packages by name and the rest by length.
func (s *stats) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "files\tlines\tcomment\ttests\t  package")
	var all pkg
	names := make([]string, 0, len(s.packages))
	for name, p := range s.packages {
		names = append(names, name)
		all.files += p.files
		all.lines += p.lines
		all.comments += p.comments
		all.tests += p.tests
	}
	slices.Sort(names)
	for _, name := range names {
		s.packages[name].print(t, name)
	}
	all.print(t, "(all)")
	if err := t.Flush(); err != nil {
		return err
	}
	printLongest(w, "longest files", s.files)
	printLongest(w, "longest functions", s.funs)
	return nil
}

func (p *pkg) print(w io.Writer, name string) {
	fmt.Fprintf(w, "%d\t%d\t%d%%\t%d\t  %s\n", p.files, p.lines, 100*p.comments/max(p.lines, 1), p.tests, name)
}

func printLongest(w io.Writer, title string, sizes []size) {
	slices.SortFunc(sizes, func(a, b size) int {
		return cmp.Or(cmp.Compare(b.lines, a.lines), strings.Compare(a.name, b.name))
	})
	fmt.Fprintf(w, "\n%s\n", title)
	for _, s := range sizes[:min(longest, len(sizes))] {
		fmt.Fprintf(w, "%7d  %s\n", s.lines, s.name)
	}
}
