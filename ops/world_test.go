package ops_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/internal/hooktool"
	"kith/ops"
)

// world is one unit, web/0, and what it can see: the hook tools are the real ones, over
// a context made by hand.
type world struct {
	hooktool.Host // what is not below is not asked for

	meta     *ops.CharmMeta
	context  core.HookContext
	bags     map[string]map[string]string // "4 pg/0"
	leader   bool
	losing   bool     // the next question about leadership is the last one answered yes
	statuses []string // "unit active: ok"
	log      []string // "INFO hello"
	calls    []string // every tool called, with its arguments
	state    map[string]string
	effects  core.Effects // of the last hook
	version  string
	life     kith.Status    // of the unit, in the goal state
	params   map[string]any // of an action
	said     []string       // by action-log
	last     *hooktool.Run
	after    func() // of an example
}

const metadata = `
name: web
summary: for tests
description: for tests
requires:
  db: {interface: pgsql}
  logs: {interface: loki}
peers:
  cluster: {interface: web-cluster}
storage:
  data: {type: filesystem}
resources:
  image: {type: file, filename: image.tgz}
`

const config = `
options:
  port: {type: int, default: 8080}
  log-level: {type: string}
  debug: {type: boolean, default: false}
  ratio: {type: float, default: 0.5}
`

const actions = `
backup:
  params:
    to: {type: string}
    count: {type: integer}
`

func newWorld() *world {
	c, err := ops.ParseCharmMeta(map[string][]byte{"metadata.yaml": []byte(metadata), "config.yaml": []byte(config), "actions.yaml": []byte(actions)})
	if err != nil {
		panic(err)
	}
	return &world{
		after: func() {},
		meta:  c, leader: true, life: kith.Active, state: map[string]string{},
		context: core.HookContext{
			Model: "deadbeef-0bad-400d-8000-4b1d0d06f00d", ModelName: "prod", Unit: "web/0", Address: "127.0.1.1",
			Config: map[string]any{"port": float64(8080), "debug": false, "ratio": 0.5}, Options: []string{"debug", "log-level", "port", "ratio"},
			Bindings: []string{"cluster", "db", "juju-info", "logs"},
			Relations: []*core.RelationContext{
				{ID: 1, Endpoint: "cluster", RemoteApp: "web", Role: kith.Peer, Members: []kith.UnitName{"web/1"}},
				{ID: 2, Endpoint: "logs", RemoteApp: "loki", Role: kith.Requirer},
				{ID: 4, Endpoint: "db", RemoteApp: "pg", Role: kith.Requirer, Members: []kith.UnitName{"pg/0", "pg/1"}},
				{ID: 10, Endpoint: "logs", RemoteApp: "loki2", Role: kith.Requirer},
			},
		},
		bags: map[string]map[string]string{
			"1 web/0": {}, "1 web/1": {"host": "127.0.1.2"}, "1 web": {},
			"2 web/0": {}, "2 web": {}, "2 loki": {},
			"4 web/0": {"private-address": "127.0.1.1"}, "4 web": {}, "4 pg/0": {"ready": "yes"}, "4 pg/1": {}, "4 pg": {"version": "14"},
		},
	}
}

// run gives an event to a charm made of handlers, and its effects to the world.
func (w *world) run(t *testing.T, hook core.Hook, setup func(*ops.Framework)) {
	t.Helper()
	if err := w.try(hook, setup); err != nil {
		t.Errorf("%s: %v", hook.Name(), err)
	}
}

func (w *world) try(hook core.Hook, setup func(*ops.Framework)) error {
	return w.dispatch(hook, func(f *ops.Framework) (struct{}, error) {
		setup(f)
		return struct{}{}, nil
	})
}

