package ops

// WorkloadEvent is what the events of a workload container have in common. They come
// on Kubernetes only, where Pebble runs in each container; a client for it is not
// part of this package.
type WorkloadEvent struct {
	DeferrableEvent
	Workload string // the container's name
}

// PebbleReadyEvent comes when the container's Pebble answers, at each start of it.
type PebbleReadyEvent struct{ WorkloadEvent }

// PebbleCustomNoticeEvent comes when the workload has left a notice for the charm.
type PebbleCustomNoticeEvent struct {
	WorkloadEvent
	NoticeID   string
	NoticeType string
	NoticeKey  string
}

// PebbleCheckFailedEvent comes when a health check has reached its threshold.
type PebbleCheckFailedEvent struct {
	WorkloadEvent
	Check string
}

// PebbleCheckRecoveredEvent comes when a failed health check succeeds again.
type PebbleCheckRecoveredEvent struct {
	WorkloadEvent
	Check string
}

// OnPebbleReady observes pebble-ready of a container.
func OnPebbleReady(container string, handle func(*PebbleReadyEvent) error) Observation {
	return workloadHook(container, pebbleReady, func(e WorkloadEvent, _ EventEnv) error { return handle(&PebbleReadyEvent{e}) })
}

// OnPebbleCustomNotice observes pebble-custom-notice of a container.
func OnPebbleCustomNotice(container string, handle func(*PebbleCustomNoticeEvent) error) Observation {
	return workloadHook(container, pebbleCustomNotice, func(e WorkloadEvent, env EventEnv) error {
		return handle(&PebbleCustomNoticeEvent{e, env.NoticeID, env.NoticeType, env.NoticeKey})
	})
}

// OnPebbleCheckFailed observes pebble-check-failed of a container.
func OnPebbleCheckFailed(container string, handle func(*PebbleCheckFailedEvent) error) Observation {
	return workloadHook(container, pebbleCheckFailed, func(e WorkloadEvent, env EventEnv) error {
		return handle(&PebbleCheckFailedEvent{e, env.CheckName})
	})
}

// OnPebbleCheckRecovered observes pebble-check-recovered of a container.
func OnPebbleCheckRecovered(container string, handle func(*PebbleCheckRecoveredEvent) error) Observation {
	return workloadHook(container, pebbleCheckRecovered, func(e WorkloadEvent, env EventEnv) error {
		return handle(&PebbleCheckRecoveredEvent{e, env.CheckName})
	})
}

func workloadHook(container, kind string, call func(WorkloadEvent, EventEnv) error) Observation {
	return hook(container+"-"+kind, func(f *Framework, em emission) error {
		return call(WorkloadEvent{f.deferrable(em), em.env.WorkloadName}, em.env)
	}).about("container", container, func(c *CharmMeta, container string) bool {
		_, ok := c.Containers[container]
		return ok
	})
}
