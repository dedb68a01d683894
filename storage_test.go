package kith_test

import (
	"testing"

	"kith"
)

// "ids must match [a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*/<number>" (charm format
// reference, section 8.1).
func TestParseStorageID(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"data/0", "db-2a/17", "a/9"} {
		id, err := kith.ParseStorageID(s)
		if err != nil || string(id) != s || kith.StorageOf(id.Name(), id.Number()) != id {
			t.Errorf("%q: %q, %v", s, id, err)
		}
	}
	for _, s := range []string{"", "data", "data/", "/0", "data/x", "data/00", "data/-1", "Data/0", "db-2/0", "a/b/0", "data/0/1", "data/99999999999999999999", "../0"} {
		if id, err := kith.ParseStorageID(s); err == nil || kith.CodeOf(err) != kith.Invalid {
			t.Errorf("%q: %q, %v", s, id, err)
		}
	}
}
