package controller

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/resolve"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// engineWorld turns an engine by hand, as the simulator does.
type engineWorld struct {
	t   testing.TB
	e   *Engine
	st  store.Store
	now time.Time
}

// task is a command and what it was answered.
type task struct {
	done  bool
	reply api.CommandReply
	err   error
}

func newEngineWorld(t testing.TB) *engineWorld {
	return newEngineWorldOn(t, memstore.New(store.Limits{}))
}

const testModel kith.ModelUUID = "11111111-2222-4333-8444-555555555555"

func newEngineWorldOn(t testing.TB, server *memstore.Server) *engineWorld {
	t.Helper()
	w := &engineWorld{t: t, st: server.Open(store.Identity{ID: "one"}), now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	own, err := w.st.Own(t.Context(), testModel)
	if err != nil {
		t.Fatal(err)
	}
	w.e = NewEngine(w.st, own, EngineOptions{Sealer: testKeys(t).Sealer(testModel)})
	if err := w.e.Reload(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *engineWorld) submit(actor core.Actor, op core.Op) *task {
	k := &task{}
	w.e.Submit(&Request{Actor: actor, Op: op, Answer: func(r api.CommandReply, err error) {
		if k.done {
			w.t.Errorf("%s was answered twice", op.Name())
		}
		*k = task{true, r, err}
	}})
	return k
}

// turn does all there is to do.
func (w *engineWorld) turn() {
	w.t.Helper()
	for {
		w.e.Gather(w.now)
		f := w.e.Launch()
		if f == nil {
			if w.e.Waiting() == 0 {
				break
			}
			continue
		}
		if err := w.st.Commit(w.t.Context(), f.Own, f.Batch); err != nil {
			w.t.Fatal(err)
		}
		w.e.Land(nil)
		w.e.Tell(w.now)
	}
	w.e.Flush()
}

// create makes the model and deploys charms without units.
func (w *engineWorld) create(charms ...charm.Charm) {
	w.t.Helper()
	ops := []core.Op{core.CreateModel{UUID: testModel, ModelName: "m", Owner: "admin"}}
	for _, c := range charms {
		ops = append(ops, core.AddCharm{ID: blobOf(c.Meta.Name), Charm: c}, core.Deploy{App: kith.AppName(c.Meta.Name), Charm: blobOf(c.Meta.Name)})
	}
	for _, op := range ops {
		k := w.submit(admin, op)
		w.turn()
		if k.err != nil {
			w.t.Fatalf("%s: %v", op.Name(), k.err)
		}
	}
}

// The scheduler, which looks only at what a change can reach, knows the same of
// every unit as who looks at all of them; what it offered is what is due, in the
// context that is now (C4).
func TestSchedulerKnowsWhatLookingAtEverybodyTells(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := newRandomDriver(t, seed)
			for range 150 {
				d.act()
				d.w.turn()
				d.take()
				d.compare()
			}
		})
	}
}

type randomDriver struct {
	t       *testing.T
	rnd     *rand.Rand
	w       *engineWorld
	session *Session
	offers  map[kith.UnitName]*api.Assignment // what the host was last told to run
	epoch   int
	log     []string
}

func newRandomDriver(t *testing.T, seed uint64) *randomDriver {
	d := &randomDriver{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), w: newEngineWorld(t), offers: map[kith.UnitName]*api.Assignment{}}
	d.w.create(webCharm, dbCharm, logCharm)
	d.connect()
	return d
}

func (d *randomDriver) connect() {
	d.epoch++
	d.submit(core.Actor{Kind: core.ActorHost, Name: "local"}, core.HostHello{Host: "local", Epoch: fmt.Sprint(d.epoch)})
	d.w.turn()
	clear(d.offers)
	d.session = newSession("local", fmt.Sprint(d.epoch))
	d.w.e.Attach(d.session)
	d.w.e.Offer()
}

func (d *randomDriver) submit(actor core.Actor, op core.Op) {
	d.log = append(d.log, fmt.Sprintf("%s %s %+v", actor, op.Name(), op))
	d.w.submit(actor, op)
}

