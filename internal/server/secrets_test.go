package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

const (
	shared kith.SecretID = "shared00000000000000" // of db, granted to web
	login  kith.SecretID = "login000000000000000" // of the model, granted to nobody
)

// What the secrets hold, as it is and in base64: nothing but the two routes for content may tell it.
var planted = []string{"planted-value", "cGxhbnRlZC12YWx1ZQ"}

func content(value string) core.SecretData { return core.SecretData{"password": value} }

// withSecrets is a settled model in which db has granted a secret to web, and a user has one.
// seen collects what the agents were told.
func withSecrets(t *testing.T) (w *world, m api.Model, seen func() string) {
	t.Helper()
	w = newWorld(t)
	m = w.model("m")
	var mu sync.Mutex
	var told strings.Builder
	w.agent(func(a *api.Assignment) core.Effects {
		text, err := json.Marshal(a)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		told.Write(text)
		mu.Unlock()
		if a.Hook.Name() != "server-relation-created" {
			return core.Effects{}
		}
		return core.Effects{Secrets: []core.SecretWrite{{ID: shared, Create: core.OwnerApp, SecretUpdate: core.SecretUpdate{
			Label: ref("conn"), Data: content("cGxhbnRlZC12YWx1ZQ==")}, Grants: []core.SecretAccess{{Subject: "web", Relation: &a.Hook.Relation.ID}}}}}
	})
	w.deploy("m", webCharm, dbCharm)
	other := webCharm
	other.Meta.Name = "other"
	w.deploy("m", other)
	w.do("m", core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "db"}})
	w.do("m", core.AddSecret{ID: login, SecretName: "login", Data: content("cGxhbnRlZC12YWx1ZQ==")})
	if r, err := w.client.Settle(t.Context(), "m", 30*time.Second); err != nil || !r.Settled {
		t.Fatalf("settle: %+v, %v", r, err)
	}
	return w, m, func() string { mu.Lock(); defer mu.Unlock(); return told.String() }
}

func ref[T any](v T) *T { return &v }

