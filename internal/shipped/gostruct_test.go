package shipped

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kith"
	"kith/contract"
)

// The structs exported from every contract of ours compile, and what the contracts' examples
// hold goes through them as package kith/ops loads and saves databags, with nothing lost.
// The files are in no folder of the checkout: an overlay shows them to the compiler.
func TestGoStructs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiles a package")
	}
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	o := overlay{t: t, base: filepath.Join(root, "internal", "shipped", "generated"), dir: t.TempDir(), replace: map[string]string{}}
	var imports, cases strings.Builder
	for i, c := range all {
		pkg := fmt.Sprintf("p%d", i)
		code, err := c.GoStructs(pkg)
		if err != nil {
			t.Fatal(err)
		}
		o.write(filepath.Join(pkg, "x.go"), code)
		used := false
		for _, e := range c.Examples {
			if e.State != contract.Valid || e.Bag == contract.EitherBag {
				continue
			}
			named := map[string]string{} // the structs have no others
			for key, value := range e.Data {
				if _, ok := c.Side(e.Role).Bag(e.Bag).Key(key); ok {
					named[key] = value
				}
			}
			data, err := json.Marshal(named)
			if err != nil {
				t.Fatal(err)
			}
			typ := map[kith.Role]string{kith.Provider: "Provider", kith.Requirer: "Requirer", kith.Peer: "Peer"}[e.Role] + map[contract.BagKind]string{contract.AppBag: "App", contract.UnitBag: "Unit"}[e.Bag]
			fmt.Fprintf(&cases, "\tcheck[%s.%s](t, %q, %q)\n", pkg, typ, c.Interface+": "+e.Name, data)
			used = true
		}
		if used {
			fmt.Fprintf(&imports, "\t%q\n", "kith/internal/shipped/generated/"+pkg)
		}
	}
	o.write("x_test.go", []byte(fmt.Sprintf(roundTrip, imports.String(), cases.String())))
	table, err := json.Marshal(map[string]any{"Replace": o.replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.dir, "overlay.json")
	if err := os.WriteFile(file, table, 0o644); err != nil {
		t.Fatal(err)
	}
	// Neither vet nor go test itself can work in a folder that is not there.
	binary := filepath.Join(o.dir, "x.test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", file, "-o", binary, "kith/internal/shipped/generated")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd = exec.Command(binary, "-test.v")
	cmd.Dir = o.dir
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestRoundTrip/postgresql_client") {
		t.Errorf("%v\n%s", err, out)
	}
}

// overlay collects files that the compiler sees in a folder that is not there.
type overlay struct {
	t         *testing.T
	base, dir string
	replace   map[string]string
}

func (o *overlay) write(name string, text []byte) {
	o.t.Helper()
	file := filepath.Join(o.dir, strings.ReplaceAll(name, string(filepath.Separator), "-"))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		o.t.Fatal(err)
	}
	o.replace[filepath.Join(o.base, name)] = file
}

// roundTrip is a test of generated structs: a charm loads its own bag into one and saves it.
const roundTrip = `package generated

import (
	"encoding/json"
	"reflect"
	"testing"

	"kith/ops"
	"kith/ops/opstest"
%s)

func TestRoundTrip(t *testing.T) {
%s}

func check[T any](t *testing.T, name, data string) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		want := map[string]string{}
		if err := json.Unmarshal([]byte(data), &want); err != nil {
			t.Fatal(err)
		}
		var loaded T
		charm := func(f *ops.Framework) (*ops.Model, error) {
			m := f.Model()
			f.Observe(ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error {
				r, err := m.GetRelation("all")
				if err != nil {
					return err
				}
				if err := r.Load(r.App, &loaded); err != nil {
					return err
				}
				return r.Save(m.App(), &loaded)
			}))
			return m, nil
		}
		h := opstest.New(t, charm, opstest.YAML("name: x\ntype: charm\nsummary: x\ndescription: x\nbase: ubuntu@24.04\nplatforms: {amd64: }\nprovides: {all: {interface: round-trip}}\n"))
		h.SetLeader(true)
		h.Begin()
		id := h.AddRelation("all", "other")
		h.AddRelationUnit(id, "other/0")
		h.UpdateRelationData(id, "other", want)
		h.UpdateStatus()
		got := h.GetRelationData(id, string(h.App()))
		for key := range want {
			if !same(got[key], want[key]) {
				t.Errorf("%%s was %%s, and is %%s", key, want[key], got[key])
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %%v, want %%v", got, want)
		}
	})
}

// same reports whether two values are one text, or JSON texts of one value.
func same(a, b string) bool {
	var x, y any
	return a == b || json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}
`
