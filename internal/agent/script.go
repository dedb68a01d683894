package agent

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"kith"
)

// script is what runs for a hook.
type script struct {
	Path string   // absolute; empty if the charm has nothing for this hook
	Args []string // after the path; none for a charm's own
	Via  string   // how the log names it
}

// Juju's words for the two ways a hook is found.
const (
	viaDispatch = "hook dispatching script: dispatch"
	viaBespoke  = "explicit, bespoke hook script"
)

// findScript picks what to execute for a hook (hook protocol reference, section
// 3.1): dispatch always wins, then hooks/<name>, else the hook is missing and
// Path is empty. A file that is there and cannot be executed is an error, never
// a missing hook.
func findScript(charmDir, hook string) (script, error) { return findIn(charmDir, "hooks", hook) }

// findAction is findScript for an action: dispatch, or actions/<name>.
func findAction(charmDir, action string) (script, error) { return findIn(charmDir, "actions", action) }

func findIn(charmDir, folder, name string) (script, error) {
	if !hasMetadata(charmDir) {
		return script{}, kith.Errorf(kith.Internal, "charm missing from disk")
	}
	for _, s := range []script{
		{Path: filepath.Join(charmDir, "dispatch"), Via: viaDispatch},
		{Path: filepath.Join(charmDir, folder, name), Via: viaBespoke},
	} {
		_, err := exec.LookPath(s.Path) // the path is absolute: this only looks at the file
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return s, reason(err)
		}
	}
	return script{}, nil
}

// hasMetadata reports whether a charm is unpacked in dir.
func hasMetadata(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "metadata.yaml"))
	return err == nil
}

// reason is the cause of err without the operation and the path that os and
// exec put before it: the log line around it names both.
func reason(err error) error {
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
