package contract

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	jskind "github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"kith"
)

// State is how far a databag is from what its contract asks for.
type State string

// The states, from the first a bag is in to the one that needs somebody.
const (
	Absent    State = "absent"    // nothing is there yet, and something must be
	Partial   State = "partial"   // what is there is right, and something is missing
	Valid     State = "valid"     // all that must be there is, and all of it is right
	Violating State = "violating" // something that is there is wrong
)

// states are all of them.
var states = []State{Absent, Partial, Valid, Violating}

// Verdict is what there is to say about one databag.
type Verdict struct {
	State State `json:"state"`
	// Missing are the required keys that are not there, in order; of groups of which
	// one must be complete, what the first lacks.
	Missing []string `json:"missing,omitempty"`
	// Violations are in order of path; at most [MaxViolations] are named.
	Violations []Violation `json:"violations,omitempty"`
	// Unchecked are values nobody looked into, and why.
	Unchecked []Note `json:"not-checked,omitempty"`
}

// Violation is one value that the contract does not allow.
type Violation struct {
	// Key is the key of the bag; Path is where inside it, "/port" or empty.
	Key  string `json:"key"`
	Path string `json:"path,omitempty"`
	// Value is the value as it may be shown: clipped, secrets hidden.
	Value string `json:"value"`
	// Rule is what the value breaks: a keyword of JSON Schema, or "encoding",
	// "secret" or "closed".
	Rule string `json:"rule"`
	// Text is the rule in words.
	Text string `json:"text"`
}

// String is the violation in one line: where, what is there, and what should be.
func (v Violation) String() string {
	return fmt.Sprintf("%s%s: %s: %s (%s)", v.Key, v.Path, v.Value, v.Text, v.Rule)
}

// CheckBag checks one bag of one side. The keys of [EngineKeys] and those the
// contract ignores are not looked at. Keys of which the source did not say which
// bag they are in are checked where they are; none of them counts as missing, for it
// may be in the other bag: see [Checker.CheckSide]. A role or bag the contract
// says nothing about is Valid, with a note.
func (c *Checker) CheckBag(role kith.Role, kind BagKind, bag map[string]string) Verdict {
	side, ok := c.sides[role]
	if !ok {
		return Verdict{State: Valid, Unchecked: []Note{{Text: fmt.Sprintf("the contract says nothing about the %s", role)}}}
	}
	return c.check(bag, false, side[kind], side[EitherBag])
}

// CheckSide checks both bags of a unit's side together: its application's and its
// own. The third verdict is on keys that may be in either.
func (c *Checker) CheckSide(role kith.Role, app, unit map[string]string) (onApp, onUnit, onEither Verdict) {
	onApp, onUnit = c.CheckBag(role, AppBag, app), c.CheckBag(role, UnitBag, unit)
	either := c.sides[role][EitherBag]
	if either == nil {
		return onApp, onUnit, Verdict{State: Valid}
	}
	both := map[string]string{}
	for _, bag := range []map[string]string{app, unit} {
		for _, name := range names(bag) {
			both[name] = bag[name]
		}
	}
	return onApp, onUnit, c.check(both, true, either, nil)
}

// check looks at every key of a bag, and for every key that must be there. The keys
// of either are looked at, and not missed.
func (c *Checker) check(bag map[string]string, whole bool, described, either *compiledBag) Verdict {
	v := Verdict{}
	seen, budget := 0, MaxWork
	for _, name := range names(bag) {
		if c.ignored(name) || bag[name] == "" {
			continue // Juju deletes a key that is set to nothing
		}
		seen++
		if k := find(name, described, either); k != nil {
			k.check(bag[name], &v, &budget)
		} else if described.closed() || described == nil && either.closed() {
			v.add(Violation{name, "", show(bag[name], sensitiveName(name)), "closed", "the contract knows no such key"})
		}
	}
	for _, b := range []*compiledBag{described, either} {
		if b != nil && b.bag.Unchecked != "" {
			v.Unchecked = append(v.Unchecked, Note{Text: b.bag.Unchecked})
		}
	}
	if described != nil && (seen > 0 || !described.bag.Optional) {
		v.Missing = described.missing(bag)
	}
	switch {
	case len(v.Violations) > 0:
		v.State = Violating
	case len(v.Missing) == 0:
		v.State = Valid
	case seen == 0:
		v.State = Absent
	default:
		v.State = Partial
	}
	return v
}

