package api

import (
	"kith"
	"kith/internal/core"
)

// HostEvent is one line of a host's stream. Exactly one field is set; a line
// with none is a sign of life.
//
// The first line is Units: everything the agent must hold now, over all models;
// what it holds beside that, it cleans up. Then, as things change: Hold for a
// unit that is new or has changed, Gone for one that is no more, and Run for
// the next hook of a unit. An agent that connects again gets it all again.
type HostEvent struct {
	Units *HostUnits  `json:"units,omitempty"`
	Hold  *HostUnit   `json:"hold,omitempty"`
	Gone  *UnitRef    `json:"gone,omitempty"`
	Run   *Assignment `json:"run,omitempty"`
	// Cancel withdraws an assignment that was not begun: there is nothing to run any more.
	Cancel *UnitRef `json:"cancel,omitempty"`
	// Abort asks for the end of a task that runs. A task that does not run needs none.
	Abort *TaskRef `json:"abort,omitempty"`
	// Skip is a hook that does not run, since the unit is not the leader any more.
	Skip *SkippedHook `json:"skip,omitempty"`
	// Wipe is storage whose data is to be deleted, for good. The agent says so with
	// storage-wiped when it is.
	Wipe *StorageRef `json:"wipe,omitempty"`
	// ModelGone is a model that was removed: whatever is kept of it can go.
	ModelGone kith.ModelUUID `json:"model-gone,omitempty"`
}

// HostUnits is the whole set of units placed on a host.
type HostUnits struct {
	Models []kith.ModelUUID `json:"models"` // models that are served, sorted
	Units  []HostUnit       `json:"units"`  // by model UUID, then name
	// Away are models that exist but are not served now: what the agent holds of them
	// it keeps as it is.
	Away []kith.ModelUUID `json:"away,omitempty"`
	// Wipe is the storage whose data is to be deleted, by model and id.
	Wipe []StorageRef `json:"wipe,omitempty"`
}

// StorageRef names a storage among all models.
type StorageRef struct {
	Model   kith.ModelUUID `json:"model"`
	Storage kith.StorageID `json:"storage"`
}

// UnitRef names a unit among all models.
type UnitRef struct {
	Model kith.ModelUUID `json:"model"`
	Unit  kith.UnitName  `json:"unit"`
}

// TaskRef names a task of a unit.
type TaskRef struct {
	UnitRef
	Task kith.TaskID `json:"task"`
}

// SkippedHook names a hook of a unit that was due and does not run.
type SkippedHook struct {
	UnitRef
	Hook string `json:"hook"`
}

// HostUnit is a unit the agent must hold: fetch its charm, give it its address,
// say unit-hello if it is not present, and await assignments.
type HostUnit struct {
	UnitRef
	ModelName string         `json:"model-name"`
	Principal kith.UnitName  `json:"principal,omitempty"`
	Machine   kith.MachineID `json:"machine"`
	Address   string         `json:"address"`
	Life      kith.Life      `json:"life"`
	// Charm is the blob of the charm the application runs; Unpacked the one the unit
	// has unpacked, empty before install.
	Charm    string `json:"charm"`
	Unpacked string `json:"unpacked,omitempty"`
	// Present is true once unit-hello was heard.
	Present bool `json:"present,omitempty"`
	// Failed is the hook in error, if there is one. Only [HostUnits] tells.
	Failed core.HookKind `json:"failed,omitempty"`
	// Token is the unit's credential.
	Token string `json:"token"`
}

// Assignment is a hook to run, or a task. Seq is the unit's Progress.Seq plus one; a later
// assignment with the same Seq replaces one that was not begun.
type Assignment struct {
	UnitRef
	ModelName string           `json:"model-name"`
	Seq       uint64           `json:"seq"`
	Hook      core.Hook        `json:"hook"`
	Context   core.HookContext `json:"context"`
	// Token is the unit's credential, for reads that the context does not answer.
	Token string `json:"token"`
	// UpdatedRevision is the model revision the assignment was made at.
	UpdatedRevision uint64 `json:"updated-revision"`
}
