package ops_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"testing"
	"time"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// The secrets of the tests: web/0 owns mine, web owns ours, pg owns theirs, which is
// granted to web over relation 4 and of which web/0 tracks the first of two revisions,
// and hidden, which is not.
const (
	mine   kith.SecretID = "mine0000000000000000"
	ours   kith.SecretID = "ours0000000000000000"
	theirs kith.SecretID = "theirs00000000000000"
	hidden kith.SecretID = "hidden00000000000000"
)

var testTime = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// secretModel is as much of a model as the rules about secrets look at.
func (w *world) secretModel() *core.Model {
	m := &core.Model{}
	put := func(e core.Entity) { core.Apply(m, core.Put(e)) }
	for _, app := range []kith.AppName{"web", "pg"} {
		put(&core.App{Name: app, Life: kith.Alive})
		for n := range 2 {
			put(&core.Unit{Name: kith.UnitOf(app, n), App: app, Life: kith.Alive})
		}
	}
	four := kith.RelationID(4)
	put(&core.Relation{ID: four, Life: kith.Alive, Ends: []core.End{{App: "web", Endpoint: "db", Role: kith.Requirer}, {App: "pg", Endpoint: "db", Role: kith.Provider}}})
	secret := func(id kith.SecretID, owner core.SecretOwner, label string, values ...string) {
		put(&core.Secret{ID: id, Owner: owner, Label: label, Latest: len(values), Numbered: len(values), Created: testTime, Updated: testTime})
		for n, v := range values {
			put(&core.SecretRevision{Secret: id, Number: n + 1, Created: testTime})
			put(&core.SecretContent{Secret: id, Number: n + 1, Data: core.SecretData{"password": base64.StdEncoding.EncodeToString([]byte(v))}})
		}
	}
	secret(mine, core.UnitOwner("web/0"), "my-label", "mine-1", "mine-2")
	secret(ours, core.AppOwner("web"), "shared", "ours-1")
	secret(theirs, core.AppOwner("pg"), "pgs-own", "theirs-1", "theirs-2")
	secret(hidden, core.AppOwner("pg"), "", "hidden-1")
	put(&core.SecretGrant{Secret: theirs, Subject: "web", Relation: &four})
	put(&core.SecretConsumer{Secret: theirs, Unit: "web/0", Label: "db-password", Revision: 1})
	if w.leader {
		put(&core.Lease{App: "web", Holder: "web/0", Expires: testTime.Add(time.Minute)})
	}
	return m
}

func (w *world) Secret(q core.SecretQuery) (core.SecretValue, error) {
	return core.ReadSecret(w.secretModel(), "web/0", q, testTime)
}

func (w *world) OwnedSecrets() ([]core.SecretInfo, error) {
	return core.OwnedSecrets(w.secretModel(), "web/0"), nil
}

func (w *world) NewSecretID() kith.SecretID { return "new00000000000000001" }
func (w *world) Now() time.Time             { return testTime }

// Ops reference, section 7, secrets, the observer's side; on the real tools.
func TestReadSecret(t *testing.T) {
	t.Parallel()
	w := newWorld()
	want := func(what string, got map[string]string, err error, password string) {
		t.Helper()
		if err != nil || !maps.Equal(got, map[string]string{"password": password}) {
			t.Errorf("%s: %v, %v, want %s", what, got, err, password)
		}
	}
	w.in(t, configure, func(m *ops.Model) error {
		s, err := m.GetSecret("secret:" + string(theirs))
		if err != nil {
			return err
		}
		got, err := s.Content()
		want("what is tracked", got, err, "theirs-1")
		got["password"] = "changed" // a copy
		got, err = s.Peek()
		want("a peek", got, err, "theirs-2")
		got, err = s.Content()
		want("after the peek", got, err, "theirs-1")
		got, err = s.Refresh()
		want("refreshed", got, err, "theirs-2")
		got, err = s.Content()
		want("from now on", got, err, "theirs-2")
		if n := w.count("secret-get"); n != 3 {
			t.Errorf("%d calls of secret-get", n)
		}
		labelled, err := m.GetSecretByLabel("db-password")
		if err != nil || labelled.Label() != "db-password" {
			t.Errorf("by label: %v, %v", labelled, err)
		}
		for id, kind := range map[kith.SecretID]error{hidden: ops.ErrPermission, "nosuch00000000000000": ops.ErrSecretNotFound} {
			if _, err := m.GetSecret(string(id)); !errors.Is(err, kind) {
				t.Errorf("%s: %v, want %v", id, err, kind)
			}
		}
		if _, err := m.GetSecretByLabel("nosuch"); !errors.Is(err, ops.ErrSecretNotFound) {
			t.Errorf("an unknown label: %v", err)
		}
		return nil
	})
	if len(w.effects.Secrets) != 1 || w.effects.Secrets[0].Track != 2 {
		t.Errorf("effects %+v", w.effects.Secrets)
	}
}

