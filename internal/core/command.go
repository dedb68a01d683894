package core

import (
	"time"

	"kith"
	"kith/charm"
)

// ActorKind says what kind of identity acts.
type ActorKind string

// The identities. What each may do is one table in access.go.
const (
	ActorUser   ActorKind = "user"   // an operator
	ActorUnit   ActorKind = "unit"   // a unit, through its own credential
	ActorHost   ActorKind = "host"   // the agent of a machine
	ActorSystem ActorKind = "system" // the controller itself
)

// Actor is who sends a command: "user admin", "unit web/0".
type Actor struct {
	Kind ActorKind `json:"kind"`
	Name string    `json:"name"`
}

// String is "kind name".
func (a Actor) String() string { return string(a.Kind) + " " + a.Name }

// UnitActor is the identity of unit u.
func UnitActor(u kith.UnitName) Actor { return Actor{ActorUnit, string(u)} }

// System is the controller's own identity.
var System = Actor{ActorSystem, "controller"}

// Command asks for a change. Everything that Decide may not find out by itself
// is in it: the time, who asks, identifiers drawn at random.
type Command struct {
	Now   time.Time
	Actor Actor
	Op    Op
}

// Op is what a command asks for: one of the types below. Name is its stable
// name in history and in the API.
type Op interface{ Name() string }

// CreateModel makes the model; the only command an empty [Model] takes.
type CreateModel struct {
	UUID        kith.ModelUUID    `json:"uuid"`
	ModelName   string            `json:"name"`
	Owner       string            `json:"owner"`
	Config      map[string]string `json:"config,omitempty"`
	AddressBase uint32            `json:"address-base"`
}

// DestroyModel sets the model and everything in it dying.
type DestroyModel struct {
	Force bool `json:"force,omitempty"`
	// DestroyStorage and ReleaseStorage say what becomes of its storage: with neither, a
	// model that has any is not destroyed.
	DestroyStorage bool `json:"destroy-storage,omitempty"`
	ReleaseStorage bool `json:"release-storage,omitempty"`
}

// AddCharm makes a charm known to the model. Adding the same ID again changes nothing.
type AddCharm struct {
	ID    string      `json:"id"`
	Path  string      `json:"path,omitempty"`
	Charm charm.Charm `json:"charm"`
}

// Deploy makes an application and its first units.
type Deploy struct {
	App    kith.AppName `json:"app"`
	Charm  string       `json:"charm"` // CharmInfo.ID
	Units  int          `json:"units"` // DefaultUnits: what the charm calls for
	Config Settings     `json:"config,omitempty"`
	Trust  bool         `json:"trust,omitempty"`
	Base   string       `json:"base,omitempty"`
	Host   string       `json:"host,omitempty"` // empty: "local"
	// Storage is what units get of each storage; AttachStorage goes to the first and only unit.
	Storage       map[string]StorageDirective `json:"storage,omitempty"`
	AttachStorage []kith.StorageID            `json:"attach-storage,omitempty"`
	// Resources are files and images for the charm's resources, by name.
	Resources map[string]ResourceFile `json:"resources,omitempty"`
	// Force deploys the charm although it assumes what its host does not offer.
	Force bool `json:"force,omitempty"`
}

// AddUnits adds units to an application.
type AddUnits struct {
	App   kith.AppName `json:"app"`
	Units int          `json:"units"`
	Host  string       `json:"host,omitempty"`
	// AttachStorage goes to the one unit that is added.
	AttachStorage []kith.StorageID `json:"attach-storage,omitempty"`
}

// RemoveUnits sets units dying; with Force they are removed after Wait, whatever their hooks do.
type RemoveUnits struct {
	Units []kith.UnitName `json:"units"`
	Force bool            `json:"force,omitempty"`
	// Wait is how long a forced removal lets units run their hooks before they are removed.
	Wait time.Duration `json:"wait,omitempty"`
	// DestroyStorage has their storage deleted with them.
	DestroyStorage bool `json:"destroy-storage,omitempty"`
}