// Who reads content, and by which route. 3.6's words where a charm gets to see them (hook
// protocol reference, section 12.4).
func TestSecretAccess(t *testing.T) {
	t.Parallel()
	w, m, _ := withSecrets(t)
	foreign := w.model("foreign")
	w.deploy("foreign", webCharm)
	path := func(model api.Model, unit string, id kith.SecretID) string {
		return "/v1/models/" + string(model.UUID) + "/units/" + unit + "/secret?id=" + string(id)
	}
	as := func(u kith.UnitName) string { return w.keys.Unit(m.UUID, u) }
	for _, c := range []struct {
		who, path, token string
		want             int
		says             string
	}{
		{"the owner", path(m, "db/0", shared), as("db/0"), 200, `"manages":true`},
		{"who was granted it", path(m, "web/0", shared), as("web/0"), 200, `"revision":1`},
		{"who was not", path(m, "other/0", shared), as("other/0"), 403, `"permission denied"`},
		{"a secret of the model", path(m, "web/0", login), as("web/0"), 403, `"permission denied"`},
		{"a secret that is not there", path(m, "web/0", "nothing0000000000000"), as("web/0"), 404, `secret \"nothing0000000000000\" not found`},
		{"no id", path(m, "web/0", "x"), as("web/0"), 400, `secret URI \"x\" not valid`},
		{"in the name of another", path(m, "web/0", shared), as("other/0"), 403, "permission denied"},
		{"from another model", path(m, "web/0", shared), w.keys.Unit(foreign.UUID, "web/0"), 403, "permission denied"},
		{"the host", path(m, "web/0", shared), w.keys.Host("local"), 403, "permission denied"},
		{"the operator, by a unit's route", path(m, "web/0", shared), "", 403, "permission denied"},
		{"a forger", path(m, "web/0", shared), "abc.def", 401, "credential"},
		{"a unit, by the operator's route", "/v1/models/" + string(m.UUID) + "/secrets/login?reveal=true", as("web/0"), 403, "permission denied"},
		{"the owner, by the operator's route", "/v1/models/" + string(m.UUID) + "/secrets/" + string(shared) + "?reveal=true", as("db/0"), 403, "permission denied"},
		{"the host, by the operator's route", "/v1/models/m/secrets/login?reveal=true", w.keys.Host("local"), 403, "permission denied"},
	} {
		status, body := w.raw("GET", c.path, c.token, nil)
		if status != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s, want %d and %s", c.who, status, body, c.want, c.says)
		}
		if holds := strings.Contains(body, planted[1]); holds != (c.want == 200) {
			t.Errorf("%s is told the content: %v", c.who, holds)
		}
	}

	// The command line's way.
	s, err := w.client.Secret(t.Context(), "m", "login", api.SecretQuery{Reveal: true})
	if err != nil || s.Content.Decoded()["password"] != "planted-value" || s.Shown != 1 || len(s.Checksum) != 64 {
		t.Errorf("revealed: %v %+v", err, s)
	}
	w.do("m", core.UpdateSecret{Secret: "login", Data: content("bmV3ZXI=")})
	for revision, want := range map[int]string{0: "newer", 1: "planted-value", 2: "newer"} {
		s, err := w.client.Secret(t.Context(), "m", string(login), api.SecretQuery{Reveal: true, Revision: revision})
		if err != nil || s.Content.Decoded()["password"] != want || len(s.Revisions) != 2 {
			t.Errorf("revision %d: %v %+v", revision, err, s)
		}
	}
	for name, q := range map[string]api.SecretQuery{"nope": {}, "login": {Revision: 9}, string(login): {Revision: 1 << 40, Reveal: true}} {
		if s, err := w.client.Secret(t.Context(), "m", name, q); kith.CodeOf(err) != kith.NotFound {
			t.Errorf("%s %+v: %v %+v", name, q, err, s)
		}
	}
	for owner, want := range map[string]int{"": 2, "db": 1, "application-db": 1, "<model>": 1, "m": 1, "web": 0} {
		if all, err := w.client.Secrets(t.Context(), "m", owner); err != nil || len(all) != want {
			t.Errorf("owner %q: %d, %v", owner, len(all), err)
		}
	}

	// What a unit owns it can list, without content.
	owned, err := w.unit(m, "db/0").UnitSecrets(t.Context(), string(m.UUID), "db/0")
	if err != nil || len(owned) != 1 || owned[0].Label != "conn" || len(owned[0].Access) != 1 || owned[0].Scopes[0] != "web:db db:server" {
		t.Errorf("owned: %v %+v", err, owned)
	}
	if owned, err := w.unit(m, "web/0").UnitSecrets(t.Context(), string(m.UUID), "web/0"); err != nil || len(owned) != 0 {
		t.Errorf("web/0 owns %+v, %v", owned, err)
	}
}

// A hook may not do to secrets what its unit may not, whoever sends the commit.
func TestSecretCommands(t *testing.T) {
	t.Parallel()
	w, m, _ := withSecrets(t)
	live, err := w.client.Unit(t.Context(), "m", "web/0")
	if err != nil || live.Life != kith.Alive {
		t.Fatal(live, err)
	}
	commit := func(u kith.UnitName, as string, write core.SecretWrite) error {
		for seq := uint64(1); ; seq++ { // of numbers that were used nothing is left to refuse
			r, err := w.client.WithToken(as).Do(t.Context(), string(m.UUID), core.CommitHook{Unit: u, Seq: seq, Hook: core.Hook{Kind: core.UpdateStatus},
				Epoch: "e1", Effects: core.Effects{Secrets: []core.SecretWrite{write}}})
			if err != nil || !r.Unchanged {
				return err
			}
		}
	}
	write := core.SecretWrite{ID: shared, SecretUpdate: core.SecretUpdate{Data: content("YQ==")}}
	for _, c := range []struct {
		who   string
		unit  kith.UnitName
		token string
		code  kith.Code
	}{
		{"who reads it", "web/0", w.keys.Unit(m.UUID, "web/0"), kith.Forbidden},
		{"a stranger", "other/0", w.keys.Unit(m.UUID, "other/0"), kith.Forbidden},
		{"in the owner's name", "db/0", w.keys.Unit(m.UUID, "web/0"), kith.Forbidden},
		{"the host", "db/0", w.keys.Host("local"), kith.Forbidden},
		{"the operator", "db/0", "", kith.Forbidden},
		{"the owner", "db/0", w.keys.Unit(m.UUID, "db/0"), ""},
	} {
		if err := commit(c.unit, c.token, write); err == nil && c.code != "" || err != nil && kith.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %q", c.who, err, c.code)
		}
	}
	for _, op := range []core.Op{core.AddSecret{ID: "new00000000000000000", SecretName: "x", Data: content("YQ==")}, core.UpdateSecret{Secret: "login"},
		core.GrantSecret{Secret: "login", Apps: []kith.AppName{"web"}}, core.GrantSecret{Secret: "login", Revoke: true}, core.RemoveSecret{Secret: "login"}} {
		for who, token := range map[string]string{"a unit": w.keys.Unit(m.UUID, "db/0"), "the host": w.keys.Host("local")} {
			if _, err := w.client.WithToken(token).Do(t.Context(), string(m.UUID), op); kith.CodeOf(err) != kith.Forbidden {
				t.Errorf("%s by %s: %v", op.Name(), who, err)
			}
		}
	}
	// Refusals tell nothing of what was sent.
	for what, body := range map[string]string{
		"add-secret":    `{"id":"new00000000000000000","name":"x","data":{"password":"planted-value!"}}`,
		"update-secret": `{"secret":"login","data":{"PASSWORD":"cGxhbnRlZC12YWx1ZQ=="}}`,
		"remove-secret": `{"secret":"login","data":{"password":"cGxhbnRlZC12YWx1ZQ=="}}`,
		"grant-secret":  `{"secret":"login","apps":"cGxhbnRlZC12YWx1ZQ=="}`,
	} {
		status, answer := w.raw("POST", "/v1/models/m/commands/"+what, "", []byte(body))
		if status != 400 {
			t.Errorf("%s: %d %s", what, status, answer)
		}
		untold(t, what+" refused", answer)
	}
	untold(t, "the controller's log", w.log.String())
}

