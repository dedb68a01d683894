package core_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

var admin = core.Actor{Kind: core.ActorUser, Name: "admin"}

// endpoint is a charm.Relation in one line.
func endpoint(name, iface string, role kith.Role, scope kith.Scope, limit int) charm.Relation {
	return charm.Relation{Name: kith.EndpointName(name), Interface: iface, Role: role, Scope: scope, Limit: limit}
}

func section(rs ...charm.Relation) map[string]charm.Relation {
	m := map[string]charm.Relation{}
	for _, r := range rs {
		m[string(r.Name)] = r
	}
	return m
}

// charms are a database, a web application, and a subordinate: every kind of endpoint.
var charms = []charm.Charm{
	{Meta: charm.Meta{
		Name:     "db",
		Provides: section(endpoint("server", "sql", kith.Provider, kith.Global, 0)),
		Peers:    section(endpoint("cluster", "cluster", kith.Peer, kith.Global, 0)),
		Storage:  map[string]charm.Storage{"data": {Name: "data", Type: core.FilesystemStorage, CountMin: 1, CountMax: 3}},
	}, Actions: map[string]charm.Action{"dump": {Title: "dump"}}},
	{Meta: charm.Meta{
		Name:     "web",
		Requires: section(endpoint("db", "sql", kith.Requirer, kith.Global, 1), endpoint("log", "log", kith.Requirer, kith.Container, 0)),
	}, Config: map[string]charm.Option{"port": {Type: charm.IntOption, Default: int64(80)}}},
	{Meta: charm.Meta{
		Name: "sub", Subordinate: true,
		Provides: section(endpoint("log", "log", kith.Provider, kith.Container, 0)),
		Requires: section(endpoint("info", "juju-info", kith.Requirer, kith.Container, 0)),
	}},
}

// world is a model, its clock, and a generator of commands.
type world struct {
	m   *core.Model
	now time.Time
}

