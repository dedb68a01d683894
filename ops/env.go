package ops

import (
	"path"
	"strconv"
	"strings"

	"kith"
)

// Env is what the JUJU_* environment says about one dispatch, as values (hook
// protocol reference, section 5). [ParseEnv] reads it; a test fills it in.
type Env struct {
	// DispatchPath names the event: "hooks/db-relation-changed", "actions/backup".
	DispatchPath string
	CharmDir     string

	Unit             kith.UnitName
	ModelName        string
	ModelUUID        kith.ModelUUID
	JujuVersion      JujuVersion
	MachineID        kith.MachineID // empty on Kubernetes
	PrincipalUnit    kith.UnitName  // empty unless the unit is a subordinate
	AvailabilityZone string         // may be empty

	// Event says what the event is about.
	Event EventEnv
}

// EventEnv is the part of the environment that belongs to the event. It has a JSON
// form because it is what is kept of an event that is deferred.
type EventEnv struct {
	// Relation is set in relation events, and RelationID means something only then.
	Relation   kith.EndpointName `json:"relation,omitempty"`
	RelationID kith.RelationID   `json:"relation-id,omitempty"`
	RemoteApp  kith.AppName      `json:"remote-app,omitempty"`
	// RemoteUnit is empty in created, broken, and changed of an application's data.
	RemoteUnit    kith.UnitName `json:"remote-unit,omitempty"`
	DepartingUnit kith.UnitName `json:"departing-unit,omitempty"` // relation-departed only

	StorageID       string `json:"storage-id,omitempty"` // "data/0"
	StorageLocation string `json:"storage-location,omitempty"`
	StorageKind     string `json:"storage-kind,omitempty"` // "filesystem" or "block"

	SecretID       string `json:"secret-id,omitempty"`
	SecretLabel    string `json:"secret-label,omitempty"`
	SecretRevision int    `json:"secret-revision,omitempty"` // expired and remove only

	WorkloadName string `json:"workload-name,omitempty"` // a container
	NoticeID     string `json:"notice-id,omitempty"`
	NoticeType   string `json:"notice-type,omitempty"`
	NoticeKey    string `json:"notice-key,omitempty"`
	CheckName    string `json:"check-name,omitempty"`

	ActionName string `json:"-"` // an action cannot be deferred
	ActionID   string `json:"-"`
}

// Name is the name of the hook, "db-relation-changed", or of the action, "backup".
func (e Env) Name() string { return path.Base(e.DispatchPath) }

// IsAction reports whether an action runs, and no hook.
func (e Env) IsAction() bool { return strings.HasPrefix(e.DispatchPath, actionSpace) }

// key is how observers are found: the dispatch path, whatever stands before it.
func (e *Env) key() eventKey {
	if e.IsAction() {
		return eventKey{actionSpace, e.Name()}
	}
	return eventKey{hookSpace, e.Name()}
}

// ParseEnv reads an environment in the form of os.Environ. Errors: Invalid, naming
// the variable that is missing or makes no sense for this event (ops reference,
// section 2).
func ParseEnv(environ []string) (Env, error) {
	r := envReader{vars: make(map[string]string, len(environ))}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		r.vars[name] = value
	}
	e := Env{
		DispatchPath: r.required("JUJU_DISPATCH_PATH"), CharmDir: r.required("JUJU_CHARM_DIR"),
		ModelName: r.required("JUJU_MODEL_NAME"), ModelUUID: kith.ModelUUID(r.required("JUJU_MODEL_UUID")),
		JujuVersion: JujuVersion(r.required("JUJU_VERSION")), MachineID: kith.MachineID(r.vars["JUJU_MACHINE_ID"]),
		PrincipalUnit: kith.UnitName(r.vars["JUJU_PRINCIPAL_UNIT"]), AvailabilityZone: r.vars["JUJU_AVAILABILITY_ZONE"],
	}
	unit, err := kith.ParseUnitName(r.required("JUJU_UNIT_NAME"))
	if err != nil && r.err == nil {
		r.err = kith.Errorf(kith.Invalid, "cannot read JUJU_UNIT_NAME: %v", err)
	}
	e.Unit = unit
	e.Event = r.event(e.IsAction(), e.Name())
	return e, r.err
}

// envReader takes variables out of an environment and keeps the first complaint.
type envReader struct {
	vars map[string]string
	err  error
}

