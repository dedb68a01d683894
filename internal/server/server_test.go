package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/core"
)

func rawClient(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info, err := w.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info.Version != "1.2.3" || info.API != api.Version || info.PID != os.Getpid() || info.You.String() != "user admin" {
		t.Errorf("info: %+v", info)
	}
}

// Everything of a small model, through the socket: deploy, integrate, settle, look.
func TestModelFromEndToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("prod")
	w.agent(func(a *api.Assignment) core.Effects {
		if a.Hook.Name() != "server-relation-joined" {
			return core.Effects{}
		}
		return core.Effects{Bags: []core.BagWrite{{Relation: a.Hook.Relation.ID, Set: map[string]string{"endpoint": "here"}}}}
	})
	w.deploy("prod", webCharm, dbCharm)
	w.do("prod", core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "db"}})
	r, err := w.client.Settle(t.Context(), "prod", 30*time.Second)
	if err != nil || !r.Settled {
		t.Fatalf("settle: %+v, %v", r, err)
	}

	status, err := w.client.Status(t.Context(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	if len(status.Apps) != 2 || status.Apps[0].Name != "db" || status.Apps[0].Charm != "local:db-0" || len(status.Relations) != 1 {
		t.Errorf("status: %+v", status)
	}
	if u := status.UnitOf("web/0"); u == nil || u.Agent.Current != kith.Idle || !u.Leader {
		t.Errorf("web/0: %+v", u)
	}
	unit, err := w.client.Unit(t.Context(), string(m.UUID), "web/0")
	if err != nil || len(unit.Relations) != 1 || unit.Relations[0].Related[0].Data["endpoint"] != "here" {
		t.Errorf("show-unit: %+v, %v", unit, err)
	}
	app, err := w.client.App(t.Context(), "prod", "web")
	if err != nil || len(app.Endpoints) != 1 || app.Endpoints[0].Interface != "pg" {
		t.Errorf("show-application: %+v, %v", app, err)
	}
	history, err := w.client.History(t.Context(), "prod", api.HistoryQuery{})
	if err != nil || len(history.Entries) != int(history.Revision) || history.Horizon != 1 {
		t.Fatalf("history: %d entries of %d, %v", len(history.Entries), history.Revision, err)
	}
	log, err := w.client.StatusLog(t.Context(), "prod", api.StatusLogQuery{Entity: "web/0", Limit: 100})
	if err != nil || len(log) < 5 || log[0].Current != "allocating" {
		t.Errorf("status log: %+v, %v", log, err)
	}
}

// History can be asked for by revision, from both ends, in parts.
func TestHistoryRanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	w.deploy("m", webCharm)
	for i := range 30 {
		w.do("m", core.SetModelConfig{Set: map[string]string{"x": fmt.Sprint(i)}})
	}
	revisions := func(q api.HistoryQuery) []uint64 {
		t.Helper()
		h, err := w.client.History(t.Context(), "m", q)
		if err != nil {
			t.Fatal(err)
		}
		var out []uint64
		for _, raw := range h.Entries {
			var e core.Entry
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			out = append(out, e.Revision)
		}
		return out
	}
	for _, c := range []struct {
		q    api.HistoryQuery
		want []uint64
	}{
		{api.HistoryQuery{From: 5, To: 8}, []uint64{5, 6, 7, 8}},
		{api.HistoryQuery{From: 5, To: 8, Newest: true}, []uint64{8, 7, 6, 5}},
		{api.HistoryQuery{From: 5, Limit: 2}, []uint64{5, 6}},
		{api.HistoryQuery{To: 3}, []uint64{1, 2, 3}},
		{api.HistoryQuery{From: 33, Limit: 9}, []uint64{33}},
		{api.HistoryQuery{From: 99}, nil},
	} {
		if got := revisions(c.q); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.q, got, c.want)
		}
	}
}

// Settle with a time-out says what is left: which unit, which hook.
func TestSettleSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	w.deploy("m", webCharm)
	r, err := w.client.Settle(t.Context(), "m", 10*time.Millisecond)
	if err != nil || r.Settled || len(r.Busy) != 1 {
		t.Fatalf("settle: %+v, %v", r, err)
	}
	if b := r.Busy[0]; b.Unit != "web/0" || b.Hook != "install" || b.With != api.BusyPending || !b.Offline || b.Since.IsZero() {
		t.Errorf("busy: %+v", b)
	}
}

