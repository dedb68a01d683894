package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/client"
	"kith/internal/dispatch"
	"kith/internal/hooktool"
)

// Config says who the agent is and where it works. Dir, Controller and HookTool
// are needed; the rest has defaults.
type Config struct {
	// Host is the name of this machine to the controller: "local" by default.
	Host       string
	Controller Controller
	// Dir is the agent's private folder.
	Dir string
	// HookTool is the program behind every hook tool; see FindHookTool.
	HookTool string
	// Memory is a folder in the machine's memory for the sockets of hook tools; empty if
	// there is none. See [dispatch.MemoryFolder].
	Memory string
	// Log gets what is about the agent itself. What is about a unit goes to the model's log.
	Log *slog.Logger
	// Hooks bounds how many hooks start working at a time: see slots. Default: HooksPerCore per processor.
	Hooks int
	// StopGrace is how long hooks may go on once Run was asked to end; then they are
	// terminated, and killed after as long again. Default 5 s.
	StopGrace time.Duration
	// APIAddresses is told to charms in JUJU_API_ADDRESSES.
	APIAddresses []string
	// NoResidents runs every event in a process of its own, also of charms that would stay.
	NoResidents bool
	// Now is the clock of log records.
	Now func() time.Time
}

// HooksPerCore is the default of Config.Hooks per processor: hooks wait for the
// agent's answers much of the time. See docs/design/agent.md.
const HooksPerCore = 2

const (
	defaultStopGrace = 5 * time.Second
	// reportGrace is how long Run stays after the last hook has ended, to tell the
	// controller. What it cannot tell counts as failed after the next start.
	reportGrace = 2 * time.Second
)

// Agent runs the units of one host. See the package documentation.
type Agent struct {
	Config
	dirs    dirs
	env     dispatch.HostEnv
	boot    string
	epoch   string
	logs    *logs
	slots   slots
	sockets *dispatch.Sockets
	charms  archives

	// units holds what runs. Touched by the goroutine of Run only.
	units map[api.UnitRef]*unit
	// wiping is the storage that is being deleted, or was. Touched by the goroutine of Run only.
	wiping map[api.StorageRef]bool
	graves graves
	// running is everything that Run has started and will wait for.
	running sync.WaitGroup
}

// New prepares an agent; it does nothing yet.
func New(c Config) *Agent {
	c.Host = cmp.Or(c.Host, "local")
	c.Hooks = cmp.Or(c.Hooks, HooksPerCore*runtime.NumCPU())
	c.StopGrace = cmp.Or(c.StopGrace, defaultStopGrace)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	a := &Agent{Config: c, dirs: dirs{c.Dir}, env: dispatch.ReadHostEnv(c.APIAddresses), boot: bootID(),
		slots: newSlots(c.Hooks), units: map[api.UnitRef]*unit{}, wiping: map[api.StorageRef]bool{}}
	a.epoch = a.boot + "/" + rand.Text() // core.BootOf reads it
	a.sockets = dispatch.NewSockets(filepath.Join(c.Dir, "sockets"), c.Memory)
	a.charms = archives{dirs: a.dirs, fetch: c.Controller.Blob}
	a.logs = newLogs(func(ctx context.Context, model kith.ModelUUID, records []api.LogRecord) error {
		return c.Controller.AppendLogs(ctx, string(model), records)
	}, c.Now)
	return a
}

// life is how far the end of the agent, or of a unit, has come. The contexts end
// one after the other.
type life struct {
	start  context.Context // hooks may be started
	run    context.Context // hooks may run
	report context.Context // the controller may be told
}

// Run connects to the controller and runs what it assigns, until ctx ends. A lost
// connection is taken up again, while hooks go on. Run returns when everything it
// has started has ended: then no hook runs any more, and the controller has been
// told of each that did, or cannot be reached. An Agent runs once.
//
// Errors: Internal if the agent's folder cannot be prepared.
func (a *Agent) Run(ctx context.Context) error {
	if err := a.dirs.prepare(a.HookTool, hooktool.Names()); err != nil {
		return err
	}
	a.removeSockets() // those of an earlier life that was killed
	l, ended := a.lives(ctx)
	var logging sync.WaitGroup
	logs, stopLogs := context.WithCancel(l.report)
	logging.Go(func() { a.logs.run(logs, l.report) })

	a.follow(l)

	a.running.Wait()
	stopLogs()
	logging.Wait()
	ended()
	a.removeSockets()
	return nil
}

func (a *Agent) removeSockets() {
	if err := a.sockets.Remove(); err != nil {
		a.Log.Warn("cannot remove the folder of sockets", "error", err)
	}
}

