package embedetcd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kith"
	"kith/internal/store"
)

// smallDisk is a file system of a few megabytes. Making one takes root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// occupy fills the disk up to the last byte with a file.
func occupy(t *testing.T, disk string) (file string) {
	t.Helper()
	file = filepath.Join(disk, "ballast")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1<<16))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return file
}

// A full disk is noticed before it is written to: the commit is refused with the
// directory, nothing is in doubt, and when there is room the server goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "256m")
	server := start(t, Config{Dir: filepath.Join(disk, "store")})
	s := openStore(t, server, store.Identity{ID: "a"})
	own, err := s.Own(t.Context(), killModel)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), own, numbered(1)); err != nil {
		t.Fatal(err)
	}
	ballast := occupy(t, disk)
	err = s.Commit(t.Context(), own, numbered(2))
	if kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), server.dir) || !strings.Contains(err.Error(), "disk is full") ||
		!strings.Contains(kith.HintOf(err), "make room") || errors.Is(err, store.ErrUnknown) {
		t.Errorf("got %v, hint %q", err, kith.HintOf(err))
	}
	if snap, err := s.Load(t.Context(), killModel); err != nil || snap.Revision != 1 {
		t.Errorf("at revision %d, %v", snap.Revision, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), own, numbered(2)); err != nil {
		t.Error("there is room again:", err)
	}
	server.Close()

	occupy(t, disk)
	_, err = Start(t.Context(), Config{Dir: server.dir})
	if kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), server.dir) {
		t.Errorf("start on a full disk: %v", err)
	}
}

// A disk that fills up in the middle of a write stops the server, not the process;
// what was acknowledged is there after a restart.
func TestDiskFillsUp(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "64m")
	dir := filepath.Join(disk, "store")
	o := ask(t, "fill", dir)
	t.Logf("%+v", o)
	if o.Code != kith.Unavailable || !strings.Contains(o.Message, dir) || !strings.Contains(o.Message, "no space left on device") || o.Hint == "" {
		t.Errorf("got %+v", o)
	}
	if err := unix.Mount("none", disk, "tmpfs", unix.MS_REMOUNT, "size=512m"); err != nil {
		t.Fatal(err)
	}
	server := start(t, Config{Dir: dir})
	s := openStore(t, server, store.Identity{ID: "b"})
	snap, err := s.Load(t.Context(), killModel)
	if err != nil || snap.Revision < o.Acked || snap.Revision > o.Acked+1 {
		t.Errorf("at revision %d, acknowledged was %d, %v", snap.Revision, o.Acked, err)
	}
}