func newWorld(t fataler) *world {
	w := &world{m: new(core.Model), now: noon}
	w.must(t, core.System, core.CreateModel{UUID: "u", ModelName: "m", Owner: "admin"})
	w.must(t, core.System, core.HostHello{Host: "local", Epoch: "1"})
	for _, c := range charms {
		w.must(t, admin, core.AddCharm{ID: c.Meta.Name, Charm: c})
	}
	return w
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func (w *world) do(actor core.Actor, op core.Op) (core.Entry, []core.Change, error) {
	return core.Commit(w.m, core.Command{Now: w.now, Actor: actor, Op: op})
}

func (w *world) must(t fataler, actor core.Actor, op core.Op) core.Entry {
	t.Helper()
	e, _, err := w.do(actor, op)
	if err != nil {
		t.Fatalf("%s: %v", op.Name(), err)
	}
	return e
}

// dump is the whole model in its stored form, in order.
func dump(m *core.Model) string {
	data, err := json.Marshal(core.Entities(m))
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(m.Revision, string(data))
}

func (w *world) draw(t *rapid.T) (core.Actor, core.Op) {
	app := rapid.SampledFrom([]kith.AppName{"db", "web", "sub", "nosuch"})
	units := []kith.UnitName{"web/9"}
	for u := range w.m.Units() {
		units = append(units, u.Name)
	}
	unit := rapid.SampledFrom(units)
	id := kith.RelationID(rapid.IntRange(0, 6).Draw(t, "relation"))
	a, u := app.Draw(t, "app"), unit.Draw(t, "unit")
	host := core.Actor{Kind: core.ActorHost, Name: "local"}
	if rapid.IntRange(0, 11).Draw(t, "contract") == 0 {
		return w.drawContract(t, a)
	}
	switch rapid.IntRange(0, 5).Draw(t, "task or storage") {
	case 0:
		return w.drawTask(t, u, a, id)
	case 1:
		return w.drawStorage(t, u)
	}
	if rapid.IntRange(0, 3).Draw(t, "secret") == 0 {
		return w.drawSecret(t, u, a, id)
	}
	switch rapid.IntRange(0, 19).Draw(t, "op") {
	case 0, 1:
		return admin, core.Deploy{App: a, Charm: string(a), Units: rapid.SampledFrom([]int{core.DefaultUnits, 0, 2}).Draw(t, "units")}
	case 2:
		return admin, core.AddUnits{App: a, Units: 1}
	case 3:
		return admin, core.RemoveUnits{Units: []kith.UnitName{u}, Force: rapid.Bool().Draw(t, "force")}
	case 4:
		return admin, core.RemoveApps{Apps: []kith.AppName{a}}
	case 5, 6, 7:
		return admin, core.Integrate{A: kith.Endpoint{App: a}, B: kith.Endpoint{App: app.Draw(t, "b")}}
	case 8:
		return admin, core.RemoveRelation{ID: &id, Force: rapid.Bool().Draw(t, "force")}
	case 9:
		return admin, core.Suspend{IDs: []kith.RelationID{id}, Force: true, Resume: rapid.Bool().Draw(t, "resume")}
	case 10:
		return admin, core.SetConfig{App: a, Set: map[string]any{"port": int64(rapid.IntRange(80, 82).Draw(t, "port"))}}
	case 11, 12:
		return host, core.UnitHello{Unit: u}
	case 13, 14, 15:
		return core.System, core.EnterScopes{Unit: u, Relations: []kith.RelationID{id, id + 1}}
	case 16:
		return core.System, core.Elect{Unit: u}
	case 17:
		return core.System, core.Tick{}
	case 18:
		w.now = w.now.Add(50 * time.Second)
		return core.System, core.RenewLeases{Host: "local"}
	default:
		return core.UnitActor(u), w.drawHook(t, u, id)
	}
}

// drawTask is a command about tasks, likely or not.
func (w *world) drawTask(t *rapid.T, u kith.UnitName, a kith.AppName, id kith.RelationID) (core.Actor, core.Op) {
	n := kith.TaskID(rapid.IntRange(1, w.m.Info().LastTask+1).Draw(t, "number"))
	if next := w.m.Task(n); next != nil && rapid.IntRange(0, 9).Draw(t, "own") > 0 {
		u = next.Unit
	}
	epoch := rapid.SampledFrom([]string{"1", "1", "1", "", "2"}).Draw(t, "epoch")
	switch rapid.IntRange(0, 12).Draw(t, "task op") {
	case 0, 1:
		return admin, core.RunAction{Receivers: []string{string(u), string(a) + "/1"}, Action: rapid.SampledFrom([]string{"dump", "nope"}).Draw(t, "action")}
	case 2:
		return admin, core.RunCommand{Command: "true", Units: []string{string(u)}, Serial: rapid.Bool().Draw(t, "serial"),
			All: rapid.Bool().Draw(t, "all"), Apps: []kith.AppName{a}}
	case 3:
		return admin, core.RunCommand{Command: "true", Units: []string{string(u)}, Relation: &id}
	case 4:
		return admin, core.CancelTasks{Tasks: []kith.TaskID{n, n + 1}}
	case 5, 6, 7:
		return core.UnitActor(u), core.BeginTask{Unit: u, Task: n, Epoch: epoch}
	case 8:
		return core.UnitActor(u), core.LogTask{Unit: u, Task: n, Number: rapid.IntRange(1, 4).Draw(t, "message"), Message: "m"}
	case 9:
		w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 400 * time.Hour}).Draw(t, "later"))
		return core.System, core.PruneTasks{}
	case 10:
		return core.System, core.HostHello{Host: "local", Epoch: epoch}
	default:
		write := core.BagWrite{Relation: id, App: rapid.Bool().Draw(t, "app"), Set: map[string]string{"t": "1"}}
		return core.UnitActor(u), core.FinishTask{Unit: u, Task: n, Epoch: epoch, TaskOutcome: core.TaskOutcome{
			Status:  rapid.SampledFrom([]core.TaskStatus{core.TaskCompleted, core.TaskFailed, core.TaskAborted, core.TaskRunning}).Draw(t, "status"),
			Values:  map[string]any{"a": map[string]any{"b": "c"}},
			Output:  &core.Output{Code: 1, Stdout: "out"},
			Effects: core.Effects{Bags: []core.BagWrite{write}}}}
	}
}

