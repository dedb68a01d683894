package script

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/resolve"
)

// Epoch is the time at which every world starts.
var Epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// maxSteps ends a settle that does not come to rest, which is a bug in core or resolve.
const maxSteps = 20_000

// Event is one step that a unit has done.
type Event struct {
	Unit kith.UnitName
	Step resolve.Step
	// Failed is true for a hook that failed, or whose commit was refused.
	Failed bool
	// Killed is true for a hook that was ended from outside.
	Killed bool
	// Began is the model's revision when the hook was chosen.
	Began uint64
	// Retry is true if a hook of the unit was in error when it began: this one, unless it is a task.
	Retry bool
}

// World is a model, a clock and scripted charms. Make one with [New]; it is not
// safe for concurrent use.
type World struct {
	// Observe, if set, is told of every step after it was recorded.
	Observe func(Event)

	model    core.Model
	now      time.Time
	charms   map[string]string // charm name → id of the latest
	count    int               // charms added
	secrets  int               // ids of secrets given out
	handlers []handler
	faults   []fault
	hosts    []host
	shells   map[kith.UnitName]*shell // hooks that have begun
	causes   map[uint64]string        // revision → what made it, for "why"
	entry    core.Entry               // of the last command
	out      strings.Builder
	quiet    bool
	why      bool
}

// host is one computer. epoch counts its agent's lives.
type host struct {
	name  string
	epoch int
	boot  int // counts the computer's own lives
	down  bool
}

// New makes a world with an empty model on the host "local".
func New() *World {
	w := &World{now: Epoch, charms: map[string]string{}, causes: map[uint64]string{}, shells: map[kith.UnitName]*shell{}}
	w.must(core.System, core.CreateModel{
		UUID: "00000000-0000-4000-8000-000000000000", ModelName: "script", Owner: "admin",
	})
	w.must(core.System, core.HostHello{Host: "local", Epoch: w.host("local").epochName()})
	return w
}

// Model is the model as it is now. The caller must not change it.
func (w *World) Model() *core.Model { return &w.model }

// Now is what the clock says.
func (w *World) Now() time.Time { return w.now }

// Run runs a text, one command a line, and returns what happened. The error is
// for a text that makes no sense, or a model that [core.Check] objects to.
func (w *World) Run(text string) (string, error) {
	w.out.Reset()
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(" "+line, " #")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := w.line(line); err != nil {
			return w.out.String(), fmt.Errorf("cannot run %q: %w", line, err)
		}
	}
	return w.out.String(), nil
}

func (w *World) printf(format string, args ...any) {
	if !w.quiet {
		fmt.Fprintf(&w.out, format+"\n", args...)
	}
}

// Do puts one command to the model; a refusal is a *kith.Error and changes nothing.
func (w *World) Do(actor core.Actor, op core.Op) error {
	before := w.model.Revision
	entry, _, err := core.Commit(&w.model, core.Command{Now: w.now, Actor: actor, Op: op})
	if err != nil {
		return err
	}
	w.entry = entry
	if w.model.Revision != before {
		w.causes[w.model.Revision] = describe(op)
	}
	if bad := core.Check(&w.model); len(bad) > 0 {
		return &violation{op: op, bad: bad}
	}
	return nil
}

// violation is a model that broke an invariant: never an answer, always a bug.
type violation struct {
	op  core.Op
	bad []core.Violation
}

func (v *violation) Error() string {
	return fmt.Sprintf("%s left a broken model: %v", describe(v.op), v.bad)
}

func (w *World) must(actor core.Actor, op core.Op) {
	if err := w.Do(actor, op); err != nil {
		panic(fmt.Sprintf("script: %s: %v", describe(op), err))
	}
}

// describe names a command for "why": hooks by their unit and name.
func describe(op core.Op) string {
	switch op := op.(type) {
	case core.CommitHook:
		return string(op.Unit) + " " + op.Hook.Name()
	case core.EnterScopes:
		return string(op.Unit) + " enter"
	default:
		return op.Name()
	}
}

func (w *World) host(name string) *host {
	for i := range w.hosts {
		if w.hosts[i].name == name {
			return &w.hosts[i]
		}
	}
	w.hosts = append(w.hosts, host{name: name, epoch: 1})
	return &w.hosts[len(w.hosts)-1]
}

func (h *host) epochName() string { return fmt.Sprintf("boot-%d/%s-%d", h.boot, h.name, h.epoch) }

func (h *host) actor() core.Actor { return core.Actor{Kind: core.ActorHost, Name: h.name} }

// Next is what the unit would do now; false also if its host is down.
func (w *World) Next(name kith.UnitName) (resolve.Step, bool) {
	v, ok := core.ViewOf(&w.model, name)
	if !ok || w.host(v.Unit.Host).down {
		return resolve.Step{}, false
	}
	step, ok := resolve.Next(v, w.now)
	return placed(step), ok
}

