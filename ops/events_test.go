package ops_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
	"kith/ops"
)

// Ops reference, section 2, steps 10 to 13: the order of one dispatch.
func TestOrder(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var d diary
	write := func(text string) error { d.write(text); return nil }
	setup := func(f *ops.Framework) {
		d.write("setup")
		f.Observe(
			ops.OnCollectUnitStatus(func(*ops.CollectStatusEvent) error { return write("unit status") }),
			ops.OnCollectAppStatus(func(*ops.CollectStatusEvent) error { return write("app status") }),
			ops.OnReconcile(func(e *ops.ReconcileEvent) error { return write("reconcile " + e.Name()) }),
			ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return write("config 1") }),
			ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return write("config 2") }),
			ops.OnStop(func(*ops.StopEvent) error { return write("stop") }),
			ops.OnUpdateStatus(func(e *ops.UpdateStatusEvent) error { d.write("update"); return e.Defer() }).Named("again"),
		)
	}
	w.run(t, configure, setup)
	d.want(t, "config-changed", "setup", "config 1", "config 2", "reconcile config-changed", "app status", "unit status")
	w.run(t, core.Hook{Kind: core.UpdateStatus}, setup)
	d.want(t, "update-status", "setup", "update", "reconcile update-status", "app status", "unit status")
	for _, restricted := range []core.HookKind{"collect-metrics", "meter-status-changed"} { // most tools are refused in these
		w.run(t, core.Hook{Kind: restricted}, setup)
		d.want(t, string(restricted), "setup")
	}
	w.run(t, core.Hook{Kind: "of-another-day"}, setup) // a name nobody knows is no error
	d.want(t, "an unknown hook", "setup", "update", "reconcile of-another-day", "app status", "unit status")
	w.leader = false
	w.run(t, core.Hook{Kind: core.Stop}, setup)
	d.want(t, "stop", "setup", "update", "stop", "unit status")
	w.run(t, core.Hook{Kind: core.LeaderElected}, setup) // nobody observes it
	d.want(t, "leader-elected", "setup", "update", "reconcile leader-elected", "unit status")
}

// Ops reference, section 6.7: the most severe wins, the first of equals.
func TestCollectStatus(t *testing.T) {
	t.Parallel()
	for want, added := range map[string][]ops.Status{
		"":                         nil,
		"unit active: a":           {ops.ActiveStatus("a"), ops.ActiveStatus("b")},
		"unit waiting: w":          {ops.ActiveStatus("a"), ops.WaitingStatus("w")},
		"unit maintenance: m":      {ops.WaitingStatus("w"), ops.MaintenanceStatus("m"), ops.ActiveStatus("a")},
		"unit blocked: b":          {ops.BlockedStatus("b"), ops.MaintenanceStatus("m"), ops.BlockedStatus("c")},
		"unit active: --app -dash": {ops.ActiveStatus("--app -dash")},
	} {
		w := newWorld()
		w.run(t, configure, func(f *ops.Framework) {
			f.Observe(ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
				for _, s := range added {
					e.AddStatus(s)
				}
				return nil
			}))
		})
		if got := strings.Join(w.statuses, "; "); got != want {
			t.Errorf("of %v was set %q, want %q", added, got, want)
		}
	}
	for _, name := range []kith.Status{kith.Errored, kith.Unknown, "ready"} {
		err := newWorld().try(configure, func(f *ops.Framework) {
			f.Observe(ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error {
				e.AddStatus(ops.Status{Name: name})
				return nil
			}))
		})
		var invalid *ops.InvalidStatusError
		if !errors.As(err, &invalid) || invalid.Status.Name != name {
			t.Errorf("adding %q: %v", name, err)
		}
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.in(t, configure, func(m *ops.Model) error {
		if err := m.App().SetStatus(ops.ActiveStatus("together")); err != nil {
			return err
		}
		if s, err := m.App().Status(); err != nil || s != ops.ActiveStatus("app") {
			t.Errorf("application status %v, %v", s, err)
		}
		var invalid *ops.InvalidStatusError
		if err := m.Unit().SetStatus(ops.Status{Name: kith.Errored}); !errors.As(err, &invalid) {
			t.Errorf("setting error: %v", err)
		}
		if n, err := m.App().PlannedUnits(); n != 2 || err != nil { // one of three is dying
			t.Errorf("planned units %d, %v", n, err)
		}
		return m.Unit().SetWorkloadVersion("-1")
	})
	if w.version != "-1" || strings.Join(w.statuses, "; ") != "app active: together" {
		t.Errorf("version %q, statuses %v", w.version, w.statuses)
	}
	w.leader = false
	w.in(t, configure, func(m *ops.Model) error {
		if err := m.App().SetStatus(ops.ActiveStatus("")); !errors.Is(err, ops.ErrNotLeader) || !errors.Is(err, ops.ErrPermission) {
			t.Errorf("setting the application's status without leading: %v", err)
		}
		if _, err := m.App().Status(); !errors.Is(err, ops.ErrNotLeader) {
			t.Errorf("reading it: %v", err)
		}
		return nil
	})
}