// drawHook is a commit of some hook, likely or not.
func (w *world) drawHook(t *rapid.T, u kith.UnitName, id kith.RelationID) core.Op {
	var seq uint64 = 1
	if p := w.m.Progress(u); p != nil {
		seq = p.Seq + uint64(rapid.IntRange(0, 2).Draw(t, "seq"))
	}
	h := core.Hook{Kind: rapid.SampledFrom([]core.HookKind{
		core.Install, core.Start, core.ConfigChanged, core.Remove, core.RelationJoined, core.RelationBroken,
		core.StorageAttached, core.StorageDetaching,
	}).Draw(t, "hook"), Charm: string(u.App())}
	if h.Kind == core.StorageAttached || h.Kind == core.StorageDetaching {
		h.Storage = &core.StorageHook{ID: w.drawStorageID(t), Location: rapid.SampledFrom([]string{"", "/x"}).Draw(t, "location")}
	}
	if h.Kind == core.RelationJoined || h.Kind == core.RelationBroken {
		h.Relation = &core.RelationHook{ID: id, Endpoint: "db", RemoteApp: "db", RemoteUnit: "db/0"}
	}
	if rapid.IntRange(0, 4).Draw(t, "fail") == 0 {
		return core.FailHook{Unit: u, Seq: seq, Hook: h, Message: "exit status 1"}
	}
	write := core.BagWrite{Relation: id, App: rapid.Bool().Draw(t, "app"), Set: map[string]string{"k": rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "v")}}
	effects := core.Effects{Bags: []core.BagWrite{write}}
	if rapid.IntRange(0, 3).Draw(t, "storage-add") == 0 {
		effects.Storage = []core.StorageAdd{{Name: "data", Count: rapid.IntRange(1, 2).Draw(t, "instances")}}
	}
	return core.CommitHook{Unit: u, Seq: seq, Hook: h, Effects: effects}
}

func (w *world) drawStorageID(t *rapid.T) kith.StorageID {
	ids := []kith.StorageID{"data/99"}
	for s := range w.m.Storages() {
		ids = append(ids, s.ID)
	}
	return rapid.SampledFrom(ids).Draw(t, "storage")
}

// drawContract is a command about contracts, likely or not.
func (w *world) drawContract(t *rapid.T, a kith.AppName) (core.Actor, core.Op) {
	iface := rapid.SampledFrom([]string{"sql", "cluster", "ingress", "no name"}).Draw(t, "interface")
	switch rapid.IntRange(0, 3).Draw(t, "contract op") {
	case 0, 1:
		key := rapid.SampledFrom([]string{"{schema: {enum: [a]}}", "{required: true}", "{schema: {type: nonsense}}"}).Draw(t, "key")
		return admin, core.AddContract{Text: "interface: " + iface + "\nversion: 1\nprovider: {app: {keys: {k: " + key + "}}, unit: {keys: {k: " + key + "}}}\n"}
	case 2:
		return admin, core.RemoveContract{Interface: iface}
	}
	mode := rapid.SampledFrom([]core.ContractMode{"", "off", "warn", "enforce", "nonsense"}).Draw(t, "mode")
	if rapid.Bool().Draw(t, "of model") {
		return admin, core.SetContractMode{Mode: mode}
	}
	endpoint := rapid.SampledFrom([]kith.EndpointName{"server", "db", "nope"}).Draw(t, "endpoint")
	return admin, core.SetContractMode{Mode: mode, App: a, Endpoint: endpoint}
}