func (w *world) dispatch(hook core.Hook, new func(*ops.Framework) (struct{}, error)) error {
	c := w.context
	c.State, c.Leader = maps.Clone(w.state), w.leader
	path := "hooks/" + hook.Name()
	if hook.Kind == core.Action {
		path = "actions/" + hook.Task.Action
		c.Task = &core.TaskContext{ID: hook.Task.ID, Action: hook.Task.Action, Params: w.params}
	}
	run := hooktool.NewRun(&c, hook, w)
	w.last = run
	env := ops.Env{
		DispatchPath: path, CharmDir: "/charm", Unit: c.Unit, ModelName: c.ModelName, ModelUUID: c.Model, JujuVersion: "3.6.14",
	}
	if r := hook.Relation; r != nil {
		env.Event = ops.EventEnv{Relation: r.Endpoint, RelationID: r.ID, RemoteApp: r.RemoteApp, RemoteUnit: r.RemoteUnit, DepartingUnit: r.Departing}
	}
	if s := hook.Storage; s != nil {
		env.Event.StorageID, env.Event.StorageLocation = string(s.ID), s.Location
	}
	if s := hook.Secret; s != nil {
		env.Event.SecretID, env.Event.SecretLabel, env.Event.SecretRevision = s.ID.URI(), s.Label, s.Revision
	}
	if hook.Kind == core.Action {
		env.Event.ActionName, env.Event.ActionID = hook.Task.Action, hook.Task.ID.String()
	}
	_, err := ops.Run(context.Background(), ops.Dispatch{Env: env, Meta: w.meta, Backend: ops.NewToolBackend(caller{w, run})}, new)
	if err == nil {
		w.commit(run.Effects())
	}
	return err
}

// commit applies a hook's effects.
func (w *world) commit(e core.Effects) {
	w.effects = e
	for key, value := range e.State {
		if delete(w.state, key); value != nil {
			w.state[key] = *value
		}
	}
	for _, b := range e.Bags {
		owner := "web/0"
		if b.App {
			owner = "web"
		}
		bag := w.bags[b.Relation.String()+" "+owner]
		for k, v := range b.Set {
			if bag[k] = v; v == "" {
				delete(bag, k)
			}
		}
	}
}

// caller makes the calls of one hook.
type caller struct {
	w   *world
	run *hooktool.Run
}

func (c caller) Call(t ops.ToolCall) (ops.ToolResult, error) {
	args := slices.Concat(t.Args, t.Private)
	c.w.calls = append(c.w.calls, fmt.Sprint(t.Tool, args))
	r := c.run.Exec(hooktool.Call{Tool: t.Tool, Args: args, Dir: "/charm", StdinSupplied: t.Stdin != nil, Stdin: t.Stdin})
	return ops.ToolResult{Status: int(r.Code), Stdout: r.Stdout, Stderr: r.Stderr}, nil
}

// The rest is hooktool.Host.

func (w *world) LogAction(_ int, message string) error {
	w.said = append(w.said, message)
	return nil
}

func (w *world) Bag(id kith.RelationID, owner string) (map[string]string, error) {
	if owner == "web" && id != 1 && !w.leader {
		return nil, kith.Errorf(kith.Forbidden, "permission denied")
	}
	if data, ok := w.bags[id.String()+" "+owner]; ok {
		return maps.Clone(data), nil
	}
	return nil, kith.Errorf(kith.Forbidden, "permission denied")
}

func (w *world) IsLeader() (bool, error) {
	leads := w.leader
	w.leader = leads && !w.losing
	return leads, nil
}

func (w *world) UnitStatus() (core.Status, error) { return core.Status{Current: kith.Unknown}, nil }

func (w *world) AppStatus() (hooktool.AppStatus, error) {
	if !w.leader {
		return hooktool.AppStatus{}, kith.Errorf(kith.Forbidden, "this unit is not the leader")
	}
	return hooktool.AppStatus{Status: core.Status{Current: kith.Active, Message: "app"}}, nil
}

func (w *world) SetStatus(app bool, status kith.Status, message string) error {
	if app && !w.leader {
		return kith.Errorf(kith.Forbidden, "this unit is not the leader")
	}
	who := map[bool]string{false: "unit", true: "app"}[app]
	w.statuses = append(w.statuses, who+" "+ops.Status{Name: status, Message: message}.String())
	return nil
}

func (w *world) SetVersion(v string) error                  { w.version = v; return nil }
func (w *world) LeaderSettings() (map[string]string, error) { return nil, nil }
func (w *world) SetLeaderSettings(map[string]string) error  { return nil }
func (w *world) ReadFile(string, int64) ([]byte, error)     { return nil, errors.New("no files") }
func (w *world) WriteFile(string, []byte) error             { return errors.New("no files") }
func (w *world) Log(level hooktool.Level, message string) {
	w.log = append(w.log, string(level)+" "+message)
}
func (w *world) GoalState() (hooktool.GoalState, error) {
	return hooktool.GoalState{Units: map[string]core.Status{
		"web/0": {Current: w.life}, "web/1": {Current: kith.Waiting}, "web/2": {Current: kith.Status(kith.Dying)},
	}}, nil
}
