package charm

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"kith"
)

// Limits of an archive. The largest charms of the store have some 20,000 files
// and unpack to a few hundred MiB; whatever is beyond the limits is a mistake or an attack.
const (
	MaxArchiveSize   = 1 << 30   // bytes of the .charm file
	MaxEntries       = 100_000   // files, folders and links
	MaxDirectorySize = 32 << 20  // bytes of the table of contents
	MaxFileSize      = 512 << 20 // bytes of one unpacked file
	MaxTotalSize     = 2 << 30   // bytes of all unpacked files
	MaxNameSize      = 1024      // bytes of an entry's name
	MaxLinkSize      = 1024      // bytes of a symlink's target
	MaxLinkSteps     = 1_000_000 // path elements walked to see where all symlinks lead
	// MaxRatio is how many times larger than its compressed form a file, or the
	// whole, may become. Below RatioFloor bytes the ratio does not matter: short
	// files of zeros compress as well as any bomb.
	MaxRatio   = 200
	RatioFloor = 32 << 20
)

// What to do about a charm beyond the limits.
const (
	sizeRule  = "a charm is smaller: leave out what it does not need by lines in .jujuignore, and make large files its resources"
	ratioRule = "what unpacks to so much more is taken for an attack: make the file a resource of the charm"
)

// entry is one thing in an archive or in a folder that becomes one.
type entry struct {
	name string // clean, slash-separated, without trailing slash
	mode fs.FileMode
	link string    // target, if the entry is a symlink
	file *zip.File // nil if the entry stands in a folder
	data []byte    // content that is not read from a file
	size int64
}

// tree is everything in an archive, by name. Folders may be implied.
type tree map[string]*entry

// refuseEntry is the error for an entry that must not be.
func refuseEntry(name, rule, format string, args ...any) *Error {
	return &Error{Reason: fmt.Sprintf(format, args...), File: clip(name), Rule: rule}
}

// budgetReader stops reading when the budget is used up. It bounds what the zip
// library reads, and so keeps in memory, while it opens an archive.
type budgetReader struct {
	r      io.ReaderAt
	left   int64
	opened bool
}

var errBudget = errors.New("table of contents too large")

func (b *budgetReader) ReadAt(p []byte, off int64) (int, error) {
	if !b.opened {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, errBudget
		}
	}
	return b.r.ReadAt(p, off)
}

// readTree opens an archive and checks everything that can be checked without
// unpacking: names, kinds, links and the sizes it claims.
func readTree(r io.ReaderAt, size int64) (tree, error) {
	if size > MaxArchiveSize {
		return nil, refuseEntry("", sizeRule, "archive is larger than %d bytes (MaxArchiveSize)", MaxArchiveSize)
	}
	b := &budgetReader{r: r, left: MaxDirectorySize}
	z, err := zip.NewReader(b, size)
	if errors.Is(err, errBudget) {
		return nil, refuseEntry("", sizeRule, "archive has a table of contents of more than %d bytes (MaxDirectorySize)", MaxDirectorySize)
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, &Error{Reason: err.Error(), Rule: "a .charm file is a zip archive"}
	}
	b.opened = true
	if len(z.File) > MaxEntries {
		return nil, refuseEntry("", sizeRule, "archive has more than %d entries (MaxEntries)", MaxEntries)
	}
	t := make(tree, len(z.File))
	sizes := sizer{}
	for _, f := range z.File {
		e, err := readEntry(f)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		if t[e.name] != nil && !(e.mode.IsDir() && t[e.name].mode.IsDir()) {
			return nil, refuseEntry(e.name, "every name stands once", "archive has %q twice", e.name)
		}
		if err := sizes.claim(e.name, f.UncompressedSize64, f.CompressedSize64); err != nil {
			return nil, err
		}
		t[e.name] = e
	}
	return t, t.check()
}

// sizer adds up what files unpack to and refuses what goes beyond the limits.
type sizer struct{ total, packed uint64 }

