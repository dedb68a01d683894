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
// happen in the controller. On Kubernetes it is lost with the pod.
type LocalState struct{ Path string }

// StateGet is what the file holds; nothing if there is no file. Errors: those of reading it.
func (s LocalState) StateGet() (map[string]string, error) {
	data, err := os.ReadFile(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var state map[string]string
	if err := json.Unmarshal(data, &state); err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot read the stored state in %q: %v", s.Path, err)
	}
	return state, nil
}

// StateSet replaces the file. Only this user can read it. Errors: those of writing it.
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
