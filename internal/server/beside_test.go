package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// agentWay is what an agent asks for, by a client or from beside.
type agentWay interface {
	Host(ctx context.Context, host, epoch string) iter.Seq2[api.HostEvent, error]
	Blob(ctx context.Context, id string) (io.ReadCloser, error)
	AppendLogs(ctx context.Context, model string, records []api.LogRecord) error
	Do(ctx context.Context, model string, op core.Op) (api.CommandReply, error)
	Bag(ctx context.Context, model string, id kith.RelationID, owner string) (api.BagReply, error)
	GoalState(ctx context.Context, model string, u kith.UnitName) (api.GoalState, error)
	Live(ctx context.Context, model string, u kith.UnitName, units bool) (api.UnitLive, error)
	UnitSecret(ctx context.Context, model string, u kith.UnitName, q core.SecretQuery) (core.SecretValue, error)
	UnitSecrets(ctx context.Context, model string, u kith.UnitName) ([]core.SecretInfo, error)
}

// An agent beside the server gets the answers and refusals of the routes, whoever it says it is
// and whatever it asks for.
func TestBesideAnswersAsTheRoutesDo(t *testing.T) {
	t.Parallel()
	w, m, _ := withSecrets(t)
	elsewhere := w.model("elsewhere")
	w.deploy("elsewhere", webCharm)
	archive := w.put("an archive")
	tokens := map[string]string{"a forger": "abc.def", "a host": w.keys.Host("local"), "another host": w.keys.Host("elsewhere"),
		"web/0": w.keys.Unit(m.UUID, "web/0"), "db/0": w.keys.Unit(m.UUID, "db/0"), "a unit that is gone": w.keys.Unit(m.UUID, "web/7"),
		"a unit of another model": w.keys.Unit(elsewhere.UUID, "web/0")}
	for name, ask := range asked(t.Context(), "m", archive) {
		if _, err := ask(w.server.Beside("")); kith.CodeOf(err) != kith.Unauthenticated {
			t.Errorf("nobody, %s: %v", name, err) // over a socket that is the operator
		}
	}
	for who, token := range tokens {
		for _, model := range []string{string(m.UUID), "m", string(elsewhere.UUID), "none"} {
			for name, ask := range asked(t.Context(), model, archive) {
				overSocket, refused := ask(w.client.WithToken(token))
				beside, refusedBeside := ask(w.server.Beside("").WithToken(token))
				if kith.CodeOf(refused) != kith.CodeOf(refusedBeside) || text(refused) != text(refusedBeside) {
					t.Errorf("%s, %s of model %s: over the socket %v, beside %v", who, name, model, refused, refusedBeside)
				}
				if got, want := asJSON(t, beside), asJSON(t, overSocket); refused == nil && got != want {
					t.Errorf("%s, %s of model %s: over the socket %s, beside %s", who, name, model, want, got)
				}
			}
		}
	}
}

// asked is each thing that an agent can ask for.
func asked(ctx context.Context, model, archive string) map[string]func(agentWay) (any, error) {
	at := func(u kith.UnitName) []api.LogRecord {
		return []api.LogRecord{{Entity: api.UnitTag(u), Message: "hello"}}
	}
	return map[string]func(agentWay) (any, error){
		"status-set":      func(a agentWay) (any, error) { return a.Do(ctx, model, core.SetStatus{Unit: "web/0", Status: "odd"}) },
		"deploy":          func(a agentWay) (any, error) { return a.Do(ctx, model, core.Deploy{App: "web"}) },
		"its bag":         func(a agentWay) (any, error) { return a.Bag(ctx, model, 0, "db/0") },
		"a bag of none":   func(a agentWay) (any, error) { return a.Bag(ctx, model, 99, "db/0") },
		"goal-state":      func(a agentWay) (any, error) { return a.GoalState(ctx, model, "web/0") },
		"live":            func(a agentWay) (any, error) { return a.Live(ctx, model, "web/0", true) },
		"live of no unit": func(a agentWay) (any, error) { return a.Live(ctx, model, "web/9", false) },
		"secret": func(a agentWay) (any, error) {
			return a.UnitSecret(ctx, model, "db/0", core.SecretQuery{ID: shared, Peek: true})
		},
		"secret of another": func(a agentWay) (any, error) { return a.UnitSecret(ctx, model, "web/0", core.SecretQuery{ID: shared}) },
		"secrets":           func(a agentWay) (any, error) { return a.UnitSecrets(ctx, model, "db/0") },
		"its log":           func(a agentWay) (any, error) { return nil, a.AppendLogs(ctx, model, at("web/0")) },
		"another's log":     func(a agentWay) (any, error) { return nil, a.AppendLogs(ctx, model, at("db/0")) },
		"archive":           func(a agentWay) (any, error) { return read(a.Blob(ctx, archive)) },
		"no archive":        func(a agentWay) (any, error) { return read(a.Blob(ctx, "xyz")) },
		"another's stream":  func(a agentWay) (any, error) { return first(a.Host(ctx, "third", "e")) },
		"stream, no epoch":  func(a agentWay) (any, error) { return first(a.Host(ctx, "elsewhere", "")) },
		"stream":            func(a agentWay) (any, error) { return first(a.Host(ctx, "elsewhere", "e")) },
	}
}

func asJSON(t *testing.T, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func read(r io.ReadCloser, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// first is what a stream begins with.
func first(events iter.Seq2[api.HostEvent, error]) (any, error) {
	for e, err := range events {
		if err == nil {
			slices.Sort(e.Units.Models)
		}
		return e, err
	}
	return nil, errors.New("nothing")
}

// Text that is not UTF-8 comes to the model as it comes over the wire, and back from the store.
func TestBesideCarriesText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	w.deploy("m", webCharm)
	const odd = "a\xffb"
	status := core.SetStatus{Unit: "web/0", Status: kith.Active, Message: odd}
	_, err := w.server.Beside(w.keys.Unit(m.UUID, "web/0")).Do(t.Context(), string(m.UUID), status)
	if err != nil {
		t.Fatal(err)
	}
	u, err := w.client.Unit(t.Context(), "m", "web/0")
	if err != nil || u.Workload.Message != "a\uFFFDb" {
		t.Errorf("%q, %v", u.Workload.Message, err)
	}
	model, err := w.c.Model("m")
	if err != nil {
		t.Fatal(err)
	}
	if got := model.Snapshot().Unit("web/0").Workload.Message; got != "a\uFFFDb" {
		t.Errorf("in the model: %q", got)
	}
}

// A stream that is left ends with the cause.
func TestLeavingFromBeside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	host := w.server.Beside(w.keys.Host("local"))
	var end error
	for _, err := range host.Host(ctx, "local", "e1") {
		if end = err; err == nil {
			cancel(why)
		}
	}
	if !errors.Is(end, why) {
		t.Errorf("a stream that was left: %v", end)
	}
}

// What breaks while somebody beside the server asks ends his request and nothing else.
func TestPanicBeside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	host := w.server.Beside(w.keys.Host("local"))
	_, err := ask(t.Context(), host, "GET "+api.PathInfo, func(caller) (int, error) { panic("boom") })
	if kith.CodeOf(err) != kith.Internal || strings.Contains(err.Error(), "boom") || !strings.Contains(err.Error(), "reference") {
		t.Errorf("who asks gets %v", err)
	}
	if log := w.log.String(); !strings.Contains(log, "boom") {
		t.Errorf("the log does not tell: %s", log)
	}
}
