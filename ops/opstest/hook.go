package opstest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/hooktool"
	"kith/ops"
)

// JujuVersion is what charms are told they run under, as kith tells them.
const JujuVersion ops.JujuVersion = kith.JujuVersion

// HookError is a hook or action whose handler failed: what it wrote is dropped, and a hook
// stays in error until it is retried.
type HookError struct {
	Unit kith.UnitName
	Hook string // "db-relation-changed", "action backup"
	Err  error  // the handler's error, or why its writes were refused
	// Log is what the hook has logged. A test that ends for the hook shows the end of it.
	Log []LogRecord
}

// Error is "UNIT HOOK failed: REASON".
func (e *HookError) Error() string {
	return fmt.Sprintf("%s %s failed: %v", e.Unit, e.Hook, e.Err)
}

// Unwrap is the handler's error.
func (e *HookError) Unwrap() error { return e.Err }

// lastRecords is how many log records of a failed hook are shown: a traceback, and what led there.
const lastRecords = 30

// describe is an error for people: with what the failed hook has logged, and its hint.
func describe(err error) string {
	text := err.Error()
	var failed *HookError
	if errors.As(err, &failed) && len(failed.Log) > 0 {
		text += "\nits log:"
		for _, l := range failed.Log[max(0, len(failed.Log)-lastRecords):] {
			text += "\n  " + l.Level + " " + strings.ReplaceAll(l.Message, "\n", "\n  ")
		}
	}
	if hint := kith.HintOf(err); hint != "" {
		text += "\nhint: " + hint
	}
	return text
}

// hookRun is one hook or action of one unit being run. It is what the tools ask
// ([hooktool.Host]) and what the charm calls ([ops.Caller]).
type hookRun struct {
	w    *world
	unit kith.UnitName
	hook core.Hook
	ctx  core.HookContext
	run  *hooktool.Run
	// calls is what the charm has of the world.
	calls backend
	// crashed is set once the agent has died: nothing the hook does counts any more.
	crashed bool
	// Of a hook that runs as a process: what ends it; why its tools have; what it printed as a
	// task; and whether there was nothing to run.
	kill    func()
	faulted error
	output  *core.Output
	missing bool
}

// runHook runs a unit's hook: it begins, the charm has its event, and it commits or fails.
func (w *world) runHook(u kith.UnitName, h core.Hook) error {
	if h.Task != nil {
		return w.runTask(u, h)
	}
	h, err := w.place(h)
	if err != nil {
		return err
	}
	logged := len(w.logs)
	r := w.newRun(u, h)
	seq := w.model.Progress(u).Seq + 1
	w.must(core.UnitActor(u), core.BeginHook{Unit: u, Seq: seq, Hook: h, Attempt: r.ctx.Attempt, Epoch: w.epochOf(u)})
	err = r.dispatch()
	switch {
	case r.crashed:
		return nil // the next life of its agent has said what became of it
	case r.run.RebootNow():
		r.rebootNow(seq)
		return nil
	case err == nil:
		effects := r.run.Effects()
		err = w.do(core.UnitActor(u), core.CommitHook{Unit: u, Seq: seq, Hook: h, Effects: effects, Missing: r.missing, Epoch: w.epochOf(u)})
		if err == nil && effects.Reboot {
			w.rebooted(u)
		}
	}
	if !r.missing {
		r.record(err)
	}
	if err == nil {
		return w.breached()
	}
	w.must(core.UnitActor(u), core.FailHook{
		Unit: u, Seq: seq, Hook: h, Message: err.Error(), Attempt: r.ctx.Attempt, Epoch: w.epochOf(u),
	})
	return &HookError{Unit: u, Hook: h.Title(), Err: err, Log: slices.Clone(w.logs[min(logged, len(w.logs)):])}
}

// rebootNow ends a hook whose charm has asked for a reboot at once: it runs again.
func (r *hookRun) rebootNow(seq uint64) {
	r.record(nil)
	r.w.rebooted(r.unit)
	r.w.must(core.UnitActor(r.unit), core.FailHook{
		Unit: r.unit, Seq: seq, Hook: r.hook, Attempt: r.ctx.Attempt, Epoch: r.w.epochOf(r.unit), Requeue: true, Reboot: true,
	})
}

