package core

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
)

// sequence places a hook's command in the unit's life: it is the unit's next
// one, or a repetition that was answered before (old), or out of order.
func (t *txn) sequence(name kith.UnitName, seq uint64, epoch string) (past Progress, old bool, err error) {
	u := t.m.Unit(name)
	if u == nil {
		return Progress{}, false, kith.Errorf(kith.NotFound, "unit %q not found", name)
	}
	past = *t.m.Progress(name)
	if seq <= past.Seq {
		return past, true, nil
	}
	if seq != past.Seq+1 {
		return past, false, kith.Errorf(kith.Conflict, "cannot take hook %d of unit %q: its next hook is %d", seq, name, past.Seq+1)
	}
	if h := t.m.Host(u.Host); epoch != "" && h != nil && h.Epoch != epoch {
		return past, false, kith.Errorf(kith.Conflict, "cannot take hook %d of unit %q: another agent has taken over", seq, name)
	}
	return past, false, nil
}

// fits refuses a hook other than the one that is running or in error.
func fits(past Progress, h Hook) error {
	expected := Hook{}
	switch {
	case past.Running != nil:
		expected = past.Running.Hook
	case past.Failed != nil:
		expected = past.Failed.Hook
	default:
		return nil
	}
	if !expected.Same(h) {
		return kith.Errorf(kith.Conflict, "cannot take hook %q of unit %q: its hook is %q", h.Name(), past.Unit, expected.Name())
	}
	return nil
}

// about notes what a hook's command is about, for history.
func (t *txn) about(unit kith.UnitName, seq uint64, h Hook) {
	t.ref = HookRef{Unit: unit, Seq: seq, Hook: h}
	t.cause, t.hook = h.Cause, &t.ref
}

func (t *txn) beginHook(op BeginHook) error {
	past, old, err := t.sequence(op.Unit, op.Seq, op.Epoch)
	if err != nil || old || op.Attempt < past.Tries {
		return err // of a run that has ended
	}
	if past.Running != nil && past.Running.Epoch == op.Epoch && past.Running.Hook.Same(op.Hook) {
		return nil
	}
	if err := fits(past, op.Hook); err != nil {
		return err
	}
	t.about(op.Unit, op.Seq, op.Hook)
	past.Running = &Running{Hook: op.Hook, Since: t.now, Epoch: op.Epoch}
	put(t, past)
	t.before(op.Unit, op.Hook.Kind)
	return nil
}

// before sets the status that a unit has while a hook runs (hook protocol reference, section 3.9).
func (t *txn) before(unit kith.UnitName, kind HookKind) {
	switch u := *t.m.Unit(unit); kind {
	case Install:
		if !u.StatusSet {
			t.setWorkload(u, kith.Maintenance, "installing charm software")
		}
	case Stop:
		t.setWorkload(u, kith.Maintenance, "stopping charm software")
	case Remove:
		t.setWorkload(u, kith.Maintenance, "cleaning up prior to charm deletion")
	}
}

func (t *txn) setWorkload(u Unit, status kith.Status, message string) {
	u.Workload = Status{Current: status, Message: message, Since: t.now}
	put(t, u)
}

func (t *txn) commitHook(op CommitHook) error {
	past, old, err := t.sequence(op.Unit, op.Seq, op.Epoch)
	if err != nil || old {
		return err
	}
	if err := fits(past, op.Hook); err != nil {
		return err
	}
	t.about(op.Unit, op.Seq, op.Hook)
	if past.Running == nil { // the charm has none, or the commit has overtaken the begin
		t.before(op.Unit, op.Hook.Kind)
	}
	if err := t.applyEffects(op.Unit, op.Effects); err != nil {
		return err
	}
	if err := t.judge(op.Unit, op.Effects.Bags); err != nil {
		return err
	}
	if op.Hook.Kind == ConfigChanged && !op.Missing {
		t.refreshAddresses(op.Unit)
	}
	t.advance(past, op.Hook)
	if op.Effects.Reboot {
		t.rebootMachine(t.m.Unit(op.Unit).Machine)
	}
	return nil
}

