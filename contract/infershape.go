package contract

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// shape is what JSON values that were seen in one place have in common.
type shape struct {
	types map[string]bool
	// objects counts the objects, and with those of them that have a property.
	objects int
	with    map[string]int
	// properties are the shapes below; a map has none, and other instead.
	properties map[string]*shape
	other      *shape
	items      *shape
}

// propertyName is what the properties of a record are called. Names that are not like
// that, as those of units, are keys of a map.
var propertyName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// maxProperties is how many properties a record has at most; what has more is a map.
const maxProperties = 60

// add takes one more value in.
func (s *shape) add(v any, depth int) {
	if s.types == nil {
		s.types, s.with, s.properties = map[string]bool{}, map[string]int{}, map[string]*shape{}
	}
	if depth > MaxSchemaDepth/2 {
		return // each level of a value is two of a schema; what is further down may be anything
	}
	s.types[numberType(v)] = true
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if s.items == nil {
				s.items = &shape{}
			}
			s.items.add(item, depth+1)
		}
	case map[string]any:
		s.objects++
		for _, name := range names(v) {
			s.property(name).add(v[name], depth+1)
			s.with[name]++
		}
	}
}

// numberType is the type of a value; of numbers without a fraction it is integer.
func numberType(v any) string {
	if n, ok := v.(json.Number); ok {
		if !strings.ContainsAny(n.String(), ".eE") {
			return "integer"
		}
		return "number"
	}
	return typeName(v)
}

// property is the shape of a property. The first name that is none, or one too many, makes the
// object a map.
func (s *shape) property(name string) *shape {
	if s.other == nil && (!propertyName.MatchString(name) || s.properties[name] == nil && len(s.properties) == maxProperties) {
		s.other = &shape{}
		for _, known := range slices.Sorted(maps.Keys(s.properties)) {
			s.other.merge(s.properties[known])
		}
		s.properties = nil
	}
	if s.other != nil {
		return s.other
	}
	if s.properties[name] == nil {
		s.properties[name] = &shape{}
	}
	return s.properties[name]
}

// merge takes in what another shape has seen.
func (s *shape) merge(t *shape) {
	if s.types == nil {
		s.types, s.with, s.properties = map[string]bool{}, map[string]int{}, map[string]*shape{}
	}
	maps.Copy(s.types, t.types)
	s.objects += t.objects
	if t.items != nil {
		if s.items == nil {
			s.items = &shape{}
		}
		s.items.merge(t.items)
	}
	for _, name := range names(t.with) {
		s.with[name] += t.with[name]
		if below := t.properties[name]; below != nil {
			s.property(name).merge(below)
		}
	}
	if t.other != nil {
		s.property("").merge(t.other) // no name of a property: it makes a map of this one too
	}
}

// names are the types, in order; all numbers take in the whole ones.
func (s *shape) names() []string {
	types := maps.Clone(s.types)
	if types["number"] {
		delete(types, "integer")
	}
	return names(types)
}

// schema is the schema that all values seen so far fit.
func (s *shape) schema() any {
	types := s.names()
	if len(types) == 0 {
		return true
	}
	out := map[string]any{"type": types[0]}
	if len(types) > 1 {
		var list []any
		for _, t := range types {
			list = append(list, t)
		}
		out["type"] = list
	}
	if s.items != nil {
		out["items"] = s.items.schema()
	}
	if s.other != nil {
		out["additionalProperties"] = s.other.schema()
		return out
	}
	properties, required := map[string]any{}, []any{}
	for _, name := range names(s.properties) {
		properties[name] = s.properties[name].schema()
		if s.with[name] == s.objects {
			required = append(required, name)
		}
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// exampleSecret stands for a reference to a secret, and exampleText for what is secret.
const (
	exampleSecret = "secret:d2fjn1fmp25004or68b0"
	exampleText   = "masked"
)

// harmless is a value of the key for an example: of the same form, and without what may be
// secret.
func (k Key) harmless(text string) string {
	if k.Encoding == JSON && k.Unchecked == "" && !isSecretURI(text) {
		if v, err := decodeJSON([]byte(text)); err == nil {
			return encodeJSON(maskedValue(v, k.Sensitive))
		}
	}
	return maskedText(text, k.Sensitive)
}

// maskedValue is a JSON value without what may be secret.
func maskedValue(v any, sensitive bool) any {
	switch v := v.(type) {
	case string:
		return maskedText(v, sensitive)
	case json.Number:
		if sensitive {
			return json.Number("0")
		}
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = maskedValue(item, sensitive)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, name := range names(v) {
			out[name] = maskedValue(v[name], sensitive || sensitiveName(name))
		}
		return out
	}
	return v
}

// maskedText is a string without what may be secret.
func maskedText(s string, sensitive bool) string {
	switch {
	case isSecretURI(s):
		return exampleSecret
	case sensitive, strings.Contains(s, "PRIVATE KEY"):
		return exampleText
	}
	if !utf8.ValidString(s) {
		return exampleText
	}
	s = userinfo.ReplaceAllString(s, "://"+exampleText+":"+exampleText+"@")
	if len(s) > inferredText {
		return strings.ToValidUTF8(s[:inferredText], "")
	}
	return s
}
