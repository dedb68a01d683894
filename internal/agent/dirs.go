package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kith"
	"kith/internal/api"
	"kith/internal/dispatch"
)

// dirs is the agent's folder:
//
//	tools/                  a link per hook tool, shared by all units
//	charms/ID               archives, by SHA-256
//	MODEL-UUID/unit-web-0/  a unit, see unitDir
//	storage/MODEL-UUID/data/0/  the data of a storage
//
// All of it is private to the agent's user: whoever may connect to a unit's
// socket may act as the unit.
type dirs struct{ root string }

// unitDir is the folder of one unit:
//
//	charm/          the charm, and the working directory of its hooks
//	tools           link to the shared tools
//	agent.socket    while a hook runs
//	manifest.json   which files of charm/ came out of the archive
//	hook.json       the process of the hook that runs
//	resources/NAME/FILE  what resource-get has fetched
//	resources.json  which content that is
type unitDir struct{ root string }

func (d dirs) tools() string                 { return filepath.Join(d.root, "tools") }
func (d dirs) charms() string                { return filepath.Join(d.root, "charms") }
func (d dirs) model(m kith.ModelUUID) string { return filepath.Join(d.root, string(m)) }
func (d dirs) archive(charm string) string   { return filepath.Join(d.charms(), charm) }
func (d unitDir) charm() string              { return filepath.Join(d.root, "charm") }
func (d unitDir) tools() string              { return filepath.Join(d.root, "tools") }
func (d unitDir) socket() string             { return filepath.Join(d.root, "agent.socket") }
func (d unitDir) manifest() string           { return filepath.Join(d.root, "manifest.json") }
func (d unitDir) process() string            { return filepath.Join(d.root, "hook.json") }
func (d unitDir) resources() string          { return filepath.Join(d.root, "resources") }
func (d unitDir) fetched() string            { return filepath.Join(d.root, "resources.json") }
func (d dirs) unit(u api.UnitRef) unitDir {
	return unitDir{filepath.Join(d.model(u.Model), api.UnitTag(u.Unit))}
}

// prepare makes the agent's folder and the links of the hook tools, which point
// to hookTool.
func (d dirs) prepare(hookTool string, tools []string) error {
	for _, dir := range []string{d.root, d.tools(), d.charms()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return kith.Errorf(kith.Internal, "cannot make the agent's folder %q: %v", dir, dispatch.Reason(err))
		}
	}
	if err := os.Chmod(d.root, 0o700); err != nil {
		return kith.Errorf(kith.Internal, "cannot make the agent's folder %q private: %v", d.root, dispatch.Reason(err))
	}
	for _, tool := range tools {
		if err := link(hookTool, filepath.Join(d.tools(), tool)); err != nil {
			return kith.Errorf(kith.Internal, "cannot link hook tool %q: %v", tool, err)
		}
	}
	return nil
}

// prepareUnit makes the folder of a unit.
func (d dirs) prepareUnit(u api.UnitRef) (unitDir, error) {
	dir := d.unit(u)
	err := os.MkdirAll(dir.root, 0o700)
	if err == nil {
		err = link(filepath.Join("..", "..", "tools"), dir.tools())
	}
	if err != nil {
		return dir, kith.Errorf(kith.Internal, "cannot make the folder of unit %q: %v", u.Unit, err)
	}
	return dir, nil
}

// link makes name a symbolic link to target, whatever it was. A reader sees the
// old one or the new one, never none.
func link(target, name string) error {
	if old, err := os.Readlink(name); err == nil && old == target {
		return nil
	}
	temp := name + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	return os.Rename(temp, name)
}

// removeTree deletes a folder whatever a charm did to the modes inside it.
func removeTree(root string) error {
	if err := os.RemoveAll(root); err == nil {
		return nil
	}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // what it did not help is reported below
		}
		return nil
	})
	return os.RemoveAll(root)
}

// strangers lists the folders of models and of units that are not in keep.
func (d dirs) strangers(keep []api.HostUnit) ([]string, error) {
	wanted := map[string]bool{}
	for _, u := range keep {
		wanted[d.model(u.Model)] = true
		wanted[d.unit(u.UnitRef).root] = true
	}
	var strange []string
	models, err := subfolders(d.root)
	for _, model := range models {
		if model == d.tools() || model == d.charms() || model == d.storages() {
			continue
		}
		units, e := subfolders(model)
		err = errors.Join(err, e)
		for _, dir := range append(units, model) {
			if !wanted[dir] {
				strange = append(strange, dir)
			}
		}
	}
	return strange, err
}

func subfolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var folders []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, filepath.Join(dir, e.Name()))
		}
	}
	return folders, err
}

// FindHookTool finds the program behind the hook tools: kith-hook beside the
// program that runs. Errors: NotFound.
func FindHookTool() (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", kith.Errorf(kith.Internal, "cannot find the program that runs: %v", err)
	}
	tool := filepath.Join(filepath.Dir(self), "kith-hook")
	if info, err := os.Stat(tool); err != nil || info.Mode()&0o111 == 0 {
		return "", kith.Errorf(kith.NotFound, "cannot find the hook tools: no program %q", tool).
			WithHint("install kith-hook beside kith; 'make' builds both into bin/")
	}
	return tool, nil
}