func (r *envReader) required(name string) string {
	v := r.vars[name]
	if v == "" && r.err == nil {
		r.err = kith.Errorf(kith.Invalid, "cannot read the hook environment: %s is not set", name).
			WithHint("a charm is started by its unit agent; to try one, deploy it")
	}
	return v
}

func (r *envReader) number(name string, v string) int {
	n, err := strconv.Atoi(v)
	if err != nil && r.err == nil {
		r.err = kith.Errorf(kith.Invalid, "cannot read %s: %q is not a number", name, v)
	}
	return n
}

func (r *envReader) event(action bool, name string) EventEnv {
	var e EventEnv
	switch kind := kindOf(name); {
	case action:
		e.ActionName, e.ActionID = r.required("JUJU_ACTION_NAME"), r.required("JUJU_ACTION_UUID")
	case strings.HasPrefix(kind, "relation-"):
		r.relation(&e, kind)
	case strings.HasPrefix(kind, "storage-"):
		e.StorageID, e.StorageLocation, e.StorageKind = r.required("JUJU_STORAGE_ID"), r.vars["JUJU_STORAGE_LOCATION"], r.vars["JUJU_STORAGE_KIND"]
	case strings.HasPrefix(kind, "secret-"):
		e.SecretID, e.SecretLabel = r.required("JUJU_SECRET_ID"), r.vars["JUJU_SECRET_LABEL"]
		if kind == secretExpired || kind == secretRemove {
			e.SecretRevision = r.number("JUJU_SECRET_REVISION", r.required("JUJU_SECRET_REVISION"))
		}
	case strings.HasPrefix(kind, "pebble-"):
		e.WorkloadName = r.required("JUJU_WORKLOAD_NAME")
		e.NoticeID, e.NoticeType, e.NoticeKey = r.vars["JUJU_NOTICE_ID"], r.vars["JUJU_NOTICE_TYPE"], r.vars["JUJU_NOTICE_KEY"]
		e.CheckName = r.vars["JUJU_PEBBLE_CHECK_NAME"]
	}
	return e
}

// relation reads what relation hooks have. Names from the other side are taken as
// they are: across models they need not follow our grammar.
func (r *envReader) relation(e *EventEnv, kind string) {
	e.Relation = kith.EndpointName(r.required("JUJU_RELATION"))
	id := r.required("JUJU_RELATION_ID")
	e.RelationID = kith.RelationID(r.number("JUJU_RELATION_ID", id[strings.LastIndexByte(id, ':')+1:]))
	e.RemoteApp, e.RemoteUnit = kith.AppName(r.vars["JUJU_REMOTE_APP"]), kith.UnitName(r.vars["JUJU_REMOTE_UNIT"])
	if e.RemoteApp == "" {
		e.RemoteApp = e.RemoteUnit.App()
	}
	if kind == relationJoined || kind == relationDeparted {
		r.required("JUJU_REMOTE_UNIT")
	}
	if kind == relationDeparted {
		e.DepartingUnit = kith.UnitName(r.vars["JUJU_DEPARTING_UNIT"])
	}
}

// kindOf is a hook's name without the endpoint, storage or container before it.
func kindOf(hook string) string {
	for _, kind := range prefixedKinds {
		if before, ok := strings.CutSuffix(hook, kind); ok && (before == "" || strings.HasSuffix(before, "-")) {
			return kind
		}
	}
	return hook
}

// JujuVersion is the version charms are told they run under: "3.6.14". The empty
// version comes before all others.
type JujuVersion string

// AtLeast reports whether v is min or later. A tagged version such as "3.6-beta2"
// comes before the same major.minor without a tag (hook protocol reference, section 17).
func (v JujuVersion) AtLeast(min JujuVersion) bool {
	a, b := v.numbers(), min.numbers()
	for i := range a {
		if a[i] != b[i] {
			return a[i] > b[i]
		}
	}
	return true
}

// numbers are major, minor, 0 with a tag and 1 without, patch or tag number, build.
func (v JujuVersion) numbers() [5]int {
	n := [5]int{2: 1}
	text := string(v)
	if i := strings.IndexByte(text, '-'); i >= 0 {
		n[2] = 0
		tag := text[i+1:]
		text = text[:i] + "." + strings.TrimLeft(tag, "abcdefghijklmnopqrstuvwxyz")
	}
	at := [4]int{0, 1, 3, 4}
	for i, part := range strings.SplitN(text, ".", 4) {
		n[at[i]], _ = strconv.Atoi(part) // what is no number counts as 0
	}
	return n
}
