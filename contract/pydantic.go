package contract

import (
	"encoding/json"
	"errors"
	"fmt"

	"slices"
	"strings"

	"kith"
)

// sideClasses are the classes that have the bags of a side.
var sideClasses = []struct {
	role  kith.Role
	class string
}{{kith.Provider, "ProviderSchema"}, {kith.Requirer, "RequirerSchema"}, {kith.Peer, "PeerSchema"}}

// pydantic reads the classes of a schema.py as the JSON Schema they would generate,
// as far as the common subset goes, and then that. Nothing is run.
func (i *Import) pydantic(text string) error {
	lines, err := pyLines(text)
	if err != nil {
		return err
	}
	f := &pyFile{i: i, classes: map[string]*pyClass{}}
	f.read(lines)
	if f.tooMany {
		return fmt.Errorf("it has more than %d classes, or fields in one", MaxKeys)
	}
	if _, err := i.begin(nil, false); err != nil {
		return err
	}
	defs := map[string]any{}
	for _, name := range f.order {
		defs[name] = f.define(f.classes[name])
	}
	for _, top := range sideClasses {
		if f.classes[top.class] == nil {
			continue
		}
		root, _ := defs[top.class].(map[string]any)
		r := &schemaReader{i: i, defaults: NewBudget(MaxWork), dialect: localDialect, root: map[string]any{"$defs": defs, "required": root["required"]}}
		side := &Side{}
		properties, _ := root["properties"].(map[string]any)
		if err := r.rooted(side, properties); err != nil {
			return err
		}
		i.Contract.setSide(top.role, side)
	}
	if len(i.Contract.Roles()) == 0 {
		return errors.New("it has no class ProviderSchema, RequirerSchema or PeerSchema")
	}
	slices.SortStableFunc(i.Notes, func(a, b Note) int { return strings.Compare(a.Path, b.Path) })
	i.Notes = slices.Compact(i.Notes)
	return nil
}

// enumerations are the bases that make a class one.
const enumerations wordList = "Enum StrEnum IntEnum"