func (t *txn) failHook(op FailHook) error {
	past, old, err := t.sequence(op.Unit, op.Seq, op.Epoch)
	if err != nil || old || op.Attempt < past.Tries {
		return err // answered before
	}
	if err := fits(past, op.Hook); err != nil {
		return err
	}
	t.about(op.Unit, op.Seq, op.Hook)
	if past.Running == nil { // it could not be begun
		t.before(op.Unit, op.Hook.Kind)
	}
	if t.lost(op.Unit, op.Hook) {
		t.passOver(past, op.Hook)
	} else {
		past.Running = nil
		past.Tries++
		if !op.Requeue {
			past.Failed = t.failure(past, op.Hook, op.Message)
		}
		past.LastSince = t.now
		put(t, past)
	}
	if op.Reboot { // whatever the hook was about
		t.rebootMachine(t.m.Unit(op.Unit).Machine)
	}
	return nil
}

// lost reports whether the unit is no longer in the relation a hook is about, has no
// more to do with its secret or does not hold its storage any more: the hook is then counted as run (section 8, restart table).
// So is leader-elected of a unit that is the leader no longer (hook protocol reference, section 4.2).
func (t *txn) lost(unit kith.UnitName, h Hook) bool {
	if h.Kind == LeaderElected {
		return !t.m.HoldsLease(unit)
	}
	return h.Relation != nil && t.m.Member(h.Relation.ID, unit) == nil || t.m.secretHookIsMoot(unit, h) || t.m.storageHookIsMoot(unit, h)
}

// passOver counts a hook as run that has lost its object.
func (t *txn) passOver(past Progress, h Hook) {
	if h.Storage != nil {
		if s := t.m.Storage(h.Storage.ID); s != nil && s.Unit == past.Unit && s.Detaching && !s.Attached {
			t.detached(s.ID) // it was asked back while the unit was told of it, in vain
		}
	}
	t.advance(past, h)
}

// failure is the next failure of a hook. The hook keeps the identity it first
// failed with, so that it counts for the version it was queued with (section 13).
func (t *txn) failure(past Progress, h Hook, message string) *Failure {
	f := Failure{Hook: h, Message: message, Since: t.now, Attempts: 1}
	if past.Failed != nil {
		f.Hook, f.Attempts = past.Failed.Hook, past.Failed.Attempts+1
	}
	f.RetryAt = t.retryAt(f.Attempts, string(past.Unit), past.Seq)
	return &f
}

// The retry strategy of section 8.
const (
	firstRetry  = 5 * time.Second
	maxRetry    = 5 * time.Minute
	retryJitter = 0.03
)

// retryAt is when a hook runs again by itself after so many failures in a row:
// 5 s, doubling up to 5 minutes, give or take 3 % from the second on. Zero if the model
// does not retry. The jitter comes from the unit's name, its hook's number and the attempt.
func (t *txn) retryAt(attempts int, unit string, seq uint64) time.Time {
	if retry, _ := strconv.ParseBool(t.m.ModelOption("automatically-retry-hooks")); !retry {
		return time.Time{}
	}
	delay := maxRetry
	if attempts < 8 { // 5 s << 7 is past the cap
		delay = min(firstRetry<<(attempts-1), maxRetry)
	}
	if attempts > 1 {
		delay = scatter(delay, retryJitter, unit, seq, uint64(attempts))
	}
	return t.now.Add(delay)
}

// scatter moves d by up to the given share to either side, always the same way for the same key.
func scatter(d time.Duration, share float64, unit string, seq, n uint64) time.Duration {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d/%d", unit, seq, n)
	unitInterval := float64(mix(h.Sum64())>>11) / (1 << 53)
	return d + time.Duration(float64(d)*share*(2*unitInterval-1))
}

