package sim

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"kith"
	"kith/internal/controller"
	"kith/internal/core"
	"kith/internal/store"
	"kith/internal/store/memstore"
)

// epoch0 is when every world begins.
var epoch0 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

const modelID kith.ModelUUID = "00000000-0000-4000-8000-000000000000"

// World is the whole system at one moment: a store, controllers, agents, what is
// in the air between them, an operator, and a clock that only the schedule turns.
type World struct {
	choice  chooser
	profile profile
	defect  defect

	clock     *controller.ManualClock
	server    *memstore.Server
	nothing   store.Store // an empty store, for the fronts of processes
	storeAway bool
	epoch     int64  // of the ownership that holds; 0 if none does
	granted   int64  // the newest there ever was
	owner     string // whose epoch is
	wires     []wire

	processes []*process // those that live
	agents    []*agent
	air       []*packet

	apps      []castApp
	orders    []order
	weights   []int
	given     map[string]*call // operators' commands by the name of their actor
	operators int
	lives     int
	secrets   uint32 // drawn
	sealer    *controller.Sealer
	attempts  int

	ledger *ledger
	checks *checks
	events []event // that can happen; kept for its memory
	said   strings.Builder
	quiet  bool // nobody reads what is said
	micro  int  // things that have happened
	failed *Violation
}

// profile is how rough one schedule is: percentages of faults where something could go wrong.
type profile struct{ network, store, hooks int }

// Violation is a property that did not hold.
type Violation struct {
	// Property is the checker's name; see the table in check.go.
	Property string
	What     string
}

// String is "property: what".
func (v *Violation) String() string { return v.Property + ": " + v.What }

func newWorld(c chooser, d defect) *World {
	w := &World{
		choice: c, defect: d, clock: controller.NewManualClock(epoch0), server: memstore.New(store.Limits{}),
		apps: apps(), orders: orders(), given: map[string]*call{},
	}
	keys, err := controller.NewKeys(make([]byte, 32))
	if err != nil {
		panic(err) // it is long enough
	}
	w.sealer = keys.Sealer(modelID)
	w.nothing = memstore.New(store.Limits{}).Open(store.Identity{ID: "front"})
	for _, o := range w.orders {
		w.weights = append(w.weights, o.weight)
	}
	w.ledger = newLedger(w)
	w.checks = newChecks(w)
	return w
}

// newSecretID is the next id of a secret.
func (w *World) newSecretID() kith.SecretID {
	var raw [kith.SecretIDBytes]byte
	w.secrets++
	binary.BigEndian.PutUint32(raw[:], w.secrets)
	return kith.NewSecretID(raw)
}

func (w *World) now() time.Time { return w.clock.Now() }

func (w *World) pick(n int) int          { return w.choice.pick(n) }
func (w *World) chance(percent int) bool { return w.choice.chance(percent) }
func (w *World) faulty(percent int) bool { return w.choice.chance(percent) }
func (w *World) commitFault() commitFault {
	if !w.faulty(w.profile.store) {
		return commitWell
	}
	return commitRefused + commitFault(w.pick(int(commitFaults-commitRefused)))
}

// say adds to the story of the step.
func (w *World) say(format string, args ...any) {
	if w.quiet {
		return
	}
	if w.said.Len() > 0 {
		w.said.WriteString("; ")
	}
	fmt.Fprintf(&w.said, format, args...)
}

// violate records the first property that did not hold.
func (w *World) violate(property, format string, args ...any) {
	if w.failed == nil {
		w.failed = &Violation{property, fmt.Sprintf(format, args...)}
	}
}

// do makes one step of the schedule, and checks what it came to.
func (w *World) do(s *Step) {
	w.choice.step, w.choice.next = s, 0
	w.said.Reset()
	defer func() {
		if p := recover(); p != nil {
			w.violate("no-panic", "%v\n%s", p, debug.Stack())
		}
		s.Said = w.said.String()
	}()
	for _, a := range actions() {
		if a.name == s.Action {
			a.do(w)
			w.checks.look()
			return
		}
	}
	panic(fmt.Sprintf("sim: a schedule has an unknown action %q", s.Action))
}

