package database_test

import (
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/ops"
	"kith/ops/lib/database"
	"kith/ops/opstest"
)

// client is a charm that uses a database, and says what the library tells it.
type client struct {
	database *database.Requirer
}

const clientYAML = `
name: shop
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
requires:
  db: {interface: postgresql_client}
config:
  options:
    ready: {type: boolean, default: true}
`

func newClient(f *ops.Framework) (*client, error) {
	c := &client{}
	var config struct{ Ready bool }
	if err := f.Model().LoadConfig(&config); err != nil {
		return nil, err
	}
	var err error
	c.database, err = database.NewRequirer(f, "db", database.Request{Database: "shop", ExtraUserRoles: "admin"})
	if err != nil {
		return nil, err
	}
	f.Observe(
		c.database.OnCreated(func(e *database.CreatedEvent) error {
			e.Logger().Info("created " + e.Connection.String() + " " + e.Connection.Password)
			if !config.Ready {
				return e.Defer()
			}
			return nil
		}).Named("connect"),
		c.database.OnChanged(func(e *database.ChangedEvent) error {
			e.Logger().Info("changed " + e.Connection.String() + " " + e.Connection.Password)
			return nil
		}),
		c.database.OnRemoved(func(e *database.RemovedEvent) error {
			e.Logger().Info("removed " + e.Relation.String())
			return nil
		}),
	)
	return c, nil
}

// wantLog compares what a charm has logged since the last time.
func wantLog(t *testing.T, h *opstest.Harness, what string, want ...string) {
	t.Helper()
	var got []string
	for _, r := range h.Log() {
		got = append(got, strings.TrimPrefix(r.Message, "db:0: ")) // relation hooks log so
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: the charm was told %q, want %q", what, got, want)
	}
}

func TestRequirer(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newClient, opstest.YAML(clientYAML))
	h.SetLeader(true)
	h.Begin()
	id := h.AddRelation("db", "pg")
	asked := h.GetRelationData(id, "shop")
	for k, v := range map[string]string{"database": "shop", "extra-user-roles": "admin", "requested-secrets": `["username","password"]`} {
		if asked[k] != v {
			t.Errorf("asked with %v", asked)
		}
	}
	h.AddRelationUnit(id, "pg/0")
	wantLog(t, h, "without an answer")

	h.UpdateConfig(map[string]any{"ready": false})
	h.UpdateRelationData(id, "pg", map[string]string{"database": "shop", "endpoints": "h:1, h:2", "username": "u", "password": "s3cret"})
	wantLog(t, h, "answered", "created u@h:1,h:2/shop s3cret")
	for key, text := range h.StoredState() {
		if strings.Contains(text, "s3cret") {
			t.Errorf("the password is stored under %s: %s", key, text)
		}
	}
	h.UpdateConfig(nil, "ready")
	wantLog(t, h, "deferred, and read anew", "created u@h:1,h:2/shop s3cret")
	h.UpdateRelationData(id, "pg/0", map[string]string{"unrelated": "1"})
	wantLog(t, h, "nothing new")
	h.UpdateRelationData(id, "pg", map[string]string{"endpoints": "h:3"})
	wantLog(t, h, "moved", "changed u@h:3/shop s3cret")
	h.RemoveRelation(id)
	wantLog(t, h, "gone", "removed db:0")
}

// What was deferred comes back when the database is gone, and says so.
func TestRequirerDefersTooLong(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newClient, opstest.YAML(clientYAML))
	h.SetLeader(true)
	h.Begin()
	id := h.AddRelation("db", "pg")
	h.UpdateConfig(map[string]any{"ready": false})
	h.UpdateRelationData(id, "pg", map[string]string{"database": "shop", "endpoints": "h:1", "username": "u", "password": "pw"})
	h.RemoveRelation(id)
	h.Log()
	h.UpdateConfig(nil, "ready")
	wantLog(t, h, "deferred for too long", "created @/ ")
}

// A request that nobody would answer is refused.
func TestRequirerWithoutName(t *testing.T) {
	t.Parallel()
	_, err := ops.Run(t.Context(), ops.Dispatch{Env: ops.Env{DispatchPath: "hooks/start", Unit: "shop/0"}, Meta: &ops.CharmMeta{}}, func(f *ops.Framework) (*database.Requirer, error) {
		return database.NewRequirer(f, "db", database.Request{})
	})
	if kith.CodeOf(err) != kith.Invalid {
		t.Errorf("a request without a name: %v", err)
	}
}

// The leader asks, whoever that is.
func TestRequirerThatDoesNotLead(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newClient, opstest.YAML(clientYAML))
	h.Begin()
	id := h.AddRelation("db", "pg")
	if asked := h.GetRelationData(id, "shop"); len(asked) > 0 {
		t.Errorf("a unit that does not lead asked: %v", asked)
	}
	h.SetLeader(true)
	if asked := h.GetRelationData(id, "shop"); asked["database"] != "shop" {
		t.Errorf("the new leader asked: %v", asked)
	}
}