// mix spreads what FNV leaves in the low bits over all of them (the finalizer of splitmix64).
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// advance records that a hook has run: the bookkeeping that makes the next look
// see it as the past (relations reference, sections 4.1, 4.2, 5.1).
func (t *txn) advance(past Progress, h Hook) {
	past.Seq, past.Tries = past.Seq+1, 0
	if !past.RunsTask() { // a hook can be counted as run while a task goes on
		past.Running = nil
	}
	past.Failed, past.LastSince = nil, t.now
	if past.Queued == h.Kind {
		past.Queued = ""
	}
	u := *t.m.Unit(past.Unit)
	switch h.Kind {
	case Install:
		past.Installed, past.Charm, past.Resources = true, h.Charm, h.Resources
		t.recheckTasks(u.Name, h.Charm)
	case ConfigChanged:
		past.Config = h.Config + 1
		if !past.Started {
			past.Queued = Start
		}
	case Start:
		past.Started, past.Rebooted, past.RebootRev = true, false, 0
		if !u.StatusSet {
			t.setWorkload(u, kith.Unknown, "")
		}
	case UpgradeCharm:
		past.Charm, past.Resources, past.Queued = h.Charm, h.Resources, ConfigChanged
		t.recheckTasks(u.Name, h.Charm)
	case LeaderElected:
		past.Elected = t.m.HoldsLease(u.Name)
	case LeaderSettingsChanged:
		past.Settings = h.Settings + 1
	case UpdateStatus:
	case Stop:
		past.Stopped = true
		t.setWorkload(u, kith.Maintenance, "")
	case Remove:
		past.Removed = true
		t.setWorkload(u, kith.Terminated, "")
		t.dropTasks(u.Name)
	case RelationCreated, RelationJoined, RelationChanged, RelationDeparted, RelationBroken:
		defer t.advanceRelation(u.Name, h) // may remove the relation: after the progress is put
	case StorageAttached, StorageDetaching:
		t.advanceStorage(u.Name, h)
	case SecretExpired, SecretRotate, SecretChanged, SecretRemove:
		t.advanceSecret(u.Name, h)
	default:
		panic(fmt.Sprintf("core: no bookkeeping for hook %q", h.Kind))
	}
	t.scheduleStatus(&past)
	put(t, past)
}

// scheduleStatus sets when update-status is due. A hook that ran while a tick
// was pending has consumed it (section 4.2).
func (t *txn) scheduleStatus(past *Progress) {
	if !past.Started || !past.StatusDue.IsZero() && t.now.Before(past.StatusDue) {
		return
	}
	interval, err := time.ParseDuration(t.m.ModelOption("update-status-hook-interval"))
	if err != nil {
		panic("core: update-status-hook-interval was stored unchecked")
	}
	const share = 0.2 // each wait is drawn from 80 % to 120 %
	past.StatusDue = t.now.Add(scatter(interval, share, string(past.Unit), past.Seq, 0))
}

// advanceRelation is the bookkeeping of a relation hook (section 5.1).
func (t *txn) advanceRelation(unit kith.UnitName, h Hook) {
	r := h.Relation
	row := t.m.Member(r.ID, unit)
	if row == nil {
		return // the relation went away while the hook ran
	}
	member := *row
	switch h.Kind {
	case RelationCreated:
		member.Created = true
	case RelationJoined:
		member.ChangedPending = r.RemoteUnit
		put(t, Seen{Relation: r.ID, Unit: unit, Remote: r.RemoteUnit, Version: r.Version})
	case RelationChanged:
		if r.RemoteUnit == "" {
			member.AppVersion = r.Version
			break
		}
		if member.ChangedPending == r.RemoteUnit {
			member.ChangedPending = ""
		}
		put(t, Seen{Relation: r.ID, Unit: unit, Remote: r.RemoteUnit, Version: r.Version})
	case RelationDeparted:
		t.drop(Key{KindSeen, seenID(r.ID, unit, r.RemoteUnit)})
	case RelationBroken:
		t.leave(r.ID, unit)
		t.suspended(r.ID, unit)
		return
	}
	if member != *row {
		put(t, member)
	}
}

// suspended lets the leader report a suspended relation as such after its broken hook (section 2.5).
func (t *txn) suspended(id kith.RelationID, unit kith.UnitName) {
	r := t.m.Relation(id)
	if r == nil || !r.Suspended || r.Status.Current != kith.Suspending || !t.m.IsLeader(unit, t.now) {
		return
	}
	done := *r
	done.Status = Status{Current: kith.Suspended, Message: r.Status.Message, Since: t.now}
	put(t, done)
}

