package resolve_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"kith/internal/script"
)

// TestScripts runs the specification: every file below testdata/scripts is a
// history of one model. -rewrite writes what happened into the files; the diff is the review.
func TestScripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		w := script.New()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			text := d.Cmd
			for _, arg := range d.CmdArgs {
				text += " " + arg.String()
			}
			out, err := w.Run(text + "\n" + d.Input)
			if err != nil {
				d.Fatalf(t, "%v\n%s", err, out)
			}
			return strings.TrimRight(out, "\n")
		})
	})
}
