package contract

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kith"
)

// Sample is what was seen of one databag.
type Sample struct {
	Role kith.Role
	Bag  BagKind // app or unit
	// Owner is the application or unit that wrote it, for the names of examples.
	Owner string
	Data  map[string]string
	// Step says that it is a step on the way: what it holds tells what values look
	// like, and what it lacks tells nothing.
	Step bool
}

// How much of what was seen becomes examples.
const (
	// inferredExamples is how many whole bags of a side become examples: each shows
	// another set of keys, and few sets say all there is to say.
	inferredExamples = 3
	// inferredText is the longest string in an example, in bytes. What is longer, such as a
	// dashboard, tells nothing more.
	inferredText = 200
)

// Infer drafts a contract of an interface from what was seen on the wire. A key is required
// if every whole bag of its side that holds anything has it; how its values are encoded and
// what type they are is what all of them have in common; whole bags become examples, with
// whatever may be secret left out of them. The notes say what the draft rests on too little
// for. A draft states what was seen, not what is meant: it is for somebody to read.
//
// The draft compiles, and its YAML form loads as the same contract. Errors: Invalid, if the
// name is none, there is nothing to go by, or there are too many keys.
func Infer(name string, samples []Sample) (*Contract, []Note, error) {
	if !namePattern.MatchString(name) {
		return nil, nil, kith.Errorf(kith.Invalid, "%q is no interface name", name)
	}
	d := &drafter{c: &Contract{Interface: name, Status: Draft}}
	if dataFamily(name) {
		d.c.Ignore = []string{"data"}
	}
	for _, role := range []kith.Role{kith.Provider, kith.Requirer, kith.Peer} {
		side := &Side{}
		for _, kind := range []BagKind{AppBag, UnitBag} {
			if err := d.bag(side, role, kind, d.own(samples, role, kind)); err != nil {
				return nil, nil, err
			}
		}
		if side.App != nil || side.Unit != nil {
			d.c.setSide(role, side)
		}
	}
	if len(d.c.Roles()) == 0 {
		return nil, nil, kith.Errorf(kith.Invalid, "cannot draft a contract of %s: nobody has written anything", name)
	}
	checker, err := d.c.Compile()
	if err != nil {
		return nil, nil, kith.Errorf(kith.Internal, "cannot draft a contract of %s: %v", name, err)
	}
	d.examples(checker, samples)
	return d.c, d.notes, nil
}

// drafter puts a draft together.
type drafter struct {
	c     *Contract
	notes []Note
	nodes int // of all schemas so far
}

func (d *drafter) note(path, format string, args ...any) {
	d.notes = append(d.notes, Note{path, fmt.Sprintf(format, args...)})
}

// own are the samples of one bag, with the keys that charms wrote only.
func (d *drafter) own(samples []Sample, role kith.Role, kind BagKind) []Sample {
	var out []Sample
	for _, s := range samples {
		if s.Role != role || s.Bag != kind {
			continue
		}
		data := map[string]string{}
		for _, key := range names(s.Data) {
			if key != "" && utf8.ValidString(key) && s.Data[key] != "" && !slices.Contains(EngineKeys(), key) && !slices.Contains(d.c.Ignore, key) {
				data[key] = s.Data[key]
			}
		}
		s.Data = data
		out = append(out, s)
	}
	return out
}

// bag drafts one bag of a side.
func (d *drafter) bag(side *Side, role kith.Role, kind BagKind, samples []Sample) error {
	values := map[string][]string{}
	with, whole, empty := map[string]int{}, 0, 0
	for _, s := range samples {
		if !s.Step && len(s.Data) == 0 {
			empty++
		} else if !s.Step {
			whole++
		}
		for _, key := range names(s.Data) {
			values[key] = append(values[key], s.Data[key])
			if !s.Step {
				with[key]++
			}
		}
	}
	path := string(role) + "/" + string(kind)
	switch {
	case len(values) == 0:
		return nil
	case len(values) > MaxKeys:
		return kith.Errorf(kith.Invalid, "cannot draft a contract of %s: the %s bags of the %s have %d keys, at most %d are taken", d.c.Interface, kind, role, len(values), MaxKeys)
	case whole == 0:
		d.note(path, "only steps on the way were seen: nothing is required")
	case whole == 1:
		d.note(path, "one bag was seen: all it holds counts as required")
	}
	b := &Bag{Optional: empty > 0 && whole > 0}
	for _, key := range names(values) {
		k := d.key(key, values[key], path+"/"+key)
		k.Required = whole > 0 && with[key] == whole
		b.Keys = append(b.Keys, k)
	}
	side.setBag(kind, b)
	return nil
}

