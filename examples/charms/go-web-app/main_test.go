package main

import (
	"os"
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

// The database's side is written by the test.
func TestConnects(t *testing.T) {
	t.Parallel()
	h := opstest.NewHarness(t, opstest.NewCharm(newCharm).WithFiles())
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	if got := h.Status(); got.Name != kith.Blocked {
		t.Errorf("without a database: %s", got)
	}
	id := h.AddRelation("database", "postgresql")
	if got, want := h.Status(), ops.WaitingStatus("waiting for postgresql to make a database"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := h.GetRelationData(id, "go-web-app")["database"]; got != "web" {
		t.Errorf("it asked for database %q", got)
	}
	h.AddRelationUnit(id, "postgresql/0")
	secret := h.AddModelSecret(id, "postgresql", map[string]string{"username": "relation-1", "password": "pw"})
	h.GrantSecret(secret, id)
	h.UpdateRelationData(id, "postgresql", map[string]string{
		"database": "web", "endpoints": "10.0.0.7:5432", "version": "16", "secret-user": secret,
		"username": "relation-1", "password": "pw",
	})
	if got, want := h.Status(), ops.ActiveStatus("database web at 10.0.0.7:5432"); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	file := opstest.CharmOf[*charm](h).file
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "postgres://relation-1:pw@10.0.0.7:5432/web\n" {
		t.Errorf("the application reads %q, %v", text, err)
	}
	h.RemoveRelation(id)
	if _, err := os.Stat(file); err == nil {
		t.Error("the file is still there without a database")
	}
}

// The endpoint's limit is one, and it is Juju who says no.
func TestOnlyOneDatabase(t *testing.T) {
	t.Parallel()
	h := opstest.NewHarness(t, opstest.NewCharm(newCharm).WithFiles())
	h.Begin()
	h.AddRelation("database", "postgresql")
	if err := h.Try(func() { h.AddRelation("database", "mysql") }); kith.CodeOf(err) != kith.Invalid && kith.CodeOf(err) != kith.Conflict {
		t.Errorf("a second database: %v", err)
	}
}

// The charm beside the shell charm that it is deployed with: its hooks are processes.
func TestWithShellDatabase(t *testing.T) {
	t.Parallel()
	m := opstest.NewModel(t)
	m.Deploy("go-web-app", opstest.NewCharm(newCharm).WithFiles())
	m.Deploy("database", opstest.Folder("../database"))
	rel := m.Integrate("go-web-app", "database")
	m.Settle()
	if got := m.UnitStatus("go-web-app/0"); got.Name != kith.Active {
		t.Errorf("the web application: %s", got)
	}
	if got := rel.Bag("database")["database"]; got != "web" {
		t.Errorf("the shell charm has made database %q", got)
	}
}