// runTask runs an action. That it fails is no error: its result says so.
func (w *world) runTask(u kith.UnitName, h core.Hook) error {
	r := w.newRun(u, h)
	w.must(core.UnitActor(u), core.BeginTask{Unit: u, Task: h.Task.ID, Epoch: w.epochOf(u)})
	err := r.dispatch()
	if r.crashed {
		return nil
	}
	end := hooktool.Ending{Output: hooktool.NewOutput(0, nil, nil)}
	if err != nil {
		end = hooktool.Ending{Failed: "exit status 1", Output: hooktool.NewOutput(1, nil, []byte("error: "+err.Error()+"\n"))}
	}
	if r.output != nil {
		end.Output = r.output
		if err != nil {
			end.Failed = err.Error()
		}
	}
	end.Missing = r.missing
	r.record(err)
	outcome := r.run.Outcome(end)
	op := core.FinishTask{Unit: u, Task: h.Task.ID, TaskOutcome: outcome, Epoch: w.epochOf(u)}
	if err := w.do(core.UnitActor(u), op); err != nil {
		op.TaskOutcome = outcome.CommitRefused(err)
		w.must(core.UnitActor(u), op)
	}
	return w.breached()
}

func (w *world) newRun(u kith.UnitName, h core.Hook) *hookRun {
	v, _ := core.ViewOf(&w.model, u)
	r := &hookRun{w: w, unit: u, hook: h, ctx: v.Context(h, w.now)}
	if len(r.ctx.Storage) > 0 {
		r.ctx = r.ctx.Placed(w.storageDir)
	}
	r.run = hooktool.NewRun(&r.ctx, h, r)
	return r
}

// dispatch gives the charm its event, unless there is no charm to tell.
func (r *hookRun) dispatch() error {
	c := r.w.charms[r.ctx.Charm]
	if c == nil || r.w.mute[r.unit] {
		return nil
	}
	if c.packed != nil {
		return r.runProcess()
	}
	dir, err := r.w.charmDir(c, r.unit)
	if err != nil {
		return err
	}
	if err := r.fault(beforeHook); err != nil {
		return err
	}
	d := ops.Dispatch{Env: r.env(dir), Meta: c.own, Backend: r.backend()}
	made, err := c.dispatch(context.Background(), d)
	if err == nil {
		err = r.fault(afterHook)
	}
	if r.w.made != nil {
		r.w.made(made)
	}
	return err
}

// env is what the environment of the hook would say.
func (r *hookRun) env(dir string) ops.Env {
	c := &r.ctx
	e := ops.Env{
		CharmDir: dir, Unit: c.Unit, ModelName: c.ModelName, ModelUUID: c.Model, JujuVersion: JujuVersion,
		MachineID: c.Machine, PrincipalUnit: c.Principal,
	}
	if t := r.hook.Task; t != nil {
		e.DispatchPath = "actions/" + t.Action
		e.Event = ops.EventEnv{ActionName: t.Action, ActionID: t.ID.String()}
		return e
	}
	e.DispatchPath = "hooks/" + r.hook.Name()
	if rel := r.hook.Relation; rel != nil {
		e.Event.Relation, e.Event.RelationID = rel.Endpoint, rel.ID
		e.Event.RemoteApp, e.Event.RemoteUnit = rel.RemoteApp, rel.RemoteUnit
		if r.hook.Kind == core.RelationDeparted {
			e.Event.DepartingUnit = rel.Departing
		}
	}
	if s := r.hook.Storage; s != nil {
		e.Event.StorageID, e.Event.StorageLocation, e.Event.StorageKind = string(s.ID), s.Location, string(s.Kind)
	}
	if s := r.hook.Secret; s != nil {
		e.Event.SecretID, e.Event.SecretLabel = s.ID.URI(), s.Label
		if r.hook.Kind == core.SecretExpired || r.hook.Kind == core.SecretRemove {
			e.Event.SecretRevision = s.Revision
		}
	}
	return e
}

// record keeps that the charm had its event.
func (r *hookRun) record(err error) {
	if r.w.mute[r.unit] || r.w.charms[r.ctx.Charm] == nil {
		return
	}
	e := Event{Unit: r.unit, Name: r.hook.Title(), Revision: r.w.model.Revision, Err: err}
	if rel := r.hook.Relation; rel != nil {
		e.Relation, e.RemoteApp, e.RemoteUnit, e.Departing = rel.ID, rel.RemoteApp, rel.RemoteUnit, rel.Departing
	}
	r.w.events = append(r.w.events, e)
}

// Event is one hook or action that a charm has run.
type Event struct {
	Unit kith.UnitName
	// Name is that of the hook, "db-relation-changed", or "action backup".
	Name string
	// Relation is set in relation events, which have a RemoteApp.
	Relation   kith.RelationID
	RemoteApp  kith.AppName
	RemoteUnit kith.UnitName // empty in created, broken, and changed of an application's data
	Departing  kith.UnitName // relation-departed only
	// Revision is the model's once the event was over.
	Revision uint64
	// Err is why it failed, or nil.
	Err error
}

