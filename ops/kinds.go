package ops

// The hooks of section 4.1 of the hook protocol reference; those after the first
// group have a name before them: the endpoint's, the storage's, the container's.
const (
	install               = "install"
	start                 = "start"
	stop                  = "stop"
	remove                = "remove"
	configChanged         = "config-changed"
	updateStatus          = "update-status"
	upgradeCharm          = "upgrade-charm"
	leaderElected         = "leader-elected"
	leaderSettingsChanged = "leader-settings-changed"
	preSeriesUpgrade      = "pre-series-upgrade"
	postSeriesUpgrade     = "post-series-upgrade"
	collectMetrics        = "collect-metrics"
	meterStatusChanged    = "meter-status-changed"
	secretChanged         = "secret-changed"
	secretRotate          = "secret-rotate"
	secretExpired         = "secret-expired"
	secretRemove          = "secret-remove"

	relationCreated       = "relation-created"
	relationJoined        = "relation-joined"
	relationChanged       = "relation-changed"
	relationDeparted      = "relation-departed"
	relationBroken        = "relation-broken"
	storageAttached       = "storage-attached"
	storageDetaching      = "storage-detaching"
	pebbleReady           = "pebble-ready"
	pebbleCustomNotice    = "pebble-custom-notice"
	pebbleCheckFailed     = "pebble-check-failed"
	pebbleCheckRecovered  = "pebble-check-recovered"
	collectUnitStatusName = "collect-unit-status"
	collectAppStatusName  = "collect-app-status"
)

// prefixedKinds are the hooks that have a name before them, and the secret hooks,
// which are recognised alike.
var prefixedKinds = []string{
	relationCreated, relationJoined, relationChanged, relationDeparted, relationBroken,
	storageAttached, storageDetaching,
	pebbleReady, pebbleCustomNotice, pebbleCheckFailed, pebbleCheckRecovered,
	secretChanged, secretRotate, secretExpired, secretRemove,
}
