package opstest

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/core"
	"kith/internal/resolve"
)

// epoch is the time at which every test starts.
var epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// maxSteps ends a settle that does not come to rest: units that answer each other for ever.
const maxSteps = 100_000

// admin is who does what an operator does.
var admin = core.Actor{Kind: core.ActorUser, Name: "admin"}

// world is a model in memory with its clock and its charms: the one engine under
// [Harness] and [Model]. Commands go through core.Commit, resolve.Next names each unit's
// steps, and hooks are run with the tools of package hooktool. It is not safe for concurrent use.
type world struct {
	tb     TB
	trying int
	over   bool // the test has ended
	model  core.Model
	now    time.Time
	charms map[string]*Charm // by core.CharmInfo.ID; none for a stand-in
	count  int               // charms added
	hosts  []host
	dir    string // for files; empty until it is needed
	dirs   map[kith.UnitName]string
	procs  *processes // nil until a charm runs as processes

	uploads map[string][]byte     // resources, by their sum
	reboots map[kith.UnitName]int // asked for by charms

	secrets int // ids given out
	entries []core.Entry
	keep    bool // entries are kept
	events  []Event
	logs    []LogRecord
	// mute units run hooks without telling the charm.
	mute map[kith.UnitName]bool
	// entered, if set, is told when a unit has entered relations.
	entered func(kith.UnitName, []kith.RelationID) error
	// made, if set, is told of every charm that was made for an event.
	made func(any)
	// chance, if set, decides what may happen in either of two ways.
	chance     *explorer
	invariants []invariant
	// disturbed is set once leadership has moved under the hook that runs.
	disturbed bool
	contracts contracts
}

// host is one computer. life counts its agent's lives, and epoch names the present one.
type host struct {
	name  string
	life  int
	epoch string
}

func newWorld(tb TB) *world {
	w := &world{tb: tb, now: epoch, charms: map[string]*Charm{}, mute: map[kith.UnitName]bool{}}
	w.create("test", "0b5c5ab5-7a51-4000-8000-000000000000")
	tb.Cleanup(func() {
		w.over = true
		if bad := core.Check(&w.model); len(bad) > 0 {
			tb.Fatalf("opstest: the model is broken, which is a bug in kith: %v", bad)
		}
		if w.dir != "" {
			_ = os.RemoveAll(w.dir)
		}
	})
	return w
}

// create makes the model.
func (w *world) create(name string, uuid kith.ModelUUID) {
	w.must(core.System, createModel(name, uuid))
	w.must(core.System, w.host(core.DefaultHost).hello())
}

func createModel(name string, uuid kith.ModelUUID) core.CreateModel {
	return core.CreateModel{UUID: uuid, ModelName: name, Owner: "admin"}
}

// do puts a command to the model; a refusal is a *kith.Error and changes nothing.
func (w *world) do(actor core.Actor, op core.Op) error {
	if w.over {
		panic("opstest: " + w.tb.Name() + " has ended, and with it its harness or model: cannot " + op.Name())
	}
	done, err := core.Do(&w.model, core.Command{Now: w.now, Actor: actor, Op: op})
	if w.keep && done.Revision != 0 {
		w.entries = append(w.entries, done.Entry())
	}
	if h := done.Hook(); h != nil && len(h.Verdicts) > 0 {
		w.judge(done.Entry())
	}
	return err
}

// must is for commands that only a bug can refuse.
func (w *world) must(actor core.Actor, op core.Op) {
	if err := w.do(actor, op); err != nil {
		panic(fmt.Sprintf("opstest: %s: %v", op.Name(), err))
	}
}

func (w *world) host(name string) *host {
	for i := range w.hosts {
		if w.hosts[i].name == name {
			return &w.hosts[i]
		}
	}
	w.hosts = append(w.hosts, host{name: name})
	h := &w.hosts[len(w.hosts)-1]
	h.start()
	return h
}

// start begins the next life of the agent.
func (h *host) start() {
	h.life++
	h.epoch = h.name + "-" + strconv.Itoa(h.life)
}

func (h *host) hello() core.HostHello { return core.HostHello{Host: h.name, Epoch: h.epoch} }

// epochOf is the life of the agent that runs a unit.
func (w *world) epochOf(u kith.UnitName) string {
	if unit := w.model.Unit(u); unit != nil {
		return w.host(unit.Host).epoch
	}
	return ""
}

// addCharm makes a charm known to the model and returns its id.
func (w *world) addCharm(c *Charm) (string, error) {
	if err := checkCharm(c); err != nil {
		return "", err
	}
	id := w.newCharmID()
	w.charms[id] = c
	return id, w.do(admin, core.AddCharm{ID: id, Charm: *c.meta})
}

func (w *world) newCharmID() string {
	w.count++
	return fmt.Sprintf("%064x", w.count)
}

// noFolder is what a charm without files is told: a folder that is not there.
const noFolder = "/nonexistent/charm"