// applyEffects applies what a hook wrote. Any refusal refuses the whole commit.
func (t *txn) applyEffects(unit kith.UnitName, e Effects) error {
	for _, w := range e.Bags {
		if err := t.applyBagWrite(unit, w); err != nil {
			return err
		}
	}
	if err := t.applyPorts(unit, e.Ports); err != nil {
		return err
	}
	if err := t.applyStorageAdds(unit, e.Storage); err != nil {
		return err
	}
	t.noteFetched(unit, e.Fetched)
	for _, w := range e.Secrets {
		if err := t.applySecretWrite(unit, w); err != nil {
			return err
		}
	}
	return t.applyState(unit, e.State)
}

// applyBagWrite is the writing half of the access matrix (section 6.1): a unit
// writes its own bag, and its application's while it leads (section 6.6). Writes
// to a relation that has gone meanwhile are dropped with it.
func (t *txn) applyBagWrite(unit kith.UnitName, w BagWrite) error {
	if t.m.Relation(w.Relation) == nil || len(w.Set) == 0 {
		return nil
	}
	if t.m.Member(w.Relation, unit) == nil {
		return kith.Errorf(kith.Forbidden, "permission denied").WithHint("unit %q is not in relation %d", unit, w.Relation)
	}
	if !w.App {
		return t.writeBag(w.Relation, string(unit), w.Set)
	}
	if !t.m.IsLeader(unit, t.now) {
		return kith.Errorf(kith.Conflict, "checking leadership continuity: %q is not leader of %q", unit, unit.App())
	}
	return t.writeBag(w.Relation, string(unit.App()), w.Set)
}

// refreshAddresses rewrites the address keys of the unit's bags, at the end of
// a config-changed hook that ran (section 3.2).
func (t *txn) refreshAddresses(name kith.UnitName) {
	u := t.m.Unit(name)
	for _, r := range slices.Collect(t.m.RelationsOf(u.App)) {
		if t.m.Member(r.ID, name) != nil {
			// The keys are short: the size limit refuses them only in a bag the hook itself
			// has filled to the brim, which then keeps what it has.
			_ = t.writeBag(r.ID, string(name), addressKeys(u.Address))
		}
	}
}

// MaxStateKey and MaxStateValue bound one charm state entry, in bytes (hook
// protocol reference, section 10.2).
const (
	MaxStateKey   = 256
	MaxStateValue = 65536
)

func (t *txn) applyState(unit kith.UnitName, set map[string]*string) error {
	if len(set) == 0 {
		return nil
	}
	var old map[string]string
	if s := t.m.State(unit); s != nil {
		old = s.Data
	}
	data := make(map[string]string, len(old)+len(set))
	maps.Copy(data, old)
	for _, k := range slices.Sorted(maps.Keys(set)) {
		switch v := set[k]; {
		case v == nil:
			delete(data, k)
		case len(k) > MaxStateKey:
			return kith.Errorf(kith.Invalid, "max allowed key length (%d) exceeded", MaxStateKey)
		case len(*v) > MaxStateValue:
			return kith.Errorf(kith.Invalid, "max allowed value length (%d) exceeded", MaxStateValue)
		default:
			data[k] = *v
		}
	}
	if maps.Equal(data, old) {
		return nil
	}
	limit, _ := strconv.Atoi(t.m.ModelOption("max-charm-state-size"))
	if size := bagSize(data); limit > 0 && size > limit {
		return kith.Errorf(kith.Invalid, "max allowed size (%d) exceeded", limit).
			WithHint("the state would hold %d bytes; the model option max-charm-state-size is the limit", size)
	}
	put(t, State{Unit: unit, Data: data})
	return nil
}

// applyPorts opens and closes port ranges. Every unit has an address of its own,
// so only its own ranges can conflict.
func (t *txn) applyPorts(unit kith.UnitName, writes []PortWrite) error {
	if len(writes) == 0 {
		return nil
	}
	u := *t.m.Unit(unit)
	ports := slices.Clone(u.Ports)
	for _, w := range writes {
		if w.Close {
			ports = slices.DeleteFunc(ports, func(p Port) bool { return p == w.Port })
			continue
		}
		if slices.Contains(ports, w.Port) {
			continue
		}
		for _, p := range ports {
			if p.Conflicts(w.Port) {
				return kith.Errorf(kith.Conflict, "cannot open %s (unit %q): port range conflicts with %s (unit %q)", w.Port, unit, p, unit)
			}
		}
		ports = append(ports, w.Port)
	}
	slices.SortFunc(ports, comparePorts)
	if slices.Equal(ports, u.Ports) {
		return nil
	}
	u.Ports = ports
	put(t, u)
	return nil
}

