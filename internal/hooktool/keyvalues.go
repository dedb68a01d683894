package hooktool

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v2"

	"kith"
)

// MaxFile is the largest text --file takes: a databag of the largest size fits even if
// half its bytes are written as JSON escapes.
const MaxFile = 64 << 20

// keyValues reads arguments of the form key=value (section 6.5).
func keyValues(args []string) (map[string]string, error) {
	set := map[string]string{}
	for _, arg := range args {
		if arg == "" {
			continue
		}
		key, value, ok := strings.Cut(arg, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok || key == "" {
			return nil, usagef(`expected "key=value", got %q`, arg)
		}
		if _, twice := set[key]; twice {
			return nil, usagef("key %q specified more than once", key)
		}
		set[key] = value
	}
	return set, nil
}

// settings declares the option --file. The function it returns reads the file that
// was named, if any, and puts the key=value arguments over what it says (section 6.6).
func (i *invocation) settings() func(args map[string]string) (map[string]string, error) {
	file := i.text("FILE", "a YAML or JSON mapping of keys to values; - is standard input", "file")
	return func(args map[string]string) (map[string]string, error) {
		if *file == "" {
			return args, nil
		}
		text, err := i.read(*file)
		if err != nil {
			return nil, err
		}
		set, err := parseMapping(text)
		if err != nil {
			return nil, err
		}
		for k, v := range args { // any order: keys are distinct
			set[k] = v
		}
		return set, nil
	}
}

// read is the content of a file, or of standard input.
func (i *invocation) read(file string) (text []byte, err error) {
	switch {
	case file != "-":
		text, err = i.run.host.ReadFile(i.path(file), MaxFile+1)
	case i.call.StdinSupplied:
		text = i.call.Stdin
	default:
		err = errNeedStdin
	}
	if len(text) > MaxFile {
		return nil, kith.Errorf(kith.Invalid, "cannot read %q: more than %d bytes", file, MaxFile).
			WithHint("the limit is hooktool.MaxFile")
	}
	return text, err
}

// parseMapping reads a YAML mapping of strings to strings; other scalars count as
// their text, and the last of two equal keys wins.
func parseMapping(text []byte) (map[string]string, error) {
	if set, ok := parseJSON(text); ok {
		return set, nil
	}
	set := map[string]string{}
	if err := yaml.Unmarshal(text, &set); err != nil {
		return nil, shortened(err)
	}
	if set == nil {
		set = map[string]string{}
	}
	return set, nil
}

// maxComplaints bounds what is said about one file: there is a line for each value
// that does not fit, and a file can hold millions.
const maxComplaints = 20

func shortened(err error) error {
	var all *yaml.TypeError
	if !errors.As(err, &all) || len(all.Errors) <= maxComplaints {
		return err
	}
	more := fmt.Sprintf("and %d more", len(all.Errors)-maxComplaints)
	return &yaml.TypeError{Errors: append(slices.Clone(all.Errors[:maxComplaints]), more)}
}

// parseJSON reads a JSON object of strings, which is what ops sends. Read as YAML it
// would cost several times the time and memory, could not hold characters beyond
// the basic plane in the escaped form that Python writes, and would lose U+2028 and
// its like. Juju: reads everything as YAML, and refuses those escapes. False for
// anything that JSON and YAML could take for different things.
func parseJSON(text []byte) (map[string]string, bool) {
	if trimmed := strings.TrimSpace(string(text[:min(len(text), 64)])); !strings.HasPrefix(trimmed, "{") || !utf8.Valid(text) {
		return nil, false
	}
	var raw map[string]*string
	if json.Unmarshal(text, &raw) != nil {
		return nil, false
	}
	set := make(map[string]string, len(raw))
	for k, v := range raw { // any order: a map is made
		// A null is YAML's to explain, and U+FFFD may stand for a broken escape.
		if v == nil || strings.ContainsRune(k, utf8.RuneError) || strings.ContainsRune(*v, utf8.RuneError) {
			return nil, false
		}
		set[k] = *v
	}
	return set, true
}

// parseRelationID reads "endpoint:number" or "number": only what follows the last
// colon counts (section 6.7).
func parseRelationID(s string) (kith.RelationID, bool) {
	n, err := strconv.Atoi(s[strings.LastIndexByte(s, ':')+1:])
	return kith.RelationID(n), err == nil
}