// The owner's side.
func TestOwnSecret(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.inRelation(t, configure, func(m *ops.Model, r *ops.Relation) error {
		s, err := m.App().AddSecret(map[string]string{"password": "a=b\x00", "user-name": "root"}, ops.SecretSpec{
			Label: "new", Description: "d", ExpireIn: time.Hour, Rotate: ops.RotateDaily})
		if err != nil {
			return err
		}
		if id, err := s.ID(); err != nil || id != "secret:new00000000000000001" {
			t.Errorf("id %q, %v", id, err)
		}
		if err := errors.Join(s.Grant(r), s.GrantUnit(r, "pg/0"), s.SetInfo(ops.SecretSpec{Description: "other"})); err != nil {
			return err
		}
		own, err := m.GetSecretByLabel("my-label")
		if err != nil {
			return err
		}
		info, err := own.Info()
		if err != nil || info.ID != string(mine) || info.Revision != 2 || info.Owner != ops.UnitOwner || info.Label != "my-label" || !info.Expires.IsZero() {
			t.Errorf("info %+v, %v", info, err)
		}
		if err := errors.Join(own.SetContent(map[string]string{"password": "mine-3"}), own.RemoveRevision(1)); err != nil {
			return err
		}
		if ids, err := m.SecretIDs(); err != nil || len(ids) != 3 {
			t.Errorf("ids %v, %v", ids, err)
		}
		if _, err := m.Unit().AddSecret(nil, ops.SecretSpec{}); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("a secret without content: %v", err)
		}
		if err := own.SetInfo(ops.SecretSpec{}); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("nothing to change: %v", err)
		}
		for _, content := range []map[string]string{{"A": "x"}, {"ab": "x"}, {"abc=d": "x"}, {"abc#file": "/etc/passwd"}, {"abc#base64": "x"}, {"--label": "x"}, {"": "x"}, {"password": ""}, {"password": "\xff"}} {
			_, err := m.Unit().AddSecret(content, ops.SecretSpec{})
			if kith.CodeOf(err) != kith.Invalid || kith.HintOf(err) == "" {
				t.Errorf("adding %q: %v", content, err)
			}
			if err := own.SetContent(content); kith.CodeOf(err) != kith.Invalid {
				t.Errorf("setting %q: %v", content, err)
			}
		}
		var refused *ops.ModelError
		if _, err := m.Unit().AddSecret(map[string]string{"abc": "x"}, ops.SecretSpec{Label: "my-label"}); !errors.As(err, &refused) || refused.Status != 1 {
			t.Errorf("a label that is taken: %v", err)
		}
		if _, err := m.Unit().AddSecret(map[string]string{"abc": "x"}, ops.SecretSpec{Rotate: "now"}); !errors.As(err, &refused) || refused.Status != 2 {
			t.Errorf("no policy: %v", err)
		}
		return nil
	})
	if got := w.effects.Secrets; len(got) != 2 || got[0].Create != core.OwnerApp || len(got[0].Grants) != 1 || got[0].Grants[0].Subject != "pg" || got[1].ID != mine || len(got[1].RemoveRevisions) != 1 {
		t.Errorf("effects %+v", got)
	}
	w.leader = false
	w.in(t, configure, func(m *ops.Model) error {
		if _, err := m.App().AddSecret(map[string]string{"password": "x"}, ops.SecretSpec{}); !errors.Is(err, ops.ErrNotLeader) {
			t.Errorf("an application's secret without leading: %v", err)
		}
		s, err := m.GetSecret(string(theirs))
		if err != nil {
			return err
		}
		if _, err := s.Info(); !errors.Is(err, ops.ErrSecretNotFound) {
			t.Errorf("info of a secret of others: %v", err)
		}
		return nil
	})
}

// Ops reference, section 7: the id is the locator, and a secret is told by its last part.
func TestSecretID(t *testing.T) {
	t.Parallel()
	newWorld().in(t, configure, func(m *ops.Model) error {
		for _, id := range []string{string(theirs), "secret:" + string(theirs), "secret://deadbeef-0bad-400d-8000-4b1d0d06f00d/" + string(theirs)} {
			s, err := m.GetSecret(id)
			if err != nil {
				t.Errorf("%s: %v", id, err)
				continue
			}
			unique, err := s.UniqueID()
			uri, idErr := s.ID()
			if err != nil || idErr != nil || unique != theirs || (uri != id && uri != "secret:"+id) {
				t.Errorf("%s: id %q, unique %q, %v, %v", id, uri, unique, err, idErr)
			}
		}
		s, err := m.GetSecretByLabel("shared")
		if err != nil {
			return err
		}
		if unique, err := s.UniqueID(); unique != ours || err != nil {
			t.Errorf("by label: %q, %v", unique, err)
		}
		if id, err := s.ID(); id != "secret:"+string(ours) || err != nil {
			t.Errorf("by label: %q, %v", id, err)
		}
		s, err = m.GetSecretByLabel("db-password")
		if err != nil {
			return err
		}
		if _, err := s.UniqueID(); !errors.Is(err, ops.ErrSecretNotFound) {
			t.Errorf("of a secret of others by its label: %v", err)
		}
		return nil
	})
}
