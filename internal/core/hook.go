package core

import (
	"time"

	"kith"
)

// HookKind is a hook without its prefix: install, relation-changed.
type HookKind string

// The hooks of a machine charm (hook protocol reference, section 4.1).
const (
	Install               HookKind = "install"
	Start                 HookKind = "start"
	ConfigChanged         HookKind = "config-changed"
	UpgradeCharm          HookKind = "upgrade-charm"
	Stop                  HookKind = "stop"
	Remove                HookKind = "remove"
	LeaderElected         HookKind = "leader-elected"
	LeaderSettingsChanged HookKind = "leader-settings-changed"
	UpdateStatus          HookKind = "update-status"
	RelationCreated       HookKind = "relation-created"
	RelationJoined        HookKind = "relation-joined"
	RelationChanged       HookKind = "relation-changed"
	RelationDeparted      HookKind = "relation-departed"
	RelationBroken        HookKind = "relation-broken"
	SecretExpired         HookKind = "secret-expired"
	SecretRotate          HookKind = "secret-rotate"
	SecretChanged         HookKind = "secret-changed"
	SecretRemove          HookKind = "secret-remove"
	StorageAttached       HookKind = "storage-attached"
	StorageDetaching      HookKind = "storage-detaching"
)

// What an operator asks a unit to run, beside its hooks. Both are tasks.
const (
	Action HookKind = "action"
	Exec   HookKind = "juju-exec" // commands in the unit's hook context
)

// RelationHook says which relation a hook is about.
type RelationHook struct {
	ID         kith.RelationID   `json:"id"`
	Endpoint   kith.EndpointName `json:"endpoint"`
	RemoteApp  kith.AppName      `json:"remote-app"`
	RemoteUnit kith.UnitName     `json:"remote-unit,omitempty"`
	// Departing is set in relation-departed only.
	Departing kith.UnitName `json:"departing,omitempty"`
	// Version is the version of the bag the hook announces: what counts as told when it
	// commits, even if a retry ran on newer data (relations reference, section 13).
	Version uint64 `json:"version,omitempty"`
}

// SecretHook says which secret a hook is about.
type SecretHook struct {
	ID kith.SecretID `json:"id"`
	// Label is what the unit calls the secret: its own label, or the owner's.
	Label string `json:"label,omitempty"`
	// Revision is the one that has expired or is obsolete, the newest one when the
	// hook became due otherwise.
	Revision int `json:"revision"`
}

// TaskHook says which task a unit runs.
type TaskHook struct {
	ID kith.TaskID `json:"id"`
	// Action is the name of the action; ExecAction for commands.
	Action string `json:"action"`
}

// Hook is one hook of one unit: what runs, and about what. Task is set for an action
// and for commands, which run like hooks and are none; commands may have a
// relation, too.
type Hook struct {
	Kind     HookKind      `json:"kind"`
	Relation *RelationHook `json:"relation,omitempty"`
	Task     *TaskHook     `json:"task,omitempty"`
	Secret   *SecretHook   `json:"secret,omitempty"`
	Storage  *StorageHook  `json:"storage,omitempty"`
	// Cause is the model revision whose change made this hook due; history's "why" follows it.
	Cause uint64 `json:"cause,omitempty"`
	// Charm and Config are the versions that install, upgrade-charm and config-changed announce.
	Charm  string `json:"charm,omitempty"`
	Config uint64 `json:"config,omitempty"`
	// Settings is the version of the leader settings that leader-settings-changed announces.
	Settings uint64 `json:"settings,omitempty"`
	// Resources is the version of the resources that install and upgrade-charm announce.
	Resources uint64 `json:"resources,omitempty"`
}

// Name is the hook's full name: db-relation-changed. That of a task is the action's.
func (h Hook) Name() string {
	if h.Task != nil {
		return h.Task.Action
	}
	if h.Relation != nil {
		return string(h.Relation.Endpoint) + "-" + string(h.Kind)
	}
	if h.Storage != nil {
		return h.Storage.ID.Name() + "-" + string(h.Kind)
	}
	return string(h.Kind)
}

// Title is how people are told what runs: "db-relation-changed", "action backup".
func (h Hook) Title() string {
	if h.Task != nil {
		return "action " + h.Task.Action
	}
	return h.Name()
}

