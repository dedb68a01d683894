package charm

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Charm format reference, section 4.1: YAML 1.1 as Juju's library has it.
func TestScalars(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]any{
		`yes`: true, `Off`: false, `y`: true, `N`: false, `"yes"`: "yes", `'on'`: "on",
		`12`: 12, `-3`: -3, `+3`: 3, `0x1f`: 31, `010`: 8, `0b11`: 3, `1_000`: 1000, `"12"`: "12",
		`18446744073709551615`: uint64(18446744073709551615),
		`1.5`:                  1.5, `1e3`: 1000.0, `.5`: 0.5, `24.04`: 24.04,
		`1.2.3`: "1.2.3", `12:30`: "12:30", `2024-01-02`: "2024-01-02", `-`: []any{nil}, `.`: ".", `+x`: "+x", `1-3`: "1-3",
		`~`: nil, `null`: nil, `!!str 5`: "5", `!!int "5"`: "5?", `!!float 5`: 5.0, `!!binary aGk=`: "hi", `!thing x`: "x",
		"|\n  a\n  b\n": "a\nb\n", `[a, 1]`: []any{"a", 1}, `{a: {b: 1}}`: map[any]any{"a": map[any]any{"b": 1}},
		"{<<: {a: 1, b: 2}, a: 3}":          map[any]any{"a": 3, "b": 2},
		"{<<: [{a: 1}, {a: 2, c: 4}]}":      map[any]any{"a": 1, "c": 4},
		"{x: &x [1], y1: *x}":               map[any]any{"x": []any{1}, "y1": []any{1}},
		"{a: 1, a: 2}":                      map[any]any{"a": 2},
		"{5: a, true: b}":                   map[any]any{5: "a", true: "b"},
		"first: 1\n---\nsecond: document\n": map[any]any{"first": 1},
	} {
		n, err := parseYAML(&document{"x.yaml", ""}, []byte(in))
		if want == "5?" { // quoted and tagged: the tag wins
			want = 5
		}
		if err != nil || !reflect.DeepEqual(n.value(), want) {
			t.Errorf("%s: %#v, %v; want %#v", in, n.value(), err, want)
		}
	}
}

func TestBadYAML(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a: b: c":                 "yaml: mapping values are not allowed in this context (x.yaml)",
		"a: 1\nb: [":              "yaml: line 2: did not find expected node content (x.yaml:2)",
		"{[a]: 1}":                `yaml: invalid map key: []interface {}{"a"} (x.yaml:1)`,
		"a: &a [*a]":              "",
		"a: *nope":                "yaml: unknown anchor 'nope' referenced (x.yaml)",
		"!!int x":                 `yaml: cannot decode "x" as a !!int (x.yaml:1)`,
		"!!binary '*'":            "yaml: !!binary value is not base64 of UTF-8 text (x.yaml:1)",
		"<<: 5":                   "yaml: map merge requires map or sequence of maps as the value (x.yaml:1)",
		"a: \xff":                 "",
		strings.Repeat("[", 5000): "",
	} {
		n, err := parseYAML(&document{"x.yaml", ""}, []byte(in))
		if err == nil || want != "" && err.Error() != want {
			t.Errorf("%.40q: %v, %v; want %s", in, n, err, want)
		}
	}
}

// A file of 1 KiB must not become a gigabyte: aliases that double again and
// again, and merge keys that do the same, stop at MaxYAMLNodes.
func TestYAMLBombs(t *testing.T) {
	t.Parallel()
	var laughs, merges strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	merges.WriteString("a0: &a0 {k: v}\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
		fmt.Fprintf(&merges, "a%d: &a%d {<<: [%s*a%d]}\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	for _, in := range []string{laughs.String(), merges.String()} {
		_, err := ParseMeta("metadata.yaml", []byte(in))
		if !strings.Contains(text(err), "MaxYAMLNodes") {
			t.Errorf("got %v, want a limit", err)
		}
	}
	if _, err := ParseMeta("metadata.yaml", make([]byte, MaxYAMLSize+1)); !strings.Contains(text(err), "MaxYAMLSize") {
		t.Errorf("got %v, want a limit", err)
	}
}
