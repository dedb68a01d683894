package opstest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"

	"kith"
	"kith/internal/core"
)

// home is the folder of the test, made when it is first asked for and removed when the
// test ends.
func (w *world) home() (string, error) {
	if w.dir != "" {
		return w.dir, nil
	}
	dir, err := os.MkdirTemp("", "opstest-")
	w.dir = dir
	return dir, err
}

// place fills in where the storages a hook sees are, and makes the folder of one that
// is about to be attached: what the agent does.
func (w *world) place(h core.Hook) (core.Hook, error) {
	if h.Storage == nil {
		return h, nil
	}
	if _, err := w.home(); err != nil {
		return h, err
	}
	h = h.Placed(w.storageDir)
	if h.Kind == core.StorageAttached {
		return h, os.MkdirAll(h.Storage.Location, 0o700)
	}
	return h, nil
}

func (w *world) storageDir(id kith.StorageID) string {
	return filepath.Join(w.dir, "storage", id.Name(), strconv.Itoa(id.Number()))
}

// wipe deletes the data of storage that is gone.
func (w *world) wipe() error {
	var dead []core.Storage
	for s := range w.model.Storages() {
		if s.Life == kith.Dead {
			dead = append(dead, *s)
		}
	}
	for _, s := range dead {
		if w.dir != "" {
			if err := os.RemoveAll(w.storageDir(s.ID)); err != nil {
				return err
			}
		}
		w.must(core.System, core.StorageWiped{Host: s.Host, Storage: []kith.StorageID{s.ID}})
	}
	return nil
}

// rebooted counts that a unit has had its machine rebooted.
func (w *world) rebooted(u kith.UnitName) {
	if w.reboots == nil {
		w.reboots = map[kith.UnitName]int{}
	}
	w.reboots[u]++
}

// resource is a file that an operator has uploaded.
func (w *world) resource(content []byte) core.ResourceFile {
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:])
	if w.uploads == nil {
		w.uploads = map[string][]byte{}
	}
	w.uploads[name] = content
	return core.ResourceFile{SHA256: name, Size: int64(len(content))}
}

// Resource brings a resource to where the charm finds it.
func (r *hookRun) Resource(c core.ResourceContext) (string, error) {
	content, ok := r.w.uploads[c.SHA256]
	if !ok {
		return "", core.NoResource(r.unit.App(), c.Name)
	}
	home, err := r.w.home()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(home, "resources", string(r.unit.App()), strconv.Itoa(r.unit.Number()), c.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, c.Filename)
	return path, os.WriteFile(path, content, 0o600)
}
