package core_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kith"
	"kith/internal/core"
)

// secretID is one of a few ids, so that commands meet.
func secretID(n int) kith.SecretID { return kith.SecretID(fmt.Sprintf("%020d", n)) }

func drawData(t *rapid.T) core.SecretData {
	return rapid.SampledFrom([]core.SecretData{nil, {"key": "YQ=="}, {"key": "Yg==", "other": "Yw=="}, {"key": "Yw=="}, {"key": "?"}, {"KEY": "YQ=="}}).Draw(t, "data")
}

// drawSecret is a command about secrets, likely or not.
func (w *world) drawSecret(t *rapid.T, u kith.UnitName, a kith.AppName, rel kith.RelationID) (core.Actor, core.Op) {
	s := secretID(rapid.IntRange(0, 4).Draw(t, "secret id"))
	switch rapid.IntRange(0, 11).Draw(t, "secret op") {
	case 0:
		return admin, core.AddSecret{ID: s, SecretName: rapid.SampledFrom([]string{"", "one", "two"}).Draw(t, "name"), Data: drawData(t)}
	case 1:
		prune := rapid.Bool().Draw(t, "prune")
		return admin, core.UpdateSecret{Secret: string(s), Data: drawData(t), AutoPrune: &prune}
	case 2:
		return admin, core.GrantSecret{Secret: string(s), Apps: []kith.AppName{a}, Revoke: rapid.IntRange(0, 2).Draw(t, "revoke") == 0}
	case 3:
		return admin, core.RemoveSecret{Secret: string(s), Revision: rapid.IntRange(0, 2).Draw(t, "revision")}
	case 4:
		w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Hour}).Draw(t, "later"))
		return core.System, core.RenewLeases{Host: "local"}
	}
	var seq uint64 = 1
	h := core.Hook{Kind: core.UpdateStatus}
	if p := w.m.Progress(u); p != nil {
		seq = p.Seq + 1
		if p.Failed != nil {
			h = p.Failed.Hook
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "secret hook") == 0 {
		h.Kind = rapid.SampledFrom([]core.HookKind{core.SecretExpired, core.SecretRotate, core.SecretChanged, core.SecretRemove}).Draw(t, "kind")
		h.Secret = &core.SecretHook{ID: s, Revision: rapid.IntRange(1, 3).Draw(t, "revision")}
		if rapid.IntRange(0, 3).Draw(t, "fail") == 0 {
			return core.UnitActor(u), core.FailHook{Unit: u, Seq: seq, Hook: h, Message: "exit status 1"}
		}
	}
	return core.UnitActor(u), core.CommitHook{Unit: u, Seq: seq, Hook: h, Effects: core.Effects{Secrets: []core.SecretWrite{w.drawWrite(t, s, u, rel)}}}
}

// drawWrite is what a hook may have done to a secret.
func (w *world) drawWrite(t *rapid.T, id kith.SecretID, u kith.UnitName, rel kith.RelationID) core.SecretWrite {
	some := func(what string) bool { return rapid.IntRange(0, 3).Draw(t, what) == 0 }
	write := core.SecretWrite{ID: id}
	if w.m.Secret(id) == nil || some("again") {
		write.Create = rapid.SampledFrom([]core.OwnerKind{core.OwnerApp, core.OwnerUnit, core.OwnerModel}).Draw(t, "owner")
	}
	if write.Create != "" || some("content") {
		write.Data = drawData(t)
	}
	if some("label") {
		label := rapid.SampledFrom([]string{"", "one", "two"}).Draw(t, "owner's label")
		write.Label = &label
	}
	if some("rotate") {
		policy := rapid.SampledFrom([]core.RotatePolicy{core.RotateNever, core.RotateHourly, core.RotateYearly}).Draw(t, "policy")
		write.Rotate = &policy
	}
	if some("expire") {
		at := w.now.Add(time.Duration(rapid.IntRange(-1, 2).Draw(t, "hours")) * time.Hour)
		write.Expires = &at
	}
	subject := rapid.SampledFrom([]string{"db", "web", "db/0", "web/0", string(u)}).Draw(t, "subject")
	if some("grant") {
		write.Grants = []core.SecretAccess{{Subject: subject, Relation: &rel}}
	}
	if some("revoke") {
		write.Revokes = []core.SecretAccess{{Subject: subject}}
	}
	write.Remove = rapid.IntRange(0, 9).Draw(t, "remove") == 0
	if some("remove one") {
		write.RemoveRevisions = []int{rapid.IntRange(1, 3).Draw(t, "which")}
	}
	if some("track") {
		write.Track = rapid.IntRange(1, 3).Draw(t, "tracked")
		label := rapid.SampledFrom([]string{"", "one", "mine"}).Draw(t, "reader's label")
		write.TrackLabel = &label
	}
	return write
}

