package contract

import (
	"fmt"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
)

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("it is not what %s says (%v): go test ./contract -update\n%s", file, err, got)
	}
}

func TestExportGolden(t *testing.T) {
	t.Parallel()
	c := shopChecker(t).Contract()
	schema, err := c.JSONSchema(kith.Provider)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "shop-provider.json", string(schema))
	code, err := c.GoStructs("shop")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "shop.go.txt", string(code))
	if _, err := c.JSONSchema(kith.Peer); kith.CodeOf(err) != kith.NotFound {
		t.Error(err)
	}
	if _, err := c.GoStructs("no package"); kith.CodeOf(err) != kith.Invalid {
		t.Error(err)
	}
}

// What is exported of the whole catalogue can be read again and says the same of every
// key, and the Go compiles.
func TestExportCatalogue(t *testing.T) {
	t.Parallel()
	var imports []Import
	for _, f := range corpus(t) {
		imports = append(imports, ImportFile(f))
	}
	merged, _ := Merge(imports)
	for _, c := range merged {
		code, err := c.GoStructs("x")
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		file, err := goparser.ParseFile(fset, "x.go", code, 0)
		if err != nil {
			t.Fatal(err)
		}
		conf := types.Config{Importer: rawMessages{}}
		if _, err := conf.Check("x", fset, []*ast.File{file}, nil); err != nil {
			t.Errorf("%s: %v\n%s", c.Interface, err, code)
		}
		for _, role := range c.Roles() {
			exportedAgain(t, c, role)
		}
	}
}

// rawMessages is encoding/json as far as exported files use it.
type rawMessages struct{}

func (rawMessages) Import(string) (*types.Package, error) {
	pkg := types.NewPackage("encoding/json", "json")
	name := types.NewTypeName(token.NoPos, pkg, "RawMessage", nil)
	types.NewNamed(name, types.NewSlice(types.Typ[types.Byte]), nil)
	pkg.Scope().Insert(name)
	pkg.MarkComplete()
	return pkg, nil
}

func exportedAgain(t *testing.T, c *Contract, role kith.Role) {
	t.Helper()
	schema, err := c.JSONSchema(role)
	if err != nil {
		t.Fatal(err)
	}
	again := ImportFile(File{fmt.Sprintf("%s/v%d/%s.json", c.Interface, c.Version, role), schema})
	if again.Contract == nil {
		t.Fatalf("%s %s: %s", c.Interface, role, again.Refused)
	}
	for _, kind := range []BagKind{AppBag, UnitBag} {
		was := c.Side(role).joined(kind)
		if was == nil {
			continue
		}
		for _, k := range was.Keys {
			now, ok := again.Contract.Side(role).Bag(kind).Key(k.Name)
			if !ok || k.Unchecked == "" && now.Encoding != k.Encoding || now.Required != k.Required {
				t.Errorf("%s %s %s: %s was %+v, is %+v", c.Interface, role, kind, k.Name, k, now)
			}
		}
	}
}

// Text from a contract cannot leave its comment or its tag.
func TestGoStructsHostile(t *testing.T) {
	t.Parallel()
	c := &Contract{Interface: "x", Provider: &Side{App: &Bag{Keys: []Key{
		{Name: "a`b\"", Encoding: Raw}, {Name: "c", Encoding: Raw, Description: "one\n} type X int //\rtwo"}, {Name: "d e", Encoding: JSON},
		{Name: "9", Encoding: Raw}, {Name: "C", Encoding: Raw}, {Name: "-", Encoding: Raw},
	}}}}
	code, err := c.GoStructs("x")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(code), "\n} type X") || strings.Contains(string(code), "databag:\"a`b") {
		t.Errorf("%s", code)
	}
}
