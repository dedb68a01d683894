package resolve

import (
	"time"

	"kith"
	"kith/internal/core"
)

// Kind says what a step is.
type Kind string

// The kinds of step. Only Run needs a process; the controller does the others
// itself, as commands of the system.
const (
	// Run is running Step.Hook, which then commits or fails.
	Run Kind = "run"
	// Enter is entering the scope of Step.Relations, all in one command: no
	// relation-created runs before the unit is in all of them (section 3.1).
	Enter Kind = "enter"
	// Leave is leaving the scope of Step.Relations without any hook: they are
	// ending and the unit's side is the implicit endpoint (section 1.3).
	Leave Kind = "leave"
	// Terminate is taking the unit out of the model: it has nothing left to run.
	Terminate Kind = "terminate"
)

// Step is one thing to do for a unit.
type Step struct {
	Kind Kind
	// Hook is set for Run.
	Hook core.Hook
	// Relations is set for Enter and Leave, in the order of [core.View.Relations].
	Relations []kith.RelationID
}

// Next is the next thing to do for the unit of v; false if there is nothing,
// which includes waiting: for a hook that is running, for a retry delay, for an
// operator, for subordinates to go.
//
// The cases are the priorities of the relations reference, section 4.1, by number.
// Start after a reboot (1) waits for a hook in progress: one that has failed, is queued or was cut short. What kith
// does not have has its place: 5 (workload events) after leadership. Storage (9) also comes
// before install and, for a dying unit, after its relations. An action (7) also
// runs while a hook is in error, and a command (8) before anything but what is running:
// neither is put off by what waits for an operator.
func Next(v core.View, now time.Time) (Step, bool) {
	u := newUnit(v, now)
	if u.done() { // 0
		return u.terminate()
	}
	if u.past.Running != nil {
		return Step{}, false
	}
	if u.past.Failed != nil && !u.moot(u.past.Failed.Hook) {
		if h, ok := u.task(core.Action, core.Exec); ok { // 7, 8
			return run(h)
		}
		return u.retry() // 10
	}
	if u.past.Queued != "" || !u.past.Installed {
		if h, ok := u.task(core.Exec); ok { // 8
			return run(h)
		}
	}
	if u.past.Queued != "" { // 10, before 3-6
		return run(u.hook(u.past.Queued))
	}
	if u.rebooted() && u.past.Tries == 0 { // 1: no hook is in progress, nor one that is to run again
		return run(u.hook(core.Start))
	}
	if !u.past.Installed { // 12; a dying unit is done by now
		if h, ok := u.storage(); ok { // 9: a machine charm has its storage before install (section 4.2)
			return run(h)
		}
		return run(u.hook(core.Install))
	}
	u.relations = v.Due()
	if step, ok := u.scopes(); ok { // 3
		return step, true
	}
	if !u.Dying() {
		if h, ok := u.created(); ok { // 3
			return run(h)
		}
		if h, ok := u.leadership(); ok { // 4
			return run(h)
		}
		if h, ok := u.secret(); ok { // 6
			return run(h)
		}
	}
	if h, ok := u.task(core.Action, core.Exec); ok { // 7, 8
		return run(h)
	}
	if u.Dying() { // 11
		return u.teardown()
	}
	if h, ok := u.storage(); ok { // 9
		return run(h)
	}
	return u.work()
}

// task is the first task of the first kind that has one to run.
func (u *unit) task(kinds ...core.HookKind) (core.Hook, bool) {
	for _, kind := range kinds {
		if h, ok := u.Task(kind); ok {
			return h, true
		}
	}
	return core.Hook{}, false
}

// Wake is the first moment after which Next may answer differently although the
// model has not changed; false if there is none. It may have passed already.
func Wake(v core.View) (time.Time, bool) {
	u := newUnit(v, time.Time{})
	if u.done() || u.past.Running != nil {
		return time.Time{}, false
	}
	if f := u.past.Failed; f != nil && !u.moot(f.Hook) {
		return f.RetryAt, !f.Retry && !f.RetryAt.IsZero()
	}
	due, ok := u.past.StatusDue, u.past.Started && !u.past.StatusDue.IsZero()
	if at, timed := v.SecretTimer(time.Time{}); timed && u.past.Installed && (!ok || at.Before(due)) {
		due, ok = at, true
	}
	return due, ok && !u.Dying()
}

// unit is one look at a unit: the view with what every rule needs of it.
type unit struct {
	core.View
	now  time.Time
	past *core.Progress
	// relations are those in which there may be something to do, once they have a say.
	relations []core.RelationView
}

func newUnit(v core.View, now time.Time) *unit {
	past := v.Past
	if past == nil {
		past = new(core.Progress)
	}
	return &unit{View: v, now: now, past: past}
}

// done reports whether no hook will ever run again: remove has run, or the unit
// started dying before install ran (section 4.2). An install that is running or
// has failed keeps a dying unit until it is over.
func (u *unit) done() bool {
	if u.past.Removed || u.Unit.Life == kith.Dead {
		return true
	}
	return u.Dying() && !u.past.Installed && u.past.Running == nil && u.past.Failed == nil
}

