package embedetcd

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"kith"
)

const (
	lockName = "lock"
	dirMode  = 0o700
	fileMode = 0o600
)

// makeDir makes the directory, or sees that it is one and makes it private.
func makeDir(dir string) error {
	if dir == "" {
		return kith.Errorf(kith.Invalid, "cannot start the store: no directory")
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return kith.Errorf(kith.Invalid, "cannot make the store's directory: %v", err).WithHint("choose another with --data")
	}
	if err := os.Chmod(dir, dirMode); err != nil {
		return kith.Errorf(kith.Invalid, "cannot make the store's directory private: %v", err).
			WithHint("it must belong to this user; choose another with --data")
	}
	return nil
}

// lockDir takes the directory for this process until the file is closed, which the
// kernel does if the process dies. The file holds the process's id for the error of others.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, kith.Errorf(kith.Unavailable, "cannot lock the store's directory: %v", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		defer f.Close()
		return nil, kith.Errorf(kith.Conflict, "cannot open the store in %s: %s is using it", dir, holder(f)).
			WithHint("use the controller that runs there, stop it with 'kith down', or choose another directory with --data")
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return nil, kith.Errorf(kith.Unavailable, "cannot lock %s: %v", path, err)
	}
	return f, nil
}

func holder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 32))
	if pid, perr := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && perr == nil {
		return "another controller (process " + strconv.Itoa(pid) + ")"
	}
	return "another controller"
}
