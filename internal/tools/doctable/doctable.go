// Package doctable reads tables of the documentation, and the names that Go packages declare, for tests that
// hold one against the other.
package doctable

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
)

var code = regexp.MustCompile("`([^`]+)`")

// Quoted lists what stands in backquotes in a line or cell.
func Quoted(text string) (all []string) {
	for _, m := range code.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// Exported holds the exported names of the package in a folder: Deploy, and of methods and
// fields Model.Deploy.
func Exported(dir string) (map[string]bool, error) {
	has := map[string]bool{}
	note := func(of string, name *ast.Ident) {
		if name.IsExported() {
			has[of+name.Name] = true
		}
	}
	err := declarations(dir, func(name string) bool { return !isTest(name) }, func(d ast.Decl) {
		switch d := d.(type) {
		case *ast.FuncDecl:
			note(receiver(d), d.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				noteSpec(s, note)
			}
		}
	})
	return has, err
}

func noteSpec(s ast.Spec, note func(of string, name *ast.Ident)) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			note("", name)
		}
	case *ast.TypeSpec:
		note("", s.Name)
		st, ok := s.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, field := range st.Fields.List {
			for _, name := range field.Names {
				note(s.Name.Name+".", name)
			}
		}
	}
}

// Tests holds the names of tests and examples in folders.
func Tests(dirs ...string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, dir := range dirs {
		err := declarations(dir, isTest, func(d ast.Decl) {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				all[fn.Name.Name] = true
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

// declarations calls f for each declaration of the wanted Go files of a folder.
func declarations(dir string, wanted func(name string) bool, f func(ast.Decl)) error {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if !wanted(name) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			f(d)
		}
	}
	return nil
}

// receiver is "Model." for a method of a Model.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	switch generic := x.(type) {
	case *ast.IndexExpr:
		x = generic.X
	case *ast.IndexListExpr:
		x = generic.X
	}
	if id, ok := x.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "?."
}