// lives derives from ctx the contexts that end after it. The function it returns
// ends what is left of them.
func (a *Agent) lives(ctx context.Context) (life, context.CancelFunc) {
	run, stopRun := context.WithCancel(context.WithoutCancel(ctx))
	report, stopReport := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	var timer sync.WaitGroup
	timer.Go(func() {
		select {
		case <-ctx.Done():
		case <-over:
			return
		}
		if waitOr(over, a.StopGrace) {
			stopRun()
			if waitOr(over, a.StopGrace+reportGrace) {
				stopReport()
			}
		}
	})
	return life{start: ctx, run: run, report: report}, func() {
		close(over)
		timer.Wait()
		stopRun()
		stopReport()
	}
}

// waitOr waits for d, and reports false if over came first.
func waitOr(over <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-over:
		return false
	}
}

// follow keeps a connection to the controller and does what its events say.
func (a *Agent) follow(l life) {
	var wait backoff
	for l.start.Err() == nil {
		for event, err := range a.Controller.Host(l.start, a.Host, a.epoch) {
			switch {
			case err == nil:
				wait = backoff{}
				a.handle(l, event)
			case l.start.Err() != nil:
				return
			case client.IsResync(err):
			default:
				a.Log.Warn("lost the controller, connecting again", "error", err)
			}
		}
		wait.wait(l.start)
	}
}

// handle does what one event says. It does not wait for hooks.
func (a *Agent) handle(l life, e api.HostEvent) {
	switch {
	case e.Units != nil:
		a.resync(l, e.Units)
	case e.Hold != nil:
		a.hold(l, *e.Hold)
	case e.Gone != nil:
		a.release(*e.Gone)
	case e.Run != nil:
		a.assign(l, e.Run)
	case e.Cancel != nil:
		if u := a.units[*e.Cancel]; u != nil {
			u.cancel()
		}
	case e.Abort != nil:
		if u := a.units[e.Abort.UnitRef]; u != nil {
			u.abort(e.Abort.Task)
		}
	case e.Skip != nil:
		if u := a.units[e.Skip.UnitRef]; u != nil {
			u.logOperation(api.LevelInfo, "unit is no longer the leader; skipping %q execution", e.Skip.Hook)
		}
	case e.Wipe != nil:
		a.wipe(l, *e.Wipe)
	case e.ModelGone != "":
		for ref := range a.units { // any order: each is told on its own
			if ref.Model == e.ModelGone {
				a.release(ref)
			}
		}
	}
}

// resync brings the units that are held to those of a fresh picture, and deletes
// the folders of units that went while the agent was not there.
func (a *Agent) resync(l life, all *api.HostUnits) {
	wanted := map[api.UnitRef]bool{}
	used := map[string]bool{}
	for _, u := range all.Units {
		wanted[u.UnitRef] = true
		used[u.Charm], used[u.Unpacked] = true, true
	}
	for ref := range a.units { // any order: each is told on its own
		if !wanted[ref] {
			a.release(ref)
		}
	}
	keep := all.Units
	for ref := range a.units { // any order: a set
		keep = append(keep, api.HostUnit{UnitRef: ref})
	}
	if err := a.clean(keep, used); err != nil {
		a.Log.Warn("cannot clean up after units that are gone", "error", err)
	}
	for _, u := range all.Units {
		a.hold(l, u)
	}
	clear(a.wiping) // an answer may have got lost
	for _, ref := range all.Wipe {
		a.wipe(l, ref)
	}
}

// assign passes a hook on to its unit. A stream may be ahead with it.
func (a *Agent) assign(l life, h *api.Assignment) {
	u := a.units[h.UnitRef]
	if u == nil {
		u = a.start(l, api.HostUnit{UnitRef: h.UnitRef, Present: true})
	}
	u.assign(h)
}

// hold takes a unit up, if it is not.
func (a *Agent) hold(l life, h api.HostUnit) {
	if a.units[h.UnitRef] == nil {
		a.start(l, h)
	}
}

func (a *Agent) start(l life, h api.HostUnit) *unit {
	u := newUnit(a, h)
	u.life = l
	var stopStart, stopRun context.CancelFunc
	u.life.start, stopStart = context.WithCancel(l.start)
	u.life.run, stopRun = context.WithCancel(l.run)
	u.stop = func() { stopStart(); stopRun() }
	a.units[h.UnitRef] = u
	a.running.Go(func() {
		u.main()
		u.stop() // frees the contexts
	})
	return u
}

// release ends a unit that is gone: a hook that still runs is terminated, for
// there is nobody to commit it for.
func (a *Agent) release(ref api.UnitRef) {
	u := a.units[ref]
	if u == nil {
		return
	}
	delete(a.units, ref)
	u.gone.Store(true)
	u.stop()
}
