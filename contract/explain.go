package contract

import (
	"cmp"
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
)

// fits reports whether v is allowed, without saying why not: below "not" the validator keeps
// nothing of what it finds.
func fits(s *jsonschema.Schema, v any) bool {
	return (&jsonschema.Schema{Not: s}).Validate(v) != nil
}

// maxDescent is how many levels of a large value are gone down in search of what is
// wrong with it: each costs what the check did.
const maxDescent = 4

// explain adds what is wrong with a value, if anything is. What the validator has to say about a
// large value can be larger by far, so of one the first part that is wrong is looked for.
func (k *compiledKey) explain(value any, work int, sensitive bool, v *Verdict) {
	schema, path := k.schema, []string(nil)
	for level := 0; work > MaxDetail; level++ {
		part, step, below := any(nil), "", (*jsonschema.Schema)(nil)
		if level == 0 && fits(schema, value) {
			return
		}
		if level < maxDescent {
			part, step, below = firstWrong(schema, value)
		}
		var own *jsonschema.ValidationError
		if below == nil && errors.As(shallow(schema).Validate(value), &own) {
			k.collect(own, value, path, sensitive, v)
			return
		}
		if below == nil {
			k.report(finding{path, value, sensitive, "schema", "it does not fit its schema, and is too large to say where"}, v)
			return
		}
		schema, value, path = below, part, append(path, step)
		work, sensitive = k.cost.steps(sizeOf(value)), sensitive || sensitiveName(step)
	}
	var invalid *jsonschema.ValidationError
	if errors.As(schema.Validate(value), &invalid) {
		k.collect(invalid, value, path, sensitive, v)
	}
}

// firstWrong is the first part of an array or object that does not fit what the schema
// says of all parts, with its name and that schema; nil if it is not in there.
func firstWrong(s *jsonschema.Schema, value any) (any, string, *jsonschema.Schema) {
	items := s.Items2020
	if one, ok := s.Items.(*jsonschema.Schema); ok {
		items = one
	}
	others, _ := s.AdditionalProperties.(*jsonschema.Schema)
	if len(s.PatternProperties) > 0 {
		others = nil
	}
	switch v := value.(type) {
	case []any:
		for i := len(s.PrefixItems); i < len(v) && items != nil; i++ {
			if !fits(items, v[i]) {
				return v[i], strconv.Itoa(i), items
			}
		}
	case map[string]any:
		for _, name := range names(v) {
			below := cmp.Or(s.Properties[name], others)
			if below != nil && !fits(below, v[name]) {
				return v[name], name, below
			}
		}
	}
	return nil, "", nil
}

// shallow is what a schema says of a value without looking into its parts: to say what is wrong with
// that takes a few words, however large the value is.
func shallow(s *jsonschema.Schema) *jsonschema.Schema {
	out := &jsonschema.Schema{
		DraftVersion: s.DraftVersion, Location: s.Location, Types: s.Types, Required: s.Required, DependentRequired: s.DependentRequired,
		MinItems: s.MinItems, MaxItems: s.MaxItems, MinProperties: s.MinProperties, MaxProperties: s.MaxProperties,
	}
	if open, ok := s.AdditionalProperties.(bool); ok && !open {
		yes := true
		anything := &jsonschema.Schema{Bool: &yes}
		out.AdditionalProperties = false
		out.Properties, out.PatternProperties = map[string]*jsonschema.Schema{}, map[jsonschema.Regexp]*jsonschema.Schema{}
		for name := range s.Properties { // any order: into a map
			out.Properties[name] = anything
		}
		for pattern := range s.PatternProperties { // any order: into a map
			out.PatternProperties[pattern] = anything
		}
	}
	return out
}

// finding is one thing that is wrong with a value.
type finding struct {
	path      []string
	value     any
	sensitive bool
	rule      string
	text      string
}

func (k *compiledKey) report(f finding, v *Verdict) {
	path := ""
	for _, step := range f.path {
		path += "/" + step
	}
	if len(path) > maxNotePath { // a charm can call a property anything, and a history keeps it
		path = strings.ToValidUTF8(path[:maxNotePath], "") + "…"
	}
	v.add(Violation{k.Name, path, show(f.value, f.sensitive), f.rule, f.text})
}

// leaf is one of the innermost problems the validator has found.
type leaf struct {
	problem   *jsonschema.ValidationError
	place     string
	sensitive bool
}

// rule and words are what leaves at one place are sorted by. The words are put together only where the rule is one, too.
func (l leaf) rule() string  { return rule(l.problem.ErrorKind) }
func (l leaf) words() string { return sentence(l.problem.ErrorKind, l.sensitive) }

// collect adds the innermost problems, in order of place and rule, because the validator
// goes through objects in any order. What the branches of a choice say apart
// from each other confuses more than it helps, unless there is only one that counts.
func (k *compiledKey) collect(e *jsonschema.ValidationError, value any, above []string, sensitive bool, v *Verdict) {
	leaves := gather(nil, e, sensitive)
	slices.SortStableFunc(leaves, func(a, b leaf) int {
		if n := cmp.Or(strings.Compare(a.place, b.place), strings.Compare(a.rule(), b.rule())); n != 0 {
			return n
		}
		return strings.Compare(a.words(), b.words())
	})
	last := Violation{}
	for _, l := range leaves {
		if len(v.Violations) >= MaxViolations {
			return
		}
		given, _ := pointed(value, escaped(l.problem.InstanceLocation))
		k.report(finding{slices.Concat(above, l.problem.InstanceLocation), given, l.sensitive, l.rule(), l.words()}, v)
		if n := len(v.Violations); v.Violations[n-1] == last {
			v.Violations = v.Violations[:n-1]
			continue
		}
		last = v.Violations[len(v.Violations)-1]
	}
}

// gather lists the innermost problems.
func gather(leaves []leaf, e *jsonschema.ValidationError, sensitive bool) []leaf {
	causes := e.Causes
	switch e.ErrorKind.(type) {
	case *jskind.AnyOf, *jskind.OneOf:
		if causes = branches(causes, len(e.InstanceLocation)); len(causes) != 1 {
			causes = nil
		}
	case *jskind.Not:
		causes = nil
	}
	for _, c := range causes {
		leaves = gather(leaves, c, sensitive)
	}
	if len(causes) > 0 {
		return leaves
	}
	for _, step := range e.InstanceLocation {
		sensitive = sensitive || sensitiveName(step)
	}
	return append(leaves, leaf{e, strings.Join(e.InstanceLocation, "/"), sensitive})
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

// someOf are names for a sentence: the first few, and how many more there are.
func someOf(list []string) string {
	const few = 10
	list = sorted(slices.Clone(list))
	more := ""
	if len(list) > few {
		more = fmt.Sprintf(" and %d more", len(list)-few)
		list = list[:few]
	}
	for i := range list {
		list[i] = clip(list[i])
	}
	return quotedList(list) + more
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
		return "it lacks " + someOf(k.Missing)
	case *jskind.AdditionalProperties:
		return "it must not have " + someOf(k.Properties)
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
