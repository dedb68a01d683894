package ops_test

import (
	"encoding/json"
	"errors"
	"reflect"
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
	for _, key := range []string{"a=b", "-x", "--help", "", "=", "a.=b"} { // the tool would take these for something else
		o, err := w.act(func(e *ops.ActionEvent) error { return e.SetResults(map[string]any{"good": 1, key: "v"}) })
		if kith.CodeOf(err) != kith.Invalid || kith.HintOf(err) == "" || len(o.Values) != 0 {
			t.Errorf("key %q: %v, results %v", key, err, o.Values)
		}
	}
	if _, err := w.act(func(e *ops.ActionEvent) error { return e.SetResults(map[string]any{"out": "\x00"}) }); kith.CodeOf(err) != kith.Invalid {
		t.Errorf("a value that no process can be given: %v", err)
	}
	for _, key := range []string{"stdout", "stderr-encoding", "a.stdout", "a..b", ".a", "a-"} {
		if _, err := w.act(func(e *ops.ActionEvent) error { return e.SetResults(map[string]any{key: "v"}) }); !errors.As(err, &refused) || refused.Status != 2 {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

// Parameters of every type of JSON schema, and results of every kind of value.
func TestActionTypes(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.params = map[string]any{"to": "", "count": float64(3), "ratio": 0.5, "whole": 1e15, "on": false, "list": []any{"a", float64(1)}, "deep": map[string]any{"n": float64(2)}, "none": nil}
	type name string
	o, err := w.act(func(e *ops.ActionEvent) error {
		all, err := e.Params()
		want := map[string]any{"to": "", "count": int64(3), "ratio": 0.5, "whole": int64(1e15), "on": false, "list": []any{"a", int64(1)}, "deep": map[string]any{"n": int64(2)}, "none": nil}
		if err != nil || !reflect.DeepEqual(all, want) {
			t.Errorf("parameters %#v, %v", all, err)
		}
		var params struct {
			Count float64           `json:"count"`
			Whole int64             `json:"whole"`
			List  []any             `json:"list"`
			Deep  map[string]uint16 `json:"deep"`
			None  *string           `json:"none"`
			Not   string            `json:"not"`
		}
		params.Not = "as it was"
		if err := e.LoadParams(&params); err != nil || params.Count != 3 || params.Whole != 1e15 || len(params.List) != 2 || params.Deep["n"] != 2 || params.None != nil || params.Not != "as it was" {
			t.Errorf("parameters %+v, %v", params, err)
		}
		return e.SetResults(map[string]any{
			"text": "a=b\n", "number": 1.5, "on": true, "none": nil, "list": []string{"a", "b"},
			"map": map[string]string{"k": "v"}, "named": map[name]any{"x": map[string]int{"y": 1}}, "empty": map[string]any{},
		})
	})
	if got, _ := json.Marshal(o.Values); err != nil || string(got) != `{"list":"[a b]","map":{"k":"v"},"named":{"x":{"y":"1"}},"none":"","number":"1.5","on":"true","text":"a=b\n"}` {
		t.Errorf("results %s, %v", got, err)
	}
}
