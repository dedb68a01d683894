package kith_test

import (
	"strings"
	"testing"

	"kith"
)

// Hook protocol reference, section 12.1: the forms of a URI, and the rule for keys.
func TestSecretNames(t *testing.T) {
	t.Parallel()
	id := kith.NewSecretID([kith.SecretIDBytes]byte{0, 1, 2, 250, 251, 252, 253, 254, 255})
	if len(id) != 20 || strings.Trim(string(id), "0123456789abcdefghijklmnopqrstuv") != "" {
		t.Errorf("an id is %q", id)
	}
	const uuid = "deadbeef-0bad-400d-8000-4b1d0d06f00d"
	for s, model := range map[string]kith.ModelUUID{
		string(id): "", id.URI(): "", "secret://" + uuid + "/" + string(id): uuid,
	} {
		if got, gotModel, err := kith.ParseSecretURI(s); got != id || gotModel != model || err != nil {
			t.Errorf("%q: %q, %q, %v", s, got, gotModel, err)
		}
	}
	for _, bad := range []string{"", "x", "secret:", "secret:x", string(id) + "0", strings.ToUpper(string(id[:19])) + "A",
		"secret://x/" + string(id), "secret://" + uuid, "//" + uuid + "/" + string(id), "other:" + string(id)} {
		_, _, err := kith.ParseSecretURI(bad)
		if err == nil || err.Error() != `secret URI "`+bad+`" not valid` || kith.CodeOf(err) != kith.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for key, valid := range map[string]bool{
		"abc": true, "a1b": true, "a-b-c": true, "password": true, "user-name2": true, "ab": false, "": false, "A": false, "Abc": false,
		"1abc": false, "a--b": false, "abc-": false, "-abc": false, "a_b": false, "a.b.c": false, "abc\n": false,
	} {
		if kith.ValidSecretKey(key) != valid {
			t.Errorf("key %q", key)
		}
	}
}

func FuzzParseSecretURI(f *testing.F) {
	f.Add("secret:d5k0example0000000ab")
	f.Add("secret://deadbeef-0bad-400d-8000-4b1d0d06f00d/d5k0example0000000ab")
	f.Fuzz(func(t *testing.T, s string) {
		id, model, err := kith.ParseSecretURI(s)
		if err != nil {
			return
		}
		again, _, err := kith.ParseSecretURI(id.URI())
		if again != id || err != nil || !strings.Contains(s, string(model)) {
			t.Errorf("%q: %q, then %q, %v", s, id, again, err)
		}
	})
}