// charmDir names the folder of a unit's charm, and makes it when it is first asked for.
func (w *world) charmDir(c *Charm, u kith.UnitName) (string, error) {
	if !c.files {
		return noFolder, nil
	}
	if dir, ok := w.dirs[u]; ok {
		return dir, nil
	}
	home, err := w.home()
	if err != nil {
		return "", err
	}
	if w.dirs == nil {
		w.dirs = map[kith.UnitName]string{}
	}
	dir := home + "/unit-" + string(u.App()) + "-" + strconv.Itoa(u.Number())
	w.dirs[u] = dir
	return dir, os.Mkdir(dir, 0o700)
}

// next is what a unit would do now.
func (w *world) next(u kith.UnitName) (resolve.Step, bool) {
	v, ok := core.ViewOf(&w.model, u)
	if !ok {
		return resolve.Step{}, false
	}
	return resolve.Next(v, w.now)
}

// step does a unit's next step; false if there is none. The error is a charm's.
func (w *world) step(u kith.UnitName) (bool, error) {
	s, ok := w.next(u)
	if !ok {
		return false, nil
	}
	switch s.Kind {
	case resolve.Run:
		return true, w.runHook(u, s.Hook)
	case resolve.Enter:
		w.must(core.System, core.EnterScopes{Unit: u, Relations: s.Relations})
		if w.entered != nil {
			return true, w.entered(u, s.Relations)
		}
	case resolve.Leave:
		w.must(core.System, core.LeaveScopes{Unit: u, Relations: s.Relations})
	case resolve.Terminate:
		w.must(core.System, core.RemoveDeadUnit{Unit: u})
	default:
		panic("opstest: unknown kind of step " + string(s.Kind))
	}
	return true, nil
}

// settleUnit lets one unit run until it has nothing left to do, or a hook fails.
func (w *world) settleUnit(u kith.UnitName) error {
	for range maxSteps {
		if did, err := w.step(u); err != nil {
			return err
		} else if !did {
			return w.wipe()
		}
	}
	return kith.Errorf(kith.Unavailable, "cannot settle: unit %q has still something to do after %d steps", u, maxSteps)
}

// hello takes a unit up if nobody has.
func (w *world) hello(u kith.UnitName) {
	if unit := w.model.Unit(u); unit != nil && !unit.Present {
		w.must(core.System, core.UnitHello{Unit: u})
	}
}

// unitNames are all units there are, in order of name.
func (w *world) unitNames() []kith.UnitName {
	var all []kith.UnitName
	for u := range w.model.Units() {
		all = append(all, u.Name)
	}
	return all
}

// advance lets time pass, with everything that passes with it: hosts renew leases, and the
// model is told the time. idle is called at each moment at which something may be due.
func (w *world) advance(d time.Duration, idle func() error) error {
	if d < 0 {
		return kith.Errorf(kith.Invalid, "cannot turn the clock back by %s", -d)
	}
	for end := w.now.Add(d); w.now.Before(end); {
		step := end.Sub(w.now)
		if at, ok := w.wake(); ok && at.After(w.now) {
			step = min(step, at.Sub(w.now))
		}
		w.now = w.now.Add(step)
		// Renewed all the while: nobody loses a lease because a test turns the clock.
		for i := range w.hosts {
			w.must(core.System, core.RenewLeases{Host: w.hosts[i].name})
		}
		w.must(core.System, core.Tick{})
		if err := idle(); err != nil {
			return err
		}
	}
	return nil
}

// wake is the first moment at which time alone gives some unit something to do.
func (w *world) wake() (first time.Time, ok bool) {
	for u := range w.model.Units() {
		v, _ := core.ViewOf(&w.model, u.Name)
		if at, due := resolve.Wake(v); due && (!ok || at.Before(first)) {
			first, ok = at, true
		}
	}
	return first, ok
}

// relation is the relation with that number, or the refusal that says it is not there.
func (w *world) relation(id kith.RelationID) (*core.Relation, error) {
	r := w.model.Relation(id)
	if r == nil {
		return nil, kith.Errorf(kith.NotFound, "relation %d not found", id).WithHint("there are %s", w.listRelations())
	}
	return r, nil
}

// endOf is an application's end of a relation.
func endOf(r *core.Relation, app kith.AppName) (core.End, bool) {
	i := slices.IndexFunc(r.Ends, func(e core.End) bool { return e.App == app })
	if i < 0 {
		return core.End{}, false
	}
	return r.Ends[i], true
}

// endpointOf is an endpoint of a charm.
func endpointOf(c *charm.Charm, name kith.EndpointName) (charm.Relation, error) {
	e, ok := c.Meta.Endpoint(name)
	if !ok {
		return e, kith.Errorf(kith.NotFound, "charm %q has no endpoint %q", c.Meta.Name, name).
			WithHint("the metadata of the charm has to name it")
	}
	return e, nil
}
