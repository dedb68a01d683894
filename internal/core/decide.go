package core

import (
	"fmt"
	"slices"
	"time"

	"kith"
)

// Decide reports the changes cmd causes in m, or why it is refused (a *kith.Error).
// A command that was carried out before, or asks for what is already so, causes
// none. Decide does not modify m; like [Model.Snapshot], only m's writer may call it.
func Decide(m *Model, cmd Command) ([]Change, error) {
	_, changes, err := Commit(m.Snapshot(), cmd)
	return changes, err
}

// Commit decides cmd against m and applies its changes to m. Entry is what
// history keeps of it; Entry.Revision is m's new revision, or 0 if nothing
// changed. A refused command leaves m as it was.
func Commit(m *Model, cmd Command) (Entry, []Change, error) {
	done, err := Do(m, cmd)
	if err != nil || done.Revision == 0 {
		return Entry{}, nil, err
	}
	return done.Entry(), done.t.changes(), nil
}

// Do is [Commit] for who may not need to know what history keeps.
func Do(m *Model, cmd Command) (Done, error) {
	t := m.begin(cmd)
	err := authorize(cmd)
	if err == nil {
		err = t.decide(cmd.Op)
	}
	if err != nil {
		t.undo()
		return Done{}, err
	}
	if !t.effective() {
		return Done{}, nil
	}
	m.Revision = t.rev
	return Done{Revision: t.rev, t: t, command: cmd.Op}, nil
}

// Done is a command that was carried out. The zero value is one that changed nothing. It
// can be asked until the model gets its next command.
type Done struct {
	Revision uint64 // the model's new one
	t        *txn
	command  Op
}

// Hook is the run of a hook the command came from, or nil.
func (d Done) Hook() *HookRef {
	if d.t == nil {
		return nil
	}
	return d.t.hook
}

// Entry is what history keeps of it.
func (d Done) Entry() Entry {
	if d.t == nil {
		return Entry{}
	}
	return d.t.entry(d.command)
}

// txn is one command being decided. It works on the model itself and remembers
// how to go back.
type txn struct {
	m     *Model
	now   time.Time
	actor Actor
	rev   uint64 // the revision the command gets if it changes anything
	// steps keep the order of first touch.
	steps []step
	// touched finds the step of a key once there are many of them.
	touched map[Key]int
	// cause and hook go into the history entry of a hook's command; hook is nil or ref.
	cause uint64
	hook  *HookRef
	ref   HookRef
}

// begin starts a command, in the memory that the last one needed unless that was much.
func (m *Model) begin(cmd Command) *txn {
	const much = 64
	if m.last == nil || cap(m.last.steps) > much {
		m.last = &txn{steps: make([]step, 0, fewSteps)}
	}
	clear(m.last.steps)
	*m.last = txn{m: m, now: cmd.Now, actor: cmd.Actor, rev: m.Revision + 1, steps: m.last.steps[:0]}
	return m.last
}

// step is one key the command touched: what was there before, and what is now.
type step struct {
	key Key
	old Entity // nil if the key did not exist
	now Entity // nil if it does not exist any more
}

// fewSteps are looked through one by one: most commands touch three or four keys.
const fewSteps = 12

// put sets an entity, of which it makes the row.
func put[T any, P rowOf[T]](t *txn, e T) {
	row := P(&e)
	c := Put(row)
	t.touch(c.Key, t.m.apply(c)).now = row
}

// drop deletes an entity; deleting nothing is not an error.
func (t *txn) drop(k Key) {
	if t.m.lookup(k) == nil {
		return
	}
	t.touch(k, t.m.apply(Change{Key: k})).now = nil
}

// touch is the step of a key that has changed.
func (t *txn) touch(k Key, old Entity) *step {
	if i := t.find(k); i >= 0 {
		return &t.steps[i]
	}
	t.steps = append(t.steps, step{key: k, old: old})
	switch n := len(t.steps); {
	case t.touched != nil:
		t.touched[k] = n - 1
	case n > fewSteps:
		t.touched = make(map[Key]int, 4*n)
		for i, s := range t.steps {
			t.touched[s.key] = i
		}
	}
	return &t.steps[len(t.steps)-1]
}

// find is the number of a key's step, or -1.
func (t *txn) find(k Key) int {
	if t.touched == nil {
		return slices.IndexFunc(t.steps, func(s step) bool { return s.key == k })
	}
	if i, ok := t.touched[k]; ok {
		return i
	}
	return -1
}

