package main

import (
	"strings"
	"testing"

	"kith/ops/opstest"
)

// config-changed reads every databag of every relation.
func TestReadsEveryDatabag(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	token := h.AddRelation("token", "other", opstest.AppData(map[string]string{"special-field": "x"}), opstest.UnitData(map[string]string{"token": "t"}))
	h.UpdateRelationData(token, "go-inspector/0", map[string]string{"mine": "m"})
	h.AddRelation("database", "db")
	h.Begin()
	h.Log()
	h.UpdateConfig(map[string]any{"topic": "some"})
	var log strings.Builder
	for _, line := range h.Log() {
		log.WriteString(line.Message + "\n")
	}
	for _, want := range []string{"other: special-field=x", "other/0: ", "token=t", "mine=m", "go-inspector: "} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in:\n%s", want, log.String())
		}
	}
	// It does not lead: its application's data in the two relations is not for it.
	if got := h.Status().String(); !strings.HasSuffix(got, "2 are not for this unit") {
		t.Errorf("got %s", got)
	}
	h.SetLeader(true)
	h.UpdateConfig(nil, "topic")
	if got := h.Status().String(); !strings.HasSuffix(got, "0 are not for this unit") {
		t.Errorf("as the leader: %s", got)
	}
}