func (d *randomDriver) act() {
	app := []kith.AppName{"web", "db"}[d.rnd.IntN(2)]
	user := func(op core.Op) { d.submit(admin, op) }
	unit, any := d.unit()
	switch n := d.rnd.IntN(100); {
	case n < 8:
		user(core.AddUnits{App: app, Units: 1 + d.rnd.IntN(2)})
	case n < 13:
		pairs := [][2]kith.Endpoint{{{App: "web", Name: "db"}, {App: "db", Name: "server"}}, {{App: "log"}, {App: "web"}}, {{App: "log"}, {App: "db"}}}
		p := pairs[d.rnd.IntN(3)]
		user(core.Integrate{A: p[0], B: p[1]})
	case n < 15:
		for r := range d.w.e.Snapshot().Relations() {
			if !r.Peer() {
				user(core.RemoveRelation{ID: &r.ID, Force: d.rnd.IntN(3) == 0})
				break
			}
		}
	case n < 17 && any:
		user(core.RemoveUnits{Units: []kith.UnitName{unit}, Force: d.rnd.IntN(4) == 0})
	case n < 19:
		user(core.SetConfig{App: app, Trust: new(d.rnd.IntN(2) == 0)})
	case n < 21:
		user(core.SetModelConfig{Set: map[string]string{"automatically-retry-hooks": fmt.Sprint(d.rnd.IntN(2) == 0)}})
	case n < 23 && any:
		d.submit(core.System, core.Elect{Unit: unit})
	case n < 26:
		// The odd millisecond keeps the clock off deadlines: what falls due at this very
		// moment is seen by who looks, and by the scheduler a little later.
		d.w.now = d.w.now.Add(time.Duration(d.rnd.IntN(400))*time.Second + time.Millisecond)
		d.w.e.Advance(d.w.now)
	case n < 28:
		d.connect()
	case n < 34 && any:
		d.submit(core.UnitActor(unit), core.SetStatus{Unit: unit, App: d.rnd.IntN(2) == 0, Status: kith.Active, Message: fmt.Sprint(n)})
	case n < 40 && any:
		d.submit(core.Actor{Kind: core.ActorHost, Name: "local"}, core.UnitHello{Unit: unit})
	case n < 42:
		user(core.Resolved{All: true, NoRetry: d.rnd.IntN(2) == 0})
	case n < 47 && any:
		d.queue(unit)
	case n < 49 && any:
		for t := range d.w.e.Snapshot().ActiveTasks(unit) {
			user(core.CancelTasks{Tasks: []kith.TaskID{t.ID}})
		}
	case n < 53:
		d.userSecret(app)
	default:
		d.hook()
	}
}

// queue asks for something to be run.
func (d *randomDriver) queue(unit kith.UnitName) {
	switch d.rnd.IntN(3) {
	case 0:
		d.submit(admin, core.RunAction{Receivers: []string{string(unit)}, Action: "free"})
	case 1:
		d.submit(admin, core.RunAction{Receivers: []string{string(unit)}, Action: "go"})
	default:
		d.submit(admin, core.RunCommand{Command: "true", Units: []string{string(unit)}, Serial: d.rnd.IntN(2) == 0})
	}
}

// unit draws one of the units.
func (d *randomDriver) unit() (kith.UnitName, bool) {
	var names []kith.UnitName
	for u := range d.w.e.Snapshot().Units() {
		names = append(names, u.Name)
	}
	if len(names) == 0 {
		return "", false
	}
	return names[d.rnd.IntN(len(names))], true
}

// hook runs one that was offered, or ends one that is running.
func (d *randomDriver) hook() {
	m, epoch := d.w.e.Snapshot(), fmt.Sprint(d.epoch)
	unit, ok := d.unit()
	if !ok {
		return
	}
	p, actor := m.Progress(unit), core.UnitActor(unit)
	if p != nil && p.Running != nil {
		h := p.Running.Hook
		if h.Task != nil {
			d.submit(actor, core.FinishTask{Unit: unit, Task: h.Task.ID, Epoch: epoch, TaskOutcome: core.TaskOutcome{Status: core.TaskCompleted}})
			return
		}
		if d.rnd.IntN(6) == 0 {
			d.submit(actor, core.FailHook{Unit: unit, Seq: p.Seq + 1, Hook: h, Message: "exit status 1", Attempt: p.Tries, Epoch: epoch, Requeue: d.rnd.IntN(3) == 0})
			return
		}
		d.submit(actor, core.CommitHook{Unit: unit, Seq: p.Seq + 1, Hook: h, Epoch: epoch, Effects: d.effects(unit, h)})
		return
	}
	if a := d.offers[unit]; a != nil && a.Hook.Task != nil {
		d.submit(actor, core.BeginTask{Unit: unit, Task: a.Hook.Task.ID, Epoch: epoch})
		return
	}
	if a := d.offers[unit]; a != nil {
		d.submit(actor, core.BeginHook{Unit: unit, Seq: a.Seq, Hook: a.Hook, Attempt: a.Context.Attempt, Epoch: epoch})
		if d.rnd.IntN(2) == 0 {
			d.submit(actor, core.CommitHook{Unit: unit, Seq: a.Seq, Hook: a.Hook, Epoch: epoch, Effects: d.effects(unit, a.Hook)})
		}
	}
}

