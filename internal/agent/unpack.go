package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/dispatch"
)

// manifest lists what of a charm directory came out of an archive. It is kept
// outside of the directory, where no charm trips over it.
//
// At every moment it names at least the files that archives have put there. So an
// unpacking that was interrupted is simply done again, and an upgrade never takes
// a file of the archive before for one the charm made itself.
type manifest struct {
	// Charm is the archive that is unpacked whole; empty while that is going on.
	Charm string `json:"charm"`
	// Files are paths relative to the charm directory, sorted.
	Files []string `json:"files"`
}

func readManifest(path string) (manifest, error) {
	var m manifest
	err := readNote(path, &m)
	return m, err
}

func (m manifest) write(path string) error { return writeNote(path, m) }

// unpack makes the unit's charm directory that of the archive named id, which get
// fetches. The archive's files go over what is there; files of the archive before
// are deleted unless they are in the new one too; what the charm made itself stays
// (hook protocol reference, section 3.10). An error, or a crash, leaves a state
// from which the same call, or one for another archive, goes on.
func unpack(d unitDir, id string, get func() (archive string, err error)) error {
	old, err := readManifest(d.manifest())
	if err != nil {
		return cannotUnpack(id, err)
	}
	if old.Charm == id && dispatch.HasMetadata(d.charm()) {
		return nil
	}
	archive, err := get()
	if err != nil {
		return err
	}
	files, err := charm.List(archive)
	if err != nil {
		return cannotUnpack(id, err)
	}
	for _, step := range []func() error{
		d.removeStages,
		func() error { return manifest{Files: union(old.Files, files)}.write(d.manifest()) },
		func() error { return spread(archive, d.charm(), old.Files) },
		func() error { return manifest{Charm: id, Files: files}.write(d.manifest()) },
	} {
		if err := step(); err != nil {
			return cannotUnpack(id, err)
		}
	}
	return nil
}

// spread puts the files of an archive into a charm directory that is new, or that
// holds those of old.
func spread(archive, dir string, old []string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return charm.Extract(archive, dir)
	}
	return charm.Upgrade(archive, dir, old)
}

// removeStages deletes what an unpacking that was interrupted left beside the
// charm directory.
func (d unitDir) removeStages() error {
	folders, err := subfolders(d.root)
	for _, f := range folders {
		if strings.HasPrefix(filepath.Base(f), ".charm.unpack-") {
			err = errors.Join(err, removeTree(f))
		}
	}
	return err
}

func cannotUnpack(id string, err error) error {
	var e *kith.Error
	if errors.As(err, &e) {
		return e.Prefix("cannot unpack charm %.12s: ", id)
	}
	return kith.Errorf(kith.Internal, "cannot unpack charm %.12s: %v", id, err)
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