// Step does the unit's next step; false if there is none.
func (w *World) Step(name kith.UnitName) (bool, error) {
	if err := w.hello(name); err != nil {
		return false, err
	}
	step, ok := w.Next(name)
	if !ok {
		return false, nil
	}
	switch step.Kind {
	case resolve.Run:
		if err := w.begin(name, step.Hook); err != nil {
			return false, err
		}
		return true, w.finish(name)
	case resolve.Enter:
		return true, w.keep(name, step, core.EnterScopes{Unit: name, Relations: step.Relations})
	case resolve.Leave:
		return true, w.keep(name, step, core.LeaveScopes{Unit: name, Relations: step.Relations})
	case resolve.Terminate:
		return true, w.keep(name, step, core.RemoveDeadUnit{Unit: name})
	default:
		return false, fmt.Errorf("unknown kind of step %q", step.Kind)
	}
}

// keep does a step that is bookkeeping.
func (w *World) keep(name kith.UnitName, step resolve.Step, op core.Op) error {
	line := w.describeStep(name, step)
	if err := w.Do(core.System, op); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	w.printf("%s", line)
	w.observe(Event{Unit: name, Step: step})
	return nil
}

func (w *World) observe(e Event) {
	if w.Observe != nil {
		w.Observe(e)
	}
}

// hello takes the unit up if its agent has not done so.
func (w *World) hello(name kith.UnitName) error {
	u := w.model.Unit(name)
	if u == nil || u.Present || w.host(u.Host).down {
		return nil
	}
	return w.Do(w.host(u.Host).actor(), core.UnitHello{Unit: name})
}

// Settle lets the units run, each in turn as far as it gets, until none has
// anything left to do. No names means all units.
func (w *World) Settle(names ...kith.UnitName) error {
	for steps := 0; ; {
		moved := false
		for _, name := range w.units(names) {
			for {
				did, err := w.Step(name)
				if err != nil {
					return err
				}
				if !did {
					break
				}
				moved = true
				if steps++; steps > maxSteps {
					return fmt.Errorf("no rest after %d steps; the last was %s's", maxSteps, name)
				}
			}
		}
		if len(names) == 0 && !moved {
			did, err := w.wipe()
			if err != nil {
				return err
			}
			moved = did
		}
		if !moved {
			return nil
		}
	}
}

// units is names, or all units there are.
func (w *World) units(names []kith.UnitName) []kith.UnitName {
	if len(names) > 0 {
		return names
	}
	var all []kith.UnitName
	for u := range w.model.Units() {
		all = append(all, u.Name)
	}
	return all
}

func (w *World) seq(name kith.UnitName) uint64 {
	if p := w.model.Progress(name); p != nil {
		return p.Seq + 1
	}
	return 1
}

func (w *World) begin(name kith.UnitName, h core.Hook) error {
	s := w.newShell(name, h) // what the hook sees is settled before it is known to run
	var op core.Op = core.BeginHook{Unit: name, Seq: w.seq(name), Hook: h, Attempt: w.attempts(name), Epoch: w.epochOf(name)}
	if h.Task != nil {
		op = core.BeginTask{Unit: name, Task: h.Task.ID, Epoch: w.epochOf(name)}
	}
	err := w.Do(core.UnitActor(name), op)
	if err == nil {
		w.shells[name] = s
	}
	return err
}

func (w *World) epochOf(name kith.UnitName) string {
	return w.host(w.model.Unit(name).Host).epochName()
}

// running is the hook that name's agent is running.
func (w *World) running(name kith.UnitName) (core.Hook, error) {
	p := w.model.Progress(name)
	if p == nil || p.Running == nil {
		return core.Hook{}, fmt.Errorf("%s runs no hook", name)
	}
	return p.Running.Hook, nil
}

// end takes the hook that has begun away from the unit's agent.
func (w *World) end(name kith.UnitName) (resolve.Step, *shell, error) {
	h, err := w.running(name)
	if err != nil {
		return resolve.Step{}, nil, err
	}
	s := w.shells[name]
	delete(w.shells, name)
	return resolve.Step{Kind: resolve.Run, Hook: h}, s, nil
}

// finish runs the hook that has begun: as scripted, or as one that does nothing.
func (w *World) finish(name kith.UnitName) error {
	step, s, err := w.end(name)
	if err != nil {
		return err
	}
	if step.Hook.Task != nil {
		return w.finishTask(name, step, s)
	}
	line := w.describeStep(name, step)
	if !s.play(step.Hook) || w.faulty(name, step.Hook) {
		return w.failed(name, step, s, line, "exit status 1")
	}
	if s.run.RebootNow() {
		return w.killed(name, step, s, line+" -> reboots")
	}
	err = w.Do(core.UnitActor(name), core.CommitHook{
		Unit: name, Seq: w.seq(name), Hook: step.Hook, Effects: s.run.Effects(), Epoch: w.epochOf(name),
	})
	if refusal, ok := err.(*kith.Error); ok { // Do does not wrap
		return w.failed(name, step, s, line, refusal.Message)
	}
	if err != nil {
		return err
	}
	w.told(line, s)
	w.tellVerdicts(w.entry)
	w.observe(Event{Unit: name, Step: step, Began: s.began, Retry: s.retry})
	return nil
}