// The same about secrets that exist, in relations that exist, between units that come and go.
func TestRandomSecretCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.related(t)
		w.random(t, func() (core.Actor, core.Op) {
			if rapid.IntRange(0, 9).Draw(t, "anything") == 0 {
				return w.draw(t)
			}
			u := rapid.SampledFrom([]kith.UnitName{"db/0", "db/1", "web/0", "web/1", "other/0"}).Draw(t, "unit")
			rel := kith.RelationID(rapid.IntRange(0, 2).Draw(t, "over"))
			return w.drawSecret(t, u, rapid.SampledFrom([]kith.AppName{"web", "db", "other"}).Draw(t, "app"), rel)
		})
	})
}

// related deploys two related applications and one beside them, all taken up.
func (w *world) related(t fataler) {
	t.Helper()
	host := core.Actor{Kind: core.ActorHost, Name: "local"}
	for _, app := range []kith.AppName{"db", "web", "other"} {
		charm := strings.Replace(string(app), "other", "web", 1)
		w.must(t, admin, core.Deploy{App: app, Charm: charm, Units: 2})
		for n := range 2 {
			w.must(t, host, core.UnitHello{Unit: kith.UnitOf(app, n)})
		}
	}
	w.must(t, admin, core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "db"}})
}

// plant makes a model with two related applications and a secret of each owner: the database's
// leader's, its unit's and the model's. All hold the same password.
func plant(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.related(t)
	w.must(t, admin, core.AddSecret{ID: models, SecretName: "login", Data: password})
	w.write(t, "db/0",
		core.SecretWrite{ID: apps, Create: core.OwnerApp, SecretUpdate: core.SecretUpdate{Label: ref("shared"), Data: password}},
		core.SecretWrite{ID: units, Create: core.OwnerUnit, SecretUpdate: core.SecretUpdate{Label: ref("own"), Data: password}})
	return w
}

const (
	models kith.SecretID = "models00000000000000"
	apps   kith.SecretID = "apps0000000000000000"
	units  kith.SecretID = "units000000000000000"
)

// password is a value to look for.
var password = core.SecretData{"password": base64.StdEncoding.EncodeToString([]byte("planted-value"))}

func ref[T any](v T) *T { return &v }

// commit is a hook of a unit that did this to secrets.
func (w *world) commit(u kith.UnitName, writes ...core.SecretWrite) error {
	_, _, err := w.do(core.UnitActor(u), core.CommitHook{Unit: u, Seq: w.m.Progress(u).Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus},
		Effects: core.Effects{Secrets: writes}})
	return err
}

func (w *world) write(t *testing.T, u kith.UnitName, writes ...core.SecretWrite) {
	t.Helper()
	if err := w.commit(u, writes...); err != nil {
		t.Fatalf("%s: %v", u, err)
	}
}

// peers is the relation of db among its units; web's with db comes after it.
const overWeb kith.RelationID = 1