// ignored reports whether a key is nobody's business here.
func (c *Checker) ignored(name string) bool {
	return slices.Contains(EngineKeys(), name) || slices.Contains(c.contract.Ignore, name)
}

func (b *compiledBag) closed() bool { return b != nil && b.bag.Closed && b.bag.Unchecked == "" }

// find is the description of a key in the first of the bags that has one.
func find(name string, bags ...*compiledBag) *compiledKey {
	for _, b := range bags {
		if b != nil && b.keys[name] != nil {
			return b.keys[name]
		}
	}
	return nil
}

// missing lists the keys that must be there and are not.
func (b *compiledBag) missing(bag map[string]string) []string {
	var list []string
	for _, k := range b.others {
		if k.Required && !b.present(k, bag) {
			list = append(list, k.Name)
		}
	}
	for i, group := range b.bag.AnyOf {
		lacking := b.lacking(group, bag)
		if len(lacking) == 0 {
			return list
		}
		if i == len(b.bag.AnyOf)-1 {
			list = append(list, b.lacking(b.bag.AnyOf[0], bag)...)
		}
	}
	return slices.Compact(sorted(list))
}

func (b *compiledBag) lacking(group []string, bag map[string]string) []string {
	var list []string
	for _, name := range group {
		if !b.present(b.keys[name], bag) {
			list = append(list, name)
		}
	}
	return list
}

// present reports whether a key is there, or a secret that holds it.
func (b *compiledBag) present(k *compiledKey, bag map[string]string) bool {
	if bag[k.Name] != "" {
		return true
	}
	for _, via := range k.Via {
		if isSecretURI(bag[via]) {
			return true
		}
	}
	return false
}

// check checks one value as it is on the wire. The work of it is taken off the bag's budget.
func (k *compiledKey) check(text string, v *Verdict, budget *int) {
	sensitive := k.Sensitive || sensitiveName(k.Name)
	switch {
	case k.Unchecked != "":
		v.Unchecked = append(v.Unchecked, Note{k.Name, k.Unchecked})
		return
	case k.Secret != NoSecret && isSecretURI(text):
		return
	case k.Secret == SecretOnly:
		v.add(Violation{k.Name, "", showText(text, sensitive), "secret", "it must be a reference to a secret: secret:ID"})
		return
	}
	var value any = text
	if k.Encoding == JSON {
		var err error
		if value, err = decodeJSON([]byte(text)); err != nil {
			v.add(Violation{k.Name, "", showText(text, sensitive), "encoding", "it must be JSON: " + err.Error()})
			return
		}
	}
	if k.schema == nil {
		return
	}
	work := k.weight * weigh(value)
	if work > *budget || work < 0 {
		v.Unchecked = append(v.Unchecked, Note{k.Name, fmt.Sprintf("the value is too large for its schema: %d bytes", len(text))})
		return
	}
	*budget -= work
	if k.quick.fits(value) {
		return
	}
	var invalid *jsonschema.ValidationError
	if errors.As(k.schema.Validate(value), &invalid) {
		k.collect(invalid, value, sensitive, v)
	}
}

// add adds a violation, up to the limit.
func (v *Verdict) add(found Violation) {
	if len(v.Violations) < MaxViolations {
		v.Violations = append(v.Violations, found)
	}
}

// collect gathers the innermost problems. What the branches of a choice say apart
// from each other confuses more than it helps, unless there is only one that counts.
func (k *compiledKey) collect(e *jsonschema.ValidationError, value any, sensitive bool, v *Verdict) {
	from := len(v.Violations)
	k.gather(e, value, sensitive, v)
	found := v.Violations[from:]
	slices.SortStableFunc(found, func(a, b Violation) int {
		return strings.Compare(a.Path+"\x00"+a.Rule+"\x00"+a.Text, b.Path+"\x00"+b.Rule+"\x00"+b.Text)
	})
	v.Violations = append(v.Violations[:from], slices.Compact(found)...)
}