func untold(t *testing.T, what, text string) {
	t.Helper()
	for _, p := range planted {
		if at := strings.Index(text, p); at >= 0 {
			t.Errorf("%s tells %q: …%s…", what, p, text[max(0, at-60):min(len(text), at+60)])
		}
	}
}

// Every route for every identity, both streams included, the log and what agents were told:
// the content is nowhere but where it was asked for.
func TestSecretContentIsNowhereElse(t *testing.T) {
	t.Parallel()
	w, m, seen := withSecrets(t)
	fill := strings.NewReplacer("{model}", string(m.UUID), "{app}", "web", "{number}", "0", "{relation}", "0", "{secret}", "login",
		"{id}", strings.Repeat("0", 64), "{host}", "local")
	for _, r := range routes() {
		if r.method != http.MethodGet || r.stream && r.path != api.PathLogs {
			continue
		}
		for who, token := range map[string]string{"operator": "", "host": w.keys.Host("local"), "unit": w.keys.Unit(m.UUID, "web/0")} {
			_, body := w.raw(r.method, fill.Replace(r.path)+"?owner=db&units=true&limit=1000&last=-1", token, nil)
			untold(t, fmt.Sprintf("%s for %s", r.path, who), body)
		}
	}
	history, err := w.client.History(t.Context(), "m", api.HistoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(history)
	if err != nil {
		t.Fatal(err)
	}
	untold(t, "history", string(text))
	if !strings.Contains(string(text), `"kind":"secret-content","id":"`+string(shared)+`/1","action":"added","keys":["password"]`) {
		t.Errorf("history does not name the keys: %s", text)
	}
	events := 0
	for e, err := range w.client.Watch(t.Context(), "m", true) {
		if err != nil {
			t.Fatal(err)
		}
		if events++; events == 1 {
			w.do("m", core.UpdateSecret{Secret: "login", Data: content("cGxhbnRlZC12YWx1ZQ=="), Info: ref("changed")})
			w.do("m", core.AddSecret{ID: "late0000000000000000", SecretName: "late", Data: content("cGxhbnRlZC12YWx1ZQ==")})
			continue
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		untold(t, "the watch", string(text))
		if strings.Contains(string(text), "late0000000000000000/1") {
			break
		}
	}
	untold(t, "what agents were told", seen())
	untold(t, "the controller's log", w.log.String())
	reply, err := w.client.Do(t.Context(), "m", core.RemoveSecret{Secret: "late"})
	if text, _ := json.Marshal(reply); err != nil || !strings.Contains(string(text), `"removed":[{"kind":"secret","id":"late0000000000000000","name":"late"}]`) {
		t.Errorf("%s %v", text, err)
	}
}