// Who reads what (hook protocol reference, sections 12.4 and 12.7; the 3.6 column of texts).
func TestSecretReadAccess(t *testing.T) {
	t.Parallel()
	w := plant(t)
	denied, missing := "permission denied", fmt.Sprintf("secret %q not found", secretID(9))
	check := func(when string, id kith.SecretID, want map[kith.UnitName]string) {
		t.Helper()
		for _, u := range []kith.UnitName{"db/0", "db/1", "web/0", "web/1", "other/0"} {
			v, err := core.ReadSecret(w.m, u, core.SecretQuery{ID: id}, w.now)
			got := "reads"
			if err != nil {
				got = err.Error()
				if (kith.CodeOf(err) == kith.Forbidden) != (got == denied) {
					t.Errorf("%s, %s: code %s for %q", when, u, kith.CodeOf(err), got)
				}
			} else if v.Manages {
				got = "manages"
			}
			wanted := want[u]
			if wanted == "" {
				wanted = denied
			}
			if got != wanted {
				t.Errorf("%s, %s: %q, want %q", when, u, got, wanted)
			}
		}
	}
	type by = map[kith.UnitName]string
	check("the application's", apps, by{"db/0": "manages", "db/1": "reads"})
	check("the unit's", units, by{"db/0": "manages"})
	check("the model's", models, by{})
	check("none", secretID(9), by{"db/0": missing, "db/1": missing, "web/0": missing, "web/1": missing, "other/0": missing})

	over := ref(overWeb)
	w.write(t, "db/0", core.SecretWrite{ID: apps, Grants: []core.SecretAccess{{Subject: "web", Relation: over}}},
		core.SecretWrite{ID: units, Grants: []core.SecretAccess{{Subject: "web/1", Relation: over}}})
	w.must(t, admin, core.GrantSecret{Secret: "login", Apps: []kith.AppName{"other"}})
	check("granted to an application", apps, by{"db/0": "manages", "db/1": "reads", "web/0": "reads", "web/1": "reads"})
	check("granted to a unit", units, by{"db/0": "manages", "web/1": "reads"})
	check("granted by a user", models, by{"other/0": "reads"})

	w.must(t, core.System, core.Elect{Unit: "db/1"})
	check("after the leader changed", apps, by{"db/0": "reads", "db/1": "manages", "web/0": "reads", "web/1": "reads"})
	w.now = w.now.Add(core.LeaseTerm)
	check("after its lease ran out", apps, by{"db/0": "reads", "db/1": "reads", "web/0": "reads", "web/1": "reads"})

	w.must(t, admin, core.RemoveRelation{ID: over, Force: true})
	check("without the relation", apps, by{"db/0": "reads", "db/1": "reads"})
	w.must(t, admin, core.GrantSecret{Secret: "login", Apps: []kith.AppName{"other"}, Revoke: true})
	check("revoked", models, by{})
}

