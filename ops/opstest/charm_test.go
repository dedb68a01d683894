package opstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith/ops/opstest"
)

func TestMetadataThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, from := range []opstest.Metadata{opstest.YAML("name: ["), opstest.Dir("no-such-folder"), opstest.YAML("name: web")} {
		tb := &recorder{}
		tb.run(func() { opstest.New(tb, newWeb, from) })
		if !strings.Contains(tb.fatal, "cannot read the charm's metadata") {
			t.Errorf("got %q", tb.fatal)
		}
	}
}

// recorder is a test that remembers how it ended.
type recorder struct {
	fatal    string
	logged   string
	cleanups []func()
}

func (*recorder) Helper()            {}
func (*recorder) Name() string       { return "recorded" }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Logf(format string, args ...any) { r.logged += fmt.Sprintf(format, args...) + "\n" }

type ended struct{}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	panic(ended{})
}

// run runs a test to its end.
func (r *recorder) run(test func()) {
	defer func() {
		if e := recover(); e != nil && e != any(ended{}) {
			panic(e)
		}
		for _, f := range r.cleanups {
			f()
		}
	}()
	test()
}

// What is wrong with a folder's metadata is found anew once it has been mended.
func TestDirIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "charmcraft.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func() string {
		tb := &recorder{}
		tb.run(func() { opstest.New(tb, newWeb, opstest.Dir(dir)).BeginWithInitialHooks() })
		return tb.fatal
	}
	for _, step := range []struct{ text, want string }{
		{"name: [", "cannot read the charm's metadata"},
		{strings.Replace(webYAML, "db: {interface: pgsql}", "", 1), `the charm has no endpoint "db"`},
		{webYAML, ""},
		{"name: [", "cannot read the charm's metadata"},
	} {
		write(step.text)
		if got := try(); !strings.Contains(got, step.want) || step.want == "" && got != "" {
			t.Errorf("with\n%s\nthe test ended with %q, want %q", step.text, got, step.want)
		}
	}
}