// Errors keep code, text and hint on their way.
func TestErrorsSurviveTheSocket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	_, err := w.client.Do(t.Context(), "m", core.AddUnits{App: "nosuch", Units: 1})
	var e *kith.Error
	if !errors.As(err, &e) || e.Code != kith.NotFound || !strings.Contains(e.Message, `application "nosuch" not found`) || e.Hint == "" {
		t.Errorf("got %+v", err)
	}
	if _, err := w.client.Model(t.Context(), "nosuch"); kith.CodeOf(err) != kith.NotFound || !strings.Contains(err.Error(), `model "nosuch" not found`) {
		t.Errorf("got %+v", err)
	}
	for path, want := range map[string]int{
		"/v1/nosuch":                       404,
		"/v1/models/m/settle?timeout=soon": 400,
		"/v1/models/m/history?from=x":      400,
		"/v1/models/m/logs?level=loud":     400,
		"/v1/blobs/xyz":                    400,
		"/v1/models/m/units/web/01":        400,
		"/v1/models/m/applications/web":    404,
	} {
		if got, body := w.raw("GET", path, "", nil); got != want || !strings.Contains(body, `"code":`) {
			t.Errorf("%s: %d %s, want %d", path, got, body, want)
		}
	}
	for body, op := range map[string]string{"{": "deploy", `{"app":"x","uints":3}`: "deploy", "{}": "tick"} {
		if got, answer := w.raw("POST", "/v1/models/m/commands/"+op, "", []byte(body)); got != 400 && got != 404 {
			t.Errorf("%s %s: %d %s", op, body, got, answer)
		}
	}
}

// Without a controller every call says how to start one.
func TestNoController(t *testing.T) {
	t.Parallel()
	c := client.Unix("/nonexistent/kith.sock")
	_, err := c.Info(t.Context())
	if kith.CodeOf(err) != kith.Unavailable || kith.HintOf(err) != "start one with 'kith up'" {
		t.Errorf("got %v (%s)", err, kith.HintOf(err))
	}
}

// A databag of 16 MiB passes; more is refused by an error that names the limit.
func TestLargeBag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	big := strings.Repeat("x", api.MaxBag-1000)
	w.agent(func(a *api.Assignment) core.Effects {
		if a.Hook.Name() != "server-relation-joined" {
			return core.Effects{}
		}
		return core.Effects{Bags: []core.BagWrite{{Relation: a.Hook.Relation.ID, Set: map[string]string{"big": big}}}}
	})
	w.deploy("m", webCharm, dbCharm)
	w.do("m", core.Integrate{A: kith.Endpoint{App: "web"}, B: kith.Endpoint{App: "db"}})
	if r, err := w.client.Settle(t.Context(), "m", time.Minute); err != nil || !r.Settled {
		t.Fatalf("settle: %+v, %v", r, err)
	}
	bag, err := w.unit(m, "web/0").Bag(t.Context(), string(m.UUID), 0, "db/0")
	if err != nil || bag.Data["big"] != big {
		t.Errorf("the bag has %d bytes, %v", len(bag.Data["big"]), err)
	}
	body := make([]byte, api.MaxBody+1)
	status, answer := w.raw("POST", "/v1/models/m/commands/deploy", "", body)
	if status != 400 || !strings.Contains(answer, fmt.Sprint(api.MaxBody)) {
		t.Errorf("%d %s", status, answer)
	}
}

// Charm archives are checked against their name, and found again.
func TestBlobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	id := w.put("hello")
	w.put("hello") // again is no error
	if ok, err := w.client.HasBlob(t.Context(), id); err != nil || !ok {
		t.Errorf("has: %v, %v", ok, err)
	}
	r, err := w.host().Blob(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	buf := make([]byte, 10)
	if n, _ := r.Read(buf); string(buf[:n]) != "hello" {
		t.Errorf("got %q", buf[:n])
	}
	other := strings.Repeat("a", 64)
	if err := w.client.PutBlob(t.Context(), other, strings.NewReader("hello"), 5); kith.CodeOf(err) != kith.Invalid {
		t.Errorf("a wrong sum: %v", err)
	}
	if ok, err := w.client.HasBlob(t.Context(), other); err != nil || ok {
		t.Errorf("has: %v, %v", ok, err)
	}
	if _, err := w.client.Blob(t.Context(), other); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("blob: %v", err)
	}
	if _, err := w.client.Do(t.Context(), "m", core.AddCharm{ID: other, Charm: webCharm}); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("a charm without its archive: %v", err)
	}
}