// Credentials in a secret: not readable yet, readable, and changed.
func TestRequirerReadsSecret(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newClient, opstest.YAML(clientYAML))
	h.SetLeader(true)
	h.Begin()
	rel := h.AddRelation("db", "pg")
	h.AddRelationUnit(rel, "pg/0")
	id := h.AddModelSecret(rel, "pg", map[string]string{"username": "u", "password": "one"})
	h.UpdateRelationData(rel, "pg", map[string]string{"database": "shop", "endpoints": "h:1", "secret-user": id})
	wantLog(t, h, "a secret that is not granted yet")
	h.GrantSecret(id, rel)
	h.UpdateRelationData(rel, "pg", map[string]string{"version": "16"})
	wantLog(t, h, "and one that is", "created u@h:1/shop one")
	h.SetSecretContent(id, map[string]string{"username": "u", "password": "two"})
	wantLog(t, h, "another password", "changed u@h:1/shop two")
}

const serverYAML = `
name: pg
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
provides:
  db: {interface: postgresql_client}
config:
  options:
    answer: {type: boolean, default: true}
`

// server is a charm that has databases to give.
type server struct{ database *database.Provider }

func newServer(f *ops.Framework) (*server, error) {
	var config struct{ Answer bool }
	if err := f.Model().LoadConfig(&config); err != nil {
		return nil, err
	}
	s := &server{database.NewProvider(f, "db")}
	f.Observe(
		s.database.OnRequested(func(e *database.RequestedEvent) error {
			e.Logger().Info("requested " + e.Request.Database + " by " + string(e.Request.Client))
			if !config.Answer {
				return nil
			}
			return s.database.Publish(e.Request.Relation, database.Connection{Database: "shop", Endpoints: []string{"h:1", "h:2"}, Username: "u", Password: "pw"})
		}),
		s.database.OnReleased(func(e *database.ReleasedEvent) error {
			e.Logger().Info("released by " + string(e.Client))
			return nil
		}),
		ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error { // another password for everybody
			requests, err := s.database.Requests()
			if err != nil {
				return err
			}
			for _, r := range requests {
				c, err := s.database.Published(r.Relation)
				if err != nil {
					return err
				}
				c.Password += "+"
				if err := s.database.Publish(r.Relation, *c); err != nil {
					return err
				}
			}
			return nil
		}),
	)
	return s, nil
}

func TestProvider(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newServer, opstest.YAML(serverYAML))
	h.SetLeader(true)
	h.Begin()
	id := h.AddRelation("db", "shop")
	h.AddRelationUnit(id, "shop/0")
	wantLog(t, h, "a client that has not asked")
	h.UpdateConfig(map[string]any{"answer": false})
	h.UpdateRelationData(id, "shop", map[string]string{"database": "shop"})
	h.UpdateRelationData(id, "shop/0", map[string]string{"unrelated": "1"})
	wantLog(t, h, "until it is answered", "requested shop by shop", "requested shop by shop")
	h.UpdateConfig(nil, "answer")
	h.UpdateRelationData(id, "shop/0", map[string]string{"unrelated": "2"})
	wantLog(t, h, "and then", "requested shop by shop")
	h.UpdateRelationData(id, "shop/0", map[string]string{"unrelated": "3"})
	wantLog(t, h, "no more")
	if got := h.GetRelationData(id, "pg"); got["endpoints"] != "h:1,h:2" || got["password"] != "pw" || got["secret-user"] != "" {
		t.Errorf("answered %v", got)
	}
	h.UpdateStatus()
	if got := h.GetRelationData(id, "pg"); got["password"] != "pw+" {
		t.Errorf("another password: %v", got)
	}
	h.RemoveRelation(id)
	wantLog(t, h, "gone", "released by shop")
}

func TestProviderSharesSecret(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newServer, opstest.YAML(serverYAML))
	h.SetLeader(true)
	h.Begin()
	rel := h.AddRelation("db", "shop", opstest.AppData(map[string]string{"database": "shop", "requested-secrets": `["username","password"]`}))
	got := h.GetRelationData(rel, "pg")
	id := got["secret-user"]
	if got["password"] != "" || got["username"] != "" || id == "" {
		t.Fatalf("answered %v", got)
	}
	if grants := h.SecretGrants(id); !slices.Equal(grants, []string{"shop"}) || h.SecretContent(id)["password"] != "pw" {
		t.Errorf("the secret is granted to %q and holds %v", grants, h.SecretContent(id))
	}
	h.UpdateStatus()
	if h.SecretContent(id)["password"] != "pw+" || len(h.Secrets()) != 1 || h.GetRelationData(rel, "pg")["secret-user"] != id {
		t.Errorf("another password: %v in %v", h.SecretContent(id), h.Secrets())
	}
	h.RemoveRelation(rel)
	if left := h.Secrets(); len(left) != 0 {
		t.Errorf("secrets of a relation that is gone: %v", left)
	}
}

// When the leader is removed its relations break for it, and stay for the next one.
func TestProviderLeaderGoes(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newServer, opstest.YAML(serverYAML))
	h.SetLeader(true)
	h.Begin()
	h.AddRelation("db", "shop", opstest.AppData(map[string]string{"database": "shop", "requested-secrets": `["password"]`}))
	h.SetPlannedUnits(2)
	h.Log()
	h.Remove()
	wantLog(t, h, "removed")
	if len(h.Secrets()) != 1 {
		t.Errorf("the secrets left are %v", h.Secrets())
	}
}