// Same reports whether h and o are the same event, whatever version they announce.
func (h Hook) Same(o Hook) bool {
	if h.Task != nil || o.Task != nil {
		return h.Task != nil && o.Task != nil && h.Task.ID == o.Task.ID
	}
	if h.Kind != o.Kind || (h.Relation == nil) != (o.Relation == nil) || !h.Secret.same(h.Kind, o.Secret) || !h.Storage.same(o.Storage) {
		return false
	}
	return h.Relation == nil || h.Relation.ID == o.Relation.ID && h.Relation.RemoteUnit == o.Relation.RemoteUnit
}

// same reports whether hooks of a kind are about the same: secret-expired and
// secret-remove are about one revision, the others about whichever is the newest.
func (s *SecretHook) same(kind HookKind, o *SecretHook) bool {
	if s == nil || o == nil {
		return s == o
	}
	one := kind == SecretExpired || kind == SecretRemove
	return s.ID == o.ID && (!one || s.Revision == o.Revision)
}

func (s *StorageHook) same(o *StorageHook) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.ID == o.ID
}

// Progress is what a unit has been through, apart from its relations (see
// [Member] and [Seen]). Together they are the unit's past.
// Written by the unit's own hooks, by resolved, and by a refresh that is forced on units in error.
type Progress struct {
	Unit kith.UnitName `json:"unit"`
	// Seq numbers the unit's hooks: the next hook to commit carries Seq+1.
	Seq uint64 `json:"seq"`
	// Tries counts the runs of that next hook that have ended without a commit: it
	// failed, was ended from outside, or was cut short. With Seq it names one run, so that a late
	// or repeated message about an earlier run is not taken for one about this.
	Tries     uint64 `json:"tries,omitempty"`
	Installed bool   `json:"installed,omitempty"`
	Started   bool   `json:"started,omitempty"`
	Stopped   bool   `json:"stopped,omitempty"`
	Removed   bool   `json:"removed,omitempty"`
	// Charm is the CharmInfo.ID last unpacked for the unit.
	Charm string `json:"charm,omitempty"`
	// Config is the App.ConfigVersion last announced by config-changed, plus one; 0 is never.
	Config uint64 `json:"config,omitempty"`
	// Elected is true once leader-elected has run in the current tenure.
	Elected bool `json:"elected,omitempty"`
	// Settings is the App.LeaderVersion last announced, plus one; 0 is never.
	Settings uint64 `json:"settings,omitempty"`
	// Resources is the App.ResourceVersion last announced.
	Resources uint64 `json:"resources,omitempty"`
	// Rebooted is true if start has to run once more, since its machine was rebooted; RebootRev
	// is the revision of that.
	Rebooted  bool   `json:"rebooted,omitempty"`
	RebootRev uint64 `json:"reboot-rev,omitempty"`
	// Queued is a hook that follows the last one whatever else there is to do.
	Queued HookKind `json:"queued,omitempty"`
	// Running is the hook, or the task, that was begun and has not ended.
	Running *Running `json:"running,omitempty"`
	// Failed is the hook in error.
	Failed *Failure `json:"failed,omitempty"`
	// StatusDue is when update-status runs next.
	StatusDue time.Time `json:"status-due,omitzero"`
	// LastHook and LastSince say what ended last, for status.
	LastSince time.Time `json:"last-since,omitzero"`
}

// Key is the unit's name.
func (p *Progress) Key() Key { return Key{KindProgress, string(p.Unit)} }

// RunsTask reports whether what runs is a task: it runs beside a failed hook and
// takes no number of the unit's hooks.
func (p *Progress) RunsTask() bool { return p.Running != nil && p.Running.Hook.Task != nil }

// InError reports whether a failed hook waits. A task may be running meanwhile.
func (p *Progress) InError() bool { return p.Failed != nil && (p.Running == nil || p.RunsTask()) }

// unpacked is the charm in the unit's folder; empty before install. A hook that came with a charm and has
// failed has left that there.
func (p *Progress) unpacked() string {
	if p.Failed != nil && p.Failed.Hook.Charm != "" {
		return p.Failed.Hook.Charm
	}
	return p.Charm
}

// Running is a hook that is being run by an agent.
type Running struct {
	Hook  Hook      `json:"hook"`
	Since time.Time `json:"since"`
	Epoch string    `json:"epoch,omitempty"` // of the agent that runs it
}