func (w *World) failed(name kith.UnitName, step resolve.Step, s *shell, line, message string) error {
	err := w.Do(core.UnitActor(name), core.FailHook{
		Unit: name, Seq: w.seq(name), Hook: step.Hook, Message: message, Attempt: w.attempts(name), Epoch: w.epochOf(name),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	w.told(line+" -> failed: "+message, s)
	w.observe(Event{Unit: name, Step: step, Failed: true, Began: s.began, Retry: s.retry})
	return nil
}

// attempts is how often the unit's next hook has been run without a commit.
func (w *World) attempts(name kith.UnitName) uint64 { return w.model.Progress(name).Tries }

// told prints a hook's line and what its tools printed.
func (w *World) told(line string, s *shell) {
	w.printf("%s", line)
	for _, said := range s.said {
		w.printf("  %s", said)
	}
}

// kill ends the running hook from outside.
func (w *World) kill(name kith.UnitName) error {
	step, s, err := w.end(name)
	if err != nil {
		return err
	}
	if step.Hook.Task != nil {
		return w.killTask(name, step, s)
	}
	return w.killed(name, step, s, w.describeStep(name, step)+" -> killed")
}

// killed records that a hook was ended from outside, or because it asked for a reboot.
func (w *World) killed(name kith.UnitName, step resolve.Step, s *shell, line string) error {
	err := w.Do(core.UnitActor(name), core.FailHook{
		Unit: name, Seq: w.seq(name), Hook: step.Hook, Message: "signal: terminated", Attempt: w.attempts(name), Requeue: true,
		Reboot: s.run.RebootNow(), Epoch: w.epochOf(name),
	})
	if err != nil {
		return err
	}
	w.told(line, s)
	w.observe(Event{Unit: name, Step: step, Killed: true, Began: s.began, Retry: s.retry})
	return nil
}

// crash gives the host's agent a new life.
func (w *World) crash(name string) error {
	h := w.host(name)
	h.epoch++
	for u := range w.model.Units() {
		if u.Host == name {
			delete(w.shells, u.Name)
		}
	}
	return w.Do(h.actor(), core.HostHello{Host: h.name, Epoch: h.epochName()})
}

// renewEvery is how often a connected agent renews its units' leases (section 7).
const renewEvery = 30 * time.Second

// Advance lets time pass, with everything that passes with it: connected hosts
// renew leases, and the model is told the time.
func (w *World) Advance(d time.Duration) error {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(renewEvery, end.Sub(w.now)))
		for i := range w.hosts {
			if h := &w.hosts[i]; !h.down {
				if err := w.Do(h.actor(), core.RenewLeases{Host: h.name}); err != nil {
					return err
				}
			}
		}
		if err := w.Do(core.System, core.Tick{}); err != nil {
			return err
		}
	}
	return nil
}

// describeStep is the line that tells of a step.
func (w *World) describeStep(name kith.UnitName, s resolve.Step) string {
	switch s.Kind {
	case resolve.Run:
		return string(name) + " " + DescribeHook(s.Hook) + w.because(s.Hook.Cause)
	case resolve.Enter:
		return string(name) + " [enters " + w.endpoints(name, s.Relations) + "]"
	case resolve.Leave:
		return string(name) + " [leaves " + w.endpoints(name, s.Relations) + "]"
	case resolve.Terminate:
		return string(name) + " [is gone]"
	default:
		panic("script: unknown kind of step " + string(s.Kind))
	}
}

// because is the tail of a line under "settle why".
func (w *World) because(cause uint64) string {
	switch {
	case !w.why:
		return ""
	case cause == 0:
		return " <- time"
	case w.causes[cause] == "":
		return fmt.Sprintf(" <- nothing known at revision %d", cause)
	default:
		return " <- " + w.causes[cause]
	}
}

// endpoints names relations as the unit's charm would: own endpoint and number.
func (w *World) endpoints(name kith.UnitName, ids []kith.RelationID) string {
	var all []string
	for _, id := range ids {
		r := w.model.Relation(id)
		i := slices.IndexFunc(r.Ends, func(e core.End) bool { return e.App == name.App() })
		all = append(all, string(r.Ends[i].Endpoint)+":"+id.String())
	}
	return strings.Join(all, " ")
}

// DescribeHook names a hook and what it is about: "db-relation-joined unit=db/0",
// "db-relation-broken app=db", "action backup task=2".
func DescribeHook(h core.Hook) string {
	s := h.Name()
	if h.Task != nil {
		s = fmt.Sprintf("%s task=%d", h.Title(), h.Task.ID)
	}
	switch r := h.Relation; {
	case h.Storage != nil:
		return s + " storage=" + string(h.Storage.ID)
	case h.Secret != nil:
		return s + describeSecret(h)
	case r == nil:
		return s
	case r.Departing != "":
		return s + " unit=" + string(r.RemoteUnit) + " departing=" + string(r.Departing)
	case r.RemoteUnit != "":
		return s + " unit=" + string(r.RemoteUnit)
	default:
		return s + " app=" + string(r.RemoteApp)
	}
}
