package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/resolve"
)

// TestMain lets the test binary be an agent that tests kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("KITH_TEST_AGENT"); dir != "" {
		os.Exit(agentProcess(dir))
	}
	dir, err := os.MkdirTemp("", "kith-tool-")
	if err != nil {
		panic(err)
	}
	toolDir = dir
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// toolDir is where programs are built. Written by TestMain only.
var toolDir string

// The real kith-hook, and a charm in Go: this test binary in their place would take
// a hundred times as long to start with the race detector in it.
var (
	buildTool  = build("kith-hook", "kith/cmd/kith-hook")
	buildCharm = build("gocharm", "./testdata/gocharm")
)

// build builds a program when it is first needed.
func build(name, pkg string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		program := filepath.Join(toolDir, name)
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", program, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%v: %s", err, out)
		}
		return program, nil
	})
}

func hookTool(t testing.TB) string { return built(t, buildTool) }
func goCharm(t testing.TB) string  { return built(t, buildCharm) }

func built(t testing.TB, build func() (string, error)) string {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

const (
	testModel = kith.ModelUUID("00000000-0000-4000-8000-000000000001")
	patience  = 30 * time.Second // of a test that waits for what must happen
)

// world is a controller of one model in memory: the rules of core and resolve,
// and nothing of its own but the delivery. What a real one stores, it has at once.
type world struct {
	t testing.TB

	mu      sync.Mutex
	m       *core.Model
	late    time.Duration // how far its clock is ahead
	changed chan struct{} // closed and replaced when anything changes
	epoch   string
	session *session
	offered map[kith.UnitName]string // the assignment as it was sent
	logs    []api.LogRecord
	blobs   map[string][]byte
	// before and after are called around each command of the agent, for faults.
	before func(core.Op) error
	after  func(core.Op) error
	begun  int
	// entries is the history, if keep is set.
	keep    bool
	entries []core.Entry
	// In turns, only the unit whose turn it is gets its hook, and the turn ends with the hook.
	turns bool
	turn  kith.UnitName
	ended map[kith.UnitName]int // hooks and tasks that were reported, and heard
	still time.Time             // the time, if it stands still
}

// session is a connected agent: events it has yet to take.
type session struct {
	events []api.HostEvent
	wake   chan struct{}
	over   chan struct{}
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, m: &core.Model{}, changed: make(chan struct{}), offered: map[kith.UnitName]string{}, ended: map[kith.UnitName]int{}, blobs: map[string][]byte{}}
	w.must(core.CreateModel{UUID: testModel, ModelName: "prod", Owner: "admin"})
	return w
}

func (w *world) now() time.Time {
	if !w.still.IsZero() {
		return w.still
	}
	return time.Now().Add(w.late)
}

// must sends a command of the operator's.
func (w *world) must(op core.Op) {
	w.t.Helper()
	actor := core.Actor{Kind: core.ActorUser, Name: "admin"}
	if _, err := w.command(actor, op); err != nil {
		w.t.Fatalf("%s: %v", op.Name(), err)
	}
}

func (w *world) command(actor core.Actor, op core.Op) (api.CommandReply, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.commit(actor, op)
}

func (w *world) commit(actor core.Actor, op core.Op) (api.CommandReply, error) {
	before := w.m.Revision
	if err := w.apply(actor, op); err != nil {
		return api.CommandReply{}, err
	}
	switch op := op.(type) {
	case core.BeginHook:
		w.begun++
	case core.CommitHook:
		w.endTurn(op.Unit)
	case core.FailHook:
		w.endTurn(op.Unit)
	case core.FinishTask:
		w.endTurn(op.Unit)
	}
	reply := api.CommandReply{Revision: w.m.Revision, Unchanged: w.m.Revision == before}
	w.work()
	close(w.changed)
	w.changed = make(chan struct{})
	return reply, nil
}

func (w *world) apply(actor core.Actor, op core.Op) error {
	e, _, err := core.Commit(w.m, core.Command{Now: w.now(), Actor: actor, Op: op})
	if w.keep && e.Revision != 0 {
		w.entries = append(w.entries, e)
	}
	return err
}

// endTurn ends a unit's turn.
func (w *world) endTurn(u kith.UnitName) {
	w.turn = ""
	w.ended[u]++
}

// work does the bookkeeping steps, offers the hooks that are due, and has tasks aborted.
func (w *world) work() {
	for _, u := range units(w.m) {
		if p := w.m.Progress(u); p.RunsTask() && w.m.Task(p.Running.Hook.Task.ID).Status == core.TaskAborting {
			w.send(api.HostEvent{Abort: &api.TaskRef{UnitRef: refOf(u), Task: p.Running.Hook.Task.ID}})
		}
	}
	for _, ref := range w.toWipe() {
		w.send(api.HostEvent{Wipe: &ref})
	}
	for again := true; again; {
		again = false
		for _, u := range units(w.m) {
			v, _ := core.ViewOf(w.m, u)
			step, ok := resolve.Next(v, w.now())
			var op core.Op
			switch {
			case !ok:
				continue
			case step.Kind == resolve.Run:
				w.offer(u, v, step)
				continue
			case step.Kind == resolve.Enter:
				op = core.EnterScopes{Unit: u, Relations: step.Relations}
			case step.Kind == resolve.Leave:
				op = core.LeaveScopes{Unit: u, Relations: step.Relations}
			case step.Kind == resolve.Terminate:
				op = core.RemoveDeadUnit{Unit: u}
				w.send(api.HostEvent{Gone: &api.UnitRef{Model: testModel, Unit: u}})
			}
			if err := w.apply(core.System, op); err != nil {
				panic(err)
			}
			again = true
		}
	}
}