// String is a line without the unit: "db-relation-joined unit=pg/0", "start",
// "db-relation-broken app=pg", "config-changed -> failed: REASON".
func (e Event) String() string {
	s := e.Name
	switch {
	case e.RemoteUnit != "":
		s += " unit=" + string(e.RemoteUnit)
	case e.RemoteApp != "":
		s += " app=" + string(e.RemoteApp)
	}
	if e.Departing != "" {
		s += " departing=" + string(e.Departing)
	}
	if e.Err != nil {
		s += " -> failed: " + firstLine(e.Err.Error())
	}
	return s
}

// LogRecord is what a charm has written to its log.
type LogRecord struct {
	Unit    kith.UnitName
	Level   string // TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL
	Message string
}

// String is "UNIT LEVEL MESSAGE".
func (l LogRecord) String() string { return string(l.Unit) + " " + l.Level + " " + l.Message }

// The methods below make a run the [hooktool.Host] of its tools: reads are live and have
// the unit's identity, as the agent's have.

// Bag reads a databag.
func (r *hookRun) Bag(id kith.RelationID, owner string) (map[string]string, error) {
	return core.ReadBag(&r.w.model, core.UnitActor(r.unit), id, owner)
}

// IsLeader asks who leads.
func (r *hookRun) IsLeader() (bool, error) { return r.w.model.IsLeader(r.unit, r.w.now), nil }

// UnitStatus reads the unit's status.
func (r *hookRun) UnitStatus() (core.Status, error) { return r.w.model.Unit(r.unit).Workload, nil }

// AppStatus reads the application's status.
func (r *hookRun) AppStatus() (hooktool.AppStatus, error) {
	status := hooktool.AppStatus{Status: r.w.model.App(r.unit.App()).Status, Units: map[kith.UnitName]core.Status{}}
	for u := range r.w.model.UnitsOf(r.unit.App()) {
		status.Units[u.Name] = u.Workload
	}
	return status, nil
}

// SetStatus takes effect at once.
func (r *hookRun) SetStatus(app bool, status kith.Status, message string) error {
	return r.w.do(core.UnitActor(r.unit), core.SetStatus{Unit: r.unit, App: app, Status: status, Message: message})
}

// SetVersion takes effect at once.
func (r *hookRun) SetVersion(version string) error {
	return r.w.do(core.UnitActor(r.unit), core.SetWorkloadVersion{Unit: r.unit, Version: version})
}

// LeaderSettings reads the application's leader settings.
func (r *hookRun) LeaderSettings() (map[string]string, error) {
	return r.w.model.App(r.unit.App()).LeaderSettings, nil
}

// SetLeaderSettings takes effect at once.
func (r *hookRun) SetLeaderSettings(set map[string]string) error {
	return r.w.do(core.UnitActor(r.unit), core.SetLeaderSettings{Unit: r.unit, Set: set})
}

// LogAction takes effect at once.
func (r *hookRun) LogAction(number int, message string) error {
	return r.w.do(core.UnitActor(r.unit), core.LogTask{Unit: r.unit, Task: r.hook.Task.ID, Number: number, Message: message})
}

// Secret reads the content of a secret.
func (r *hookRun) Secret(q core.SecretQuery) (core.SecretValue, error) {
	return core.ReadSecret(&r.w.model, r.unit, q, r.w.now)
}

// OwnedSecrets lists the secrets of the unit and its application.
func (r *hookRun) OwnedSecrets() ([]core.SecretInfo, error) {
	return core.OwnedSecrets(&r.w.model, r.unit), nil
}

// EndHook ends a process. A charm in Go that asks for a reboot at once returns, and what it did counts for nothing.
func (r *hookRun) EndHook() {
	if r.kill != nil {
		r.kill()
	}
}

// NewSecretID counts.
func (r *hookRun) NewSecretID() kith.SecretID { return r.w.newSecretID() }

func (w *world) newSecretID() kith.SecretID {
	w.secrets++
	n := strconv.Itoa(w.secrets)
	return kith.SecretID("00000000000000000000"[len(n):] + n)
}

// Now is what the clock says.
func (r *hookRun) Now() time.Time { return r.w.now }

// ReadFile reads a file of this machine.
func (r *hookRun) ReadFile(path string, limit int64) ([]byte, error) {
	data, err := os.ReadFile(path)
	return data[:min(limit, int64(len(data)))], err
}

// WriteFile writes a file of this machine.
func (r *hookRun) WriteFile(path string, data []byte) error { return os.WriteFile(path, data, 0o600) }

// Log keeps a record.
func (r *hookRun) Log(level hooktool.Level, message string) {
	r.w.logs = append(r.w.logs, LogRecord{r.unit, string(level), message})
}
