package charm

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kith"
)

// Extract unpacks a .charm file into a folder, which must be empty or absent.
// It is all or nothing: the charm is unpacked beside the folder and moved into
// place, so that a folder that exists is complete.
//
// Nothing is written outside the folder, whatever the archive says: entries with
// absolute names or "..", symlinks that lead out directly or through others, and
// entries below a symlink are refused before anything is written; symlinks are
// made last; and all writing goes through an [os.Root]. Sizes are counted as they
// come out, not as the archive claims them, against the limits named Max….
//
// Files keep their permissions (never setuid and the like). A file in hooks that
// has the name of one of the charm's hooks gets the owner's execute bit; the file
// revision is written (section 2.3). Errors: as [Read]; Conflict if the folder
// is not empty.
func Extract(archive, dir string) error {
	t, f, err := openArchive(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := t.parse()
	if err != nil {
		return err
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return kith.Errorf(kith.Conflict, "cannot unpack charm into %q: folder is not empty", dir)
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return pathError("cannot make folder", parent, err)
	}
	tmp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".unpack-")
	if err != nil {
		return pathError("cannot make folder in", parent, err)
	}
	defer os.RemoveAll(tmp)
	if err := extractInto(t, c, tmp); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return pathError("cannot unpack charm into", dir, err)
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return pathError("cannot unpack charm into", dir, err)
	}
	if err := os.Rename(tmp, dir); err != nil {
		return pathError("cannot unpack charm into", dir, err)
	}
	return nil
}

// extractor writes the entries of one archive below one root.
type extractor struct {
	root  *os.Root
	hooks []string // sorted
	sizes sizer
}

