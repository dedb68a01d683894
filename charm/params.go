package charm

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	jskind "github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"kith"
)

// schemaURL names an action's schema inside the validator. Nothing is ever loaded; it is absolute
// because the validator would else ask for the working folder.
const schemaURL = "kith:///params.json"

// jsonTypes are the seven types of JSON schema draft 4.
var jsonTypes = []string{"array", "boolean", "integer", "number", "null", "object", "string"}

// schemaProblem says what is wrong with a parameter schema, or nothing.
func schemaProblem(schema map[string]any) string {
	if reason := typeProblem(schema); reason != "" {
		return reason
	}
	_, err := compile(schema)
	if err == nil {
		return ""
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return oneLine(err.Error())
	}
	leaf := invalid
	for len(leaf.Causes) > 0 {
		leaf = leaf.Causes[0]
	}
	return oneLine(fmt.Sprintf("%s: %s", strings.Join(leaf.InstanceLocation, "."), describe(leaf.ErrorKind)))
}

// typeProblem looks for the two mistakes Juju has words for.
func typeProblem(schema map[string]any) string {
	if d, ok := schema["definitions"]; ok {
		if _, ok := d.(map[string]any); !ok {
			return "definitions must be of type array of schemas"
		}
	}
	if t, ok := schema["type"].(string); ok && !slices.Contains(jsonTypes, t) {
		return clip(t) + " is not a valid type"
	}
	for _, group := range []string{"properties", "definitions", "patternProperties"} {
		members, _ := schema[group].(map[string]any)
		for _, name := range sortedKeys(members) {
			if member, ok := members[name].(map[string]any); ok {
				if reason := typeProblem(member); reason != "" {
					return reason
				}
			}
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		return typeProblem(items)
	}
	return ""
}

func oneLine(s string) string { return clip(strings.Join(strings.Fields(s), " ")) }

// describe is the validator's own sentence about a problem.
func describe(k jsonschema.ErrorKind) string {
	return k.LocalizedString(message.NewPrinter(language.English))
}

// compile builds the validator of a schema. It loads nothing from anywhere.
func compile(schema map[string]any) (*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.UseLoader(jsonschema.SchemeURLLoader{})
	if err := c.AddResource(schemaURL, schema); err != nil {
		return nil, err
	}
	return c.Compile(schemaURL)
}

// ValidateParams checks the parameters of a run against the action's schema
// (section 14). Of several problems all are named, in the order of their paths.
// Errors: Invalid.
func (a Action) ValidateParams(params map[string]any) error {
	data, err := json.Marshal(params)
	if err != nil {
		return kith.Errorf(kith.Invalid, "validation failed: %v", err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		return kith.Errorf(kith.Invalid, "validation failed: %v", err)
	}
	if params == nil {
		instance = map[string]any{}
	}
	schema := a.Params
	if schema == nil {
		schema = map[string]any{"type": "object"}
	}
	compiled, err := compile(schema)
	if err != nil {
		return kith.Errorf(kith.Invalid, "invalid params schema for action schema %s: %s", a.Title, oneLine(err.Error()))
	}
	var invalid *jsonschema.ValidationError
	if err := compiled.Validate(instance); errors.As(err, &invalid) {
		var problems []string
		collect(invalid, instance, &problems)
		return kith.Errorf(kith.Invalid, "validation failed: %s", strings.Join(slices.Compact(sorted(problems)), "; "))
	}
	return nil
}

// collect gathers the innermost problems in Juju's words.
func collect(e *jsonschema.ValidationError, instance any, out *[]string) {
	switch e.ErrorKind.(type) {
	case *jskind.AnyOf, *jskind.OneOf, *jskind.Not, *jskind.AllOf:
		// What the branches say apart from each other confuses more than it helps.
	default:
		if len(e.Causes) > 0 {
			for _, c := range e.Causes {
				collect(c, instance, out)
			}
			return
		}
	}
	path := strings.Join(append([]string{"(root)"}, e.InstanceLocation...), ".")
	given, err := json.Marshal(at(instance, e.InstanceLocation))
	if err != nil {
		given = []byte("?")
	}
	for _, text := range problemTexts(e.ErrorKind) {
		*out = append(*out, fmt.Sprintf("%s : %s, given %s", path, text, clip(string(given))))
	}
}

func problemTexts(k jsonschema.ErrorKind) []string {
	var texts []string
	switch k := k.(type) {
	case *jskind.Type:
		return []string{"must be of type " + strings.Join(k.Want, ", ")}
	case *jskind.Required:
		for _, name := range k.Missing {
			texts = append(texts, fmt.Sprintf("%q property is missing and required", name))
		}
	case *jskind.AdditionalProperties:
		for _, name := range k.Properties {
			texts = append(texts, fmt.Sprintf("additional property %q is not allowed", name))
		}
	default:
		return []string{describe(k)}
	}
	return texts
}

// at finds the value at a location inside an instance.
func at(v any, location []string) any {
	for _, step := range location {
		switch c := v.(type) {
		case map[string]any:
			v = c[step]
		case []any:
			var i int
			if _, err := fmt.Sscanf(step, "%d", &i); err != nil || i < 0 || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	return v
}

// WithDefaults returns the parameters with the schema's defaults for what is
// absent, nested objects included. The argument is not changed.
func (a Action) WithDefaults(params map[string]any) map[string]any {
	return withDefaults(a.Params, params)
}

func withDefaults(schema, values map[string]any) map[string]any {
	out := maps.Clone(values)
	if out == nil {
		out = map[string]any{}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range sortedKeys(properties) {
		property, ok := properties[name].(map[string]any)
		if !ok {
			continue
		}
		value, given := out[name]
		inner, isMap := value.(map[string]any)
		def, hasDefault := property["default"]
		switch {
		case given && isMap:
			out[name] = withDefaults(property, inner)
		case given:
		case hasDefault:
			out[name] = def
		case property["properties"] != nil:
			if filled := withDefaults(property, nil); len(filled) > 0 {
				out[name] = filled
			}
		}
	}
	return out
}
