package opstest_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"kith"
	"kith/ops"
	"kith/ops/opstest"
)

func TestRunAction(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.Begin()
	r := h.RunAction("backup", map[string]any{"to": "tape"})
	if r.Status != "completed" || r.Results["size"] != "42" || !slices.Equal(r.Log, []string{"copying"}) {
		t.Errorf("got %+v", r)
	}
	if r := h.RunAction("backup", map[string]any{"to": "nowhere"}); r.Status != "failed" || r.Message != "there is no nowhere" {
		t.Errorf("got %+v", r)
	}
	for _, params := range []map[string]any{nil, {"to": 3}} {
		if err := h.Try(func() { h.RunAction("backup", params) }); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("with %v: %v", params, err)
		}
	}
	if err := h.Try(func() { h.RunAction("restore", nil) }); kith.CodeOf(err) != kith.Invalid {
		t.Errorf("got %v", err)
	}
	expect(t, "events", h.EventNames(), "action backup\naction backup\n")
}

// keeper owns a secret that it rotates, and reads one that its configuration names.
type keeper struct{ model *ops.Model }

func newKeeper(f *ops.Framework) (*keeper, error) {
	c := &keeper{f.Model()}
	read := func() error {
		config, err := c.model.Config()
		if err != nil || config["key"] == nil {
			return err
		}
		s, err := c.model.GetSecret(config["key"].(string))
		if err != nil {
			return err
		}
		content, err := s.Peek()
		if err != nil {
			return err
		}
		return c.model.Unit().SetStatus(ops.ActiveStatus("key " + content["value"]))
	}
	f.Observe(
		ops.OnInstall(func(*ops.InstallEvent) error {
			_, err := c.model.Unit().AddSecret(map[string]string{"pin": "1"}, ops.SecretSpec{Label: "pin", Rotate: ops.RotateDaily})
			return err
		}),
		ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return read() }),
		ops.OnSecretChanged(func(*ops.SecretChangedEvent) error { return read() }),
		ops.OnSecretRotate(func(e *ops.SecretRotateEvent) error {
			info, err := e.Secret.Info()
			if err != nil {
				return err
			}
			return e.Secret.SetContent(map[string]string{"pin": fmt.Sprint(info.Revision + 1)})
		}),
	)
	return c, nil
}

const keeperYAML = `
name: keeper
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
requires:
  db: {interface: pgsql}
config:
  options:
    key: {type: secret}
`

func TestSecrets(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, newKeeper, opstest.YAML(keeperYAML))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	own := h.Secrets()
	if len(own) != 1 || h.SecretContent(own[0])["pin"] != "1" {
		t.Fatalf("own secrets: %v", own)
	}
	h.Advance(25 * time.Hour)
	if got := h.SecretContent(own[0])["pin"]; got != "2" {
		t.Errorf("after a day the pin is %q", got)
	}
	user := h.AddUserSecret("key", map[string]string{"value": "a"})
	if err := h.Try(func() { h.UpdateConfig(map[string]any{"key": user}) }); err == nil {
		t.Error("it could read a secret it was not granted")
	}
	h.GrantSecret(user)
	h.Retry()
	expect(t, "status", h.Status().String(), "active: key a")
	h.Events()
	h.SetSecretContent(user, map[string]string{"value": "b"})
	expect(t, "events", h.EventNames(), "secret-changed\n")
	expect(t, "status", h.Status().String(), "active: key b")
	if got := h.SecretRevisions(user); !slices.Contains(got, 2) {
		t.Errorf("revisions %v", got)
	}

	id := h.AddRelation("db", "pg", opstest.UnitData(nil))
	remote := h.AddModelSecret(id, "pg", map[string]string{"value": "c"})
	h.GrantSecret(remote, id)
	h.UpdateConfig(map[string]any{"key": remote})
	expect(t, "status", h.Status().String(), "active: key c")
	if got := h.SecretGrants(remote); !slices.Equal(got, []string{"keeper"}) {
		t.Errorf("granted to %v", got)
	}
	h.RevokeSecret(remote, id)
	if got := h.SecretGrants(remote); len(got) != 0 {
		t.Errorf("granted to %v", got)
	}
	h.RemoveSecret(remote)
	if err := h.Try(func() { h.SetSecretContent(own[0], nil) }); err == nil {
		t.Error("the test changed the charm's own secret")
	}
}