// Failure is a hook in error.
type Failure struct {
	Hook    Hook      `json:"hook"`
	Message string    `json:"message"` // why, for people
	Since   time.Time `json:"since"`
	// Attempts counts the failures in a row; the retry delay grows with it. Resolved,
	// and a new life of the agent, start it anew.
	Attempts int `json:"attempts"`
	// RetryAt is when the hook runs again by itself; zero if it waits for an operator.
	RetryAt time.Time `json:"retry-at,omitzero"`
	// Retry is set by resolved: run it again now.
	Retry bool `json:"retry,omitempty"`
}

// BagWrite is what a hook wrote into one of its unit's own bags.
type BagWrite struct {
	Relation kith.RelationID `json:"relation"`
	// App is true for the application's bag, false for the unit's.
	App bool `json:"app,omitempty"`
	// Set holds the keys written; an empty value deletes its key.
	Set map[string]string `json:"set"`
}

// PortWrite opens or closes a port range.
type PortWrite struct {
	Port
	Close bool `json:"close,omitempty"`
}

// SecretUpdate changes a secret; what is nil or empty stays as it is.
type SecretUpdate struct {
	Label       *string       `json:"label,omitempty"`
	Description *string       `json:"description,omitempty"`
	Rotate      *RotatePolicy `json:"rotate,omitempty"`
	Expires     *time.Time    `json:"expires,omitempty"` // of the newest revision
	AutoPrune   *bool         `json:"auto-prune,omitempty"`
	// Data replaces the content as a whole.
	Data SecretData `json:"data,omitempty"`
}

// Empty reports whether u changes nothing.
func (u SecretUpdate) Empty() bool {
	return u.Label == nil && u.Description == nil && u.Rotate == nil && u.Expires == nil && u.AutoPrune == nil && len(u.Data) == 0
}

// SecretAccess is one who may read a secret, or no longer: an application or a unit, over a
// relation; when it is taken back, nil stands for all.
type SecretAccess struct {
	Subject  string           `json:"subject"`
	Relation *kith.RelationID `json:"relation,omitempty"`
}

// SecretWrite is what a hook did to one secret, in the order of its fields.
type SecretWrite struct {
	ID kith.SecretID `json:"id"`
	// Create makes the secret, owned by the unit or its application; the update gives it its content.
	Create OwnerKind `json:"create,omitempty"`
	SecretUpdate
	Revokes []SecretAccess `json:"revokes,omitempty"`
	Grants  []SecretAccess `json:"grants,omitempty"`
	// Remove removes the secret, RemoveRevisions some revisions.
	Remove          bool  `json:"remove,omitempty"`
	RemoveRevisions []int `json:"remove-revisions,omitempty"`
	// Track is the revision that the unit has read and sees from now on; 0 leaves it as it is.
	// TrackLabel is what it calls the secret as a reader.
	Track      int     `json:"track,omitempty"`
	TrackLabel *string `json:"track-label,omitempty"`
}

// manages reports whether w holds anything only the owner may do.
func (w SecretWrite) manages() bool {
	return w.Create != "" || !w.SecretUpdate.Empty() || len(w.Revokes) > 0 || len(w.Grants) > 0 || w.Remove || len(w.RemoveRevisions) > 0
}

// Effects is everything a hook wrote that commits with it, or not at all
// (hook protocol reference, section 15).
type Effects struct {
	Bags  []BagWrite  `json:"bags,omitempty"`  // at most one per relation and side, in order of both
	Ports []PortWrite `json:"ports,omitempty"` // in the order they were asked for
	// State holds the charm state entries written; a nil value deletes the entry.
	State map[string]*string `json:"state,omitempty"`
	// Secrets holds at most one write for each secret: removals, then the others in the order of their first.
	Secrets []SecretWrite `json:"secrets,omitempty"`
	// Storage is what was asked for with storage-add, in order.
	Storage []StorageAdd `json:"storage,omitempty"`
	// Fetched are the contents of resources that were fetched, by name.
	Fetched map[string]string `json:"fetched,omitempty"`
	// Reboot asks for a reboot of the machine after the hook.
	Reboot bool `json:"reboot,omitempty"`
}

// Empty reports whether e commits nothing.
func (e Effects) Empty() bool {
	return len(e.Bags) == 0 && len(e.Ports) == 0 && len(e.State) == 0 && len(e.Secrets) == 0 && len(e.Storage) == 0 &&
		len(e.Fetched) == 0 && !e.Reboot
}
