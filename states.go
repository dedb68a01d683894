package kith

// JujuVersion is the Juju version charms are told they run under: charms and the
// ops library change what they do by it (hook protocol reference, sections 2 and
// 17). A 3.6 release, because charms in the field refuse 4 and need at least 3.6.4.
const JujuVersion = "3.6.14"

// Life is how far an entity has come: it goes Alive → Dying → Dead and never back.
type Life string

// The three lives.
const (
	Alive Life = "alive"
	Dying Life = "dying"
	Dead  Life = "dead"
)

// Role is the part an endpoint plays in a relation.
type Role string

// The three roles, named after the sections of metadata.yaml they are declared in.
const (
	Provider Role = "provider"
	Requirer Role = "requirer"
	Peer     Role = "peer"
)

// Scope says who sees whom in a relation: everybody, or only units that share a principal.
type Scope string

// The two scopes.
const (
	Global    Scope = "global"
	Container Scope = "container"
)

// Status is a workload, agent or relation status word.
type Status string

// Workload statuses. A charm may set the first four.
const (
	Active      Status = "active"
	Blocked     Status = "blocked"
	Maintenance Status = "maintenance"
	Waiting     Status = "waiting"
	Unknown     Status = "unknown"
	Errored     Status = "error"
	Terminated  Status = "terminated"
)

// Agent statuses of a unit.
const (
	Allocating Status = "allocating"
	Executing  Status = "executing"
	Idle       Status = "idle"
)

// Relation statuses (relations reference, section 2.6).
const (
	Joining    Status = "joining"
	Joined     Status = "joined"
	Broken     Status = "broken"
	Suspending Status = "suspending"
	Suspended  Status = "suspended"
)
