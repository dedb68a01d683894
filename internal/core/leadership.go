package core

import (
	"slices"
	"time"

	"kith"
)

// LeaseTerm is how long leadership lasts without being renewed, and LeaseRenewal
// how often a connected host renews it: at that pace a positive is-leader is
// good for another 30 seconds (section 7).
const (
	LeaseTerm    = 60 * time.Second
	LeaseRenewal = LeaseTerm / 2
)

// IsLeader reports whether a unit holds its application's leadership at a time.
func (m *Model) IsLeader(u kith.UnitName, now time.Time) bool {
	return m.HoldsLease(u) && now.Before(m.Lease(u.App()).Expires)
}

// HoldsLease reports whether a unit was the last to be made leader of its application. Its term may have run out.
func (m *Model) HoldsLease(u kith.UnitName) bool {
	l := m.Lease(u.App())
	return l != nil && l.Holder == u
}

// LeaderOnly reports whether a hook runs on the leader only, and is dropped with the leadership: leader-elected, and what
// the managers of an application's secret are told (hook protocol reference, section 4.2).
func (m *Model) LeaderOnly(h Hook) bool {
	switch h.Kind {
	case LeaderElected:
		return true
	case SecretRotate, SecretExpired, SecretRemove:
		s := m.Secret(h.Secret.ID)
		return s != nil && s.Owner.Kind == OwnerApp
	}
	return false
}

// hostHello starts a new life of a host's agent. What the old life was running
// has failed (section 8, "pending"); leases get a full term, so that nobody
// else takes what its units still hold.
func (t *txn) hostHello(op HostHello) error {
	h := t.m.Host(op.Host)
	if h != nil && h.Epoch == op.Epoch {
		// Written all the same: a controller that has lost the model without having been
		// told must not let an agent in, and the write is what tells it.
		again := *h
		again.Seen = t.now
		put(t, again)
		return nil
	}
	put(t, Host{Name: op.Host, Epoch: op.Epoch, Seen: t.now})
	for _, u := range slices.Collect(t.m.Units()) {
		if u.Host == op.Host {
			t.interrupt(*t.m.Progress(u.Name), op.Epoch)
			if h != nil && BootOf(h.Epoch) != BootOf(op.Epoch) && BootOf(h.Epoch) != "" && BootOf(op.Epoch) != "" {
				t.rebooted(u.Name)
			}
		}
	}
	t.extendLeases(op.Host)
	return nil
}

// interrupt fails the hook an earlier life of the agent was running, and starts
// the delays of one that had failed before from the beginning.
func (t *txn) interrupt(past Progress, epoch string) {
	if past.RunsTask() && past.Running.Epoch != epoch {
		past = t.interruptTask(past)
	}
	cut := past.Running
	switch {
	case cut != nil && cut.Epoch == epoch, cut == nil && (past.Failed == nil || past.Failed.Retry):
		return
	case cut != nil && t.lost(past.Unit, cut.Hook):
		t.passOver(past, cut.Hook)
		return
	case cut != nil:
		past.Failed = t.failure(past, cut.Hook, "the agent restarted while the hook was running")
		past.Running = nil
		past.Tries++
	}
	again := *past.Failed
	again.Attempts, again.RetryAt = 1, t.retryAt(1, string(past.Unit), past.Seq)
	past.Failed = &again
	put(t, past)
}

func (t *txn) renewLeases(op RenewLeases) error {
	h := t.m.Host(op.Host)
	if h == nil {
		return nil
	}
	seen := *h
	seen.Seen = t.now
	put(t, seen)
	t.extendLeases(op.Host)
	return nil
}

func (t *txn) extendLeases(host string) {
	for _, l := range slices.Collect(t.m.leases.all()) {
		if u := t.m.Unit(l.Holder); u != nil && u.Host == host {
			longer := *l
			longer.Expires = t.now.Add(LeaseTerm)
			put(t, longer)
		}
	}
}

// unitHello makes a unit eligible: it claims the leadership if that is free.
func (t *txn) unitHello(op UnitHello) error {
	u, err := t.unit(op.Unit)
	if err != nil {
		return err
	}
	if t.actor.Kind == ActorHost && t.actor.Name != u.Host {
		return kith.Errorf(kith.Forbidden, "permission denied").WithHint("unit %q is placed on host %q", u.Name, u.Host)
	}
	if u.Present {
		return nil
	}
	u.Present = true
	if !u.StatusSet {
		u.Workload = Status{Current: kith.Waiting, Message: "agent initialising", Since: t.now}
	}
	put(t, u)
	if l := t.m.Lease(u.App); u.Life == kith.Alive && (l == nil || !t.now.Before(l.Expires)) {
		t.setLeader(u.App, u.Name)
	}
	return nil
}

