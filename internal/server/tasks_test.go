package server

import (
	"testing"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/core"
)

var workerCharm = charm.Charm{Meta: charm.Meta{Name: "worker"}, Actions: map[string]charm.Action{
	"go": {Title: "go", Params: map[string]any{"type": "object", "properties": map[string]any{"level": map[string]any{"type": "integer", "default": 3.0}}}}}}

// An action through the socket: queued, followed to its end, looked at; and found again.
func TestActionFromEndToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("prod")
	w.agent(nil)
	w.deploy("prod", workerCharm)
	if r, err := w.client.Settle(t.Context(), "prod", 30*time.Second); err != nil || !r.Settled {
		t.Fatalf("settle: %+v, %v", r, err)
	}
	actions, err := w.client.Actions(t.Context(), "prod", "worker")
	if err != nil || actions.Actions["go"].Title != "go" || actions.Charm != "local:worker-0" {
		t.Errorf("actions: %+v, %v", actions, err)
	}
	if _, err := w.client.Actions(t.Context(), "prod", "nope"); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("actions of nobody: %v", err)
	}
	reply := w.do("prod", core.RunAction{Receivers: []string{"worker/0"}, Action: "go", Params: core.Settings{"big": int64(1 << 60)}})
	if len(reply.Created) != 2 || reply.Created[0] != (api.Ref{Kind: core.KindOperation, ID: "1"}) || reply.Created[1] != (api.Ref{Kind: core.KindTask, ID: "2", Name: "worker/0"}) {
		t.Errorf("created %+v", reply.Created)
	}
	var last api.Operation
	var said []string
	for e, err := range w.client.WatchOperation(t.Context(), "prod", 1) {
		if err != nil {
			t.Fatal(err)
		}
		last = e.Operation
		for _, m := range e.Log {
			said = append(said, m.Text)
		}
	}
	if last.Status != core.TaskCompleted || len(last.Tasks) != 1 || len(said) != 1 || said[0] != "working" || last.Tasks[0].Log != nil {
		t.Errorf("the last event: %+v, said %q", last, said)
	}
	task, err := w.client.Task(t.Context(), "prod", 2)
	if err != nil || len(task.Log) != 1 || task.Receiver() != "worker/0" || task.Params["level"] != int64(3) || task.Params["big"] != int64(1<<60) ||
		task.Results["return-code"] != int64(0) || task.Results["stdout"] != "done\n" || task.Results["size"].(map[string]any)["bytes"] != "12" {
		t.Errorf("task: %+v, %v", task, err)
	}
	if op, err := w.client.Operation(t.Context(), "prod", 1); err != nil || len(op.Tasks) != 1 || len(op.Tasks[0].Log) != 1 || op.Summary != "go run on unit-worker-0" {
		t.Errorf("operation: %+v, %v", op, err)
	}
	for _, err := range []error{
		func() error { _, err := w.client.Task(t.Context(), "prod", 1); return err }(),
		func() error { _, err := w.client.Operation(t.Context(), "prod", 99); return err }(),
		func() error {
			for _, err := range w.client.WatchOperation(t.Context(), "prod", 99) {
				return err
			}
			return nil
		}(),
	} {
		if kith.CodeOf(err) != kith.NotFound {
			t.Errorf("%v, want not-found", err)
		}
	}
	for _, path := range []string{"operations/x", "tasks/x", "operations?limit=x", "operations?offset=-1"} {
		if status, body := w.raw("GET", "/v1/models/prod/"+path, "", nil); status != 400 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// The filters of operations (CLI reference, section 9.4).
func TestListOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.model("prod")
	w.agent(nil)
	w.deploy("prod", workerCharm, webCharm)
	for _, op := range []core.Op{ // numbered 1, 3, 5, 7, 8
		core.RunAction{Receivers: []string{"worker/0"}, Action: "go"},
		core.RunCommand{Command: "true", Units: []string{"web/0"}},
		core.RunCommand{Command: "true", Machines: []kith.MachineID{"0"}},
		core.RunAction{Receivers: []string{"worker/0"}, Action: "nope"},
		core.RunAction{Receivers: []string{"worker/0"}, Action: "go"},
	} {
		w.do("prod", op)
	}
	if r, err := w.client.Settle(t.Context(), "prod", 30*time.Second); err != nil || !r.Settled {
		t.Fatalf("settle: %+v, %v", r, err)
	}
	for _, c := range []struct {
		name string
		q    api.OperationQuery
		want []kith.OperationID
		more bool
	}{
		{"all", api.OperationQuery{}, []kith.OperationID{1, 3, 5, 7, 8}, false},
		{"application", api.OperationQuery{Apps: []string{"worker"}}, []kith.OperationID{1, 8}, false},
		{"unit", api.OperationQuery{Units: []string{"web/0"}}, []kith.OperationID{3}, false},
		{"machine", api.OperationQuery{Machines: []string{"0"}}, []kith.OperationID{5}, false},
		{"unit or machine", api.OperationQuery{Units: []string{"web/0"}, Machines: []string{"0"}}, []kith.OperationID{3, 5}, false},
		{"action", api.OperationQuery{Actions: []string{"go", "nope"}}, []kith.OperationID{1, 7, 8}, false},
		{"status", api.OperationQuery{Statuses: []string{"error"}}, []kith.OperationID{7}, false},
		{"limit", api.OperationQuery{Limit: 2}, []kith.OperationID{1, 3}, true},
		{"offset", api.OperationQuery{Limit: 2, Offset: 3}, []kith.OperationID{7, 8}, false},
		{"none", api.OperationQuery{Units: []string{"x/0"}}, nil, false},
	} {
		r, err := w.client.Operations(t.Context(), "prod", c.q)
		var got []kith.OperationID
		for _, op := range r.Operations {
			got = append(got, op.ID)
		}
		if err != nil || len(got) != len(c.want) || r.More != c.more {
			t.Errorf("%s: %v, more %v, %v; want %v", c.name, got, r.More, err, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}
