package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// Every identity on every route: who is let in is what the table says, and a
// unit is kept to its own model and itself. 401 and 403 are refusals; anything else is past the door.
func TestAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, other := w.model("m"), w.model("other")
	w.deploy("m", webCharm, dbCharm)
	w.deploy("other", webCharm)
	fill := strings.NewReplacer("{model}", string(m.UUID), "{app}", "web", "{number}", "0", "{relation}", "0",
		"{id}", strings.Repeat("0", 64), "{host}", "local", "{op}", "status-set")
	identities := []struct {
		name, token string
		uid         int
		who         who
	}{
		{"operator", "", os.Getuid(), users},
		{"stranger", "", os.Getuid() + 1, 0},
		{"forger", "abc.def", os.Getuid(), 0},
		{"host", w.keys.Host("local"), -1, hosts},
		{"unit", w.keys.Unit(m.UUID, "web/0"), -1, units},
	}
	for _, r := range routes() {
		if r.path == api.PathShutdown {
			continue // see TestShutdown
		}
		for _, id := range identities {
			got := w.try(r.method, fill.Replace(r.path), id.token, id.uid)
			refused := got == http.StatusUnauthorized || got == http.StatusForbidden
			allowed := r.who&id.who != 0
			if r.path == api.PathCommand {
				allowed = id.who&(units|hosts) != 0 // status-set is an agent's; whose, core decides
			}
			if refused == allowed {
				t.Errorf("%s on %s %s: %d", id.name, r.method, r.path, got)
			}
			if id.who == 0 && got != http.StatusUnauthorized {
				t.Errorf("%s on %s %s: %d, want 401", id.name, r.method, r.path, got)
			}
		}
	}
	unit := w.keys.Unit(m.UUID, "web/0")
	for path, want := range map[string]int{
		"/v1/models/m/units/web/0/live":                            403, // by UUID only: names are the operator's
		"/v1/models/" + string(m.UUID) + "/status":                 403,
		"/v1/models/" + string(other.UUID) + "/status":             403,
		"/v1/models/" + string(m.UUID) + "/units/db/0":             403,
		"/v1/models/" + string(m.UUID) + "/units/web/0":            403,
		"/v1/models/" + string(m.UUID) + "/units/db/0/live":        403,
		"/v1/models/" + string(m.UUID) + "/units/web/0/live":       200,
		"/v1/models/" + string(m.UUID) + "/units/db/0/goal-state":  403,
		"/v1/models/" + string(m.UUID) + "/units/web/0/goal-state": 200,
	} {
		if got := w.try("GET", path, unit, -1); got != want {
			t.Errorf("a unit on %s: %d, want %d", path, got, want)
		}
	}
	if got := w.try("GET", "/v1/hosts/elsewhere/stream?epoch=x", w.keys.Host("local"), -1); got != 403 {
		t.Errorf("a host on another's stream: %d", got)
	}
	gone := w.keys.Unit(m.UUID, "web/7")
	if got := w.try("GET", "/v1/models/"+string(m.UUID)+"/units/web/7/live", gone, -1); got != 401 {
		t.Errorf("a unit that does not exist: %d", got)
	}
}

// try is a request that a stream cannot hold up: its context has ended.
func (w *world) try(method, path, token string, uid int) int {
	req := httptest.NewRequest(method, path, strings.NewReader("[]"))
	if token != "" {
		req.Header.Set(api.HeaderToken, "Bearer "+token)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	if uid >= 0 {
		ctx = context.WithValue(ctx, peerKey{}, peer{uid, true})
	}
	if strings.HasSuffix(path, "/watch") || strings.Contains(path, "/stream") {
		cancel()
	}
	rec := httptest.NewRecorder()
	w.server.Handler().ServeHTTP(rec, req.WithContext(ctx))
	return rec.Code
}

// Operators' commands are not for agents, nor the other way round.
func TestCommandAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	w.deploy("m", webCharm, dbCharm)
	for _, c := range api.Commands() {
		path := "/v1/models/" + string(m.UUID) + "/commands/" + c.Name
		for token, user := range map[string]bool{"": true, w.keys.Unit(m.UUID, "web/0"): false, w.keys.Host("local"): false} {
			if user == (c.Audience == api.ForUsers) {
				continue
			}
			status, body := w.raw("POST", path, token, []byte("{}"))
			if status != 403 {
				t.Errorf("%s by %q: %d %s", c.Name, token, status, body)
			}
		}
	}
	// A unit speaks for itself only (core decides).
	_, err := w.unit(m, "web/0").Do(t.Context(), string(m.UUID), core.SetStatus{Unit: "db/0", Status: kith.Active})
	if kith.CodeOf(err) != kith.Forbidden {
		t.Errorf("web/0 for db/0: %v", err)
	}
	// A unit reads no bag that is not its business.
	_, err = w.unit(m, "web/0").Bag(t.Context(), string(m.UUID), 99, "db/0")
	if kith.CodeOf(err) != kith.NotFound {
		t.Errorf("a bag of no relation: %v", err)
	}
	// A unit logs as itself only.
	for entity, code := range map[string]kith.Code{"unit-web-0": "", "unit-db-0": kith.Forbidden} {
		err := w.unit(m, "web/0").AppendLogs(t.Context(), string(m.UUID), []api.LogRecord{{Entity: entity}})
		if code == "" && err != nil || code != "" && kith.CodeOf(err) != code {
			t.Errorf("log as %s: %v", entity, err)
		}
	}
}

// Credentials cannot be made up or changed.
func TestCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	w.deploy("m", webCharm)
	good := w.keys.Unit(m.UUID, "web/0")
	for _, bad := range []string{good + "A", "A" + good, strings.Replace(good, ".", "", 1), ".", good[:len(good)-1], fmt.Sprintf("%s.%s", good, good)} {
		if status, _ := w.raw("GET", api.PathInfo, bad, nil); status != 401 {
			t.Errorf("credential %q: %d", bad, status)
		}
	}
	if status, _ := w.raw("GET", api.PathInfo, good, nil); status != 200 {
		t.Errorf("the right one: %d", status)
	}
}