func extractInto(t tree, c *Charm, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return pathError("cannot unpack charm into", dir, err)
	}
	defer root.Close()
	x := extractor{root: root, hooks: c.Meta.Hooks()}
	names := sortedKeys(t)
	// Folders and files first, links last: when the last file is written there
	// is not one link in the folder that a write could follow.
	for _, name := range names {
		if e := t[name]; e.mode&fs.ModeSymlink == 0 && name != revisionFile {
			if err := x.write(e); err != nil {
				return err
			}
		}
	}
	revision := &entry{name: revisionFile, mode: 0o644, data: strconv.AppendInt(nil, int64(c.Revision), 10)}
	if err := x.write(revision); err != nil {
		return err
	}
	for _, name := range names {
		if e := t[name]; e.mode&fs.ModeSymlink != 0 && name != revisionFile {
			if err := x.link(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// write makes a folder, or a file with its content.
func (x *extractor) write(e *entry) error {
	dir := path.Dir(e.name)
	if e.mode.IsDir() {
		dir = e.name
	}
	if err := x.root.MkdirAll(dir, 0o755); err != nil {
		return pathError("cannot unpack", e.name, err)
	}
	if e.mode.IsDir() {
		if err := x.root.Chmod(e.name, e.mode.Perm()|0o700); err != nil {
			return pathError("cannot unpack", e.name, err)
		}
		return nil
	}
	f, err := x.root.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return pathError("cannot unpack", e.name, err)
	}
	err = x.fill(f, e)
	if err == nil {
		err = f.Chmod(x.permissions(e))
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	var bad *Error
	if err != nil && !errors.As(err, &bad) {
		return pathError("cannot unpack", e.name, err)
	}
	return err
}

// permissions keeps what the archive says, so far as the owner can still read
// and write; an archive that says nothing gets the usual ones.
func (x *extractor) permissions(e *entry) fs.FileMode {
	perm := e.mode.Perm()
	if perm == 0 {
		perm = 0o644
	}
	perm |= 0o600
	if hook, ok := strings.CutPrefix(e.name, "hooks/"); ok {
		if _, ok := slices.BinarySearch(x.hooks, hook); ok {
			perm |= 0o100
		}
	}
	return perm
}

// fill writes an entry's content and counts it as it comes.
func (x *extractor) fill(f *os.File, e *entry) error {
	if e.file == nil {
		_, err := f.Write(e.data)
		return err
	}
	r, err := e.open()
	if err != nil {
		return err
	}
	defer r.Close()
	src := &readErrors{r: io.LimitReader(r, MaxFileSize+1)}
	n, err := io.Copy(f, src)
	if src.err != nil {
		return refuseEntry(e.name, "the archive is undamaged", "cannot read %q in the archive: %v", e.name, src.err)
	}
	if err != nil {
		return err
	}
	return x.sizes.claim(e.name, uint64(n), e.file.CompressedSize64)
}

// readErrors tells failures to read from failures to write after an io.Copy.
type readErrors struct {
	r   io.Reader
	err error
}

func (r *readErrors) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// link makes a symlink and asks the system whether it stays inside: the tree has
// been checked by name, but only the system knows what names it holds for equal.
func (x *extractor) link(e *entry) error {
	if err := x.root.MkdirAll(path.Dir(e.name), 0o755); err != nil {
		return pathError("cannot unpack", e.name, err)
	}
	if err := x.root.Symlink(filepath.FromSlash(e.link), e.name); err != nil {
		return pathError("cannot unpack", e.name, err)
	}
	if _, err := x.root.Stat(e.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return refuseEntry(e.name, "a symlink stays inside the charm", "symlink %q leads out of scope", e.link)
	}
	return nil
}

// List returns the names of everything in a .charm file, folders included,
// sorted. An upgrade removes what the old archive lists and the new one does
// not. Errors: as [Read].
func List(archive string) ([]string, error) {
	t, f, err := openArchive(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return sortedKeys(t), nil
}

// Upgrade brings a folder that holds one version of a charm to another: what
// the new archive has is written, what stands in old (the [List] of the archive
// before) and not in the new one is removed, and all else, which the charm made
// itself, stays. It may be repeated after a failure. The same checks as in
// [Extract] hold before anything is changed. Errors: as [Read].
func Upgrade(archive, dir string, old []string) error {
	t, f, err := openArchive(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := t.parse()
	if err != nil {
		return err
	}
	stage, err := os.MkdirTemp(filepath.Dir(filepath.Clean(dir)), "."+filepath.Base(dir)+".unpack-")
	if err != nil {
		return pathError("cannot make folder beside", dir, err)
	}
	defer os.RemoveAll(stage)
	if err := extractInto(t, c, stage); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return pathError("cannot open charm folder", dir, err)
	}
	defer root.Close()
	if err := removeStale(root, t, old); err != nil {
		return err
	}
	return moveIn(root, stage, dir)
}

// removeStale removes what only the old archive had; folders only when empty.
func removeStale(root *os.Root, t tree, old []string) error {
	implied := t.folders()
	for _, name := range slices.Backward(slices.Sorted(slices.Values(old))) {
		if t[name] != nil || implied[name] {
			continue
		}
		info, err := root.Lstat(name)
		if err != nil {
			continue // gone already, or never there
		}
		if err := root.Remove(name); err != nil && !info.IsDir() {
			return pathError("cannot remove", name, err)
		}
	}
	return nil
}

// folders returns every folder that something in the tree lies in.
func (t tree) folders() map[string]bool {
	out := map[string]bool{}
	for name := range t { // any order: fills a set
		for dir := path.Dir(name); dir != "." && !out[dir]; dir = path.Dir(dir) {
			out[dir] = true
		}
	}
	return out
}

// moveIn moves everything from the stage into the folder, file by file, each
// replaced in one step.
func moveIn(root *os.Root, stage, dir string) error {
	return filepath.WalkDir(stage, func(from string, d fs.DirEntry, err error) error {
		if err != nil {
			return pathError("cannot read", from, err)
		}
		name, err := filepath.Rel(stage, from)
		if err != nil || name == "." {
			return err
		}
		info, err := root.Lstat(name)
		exists := err == nil
		if exists && info.IsDir() != d.IsDir() {
			if err := root.RemoveAll(name); err != nil {
				return pathError("cannot remove", name, err)
			}
			exists = false
		}
		switch {
		case d.IsDir() && exists:
			return nil
		case d.IsDir():
			if err := root.Mkdir(name, 0o755); err != nil {
				return pathError("cannot make folder", name, err)
			}
			return nil
		}
		if err := os.Rename(from, filepath.Join(dir, name)); err != nil {
			return pathError("cannot replace", name, err)
		}
		return nil
	})
}
