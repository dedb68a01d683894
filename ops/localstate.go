package ops

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"kith"
)

// LocalState keeps stored states and deferred events in a file instead of in the
// controller. It is written, in one step, when the handlers have succeeded; if the
// host then refuses the hook's other writes, the file is ahead of them, which cannot
// happen in the controller. It has no limit of size. A charm's upgrade leaves it, unless the new
// version brings a file of that name; on Kubernetes it is lost with the pod. What one of the two
// places keeps the other does not know: a charm that changes over begins with nothing.
type LocalState struct{ Path string }

// StateGet is what the file holds; nothing if there is no file. Errors: Unavailable for a file that cannot
// be read, Invalid for one that is not what StateSet writes.
func (s LocalState) StateGet() (map[string]string, error) {
	data, err := os.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, kith.Errorf(kith.Unavailable, "cannot read the stored state: %v", err)
	}
	var state map[string]string
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read the stored state in %q: %v", s.Path, err).
			WithHint("it is not what this package writes; move the file away to begin without it")
	}
	return state, nil
}

// StateSet replaces the file, in one step. Only this user can read it. Errors: Unavailable if it cannot
// be written, and those of StateGet.
func (s LocalState) StateSet(set map[string]string, deleted []string) error {
	state, err := s.StateGet()
	if err != nil {
		return err
	}
	state = clone(state)
	maps.Copy(state, set)
	for _, key := range deleted {
		delete(state, key)
	}
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	if err := s.write(data); err != nil {
		return kith.Errorf(kith.Unavailable, "cannot write the stored state: %v", err).
			WithHint("the folder %q has to be there, and the charm's user may write to it", filepath.Dir(s.Path))
	}
	return nil
}

func (s LocalState) write(data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(s.Path), filepath.Base(s.Path)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it has another name by then
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), s.Path)
}
