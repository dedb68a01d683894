package ops

import (
	"encoding/json"
	"slices"

	"kith"
)

// StoredState keeps a value from one dispatch to the next. value is a pointer,
// usually to a struct of the charm's: what was stored under the key is read into it
// now, and what it holds at the end of a dispatch that succeeds is stored again, if it
// has changed. Where nothing is stored the value stays as it is: set defaults before.
//
// Values are kept as JSON, so exported fields count, by their json tags. Juju keeps at
// most 64 KiB under a key, whose name has at most 256 bytes. A state belongs to the
// unit: what units share goes into the databag of a peer relation.
//
// Call it where handlers are registered. Libraries start their keys with their name. Errors:
// Invalid for an empty key, one used twice, or what is stored and does not fit the value.
func (f *Framework) StoredState(key string, value any) error {
	if key == "" || key == deferKey {
		return kith.Errorf(kith.Invalid, "cannot keep a stored state under the key %q", key)
	}
	if slices.ContainsFunc(f.stored.values, func(v storedValue) bool { return v.key == key }) {
		return kith.Errorf(kith.Invalid, "cannot keep two stored states under the key %q", key)
	}
	text, err := f.stored.get(key)
	if err != nil {
		return err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), value); err != nil {
			return kith.Errorf(kith.Invalid, "cannot read the stored state %q: %v", key, err)
		}
	}
	f.stored.values = append(f.stored.values, storedValue{key, value})
	return nil
}

// storedStates are the stored states of one dispatch.
type storedStates struct {
	backend StateBackend
	loaded  map[string]string
	read    bool // loaded is what is kept
	values  []storedValue
	// What has changed, of the values and beside them.
	set     map[string]string
	deleted []string
}

type storedValue struct {
	key   string
	value any
}

func (s *storedStates) get(key string) (string, error) {
	if !s.read {
		all, err := s.backend.StateGet()
		if err != nil {
			return "", err
		}
		s.loaded, s.read = all, true
	}
	return s.loaded[key], nil
}

// commit writes what has changed, in one step.
func (s *storedStates) commit() error {
	for _, v := range s.values {
		data, err := json.Marshal(v.value)
		if err != nil {
			return kith.Errorf(kith.Invalid, "cannot store the state %q: %v", v.key, err)
		}
		if string(data) != s.loaded[v.key] {
			put(&s.set, v.key, string(data))
		}
	}
	if len(s.set)+len(s.deleted) == 0 {
		return nil
	}
	return s.backend.StateSet(s.set, s.deleted)
}