// RemoveApps sets applications, their relations and their units dying.
type RemoveApps struct {
	Apps  []kith.AppName `json:"apps"`
	Force bool           `json:"force,omitempty"`
	Wait  time.Duration  `json:"wait,omitempty"` // as for RemoveUnits
	// DestroyStorage has the storage of their units deleted with them.
	DestroyStorage bool `json:"destroy-storage,omitempty"`
}

// Integrate makes a relation between two endpoints; an endpoint without a name is inferred.
type Integrate struct {
	A kith.Endpoint `json:"a"`
	B kith.Endpoint `json:"b"`
}

// RemoveRelation sets a relation dying. It is named by its id, or by one or two endpoints.
type RemoveRelation struct {
	ID        *kith.RelationID `json:"id,omitempty"`
	Endpoints []kith.Endpoint  `json:"endpoints,omitempty"`
	Force     bool             `json:"force,omitempty"`
	// Wait is how long a forced removal lets units run their hooks before it evicts them.
	Wait time.Duration `json:"wait,omitempty"`
}

// Suspend suspends relations, or resumes them. Juju allows it for cross-model
// relations only; Force lifts that.
type Suspend struct {
	IDs     []kith.RelationID `json:"ids"`
	Resume  bool              `json:"resume,omitempty"`
	Message string            `json:"message,omitempty"`
	Force   bool              `json:"force,omitempty"`
}

// SetConfig changes an application's configuration.
type SetConfig struct {
	App   kith.AppName `json:"app"`
	Set   Settings     `json:"set,omitempty"`
	Reset []string     `json:"reset,omitempty"`
	Trust *bool        `json:"trust,omitempty"`
}

// Expose notes that an application may be reached from outside, by all of its
// endpoints or by some, or takes that back. Nothing is opened or closed by it: units on this
// machine have no firewall before them.
type Expose struct {
	App       kith.AppName        `json:"app"`
	Remove    bool                `json:"remove,omitempty"`
	Endpoints []kith.EndpointName `json:"endpoints,omitempty"` // empty: all
}

// SetModelConfig changes the model's options.
type SetModelConfig struct {
	Set   map[string]string `json:"set,omitempty"`
	Reset []string          `json:"reset,omitempty"`
}

// Refresh gives an application another charm.
type Refresh struct {
	App   kith.AppName `json:"app"`
	Charm string       `json:"charm"` // CharmInfo.ID
	Force bool         `json:"force,omitempty"`
	// ForceUnits lets units in error have the charm at once: their failed hook runs
	// again in it, and neither upgrade-charm nor config-changed runs for it (section 8).
	ForceUnits bool `json:"force-units,omitempty"`
	// Storage changes what units get from now on.
	Storage map[string]StorageDirective `json:"storage,omitempty"`
	// Resources go with the charm; what it had before and still declares stays.
	Resources map[string]ResourceFile `json:"resources,omitempty"`
}

// Resolved retries a failed hook now, or counts it as run.
type Resolved struct {
	Units   []kith.UnitName `json:"units"`
	All     bool            `json:"all,omitempty"`
	NoRetry bool            `json:"no-retry,omitempty"`
}

// AttachResource gives an application a file or an image for one of its charm's resources.
type AttachResource struct {
	App      kith.AppName `json:"app"`
	Resource string       `json:"resource"`
	File     ResourceFile `json:"file"`
}

// StorageRequest asks for instances of one storage of a charm.
type StorageRequest struct {
	Name string `json:"name"`
	StorageDirective
}

// AddStorage adds storage to a unit.
type AddStorage struct {
	Unit    kith.UnitName    `json:"unit"`
	Storage []StorageRequest `json:"storage"`
}

// AttachStorage hands storage that nobody has to a unit.
type AttachStorage struct {
	Unit    kith.UnitName    `json:"unit"`
	Storage []kith.StorageID `json:"storage"`
}

// DetachStorage has a unit give a storage back. Force takes it even if the charm cannot spare it.
type DetachStorage struct {
	Storage kith.StorageID `json:"storage"`
	Force   bool           `json:"force,omitempty"`
}

