package main

import (
	"errors"
	"strings"
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

// The charm exchanges tokens with the shell charm of the other side, which runs as processes,
// whatever the order of their hooks.
func TestWithShellProvider(t *testing.T) {
	t.Parallel()
	provider := opstest.Folder("../token-provider")
	opstest.Explore(t, func(m *opstest.Model) error {
		m.Deploy("go-token-requirer", opstest.NewCharm(newCharm))
		m.Deploy("token-provider", provider)
		rel := m.Integrate("go-token-requirer", "token-provider")
		m.Settle()
		if rel.Bag("token-provider/0")["token"] == "" {
			return errors.New("the shell charm has given no token")
		}
		if got := m.UnitStatus("go-token-requirer/0").String(); !strings.HasPrefix(got, "active: token-provider: 1 token(s)") {
			return errors.New("the charm is " + got)
		}
		return nil
	}, opstest.Runs(2))
}
