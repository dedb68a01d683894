package controller

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kith"
)

// A charm that no longer fits on the disk is refused with the remedy, nothing of it stays, and there
// is room for it later (issue 2: bad input).
func TestBlobOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	b, err := OpenBlobs(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	put := func(data []byte) error {
		sum := sha256.Sum256(data)
		return b.Put(t.Context(), hex.EncodeToString(sum[:]), bytes.NewReader(data))
	}
	err = put(make([]byte, 256<<10))
	if kith.CodeOf(err) != kith.Unavailable || !strings.HasSuffix(err.Error(), ": the disk is full") ||
		kith.HintOf(err) != "make room on the disk of "+dir+"; nothing was changed" {
		t.Errorf("got %v (%v), hint %q", err, kith.CodeOf(err), kith.HintOf(err))
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := put([]byte("small")); err != nil {
		t.Error(err)
	}
}