func (s *sizer) claim(name string, size, packed uint64) error {
	if size > MaxFileSize {
		return refuseEntry(name, sizeRule, "file %q is larger than %d bytes (MaxFileSize)", name, MaxFileSize)
	}
	s.total += size
	s.packed += min(packed, MaxArchiveSize)
	switch {
	case s.total > MaxTotalSize:
		return refuseEntry(name, sizeRule, "archive unpacks to more than %d bytes (MaxTotalSize)", MaxTotalSize)
	case size > RatioFloor && size/MaxRatio > packed:
		return refuseEntry(name, ratioRule, "file %q unpacks to more than %d times its size (MaxRatio)", name, MaxRatio)
	case s.total > RatioFloor && s.total/MaxRatio > s.packed:
		return refuseEntry(name, ratioRule, "archive unpacks to more than %d times its size (MaxRatio)", MaxRatio)
	}
	return nil
}

// readEntry checks one entry by itself. The archive's own root gives nil.
func readEntry(f *zip.File) (*entry, error) {
	e := &entry{mode: f.Mode(), file: f, size: int64(f.UncompressedSize64)}
	name, err := cleanName(f.Name)
	if err != nil || name == "." {
		return nil, err
	}
	e.name = name
	if strings.HasSuffix(f.Name, "/") {
		e.mode = e.mode.Perm() | fs.ModeDir
	}
	if err := checkKind(name, e.mode); err != nil {
		return nil, err
	}
	if e.mode&fs.ModeSymlink == 0 {
		return e, nil
	}
	data, err := e.read(MaxLinkSize)
	if err != nil {
		return nil, err
	}
	e.link = string(data)
	if path.IsAbs(e.link) {
		return nil, refuseEntry(name, "a symlink is relative", "symlink %q is absolute", e.link)
	}
	return e, nil
}

// cleanName brings an entry's name into the form of [fs.ValidPath].
func cleanName(raw string) (string, error) {
	const rule = "names are relative, use / and have no .. in them"
	if len(raw) > MaxNameSize {
		return "", refuseEntry(raw, "names are shorter", "archive has a name of more than %d bytes (MaxNameSize)", MaxNameSize)
	}
	if !utf8.ValidString(raw) || strings.ContainsAny(raw, "\x00\\") || path.IsAbs(raw) || raw == "" {
		return "", refuseEntry(fmt.Sprintf("%q", raw), rule, "archive entry %q has a bad name", clip(raw))
	}
	for part := range strings.SplitSeq(raw, "/") {
		if part == ".." {
			return "", refuseEntry(raw, rule, "archive entry %q leads out of the charm", clip(raw))
		}
	}
	return path.Clean(raw), nil
}

// checkKind refuses what is neither a file nor a folder nor a symlink (section 2.3).
func checkKind(name string, mode fs.FileMode) error {
	const rule = "a charm has files, folders and symlinks only"
	switch mode.Type() {
	case 0, fs.ModeDir, fs.ModeSymlink:
		return nil
	case fs.ModeSocket:
		return refuseEntry(name, rule, "file is a socket: %q", name)
	case fs.ModeNamedPipe:
		return refuseEntry(name, rule, "file is a named pipe: %q", name)
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		return refuseEntry(name, rule, "file is a device: %q", name)
	default:
		return refuseEntry(name, rule, "file has an unknown type: %q", name)
	}
}

