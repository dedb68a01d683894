package charm

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kith"
)

// item is one entry of an archive that a test makes.
type item struct {
	name string
	mode fs.FileMode // 0 is a plain file
	data string      // content, or a symlink's target
}

const sampleYAML = "name: frobnitz\nsummary: s\ndescription: d\nprovides: {web: http}\n"

// makeZip builds an archive; it does not care whether it makes sense.
func makeZip(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, i := range items {
		h := &zip.FileHeader{Name: i.name, Method: zip.Deflate}
		if i.data == "" {
			h.Method = zip.Store
		}
		if i.mode == 0 {
			i.mode = 0o644
		}
		h.SetMode(i.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, i.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// makeCharm writes an archive with a good metadata.yaml and more.
func makeCharm(t testing.TB, items ...item) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "frobnitz.charm")
	data := makeZip(t, append([]item{{"metadata.yaml", 0, sampleYAML}}, items...)...)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const link = fs.ModeSymlink | 0o777

// Whatever an archive says, nothing outside the folder is touched and no part
// of the charm is left behind. Texts of Juju: charm format reference, section 2.3.
func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		items []item
		want  string
	}{
		{"absolute name", []item{{"/etc/evil", 0, "x"}}, `archive entry "/etc/evil" has a bad name ("/etc/evil")`},
		{"dot dot", []item{{"../evil", 0, "x"}}, `archive entry "../evil" leads out of the charm (../evil)`},
		{"dot dot inside", []item{{"a/../../evil", 0, "x"}}, `archive entry "a/../../evil" leads out of the charm (a/../../evil)`},
		{"backslash", []item{{`..\evil`, 0, "x"}}, `archive entry "..\\evil" has a bad name ("..\\evil")`},
		{"zero byte", []item{{"a\x00b", 0, "x"}}, `archive entry "a\x00b" has a bad name ("a\x00b")`},
		{"absolute link", []item{{"a", link, "/etc/x"}}, `symlink "/etc/x" is absolute (a)`},
		{"link out", []item{{"a", link, "../../x"}}, `symlink "../../x" leads out of scope (a)`},
		{"link to the parent", []item{{"a", link, ".."}}, `symlink ".." leads out of scope (a)`},
		{"deep link out", []item{{"d/e/a", link, "../../../x"}}, `symlink "../../../x" leads out of scope (d/e/a)`},
		{"link out through a link", []item{
			{"d/e/f/x", 0, "x"}, {"b", link, "d/e/f"}, {"d/e/f/up", link, "../../.."}, {"a", link, "b/up/.."},
		}, `symlink "b/up/.." leads out of scope (a)`},
		{"harmless text, harmful way", []item{
			{"d/x", 0, "x"}, {"d/here", link, "."}, {"y/z/link", link, ".."}, {"e", link, "y/z/link/../.."},
		}, `symlink "y/z/link/../.." leads out of scope (e)`},
		{"link in a circle", []item{{"a", link, "b"}, {"b", link, "a"}}, `symlink "b" leads round in circles (a)`},
		{"write through a link", []item{{"a", link, "d"}, {"a/evil", 0, "x"}}, `archive entry "a/evil" lies below "a", which is no folder (a/evil)`},
		{"write through a link, file first", []item{{"a/evil", 0, "x"}, {"a", link, "d"}}, `archive entry "a/evil" lies below "a", which is no folder (a/evil)`},
		{"below a file", []item{{"a", 0, "x"}, {"a/b", 0, "x"}}, `archive entry "a/b" lies below "a", which is no folder (a/b)`},
		{"same name twice", []item{{"a", 0, "x"}, {"a", 0, "y"}}, `archive has "a" twice (a)`},
		{"link and file of one name", []item{{"a", link, "d"}, {"./a", 0, "y"}}, `archive has "a" twice (a)`},
		{"second metadata", []item{{"metadata.yaml", 0, sampleYAML}}, `archive has "metadata.yaml" twice (metadata.yaml)`},
		{"long name", []item{{strings.Repeat("a/", MaxNameSize/2) + "b", 0, "x"}}, `archive has a name of more than 1024 bytes (MaxNameSize) (` + strings.Repeat("a/", 150) + `…)`},
		{"long chains", chains(), `symlinks take more than 1000000 steps to follow (MaxLinkSteps) (n182)`},
		{"socket", []item{{"a", fs.ModeSocket | 0o644, ""}}, `file is a socket: "a" (a)`},
		{"pipe", []item{{"a", fs.ModeNamedPipe | 0o644, ""}}, `file is a named pipe: "a" (a)`},
		{"device", []item{{"a", fs.ModeDevice | 0o644, ""}}, `file is a device: "a" (a)`},
		{"long link", []item{{"a", link, strings.Repeat("a", MaxLinkSize+1)}}, `file "a" is larger than 1024 bytes (a)`},
		{"bad metadata", []item{{"config.yaml", 0, ""}}, `invalid config: empty configuration (config.yaml:1)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			archive := makeCharm(t, test.items...)
			parent := t.TempDir()
			err := Extract(archive, filepath.Join(parent, "charm"))
			if text(err) != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if kith.CodeOf(err) != kith.Invalid {
				t.Errorf("code %s", kith.CodeOf(err))
			}
			if left, _ := os.ReadDir(parent); len(left) > 0 {
				t.Errorf("%v is left behind", left)
			}
			if _, err := ReadArchive(archive); text(err) != test.want {
				t.Errorf("ReadArchive: %v", err)
			}
		})
	}
}

// chains are links through links, each of which takes 40 hops of 500 steps.
func chains() []item {
	var items []item
	for i := range 200 {
		next := "n" + strconv.Itoa(i%40+1)
		if i%40 == 39 {
			next = "end"
		}
		items = append(items, item{"n" + strconv.Itoa(i), link, strings.Repeat("./", 500) + next})
	}
	return items
}

// Sizes are bounded by what comes out, and each limit has a name.
func TestZipBombs(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", RatioFloor+1)
	t.Run("one file", func(t *testing.T) {
		t.Parallel()
		err := Extract(makeCharm(t, item{"bomb", 0, zeros}), filepath.Join(t.TempDir(), "charm"))
		if want := `file "bomb" unpacks to more than 200 times its size (MaxRatio) (bomb)`; text(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("many files", func(t *testing.T) {
		t.Parallel()
		half := zeros[:RatioFloor/2+1]
		err := Extract(makeCharm(t, item{"a", 0, half}, item{"b", 0, half}), filepath.Join(t.TempDir(), "charm"))
		if want := `archive unpacks to more than 200 times its size (MaxRatio) (b)`; text(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("too many entries", func(t *testing.T) {
		t.Parallel()
		items := make([]item, MaxEntries+1)
		for i := range items {
			items[i].name = strings.Repeat("x", 1+i%50) + string(rune('0'+i%10)) + strings.Repeat("y", i%7) + strconv.Itoa(i)
		}
		err := Extract(makeCharm(t, items...), filepath.Join(t.TempDir(), "charm"))
		if want := `archive has more than 100000 entries (MaxEntries) (frobnitz.charm)`; text(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("huge table of contents", func(t *testing.T) {
		t.Parallel()
		items := make([]item, MaxDirectorySize/60000)
		for i := range items {
			items[i].name = strings.Repeat("x", 60000) + strconv.Itoa(i)
		}
		_, err := ReadArchive(makeCharm(t, items...))
		if want := `archive has a table of contents of more than 33554432 bytes (MaxDirectorySize) (frobnitz.charm)`; text(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// The claims of [sizer] hold for each limit by itself.
func TestSizer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		size, packed uint64
		times        int
		want         string
	}{
		{MaxFileSize, MaxFileSize, 1, ""},
		{MaxFileSize + 1, MaxFileSize, 1, "MaxFileSize"},
		{MaxFileSize, MaxFileSize, MaxTotalSize / MaxFileSize, ""},
		{MaxFileSize, MaxFileSize, MaxTotalSize/MaxFileSize + 1, "MaxTotalSize"},
		{RatioFloor, 1, 1, ""},
		{RatioFloor + MaxRatio, RatioFloor / MaxRatio, 1, "MaxRatio"},
		{1 << 63, 1 << 63, 1, "MaxFileSize"},
		{RatioFloor + 1, 0, 1, "MaxRatio"},
	} {
		s, got := sizer{}, ""
		for range test.times {
			if err := s.claim("x", test.size, test.packed); err != nil {
				got = err.(*Error).Reason
				if !strings.Contains(kith.HintOf(err), "make ") { // the file a resource
					t.Errorf("%v has no remedy: %q", err, kith.HintOf(err))
				}
			}
		}
		if want := "(" + test.want + ")"; test.want == "" && got != "" || test.want != "" && !strings.HasSuffix(got, want) {
			t.Errorf("%d bytes from %d, %d times: %q, want %q", test.size, test.packed, test.times, got, test.want)
		}
	}
}

// An archive that lies about its sizes is caught while unpacking.
func TestLyingArchive(t *testing.T) {
	t.Parallel()
	data := makeZip(t, item{"metadata.yaml", 0, sampleYAML}, item{"big", 0, strings.Repeat("a", 5000)})
	// The claimed size stands in the table of contents, 22 bytes before the name's length.
	size := []byte{0x88, 0x13, 0, 0} // 5000
	at := bytes.LastIndex(data, size)
	if at < 0 {
		t.Fatal("the test does not find the size it wants to change")
	}
	data[at], data[at+1] = 10, 0
	path := filepath.Join(t.TempDir(), "lie.charm")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	err := Extract(path, filepath.Join(parent, "charm"))
	if !strings.HasPrefix(text(err), `cannot read "big" in the archive: zip: `) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(parent); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

// Charm format reference, section 2.3: modes are kept, hooks become executable,
// a revision file is written.
func TestExtract(t *testing.T) {
	t.Parallel()
	archive := makeCharm(t,
		item{"src/", fs.ModeDir | 0o500, ""},
		item{"src/charm.py", 0o755, "#!/bin/sh\n"},
		item{"hooks/install", 0o644, "#!/bin/sh\n"},
		item{"hooks/web-relation-joined", 0o600, ""},
		item{"hooks/db-relation-joined", 0o644, "not a hook of this charm"},
		item{"hooks/sub/install", 0o644, "not directly in hooks"},
		item{"hooks/start", link, "install"},
		item{"lib/dangling", link, "../not/there/yet"},
		item{"dispatch", 0o644, "keeps its mode"},
		item{"setuid", fs.ModeSetuid | 0o4755, ""},
		item{"readonly", 0o444, ""},
		item{"revision", 0o644, "7\n"},
		item{"version", 0o644, "revision-id: abc\nmore\n"},
	)
	dir := filepath.Join(t.TempDir(), "new", "charm")
	if err := Extract(archive, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{
		"src": fs.ModeDir | 0o700, "src/charm.py": 0o755, "hooks/install": 0o744, "hooks/web-relation-joined": 0o700,
		"hooks/db-relation-joined": 0o644, "hooks/sub/install": 0o644, "dispatch": 0o644, "setuid": 0o755, "readonly": 0o644,
	} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	if got, err := os.Readlink(filepath.Join(dir, "hooks/start")); got != "install" {
		t.Errorf("hooks/start leads to %q, %v", got, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "revision")); string(got) != "7" {
		t.Errorf("revision is %q, %v", got, err)
	}
	c, err := Read(dir)
	if err != nil || c.Revision != 7 || c.Version != "abc" {
		t.Errorf("the folder reads as %+v, %v", c, err)
	}
	if err := Extract(archive, dir); kith.CodeOf(err) != kith.Conflict {
		t.Errorf("into a full folder: %v", err)
	}
	empty := t.TempDir()
	if err := Extract(archive, empty); err != nil {
		t.Errorf("into an empty folder: %v", err)
	}
}

// An upgrade replaces and removes what belongs to the charm and keeps what the
// charm made, and it never writes through a link that the charm made.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	one := makeCharm(t, item{"dispatch", 0o755, "one"}, item{"old/gone", 0, "x"}, item{"old/kept", 0, "x"}, item{"swap", 0, "file"}, item{"lib/a", 0, "1"}, item{"lib2/a", 0, "1"})
	two := makeCharm(t, item{"dispatch", 0o755, "two"}, item{"old/kept", 0, "y"}, item{"swap/now/folder", 0, "z"}, item{"lib/a", 0, "2"}, item{"lib2/a", 0, "2"}, item{"l", link, "dispatch"})
	dir, outside := filepath.Join(t.TempDir(), "charm"), t.TempDir()
	if err := Extract(one, dir); err != nil {
		t.Fatal(err)
	}
	write := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(".unit-state.db")
	write("old/mine")
	if err := os.RemoveAll(filepath.Join(dir, "lib2")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "lib2")); err != nil {
		t.Fatal(err)
	}
	old, err := List(one)
	if err != nil || !slices.Contains(old, "old/gone") {
		t.Fatal(old, err)
	}
	for range 2 { // it may be repeated
		if err := Upgrade(two, dir, old); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"dispatch": "two", "old/kept": "y", "old/mine": "mine", "swap/now/folder": "z", "lib/a": "2", "lib2/a": "2", ".unit-state.db": "mine", "l": "two", "revision": "0",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "old/gone")); err == nil {
		t.Error("old/gone is still there")
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("wrote %v outside", left)
	}
	if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) != 1 {
		t.Errorf("%v is left behind", left)
	}
}

// Charm format reference, section 2.2: what is needed and what is never read.
func TestReadArchive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	source := write("source.charm", makeZip(t, item{"charmcraft.yaml", 0, "type: charm\n" + sampleYAML}))
	_, err := Read(source)
	if want := `archive file "metadata.yaml" not found (source.charm)`; text(err) != want && text(err) != `archive file "metadata.yaml" not found` || !strings.Contains(kith.HintOf(err), "source folder") {
		t.Errorf("source in a zip: %v, hint %q", err, kith.HintOf(err))
	}
	if _, err := Read(write("not.charm", []byte("hello"))); text(err) != "zip: not a valid zip file (not.charm)" || kith.CodeOf(err) != kith.Invalid {
		t.Errorf("no zip: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "nope")); text(err) != "charm not found: "+filepath.Join(dir, "nope") || kith.CodeOf(err) != kith.NotFound {
		t.Errorf("missing: %v", err)
	}
	if _, err := Read(""); text(err) != "empty charm path not valid" {
		t.Errorf("empty: %v", err)
	}
	if _, err := Read(t.TempDir()); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("empty folder: %v", err)
	}
	linked := makeZip(t, item{"metadata.yaml", link, "src/metadata.yaml"}, item{"src/metadata.yaml", 0, sampleYAML}, item{"charmcraft.yaml", 0, "not: [read"})
	c, err := ReadZip(bytes.NewReader(linked), int64(len(linked)))
	if err != nil || c.Meta.Name != "frobnitz" {
		t.Errorf("metadata behind a link: %+v, %v", c, err)
	}
	if _, err := Read(write("rev.charm", makeZip(t, item{"metadata.yaml", 0, sampleYAML}, item{"revision", 0, "x"}))); text(err) != "invalid revision file (revision:1)" {
		t.Errorf("bad revision: %v", err)
	}
}

// Charm format reference, section 2.2: "Upload check of the server".
func TestCheckRunnable(t *testing.T) {
	t.Parallel()
	const none = `invalid charm "frobnitz": has no hooks nor dispatch file`
	for _, test := range []struct {
		items []item
		want  string
	}{
		{nil, none},
		{[]item{{"dispatch", 0o755, ""}}, ""},
		{[]item{{"hooks/install", 0o755, ""}}, ""},
		{[]item{{"src/x", 0o755, ""}, {"hooks/install", link, "../src/x"}}, ""},
		{[]item{{"hooks/", fs.ModeDir | 0o755, ""}}, none},
		{[]item{{"hooks/sub/install", 0o755, ""}}, none},
		{[]item{{"src/dispatcher", 0o755, ""}}, ""}, // "an entry whose name contains dispatch"
	} {
		archive := makeCharm(t, test.items...)
		if err := CheckRunnable(archive); text(err) != test.want {
			t.Errorf("%v: %v, want %s", test.items, err, test.want)
		}
		dir := filepath.Join(t.TempDir(), "charm")
		if err := Extract(archive, dir); err != nil {
			t.Fatal(err)
		}
		if err := CheckRunnable(dir); text(err) != test.want {
			t.Errorf("%v as a folder: %v, want %s", test.items, err, test.want)
		}
	}
}

// A full disk is nobody's mistake: it says what to do, and trying again helps.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	err := pathError("cannot unpack", "src/charm.py", &fs.PathError{Op: "write", Path: "/x/y", Err: syscall.ENOSPC})
	if text(err) != `cannot unpack "src/charm.py": no space left on device` || kith.CodeOf(err) != kith.Unavailable || kith.HintOf(err) == "" {
		t.Errorf("got %v, code %s, hint %q", err, kith.CodeOf(err), kith.HintOf(err))
	}
}