func (k *compiledKey) gather(e *jsonschema.ValidationError, value any, sensitive bool, v *Verdict) {
	causes := e.Causes
	switch e.ErrorKind.(type) {
	case *jskind.AnyOf, *jskind.OneOf:
		if causes = branches(causes, len(e.InstanceLocation)); len(causes) != 1 {
			causes = nil
		}
	case *jskind.Not:
		causes = nil
	}
	if len(causes) > 0 {
		for _, c := range causes {
			k.gather(c, value, sensitive, v)
		}
		return
	}
	for _, step := range e.InstanceLocation {
		sensitive = sensitive || sensitiveName(step)
	}
	path := ""
	for _, step := range e.InstanceLocation {
		path += "/" + step
	}
	given, _ := pointed(value, escaped(e.InstanceLocation))
	v.add(Violation{k.Name, path, show(given, sensitive), rule(e.ErrorKind), sentence(e.ErrorKind, sensitive)})
}

// branches are the branches of a choice that got beyond the type of the value:
// of "a list or null", only the list is meant when a list is given.
func branches(causes []*jsonschema.ValidationError, depth int) []*jsonschema.ValidationError {
	return slices.DeleteFunc(slices.Clone(causes), func(e *jsonschema.ValidationError) bool {
		_, wrongType := e.ErrorKind.(*jskind.Type)
		return wrongType && len(e.InstanceLocation) == depth
	})
}

// escaped is a location as a JSON pointer.
func escaped(location []string) string {
	var b strings.Builder
	for _, step := range location {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// rule is the keyword that was broken.
func rule(k jsonschema.ErrorKind) string {
	if path := k.KeywordPath(); len(path) > 0 {
		return path[0]
	}
	return "schema"
}

// sentence is the rule in words. The validator's own name the value; where that
// is hidden, only the rule is said.
func sentence(k jsonschema.ErrorKind, sensitive bool) string {
	switch k := k.(type) {
	case *jskind.Type:
		return "it must be of type " + strings.Join(k.Want, " or ")
	case *jskind.Required:
		return "it lacks " + quotedList(sorted(slices.Clone(k.Missing)))
	case *jskind.AdditionalProperties:
		return "it must not have " + quotedList(sorted(slices.Clone(k.Properties)))
	case *jskind.Enum:
		return "it must be one of " + clip(encodeJSON(k.Want))
	case *jskind.Const:
		return "it must be " + clip(encodeJSON(k.Want))
	case *jskind.Pattern:
		return fmt.Sprintf("it must match %s", clip(k.Want))
	case *jskind.Format:
		return "it must be of format " + k.Want
	case *jskind.Minimum:
		return "it must be at least " + ratText(k.Want)
	case *jskind.Maximum:
		return "it must be at most " + ratText(k.Want)
	case *jskind.ExclusiveMinimum:
		return "it must be more than " + ratText(k.Want)
	case *jskind.ExclusiveMaximum:
		return "it must be less than " + ratText(k.Want)
	case *jskind.MinLength:
		return fmt.Sprintf("it must have at least %d characters", k.Want)
	case *jskind.MaxLength:
		return fmt.Sprintf("it must have at most %d characters", k.Want)
	case *jskind.MinItems:
		return fmt.Sprintf("it must have at least %d items", k.Want)
	case *jskind.MaxItems:
		return fmt.Sprintf("it must have at most %d items", k.Want)
	case *jskind.AnyOf:
		return "it fits none of the forms it may have"
	case *jskind.OneOf:
		return "it must fit exactly one of the forms it may have"
	}
	if sensitive {
		return "it breaks the rule " + rule(k)
	}
	return oneLine(describe(k))
}

// ratText is a limit as a schema would have it.
func ratText(r *big.Rat) string {
	if r.IsInt() {
		return clip(r.Num().String())
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// describe is the validator's own sentence about a problem.
func describe(k jsonschema.ErrorKind) string {
	return k.LocalizedString(message.NewPrinter(language.English))
}
