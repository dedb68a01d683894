package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sys/unix"

	"kith"
)

// home is the folder of one user's kith: the client's state, and below it the
// controller's data. Nothing of kith's lives elsewhere, so two homes never meet.
type home struct{ dir string }

// state is what the client remembers from one command to the next.
type state struct {
	// CurrentModel is the model commands work on: "admin/prod".
	CurrentModel string `yaml:"current-model,omitempty"`
	// PreviousModel is where "switch -" goes.
	PreviousModel string `yaml:"previous-model,omitempty"`
	// Data is the controller's data folder, if it is not the one in the home.
	Data string `yaml:"data,omitempty"`
}

// findHome chooses the home: KITH_HOME; JUJU_DATA if we are called juju;
// XDG_DATA_HOME/kith; ~/.local/share/kith (CLI reference, section 2.1).
func findHome(program string, getenv func(string) string) (home, error) {
	dir := getenv("KITH_HOME")
	if dir == "" && program == "juju" {
		dir = getenv("JUJU_DATA")
	}
	if xdg := getenv("XDG_DATA_HOME"); dir == "" && xdg != "" {
		dir = filepath.Join(xdg, "kith")
	}
	if user := getenv("HOME"); dir == "" && user != "" {
		dir = filepath.Join(user, ".local", "share", "kith")
	}
	if dir == "" {
		return home{}, kith.Errorf(kith.Invalid, "cannot find the kith home: neither KITH_HOME nor HOME is set").
			WithHint("set KITH_HOME to a folder of your own")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return home{}, fmt.Errorf("cannot find the kith home: %w", err)
	}
	return home{abs}, nil
}

// file is where the client's state is.
func (h home) file() string { return filepath.Join(h.dir, "client.yaml") }

// data is the controller's data folder.
func (h home) data(s state) string {
	if s.Data != "" {
		return s.Data
	}
	return filepath.Join(h.dir, "controller")
}

// load reads the state; a home that does not exist yet has an empty one.
func (h home) load() (state, error) {
	var s state
	text, err := os.ReadFile(h.file())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, h.unusable("read the client state", err)
	}
	if err := yaml.Unmarshal(text, &s); err != nil {
		return s, kith.Errorf(kith.Invalid, "cannot read %s: %v", h.file(), err).
			WithHint("repair the file or remove it; '%s switch' then chooses a model anew", "kith")
	}
	return s, nil
}

// unusable is the refusal of a home that is not a folder of ours.
func (h home) unusable(verb string, err error) error {
	return kith.Errorf(kith.Invalid, "cannot %s: %v", verb, err).
		WithHint("the home is %s; set KITH_HOME to a folder of your own", h.dir)
}

// update changes the state. Commands may run at the same time: one changes the
// file after the other, and a reader sees the file before or after a change.
func (h home) update(change func(*state)) error {
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return h.unusable("create the kith home", err)
	}
	unlock, err := lockFile(filepath.Join(h.dir, "client.lock"))
	if err != nil {
		return h.unusable("lock the client state", err)
	}
	defer unlock()
	old, err := h.load()
	if err != nil {
		return err
	}
	s := old
	if change(&s); s == old {
		return nil
	}
	text, err := yaml.Marshal(s)
	if err != nil {
		return fmt.Errorf("cannot write the client state: %w", err)
	}
	return writeFile(h.file(), text)
}

// writeFile puts text in place of the file in one step.
func writeFile(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // fails once it is renamed
	if _, err = tmp.Write(text); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}

// lockFile waits until nobody else holds the lock at path, and takes it. The
// lock goes with the process that holds it.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