// Logs written by the host are read, filtered and followed; they go with the model.
func TestLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	rec := func(entity, message string) api.LogRecord {
		return api.LogRecord{Time: time.Unix(1, 0).UTC(), Entity: entity, Level: api.LevelInfo, Module: "unit.web/0.juju-log", Message: message}
	}
	if err := w.host().AppendLogs(t.Context(), string(m.UUID), []api.LogRecord{rec("unit-web-0", "one"), rec("unit-db-0", "two")}); err != nil {
		t.Fatal(err)
	}
	read := func(q api.LogQuery) (got []string) {
		t.Helper()
		for r, err := range w.client.Logs(t.Context(), "m", q) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.Message)
			if q.Follow && len(got) == 2 {
				break
			}
		}
		return got
	}
	if got := read(api.LogQuery{Last: -1}); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("all: %v", got)
	}
	if got := read(api.LogQuery{Last: -1, LogFilter: api.LogFilter{Include: []string{"db/0"}, Level: api.LevelInfo}}); !slices.Equal(got, []string{"two"}) {
		t.Errorf("db/0: %v", got)
	}
	if got := read(api.LogQuery{Last: -1, Follow: true}); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("followed: %v", got)
	}
}

// A watch begins with how things are and tells what is done.
func TestWatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	var events []api.WatchEvent
	for e, err := range w.client.Watch(t.Context(), "m", true) {
		if err != nil {
			t.Fatal(err)
		}
		if events = append(events, e); len(events) == 1 {
			w.do("m", core.SetModelConfig{Set: map[string]string{"x": "y"}})
			continue
		}
		if e.Revision > events[0].Revision {
			break
		}
	}
	last := events[len(events)-1]
	if len(events[0].Entries) != 0 || last.Revision != events[0].Revision+1 || len(last.Entries) != 1 ||
		!strings.Contains(string(last.Entries[0]), `"model-config"`) {
		t.Errorf("events: %+v", events)
	}
}

// When the server ends, its streams end with a reason and requests are finished.
func TestStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	for e, err := range w.client.Watch(t.Context(), "m", false) {
		if err != nil {
			if kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), "shutting down") {
				t.Errorf("the watch ended with %v", err)
			}
			break
		}
		if e.Revision > 0 {
			w.server.stop.Do(func() { close(w.server.stopping) })
		}
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.client.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-w.down
}

// A panic of a handler is logged under a reference and does not end the server.
func TestPanicOfAHandler(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	boom := route{method: "GET", path: "/boom", who: anybody, handle: func(*Server, *request) (any, error) { panic("boom") }}
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/boom", nil)
	req = req.WithContext(context.WithValue(req.Context(), peerKey{}, peer{os.Getuid(), true}))
	w.server.serve(boom).ServeHTTP(rec, req)
	var e api.Error
	if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil || rec.Code != 500 || e.Code != kith.Internal || strings.Contains(e.Message, "boom") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if e.Reference == "" || !strings.Contains(w.log.String(), e.Reference) || !strings.Contains(w.log.String(), "boom") {
		t.Errorf("the log does not tell about %q: %s", e.Reference, w.log)
	}
}

// The document lists every route and every command, and is a document.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	status, body := w.raw("GET", api.PathOpenAPIJSON, "", nil)
	var doc struct {
		OpenAPI    string                    `json:"openapi"`
		Paths      map[string]map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil || status != 200 || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%d %v %.200s", status, err, body)
	}
	for _, r := range routes() {
		if r.id != "" && doc.Paths[r.path][strings.ToLower(r.method)] == nil {
			t.Errorf("%s %s is not described", r.method, r.path)
		}
	}
	for _, c := range api.Commands() {
		if doc.Paths[strings.Replace(api.PathCommand, "{op}", c.Name, 1)]["post"] == nil {
			t.Errorf("command %s is not described", c.Name)
		}
	}
	for _, ref := range regexp.MustCompile(`#/components/schemas/([A-Za-z]+)`).FindAllStringSubmatch(body, -1) {
		if doc.Components.Schemas[ref[1]] == nil {
			t.Errorf("schema %s is referred to and not there", ref[1])
		}
	}
	if status, body := w.raw("GET", api.PathOpenAPIYAML, "", nil); status != 200 || !strings.Contains(body, "openapi: ") {
		t.Errorf("yaml: %d %.100s", status, body)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("m")
	_, body := w.raw("GET", api.PathMetrics, "", nil)
	for _, want := range []string{`kith_commands_total{op="create-model",outcome="ok"} 1`, "kith_batch_commands_count 1",
		`kith_commit_seconds_count{outcome="ok"} 1`, "kith_watchers 0", `kith_http_requests_total{route="POST /v1/models",status="200"} 1`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in\n%s", want, body)
		}
	}
}

// The socket is for its user alone.
func TestSocketMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info, err := os.Stat(w.socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