// Conflicts reports whether two different ranges overlap on one unit. The same
// range may be open for several endpoints.
func (p Port) Conflicts(o Port) bool {
	if p.Protocol != o.Protocol || p.Protocol == "icmp" || p.From == o.From && p.To == o.To {
		return false
	}
	return p.From <= o.To && o.From <= p.To
}

// String is "80/tcp", "8000-8010/udp" or "icmp".
func (p Port) String() string {
	switch {
	case p.Protocol == "icmp":
		return p.Protocol
	case p.From == p.To:
		return fmt.Sprintf("%d/%s", p.From, p.Protocol)
	}
	return fmt.Sprintf("%d-%d/%s", p.From, p.To, p.Protocol)
}

func comparePorts(a, b Port) int {
	if c := strings.Compare(a.Protocol, b.Protocol); c != 0 {
		return c
	}
	if a.From != b.From {
		return a.From - b.From
	}
	if a.To != b.To {
		return a.To - b.To
	}
	return strings.Compare(a.Endpoint, b.Endpoint)
}

// resolved retries a failed hook now, or counts it as run (section 8).
func (t *txn) resolved(op Resolved) error {
	units := op.Units
	if op.All {
		units = nil
		for u := range t.m.Units() {
			if t.m.Progress(u.Name).InError() {
				units = append(units, u.Name)
			}
		}
	} else if len(units) == 0 {
		return kith.Errorf(kith.Invalid, "no unit specified")
	}
	for _, name := range units {
		if err := t.resolveOne(name, op); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) resolveOne(name kith.UnitName, op Resolved) error {
	if _, err := t.unit(name); err != nil {
		return err
	}
	past := *t.m.Progress(name)
	if !past.InError() {
		return kith.Errorf(kith.Conflict, "unit %q is not in an error state", name)
	}
	if op.NoRetry {
		t.advance(past, past.Failed.Hook)
		return nil
	}
	if past.Failed.Retry {
		if op.All {
			return nil
		}
		return kith.Errorf(kith.Conflict, "cannot set resolved mode for unit %q: already resolved", name)
	}
	again := *past.Failed
	again.Retry, again.Attempts = true, 0
	past.Failed = &again
	put(t, past)
	return nil
}

// charmStatuses are what a charm may set (hook protocol reference, section 8.4).
var charmStatuses = []kith.Status{kith.Maintenance, kith.Blocked, kith.Waiting, kith.Active}

func (t *txn) setStatus(op SetStatus) error {
	if !slices.Contains(charmStatuses, op.Status) {
		return kith.Errorf(kith.Invalid, "invalid status %q, expected one of %v", op.Status, charmStatuses)
	}
	u, err := t.unit(op.Unit)
	if err != nil {
		return err
	}
	status := Status{Current: op.Status, Message: op.Message, Since: t.now}
	if op.App {
		if !t.m.IsLeader(u.Name, t.now) {
			return kith.Errorf(kith.Forbidden, "this unit is not the leader")
		}
		if app := *t.m.App(u.App); app.Status.Current != op.Status || app.Status.Message != op.Message {
			app.Status = status
			put(t, app)
		}
		return nil
	}
	if u.StatusSet && u.Workload.Current == op.Status && u.Workload.Message == op.Message {
		return nil
	}
	u.Workload, u.StatusSet = status, true
	put(t, u)
	return nil
}

func (t *txn) setWorkloadVersion(op SetWorkloadVersion) error {
	u, err := t.unit(op.Unit)
	if err != nil {
		return err
	}
	if app := *t.m.App(u.App); app.WorkloadVersion != op.Version {
		app.WorkloadVersion = op.Version
		put(t, app)
	}
	return nil
}
