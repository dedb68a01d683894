package ops

// WorkloadEvent is what the events of a workload container have in common. They come
// on Kubernetes only, where Pebble runs in each container and listens on
// /charm/containers/NAME/pebble.socket; a client for it is not part of this package, and
// github.com/canonical/pebble/client is one. kith runs no containers.
type WorkloadEvent struct {
	DeferrableEvent
	Workload string // the container's name
}

func (e *WorkloadEvent) bind(f *Framework, em emission) error {
	e.Workload = em.env.WorkloadName
	return e.DeferrableEvent.bind(f, em)
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

func (e *PebbleCustomNoticeEvent) bind(f *Framework, em emission) error {
	e.NoticeID, e.NoticeType, e.NoticeKey = em.env.NoticeID, em.env.NoticeType, em.env.NoticeKey
	return e.WorkloadEvent.bind(f, em)
}

// PebbleCheckFailedEvent comes when a health check has reached its threshold.
type PebbleCheckFailedEvent struct {
	WorkloadEvent
	Check string
}

func (e *PebbleCheckFailedEvent) bind(f *Framework, em emission) error {
	e.Check = em.env.CheckName
	return e.WorkloadEvent.bind(f, em)
}

// PebbleCheckRecoveredEvent comes when a failed health check succeeds again.
type PebbleCheckRecoveredEvent struct {
	WorkloadEvent
	Check string
}

func (e *PebbleCheckRecoveredEvent) bind(f *Framework, em emission) error {
	e.Check = em.env.CheckName
	return e.WorkloadEvent.bind(f, em)
}

// OnPebbleReady observes pebble-ready of a container.
func OnPebbleReady(container string, handle func(*PebbleReadyEvent) error) Observation {
	return hookOf(aContainer, container, "-"+pebbleReady, handle)
}

// OnPebbleCustomNotice observes pebble-custom-notice of a container.
func OnPebbleCustomNotice(container string, handle func(*PebbleCustomNoticeEvent) error) Observation {
	return hookOf(aContainer, container, "-"+pebbleCustomNotice, handle)
}

// OnPebbleCheckFailed observes pebble-check-failed of a container.
func OnPebbleCheckFailed(container string, handle func(*PebbleCheckFailedEvent) error) Observation {
	return hookOf(aContainer, container, "-"+pebbleCheckFailed, handle)
}

// OnPebbleCheckRecovered observes pebble-check-recovered of a container.
func OnPebbleCheckRecovered(container string, handle func(*PebbleCheckRecoveredEvent) error) Observation {
	return hookOf(aContainer, container, "-"+pebbleCheckRecovered, handle)
}
