package charm

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"kith"
)

// Read reads a charm from a folder or from a .charm file, whichever path is.
// Errors: Invalid, as [*Error], if the charm is wrong; NotFound, Forbidden or
// Unavailable if it cannot be read.
func Read(path string) (*Charm, error) {
	if path == "" {
		return nil, kith.Errorf(kith.Invalid, "empty charm path not valid")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, pathError("cannot open charm", path, err)
	}
	if info.IsDir() {
		return ReadDir(path)
	}
	return ReadArchive(path)
}

// ReadDir reads a charm from its folder: built or unpacked, with metadata.yaml,
// or a source folder with charmcraft.yaml, or both. Errors: as [Read].
func ReadDir(dir string) (*Charm, error) {
	files, err := ReadFiles(dir)
	if err != nil {
		return nil, err
	}
	return Parse(files)
}

// ReadFiles reads what [Parse] takes from a charm's folder: at least one of metadata.yaml and
// charmcraft.yaml. Errors: as [Read].
func ReadFiles(dir string) (map[string][]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, pathError("cannot open charm", dir, err)
	}
	defer root.Close()
	files, err := readFiles(root)
	if err != nil {
		return nil, err
	}
	if files[metaFile] == nil && files[charmcraftFile] == nil {
		return nil, kith.Errorf(kith.NotFound, "charm not found: %s", dir).
			WithHint("the folder has neither metadata.yaml nor charmcraft.yaml")
	}
	return files, nil
}

// readFiles reads the files Parse wants from a folder, never from outside it.
func readFiles(root *os.Root) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range append([]string{charmcraftFile}, charmFiles...) {
		data, err := readBounded(root, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		default:
			files[name] = data
		}
	}
	return files, nil
}

func readBounded(root *os.Root, name string) ([]byte, error) {
	if target, err := root.Readlink(name); err == nil {
		if _, err := root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, linkError(name, target)
		}
	}
	info, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, refuseEntry(name, "it is a file", "cannot read %s: not a file", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, pathError("cannot read", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxYAMLSize+1))
	if err != nil {
		return nil, pathError("cannot read", name, err)
	}
	return data, nil
}

// linkError is the error for a symlink of a folder that leads out (section 2.3).
func linkError(name, target string) *Error {
	const rule = "a symlink is relative and stays inside the charm; a line in .jujuignore leaves it out"
	if strings.HasPrefix(target, "/") {
		return refuseEntry(name, rule, "symlink %q is absolute: %q", name, target)
	}
	return refuseEntry(name, rule, "symlink %q links out of charm: %q", name, target)
}

// ReadArchive reads a charm from a .charm file, by Juju's rules: metadata.yaml
// must be there, charmcraft.yaml does not count. The whole table of contents is
// checked, as [Extract] would. Errors: as [Read].
func ReadArchive(path string) (*Charm, error) {
	t, f, err := openArchive(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return t.parse()
}

// ReadZip is [ReadArchive] for an archive that is not, or not yet, a file.
func ReadZip(r io.ReaderAt, size int64) (*Charm, error) {
	t, err := readTree(r, size)
	if err != nil {
		return nil, err
	}
	return t.parse()
}

// CheckRunnable refuses a charm, folder or .charm file, that has nothing to run:
// neither a dispatch nor a single file in hooks (section 2.2). Errors: as [Read].
func CheckRunnable(path string) error {
	c, err := Read(path)
	if err != nil {
		return err
	}
	var t tree
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return pathError("cannot open charm", path, err)
		}
		defer root.Close()
		if t, err = folderTree(root); err != nil {
			return err
		}
	} else {
		var f *os.File
		if t, f, err = openArchive(path); err != nil {
			return err
		}
		defer f.Close()
	}
	err = t.checkRunnable(c.Meta.Name)
	if wrong, ok := err.(*Error); ok && inGo(path) {
		wrong.Hint = "a charm in Go must be built first: go build -o dispatch ."
	}
	return err
}

// inGo reports whether a folder has the source of a program in Go.
func inGo(dir string) bool {
	files, err := os.ReadDir(dir)
	return err == nil && slices.ContainsFunc(files, func(f fs.DirEntry) bool { return strings.HasSuffix(f.Name(), ".go") })
}

func (t tree) checkRunnable(charmName string) error {
	for _, name := range sortedKeys(t) {
		rest, inHooks := strings.CutPrefix(name, "hooks/")
		runs := inHooks && !strings.Contains(rest, "/") && !t[name].mode.IsDir()
		if runs || strings.Contains(name, "dispatch") {
			return nil
		}
	}
	return &Error{
		Reason: fmt.Sprintf("invalid charm %q: has no hooks nor dispatch file", charmName),
		Rule:   "a charm has an executable dispatch, or files in hooks",
		Hint:   "a source folder must be built first: charmcraft pack",
	}
}
