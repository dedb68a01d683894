package ops

import "kith"

// hook makes the observation of a hook without a subject.
func hook[E any, P event[E]](name string, handle func(*E) error) Observation {
	return Observation{space: hookSpace, kind: name, handler: handlerOf[E, P](handle)}
}

// hookOf makes the observation of a hook that is about a subject the charm names.
func hookOf[E any, P event[E]](s subject, of, kind string, handle func(*E) error) Observation {
	return Observation{space: hookSpace, of: of, kind: kind, subject: s, handler: handlerOf[E, P](handle)}
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
	return hook(install, handle)
}

// OnStart observes start.
func OnStart(handle func(*StartEvent) error) Observation {
	return hook(start, handle)
}

// OnStop observes stop.
func OnStop(handle func(*StopEvent) error) Observation {
	return hook(stop, handle)
}

// OnRemove observes remove.
func OnRemove(handle func(*RemoveEvent) error) Observation {
	return hook(remove, handle)
}

// OnConfigChanged observes config-changed.
func OnConfigChanged(handle func(*ConfigChangedEvent) error) Observation {
	return hook(configChanged, handle)
}

// OnUpdateStatus observes update-status.
func OnUpdateStatus(handle func(*UpdateStatusEvent) error) Observation {
	return hook(updateStatus, handle)
}

// OnUpgradeCharm observes upgrade-charm.
func OnUpgradeCharm(handle func(*UpgradeCharmEvent) error) Observation {
	return hook(upgradeCharm, handle)
}

// OnLeaderElected observes leader-elected.
func OnLeaderElected(handle func(*LeaderElectedEvent) error) Observation {
	return hook(leaderElected, handle)
}

// OnLeaderSettingsChanged observes leader-settings-changed.
func OnLeaderSettingsChanged(handle func(*LeaderSettingsChangedEvent) error) Observation {
	return hook(leaderSettingsChanged, handle)
}

// OnPreSeriesUpgrade observes pre-series-upgrade.
func OnPreSeriesUpgrade(handle func(*PreSeriesUpgradeEvent) error) Observation {
	return hook(preSeriesUpgrade, handle)
}

// OnPostSeriesUpgrade observes post-series-upgrade.
func OnPostSeriesUpgrade(handle func(*PostSeriesUpgradeEvent) error) Observation {
	return hook(postSeriesUpgrade, handle)
}

const reconcileName = "reconcile"

// ReconcileEvent comes after every hook but stop and remove, and after no action: its Name is the
// hook's.
type ReconcileEvent struct{ EventBase }

// OnReconcile observes every hook but stop and remove, once each, after the handlers
// of the hook itself. A handler for it looks at all it depends on, configuration,
// relations, leadership, and does what is left to do: it does not matter which event
// told it, nor that it runs again. This is how most charms are best written.
func OnReconcile(handle func(*ReconcileEvent) error) Observation {
	return internal(reconcileName, handle)
}

// internal makes the observation of an event that no hook is behind.
func internal[E any, P event[E]](name string, handle func(*E) error) Observation {
	return Observation{space: internalSpace, kind: name, handler: handlerOf[E, P](handle)}
}

// OnCollectUnitStatus is asked for the unit's status at the end of every dispatch.
func OnCollectUnitStatus(handle func(*CollectStatusEvent) error) Observation {
	return internal(collectUnitStatusName, handle)
}

// OnCollectAppStatus is asked for the application's status at the end of every
// dispatch of the leader.
func OnCollectAppStatus(handle func(*CollectStatusEvent) error) Observation {
	return internal(collectAppStatusName, handle)
}

// RelationEvent is what the relation events have in common.
type RelationEvent struct {
	DeferrableEvent
	Relation *Relation
	// App is the remote application, the own one in a peer relation; in an event that was
	// deferred, also when the relation has gone.
	App kith.AppName
}

func (e *RelationEvent) bind(f *Framework, em emission) (err error) {
	if e.Relation, err = f.model.relation(RelationRef{em.env.Relation, em.env.RelationID}); err != nil {
		return err
	}
	if e.App = em.env.RemoteApp; e.App == "" { // some hosts may lose it when they start anew
		e.App = e.Relation.App
	}
	return e.DeferrableEvent.bind(f, em)
}

// RelationCreatedEvent comes once for each relation, before its units are told of.
type RelationCreatedEvent struct{ RelationEvent }

// RelationJoinedEvent comes once for each remote unit. Changed follows at once.
type RelationJoinedEvent struct {
	RelationEvent
	Unit kith.UnitName
}

func (e *RelationJoinedEvent) bind(f *Framework, em emission) error {
	e.Unit = em.env.RemoteUnit
	return e.RelationEvent.bind(f, em)
}

// RelationChangedEvent comes when the data of a remote unit has changed, or that of
// the remote application: then Unit is empty.
type RelationChangedEvent struct {
	RelationEvent
	Unit kith.UnitName
}

func (e *RelationChangedEvent) bind(f *Framework, em emission) error {
	e.Unit = em.env.RemoteUnit
	return e.RelationEvent.bind(f, em)
}

// RelationDepartedEvent comes when a remote unit has left. It is no longer among
// [Relation.Units], and its data can still be read.
type RelationDepartedEvent struct {
	RelationEvent
	Unit kith.UnitName
	// DepartingUnit is this unit itself if it, or its application, is going away.
	DepartingUnit kith.UnitName
}

func (e *RelationDepartedEvent) bind(f *Framework, em emission) error {
	e.Unit, e.DepartingUnit = em.env.RemoteUnit, em.env.DepartingUnit
	return e.RelationEvent.bind(f, em)
}

// RelationBrokenEvent comes when the relation is gone: [Relation.Active] is false, and
// [Model.Relations] leaves it out. The data of the remote application can still be read. A unit that
// is being removed gets it for each of its relations, which live on with the other units: see
// [Unit.IsDying].
type RelationBrokenEvent struct{ RelationEvent }

// OnRelationCreated observes relation-created of an endpoint.
func OnRelationCreated(endpoint kith.EndpointName, handle func(*RelationCreatedEvent) error) Observation {
	return hookOf(anEndpoint, string(endpoint), "-"+relationCreated, handle)
}

// OnRelationJoined observes relation-joined of an endpoint.
func OnRelationJoined(endpoint kith.EndpointName, handle func(*RelationJoinedEvent) error) Observation {
	return hookOf(anEndpoint, string(endpoint), "-"+relationJoined, handle)
}

// OnRelationChanged observes relation-changed of an endpoint.
func OnRelationChanged(endpoint kith.EndpointName, handle func(*RelationChangedEvent) error) Observation {
	return hookOf(anEndpoint, string(endpoint), "-"+relationChanged, handle)
}

// OnRelationDeparted observes relation-departed of an endpoint.
func OnRelationDeparted(endpoint kith.EndpointName, handle func(*RelationDepartedEvent) error) Observation {
	return hookOf(anEndpoint, string(endpoint), "-"+relationDeparted, handle)
}

// OnRelationBroken observes relation-broken of an endpoint.
func OnRelationBroken(endpoint kith.EndpointName, handle func(*RelationBrokenEvent) error) Observation {
	return hookOf(anEndpoint, string(endpoint), "-"+relationBroken, handle)
}