// define is the schema of a class: of an enumeration, or of an object with fields. Of
// a class that may be anything else it says nothing.
func (f *pyFile) define(c *pyClass) any {
	if slices.ContainsFunc(c.bases, enumerations.has) {
		return f.enumeration(c)
	}
	m := f.model(c, map[string]bool{})
	if m.opaque != "" {
		f.i.note(c.name, "not checked: %s", m.opaque)
		return map[string]any{}
	}
	properties, required := map[string]any{}, []any{}
	for _, field := range m.fields {
		name, schema, must := f.field(c, m, field)
		properties[name] = schema
		if must {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

// pyModel is a class with what it inherits.
type pyModel struct {
	fields     []pyField
	before     map[string]bool
	eitherName bool
	opaque     string
}

// model puts a class together with its bases. Each base counts once.
func (f *pyFile) model(c *pyClass, seen map[string]bool) pyModel {
	seen[c.name] = true
	m := pyModel{before: map[string]bool{}, opaque: c.opaque}
	inherit := func(from pyModel) {
		m.opaque, m.eitherName = first(m.opaque, from.opaque), m.eitherName || from.eitherName
		for _, name := range names(from.before) {
			m.before[name] = true
		}
		for _, field := range from.fields {
			m.fields = slices.DeleteFunc(m.fields, func(old pyField) bool { return old.name == field.name })
			m.fields = append(m.fields, field)
		}
	}
	for _, base := range c.bases {
		known := f.classes[base]
		switch {
		case known != nil && seen[base]:
		case known != nil && len(seen) > MaxSchemaDepth:
			m.opaque = first(m.opaque, fmt.Sprintf("it inherits from more than %d classes", MaxSchemaDepth))
		case known != nil:
			inherit(f.model(known, seen))
		case base != "BaseModel" && base != "DataBagSchema":
			m.opaque = first(m.opaque, "its base "+first(clip(base), "class")+" is not in the file")
		}
	}
	if len(c.bases) == 0 {
		m.opaque = first(m.opaque, "it is no BaseModel")
	}
	inherit(pyModel{c.fields, c.before, c.eitherName, c.opaque})
	return m
}

// enumeration is the schema of an enumeration.
func (f *pyFile) enumeration(c *pyClass) any {
	var values []any
	if c.odd || len(c.fields) > 0 {
		f.i.note(c.name, "not checked: a line of the enumeration is not understood")
		return map[string]any{}
	}
	for _, e := range c.values {
		v, ok := literal(e)
		if !ok {
			f.i.note(c.name, "not checked: a value of the enumeration is computed")
			return map[string]any{}
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		f.i.note(c.name, "not checked: the enumeration has no values that can be read")
		return map[string]any{}
	}
	return map[string]any{"enum": values}
}

// literal is the value of a literal.
func literal(e pyExpr) (any, bool) {
	switch {
	case e.kind == '"':
		return e.text, true
	case e.kind == '0' && checkNumber(e.text) == nil:
		return json.Number(e.text), true
	case e.kind == 'w' && e.text == "True", e.kind == 'w' && e.text == "False":
		return e.text == "True", true
	case e.kind == 'w' && e.text == "None":
		return nil, true
	}
	return nil, false
}

// field is the schema of a field, its name in the bag, and whether it must be there.
func (f *pyFile) field(c *pyClass, m pyModel, field pyField) (string, map[string]any, bool) {
	path := c.name + "/" + field.name
	annotation, arguments, known := f.annotation(field, path)
	schema := map[string]any{}
	if m.before[field.name] || m.before["*"] {
		f.i.note(path, "not checked: a validator may make anything of the value")
	} else if schema = f.schema(annotation, path, 0); !known {
		schema = map[string]any{}
	}
	must, null := !optional(annotation), false
	if def, there := defaultOf(field.def, arguments); there {
		must, null = def.kind == 'w' && def.text == "...", def.kind == 'w' && def.text == "None"
	}
	name, sure := f.alias(field.name, arguments, path)
	if !sure || name != field.name && m.eitherName {
		if sure {
			f.i.note(path, "not checked: it may come as %s or as %s", name, field.name)
		}
		return name, map[string]any{}, false
	}
	schema = f.constraints(schema, arguments, path)
	if null && len(schema) > 0 && !optional(annotation) {
		// Whoever leaves a value out may write it as its default.
		schema = map[string]any{"anyOf": []any{schema, simple["None"]}}
	}
	return name, schema, must
}

// annotation takes a field's annotation apart: its type, the arguments of Field, and
// whether all that is said is understood.
func (f *pyFile) annotation(field pyField, path string) (pyExpr, map[string]pyExpr, bool) {
	arguments, known := map[string]pyExpr{}, true
	annotation := field.annotation
	var calls []pyExpr
	if annotation.kind == '[' && annotation.text == "Annotated" && len(annotation.parts) > 0 {
		annotation, calls = annotation.parts[0], annotation.parts[1:]
	}
	if field.def != nil && field.def.kind == '(' {
		calls = append(slices.Clone(calls), *field.def)
	}
	for _, call := range calls {
		switch {
		case call.kind == '(' && call.text == "Field":
			for _, name := range names(call.named) {
				arguments[name] = call.named[name]
			}
		case call.kind == '"', field.def != nil && call.kind == '(' && call.text == field.def.text:
		case call.kind == '(' && call.text == "AfterValidator":
			f.i.note(path, "not checked: the field has a validator of its own")
		default:
			f.i.note(path, "not checked: what %s says", first(clip(call.text), "an argument of Annotated"))
			known = false
		}
	}
	return annotation, arguments, known
}

// defaultOf is the default of a field, if it has one.
func defaultOf(def *pyExpr, arguments map[string]pyExpr) (pyExpr, bool) {
	if def != nil && (def.kind != '(' || def.text != "Field") {
		return *def, true
	}
	if def != nil && len(def.parts) > 0 {
		return def.parts[0], true
	}
	for _, name := range []string{"default", "default_factory"} {
		if e := arguments[name]; e.kind != 0 {
			return e, true
		}
	}
	return pyExpr{}, false
}

// alias is the name a field has in the bag, and whether that is sure.
func (f *pyFile) alias(name string, arguments map[string]pyExpr, path string) (string, bool) {
	read, written := name, ""
	for _, alias := range []string{"alias", "validation_alias", "serialization_alias"} {
		switch e := arguments[alias]; {
		case e.kind == 0:
		case e.kind != '"' || e.text == "":
			f.i.note(path, "not checked: its %s is computed", alias)
			return name, false
		case alias == "serialization_alias":
			written = e.text
		default:
			read = e.text
		}
	}
	if written != "" && written != read {
		f.i.note(path, "not checked: it is read as %s and written as %s", read, written)
		return read, false
	}
	return read, true
}

func optional(e pyExpr) bool {
	if e.kind == '[' && e.text == "Optional" {
		return true
	}
	return (e.kind == '|' || e.kind == '[' && e.text == "Union") && slices.ContainsFunc(e.parts, func(p pyExpr) bool { return p.kind == 'w' && p.text == "None" })
}

// fieldKeywords are the arguments of Field that are keywords of JSON Schema.
var fieldKeywords = map[string]string{
	"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum",
	"pattern": "pattern", "regex": "pattern", "description": "description",
}

// harmless are arguments of Field that say nothing about the value.
const harmless wordList = "title examples example default default_factory alias validation_alias serialization_alias json_schema_extra repr deprecated exclude name"

// constraints adds what Field says to a schema.
func (f *pyFile) constraints(schema map[string]any, named map[string]pyExpr, path string) map[string]any {
	out := map[string]any{}
	for _, arg := range names(named) {
		v, ok := literal(named[arg])
		switch word := fieldKeywords[arg]; {
		case word != "" && ok && (named[arg].kind == '"') == (word == "pattern" || word == "description"):
			out[word] = v
		case (arg == "min_length" || arg == "max_length") && named[arg].kind == '0' && ok:
			out[arg[:3]+"Length"], out[arg[:3]+"Items"] = v, v
		case !harmless.has(arg):
			f.i.note(path, "not checked: %s", clip(arg))
		}
	}
	if len(out) == 0 {
		return schema
	}
	if len(schema) == 0 {
		return map[string]any{}
	}
	out["allOf"] = []any{schema}
	return out
}

// simple are the types that are one schema. The text of a URL is only looked at as such.
var simple = map[string]map[string]any{
	"str": {"type": "string"}, "int": {"type": "integer"}, "float": {"type": "number"}, "bool": {"type": "boolean"}, "None": {"type": "null"},
	"list": {"type": "array"}, "List": {"type": "array"}, "dict": {"type": "object"}, "Dict": {"type": "object"}, "Mapping": {"type": "object"},
	"AnyHttpUrl": {"type": "string", "format": "uri"}, "HttpUrl": {"type": "string", "format": "uri"}, "AnyUrl": {"type": "string", "format": "uri"},
	"IPvAnyAddress": {"type": "string", "format": "ipvanyaddress"}, "IPvAnyNetwork": {"type": "string", "format": "ipvanynetwork"},
	"UUID": {"type": "string", "format": "uuid"}, "SecretStr": {"type": "string", "format": "password"},
	"Json": {"type": "string", "contentMediaType": "application/json"},
}

// schema is the schema of an annotation. What it does not know is {} and a note.
func (f *pyFile) schema(e pyExpr, path string, depth int) map[string]any {
	inner := func(n int) map[string]any { return f.schema(e.parts[n], path, depth+1) }
	switch {
	case depth > MaxSchemaDepth:
	case e.kind == '"' && depth == 0: // a name that is defined further down
		if lines, err := pyLines(e.text); err == nil && len(lines) == 1 {
			return f.schema(parseExpr(lines[0].tokens), path, 1)
		}
	case e.kind == '"':
		return f.schema(pyExpr{kind: 'w', text: e.text}, path, depth+1)
	case e.kind == 'w' && f.classes[e.text] != nil:
		return map[string]any{"$ref": "#/$defs/" + e.text}
	case e.kind == 'w' && e.text == "Any":
		return map[string]any{}
	case e.kind == 'w' && simple[e.text] != nil:
		return simple[e.text]
	case e.kind == '|', e.kind == '[' && e.text == "Union":
		var list []any
		for n := range e.parts {
			list = append(list, inner(n))
		}
		return map[string]any{"anyOf": list}
	case e.kind == '[' && e.text == "Optional" && len(e.parts) == 1:
		return map[string]any{"anyOf": []any{inner(0), simple["None"]}}
	case e.kind == '[' && (e.text == "List" || e.text == "list" || e.text == "Sequence") && len(e.parts) == 1:
		return map[string]any{"type": "array", "items": inner(0)}
	case e.kind == '[' && (e.text == "Dict" || e.text == "dict" || e.text == "Mapping") && len(e.parts) == 2:
		return map[string]any{"type": "object", "additionalProperties": inner(1)}
	case e.kind == '[' && e.text == "Json" && len(e.parts) == 1:
		return map[string]any{"type": "string", "contentMediaType": "application/json", "contentSchema": inner(0)}
	case e.kind == '[' && e.text == "Literal":
		var values []any
		for _, part := range e.parts {
			if v, ok := literal(part); ok {
				values = append(values, v)
			}
		}
		if len(values) == len(e.parts) && len(values) > 0 {
			return map[string]any{"enum": values}
		}
	}
	f.i.note(path, "not checked: the annotation %s is not known", first(clip(e.text), "here"))
	return map[string]any{}
}