// toWipe is the storage whose data is to be deleted.
func (w *world) toWipe() []api.StorageRef {
	var refs []api.StorageRef
	for s := range w.m.Storages() {
		if s.Life == kith.Dead {
			refs = append(refs, api.StorageRef{Model: testModel, Storage: s.ID})
		}
	}
	return refs
}

func units(m *core.Model) []kith.UnitName {
	var names []kith.UnitName
	for u := range m.Units() {
		names = append(names, u.Name)
	}
	return names
}

func (w *world) offer(u kith.UnitName, v core.View, step resolve.Step) {
	if w.session == nil {
		return
	}
	w.hold(u)
	if w.turns && w.turn != u {
		return
	}
	a := &api.Assignment{UnitRef: api.UnitRef{Model: testModel, Unit: u}, ModelName: "prod", Seq: v.Past.Seq + 1, Hook: step.Hook,
		Context: v.Context(step.Hook, w.now()), Token: string(u)}
	text, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	failures := 0
	if v.Past.Failed != nil {
		failures = v.Past.Failed.Attempts
	}
	key := string(text) + strings.Repeat("!", failures+w.begun) // each begin deserves a new offer
	if w.offered[u] == key {
		return
	}
	w.offered[u] = key
	a = new(api.Assignment) // as it comes over the wire: it shares nothing with the model
	if err := json.Unmarshal(text, a); err != nil {
		panic(err)
	}
	a.UpdatedRevision = w.m.Revision
	w.send(api.HostEvent{Run: a})
}

func (w *world) hold(u kith.UnitName) {
	h := w.held(u)
	w.send(api.HostEvent{Hold: &h})
}

func (w *world) held(u kith.UnitName) api.HostUnit {
	unit := w.m.Unit(u)
	return api.HostUnit{UnitRef: api.UnitRef{Model: testModel, Unit: u}, Charm: w.m.App(unit.App).Charm,
		Unpacked: w.m.Progress(u).Charm, Present: unit.Present, Token: string(u)}
}

func (w *world) send(e api.HostEvent) {
	if w.session != nil {
		w.session.events = append(w.session.events, e)
		poke(w.session.wake)
	}
}

// cut drops the agent's connection.
func (w *world) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
}

func (w *world) drop() {
	if w.session != nil {
		close(w.session.over)
		w.session = nil
		clear(w.offered)
	}
}

// Host implements Controller.
func (w *world) Host(ctx context.Context, host, epoch string) iter.Seq2[api.HostEvent, error] {
	return func(yield func(api.HostEvent, error) bool) {
		lost := kith.Errorf(kith.Unavailable, "lost the controller")
		s := w.connect(host, epoch)
		for {
			w.mu.Lock()
			events := s.events
			s.events = nil
			w.mu.Unlock()
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			select {
			case <-s.wake:
			case <-s.over:
				yield(api.HostEvent{}, lost)
				return
			case <-ctx.Done():
				yield(api.HostEvent{}, ctx.Err())
				return
			}
		}
	}
}

func (w *world) connect(host, epoch string) *session {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
	w.epoch = epoch
	if _, err := w.commit(core.Actor{Kind: core.ActorHost, Name: host}, core.HostHello{Host: host, Epoch: epoch}); err != nil {
		panic(err)
	}
	s := &session{wake: make(chan struct{}, 1), over: make(chan struct{})}
	w.session = s
	all := &api.HostUnits{Models: []kith.ModelUUID{testModel}, Wipe: w.toWipe()}
	for _, u := range units(w.m) {
		held := w.held(u)
		if p := w.m.Progress(u); p.InError() {
			held.Failed = p.Failed.Hook.Kind
		}
		all.Units = append(all.Units, held)
	}
	s.events = append(s.events, api.HostEvent{Units: all})
	w.work() // what there is to run
	return s
}

// Do implements Controller: the host's own commands.
func (w *world) Do(ctx context.Context, _ string, op core.Op) (api.CommandReply, error) {
	return w.fromAgent(core.Actor{Kind: core.ActorHost, Name: "local"}, op)
}

func (w *world) fromAgent(actor core.Actor, op core.Op) (api.CommandReply, error) {
	w.mu.Lock()
	before, after := w.before, w.after
	w.mu.Unlock()
	if before != nil {
		if err := before(op); err != nil {
			return api.CommandReply{}, err
		}
	}
	reply, err := w.command(actor, op)
	if after != nil && err == nil {
		err = after(op)
	}
	return reply, err
}

