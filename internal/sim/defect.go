package sim

import (
	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// defect is something deliberately broken, which a checker must find. The zero
// value is a system as it should be.
type defect struct {
	// commit replaces a batch or an ownership on its way to the store; true
	// acknowledges the batch though it went nowhere.
	commit func(*faultStore, store.Ownership, store.Batch) (store.Batch, store.Ownership, bool)
	// answer replaces what a controller answers.
	answer func(*call, api.CommandReply, error) (api.CommandReply, error)
	// assign replaces what a unit is told to run.
	assign func(*World, *api.Assignment)
	// again makes an agent go on with a hook that has committed; true if it does.
	again func(*unit, core.CommitHook) bool
	// settled replaces the controller's word.
	settled func(*process) bool
	// headstrong makes agents run tasks they were told not to, or that have run.
	headstrong bool
	// leaky lets everybody read every secret.
	leaky bool
	// forgetful makes agents commit hooks without the new content of secrets.
	forgetful bool
	// wipes replaces what an agent is told to delete.
	wipes func(*agent, kith.StorageID) kith.StorageID
	// hoards makes agents say that they have deleted storage, and keep it.
	hoards bool
	// tireless makes agents forget to say that a hook asked for a reboot.
	tireless bool
	// leads makes everybody a leader.
	leads bool
}
