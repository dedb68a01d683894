package opstest_test

import (
	"fmt"
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
