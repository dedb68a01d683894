package main

import (
	"testing"

	"kith"
	"kith/ops/opstest"
)

// Every event of a relation's life, with the other side written by the test.
func TestRelationLife(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	h.BeginWithInitialHooks()
	if got := h.Status(); got.Name != kith.Waiting {
		t.Errorf("alone: %s", got)
	}
	id := h.AddRelation(endpoint, "requirer")
	if h.GetRelationData(id, "go-token-provider/0")["token"] == "" {
		t.Error("no token")
	}
	if got := h.GetRelationData(id, "go-token-provider"); got != nil {
		t.Errorf("a unit that does not lead wrote %v", got)
	}
	h.SetLeader(true)
	if got := h.GetRelationData(id, "go-token-provider")["special-field"]; got != "special" {
		t.Errorf("special-field is %q", got)
	}
	h.AddRelationUnit(id, "requirer/0")
	h.UpdateRelationData(id, "requirer/0", map[string]string{"token": "theirs"})
	h.UpdateRelationData(id, "requirer", map[string]string{"special-field": "s2", "leader-uuid": "u"})
	if got, want := h.Status().String(), "active: requirer: 1 token(s), special-field s2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	h.UpdateConfig(map[string]any{"special-field": "mine"})
	if got := h.GetRelationData(id, "go-token-provider")["special-field"]; got != "mine" {
		t.Errorf("special-field is %q", got)
	}
	h.RemoveRelationUnit(id, "requirer/0")
	if got, want := h.Status().String(), "active: requirer: 0 token(s), special-field s2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	h.RemoveRelation(id)
	if got := h.Status(); got.Name != kith.Waiting {
		t.Errorf("alone again: %s", got)
	}
}

// The token outlives the charm's value, which is made anew for each event.
func TestTokenIsKept(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	h.BeginWithInitialHooks()
	first := opstest.CharmOf[*charm](h).kept.Token
	h.UpdateStatus()
	h.Upgrade()
	if got := opstest.CharmOf[*charm](h).kept.Token; got != first || got == "" {
		t.Errorf("the token is %q, and was %q", got, first)
	}
}