func (t *txn) elect(op Elect) error {
	u, err := t.unit(op.Unit)
	if err != nil {
		return err
	}
	if u.Life != kith.Alive || !u.Present {
		return kith.Errorf(kith.Conflict, "cannot elect unit %q: it is not running", u.Name)
	}
	t.setLeader(u.App, u.Name)
	return nil
}

// setLeader moves the leadership. Losing it runs no hook; a deposed leader that
// wins it back is told again.
func (t *txn) setLeader(app kith.AppName, to kith.UnitName) {
	l := t.m.Lease(app)
	if l != nil && l.Holder == to {
		longer := *l
		longer.Expires = t.now.Add(LeaseTerm)
		put(t, longer)
		return
	}
	if l != nil {
		if p := t.m.Progress(l.Holder); p != nil {
			deposed := *p
			deposed.Elected, deposed.Settings = false, 0
			if f := deposed.Failed; f != nil && f.Hook.Kind == LeaderElected && deposed.InError() {
				deposed.Failed = nil // skipped: there is nothing left to tell (section 4.2 of the hook protocol)
			}
			put(t, deposed)
		}
	}
	put(t, Lease{App: app, Holder: to, Expires: t.now.Add(LeaseTerm), Rev: t.rev})
	if l != nil {
		t.forgetSecretHook(l.Holder)
	}
}

// succeed finds a new leader at once when the holder has left the model.
func (t *txn) succeed(app kith.AppName, gone kith.UnitName) {
	l := t.m.Lease(app)
	if l == nil || l.Holder != gone {
		return
	}
	if heir := t.m.heir(app, gone, t.now); heir != "" {
		t.setLeader(app, heir)
		return
	}
	t.drop(l.Key())
}

// heir is the unit that takes over: the one with the lowest number that is
// alive, taken up by an agent, and on a host that was heard of within a term.
func (m *Model) heir(app kith.AppName, except kith.UnitName, now time.Time) kith.UnitName {
	var best kith.UnitName
	for u := range m.UnitsOf(app) {
		if u.Name == except || u.Life != kith.Alive || !u.Present {
			continue
		}
		if h := m.Host(u.Host); h != nil && now.Sub(h.Seen) > LeaseTerm {
			continue
		}
		if best == "" || u.Name.Number() < best.Number() {
			best = u.Name
		}
	}
	return best
}

// tick lets time pass: expired leases move on, forced removals stop waiting.
func (t *txn) tick() error {
	for _, l := range slices.Collect(t.m.leases.all()) {
		if t.now.Before(l.Expires) {
			continue
		}
		if heir := t.m.heir(l.App, l.Holder, t.now); heir != "" {
			t.setLeader(l.App, heir)
		}
	}
	for _, r := range slices.Collect(t.m.Relations()) {
		if !r.EvictAt.IsZero() && !t.now.Before(r.EvictAt) {
			t.evict(r.ID)
		}
	}
	for _, u := range slices.Collect(t.m.Units()) {
		if !u.EvictAt.IsZero() && !t.now.Before(u.EvictAt) {
			t.removeUnit(u.Name)
		}
	}
	t.evictStorage()
	return nil
}

// NextTick is the first time at which Tick will change something; false if never.
func (m *Model) NextTick() (time.Time, bool) {
	var next time.Time
	consider := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for l := range m.leases.all() {
		if m.heir(l.App, l.Holder, l.Expires) != "" {
			consider(l.Expires)
		}
	}
	for r := range m.Relations() {
		consider(r.EvictAt)
	}
	for u := range m.Units() {
		consider(u.EvictAt)
	}
	for s := range m.Storages() {
		if s.Life == kith.Dead {
			consider(s.EvictAt)
		}
	}
	return next, !next.IsZero()
}

// setLeaderSettings changes the old leader settings (hook protocol reference, section 14).
func (t *txn) setLeaderSettings(op SetLeaderSettings) error {
	u, err := t.unit(op.Unit)
	if err != nil {
		return err
	}
	if !t.m.IsLeader(u.Name, t.now) {
		return kith.Errorf(kith.Forbidden, "cannot write settings: not the leader")
	}
	app := *t.m.App(u.App)
	merged := make(map[string]string, len(app.LeaderSettings)+len(op.Set))
	for k, v := range app.LeaderSettings { // any order: a copy
		merged[k] = v
	}
	changed := false
	for k, v := range op.Set { // any order: each key once
		changed = changed || merged[k] != v
		if v == "" {
			delete(merged, k)
		} else {
			merged[k] = v
		}
	}
	if !changed {
		return nil
	}
	app.LeaderSettings, app.LeaderVersion, app.LeaderRev = merged, app.LeaderVersion+1, t.rev
	put(t, app)
	return nil
}
