package ops

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"kith"
)

// StoredState keeps a value from one dispatch to the next. value is a pointer,
// usually to a struct of the charm's: what was stored under the key is read into it
// now, and what it holds at the end of a dispatch that succeeds is stored again, if it
// has changed. Where nothing is stored the value stays as it is: set defaults before. An
// event that ends with [StatusError] succeeds.
//
// Values are kept as JSON, so exported fields count, by their json tags; bytes that are no
// UTF-8 belong into a []byte. Hosts keep at most 64 KiB under a key, whose name has at most 256
// bytes, and 2 MiB of a unit, unless the charm says [WithLocalState]. A state belongs to the
// unit and survives upgrades: a later version of the charm reads what an earlier one stored, so
// fields are best added, and what changes its meaning gets a new key. What units share goes into
// the databag of a peer relation.
//
// Call it where handlers are registered. Libraries start their keys with their name. Errors:
// Invalid for an empty key, one used twice, what is no pointer, or what is stored and does not
// fit the value; [*ModelError] if the host does not tell, and when the dispatch ends, for what is too large.
func (f *Framework) StoredState(key string, value any) error {
	if key == "" || strings.HasPrefix(key, deferKey) {
		return kith.Errorf(kith.Invalid, "cannot keep a stored state under the key %q", key)
	}
	if v := reflect.ValueOf(value); v.Kind() != reflect.Pointer || v.IsNil() {
		return kith.Errorf(kith.Invalid, "cannot keep the state %q in a %T: want a pointer", key, value)
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
			return kith.Errorf(kith.Invalid, "cannot read the stored state %q: %v", key, err).
				WithHint("another version of the charm has stored it: give what has changed its type another key")
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
	err := s.backend.StateSet(s.set, s.deleted)
	if key := largest(s.set); err != nil && len(s.set[key]) > maxValue {
		return fmt.Errorf("cannot store the state %q of %d bytes: %w", key, len(s.set[key]), err)
	}
	return err
}

// maxValue is the largest state Juju keeps under one key (hook protocol reference, section 10.2).
const maxValue = 64 << 10

// largest is the key of the longest text.
func largest(set map[string]string) string {
	key := ""
	for k, text := range set { // any order: the first by name of the longest
		if d := len(text) - len(set[key]); key == "" || d > 0 || d == 0 && k < key {
			key = k
		}
	}
	return key
}
