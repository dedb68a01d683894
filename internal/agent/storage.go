package agent

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/dispatch"
)

// storage is where the data of a storage is: a folder of its own, below one that no
// unit's or model's removal touches. It goes only when the controller says so.
func (d dirs) storage(ref api.StorageRef) string {
	return filepath.Join(d.storages(), string(ref.Model), ref.Storage.Name(), strconv.Itoa(ref.Storage.Number()))
}

func (d dirs) storages() string { return filepath.Join(d.root, "storage") }

// placed is an assignment with the places of its storage filled in. Those of an
// assignment may be out of date: the agent's folder can be moved between two lives.
func (u *unit) placed(a *api.Assignment) *api.Assignment {
	at := func(id kith.StorageID) string {
		return u.agent.dirs.storage(api.StorageRef{Model: a.Model, Storage: id})
	}
	placed := *a
	placed.Hook, placed.Context = a.Hook.Placed(at), a.Context.Placed(at)
	return &placed
}

// makeStorage makes the folder of the storage that a unit is about to be told of. What
// is in it from an earlier unit stays.
func (u *unit) makeStorage(a *api.Assignment) error {
	if a.Hook.Kind != core.StorageAttached {
		return nil
	}
	dir, ref := a.Hook.Storage.Location, api.StorageRef{Model: a.Model, Storage: a.Hook.Storage.ID}
	if err := u.agent.graves.unless(ref, func() error { return os.MkdirAll(dir, 0o700) }); err != nil {
		return kith.Errorf(kith.Internal, "cannot make storage %s: %v", a.Hook.Storage.ID, dispatch.Reason(err))
	}
	mode := os.FileMode(0o700)
	for _, s := range a.Context.Storage {
		if s.ID == a.Hook.Storage.ID && s.ReadOnly {
			mode = 0o500
		}
	}
	if err := os.Chmod(dir, mode); err != nil {
		return kith.Errorf(kith.Internal, "cannot make storage %s private: %v", a.Hook.Storage.ID, dispatch.Reason(err))
	}
	return nil
}

// graves are the storage whose data was deleted, or is being deleted. A hook that was on its way when the
// storage was taken away by force must not make its folder again, which nobody would delete then.
type graves struct {
	mu  sync.Mutex
	all map[api.StorageRef]bool
}

// add returns when nobody is making the storage, and nobody will.
func (g *graves) add(ref api.StorageRef) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		g.all = map[api.StorageRef]bool{}
	}
	g.all[ref] = true // for ever: numbers are not used twice
}

// unless makes a storage that is not in its grave.
func (g *graves) unless(ref api.StorageRef, do func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all[ref] {
		return kith.Errorf(kith.NotFound, "it was removed")
	}
	return do()
}

// wipe deletes the data of a storage, and says so. What cannot be deleted is tried again,
// more and more rarely, and when the controller next says that it is to go.
func (a *Agent) wipe(l life, ref api.StorageRef) {
	if a.wiping[ref] {
		return
	}
	a.wiping[ref] = true
	a.graves.add(ref)
	a.running.Go(func() {
		var wait backoff
		for {
			err := removeTree(a.dirs.storage(ref))
			if err == nil {
				break
			}
			a.Log.Warn("cannot delete storage, trying again", "storage", ref.Storage, "model", ref.Model, "error", dispatch.Reason(err))
			if !wait.wait(l.start) {
				return
			}
		}
		a.tidy(ref)
		_, err := insist(l.start, func(ctx context.Context) (api.CommandReply, error) {
			return a.Controller.Do(ctx, string(ref.Model), core.StorageWiped{Host: a.Host, Storage: []kith.StorageID{ref.Storage}})
		})
		if err != nil && l.start.Err() == nil && kith.CodeOf(err) != kith.NotFound {
			a.Log.Warn("cannot report that storage is deleted", "storage", ref.Storage, "model", ref.Model, "error", err)
		}
	})
}

// tidy removes the folders above a storage that was deleted, if nothing else is in them.
func (a *Agent) tidy(ref api.StorageRef) {
	dir := filepath.Dir(a.dirs.storage(ref))
	for range 2 {
		if os.Remove(dir) != nil {
			return // not empty
		}
		dir = filepath.Dir(dir)
	}
}
