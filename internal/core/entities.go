package core

import (
	"strconv"
	"time"

	"kith"
	"kith/charm"
)

// Kind names a table. The word is part of the stored format.
type Kind string

// The kinds of entity. decode.go lists how each is read back.
const (
	KindModel    Kind = "model"
	KindCharm    Kind = "charm"
	KindApp      Kind = "application"
	KindUnit     Kind = "unit"
	KindMachine  Kind = "machine"
	KindHost     Kind = "host"
	KindRelation Kind = "relation"
	KindMember   Kind = "member"
	KindSeen     Kind = "seen"
	KindBag      Kind = "bag"
	KindLease    Kind = "lease"
	KindProgress Kind = "progress"
	KindState    Kind = "state"

	KindOperation Kind = "operation"
	KindTask      Kind = "task"
	KindTaskLog   Kind = "task-log"

	KindStorage Kind = "storage"

	KindContract Kind = "contract"

	KindSecret         Kind = "secret"
	KindSecretRevision Kind = "secret-revision"
	KindSecretContent  Kind = "secret-content"
	KindSecretGrant    Kind = "secret-grant"
	KindSecretConsumer Kind = "secret-consumer"
)

// Key is where an entity lives: its kind, and an id that is unique within the kind.
type Key struct {
	Kind Kind
	ID   string
}

// Entity is one row of a table: a pointer, to a [Unit] or a [Bag] for instance. Rows are immutable
// once they are in a model: a change puts a new one in place of the old.
type Entity interface{ Key() Key }

// Status is a status word, its message, and since when it holds.
type Status struct {
	Current kith.Status `json:"current"`
	Message string      `json:"message,omitempty"`
	Since   time.Time   `json:"since"`
}

// ModelInfo is the model itself: its name, its options and its counters.
type ModelInfo struct {
	UUID    kith.ModelUUID    `json:"uuid"`
	Name    string            `json:"name"`
	Owner   string            `json:"owner"`
	Life    kith.Life         `json:"life"`
	Created time.Time         `json:"created"`
	Config  map[string]string `json:"config,omitempty"`
	// NextRelation, NextMachine and NextAddress give out numbers that are never used twice.
	NextRelation kith.RelationID `json:"next-relation"`
	NextMachine  int             `json:"next-machine"`
	NextAddress  uint32          `json:"next-address"`
	// NextStorage numbers storage.
	NextStorage int `json:"next-storage,omitempty"`
	// StorageFate is what a model that is being destroyed does with its storage.
	StorageFate StorageFate `json:"storage-fate,omitempty"`
	// Contracts is the mode of contracts where an endpoint has none of its own.
	Contracts ContractMode `json:"contracts,omitempty"`
	// LastTask is the number given out last, to an operation or a task; 0 if none was.
	LastTask int `json:"last-task,omitempty"`
	// AddressBase is where in 127.0.0.0/8 this model's unit addresses start; the
	// controller draws it so that two models on one machine do not meet.
	AddressBase uint32 `json:"address-base"`
	// CharmRevisions counts the local revisions given out per charm name.
	CharmRevisions map[string]int `json:"charm-revisions,omitempty"`
	// UnitNumbers keeps the next unit number of applications that are gone, so that
	// a name is not used twice for two different units.
	UnitNumbers map[kith.AppName]int `json:"unit-numbers,omitempty"`
}

// Key is the single row of the model table.
func (*ModelInfo) Key() Key { return Key{KindModel, "info"} }

// CharmInfo is a charm that was added to the model.
type CharmInfo struct {
	ID    string      `json:"id"`             // SHA-256 of the archive, hex
	URL   string      `json:"url"`            // local:NAME-REVISION
	Rev   int         `json:"rev"`            // the revision in URL
	Path  string      `json:"path,omitempty"` // where it came from, for people
	Charm charm.Charm `json:"charm"`
}

// Key is the charm's ID.
func (c *CharmInfo) Key() Key { return Key{KindCharm, c.ID} }