// drawStorage is a command about storage, likely or not.
func (w *world) drawStorage(t *rapid.T, u kith.UnitName) (core.Actor, core.Op) {
	id := w.drawStorageID(t)
	flag := rapid.Bool()
	switch rapid.IntRange(0, 8).Draw(t, "storage op") {
	case 0:
		return admin, core.AddStorage{Unit: u, Storage: []core.StorageRequest{{Name: rapid.SampledFrom([]string{"data", "nope"}).Draw(t, "name")}}}
	case 1, 2:
		return admin, core.AttachStorage{Unit: u, Storage: []kith.StorageID{id}}
	case 3, 4:
		return admin, core.DetachStorage{Storage: id, Force: flag.Draw(t, "force")}
	case 5:
		return admin, core.RemoveStorage{Storage: id, Force: flag.Draw(t, "force"), NoDestroy: flag.Draw(t, "no destroy")}
	case 6:
		return admin, core.RemoveUnits{Units: []kith.UnitName{u}, DestroyStorage: true}
	case 7:
		return core.Actor{Kind: core.ActorHost, Name: "local"}, core.StorageWiped{Host: "local", Storage: []kith.StorageID{id}}
	default:
		if rapid.IntRange(0, 3).Draw(t, "destroy") > 0 {
			return admin, core.AddUnits{App: "db", Units: 1, AttachStorage: []kith.StorageID{id}}
		}
		return admin, core.DestroyModel{DestroyStorage: flag.Draw(t, "destroy storage"), ReleaseStorage: flag.Draw(t, "release storage"), Force: flag.Draw(t, "force")}
	}
}

// Every command keeps the invariants; a refused one changes nothing; Decide changes nothing
// and says what Commit does; the changes alone rebuild the model; the stored form reads back.
func TestRandomCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		w.random(t, func() (core.Actor, core.Op) { return w.draw(t) })
	})
}

// random gives up to 60 commands that draw draws, and checks each.
func (w *world) random(t *rapid.T, draw func() (core.Actor, core.Op)) {
	replica := rebuild(t, w.m)
	for range rapid.IntRange(1, 60).Draw(t, "commands") {
		actor, op := draw()
		before := dump(w.m)
		decided, decidedErr := core.Decide(w.m, core.Command{Now: w.now, Actor: actor, Op: op})
		if after := dump(w.m); after != before {
			t.Fatalf("Decide of %s modified the model:\n%s\n%s", op.Name(), before, after)
		}
		entry, changes, err := w.do(actor, op)
		if (err == nil) != (decidedErr == nil) || !reflect.DeepEqual(decided, changes) {
			t.Fatalf("%s: Decide says %v, %v; Commit did %v, %v", op.Name(), decided, decidedErr, changes, err)
		}
		if (err != nil || len(changes) == 0) && dump(w.m) != before {
			t.Fatalf("%s changed the model: %v", op.Name(), err)
		}
		if len(changes) > 0 && (entry.Revision != w.m.Revision || len(entry.Deltas) != len(changes)) {
			t.Fatalf("%s: entry %+v does not fit %d changes at revision %d", op.Name(), entry, len(changes), w.m.Revision)
		}
		for _, c := range changes {
			core.Apply(replica, c)
		}
		replica.Revision = w.m.Revision
		if got := core.Check(w.m); len(got) > 0 {
			t.Fatalf("%s %+v broke %v", op.Name(), op, got)
		}
	}
	if got, want := dump(replica), dump(w.m); got != want {
		t.Fatalf("the changes rebuild\n%s\nnot\n%s", got, want)
	}
	if got, want := dump(rebuild(t, w.m)), dump(w.m); got != want {
		t.Fatalf("the stored form rebuilds\n%s\nnot\n%s", got, want)
	}
}

// rebuild reads a model back from its stored form.
func rebuild(t fataler, m *core.Model) *core.Model {
	t.Helper()
	fresh := &core.Model{Revision: m.Revision}
	for _, e := range core.Entities(m) {
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%v", err)
		}
		back, err := core.Decode(e.Key().Kind, e.Key().ID, data)
		if err != nil {
			t.Fatalf("%v", err)
		}
		core.Apply(fresh, core.Change{Key: e.Key(), Entity: back})
	}
	return fresh
}

// A snapshot does not see later changes.
func TestSnapshotIsFrozen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.m.Snapshot()
	before := dump(s)
	w.must(t, admin, core.Deploy{App: "web", Charm: "web", Units: 2})
	if dump(s) != before || s.App("web") != nil {
		t.Fatal("the snapshot changed")
	}
}