// secret-remove comes for a revision that nobody sees any more: who reads the newest
// lets go of the one before.
func TestReadSecret(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		own := func(do func(*ops.Secret) error) error {
			s, err := f.Model().GetSecretByLabel("pin")
			if err != nil {
				return err
			}
			return do(s)
		}
		f.Observe(
			ops.OnInstall(func(*ops.InstallEvent) error {
				_, err := f.Model().App().AddSecret(map[string]string{"pin": "1"}, ops.SecretSpec{Label: "pin"})
				return err
			}),
			ops.OnRelationCreated("db", func(e *ops.RelationCreatedEvent) error {
				return own(func(s *ops.Secret) error { return s.Grant(e.Relation) })
			}),
			ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error {
				return own(func(s *ops.Secret) error { return s.SetContent(map[string]string{"pin": "2"}) })
			}),
		)
		return struct{}{}, nil
	}, opstest.YAML(keeperYAML))
	h.SetLeader(true)
	h.BeginWithInitialHooks()
	id := h.Secrets()[0]
	rel := h.AddRelation("db", "pg", opstest.UnitData(nil))
	if err := h.Try(func() { h.ReadSecret(id, "keeper/0") }); err == nil {
		t.Error("the test read as the unit under test")
	}
	expect(t, "what pg/0 reads", fmt.Sprint(h.ReadSecret(id, "pg/0")), "map[pin:1]")
	h.UpdateStatus()
	h.Events()
	expect(t, "what pg/0 reads", fmt.Sprint(h.ReadSecret(id, "pg/0")), "map[pin:2]")
	expect(t, "events", h.EventNames(), "secret-remove\n")
	h.RemoveRelation(rel)
}

const keyedYAML = `
name: keyed
type: charm
summary: for tests
description: for tests
base: ubuntu@24.04
platforms: {amd64: }
config:
  options:
    api-key: {type: secret}
`

// Ops reference, section 7, configuration: an option of type secret is read as a secret.
func TestSecretOption(t *testing.T) {
	t.Parallel()
	h := opstest.New(t, func(f *ops.Framework) (struct{}, error) {
		var config struct{ APIKey *ops.Secret }
		if err := f.Model().LoadConfig(&config); err != nil {
			return struct{}{}, err
		}
		f.Observe(ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
			if config.APIKey == nil {
				e.AddStatus(ops.BlockedStatus("set api-key"))
				return nil
			}
			content, err := config.APIKey.Content()
			if errors.Is(err, ops.ErrPermission) || errors.Is(err, ops.ErrSecretNotFound) {
				e.AddStatus(ops.WaitingStatus("grant me api-key"))
				return nil
			}
			e.AddStatus(ops.ActiveStatus(content["value"]))
			return err
		}))
		return struct{}{}, nil
	}, opstest.YAML(keyedYAML))
	h.BeginWithInitialHooks()
	if got := h.Status(); got != ops.BlockedStatus("set api-key") {
		t.Errorf("got %v", got)
	}
	id := h.AddUserSecret("key", map[string]string{"value": "s3cr3t"})
	h.UpdateConfig(map[string]any{"api-key": id})
	if got := h.Status(); got != ops.WaitingStatus("grant me api-key") {
		t.Errorf("got %v", got)
	}
	h.GrantSecret(id)
	h.UpdateStatus()
	if got := h.Status(); got != ops.ActiveStatus("s3cr3t") {
		t.Errorf("got %v", got)
	}
}