// key drafts one key from its values.
func (d *drafter) key(name string, values []string, path string) Key {
	k := Key{Name: name, Encoding: Raw, Sensitive: sensitiveName(name)}
	var plain []string
	telling := false // a value is secret by what it is
	for _, v := range values {
		if !isSecretURI(v) {
			plain = append(plain, v)
		}
		telling = telling || strings.Contains(v, "PRIVATE KEY") || userinfo.MatchString(v)
	}
	switch {
	case len(plain) == 0:
		k.Secret, k.Sensitive = SecretOnly, false // the reference is no secret
		return k
	case len(plain) < len(values):
		k.Secret = SecretAllowed
	}
	var unsure bool
	if k.Encoding, k.Schema, unsure = encodingOf(plain); unsure {
		d.note(path, "what was seen reads as JSON and as plain text alike; it is taken for JSON")
	}
	k.Sensitive = k.Sensitive || telling && k.Encoding == Raw // of JSON, the part that tells is hidden by itself
	_, cost, err := compileSchema(k.Schema, "")
	if d.nodes += cost.nodes; err == nil && d.nodes > MaxContractNodes {
		err = fmt.Errorf("the schemas are %w together", errTooLarge)
	}
	if err != nil {
		k.Encoding, k.Schema, k.Unchecked = Raw, nil, err.Error()
		d.note(path, "not checked: %v", err)
	}
	return k
}

// encodingOf is the encoding that all values have, their schema, and whether another
// encoding would do as well.
func encodingOf(values []string) (encoding Encoding, schema any, unsure bool) {
	s := &shape{}
	marked := false // brackets or quotes say that it is JSON
	for _, text := range values {
		v, err := decodeJSON([]byte(text))
		if err != nil {
			return Raw, nil, false
		}
		if n, ok := v.(json.Number); ok && len(text) > inferredDigits && !strings.ContainsAny(n.String(), ".eE") {
			return Raw, nil, false
		}
		marked = marked || strings.ContainsAny(strings.TrimSpace(text)[:1], `{["`)
		s.add(v, 0)
	}
	switch types := s.names(); {
	case marked:
		return JSON, s.schema(), false
	case slices.Equal(types, []string{"null"}), len(types) > 1 && slices.Contains(types, "boolean"):
		return Raw, nil, false
	}
	return JSON, s.schema(), true
}

// inferredDigits is the longest whole number that is taken for one: what is longer is a
// name made of digits.
const inferredDigits = 15

// examples makes whole bags examples: of each side a few with different keys, and one that
// was on the way.
func (d *drafter) examples(checker *Checker, samples []Sample) {
	for _, role := range d.c.Roles() {
		for _, kind := range []BagKind{AppBag, UnitBag} {
			bag := d.c.Side(role).Bag(kind)
			if bag == nil {
				continue
			}
			seen := map[string]bool{}
			count := map[bool]int{}
			for _, s := range d.own(samples, role, kind) {
				keys := strings.Join(names(s.Data), "\x00")
				if keys == "" || seen[keys] || count[s.Step] >= inferredExamples || s.Step && count[true] > 0 {
					continue
				}
				if d.example(checker, bag, s) {
					seen[keys] = true
					count[s.Step]++
				}
			}
		}
	}
	for i := range d.c.Examples {
		d.c.Examples[i].Name = strconv.Itoa(i+1) + ": " + d.c.Examples[i].Name
	}
}

// example adds one example, if a bag is what the draft says, or a step on the way to it.
func (d *drafter) example(checker *Checker, bag *Bag, s Sample) bool {
	e := Example{Name: strings.ToValidUTF8(s.Owner, "?"), Role: s.Role, Bag: s.Bag, Data: map[string]string{}}
	for _, name := range names(s.Data) {
		k, _ := bag.Key(name)
		e.Data[name] = k.harmless(s.Data[name])
	}
	v := checker.CheckBag(e.Role, e.Bag, e.Data)
	if v.State == Violating || s.Step == (v.State == Valid) {
		return false
	}
	e.State, e.Missing = v.State, v.Missing
	d.c.Examples = append(d.c.Examples, e)
	return true
}
