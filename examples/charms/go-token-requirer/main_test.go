package main

import (
	"testing"

	"kith"
	"kith/ops/opstest"
)

func TestReconciles(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	id := h.AddRelation(endpoint, "provider", opstest.AppData(map[string]string{"special-field": "theirs"}),
		opstest.UnitData(map[string]string{"token": "t"}))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	if got, want := h.Status().String(), "active: provider: 1 token(s), special-field theirs"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	own, app := h.GetRelationData(id, "go-token-requirer/0"), h.GetRelationData(id, "go-token-requirer")
	if own["token"] == "" || app["leader-uuid"] != own["token"] || app["special-field"] != "special" {
		t.Errorf("it wrote %v and %v", own, app)
	}
	h.RemoveRelation(id)
	if got := h.Status(); got.Name != kith.Waiting {
		t.Errorf("alone: %s", got)
	}
}
