package embedetcd

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/store"
)

// A second controller on the same data is told who has it and what to do, and
// disturbs nothing (issue: bad input).
func TestSecondServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, Config{Dir: dir})
	want := fmt.Sprintf("cannot open the store in %s: another controller (process %d) is using it", dir, os.Getpid())

	_, err := Start(t.Context(), Config{Dir: dir})
	if kith.CodeOf(err) != kith.Conflict || err.Error() != want || !strings.Contains(kith.HintOf(err), "kith down") {
		t.Errorf("in this process: %v, hint %q", err, kith.HintOf(err))
	}
	if o := ask(t, "start", dir); o.Code != kith.Conflict || o.Message != want {
		t.Errorf("in another process: %+v", o)
	}
	if _, err := openStore(t, first, store.Identity{ID: "a"}).Own(t.Context(), "m"); err != nil {
		t.Error("the first is disturbed:", err)
	}
	first.Close()
	if o := ask(t, "start", dir); o.Code != "" {
		t.Errorf("after the first has ended: %+v", o)
	}
}

// A damaged directory is refused with the directory, the damage and the remedy, the
// process lives, and nothing is deleted (issue: bad input).
func TestDamaged(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	server := start(t, Config{Dir: whole})
	s := openStore(t, server, store.Identity{ID: "a"})
	own, err := s.Own(t.Context(), killModel)
	for rev := uint64(1); rev <= 250 && err == nil; rev++ {
		err = s.Commit(t.Context(), own, numbered(rev))
	}
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	const db = "member/snap/db"
	for _, damage := range []struct {
		name string
		do   func(dir string) error
		says string
	}{
		{"database truncated", func(dir string) error { return os.Truncate(filepath.Join(dir, db), 8192) }, "member/snap/db: "},
		{"database empty", func(dir string) error { return os.Truncate(filepath.Join(dir, db), 0) }, "member/snap/db: "},
		{"database overwritten", func(dir string) error { return garble(filepath.Join(dir, db), 0, 1<<16) }, "member/snap/db: "},
		{"database's pages overwritten", func(dir string) error { return garble(filepath.Join(dir, db), 8192, 1<<30) }, ""},
		{"database missing", func(dir string) error { return os.Remove(filepath.Join(dir, db)) }, "member/snap/db is missing"},
		{"database is a directory", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, db)), os.Mkdir(filepath.Join(dir, db), 0o700))
		}, "member/snap/db"},
		{"log missing", func(dir string) error { return os.RemoveAll(filepath.Join(dir, "member/wal")) }, "write-ahead log in member/wal is missing"},
		{"log overwritten", func(dir string) error { return eachLog(dir, func(f string) error { return garble(f, 0, 4096) }) }, "write-ahead log"},
		{"log overwritten inside", func(dir string) error { return eachLog(dir, func(f string) error { return garble(f, 3000, 64) }) }, "crc"},
		{"log's end zeroed", func(dir string) error { return eachLog(dir, func(f string) error { return zero(f, 4096) }) }, "was applied"},
	} {
		t.Run(damage.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "store")
			if err := errors.Join(os.CopyFS(dir, os.DirFS(whole)), damage.do(dir)); err != nil {
				t.Fatal(err)
			}
			before := content(t, dir)
			o := ask(t, "start", dir)
			t.Log(o.Message)
			if o.Code != kith.Conflict || !strings.HasPrefix(o.Message, "cannot open the store in "+dir+": its data is damaged: ") ||
				!strings.Contains(o.Message, damage.says) || !strings.Contains(o.Hint, "nothing was deleted") {
				t.Errorf("got %+v", o)
			}
			after := content(t, dir)
			for _, name := range slices.Sorted(maps.Keys(before)) {
				if before[name] != after[name] {
					t.Errorf("%s was changed", name)
				}
			}
		})
	}
}

// A torn end of the log is what a power cut leaves: it is repaired, as the batch in
// it was never acknowledged.
func TestTornLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := child(t, "commit", dir)
	acked := lines(t, cmd, func(n int, _ uint64) {
		if n == 50 {
			cmd.Process.Kill()
		}
	})
	err := eachLog(dir, func(f string) error {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		end := 0 // of the records: each starts with the length of itself and of its padding
		for l := binary.LittleEndian.Uint64(b); l != 0; l = binary.LittleEndian.Uint64(b[end:]) {
			end += 8 + int(l&(1<<56-1))
			if l>>63 == 1 {
				end += int(l >> 56 & 7)
			}
		}
		binary.LittleEndian.PutUint64(b[end:], 4096)
		copy(b[end+8:], "the start of a record whose other sectors were never written")
		return os.WriteFile(f, b, fileMode)
	})
	if err != nil {
		t.Fatal(err)
	}
	checkNumbered(t, dir, acked)
}

// A store of a newer kith is left alone (issue: bad input).
func TestNewerFormat(t *testing.T) {
	t.Parallel()
	server := start(t, Config{Dir: t.TempDir()})
	for stored, want := range map[string]string{ // any order: each is set anew
		"3":   "cannot open the store: it has format 3, and this version of kith knows up to 2",
		"0":   `cannot open the store: "0" is not a store format (key /kith/format)`,
		"abc": `cannot open the store: "abc" is not a store format (key /kith/format)`,
	} {
		if _, err := server.Client().Put(t.Context(), "/kith/format", stored); err != nil {
			t.Fatal(err)
		}
		_, err := server.Open(t.Context(), store.Identity{ID: "a"})
		if kith.CodeOf(err) != kith.Conflict || err.Error() != want || kith.HintOf(err) == "" {
			t.Errorf("%s: got %v, hint %q", stored, err, kith.HintOf(err))
		}
	}
}

func TestBadDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, fileMode); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", file, file + "/below"} {
		if _, err := Start(t.Context(), Config{Dir: dir}); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("%q: got %v", dir, err)
		}
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	start(t, Config{Dir: open})
	if info, err := os.Stat(open); err != nil || info.Mode().Perm() != dirMode {
		t.Errorf("the directory is %v, %v", info.Mode(), err)
	}
}

func eachLog(dir string, do func(path string) error) error {
	logs, err := filepath.Glob(filepath.Join(dir, "member/wal/*.wal"))
	for _, f := range logs {
		err = errors.Join(err, do(f))
	}
	return err
}

func garble(path string, from, n int) error {
	b, err := os.ReadFile(path)
	for i := from; i < min(from+n, len(b)); i++ {
		b[i] ^= 0x5a
	}
	return errors.Join(err, os.WriteFile(path, b, fileMode))
}

func zero(path string, from int) error {
	b, err := os.ReadFile(path)
	clear(b[min(from, len(b)):])
	return errors.Join(err, os.WriteFile(path, b, fileMode))
}

// content is a digest of each file that holds data.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == lockName || path == logName || strings.HasSuffix(path, ".tmp") {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		sums[path] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}
