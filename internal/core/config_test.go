package core

import (
	"reflect"
	"testing"

	"kith/charm"
)

// Charm format reference, section 13: "Values given as text on a command line: int
// by base-10, float and boolean by Go's parsers".
func TestConfigGivenAsText(t *testing.T) {
	t.Parallel()
	c := charm.Charm{Config: map[string]charm.Option{
		"f": {Type: charm.FloatOption}, "i": {Type: charm.IntOption}, "b": {Type: charm.BooleanOption}, "s": {Type: charm.StringOption},
	}}
	given := map[string]any{"f": "2", "i": "80", "b": "true", "s": "1.5"}
	got, err := readConfig(&c, given)
	want := map[string]any{"f": 2.0, "i": int64(80), "b": true, "s": "1.5"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("readConfig(%v) = %v, %v; want %v", given, got, err, want)
	}
	if given["f"] != "2" {
		t.Error("readConfig changed the command")
	}
	const refusal = `option "f" expected float, got "x"`
	if _, err := readConfig(&c, map[string]any{"f": "x"}); err == nil || err.Error() != refusal {
		t.Errorf("a word for a float: %v, want %s", err, refusal)
	}
}
