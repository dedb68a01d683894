package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// uses are the uses of a harness that the charms of the mission's examples are to show: the
// SpecialCharm pair, the DemoCharm and the charm that reads every databag.
var uses = map[string][]string{
	"go-token-*": {
		"opstest.New", "opstest.CharmOf", "opstest.AppData", "opstest.UnitData", "h.Begin", "h.BeginWithInitialHooks", "h.AddRelation", "h.AddRelationUnit",
		"h.UpdateRelationData", "h.GetRelationData", "h.UpdateConfig", "h.SetLeader", "h.RemoveRelationUnit", "h.RemoveRelation",
		"h.HooksDisabled", "h.EventNames", "h.Status", "opstest.NewCharm", "opstest.Folder", "opstest.Explore", "m.Deploy", "m.Integrate", "m.Settle", "rel.Bag",
	},
	"go-cluster": {
		"opstest.New", "h.BeginWithInitialHooks", "h.AddRelation", "h.AddRelationUnit", "h.UpdateRelationData", "h.GetRelationData",
		"h.SetLeader", "h.RemoveRelationUnit", "h.Log", "opstest.Explore", "opstest.Units", "m.RemoveUnit", "m.Leader", "m.Relation",
	},
	"go-inspector": {"opstest.New", "opstest.AppData", "opstest.UnitData", "h.AddRelation", "h.Begin", "h.UpdateConfig", "h.Log", "h.SetLeader"},
}

// Issue 4, item 4: tests of the examples show each use of the harness.
func TestUsesOfTheHarness(t *testing.T) {
	t.Parallel()
	for charms, calls := range uses { // any order: each alone
		files, err := filepath.Glob(filepath.Join("charms", charms, "main_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no tests of %s: %v", charms, err)
		}
		var text []byte
		for _, f := range files {
			one, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, one...)
		}
		for _, call := range calls {
			if !regexp.MustCompile(regexp.QuoteMeta(call) + `[(\[]`).Match(text) {
				t.Errorf("no test of %s shows %s", charms, call)
			}
		}
	}
}
