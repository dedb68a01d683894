package scaffold_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/charm"
	"kith/internal/scaffold"
)

// write makes a new charm in a folder, as kith init does.
func write(t *testing.T, name kith.AppName) string {
	t.Helper()
	sdk, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return writeWith(t, scaffold.Options{Name: name, SDK: sdk})
}

func writeWith(t *testing.T, o scaffold.Options) string {
	t.Helper()
	files, err := scaffold.Files(o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A new charm is formatted, vetted, passes its tests and builds, without a network.
func TestNewCharm(t *testing.T) {
	t.Parallel()
	dir := write(t, "shop")
	run(t, dir, "gofmt -l .", "go vet ./...", "go test ./...", "go build -o dispatch .")
	if err := charm.CheckRunnable(dir); err != nil {
		t.Error(err)
	}
	c, err := charm.Read(dir)
	if err != nil || c.Meta.Name != "shop" || len(c.Actions) != 1 || len(c.Bases) != 1 {
		t.Errorf("charm %+v, %v", c, err)
	}
	// The archive holds the program, and not its source.
	packed := filepath.Join(t.TempDir(), "shop.charm")
	f, err := os.Create(packed)
	if err != nil {
		t.Fatal(err)
	}
	if err := charm.Pack(dir, f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := charm.List(packed)
	want := []string{".gitignore", "README.md", "actions.yaml", "charmcraft.yaml", "config.yaml", "dispatch", "manifest.yaml", "metadata.yaml", "revision"}
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("the archive holds %q, want %q (%v)", names, want, err)
	}
}

// run runs commands in a folder, without a network. Each succeeds, and gofmt says nothing.
func run(t *testing.T, dir string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		args := strings.Fields(line)
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-trimpath", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil || args[0] == "gofmt" && len(out) > 0 {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
}

// A charm may be called as kith is, or a part of Go: its module is called otherwise.
func TestNamesOfOthers(t *testing.T) {
	t.Parallel()
	for _, name := range []kith.AppName{"kith", "go", "net"} {
		run(t, write(t, name), "go build -o dispatch .")
	}
}

// A checkout may be in a folder whose name is more than a word.
func TestSDKInAFolderOfTwoWords(t *testing.T) {
	t.Parallel()
	sdk, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "my (own) kith")
	if err := os.Symlink(sdk, link); err != nil {
		t.Fatal(err)
	}
	run(t, writeWith(t, scaffold.Options{Name: "shop", SDK: link}), "go build -o dispatch .")
}

// A program that was not built with -trimpath knows where it comes from.
func TestCompiledFrom(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	_, file, _, _ := runtime.Caller(0)
	want := ""
	if filepath.IsAbs(file) {
		want = filepath.Dir(filepath.Dir(here))
	}
	if got := scaffold.CompiledFrom(); got != want {
		t.Errorf("compiled from %q, want %q", got, want)
	}
}

func TestFindSDK(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Dir(filepath.Dir(here))
	elsewhere := t.TempDir()
	if got := scaffold.FindSDK(elsewhere, here); got != root {
		t.Errorf("found %q, want %q", got, root)
	}
	if got := scaffold.FindSDK(elsewhere); got != "" {
		t.Errorf("found %q where there is none", got)
	}
	for name, mod := range map[string]string{"no file": "", "another module": "module other\n"} {
		dir := t.TempDir()
		if mod != "" {
			if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := scaffold.Files(scaffold.Options{Name: "shop", SDK: dir}); kith.CodeOf(err) != kith.NotFound || kith.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