// Who writes what, as a commit is refused (sections 12.3 to 12.8, 15).
func TestSecretWriteAccess(t *testing.T) {
	t.Parallel()
	w := plant(t)
	w.write(t, "db/0", core.SecretWrite{ID: apps, Grants: []core.SecretAccess{{Subject: "web", Relation: ref(overWeb)}}})
	writes := map[string]core.SecretWrite{
		"content": {SecretUpdate: core.SecretUpdate{Data: core.SecretData{"key": "YQ=="}}}, "label": {SecretUpdate: core.SecretUpdate{Label: ref("x")}},
		"rotation": {SecretUpdate: core.SecretUpdate{Rotate: ref(core.RotateDaily)}}, "expiry": {SecretUpdate: core.SecretUpdate{Expires: &w.now}},
		"grant": {Grants: []core.SecretAccess{{Subject: "web", Relation: ref(overWeb)}}}, "revoke": {Revokes: []core.SecretAccess{{Subject: "web"}}},
		"remove": {Remove: true}, "remove one": {RemoveRevisions: []int{1}}, "pruning": {SecretUpdate: core.SecretUpdate{AutoPrune: ref(true)}},
	}
	before := dump(w.m)
	for what, write := range writes { // any order: all are refused
		for _, c := range []struct {
			unit kith.UnitName
			id   kith.SecretID
			want string
			code kith.Code
		}{
			{"db/1", apps, `checking leadership continuity: "db/1" is not leader of "db"`, kith.Conflict},
			{"db/1", units, "permission denied", kith.Forbidden},
			{"web/0", apps, "permission denied", kith.Forbidden}, // to read it is not to write it
			{"web/0", models, "permission denied", kith.Forbidden},
			{"db/0", models, "permission denied", kith.Forbidden},
		} {
			write.ID = c.id
			if err := w.commit(c.unit, write); err == nil || err.Error() != c.want || kith.CodeOf(err) != c.code {
				t.Errorf("%s of %s by %s: %v", what, c.id, c.unit, err)
			}
		}
	}
	for _, c := range []struct {
		what string
		w    core.SecretWrite
		want string
	}{
		{"an owner that is none", core.SecretWrite{ID: secretID(1), Create: core.OwnerModel, SecretUpdate: core.SecretUpdate{Data: password}}, `secret owner "model" not valid`},
		{"an id in use", core.SecretWrite{ID: apps, Create: core.OwnerApp, SecretUpdate: core.SecretUpdate{Data: password}}, `secret "apps0000000000000000" already exists`},
		{"an id that is none", core.SecretWrite{ID: "x", Create: core.OwnerApp, SecretUpdate: core.SecretUpdate{Data: password}}, `secret URI "x" not valid`},
		{"a label in use", core.SecretWrite{ID: secretID(1), Create: core.OwnerApp, SecretUpdate: core.SecretUpdate{Label: ref("shared"), Data: password}}, `secret with label "shared" already exists`},
		{"no content", core.SecretWrite{ID: secretID(1), Create: core.OwnerApp}, "empty secret value not valid"},
		{"bad content", core.SecretWrite{ID: apps, SecretUpdate: core.SecretUpdate{Data: core.SecretData{"NO": "YQ=="}}}, `key "NO" not valid`},
		{"a relation with others", core.SecretWrite{ID: apps, Grants: []core.SecretAccess{{Subject: "other", Relation: ref(overWeb)}}}, `cannot specify unit "other" in relation to application "web"`},
		{"no relation", core.SecretWrite{ID: apps, Grants: []core.SecretAccess{{Subject: "web"}}}, "no relation id specified"},
		{"a revision to come", core.SecretWrite{ID: apps, Track: 2}, `secret "apps0000000000000000" has no revision 2`},
	} {
		if err := w.commit("db/0", c.w); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	if dump(w.m) != before {
		t.Error("a refusal has changed the model")
	}
	// What has gone meanwhile is dropped, with what was written to it.
	w.write(t, "db/0", core.SecretWrite{ID: secretID(8), SecretUpdate: core.SecretUpdate{Data: password}, Track: 4},
		core.SecretWrite{ID: apps, Grants: []core.SecretAccess{{Subject: "web", Relation: ref(kith.RelationID(77))}, {Subject: "web/9", Relation: ref(overWeb)}}})
	if n := len(core.SecretInfoOf(w.m, w.m.Secret(apps)).Access); n != 1 {
		t.Errorf("%d grants", n)
	}
}

// Content is in one entity and nowhere else: not in history, not in what travels with a hook,
// not in what prints. History names the keys.
func TestSecretContentStaysWhereItIs(t *testing.T) {
	t.Parallel()
	w := plant(t)
	planted := []string{"planted-value", password["password"]}
	holds := func(what, text string) {
		t.Helper()
		for _, p := range planted {
			if strings.Contains(text, p) {
				t.Errorf("%s tells the value: %s", what, text)
			}
		}
	}
	for what, text := range map[string]string{
		"%v": fmt.Sprint(password), "%+v": fmt.Sprintf("%+v", password), "%#v": fmt.Sprintf("%#v", password), "%s": fmt.Sprintf("%s.", password),
		"%q": fmt.Sprintf("%q", password), "an op": fmt.Sprintf("%+v", core.AddSecret{Data: password}), "a write": fmt.Sprintf("%v", core.SecretWrite{SecretUpdate: core.SecretUpdate{Data: password}}),
		"an entity": fmt.Sprintf("%#v", core.SecretContent{Data: password}), "a value": fmt.Sprintf("%+v", core.SecretValue{Data: password}),
	} {
		holds(what, text)
		if !strings.Contains(text, "password") {
			t.Errorf("%s tells nothing of the keys: %s", what, text)
		}
	}
	e := w.must(t, core.UnitActor("db/0"), core.CommitHook{Unit: "db/0", Seq: w.m.Progress("db/0").Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus},
		Effects: core.Effects{Secrets: []core.SecretWrite{{ID: secretID(1), Create: core.OwnerUnit, SecretUpdate: core.SecretUpdate{Data: password}}}}})
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	holds("history", string(text))
	if want := `{"kind":"secret-content","id":"00000000000000000001/1","action":"added","keys":["password"]}`; !strings.Contains(string(text), want) {
		t.Errorf("history is %s\nand has no %s", text, want)
	}
	for u := range w.m.Units() {
		v, _ := core.ViewOf(w.m, u.Name)
		text, err := json.Marshal(v.Context(core.Hook{Kind: core.SecretChanged, Secret: &core.SecretHook{ID: apps}}, w.now))
		if err != nil {
			t.Fatal(err)
		}
		holds("the context of "+string(u.Name), string(text))
	}
	found := 0
	for _, e := range core.Entities(w.m) {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if e.Key().Kind == core.KindSecretContent {
			found++
			continue
		}
		holds("entity "+e.Key().ID, string(text))
	}
	if found != 4 {
		t.Errorf("%d contents", found)
	}
	text, err = json.Marshal(core.OwnedSecrets(w.m, "db/0"))
	if err != nil {
		t.Fatal(err)
	}
	holds("the infos", string(text))
	_, _, err = w.do(admin, core.AddSecret{ID: secretID(2), SecretName: "x", Data: core.SecretData{"key": "planted-value"}})
	holds("a refusal", fmt.Sprintf("%v %s", err, kith.HintOf(err)))
}