// RemoveStorage removes a storage and deletes its data, unless NoDestroy leaves that
// where it is. Force detaches it first, if need be.
type RemoveStorage struct {
	Storage   kith.StorageID `json:"storage"`
	Force     bool           `json:"force,omitempty"`
	NoDestroy bool           `json:"no-destroy,omitempty"`
}

// StorageWiped says that a host's agent has deleted the data of dead storage.
type StorageWiped struct {
	Host    string           `json:"host"`
	Storage []kith.StorageID `json:"storage"`
}

// AddSecret makes a user's secret, owned by the model.
type AddSecret struct {
	ID         kith.SecretID `json:"id"`
	SecretName string        `json:"name"`
	Info       string        `json:"info,omitempty"`
	Data       SecretData    `json:"data"`
}

// UpdateSecret changes a user's secret, named by id or name; what is nil or empty stays as it is.
type UpdateSecret struct {
	Secret    string     `json:"secret"`
	NewName   *string    `json:"new-name,omitempty"`
	Info      *string    `json:"info,omitempty"`
	AutoPrune *bool      `json:"auto-prune,omitempty"`
	Data      SecretData `json:"data,omitempty"`
}

// GrantSecret lets applications read a user's secret, or no longer.
type GrantSecret struct {
	Secret string         `json:"secret"`
	Apps   []kith.AppName `json:"apps"`
	Revoke bool           `json:"revoke,omitempty"`
}

// RemoveSecret removes a user's secret, or one revision of it.
type RemoveSecret struct {
	Secret   string `json:"secret"`
	Revision int    `json:"revision,omitempty"` // 0: all
}

// HostHello says that a host's agent has started a new life. Hooks that an
// earlier life was running have failed; leases its units hold get a full term. If the
// computer has a new life as well ([BootOf]), started units run start once more.
type HostHello struct {
	Host  string `json:"host"`
	Epoch string `json:"epoch"`
}

// RenewLeases extends the leases held by the units of a host.
type RenewLeases struct {
	Host string `json:"host"`
}

// Tick tells the model the time: expired leases move on, forced removals stop waiting.
type Tick struct{}

// UnitHello says that the agent has taken a unit up: it may now lead.
type UnitHello struct {
	Unit kith.UnitName `json:"unit"`
}

// Elect makes a unit the leader of its application, as far as the old leader's
// lease allows. Tests and the simulator use it to move leadership.
type Elect struct {
	Unit kith.UnitName `json:"unit"`
}

// EnterScopes puts a unit into the scope of relations (relations reference, section 3.1).
type EnterScopes struct {
	Unit      kith.UnitName     `json:"unit"`
	Relations []kith.RelationID `json:"relations"`
}

// LeaveScopes takes a unit out of relations it has nothing to run for: those it
// is in by an implicit endpoint, once it or they are dying.
type LeaveScopes struct {
	Unit      kith.UnitName     `json:"unit"`
	Relations []kith.RelationID `json:"relations"`
}

// RemoveDeadUnit takes a unit out of the model after its last hook.
type RemoveDeadUnit struct {
	Unit kith.UnitName `json:"unit"`
}

// BeginHook records that an agent is running a hook. Seq is the unit's
// Progress.Seq plus one; an older one is answered and changes nothing.
type BeginHook struct {
	Unit kith.UnitName `json:"unit"`
	Seq  uint64        `json:"seq"`
	Hook Hook          `json:"hook"`
	// Attempt is how often the hook has been run before without a commit
	// (HookContext.Attempt): it tells the runs of one Seq apart.
	Attempt uint64 `json:"attempt,omitempty"`
	Epoch   string `json:"epoch,omitempty"`
}

// CommitHook records that a hook has run, with everything it wrote.
type CommitHook struct {
	Unit    kith.UnitName `json:"unit"`
	Seq     uint64        `json:"seq"`
	Hook    Hook          `json:"hook"`
	Effects Effects       `json:"effects"`
	// Missing is true if the charm has no such hook: a success that wrote nothing.
	Missing bool   `json:"missing,omitempty"`
	Epoch   string `json:"epoch,omitempty"`
}