func (d *randomDriver) effects(u kith.UnitName, h core.Hook) core.Effects {
	if d.rnd.IntN(3) == 0 {
		return core.Effects{Secrets: []core.SecretWrite{d.secretWrite(u)}}
	}
	if h.Relation == nil || d.rnd.IntN(2) == 0 {
		return core.Effects{State: map[string]*string{"s": new(fmt.Sprint(d.rnd.IntN(9)))}}
	}
	return core.Effects{Bags: []core.BagWrite{{Relation: h.Relation.ID, Set: map[string]string{"k": fmt.Sprint(d.rnd.IntN(5))}}}}
}

// take reads what the host was told.
func (d *randomDriver) take() {
	events, err := d.session.Take()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range events {
		switch {
		case e.Run != nil:
			d.offers[e.Run.Unit] = e.Run
		case e.Cancel != nil:
			delete(d.offers, e.Cancel.Unit)
		case e.Gone != nil:
			delete(d.offers, e.Gone.Unit)
		}
	}
}

func (d *randomDriver) compare() {
	m, rested := d.w.e.Snapshot(), true
	for u := range m.Units() {
		v, _ := core.ViewOf(m, u.Name)
		sl := d.w.e.sched.slots[u.Name]
		if sl == nil {
			d.fail("%s has no slot", u.Name)
		}
		if v.Past.Running != nil {
			rested = false
			delete(d.offers, u.Name)
			if sl.phase != running {
				d.fail("%s runs a hook and is in phase %d", u.Name, sl.phase)
			}
			continue
		}
		step, ok := resolve.Next(v, d.w.now)
		rested = rested && !ok && (v.Past.Failed == nil || v.Past.Failed.RetryAt.IsZero())
		offer := d.offers[u.Name]
		switch {
		case !ok && (sl.phase != idle || offer != nil):
			d.fail("%s has nothing to do and is in phase %d; it was offered %+v", u.Name, sl.phase, offer)
		case ok && step.Kind != resolve.Run:
			d.fail("%s was left with step %+v", u.Name, step)
		case ok && (sl.phase != offered || offer == nil):
			d.fail("%s has %s to run and is in phase %d, offered %v", u.Name, step.Hook.Name(), sl.phase, offer)
		case ok && (!reflect.DeepEqual(offer.Hook, step.Hook) || offer.Seq != v.Past.Seq+1):
			d.fail("%s was offered %+v (%d), due is %+v (%d)", u.Name, offer.Hook, offer.Seq, step.Hook, v.Past.Seq+1)
		case ok && toJSON(offer.Context) != toJSON(v.Context(step.Hook, d.w.now)):
			d.fail("%s was offered in the context\n%s\nand it is now\n%s", u.Name, toJSON(offer.Context), toJSON(v.Context(step.Hook, d.w.now)))
		}
	}
	for u := range d.w.e.sched.slots {
		if m.Unit(u) == nil {
			d.fail("%s is gone and has a slot", u)
		}
	}
	for r := range m.Relations() {
		rested = rested && r.EvictAt.IsZero()
	}
	if got := d.w.e.Settled(); got != rested {
		d.fail("settled is %v, want %v: %+v", got, rested, d.w.e.Settle(0))
	}
	for _, v := range core.Check(m) {
		d.fail("invariant broken: %+v", v)
	}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (d *randomDriver) fail(format string, args ...any) {
	d.t.Helper()
	d.t.Fatalf("%s\nafter:\n%s", fmt.Sprintf(format, args...), strings.Join(d.log, "\n"))
}

// Leases of a connected host are extended; those of one that left run out.
func TestLeasesFollowTheHost(t *testing.T) {
	t.Parallel()
	w := newEngineWorld(t)
	w.create(webCharm)
	host := core.Actor{Kind: core.ActorHost, Name: "local"}
	w.submit(admin, core.AddUnits{App: "web", Units: 2})
	w.submit(host, core.HostHello{Host: "local", Epoch: "e1"})
	w.turn()
	s := newSession("local", "e1")
	w.e.Attach(s)
	w.e.Offer()
	w.submit(host, core.UnitHello{Unit: "web/0"})
	w.submit(host, core.UnitHello{Unit: "web/1"})
	w.turn()
	leader := func() bool { return w.e.Snapshot().IsLeader("web/0", w.now) }
	for range 10 {
		w.advance(20 * time.Second)
		if !leader() {
			t.Fatal("the leader of a connected host lost its lease")
		}
	}
	w.e.Detach(s)
	w.advance(2 * core.LeaseTerm)
	if leader() {
		t.Error("the leader of a host that left is still the leader")
	}
}

// advance turns the clock and does what comes due, deadline by deadline.
func (w *engineWorld) advance(d time.Duration) {
	end := w.now.Add(d)
	for {
		at, ok := w.e.Next()
		if !ok || at.After(end) {
			break
		}
		w.now = at
		w.e.Advance(at)
		w.turn()
	}
	w.now = end
}

// A session keeps what is newest of each unit, and no more.
func TestSessionIsLevelTriggered(t *testing.T) {
	t.Parallel()
	s := newSession("local", "e1")
	ref := api.UnitRef{Model: testModel, Unit: "web/0"}
	hold := func(charm string) api.HostEvent {
		return api.HostEvent{Hold: &api.HostUnit{UnitRef: ref, Charm: charm}}
	}
	run := func(seq uint64) api.HostEvent { return api.HostEvent{Run: &api.Assignment{UnitRef: ref, Seq: seq}} }
	take := func() []api.HostEvent {
		t.Helper()
		events, err := s.Take()
		if err != nil {
			t.Fatal(err)
		}
		return events
	}
	for i := range uint64(1000) {
		s.put(hold(fmt.Sprint(i)))
		s.put(run(i))
	}
	got := take()
	if len(got) != 2 || got[0].Hold == nil || got[0].Hold.Charm != "999" || got[1].Run == nil || got[1].Run.Seq != 999 {
		t.Errorf("got %+v", got)
	}
	s.put(run(7))
	s.put(api.HostEvent{Cancel: &ref})
	if got := take(); len(got) != 1 || got[0].Cancel == nil {
		t.Errorf("got %+v", got)
	}
	s.put(hold("x"))
	s.put(run(8))
	s.put(api.HostEvent{Gone: &ref})
	if got := take(); len(got) != 1 || got[0].Gone == nil {
		t.Errorf("got %+v", got)
	}
	if got := take(); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

// A watcher of revisions sees the newest one; a watcher of entries that lags too
// far is cut off and told to start again.
func TestWatchers(t *testing.T) {
	t.Parallel()
	w := newEngineWorld(t)
	w.create(webCharm)
	level, edges := w.e.Watch(false), w.e.Watch(true)
	for i := range 20 {
		w.submit(admin, core.SetModelConfig{Set: map[string]string{"x": fmt.Sprint(i)}})
		w.turn()
	}
	e, err := level.Next(t.Context())
	if err != nil || e.Revision != w.e.Snapshot().Revision || len(e.Entries) != 0 || !e.Settled {
		t.Errorf("level: %+v, %v", e, err)
	}
	if e, err = edges.Next(t.Context()); err != nil || len(e.Entries) != 20 {
		t.Errorf("entries: %d, %v", len(e.Entries), err)
	}
	e.Entries = slices.Repeat([]json.RawMessage{make([]byte, 1<<20)}, maxWatchBytes>>20+1)
	edges.put(e)
	if _, err := edges.Next(t.Context()); err != ErrResync {
		t.Errorf("a slow reader: %v", err)
	}
	w.e.StopWatches(ErrResync, true)
	if e, err := level.Next(t.Context()); err != nil || !e.Removed {
		t.Errorf("the last event: %+v, %v", e, err)
	}
	if len(w.e.watches) != 0 {
		t.Error("watches are left")
	}
}

// However many units have work, a host is offered a window of it, and the rest in turn.
func TestOfferWindow(t *testing.T) {
	t.Parallel()
	w := newEngineWorld(t)
	w.create(webCharm)
	const n = 3 * offerWindow
	w.submit(core.Actor{Kind: core.ActorHost, Name: "local"}, core.HostHello{Host: "local", Epoch: "e1"})
	w.submit(admin, core.AddUnits{App: "web", Units: n})
	w.turn()
	s := newSession("local", "e1")
	w.e.Attach(s)
	w.e.Offer()
	started := map[kith.UnitName]bool{}
	for len(started) < n {
		events, err := s.Take()
		if err != nil {
			t.Fatal(err)
		}
		fresh := 0
		for _, e := range events {
			if e.Run == nil || started[e.Run.Unit] {
				continue
			}
			fresh++
			started[e.Run.Unit] = true
			w.submit(core.UnitActor(e.Run.Unit), core.BeginHook{Unit: e.Run.Unit, Seq: e.Run.Seq, Hook: e.Run.Hook, Attempt: e.Run.Context.Attempt, Epoch: "e1"})
		}
		if fresh == 0 || fresh > offerWindow {
			t.Fatalf("%d units were offered at once, after %d", fresh, len(started))
		}
		w.turn()
	}
}