// A status does not hide a failure beside it.
func TestStatusErrorJoined(t *testing.T) {
	t.Parallel()
	blocked, waiting := ops.StatusError(ops.BlockedStatus("b")), ops.StatusError(ops.WaitingStatus("w"))
	no := errors.New("no")
	for name, c := range map[string]struct {
		err      error
		fails    bool
		statuses string
	}{
		"wrapped":       {fmt.Errorf("config: %w", blocked), false, "unit blocked: b"},
		"joined":        {errors.Join(waiting, nil, blocked), false, "unit waiting: w"},
		"with failure":  {errors.Join(blocked, no), true, ""},
		"after failure": {fmt.Errorf("%w: %w", no, blocked), true, ""},
		"no status":     {no, true, ""},
		"unsettable":    {ops.StatusError(ops.Status{Name: kith.Errored}), true, ""},
	} {
		w := newWorld()
		err := w.try(configure, func(f *ops.Framework) {
			f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return c.err }))
		})
		if got := strings.Join(w.statuses, "; "); (err != nil) != c.fails || got != c.statuses {
			t.Errorf("%s: error %v, statuses %q", name, err, got)
		}
	}
}

// A handler that gives up with a status does not fail the hook, and keeps its writes.
func TestStatusError(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var kept struct{ N int }
	w.run(t, configure, func(f *ops.Framework) {
		if err := f.StoredState("charm", &kept); err != nil {
			t.Error(err)
		}
		f.Observe(
			ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error {
				kept.N = 7
				return ops.StatusError(ops.BlockedStatus("needs a database"))
			}),
			ops.OnReconcile(func(*ops.ReconcileEvent) error { t.Error("it went on"); return nil }),
			ops.OnCollectUnitStatus(func(e *ops.CollectStatusEvent) error { e.AddStatus(ops.ActiveStatus("")); return nil }),
		)
	})
	if strings.Join(w.statuses, "; ") != "unit blocked: needs a database" || w.state["charm"] != `{"N":7}` {
		t.Errorf("statuses %v, state %v", w.statuses, w.state)
	}
}

// What the charm cannot have cannot be observed.
func TestObserveUnknown(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]ops.Observation{
		`cannot observe "nosuch-relation-joined": the charm has no endpoint "nosuch"`: ops.OnRelationJoined("nosuch", nil),
		`cannot observe "nosuch-storage-attached": the charm has no storage "nosuch"`: ops.OnStorageAttached("nosuch", nil),
		`cannot observe "actions/nosuch": the charm has no action "nosuch"`:           ops.OnAction("nosuch", nil),
		`cannot observe "nosuch-pebble-ready": the charm has no container "nosuch"`:   ops.OnPebbleReady("nosuch", nil),
		`cannot observe: an empty Observation has no event`:                           {},
	} {
		err := newWorld().try(configure, func(f *ops.Framework) { f.Observe(o) })
		if err == nil || err.Error() != want || kith.HintOf(err) == "" {
			t.Errorf("error %v, want %s, with a hint", err, want)
		}
	}
	late := newWorld().try(configure, func(f *ops.Framework) {
		f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
			f.Observe(ops.OnAction("nosuch", nil))
			return nil
		}))
	})
	if late == nil || !strings.HasPrefix(late.Error(), `cannot observe "actions/nosuch"`) {
		t.Errorf("observed by a handler: error %v", late)
	}
	newWorld().run(t, configure, func(f *ops.Framework) {
		f.Observe(ops.OnRelationCreated("juju-info", func(*ops.RelationCreatedEvent) error { return nil }))
	})
}

