package ops

import "kith"

// hook makes the observation of a hook without a subject.
func hook(name string, call func(f *Framework, em emission) error) Observation {
	return Observation{key: hookPrefix + name, call: call}
}

// InstallEvent comes once, before all others but those of storage.
type InstallEvent struct{ DeferrableEvent }

// StartEvent comes after install and the first config-changed, and after a reboot.
type StartEvent struct{ DeferrableEvent }

// StopEvent comes when the unit is being removed, after its relations and storage.
type StopEvent struct{ EventBase }

// RemoveEvent is the last of a unit.
type RemoveEvent struct{ EventBase }

// ConfigChangedEvent comes after install and upgrade-charm and whenever the
// application's configuration or the machine's network has changed.
type ConfigChangedEvent struct{ DeferrableEvent }

// UpdateStatusEvent comes every few minutes.
type UpdateStatusEvent struct{ DeferrableEvent }

// UpgradeCharmEvent comes when the charm's files have been replaced by a newer version's.
type UpgradeCharmEvent struct{ DeferrableEvent }

// LeaderElectedEvent comes to the unit that has become the leader.
type LeaderElectedEvent struct{ DeferrableEvent }

// LeaderSettingsChangedEvent comes after leader-set, on units that do not lead. Use
// the application's databag of a peer relation instead.
type LeaderSettingsChangedEvent struct{ DeferrableEvent }

// PreSeriesUpgradeEvent is gone from Juju 4, and kith has never had it.
type PreSeriesUpgradeEvent struct{ DeferrableEvent }

// PostSeriesUpgradeEvent is gone from Juju 4, and kith has never had it.
type PostSeriesUpgradeEvent struct{ DeferrableEvent }

// OnInstall observes install.
func OnInstall(handle func(*InstallEvent) error) Observation {
	return hook(install, func(f *Framework, em emission) error { return handle(&InstallEvent{f.deferrable(em)}) })
}

// OnStart observes start.
func OnStart(handle func(*StartEvent) error) Observation {
	return hook(start, func(f *Framework, em emission) error { return handle(&StartEvent{f.deferrable(em)}) })
}

// OnStop observes stop.
func OnStop(handle func(*StopEvent) error) Observation {
	return hook(stop, func(f *Framework, em emission) error { return handle(&StopEvent{f.base(em)}) })
}

// OnRemove observes remove.
func OnRemove(handle func(*RemoveEvent) error) Observation {
	return hook(remove, func(f *Framework, em emission) error { return handle(&RemoveEvent{f.base(em)}) })
}

// OnConfigChanged observes config-changed.
func OnConfigChanged(handle func(*ConfigChangedEvent) error) Observation {
	return hook(configChanged, func(f *Framework, em emission) error { return handle(&ConfigChangedEvent{f.deferrable(em)}) })
}

// OnUpdateStatus observes update-status.
func OnUpdateStatus(handle func(*UpdateStatusEvent) error) Observation {
	return hook(updateStatus, func(f *Framework, em emission) error { return handle(&UpdateStatusEvent{f.deferrable(em)}) })
}

// OnUpgradeCharm observes upgrade-charm.
func OnUpgradeCharm(handle func(*UpgradeCharmEvent) error) Observation {
	return hook(upgradeCharm, func(f *Framework, em emission) error { return handle(&UpgradeCharmEvent{f.deferrable(em)}) })
}

// OnLeaderElected observes leader-elected.
func OnLeaderElected(handle func(*LeaderElectedEvent) error) Observation {
	return hook(leaderElected, func(f *Framework, em emission) error { return handle(&LeaderElectedEvent{f.deferrable(em)}) })
}

// OnLeaderSettingsChanged observes leader-settings-changed.
func OnLeaderSettingsChanged(handle func(*LeaderSettingsChangedEvent) error) Observation {
	return hook(leaderSettingsChanged, func(f *Framework, em emission) error {
		return handle(&LeaderSettingsChangedEvent{f.deferrable(em)})
	})
}

// OnPreSeriesUpgrade observes pre-series-upgrade.
func OnPreSeriesUpgrade(handle func(*PreSeriesUpgradeEvent) error) Observation {
	return hook(preSeriesUpgrade, func(f *Framework, em emission) error { return handle(&PreSeriesUpgradeEvent{f.deferrable(em)}) })
}

// OnPostSeriesUpgrade observes post-series-upgrade.
func OnPostSeriesUpgrade(handle func(*PostSeriesUpgradeEvent) error) Observation {
	return hook(postSeriesUpgrade, func(f *Framework, em emission) error { return handle(&PostSeriesUpgradeEvent{f.deferrable(em)}) })
}

const reconcileName = "reconcile"

// ReconcileEvent comes after every hook: its Name is the hook's.
type ReconcileEvent struct{ EventBase }

