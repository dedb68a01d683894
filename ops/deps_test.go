package ops_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A charm is started for each event, and pays each time for what it links: the JSON
// schemas that package kith/charm needs cost 10 ms at every start.
func TestDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "kith/ops/lib/database").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"go.yaml.in/yaml/v3", "kith", "kith/internal/hookwire", "kith/ops", "kith/ops/lib/database"}
	got := strings.Fields(string(out))
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("a charm links %q, want %q", got, want)
	}
}