func TestObserveNil(t *testing.T) {
	t.Parallel()
	for want, observe := range map[string]func(f *ops.Framework) ops.Observation{
		`cannot observe "start": the handler is nil`:    func(*ops.Framework) ops.Observation { return ops.OnStart(nil) },
		`cannot observe "custom/x": the handler is nil`: func(f *ops.Framework) ops.Observation { return ops.NewSource[noticed](f, "x").On(nil) },
	} {
		err := newWorld().try(configure, func(f *ops.Framework) { f.Observe(observe(f)) })
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// A mistake is one wherever it is made.
func TestObserveUnknownLate(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, ops.StatusError(ops.BlockedStatus("b"))} {
		failed := newWorld().try(configure, func(f *ops.Framework) {
			f.Observe(ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error {
				f.Observe(ops.OnRelationCreated("nosuch", nil))
				return err
			}))
		})
		if kith.CodeOf(failed) != kith.Invalid || !strings.Contains(failed.Error(), "nosuch") {
			t.Errorf("a handler that ends with %v and observes what there is not: %v", err, failed)
		}
	}
}

// Every event without a subject reaches its observer.
func TestPlainHooks(t *testing.T) {
	t.Parallel()
	got := ""
	note := func(name string) error { got = name; return nil }
	setup := func(f *ops.Framework) {
		f.Observe(
			ops.OnInstall(func(e *ops.InstallEvent) error { return note(e.Name()) }),
			ops.OnStart(func(e *ops.StartEvent) error { return note(e.Name()) }),
			ops.OnStop(func(e *ops.StopEvent) error { return note(e.Name()) }),
			ops.OnRemove(func(e *ops.RemoveEvent) error { return note(e.Name()) }),
			ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error { return note(e.Name()) }),
			ops.OnUpdateStatus(func(e *ops.UpdateStatusEvent) error { return note(e.Name()) }),
			ops.OnUpgradeCharm(func(e *ops.UpgradeCharmEvent) error { return note(e.Name()) }),
			ops.OnLeaderElected(func(e *ops.LeaderElectedEvent) error { return note(e.Name()) }),
			ops.OnLeaderSettingsChanged(func(e *ops.LeaderSettingsChangedEvent) error { return note(e.Name()) }),
			ops.OnPreSeriesUpgrade(func(e *ops.PreSeriesUpgradeEvent) error { return note(e.Name()) }),
			ops.OnPostSeriesUpgrade(func(e *ops.PostSeriesUpgradeEvent) error { return note(e.Name()) }),
			ops.OnSecretChanged(func(e *ops.SecretChangedEvent) error { return note(e.Name()) }),
			ops.OnSecretRotate(func(e *ops.SecretRotateEvent) error { return note(e.Name()) }),
			ops.OnSecretExpired(func(e *ops.SecretExpiredEvent) error { return note(e.Name()) }),
			ops.OnSecretRemove(func(e *ops.SecretRemoveEvent) error { return note(e.Name()) }),
		)
	}
	for _, name := range []string{"install", "start", "stop", "remove", "config-changed", "update-status", "upgrade-charm",
		"leader-elected", "leader-settings-changed", "pre-series-upgrade", "post-series-upgrade",
		"secret-changed", "secret-rotate", "secret-expired", "secret-remove"} {
		newWorld().run(t, core.Hook{Kind: core.HookKind(name)}, setup)
		if got != name {
			t.Errorf("%s reached the observer of %q", name, got)
		}
	}
}