// OnReconcile observes every hook but stop and remove, once each, after the handlers
// of the hook itself. A handler for it looks at all it depends on, configuration,
// relations, leadership, and does what is left to do: it does not matter which event
// told it, nor that it runs again. This is how most charms are best written.
func OnReconcile(handle func(*ReconcileEvent) error) Observation {
	return Observation{key: internalPrefix + reconcileName, call: func(f *Framework, em emission) error {
		return handle(&ReconcileEvent{f.base(em)})
	}}
}

// OnCollectUnitStatus is asked for the unit's status at the end of every dispatch.
func OnCollectUnitStatus(handle func(*CollectStatusEvent) error) Observation {
	return collect(collectUnitStatusName, handle)
}

// OnCollectAppStatus is asked for the application's status at the end of every
// dispatch of the leader.
func OnCollectAppStatus(handle func(*CollectStatusEvent) error) Observation {
	return collect(collectAppStatusName, handle)
}

func collect(name string, handle func(*CollectStatusEvent) error) Observation {
	return Observation{key: internalPrefix + name, call: func(f *Framework, em emission) error {
		return handle(&CollectStatusEvent{f.base(em), em.custom.(*collected)})
	}}
}

// about gives an observation the subject its event is about.
func (o Observation) about(subject, of string, known func(meta *CharmMeta, of string) bool) Observation {
	o.subject, o.of, o.known = subject, of, known
	return o
}

// RelationEvent is what the relation events have in common.
type RelationEvent struct {
	DeferrableEvent
	Relation *Relation
	// App is the remote application, the own one in a peer relation; in an event that was
	// deferred, also when the relation has gone.
	App kith.AppName
}

func relationHook(endpoint kith.EndpointName, kind string, call func(RelationEvent, EventEnv) error) Observation {
	return Observation{key: hookPrefix + string(endpoint) + "-" + kind, call: func(f *Framework, em emission) error {
		rel, err := f.model.relation(RelationRef{em.env.Relation, em.env.RelationID})
		if err != nil {
			return err
		}
		app := em.env.RemoteApp
		if app == "" { // some hosts may lose it when they start anew
			app = rel.App
		}
		return call(RelationEvent{f.deferrable(em), rel, app}, em.env)
	}}.about("endpoint", string(endpoint), func(c *CharmMeta, name string) bool {
		_, ok := c.Endpoint(kith.EndpointName(name))
		return ok
	})
}

// RelationCreatedEvent comes once for each relation, before its units are told of.
type RelationCreatedEvent struct{ RelationEvent }

// RelationJoinedEvent comes once for each remote unit. Changed follows at once.
type RelationJoinedEvent struct {
	RelationEvent
	Unit kith.UnitName
}

// RelationChangedEvent comes when the data of a remote unit has changed, or that of
// the remote application: then Unit is empty.
type RelationChangedEvent struct {
	RelationEvent
	Unit kith.UnitName
}

// RelationDepartedEvent comes when a remote unit has left. It is no longer among
// [Relation.Units], and its data can still be read.
type RelationDepartedEvent struct {
	RelationEvent
	Unit kith.UnitName
	// DepartingUnit is this unit itself if it, or its application, is going away.
	DepartingUnit kith.UnitName
}

// RelationBrokenEvent comes when the relation is gone: [Relation.Active] is false, and
// [Model.Relations] leaves it out. The data of the remote application can still be read.
type RelationBrokenEvent struct{ RelationEvent }

// OnRelationCreated observes relation-created of an endpoint.
func OnRelationCreated(endpoint kith.EndpointName, handle func(*RelationCreatedEvent) error) Observation {
	return relationHook(endpoint, relationCreated, func(e RelationEvent, _ EventEnv) error {
		return handle(&RelationCreatedEvent{e})
	})
}

// OnRelationJoined observes relation-joined of an endpoint.
func OnRelationJoined(endpoint kith.EndpointName, handle func(*RelationJoinedEvent) error) Observation {
	return relationHook(endpoint, relationJoined, func(e RelationEvent, env EventEnv) error {
		return handle(&RelationJoinedEvent{e, env.RemoteUnit})
	})
}

// OnRelationChanged observes relation-changed of an endpoint.
func OnRelationChanged(endpoint kith.EndpointName, handle func(*RelationChangedEvent) error) Observation {
	return relationHook(endpoint, relationChanged, func(e RelationEvent, env EventEnv) error {
		return handle(&RelationChangedEvent{e, env.RemoteUnit})
	})
}

// OnRelationDeparted observes relation-departed of an endpoint.
func OnRelationDeparted(endpoint kith.EndpointName, handle func(*RelationDepartedEvent) error) Observation {
	return relationHook(endpoint, relationDeparted, func(e RelationEvent, env EventEnv) error {
		return handle(&RelationDepartedEvent{e, env.RemoteUnit, env.DepartingUnit})
	})
}

// OnRelationBroken observes relation-broken of an endpoint.
func OnRelationBroken(endpoint kith.EndpointName, handle func(*RelationBrokenEvent) error) Observation {
	return relationHook(endpoint, relationBroken, func(e RelationEvent, _ EventEnv) error {
		return handle(&RelationBrokenEvent{e})
	})
}
