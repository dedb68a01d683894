package contract

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// quick is a schema of the kind most contracts have, in a form that says at once
// that a value fits. That a value does not fit it never says: then the validator
// looks, which is exact, has the words for it, and takes ten times as long. Every
// hook commit pays for a check, and nearly every value is right.
type quick struct {
	types      []string // nil: any
	properties map[string]*quick
	required   []string
	others     *quick // what properties that are not named must be; nil: anything
	closed     bool   // there are no others
	items      *quick
	choice     []*quick // one of them at least
	words      []string // the string must be one of them; nil: any
	pattern    jsonschema.Regexp
	// The least and the most: of a number, of a string's characters, of an array's items.
	number, length, count span
}

// span is a range of integers, both ends included.
type span struct{ least, most int64 }

func (s span) holds(n int64) bool { return s.least <= n && n <= s.most }

var everything = span{-1 << 63, 1<<63 - 1}

// quickFields are the fields of a schema that [quickOf] knows, and those that say
// nothing about values. A schema with any other has no quick form.
var quickFields = []string{
	"Types", "Properties", "Required", "AdditionalProperties", "Items", "Items2020", "AnyOf", "Enum", "Pattern",
	"Minimum", "Maximum", "MinLength", "MaxLength", "MinItems", "MaxItems",
	"DraftVersion", "Location", "ID", "Title", "Description", "Default", "Comment", "ReadOnly", "WriteOnly", "Examples", "Deprecated",
}

// quickOf is the quick form of a schema, or nil if it has none.
func quickOf(s *jsonschema.Schema) *quick {
	if s != nil && s.Bool != nil && *s.Bool {
		return &quick{number: everything, length: everything, count: everything}
	}
	if s == nil || !knownFields(s) {
		return nil
	}
	q := &quick{required: s.Required, pattern: s.Pattern, number: everything, length: everything, count: everything}
	if s.Types != nil {
		q.types = s.Types.ToStrings()
	}
	ok := q.limits(s) && q.enum(s) && q.object(s) && q.array(s)
	for _, branch := range s.AnyOf {
		if b := quickOf(branch); b != nil {
			q.choice = append(q.choice, b)
		}
	}
	if !ok || len(s.AnyOf) > 0 && q.choice == nil {
		return nil
	}
	return q
}

func knownFields(s *jsonschema.Schema) bool {
	v := reflect.ValueOf(*s)
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() && !slices.Contains(quickFields, f.Name) {
			return false
		}
	}
	return true
}

func (q *quick) limits(s *jsonschema.Schema) bool {
	for _, l := range []struct {
		rat *big.Rat
		at  *int64
	}{{s.Minimum, &q.number.least}, {s.Maximum, &q.number.most}} {
		if l.rat == nil {
			continue
		}
		if !l.rat.IsInt() || !l.rat.Num().IsInt64() {
			return false
		}
		*l.at = l.rat.Num().Int64()
	}
	for _, l := range []struct {
		n  *int
		at *int64
	}{{s.MinLength, &q.length.least}, {s.MaxLength, &q.length.most}, {s.MinItems, &q.count.least}, {s.MaxItems, &q.count.most}} {
		if l.n != nil {
			*l.at = int64(*l.n)
		}
	}
	return true
}

func (q *quick) enum(s *jsonschema.Schema) bool {
	if s.Enum == nil {
		return true
	}
	q.words = []string{}
	for _, v := range s.Enum.Values {
		word, ok := v.(string)
		if !ok {
			return false
		}
		q.words = append(q.words, word)
	}
	return true
}

func (q *quick) object(s *jsonschema.Schema) bool {
	if len(s.Properties) > 0 {
		q.properties = map[string]*quick{}
	}
	for name, p := range s.Properties { // any order: into a map
		if q.properties[name] = quickOf(p); q.properties[name] == nil {
			return false
		}
	}
	switch a := s.AdditionalProperties.(type) {
	case nil:
	case bool:
		q.closed = !a
	case *jsonschema.Schema:
		q.others = quickOf(a)
		return q.others != nil
	default:
		return false
	}
	return true
}

func (q *quick) array(s *jsonschema.Schema) bool {
	items := s.Items2020
	if s.Items != nil {
		one, ok := s.Items.(*jsonschema.Schema)
		if !ok || items != nil {
			return false
		}
		items = one
	}
	if items == nil {
		return true
	}
	q.items = quickOf(items)
	return q.items != nil
}

// fits reports whether v is certainly allowed. A nil form is certain of nothing.
func (q *quick) fits(v any) bool {
	if q == nil {
		return false
	}
	if s, ok := v.(string); ok {
		return q.fitsRaw(s)
	}
	if q.words != nil {
		return false
	}
	if len(q.choice) > 0 && !slices.ContainsFunc(q.choice, func(b *quick) bool { return b.fits(v) }) {
		return false
	}
	switch v := v.(type) {
	case nil:
		return q.allows("null")
	case bool:
		return q.allows("boolean")
	case json.Number:
		return q.fitsNumber(v.String())
	case []any:
		return q.allows("array") && q.fitsArray(v)
	case map[string]any:
		return q.allows("object") && q.fitsObject(v)
	}
	return false
}

func (q *quick) allows(kind string) bool { return q.types == nil || slices.Contains(q.types, kind) }

// fitsRaw is fits for a string.
func (q *quick) fitsRaw(s string) bool {
	if q.words != nil && !slices.Contains(q.words, s) {
		return false
	}
	if len(q.choice) > 0 && !slices.ContainsFunc(q.choice, func(b *quick) bool { return b.fitsRaw(s) }) {
		return false
	}
	return q.allows("string") && q.fitsString(s)
}

func (q *quick) fitsString(s string) bool {
	if q.length != everything && !q.length.holds(int64(utf8.RuneCountInString(s))) {
		return false
	}
	return q.pattern == nil || q.pattern.MatchString(s)
}

// fitsNumber is certain of integers that are written as such, and of other numbers
// where any will do.
func (q *quick) fitsNumber(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return q.number == everything && q.allows("number")
	}
	return (q.allows("integer") || q.allows("number")) && q.number.holds(n)
}

func (q *quick) fitsArray(list []any) bool {
	if !q.count.holds(int64(len(list))) {
		return false
	}
	for _, item := range list {
		if q.items != nil && !q.items.fits(item) {
			return false
		}
	}
	return true
}

func (q *quick) fitsObject(m map[string]any) bool {
	for _, name := range q.required {
		if _, ok := m[name]; !ok {
			return false
		}
	}
	for name, v := range m { // any order: all must fit
		if p, ok := q.properties[name]; ok {
			if !p.fits(v) {
				return false
			}
		} else if q.closed || q.others != nil && !q.others.fits(v) {
			return false
		}
	}
	return true
}
