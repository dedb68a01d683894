package ops

import (
	"time"

	"kith"
)

// Backend is what a charm has of the world outside: one method for each hook tool,
// typed. A call that is refused returns a [*ModelError].
//
// [NewToolBackend] is a Backend over anything that can make hook tool calls: the
// processes of a Juju host, the socket of a kith agent, or a hook run inside a test.
// A Backend serves one dispatch and one goroutine at a time.
type Backend interface {
	RelationBackend
	SecretBackend
	ActionBackend
	StorageBackend
	UnitBackend
	StateBackend
}

// RelationRef is how a relation is named in calls: "db:4".
type RelationRef struct {
	Endpoint kith.EndpointName
	ID       kith.RelationID
}

// String is "endpoint:id".
func (r RelationRef) String() string { return string(r.Endpoint) + ":" + r.ID.String() }

// RelationBackend reads and writes relations.
type RelationBackend interface {
	// RelationIDs are the relations on an endpoint. An unknown endpoint has none.
	RelationIDs(endpoint kith.EndpointName) ([]kith.RelationID, error)
	// RelationUnits are the remote units of a relation, sorted.
	RelationUnits(r RelationRef) ([]kith.UnitName, error)
	// RelationApp is the remote application, known in created and broken too; the own one among peers.
	RelationApp(r RelationRef) (kith.AppName, error)
	// RelationGet is the databag of a unit, or with app of an application. The map may be
	// shared: the caller keeps it and does not change it, and nor does the backend.
	RelationGet(r RelationRef, app bool, owner string) (map[string]string, error)
	// RelationSet writes the unit's own databag, or with app its application's. An empty
	// value deletes its key. The backend may keep the map, which nobody changes any more.
	RelationSet(r RelationRef, app bool, set map[string]string) error
	// RelationModel is the model the remote application is in.
	RelationModel(r RelationRef) (kith.ModelUUID, error)
	// NetworkGet is the network of a binding; with a relation, as its other side sees it.
	NetworkGet(binding string, r *RelationRef) (Network, error)
}

// UnitBackend is about the unit and its application.
type UnitBackend interface {
	// IsLeader reports whether the unit leads; true is a promise for 30 seconds.
	IsLeader() (bool, error)
	// ConfigGet holds the options that are set or have a default: string, bool, int64, float64.
	ConfigGet() (map[string]any, error)
	// StatusGet and StatusSet are about the unit, or with app, on the leader, its application.
	StatusGet(app bool) (Status, error)
	StatusSet(app bool, s Status) error
	GoalState() (GoalState, error)
	// Log writes a record at a level of juju-log: TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL.
	Log(level, message string) error
	// VersionSet is the version of the workload; empty for none.
	VersionSet(version string) error
	// OpenPort and ClosePort are for all endpoints, or for those named.
	OpenPort(p Port, endpoints []kith.EndpointName) error
	ClosePort(p Port, endpoints []kith.EndpointName) error
	OpenedPorts() ([]Port, error)
	// ResourceGet is the path of a resource's file.
	ResourceGet(name string) (string, error)
	// CredentialGet is refused unless the application is trusted.
	CredentialGet() (CloudSpec, error)
	// Reboot is for after the hook, or for now; in an action it is refused.
	Reboot(now bool) error
}

// StateBackend keeps strings for the unit; what is written is kept if the hook succeeds.
// It is also the interface of [LocalState].
type StateBackend interface {
	// StateGet is all that is kept. The map may be shared: the caller does not change it.
	StateGet() (map[string]string, error)
	// StateSet writes and deletes keys in one step.
	StateSet(set map[string]string, deleted []string) error
}

// ActionBackend works in actions only.
type ActionBackend interface {
	// ActionGet is the parameters, with numbers as int64 or float64.
	ActionGet() (map[string]any, error)
	// ActionSet takes flattened keys: "server.port".
	ActionSet(results map[string]string) error
	ActionLog(message string) error
	ActionFail(message string) error
}

// StorageBackend is about storage instances such as "data/0".
type StorageBackend interface {
	// StorageList is the attached instances of a storage of the charm, sorted.
	StorageList(name string) ([]string, error)
	// StorageGet is the kind ("filesystem" or "block") and location of an instance.
	StorageGet(id string) (kind, location string, err error)
	// StorageAdd asks for count more instances of a storage of the charm.
	StorageAdd(name string, count int) error
}

// SecretBackend is about secrets. An id is in any form the secret-* tools take.
type SecretBackend interface {
	// SecretAdd returns the new secret's id.
	SecretAdd(o SecretOwner, s SecretSpec, content map[string]string) (string, error)
	// SecretSet changes what is set in s, and the content if it is not nil.
	SecretSet(id string, s SecretSpec, content map[string]string) error
	// SecretGet is the content; with an id and a label, it labels the secret.
	SecretGet(id, label string, which SecretRevision) (map[string]string, error)
	// SecretInfo takes an id or a label.
	SecretInfo(id, label string) (SecretInfo, error)
	// SecretIDs are bare ids, sorted: the unit's and, on the leader, its application's.
	SecretIDs() ([]string, error)
	// SecretGrant lets the remote application of a relation read, or only one unit of it.
	SecretGrant(id string, r RelationRef, unit kith.UnitName) error
	// SecretRevoke takes the same grant back.
	SecretRevoke(id string, r RelationRef, unit kith.UnitName) error
	// SecretRemove removes one revision, or all with revision 0.
	SecretRemove(id string, revision int) error
}

// GoalState says who will be there once everything asked for has happened.
type GoalState struct {
	Units map[kith.UnitName]GoalStatus
	// Relations has for each endpoint the remote applications and units, by name; those among
	// peers are left out.
	Relations map[kith.EndpointName]map[string]GoalStatus
}

// GoalStatus is how far one of them is.
type GoalStatus struct {
	// Status of a unit is its workload's, or dying; of an application that of the relation, such
	// as joined.
	Status kith.Status
	Since  time.Time // zero if the host says nothing that reads as a time
}
