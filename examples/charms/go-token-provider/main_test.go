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

// The events of a relation's life, in their order, as debug-log would show them.
func TestEventsInOrder(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	id := h.AddRelation(endpoint, "requirer") // before Begin: it is there when the unit starts
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	wantEvents(t, h, `install
token-relation-created app=requirer
leader-elected
config-changed
start
`)
	h.AddRelationUnit(id, "requirer/0")
	h.UpdateRelationData(id, "requirer/0", map[string]string{"token": "theirs"})
	h.UpdateRelationData(id, "requirer", map[string]string{"special-field": "s"})
	wantEvents(t, h, `token-relation-joined unit=requirer/0
token-relation-changed unit=requirer/0
token-relation-changed unit=requirer/0
token-relation-changed app=requirer
`)
	h.RemoveRelation(id)
	wantEvents(t, h, `token-relation-departed unit=requirer/0 departing=requirer/0
token-relation-broken app=requirer
`)
	if got := h.GetRelationData(h.AddRelation(endpoint, "another"), "go-token-provider"); got["special-field"] != "special" {
		t.Errorf("the next one is told %v", got)
	}
}

// What was there before Begin is no event. Neither is what happens while hooks are disabled.
func TestNoEvents(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	id := h.AddRelation(endpoint, "requirer", opstest.UnitData(map[string]string{"token": "theirs"}))
	h.Begin()
	h.HooksDisabled(func() { h.UpdateConfig(map[string]any{"special-field": "unheard"}) })
	wantEvents(t, h, "")
	h.UpdateRelationData(id, "requirer/0", map[string]string{"token": "new"})
	wantEvents(t, h, "token-relation-changed unit=requirer/0\n")
}

// wantEvents compares the events since it was called last.
func wantEvents(t *testing.T, h *opstest.Harness, want string) {
	t.Helper()
	if got := h.EventNames(); got != want {
		t.Errorf("the events are\n%s, want\n%s", got, want)
	}
}