// terminate ends a unit that is done. A principal waits for its subordinates (section 9).
func (u *unit) terminate() (Step, bool) {
	if u.HasSubordinates() {
		return Step{}, false
	}
	return Step{Kind: Terminate}, true
}

// retry runs the failed hook again, exactly as it was, if its time has come;
// nothing else runs meanwhile (section 8).
func (u *unit) retry() (Step, bool) {
	f := u.past.Failed
	if f.Retry || !f.RetryAt.IsZero() && !u.now.Before(f.RetryAt) {
		return run(f.Hook)
	}
	return Step{}, false
}

// moot reports whether a hook that failed has lost its object: the unit is no longer in
// the relation, because that was deleted or the unit was evicted; or it has no more to do with
// the secret, or does not hold the storage. The hook is then skipped (section 8, restart table).
func (u *unit) moot(h core.Hook) bool {
	if h.Relation == nil {
		return u.SecretHookIsMoot(h) || u.StorageHookIsMoot(h)
	}
	r, ok := u.Relation(h.Relation.ID)
	return !ok || r.Member == nil
}

// teardown is what a dying unit does: leave its relations, peers last, give its storage
// back, then stop if it ever started, then remove (section 4.2).
func (u *unit) teardown() (Step, bool) {
	if h, ok := u.relationHook(); ok {
		return run(h)
	}
	if h, ok := u.storage(); ok {
		return run(h)
	}
	if u.past.Started && !u.past.Stopped {
		return run(u.hook(core.Stop))
	}
	return run(u.hook(core.Remove))
}

// work is what a unit does that is installed, alive and idle: step 12.
func (u *unit) work() (Step, bool) {
	switch { // 12
	case u.past.Charm != u.App.Charm, u.past.Resources != u.App.ResourceVersion:
		return run(u.hook(core.UpgradeCharm))
	case u.past.Config != u.App.ConfigVersion+1:
		return run(u.hook(core.ConfigChanged))
	}
	if h, ok := u.relationHook(); ok {
		return run(h)
	}
	if u.rebooted() { // the hook that was to run again has lost its reason
		return run(u.hook(core.Start))
	}
	if due := u.past.StatusDue; u.past.Started && !due.IsZero() && !u.now.Before(due) {
		return run(u.hook(core.UpdateStatus))
	}
	return Step{}, false
}

// rebooted reports whether the unit has to start once more.
func (u *unit) rebooted() bool { return u.past.Rebooted && u.past.Started && !u.Dying() }

// leadership is leader-elected for a leader that has not run it in this tenure,
// and leader-settings-changed for the others when the settings are not those
// they last saw (section 7). A unit that loses leadership runs no hook for it.
func (u *unit) leadership() (core.Hook, bool) {
	if leader, _ := u.Leader(); leader {
		return u.hook(core.LeaderElected), !u.past.Elected
	}
	return u.hook(core.LeaderSettingsChanged), u.past.Settings != u.App.LeaderVersion+1
}

func run(h core.Hook) (Step, bool) { return Step{Kind: Run, Hook: h}, true }

// hook fills in a hook that is not about a relation: the version it announces
// and the change that made it due.
func (u *unit) hook(kind core.HookKind) core.Hook {
	h := core.Hook{Kind: kind}
	switch kind {
	case core.Install:
		h.Charm, h.Resources, h.Cause = u.App.Charm, u.App.ResourceVersion, u.Unit.LifeRev
	case core.Start, core.Stop, core.Remove:
		h.Cause = max(u.Unit.LifeRev, u.past.RebootRev)
	case core.UpgradeCharm:
		h.Charm, h.Resources, h.Cause = u.App.Charm, u.App.ResourceVersion, max(u.App.CharmRev, u.App.ResourceRev)
	case core.ConfigChanged: // an upgrade queues it too, and a new unit runs it once
		h.Config, h.Cause = u.App.ConfigVersion, max(u.App.ConfigRev, u.App.CharmRev)
		if u.past.Config == 0 {
			h.Cause = max(h.Cause, u.Unit.LifeRev)
		}
	case core.LeaderElected:
		_, h.Cause = u.Leader()
	case core.LeaderSettingsChanged: // one that never saw any is new, or has led so far
		h.Settings, h.Cause = u.App.LeaderVersion, u.App.LeaderRev
		if u.past.Settings == 0 {
			h.Cause = max(h.Cause, u.Unit.LifeRev, u.LeaseRev())
		}
	case core.UpdateStatus: // time made it due, no change did
	case core.RelationCreated, core.RelationJoined, core.RelationChanged, core.RelationDeparted, core.RelationBroken:
		panic("resolve: " + string(kind) + " without a relation")
	case core.SecretExpired, core.SecretRotate, core.SecretChanged, core.SecretRemove:
		panic("resolve: " + string(kind) + " without a secret")
	case core.StorageAttached, core.StorageDetaching:
		panic("resolve: " + string(kind) + " without a storage")
	default:
		panic("resolve: unknown hook " + string(kind))
	}
	return h
}
