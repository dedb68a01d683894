package main

import (
	"testing"

	"kith/ops"
	"kith/ops/opstest"
)

func TestAnswersClients(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newCharm)
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	if got, want := h.Status(), ops.ActiveStatus("ready on port 5432"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	id := h.AddRelation(endpoint, "shop", opstest.AppData(map[string]string{"database": "orders"}))
	answer := h.GetRelationData(id, "go-database")
	if answer["database"] != "orders" || answer["endpoints"] == "" {
		t.Fatalf("it answered %v", answer)
	}
	h.UpdateConfig(map[string]any{"port": 5433})
	if got := h.OpenedPorts(); len(got) != 1 || got[0] != "5433/tcp" {
		t.Errorf("open: %v", got)
	}
	if again := h.GetRelationData(id, "go-database"); again["endpoints"] == answer["endpoints"] || again["secret-user"] != answer["secret-user"] || again["password"] != answer["password"] {
		t.Errorf("after the change it says %v, and said %v", again, answer)
	}
	r := h.RunAction("users", nil)
	if r.Status != "completed" || r.Results["shop"] == nil {
		t.Errorf("the action says %+v", r)
	}
}
