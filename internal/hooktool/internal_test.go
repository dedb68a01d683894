package hooktool

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v2"
)

// Hook protocol reference, section 8.2: values keep their type, and integers are
// printed plainly although they came through JSON.
func TestPlainNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   any
		want string // smart
	}{
		{nil, ""}, {"8080", "8080\n"}, {"", ""}, {true, "True\n"}, {false, "False\n"},
		{8080, "8080\n"}, {int64(math.MaxInt64), "9223372036854775807\n"},
		{float64(8080000), "8080000\n"}, {float64(-3), "-3\n"}, {1.5, "1.5\n"}, {1e300, "1e+300\n"},
		{json.Number("9223372036854775807"), "9223372036854775807\n"}, {json.Number("2.50"), "2.5\n"}, {json.Number("2.0"), "2\n"},
		{json.Number("1e999"), "1e999\n"},
	} {
		got, err := render("smart", plain(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%v (%T): %q, %v; want %q", c.in, c.in, got, err, c.want)
		}
	}
}

// Section 6.4, the rows of the table that no tool of today can produce.
func TestRender(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value             any
		smart, yaml, json string
	}{
		{nil, "", "", "null\n"},
		{[]string(nil), "", "[]\n", "null\n"},
		{map[string]string(nil), "{}\n", "{}\n", "null\n"},
		{map[string]string{}, "{}\n", "{}\n", "{}\n"},
		{"ends in a newline\n", "ends in a newline\n\n", "|\n  ends in a newline\n", `"ends in a newline\n"` + "\n"},
		{"\n\n", "\n\n\n", "|2+\n", `"\n\n"` + "\n"},
	} {
		for format, want := range map[string]string{"smart": c.smart, "yaml": c.yaml, "json": c.json} { // any order
			if got, err := render(format, c.value); err != nil || string(got) != want {
				t.Errorf("%#v as %s: %q, %v; want %q", c.value, format, got, err, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`action-fail action-get action-log action-set application-version-set close-port config-get credential-get goal-state is-leader juju-log juju-reboot
		k8s-raw-get k8s-raw-set k8s-spec-get k8s-spec-set leader-get leader-set
		network-get open-port opened-ports payload-register payload-status-set payload-unregister pod-spec-get pod-spec-set relation-get relation-ids relation-list relation-model-get relation-set resource-get
		secret-add secret-get secret-grant secret-ids secret-info-get secret-remove secret-revoke secret-set
		state-delete state-get state-set status-get status-set storage-add storage-get storage-list unit-get`)
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("Names() = %q", got)
	}
}

// A file in which nothing fits is complained about in a few lines.
func TestManyBadValues(t *testing.T) {
	t.Parallel()
	_, err := parseMapping([]byte("{" + strings.Repeat("a: [],", 5000) + "}"))
	if err == nil || strings.Count(err.Error(), "\n") != maxComplaints+1 || !strings.HasSuffix(err.Error(), "\n  and 4980 more") {
		t.Errorf("%v", err)
	}
}

// fuzzOptions are one option of each kind.
func fuzzOptions() (options []*option, flag *bool, value *string) {
	i := &invocation{}
	flag, value = i.boolean("", "a", "all"), i.text("V", "", "v", "value")
	return i.options, flag, value
}

func FuzzOptions(f *testing.F) {
	for _, s := range []string{"", "-a", "--all=x", "-va", "-av\x00", "--value\x00-a", "a\x00--\x00-a", "-\x00-h", "--=", "---", "-é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, words string) {
		args := strings.Split(words, "\x00")
		options, _, _ := fuzzOptions()
		rest, err := parseOptions(options, args)
		var usage usageError
		if err != nil {
			if !errors.As(err, &usage) && !errors.Is(err, errHelp) {
				t.Fatalf("%q: unexpected kind of error %v", args, err)
			}
			return
		}
		// What is left is a subsequence of what came, and holds every plain word once
		// the options' own values are taken away; after "--" it is all that came.
		at := 0
		for _, r := range rest {
			n := slices.Index(args[at:], r)
			if n < 0 {
				t.Fatalf("%q left %q", args, rest)
			}
			at += n + 1
		}
		if !strings.Contains(words, "-") && !slices.Equal(rest, args) {
			t.Errorf("%q has no options but left %q", args, rest)
		}
		// Everything behind "--" means the same, whatever it looks like.
		options, _, _ = fuzzOptions()
		if all, err := parseOptions(options, append([]string{"--"}, args...)); err != nil || !slices.Equal(all, args) {
			t.Errorf("-- %q left %q, %v", args, all, err)
		}
	})
}

func FuzzKeyValues(f *testing.F) {
	for _, s := range []string{"a=1", "a=b=c", " a = b ", "a=", "", "abc", "=v", "a=1\x00a=2", "\u00a0=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, words string) {
		set, err := keyValues(strings.Split(words, "\x00"))
		if err != nil {
			return
		}
		var again []string
		for k, v := range set { // any order: compared as a map
			if k == "" || strings.TrimSpace(k) != k || strings.TrimSpace(v) != v || strings.Contains(k, "=") {
				t.Fatalf("%q gave %q = %q", words, k, v)
			}
			again = append(again, k+"="+v)
		}
		if twice, err := keyValues(again); err != nil || !maps.Equal(set, twice) {
			t.Errorf("%q gave %q, and that gave %q, %v", words, set, twice, err)
		}
	})
}

// Both writers of --file input are read back exactly: JSON as ops writes it, with and
// without escapes, and YAML. No text may crash the reader.
func FuzzMapping(f *testing.F) {
	f.Add("a", "1", `{"a": "1"}`)
	f.Add("Charm/StoredStateData[_stored]", "{a: 1}\n", "a: |+\n  x\n...\n")
	f.Add("<<", "\U0001F600\u2028\ufffd", `{"a": "\ud83d\ude00"}`)
	f.Add("~", "null", "{a: 1, a: 2}")
	f.Add("y", "0x10", "a: &x {<<: *x}")
	f.Fuzz(func(t *testing.T, key, value, text string) {
		if utf8.ValidString(key) && utf8.ValidString(value) {
			want := map[string]string{key: value}
			for name, write := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "YAML": yaml.Marshal} { // any order
				in, err := write(want)
				if err != nil {
					t.Fatal(err)
				}
				if name == "YAML" && key == "<<" {
					continue // the library writes it unquoted, and so it reads as a merge
				}
				if got, err := parseMapping(in); err != nil || !maps.Equal(got, want) {
					t.Errorf("%q read from %s %q gave %q, %v", want, name, in, got, err)
				}
			}
			in := []byte("{" + strconv.QuoteToASCII(key) + ": " + strconv.QuoteToASCII(value) + "}")
			if got, ok := parseJSON(in); ok && !maps.Equal(got, want) {
				t.Errorf("%q read from %q gave %q", want, in, got)
			}
		}
		if set, err := parseMapping([]byte(text)); err == nil && set == nil {
			t.Errorf("%q gave neither a mapping nor an error", text)
		}
	})
}

func FuzzPorts(f *testing.F) {
	for _, s := range []string{"80", "80/udp", "80-90/TCP", "icmp", "90-80", "1-2-3", "80/icmp", "65536", "-1", "/", "+5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePorts(s)
		if err != nil {
			return
		}
		again, err := parsePorts(p.String())
		if err != nil || again != p || p.From > p.To || p.From < 0 || p.To > 65535 {
			t.Errorf("%q gave %+v, printed as %s and read as %+v, %v", s, p, p, again, err)
		}
	})
}