// Blob implements Controller.
func (w *world) Blob(_ context.Context, id string) (io.ReadCloser, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	data, ok := w.blobs[id]
	if !ok {
		return nil, kith.Errorf(kith.NotFound, "blob %q not found", id)
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// AppendLogs implements Controller.
func (w *world) AppendLogs(_ context.Context, _ string, records []api.LogRecord) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs = append(w.logs, records...)
	return nil
}

// Unit implements Controller. The token is the unit's name.
func (w *world) Unit(token string) UnitController { return asUnit{w, kith.UnitName(token)} }

type asUnit struct {
	w *world
	u kith.UnitName
}

func (c asUnit) Do(_ context.Context, _ string, op core.Op) (api.CommandReply, error) {
	return c.w.fromAgent(core.UnitActor(c.u), op)
}

func (c asUnit) Bag(_ context.Context, _ string, id kith.RelationID, owner string) (api.BagReply, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	data, err := core.ReadBag(c.w.m, core.UnitActor(c.u), id, owner)
	return api.BagReply{Data: data}, err
}

func (c asUnit) GoalState(context.Context, string, kith.UnitName) (api.GoalState, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	g, _ := api.GoalStateOf(c.w.m, c.u)
	return g, nil
}

func (c asUnit) Live(_ context.Context, _ string, u kith.UnitName, _ bool) (api.UnitLive, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	live, _ := api.UnitLiveOf(c.w.m, u, true, c.w.now())
	return live, nil
}

func (c asUnit) UnitSecret(_ context.Context, _ string, u kith.UnitName, q core.SecretQuery) (core.SecretValue, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return core.ReadSecret(c.w.m, u, q, c.w.now())
}

func (c asUnit) UnitSecrets(_ context.Context, _ string, u kith.UnitName) ([]core.SecretInfo, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return core.OwnedSecrets(c.w.m, u), nil
}

// addCharm packs files, by name, as a charm and adds it to the model. They are executable
// unless their text begins with "#-x"; "-> TARGET" is a link.
func (w *world) addCharm(files map[string]string) string {
	w.t.Helper()
	dir := w.t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o755)
		if strings.HasPrefix(text, "#-x\n") {
			mode = 0o644
		}
		w.check(os.MkdirAll(filepath.Dir(path), 0o755))
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			w.check(os.Symlink(target, path))
			continue
		}
		w.check(os.WriteFile(path, []byte(text), mode))
	}
	var archive bytes.Buffer
	w.check(charm.Pack(dir, &archive))
	sum := sha256.Sum256(archive.Bytes())
	id := hex.EncodeToString(sum[:])
	c, err := charm.ReadZip(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	w.check(err)
	w.mu.Lock()
	w.blobs[id] = archive.Bytes()
	w.mu.Unlock()
	w.must(core.AddCharm{ID: id, Charm: *c})
	return id
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// start runs an agent on dir until the test, or stop, ends it.
func (w *world) start(dir string, tweak ...func(*Config)) (stop func()) {
	c := Config{Controller: w, Dir: dir, HookTool: hookTool(w.t), StopGrace: 2 * time.Second}
	for _, f := range tweak {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- New(c).Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			w.check(err)
		case <-time.After(patience):
			w.t.Error("the agent did not end")
		}
		w.cut()
	})
	w.t.Cleanup(stop)
	return stop
}

// until waits for the model to be as asked.
func (w *world) until(what string, ok func(m *core.Model) bool) {
	w.t.Helper()
	timeout := time.After(patience)
	for {
		w.mu.Lock()
		changed, met := w.changed, ok(w.m)
		w.mu.Unlock()
		if met {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			w.t.Fatalf("not reached in %v: %s\nlog:\n%s", patience, what, w.log())
		}
	}
}

// settle waits until no unit has anything to do.
func (w *world) settle() {
	w.t.Helper()
	w.until("settled", func(m *core.Model) bool {
		for _, u := range units(m) {
			v, _ := core.ViewOf(m, u)
			if _, busy := resolve.Next(v, w.now()); busy || v.Past.Running != nil || !v.Unit.Present {
				return false
			}
		}
		return true
	})
}

// log is the model's log so far: "unit LEVEL module message" a line.
func (w *world) log() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, r := range w.logs {
		b.WriteString(r.Entity + " " + string(r.Level) + " " + r.Module + " " + r.Message + "\n")
	}
	return b.String()
}

// deploy deploys units of a charm and waits until they have started.
func (w *world) deploy(app kith.AppName, charm string, n int) {
	w.t.Helper()
	w.must(core.Deploy{App: app, Charm: charm, Units: n})
}

func (w *world) bag(id kith.RelationID, owner string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if b := w.m.Bag(id, owner); b != nil {
		return b.Data
	}
	return nil
}

func refOf(u kith.UnitName) api.UnitRef { return api.UnitRef{Model: testModel, Unit: u} }
