package ops_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/internal/hooktool"
	"kith/ops"
)

var backup = core.Hook{Kind: core.Action, Task: &core.TaskHook{ID: 12, Action: "backup"}}

// act runs the action backup.
func (w *world) act(handle func(*ops.ActionEvent) error) (core.TaskOutcome, error) {
	err := w.try(backup, func(f *ops.Framework) {
		f.Observe(
			ops.OnAction("backup", handle),
			ops.OnReconcile(func(*ops.ReconcileEvent) error { panic("reconcile in an action") }),
		)
	})
	return w.last.Outcome(hooktool.Ending{}), err
}

// Ops reference, section 7, actions; on the real tools.
func TestAction(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.params = map[string]any{"to": "/backup", "count": 3}
	o, err := w.act(func(e *ops.ActionEvent) error {
		if e.ID() != "12" || e.Name() != "backup" {
			t.Errorf("action %s %s", e.Name(), e.ID())
		}
		var params struct {
			To    string `json:"to"`
			Count int    `json:"count"`
		}
		if err := e.LoadParams(&params); err != nil || params.To != "/backup" || params.Count != 3 {
			t.Errorf("parameters %+v, %v", params, err)
		}
		all, err := e.Params()
		if err != nil || all["count"] != int64(3) {
			t.Errorf("parameters %v, %v", all, err)
		}
		var wrong struct {
			To int `json:"to"`
		}
		if err := e.LoadParams(&wrong); kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), `"backup"`) {
			t.Errorf("parameters that do not fit: %v", err)
		}
		if err := e.Logf("%d of %d", 1, 3); err != nil {
			return err
		}
		return e.SetResults(map[string]any{"size": 10, "file": map[string]any{"name": "a=b", "path": "/x"}})
	})
	if err != nil || o.Status != core.TaskCompleted || strings.Join(w.said, ";") != "1 of 3" {
		t.Errorf("outcome %+v, %v, log %q", o, err, w.said)
	}
	if got, _ := json.Marshal(o.Values); string(got) != `{"file":{"name":"a=b","path":"/x"},"size":"10"}` {
		t.Errorf("results %s", got)
	}
}

func TestActionThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld()
	o, err := w.act(func(e *ops.ActionEvent) error {
		if err := e.SetResults(map[string]any{"done": false}); err != nil {
			return err
		}
		return e.Fail("-no space")
	})
	if err != nil || o.Status != core.TaskFailed || o.Message != "-no space" || o.Values["done"] != "false" {
		t.Errorf("outcome %+v, %v", o, err)
	}
	_, err = w.act(func(e *ops.ActionEvent) error { return errors.New("broken") })
	if err == nil || err.Error() != "broken" {
		t.Errorf("the error of a handler is lost: %v", err)
	}
	var refused *ops.ModelError
	if _, err = w.act(func(e *ops.ActionEvent) error { return e.SetResults(map[string]any{"Bad Key": 1}) }); !errors.As(err, &refused) || refused.Status != 2 {
		t.Errorf("a bad key: %v", err)
	}
	if _, err = w.act(func(e *ops.ActionEvent) error {
		return e.SetResults(map[string]any{"a": map[string]any{"b": 1}, "a.b": 2})
	}); kith.CodeOf(err) != kith.Invalid {
		t.Errorf("two values under one key: %v", err)
	}
	w.in(t, configure, func(m *ops.Model) error { return nil })
}