// FailHook records that a hook has failed. Nothing that it wrote is kept.
type FailHook struct {
	Unit    kith.UnitName `json:"unit"`
	Seq     uint64        `json:"seq"`
	Hook    Hook          `json:"hook"`
	Message string        `json:"message"`           // "exit status 1"
	Attempt uint64        `json:"attempt,omitempty"` // as for BeginHook
	// Requeue is true if the process was ended from outside (SIGTERM, SIGKILL): no error, it runs again.
	Requeue bool `json:"requeue,omitempty"`
	// Reboot is true if the hook asked for a reboot at once.
	Reboot bool   `json:"reboot,omitempty"`
	Epoch  string `json:"epoch,omitempty"`
}

// RunAction queues an action: one operation, with a task for each unit. A unit that
// cannot take it is noted in the operation ([Operation.Refused]). Each is a new
// operation; who repeats the command runs the action again.
type RunAction struct {
	// Receivers are units, "web/0" or "web/leader", all of one application.
	Receivers []string `json:"receivers"`
	Action    string   `json:"action"`
	Params    Settings `json:"params,omitempty"`
}

// RunCommand queues a shell command, to be run in the hook context of units, or on machines
// without any. As RunAction, it makes a new operation each time.
type RunCommand struct {
	Command  string           `json:"command"`
	Units    []string         `json:"units,omitempty"` // "web/0" or "web/leader"
	Apps     []kith.AppName   `json:"applications,omitempty"`
	Machines []kith.MachineID `json:"machines,omitempty"`
	All      bool             `json:"all,omitempty"` // every machine
	// Timeout is how long the command may run; 0 does not bound it.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Serial commands, and those of one Group, run one after another on a machine.
	Serial bool   `json:"serial,omitempty"`
	Group  string `json:"group,omitempty"`
	// Relation puts the command in the context of a relation, and of RemoteUnit in it, which
	// may be left out if there is only one. Force takes any remote unit.
	Relation   *kith.RelationID `json:"relation,omitempty"`
	RemoteUnit string           `json:"remote-unit,omitempty"`
	Force      bool             `json:"force,omitempty"`
}

// CancelTasks cancels tasks that have not begun, and has those aborted that run.
type CancelTasks struct {
	Tasks []kith.TaskID `json:"tasks"`
}

// BeginTask says that an agent will now run a task: it runs only if this is durable,
// so it runs at most once. A task that is not to be run any more is refused.
type BeginTask struct {
	Unit  kith.UnitName `json:"unit"`
	Task  kith.TaskID   `json:"task"`
	Epoch string        `json:"epoch,omitempty"`
}

// FinishTask says how a task has ended, with everything it wrote. Saying it again
// changes nothing.
type FinishTask struct {
	Unit kith.UnitName `json:"unit"`
	Task kith.TaskID   `json:"task"`
	TaskOutcome
	Epoch string `json:"epoch,omitempty"`
}

// LogTask adds a message to a task's log. Number counts the task's messages from 1:
// one that is told twice is kept once.
type LogTask struct {
	Unit    kith.UnitName `json:"unit"`
	Task    kith.TaskID   `json:"task"`
	Number  int           `json:"number"`
	Message string        `json:"message"`
}

// PruneTasks drops operations that ended too long ago, or are too many bytes. It drops a bounded
// number of rows; whoever sends it does so until it changes nothing.
type PruneTasks struct{}

// AddContract tells the model what an interface means; it takes the place of the contract
// there was. Adding the same again changes nothing.
type AddContract struct {
	// Text is the contract in kith's own form, at most [MaxContractBytes].
	Text string `json:"text"`
	// Source is where it came from, for people: the name of a file.
	Source string `json:"source,omitempty"`
}

// RemoveContract removes a contract; names compare with - and _ folded.
type RemoveContract struct {
	Interface string `json:"interface"`
}