// What content may be (section 12.1), and that no refusal tells a value.
func TestCheckSecretData(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("QUJD", core.MaxSecretSize/4)
	for _, c := range []struct {
		data core.SecretData
		want string
	}{
		{core.SecretData{"abc": "YQ=="}, ""},
		{core.SecretData{"abc": big[:core.MaxSecretSize-4]}, ""},
		{core.SecretData{"abc": big}, fmt.Sprintf("secret content too large: %d bytes", core.MaxSecretSize+3)},
		{core.SecretData{"ab": "YQ=="}, `key "ab" not valid`},
		{core.SecretData{"abc": ""}, "empty secret value not valid"},
		{core.SecretData{"abc": "s3cret!"}, `value of key "abc" is not base64`},
		{nil, "empty secret value not valid"},
	} {
		err := core.CheckSecretData(c.data)
		if (err == nil) != (c.want == "") || err != nil && (err.Error() != c.want || strings.Contains(err.Error()+kith.HintOf(err), "s3cret")) {
			t.Errorf("%v: %v, want %q", c.data, err, c.want)
		}
	}
}

// Check sees what it promises to see: each breach is made by hand.
func TestSecretInvariants(t *testing.T) {
	t.Parallel()
	over := ref(overWeb)
	for what, broken := range map[string]struct {
		invariant string
		change    func(put func(core.Entity), drop func(core.Entity), m *core.Model)
	}{
		"an owner that is gone": {"I15", func(put, _ func(core.Entity), m *core.Model) {
			s := *m.Secret(apps)
			s.ID, s.Owner = secretID(1), core.AppOwner("gone")
			put(&s)
		}},
		"no revision": {"I15", func(put, _ func(core.Entity), m *core.Model) {
			s := *m.Secret(apps)
			s.ID, s.Label = secretID(1), ""
			put(&s)
		}},
		"no content": {"I15", func(_, drop func(core.Entity), _ *core.Model) { drop(&core.SecretContent{Secret: apps, Number: 1}) }},
		"an orphan": {"I15", func(put, _ func(core.Entity), _ *core.Model) {
			put(&core.SecretContent{Secret: apps, Number: 9, Data: password})
		}},
		"the newest obsolete": {"I16", func(put, _ func(core.Entity), m *core.Model) {
			r := *m.SecretRevision(apps, 1)
			r.Obsolete = 7
			put(&r)
		}},
		"told of what is in use": {"I16", func(put, _ func(core.Entity), m *core.Model) {
			r := *m.SecretRevision(apps, 1)
			r.Told = "db/0"
			put(&r)
		}},
		"a grant to nobody": {"I17", func(put, _ func(core.Entity), _ *core.Model) {
			put(&core.SecretGrant{Secret: apps, Subject: "gone", Relation: over})
		}},
		"a grant to a stranger": {"I17", func(put, _ func(core.Entity), _ *core.Model) {
			put(&core.SecretGrant{Secret: apps, Subject: "other", Relation: over})
		}},
		"a grant over nothing": {"I17", func(put, _ func(core.Entity), _ *core.Model) { put(&core.SecretGrant{Secret: apps, Subject: "web"}) }},
		"a user's over a relation": {"I17", func(put, _ func(core.Entity), _ *core.Model) {
			put(&core.SecretGrant{Secret: models, Subject: "web", Relation: over})
		}},
		"a reader who may not": {"I18", func(put, _ func(core.Entity), _ *core.Model) {
			put(&core.SecretConsumer{Secret: apps, Unit: "web/0", Revision: 1})
		}},
		"a reader of what is to come": {"I18", func(put, _ func(core.Entity), _ *core.Model) {
			put(&core.SecretConsumer{Secret: apps, Unit: "db/1", Revision: 2})
		}},
		"a label twice": {"I18", func(put, _ func(core.Entity), m *core.Model) {
			s := *m.Secret(units)
			s.Owner = core.AppOwner("db")
			s.Label = "shared"
			put(&s)
		}},
		"a wrong index": {"I19", func(put, _ func(core.Entity), m *core.Model) { // the owner of a secret never changes
			s := *m.Secret(units)
			s.Owner = core.UnitOwner("db/1")
			put(&s)
		}},
	} {
		w := plant(t)
		if bad := core.Check(w.m); len(bad) > 0 {
			t.Fatalf("before: %v", bad)
		}
		broken.change(func(e core.Entity) { core.Apply(w.m, core.Put(e)) },
			func(e core.Entity) { core.Apply(w.m, core.Change{Key: e.Key()}) }, w.m)
		bad := core.Check(w.m)
		if len(bad) == 0 || !strings.Contains(fmt.Sprint(bad), broken.invariant) {
			t.Errorf("%s: %v, want %s", what, bad, broken.invariant)
		}
	}
}

// What is stored does not read back as anything else.
func TestDecodeSecretErrors(t *testing.T) {
	t.Parallel()
	_, err := core.Decode(core.KindSecretContent, "x/1", []byte(`{"secret":"y","number":1,"data":{"key":"cGxhbnRlZA=="}}`))
	var e *kith.Error
	if !errors.As(err, &e) || e.Code != kith.Internal || strings.Contains(err.Error(), "cGxhbnRlZA") {
		t.Errorf("a row in the wrong place: %v", err)
	}
}
