package dispatch

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"kith"
)

// Script is what runs for a hook.
type Script struct {
	Path string   // absolute; empty if the charm has nothing for this hook
	Args []string // after the path; none for a charm's own
	Via  string   // how the log names it
}

// Juju's words for the two ways a hook is found.
const (
	ViaDispatch = "hook dispatching script: dispatch"
	ViaBespoke  = "explicit, bespoke hook script"
)

// FindHook picks what to execute for a hook (hook protocol reference, section
// 3.1): dispatch always wins, then hooks/<name>, else the hook is missing and
// Path is empty. A file that is there and cannot be executed is an error, never
// a missing hook.
func FindHook(charmDir, hook string) (Script, error) { return findIn(charmDir, "hooks", hook) }

// FindAction is FindHook for an action: dispatch, or actions/<name>.
func FindAction(charmDir, action string) (Script, error) { return findIn(charmDir, "actions", action) }

func findIn(charmDir, folder, name string) (Script, error) {
	if !HasMetadata(charmDir) {
		return Script{}, kith.Errorf(kith.Internal, "charm missing from disk")
	}
	for _, s := range []Script{
		{Path: filepath.Join(charmDir, "dispatch"), Via: ViaDispatch},
		{Path: filepath.Join(charmDir, folder, name), Via: ViaBespoke},
	} {
		_, err := exec.LookPath(s.Path) // the path is absolute: this only looks at the file
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return s, Reason(err)
		}
	}
	return Script{}, nil
}

// HasMetadata reports whether a charm is unpacked in dir.
func HasMetadata(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "metadata.yaml"))
	return err == nil
}

// Reason is the cause of err without the operation and the path that os and
// exec put before it: the log line around it names both.
func Reason(err error) error {
	var look *exec.Error
	if errors.As(err, &look) {
		err = look.Err
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err
}