// check looks at entries together: nothing lies below a file or a symlink, and
// no symlink leads out, however it goes there.
func (t tree) check() error {
	r := resolver{tree: t}
	known := map[string]bool{} // folders whose parents have been looked at
	for _, name := range sortedKeys(t) {
		for dir := path.Dir(name); dir != "." && !known[dir]; dir = path.Dir(dir) {
			if up := t[dir]; up != nil && !up.mode.IsDir() {
				return refuseEntry(name, "only folders have something in them", "archive entry %q lies below %q, which is no folder", name, dir)
			}
			known[dir] = true
		}
		if t[name].mode&fs.ModeSymlink != 0 {
			if _, err := r.resolve(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolver follows symlinks in a tree and counts its steps, so that an archive
// of long chains cannot keep it busy for ever.
type resolver struct {
	tree
	steps int
}

// maxLinks bounds how many symlinks one path may go through, as kernels do.
const maxLinks = 40

// resolve follows symlinks the way a kernel would and returns the path it ends
// at, which need not exist. A link that looks harmless by its text can lead out
// through another one ("a -> b/../..", "b -> c/d"), so each step is walked.
func (t *resolver) resolve(name string) (string, error) {
	var at []string
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		step := todo[0]
		todo = todo[1:]
		if t.steps++; t.steps > MaxLinkSteps {
			return "", refuseEntry(name, "symlinks are few and short", "symlinks take more than %d steps to follow (MaxLinkSteps)", MaxLinkSteps)
		}
		switch step {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return "", refuseEntry(name, "a symlink stays inside the charm", "symlink %q leads out of scope", t.linkOf(name))
			}
			at = at[:len(at)-1]
			continue
		}
		e := t.tree[path.Join(append(at[:len(at):len(at)], step)...)]
		if e == nil || e.mode&fs.ModeSymlink == 0 {
			at = append(at, step)
			continue
		}
		if links++; links > maxLinks {
			return "", refuseEntry(name, "symlinks end somewhere", "symlink %q leads round in circles", t.linkOf(name))
		}
		if path.IsAbs(e.link) {
			return "", refuseEntry(name, "a symlink is relative", "symlink %q is absolute", e.link)
		}
		todo = append(strings.Split(e.link, "/"), todo...)
	}
	return path.Join(at...), nil
}

// linkOf is the target of the symlink of that name, for errors.
func (t tree) linkOf(name string) string {
	if e := t[name]; e != nil {
		return e.link
	}
	return name
}

// read returns an entry's content if it has at most limit bytes.
func (e *entry) read(limit int64) ([]byte, error) {
	r, err := e.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, refuseEntry(e.name, "the archive is undamaged", "cannot read %q in the archive: %v", e.name, err)
	}
	if int64(len(data)) > limit {
		return nil, refuseEntry(e.name, "", "file %q is larger than %d bytes", e.name, limit)
	}
	return data, nil
}

func (e *entry) open() (io.ReadCloser, error) {
	r, err := e.file.Open()
	if err != nil {
		return nil, refuseEntry(e.name, "the archive is undamaged", "cannot read %q in the archive: %v", e.name, err)
	}
	return r, nil
}

// charmFiles are the files [Parse] looks at in an archive. Juju never reads
// charmcraft.yaml there (section 2.2).
var charmFiles = []string{metaFile, configFile, actionsFile, manifestFile, revisionFile, versionFile, lxdProfileFile}

// parse reads the charm that the archive holds.
func (t tree) parse() (*Charm, error) {
	files := map[string][]byte{}
	r := resolver{tree: t}
	for _, name := range charmFiles {
		real, err := r.resolve(name)
		if err != nil {
			return nil, err
		}
		e := t[real]
		if e == nil || !e.mode.IsRegular() {
			continue
		}
		if files[name], err = e.read(MaxYAMLSize); err != nil {
			return nil, err
		}
	}
	if files[metaFile] == nil {
		err := refuseEntry("", "a charm has a metadata.yaml", "archive file %q not found", metaFile)
		if t[charmcraftFile] != nil {
			err.Hint = "this is a source folder in a zip; unpack it and deploy the folder, or build it with charmcraft"
		}
		return nil, err
	}
	return Parse(files)
}

// openArchive opens a .charm file and reads its table of contents. The caller closes it.
func openArchive(archive string) (tree, *os.File, error) {
	f, err := os.Open(archive)
	if err != nil {
		return nil, nil, pathError("cannot open charm", archive, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, pathError("cannot open charm", archive, err)
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, nil, kith.Errorf(kith.Invalid, "cannot open charm %q: not a file", archive)
	}
	t, err := readTree(f, info.Size())
	if err != nil {
		f.Close()
		var bad *Error
		if errors.As(err, &bad) && bad.File == "" {
			bad.File = filepath.Base(archive)
		}
		return nil, nil, err
	}
	return t, f, nil
}

// pathError gives a failure of the file system a code and a sentence.
func pathError(what, name string, err error) error {
	var p *fs.PathError
	reason := err
	if errors.As(err, &p) {
		reason = p.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kith.Errorf(kith.NotFound, "charm not found: %s", name).WithHint("a local charm is a folder or a .charm file")
	case errors.Is(err, fs.ErrPermission):
		return kith.Errorf(kith.Forbidden, "%s %q: %v", what, name, reason)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return kith.Errorf(kith.Unavailable, "%s %q: %v", what, name, reason).WithHint("make room on the disk and try again")
	default:
		return kith.Errorf(kith.Unavailable, "%s %q: %v", what, name, reason)
	}
}
