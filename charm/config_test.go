package charm

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"kith"
)

func configCharm(t testing.TB) *Charm {
	t.Helper()
	c, err := Parse(sampleFiles("C", `
options:
  s: {type: string, default: hello}
  i: {type: int, default: 5}
  f: {type: float, default: 2}
  b: {type: boolean, default: true}
  k: {type: secret}
`))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Charm format reference, section 13: "Values given as text".
func TestParseConfigValue(t *testing.T) {
	t.Parallel()
	c := configCharm(t)
	for _, test := range []struct {
		name, text string
		want       any
		err        string
	}{
		{"s", "", "", ""},
		{"s", "5", "5", ""},
		{"i", "80", int64(80), ""},
		{"i", "-3", int64(-3), ""},
		{"i", "cheese", nil, `option "i" expected int, got "cheese"`},
		{"i", "0x1f", nil, `option "i" expected int, got "0x1f"`},
		{"i", "1.5", nil, `option "i" expected int, got "1.5"`},
		{"i", "99999999999999999999", nil, `option "i" expected int, got "99999999999999999999"`},
		{"f", "1.5", 1.5, ""},
		{"f", "2", 2.0, ""},
		{"f", "NaN", nil, `option "f" expected float, got "NaN"`},
		{"f", "inf", nil, `option "f" expected float, got "inf"`},
		{"b", "T", true, ""},
		{"b", "0", false, ""},
		{"b", "yes", nil, `option "b" expected boolean, got "yes"`},
		{"k", "anything", "anything", ""},
		{"prot", "1", nil, `unknown option "prot"`},
	} {
		got, err := c.ParseConfigValue(test.name, test.text)
		if text(err) != test.err || err == nil && got != test.want {
			t.Errorf("ParseConfigValue(%q, %q) = %#v, %v; want %#v, %s", test.name, test.text, got, err, test.want, test.err)
		}
		if err != nil && (kith.CodeOf(err) != kith.Invalid || kith.HintOf(err) == "") {
			t.Errorf("ParseConfigValue(%q, %q): code %s, hint %q", test.name, test.text, kith.CodeOf(err), kith.HintOf(err))
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Charm format reference, section 13: "Value coercion".
func TestValidateConfig(t *testing.T) {
	t.Parallel()
	c := configCharm(t)
	for _, test := range []struct {
		name string
		in   any
		want any
		err  string
	}{
		{"s", "x", "x", ""},
		{"s", 5.0, nil, `option "s" expected string, got 5`},
		{"s", true, nil, `option "s" expected string, got true`},
		{"i", 5.0, int64(5), ""},
		{"i", 5, int64(5), ""},
		{"i", json.Number("7"), int64(7), ""},
		{"i", "0x10", int64(16), ""},
		{"i", 1.5, nil, `option "i" expected int, got 1.5`},
		{"i", true, nil, `option "i" expected int, got true`},
		{"i", uint64(math.MaxUint64), nil, `option "i" expected int, got 0xffffffffffffffff`},
		{"f", 1, 1.0, ""},
		{"f", 1.5, 1.5, ""},
		{"f", "1.5", nil, `option "f" expected float, got "1.5"`},
		{"f", math.NaN(), nil, `option "f" expected float, got NaN`},
		{"b", "true", true, ""},
		{"b", 1.0, nil, `option "b" expected boolean, got 1`},
		{"k", "secret:9m4e2mr0ui3e8a215n4g", "secret:9m4e2mr0ui3e8a215n4g", ""},
		{"k", "", "", ""},
		{"k", "abc", nil, `option "k" expected secret, got "abc"`},
		{"i", nil, nil, ""},
		{"prot", 1, nil, `unknown option "prot"`},
	} {
		got, err := c.ValidateConfig(map[string]any{test.name: test.in})
		if text(err) != test.err || err == nil && got[test.name] != test.want {
			t.Errorf("ValidateConfig(%s: %#v) = %#v, %v; want %#v, %s", test.name, test.in, got, err, test.want, test.err)
		}
	}
	// Of several mistakes it is always the same one.
	for range 20 {
		if _, err := c.ValidateConfig(map[string]any{"i": "x", "b": "x", "zz": 1}); text(err) != `option "b" expected boolean, got "x"` {
			t.Fatal(err)
		}
	}
}

// Charm format reference, section 13: settings files.
func TestParseSettings(t *testing.T) {
	t.Parallel()
	c := configCharm(t)
	got, err := c.ParseSettings("settings.yaml", []byte("web:\n  i: 80\n  s: \"90\"\n  b: \"f\"\n  f: 1\n  k:\n"), "web")
	want := map[string]any{"i": int64(80), "s": "90", "b": false, "f": 1.0, "k": nil}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for _, test := range []struct{ in, want string }{
		{"web: {i: x}", `option "i" expected int, got "x" (settings.yaml:1)`},
		{"web:\n  i: 1\n  s: 5", `option "s" expected string, got 5 (settings.yaml:3)`},
		{"web: {prot: 1}", `unknown option "prot"`},
		{"other: {i: 1}", `no settings found for "web" (settings.yaml:1)`},
		{"", `no settings found for "web" (settings.yaml:1)`},
		{"- a", `no settings found for "web" (settings.yaml:1)`},
	} {
		if _, err := c.ParseSettings("settings.yaml", []byte(test.in), "web"); text(err) != test.want {
			t.Errorf("%q: %v, want %s", test.in, err, test.want)
		}
	}
	if _, err := c.ParseSettings("settings.yaml", []byte("web: {\n"), "web"); !strings.HasPrefix(text(err), "cannot parse settings data: yaml: ") {
		t.Errorf("bad YAML: %v", err)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := map[string]any{"s": "hello", "i": int64(5), "f": 2.0, "b": true}
	if got := configCharm(t).Defaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A charm that has been stored as JSON and read again is the same charm: an int
// default is not a float64 then.
func TestCharmJSONRoundTrip(t *testing.T) {
	t.Parallel()
	c := configCharm(t)
	big := c.Config["i"]
	big.Default = int64(math.MaxInt64)
	c.Config["big"] = big
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Charm
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, c) {
		t.Errorf("came back as %+v, was %+v", back, *c)
	}
	if err := json.Unmarshal([]byte(`{"config": {"i": {"type": "int", "default": 1.5}}}`), &back); err == nil {
		t.Error("a default of the wrong type was accepted")
	}
}