// setup chooses how rough the run is, and brings the first model about.
func (w *World) setup() {
	roughness := []int{0, 0, 3, 10, 30}
	w.profile = profile{} // the beginning is smooth
	rough := profile{network: roughness[w.pick(5)], store: roughness[w.pick(5)], hooks: roughness[w.pick(5)]}
	hosts := []string{"local", "other"}[:1+w.pick(2)]
	calm, quiet := w.choice.calm, w.quiet
	w.choice.calm, w.quiet = true, true
	p := w.startProcess("a")
	w.giveTo(p, core.CreateModel{UUID: modelID, ModelName: "sim", Owner: "admin"})
	for _, c := range cast() {
		w.giveTo(p, core.AddCharm{ID: c.id, Charm: c.charm})
	}
	w.drive()
	for _, h := range hosts {
		w.agents = append(w.agents, &agent{w: w, host: h, life: 1, units: map[kith.UnitName]*unit{}, disk: disk{}})
	}
	w.drive()
	w.choice.calm, w.quiet = calm, quiet
	here := map[kith.AppName]bool{}
	for _, a := range w.apps[:w.pick(len(w.apps)+1)] {
		w.giveTo(p, w.deployOf(a))
		here[a.name] = true
	}
	for range w.pick(5) {
		if fit := fitting(func(app kith.AppName) bool { return here[app] }); len(fit) > 0 {
			w.giveTo(p, integrate(fit[w.pick(len(fit))]))
		}
	}
	if w.pick(2) == 0 {
		secret := w.addSecret().(core.AddSecret)
		w.giveTo(p, secret)
		for _, a := range w.apps[:w.pick(len(w.apps)+1)] {
			w.giveTo(p, core.GrantSecret{Secret: string(secret.ID), Apps: []kith.AppName{a.name}})
		}
	}
	if w.pick(4) != 0 {
		w.choice.calm, w.quiet = true, true
		w.drive()
		w.choice.calm, w.quiet = calm, quiet
	}
	w.profile = rough
}

// Options say what to run.
type Options struct {
	// Seed draws a schedule of Length steps; Schedule, if set, is replayed instead.
	Seed     uint64
	Length   int
	Schedule []Step
	// Quiet leaves out what happened in each step.
	Quiet bool

	defect defect
}

// Result is what came of a run.
type Result struct {
	Schedule  []Step
	Violation *Violation // nil if everything held
	Happened  int        // things that happened: messages, commits, tool calls
	Revision  uint64     // of the model at the end
	Hooks     int        // that ended
	History   []core.Entry
}

// DefaultLength is how many steps a schedule has.
const DefaultLength = 60

// Run runs one schedule, then lets the system come to rest and checks that it does.
func Run(opt Options) Result {
	c := chooser{}
	if opt.Schedule == nil {
		c.rng = rand.New(rand.NewPCG(opt.Seed, 0x6b697468)) // "kith"
	}
	w := newWorld(c, opt.defect)
	w.quiet = opt.Quiet
	schedule := opt.Schedule
	length := opt.Length
	if length == 0 {
		length = DefaultLength
	}
	if schedule == nil {
		schedule = make([]Step, 1, length+2)
		schedule[0].Action = "setup"
	}
	for i := 0; i < len(schedule) && w.failed == nil; i++ {
		w.do(&schedule[i])
		if opt.Schedule == nil && i+1 == len(schedule) && i < length {
			schedule = append(schedule, Step{Action: w.nextAction()})
		}
	}
	if w.failed == nil {
		last := Step{Action: "rest"}
		w.do(&last)
		last.Draws = nil
		if opt.Schedule == nil {
			schedule = append(schedule, last)
		}
	}
	return Result{Schedule: schedule, Violation: w.failed, Happened: w.micro, Revision: w.ledger.revision, Hooks: w.attempts, History: w.ledger.entries}
}
