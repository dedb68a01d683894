package opstest_test

import (
	"testing"

	"kith/ops"
	"kith/ops/opstest"
)

// A charm of scripts is the one under test of a harness, as one in Go is.
func TestHarnessOfFolder(t *testing.T) {
	t.Parallel()
	h := opstest.NewHarness(t, opstest.Folder(shellCharm(t,
		"hooks/install", "status-set maintenance \"$(config-get x)\"\n",
		"hooks/link-relation-changed", "relation-set \"said=$(relation-get say)\"; status-set active\n",
		"hooks/config-changed", "test \"$(config-get x)\" != bad\n",
		"hooks/upgrade-charm", "status-set active upgraded\n",
		"actions/backup", "action-set n=1\n")))
	rel := h.AddRelation("link", "other", opstest.UnitData(map[string]string{"say": "early"}))
	h.BeginWithInitialHooks()
	if got, want := h.EventNames(), `install
config-changed
link-relation-changed unit=other/0
`; got != want {
		t.Errorf("events\n%swant\n%s", got, want)
	}
	if got := h.GetRelationData(rel, "shell/0")["said"]; got != "early" {
		t.Errorf("the charm said %q", got)
	}
	h.UpdateRelationData(rel, "other/0", map[string]string{"say": "late"})
	if got := h.GetRelationData(rel, "shell/0")["said"]; got != "late" {
		t.Errorf("the charm said %q", got)
	}
	if got := h.Status(); got != ops.ActiveStatus("") {
		t.Errorf("status %v", got)
	}
	if r := h.RunAction("backup", nil); r.Results["n"] != "1" {
		t.Errorf("the action: %+v", r)
	}
	h.HooksDisabled(func() { h.UpdateRelationData(rel, "other/0", map[string]string{"say": "unheard"}) })
	if got := h.GetRelationData(rel, "shell/0")["said"]; got != "late" {
		t.Errorf("the charm heard %q with hooks disabled", got)
	}
	if err := h.Try(func() { h.UpdateConfig(map[string]any{"x": "bad"}) }); err == nil || err.Error() != "shell/0 config-changed failed: exit status 1" {
		t.Errorf("got %v", err)
	}
	h.UpdateConfig(map[string]any{"x": "good"})
	h.Retry()
	h.Upgrade()
	if got := h.Status(); got != ops.ActiveStatus("upgraded") {
		t.Errorf("status %v", got)
	}
}

// There is nothing of a process that a test could look into.
func TestCharmOfFolder(t *testing.T) {
	t.Parallel()
	h := opstest.NewHarness(t, opstest.Folder(shellCharm(t, "hooks/install", "true\n")))
	h.BeginWithInitialHooks()
	err := h.Try(func() { opstest.CharmOf[*testing.T](h) })
	if err == nil || err.Error() != "the charm runs as processes: there is no value to look at" {
		t.Errorf("got %v", err)
	}
}