// SetContractMode says what contracts do in the model, or at one endpoint.
type SetContractMode struct {
	Mode     ContractMode      `json:"mode"`
	App      kith.AppName      `json:"app,omitempty"` // with Endpoint; without both, the model
	Endpoint kith.EndpointName `json:"endpoint,omitempty"`
}

// SetStatus sets a unit's workload status, or the application's as its leader.
type SetStatus struct {
	Unit    kith.UnitName `json:"unit"`
	App     bool          `json:"app,omitempty"`
	Status  kith.Status   `json:"status"`
	Message string        `json:"message,omitempty"`
}

// SetWorkloadVersion sets the version shown for the application.
type SetWorkloadVersion struct {
	Unit    kith.UnitName `json:"unit"`
	Version string        `json:"version"`
}

// SetLeaderSettings changes the application's leader settings; an empty value deletes.
type SetLeaderSettings struct {
	Unit kith.UnitName     `json:"unit"`
	Set  map[string]string `json:"set"`
}

// The names of the commands, as history and the API use them.

func (CreateModel) Name() string    { return "create-model" }
func (DestroyModel) Name() string   { return "destroy-model" }
func (AddCharm) Name() string       { return "add-charm" }
func (Deploy) Name() string         { return "deploy" }
func (AddUnits) Name() string       { return "add-unit" }
func (RemoveUnits) Name() string    { return "remove-unit" }
func (RemoveApps) Name() string     { return "remove-application" }
func (Integrate) Name() string      { return "integrate" }
func (RemoveRelation) Name() string { return "remove-relation" }
func (s Suspend) Name() string {
	if s.Resume {
		return "resume-relation"
	}
	return "suspend-relation"
}
func (AttachResource) Name() string { return "attach-resource" }

func (AddStorage) Name() string    { return "add-storage" }
func (AttachStorage) Name() string { return "attach-storage" }
func (DetachStorage) Name() string { return "detach-storage" }
func (RemoveStorage) Name() string { return "remove-storage" }
func (StorageWiped) Name() string  { return "storage-wiped" }

func (AddContract) Name() string     { return "add-contract" }
func (RemoveContract) Name() string  { return "remove-contract" }
func (SetContractMode) Name() string { return "contract-mode" }

func (AddSecret) Name() string    { return "add-secret" }
func (UpdateSecret) Name() string { return "update-secret" }
func (g GrantSecret) Name() string {
	if g.Revoke {
		return "revoke-secret"
	}
	return "grant-secret"
}
func (RemoveSecret) Name() string   { return "remove-secret" }
func (SetConfig) Name() string      { return "config" }
func (SetModelConfig) Name() string { return "model-config" }
func (e Expose) Name() string {
	if e.Remove {
		return "unexpose"
	}
	return "expose"
}
func (Refresh) Name() string            { return "refresh" }
func (Resolved) Name() string           { return "resolved" }
func (HostHello) Name() string          { return "host-hello" }
func (RenewLeases) Name() string        { return "renew-leases" }
func (Tick) Name() string               { return "tick" }
func (UnitHello) Name() string          { return "unit-hello" }
func (Elect) Name() string              { return "elect" }
func (EnterScopes) Name() string        { return "enter-scopes" }
func (LeaveScopes) Name() string        { return "leave-scopes" }
func (RemoveDeadUnit) Name() string     { return "remove-dead-unit" }
func (BeginHook) Name() string          { return "begin-hook" }
func (CommitHook) Name() string         { return "commit-hook" }
func (FailHook) Name() string           { return "fail-hook" }
func (RunAction) Name() string          { return "run" }
func (RunCommand) Name() string         { return "exec" }
func (CancelTasks) Name() string        { return "cancel-task" }
func (BeginTask) Name() string          { return "begin-task" }
func (FinishTask) Name() string         { return "finish-task" }
func (LogTask) Name() string            { return "action-log" }
func (PruneTasks) Name() string         { return "prune-tasks" }
func (SetStatus) Name() string          { return "status-set" }
func (SetWorkloadVersion) Name() string { return "application-version-set" }
func (SetLeaderSettings) Name() string  { return "leader-set" }