// App is an application.
type App struct {
	Name        kith.AppName `json:"name"`
	Charm       string       `json:"charm"` // CharmInfo.ID
	Life        kith.Life    `json:"life"`
	Subordinate bool         `json:"subordinate,omitempty"`
	Config      Settings     `json:"config,omitempty"` // what the operator set; defaults are the charm's
	// ConfigVersion counts effective changes of Config and Trust.
	ConfigVersion uint64 `json:"config-version"`
	ConfigRev     uint64 `json:"config-rev"` // revision of the last change
	CharmRev      uint64 `json:"charm-rev"`  // revision at which Charm was chosen
	Trust         bool   `json:"trust,omitempty"`
	Exposed       bool   `json:"exposed,omitempty"`
	// ExposedEndpoints limits Exposed to some endpoints; empty means all.
	ExposedEndpoints []kith.EndpointName `json:"exposed-endpoints,omitempty"`
	NextUnit         int                 `json:"next-unit"`
	Base             string              `json:"base,omitempty"`
	// Status is what the leader set with status-set --application; Current is empty
	// if it never did, and the status is then derived from the units.
	Status          Status            `json:"status"`
	WorkloadVersion string            `json:"workload-version,omitempty"`
	LeaderSettings  map[string]string `json:"leader-settings,omitempty"`
	// LeaderVersion counts effective changes of LeaderSettings.
	LeaderVersion uint64 `json:"leader-version"`
	LeaderRev     uint64 `json:"leader-rev"`
	// Storage holds what the operator asked for, by the name of a storage; each new unit gets it.
	Storage map[string]StorageDirective `json:"storage,omitempty"`
	// Resources are what operators gave for the charm's resources.
	Resources map[string]Resource `json:"resources,omitempty"`
	// ResourceVersion counts effective changes of Resources.
	ResourceVersion uint64 `json:"resource-version,omitempty"`
	ResourceRev     uint64 `json:"resource-rev,omitempty"` // revision of the last change
	// Contracts holds the mode of contracts of endpoints that have one of their own.
	Contracts map[kith.EndpointName]ContractMode `json:"contracts,omitempty"`
	Created   time.Time                          `json:"created"`
}

// Key is the application's name.
func (a *App) Key() Key { return Key{KindApp, string(a.Name)} }

// Port is one opened port range of a unit.
type Port struct {
	Protocol string `json:"protocol"` // tcp, udp or icmp
	From     int    `json:"from"`     // 0 for icmp
	To       int    `json:"to"`
	Endpoint string `json:"endpoint,omitempty"` // empty: all endpoints
}

// Unit is one unit of an application.
type Unit struct {
	Name         kith.UnitName   `json:"name"`
	App          kith.AppName    `json:"app"`
	Machine      kith.MachineID  `json:"machine"`
	Host         string          `json:"host"` // the agent that runs it
	Principal    kith.UnitName   `json:"principal,omitempty"`
	Subordinates []kith.UnitName `json:"subordinates,omitempty"`
	Life         kith.Life       `json:"life"`
	LifeRev      uint64          `json:"life-rev"` // revision of the last change of Life
	Address      string          `json:"address"`
	Workload     Status          `json:"workload"`
	// StatusSet is true once the charm itself has called status-set.
	StatusSet bool      `json:"status-set,omitempty"`
	Ports     []Port    `json:"ports,omitempty"`
	Created   time.Time `json:"created"`
	// Present is true once the agent has taken the unit up.
	Present bool `json:"present,omitempty"`
	// Resources are the contents that its hooks have fetched, by name ([ResourceFile.Sum]).
	// Written by the unit's hook commits only.
	Resources map[string]string `json:"resources,omitempty"`
	// EvictAt is when a forced removal stops waiting for the unit's hooks; zero if not forced.
	EvictAt time.Time `json:"evict-at,omitzero"`
}

// Key is the unit's name.
func (u *Unit) Key() Key { return Key{KindUnit, string(u.Name)} }

// Machine is a machine of the model: on one computer, every principal unit has
// a machine number of its own and they all share a host.
type Machine struct {
	ID      kith.MachineID `json:"id"`
	Host    string         `json:"host"`
	Created time.Time      `json:"created"`
}

// Key is the machine's number.
func (m *Machine) Key() Key { return Key{KindMachine, string(m.ID)} }

// Host is a computer with an agent on it. "local" is the one kith up runs.
type Host struct {
	Name  string    `json:"name"`
	Epoch string    `json:"epoch"` // the agent's current life; a new one fences the old out
	Seen  time.Time `json:"seen"`
}

// Key is the host's name.
func (h *Host) Key() Key { return Key{KindHost, h.Name} }

// End is one endpoint of a relation, as the charm declared it at the time.
type End struct {
	App      kith.AppName      `json:"app"`
	Endpoint kith.EndpointName `json:"endpoint"`
	Role     kith.Role         `json:"role"`
	// Implicit is true for the juju-info endpoint nobody declared: no hooks run for it.
	Implicit bool `json:"implicit,omitempty"`
}