// undo takes everything back, newest first.
func (t *txn) undo() {
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := t.steps[i]
		if s.effective() {
			Apply(t.m, Change{s.key, s.old})
		}
	}
}

// changes lists what the command did to each key, in order of first touch. A
// key that came and went within the command is not in it.
func (t *txn) changes() []Change {
	changes := make([]Change, 0, len(t.steps))
	for _, s := range t.steps {
		if s.effective() {
			changes = append(changes, Change{s.key, s.now})
		}
	}
	return changes
}

// effective reports whether the command did anything.
func (t *txn) effective() bool { return slices.ContainsFunc(t.steps, step.effective) }

// effective reports whether a key was there before or is there now.
func (s step) effective() bool { return s.old != nil || s.now != nil }

// decide dispatches; every rule is in the method it calls.
func (t *txn) decide(op Op) error {
	if create, ok := op.(CreateModel); ok {
		return t.createModel(create)
	}
	if t.m.Info() == nil {
		return kith.Errorf(kith.NotFound, "model not found")
	}
	switch op := op.(type) {
	case DestroyModel:
		return t.destroyModel(op)
	case AddCharm:
		return t.addCharm(op)
	case Deploy:
		return t.deploy(op)
	case AddUnits:
		return t.addUnits(op)
	case RemoveUnits:
		return t.removeUnits(op)
	case RemoveApps:
		return t.removeApps(op)
	case Integrate:
		return t.integrate(op)
	case RemoveRelation:
		return t.removeRelation(op)
	case Suspend:
		return t.suspend(op)
	case SetConfig:
		return t.setConfig(op)
	case Expose:
		return t.expose(op)
	case SetModelConfig:
		return t.setModelConfig(op)
	case Refresh:
		return t.refresh(op)
	case Resolved:
		return t.resolved(op)
	case RunAction:
		return t.runAction(op)
	case RunCommand:
		return t.runCommand(op)
	case CancelTasks:
		return t.cancelTasks(op)
	case AttachResource:
		return t.attachResource(op)
	case AddStorage:
		return t.addStorage(op)
	case AttachStorage:
		return t.attachStorage(op)
	case DetachStorage:
		return t.detachStorage(op)
	case RemoveStorage:
		return t.removeStorage(op)
	case AddContract:
		return t.addContract(op)
	case RemoveContract:
		return t.removeContract(op)
	case SetContractMode:
		return t.setContractMode(op)
	case AddSecret:
		return t.addSecret(op)
	case UpdateSecret:
		return t.updateUserSecret(op)
	case GrantSecret:
		return t.shareSecret(op)
	case RemoveSecret:
		return t.removeUserSecret(op)
	default:
		return t.decideSystem(op)
	}
}

// decideSystem dispatches what agents and the controller send.
func (t *txn) decideSystem(op Op) error {
	switch op := op.(type) {
	case HostHello:
		return t.hostHello(op)
	case RenewLeases:
		return t.renewLeases(op)
	case Tick:
		return t.tick()
	case UnitHello:
		return t.unitHello(op)
	case Elect:
		return t.elect(op)
	case EnterScopes:
		return t.enterScopes(op)
	case LeaveScopes:
		return t.leaveScopes(op)
	case RemoveDeadUnit:
		return t.removeDeadUnit(op)
	case BeginHook:
		return t.beginHook(op)
	case CommitHook:
		return t.commitHook(op)
	case FailHook:
		return t.failHook(op)
	case StorageWiped:
		return t.storageWiped(op)
	case BeginTask:
		return t.beginTask(op)
	case FinishTask:
		return t.finishTask(op)
	case LogTask:
		return t.logTask(op)
	case PruneTasks:
		return t.pruneTasks()
	case SetStatus:
		return t.setStatus(op)
	case SetWorkloadVersion:
		return t.setWorkloadVersion(op)
	case SetLeaderSettings:
		return t.setLeaderSettings(op)
	default:
		panic(fmt.Sprintf("core: no rule for command %T", op))
	}
}

// app is the application a command names, or the refusal that says it is not there.
func (t *txn) app(name kith.AppName) (App, error) {
	a := t.m.App(name)
	if a == nil {
		return App{}, kith.Errorf(kith.NotFound, "application %q not found", name).WithHint("see 'kith status'")
	}
	return *a, nil
}

// unit is the unit a command names, or the refusal that says it is not there.
func (t *txn) unit(name kith.UnitName) (Unit, error) {
	u := t.m.Unit(name)
	if u == nil {
		return Unit{}, kith.Errorf(kith.NotFound, "unit %q not found", name).WithHint("see 'kith status'")
	}
	return *u, nil
}