// String is "app:endpoint".
func (e End) String() string { return string(e.App) + ":" + string(e.Endpoint) }

// Relation joins two endpoints, or the units of one application among themselves.
type Relation struct {
	ID        kith.RelationID `json:"id"`
	Interface string          `json:"interface"`
	Scope     kith.Scope      `json:"scope"`
	Ends      []End           `json:"ends"` // requirer first; one for a peer relation
	Life      kith.Life       `json:"life"`
	LifeRev   uint64          `json:"life-rev"` // revision of the last change of Life or Suspended
	Suspended bool            `json:"suspended,omitempty"`
	Status    Status          `json:"status"`
	// EvictAt is when a forced removal stops waiting for the units; zero if not forced.
	EvictAt time.Time `json:"evict-at,omitzero"`
	Created time.Time `json:"created"`
}

// Key is the relation's number.
func (r *Relation) Key() Key { return Key{KindRelation, r.ID.String()} }

// Member is a unit in the scope of a relation, with what it has been told about
// the relation as a whole. It exists from entering the scope to leaving it.
type Member struct {
	Relation kith.RelationID `json:"relation"`
	Unit     kith.UnitName   `json:"unit"`
	Rev      uint64          `json:"rev"` // revision of entry
	// Principal is the unit whose container this member lives in; set in container scope only.
	Principal kith.UnitName `json:"principal,omitempty"`
	// Departing is set when the unit starts dying: the others see it as gone at once
	// while it still holds its scope (relations reference, section 3.4).
	Departing    bool   `json:"departing,omitempty"`
	DepartingRev uint64 `json:"departing-rev,omitempty"`
	// Created is true once relation-created has run. Written by the unit's hook commits only.
	Created bool `json:"created,omitempty"`
	// ChangedPending is the unit whose joined has run and whose changed must follow.
	ChangedPending kith.UnitName `json:"changed-pending,omitempty"`
	// AppVersion is the version of the remote application's bag last announced.
	AppVersion uint64 `json:"app-version,omitempty"`
}

// Key is "relation/unit".
func (m *Member) Key() Key { return Key{KindMember, memberID(m.Relation, m.Unit)} }

// Seen records that Unit has been told of Remote in Relation, and of which
// version of its bag. Written by the unit's hook commits only.
type Seen struct {
	Relation kith.RelationID `json:"relation"`
	Unit     kith.UnitName   `json:"unit"`
	Remote   kith.UnitName   `json:"remote"`
	Version  uint64          `json:"version"`
}

// Key is "relation/unit/remote".
func (s *Seen) Key() Key { return Key{KindSeen, seenID(s.Relation, s.Unit, s.Remote)} }

// Bag is a databag: the data one application or one unit publishes in a relation.
type Bag struct {
	Relation kith.RelationID `json:"relation"`
	// Owner is an application name or a unit name; only a unit name has a slash.
	Owner string `json:"owner"`
	// Version counts effective changes; an application bag never written has version 0.
	Version uint64 `json:"version"`
	Rev     uint64 `json:"rev"` // revision of the last effective change
	// Left is the revision at which the owner, a unit, left the relation's scope; 0 while it is in.
	Left uint64            `json:"left,omitempty"`
	Data map[string]string `json:"data,omitempty"`
}

// Key is "relation/owner".
func (b *Bag) Key() Key { return Key{KindBag, bagID(b.Relation, b.Owner)} }

// Lease is an application's leadership.
type Lease struct {
	App     kith.AppName  `json:"app"`
	Holder  kith.UnitName `json:"holder"`
	Expires time.Time     `json:"expires"`
	Rev     uint64        `json:"rev"` // revision at which Holder took it
}

// Key is the application's name.
func (l *Lease) Key() Key { return Key{KindLease, string(l.App)} }

// State is what a charm keeps with state-set.
type State struct {
	Unit kith.UnitName     `json:"unit"`
	Data map[string]string `json:"data"`
}

// Key is the unit's name.
func (s *State) Key() Key { return Key{KindState, string(s.Unit)} }

// bagID is short enough to be put where it is called, where a key that is only looked up takes no
// memory; nor does the number, which as a string of its own would from 100 on.
func bagID(id kith.RelationID, owner string) string {
	var room [20]byte
	return string(strconv.AppendInt(room[:0], int64(id), 10)) + "/" + owner
}

func memberID(id kith.RelationID, u kith.UnitName) string { return bagID(id, string(u)) }

func seenID(id kith.RelationID, u, remote kith.UnitName) string {
	return id.String() + "/" + string(u) + "/" + string(remote)
}
