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
		r := &schemaReader{i: i, dialect: localDialect, root: map[string]any{"$defs": defs, "required": root["required"]}}
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

// pyClass is a class as far as it is data.
type pyClass struct {
	name  string
	bases []string
	// fields are annotated names; values are plain ones, of enumerations.
	fields []pyField
	values []pyExpr
}

type pyField struct {
	name       string
	annotation pyExpr
	def        *pyExpr // nil: none
}

// pyFile collects the classes of a file.
type pyFile struct {
	i       *Import
	classes map[string]*pyClass
	order   []string
	tooMany bool
}

// read finds the classes at the top of the file and the fields right below them.
func (f *pyFile) read(lines []pyLine) {
	var class *pyClass
	body := 0
	for _, line := range lines {
		t := line.tokens
		if line.indent == 0 {
			class, body = nil, 0
			if len(t) >= 2 && t[0].text == "class" && t[1].kind == 'w' {
				class = f.class(t)
			}
			continue
		}
		if class == nil {
			continue
		}
		if body == 0 {
			body = line.indent
		}
		if line.indent == body {
			f.member(class, line)
		}
		f.tooMany = f.tooMany || len(f.order) > MaxKeys || len(class.fields)+len(class.values)+len(class.bases) > MaxKeys
		if f.tooMany {
			return
		}
	}
}

// class begins a class.
func (f *pyFile) class(t []pyToken) *pyClass {
	c := &pyClass{name: t[1].text}
	if len(t) > 3 && t[2].kind == '(' {
		e := parseExpr(t[1 : len(t)-1]) // without the colon: reads as a call
		for _, base := range e.parts {
			c.bases = append(c.bases, base.text)
		}
	}
	if f.classes[c.name] != nil {
		f.i.note(c.name, "the class is there twice; the last counts")
	} else {
		f.order = append(f.order, c.name)
	}
	f.classes[c.name] = c
	return c
}

// member reads one line of a class.
func (f *pyFile) member(c *pyClass, line pyLine) {
	t := line.tokens
	switch {
	case t[0].kind == '@':
		if len(t) > 1 && strings.Contains(t[1].text, "validator") {
			f.i.note(c.name, "not checked: the class has validators of its own (line %d)", line.number)
		}
	case t[0].kind != 'w' || len(t) < 3:
	case t[1].kind == ':' && t[0].text != "class" && t[0].text != "def":
		field := pyField{name: t[0].text}
		rest, at := t[2:], assignment(t[2:])
		if at >= 0 {
			def := parseExpr(rest[at+1:])
			field.def, rest = &def, rest[:at]
		}
		field.annotation = parseExpr(rest)
		c.fields = append(c.fields, field)
	case t[1].kind == '=':
		if t[0].text != "model_config" {
			c.values = append(c.values, parseExpr(t[2:]))
		} else {
			f.i.note(c.name, "not checked: model_config (line %d)", line.number)
		}
	case t[0].text == "class":
		f.i.note(c.name, "not checked: the class %s inside it (line %d)", t[1].text, line.number)
	}
}

// assignment is where the = of a field is, outside all brackets, or -1.
func assignment(t []pyToken) int {
	depth := 0
	for i, token := range t {
		switch token.kind {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '=':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// define is the schema of a class.
func (f *pyFile) define(c *pyClass) any {
	if slices.ContainsFunc(c.bases, func(b string) bool { return b == "Enum" || b == "StrEnum" || b == "IntEnum" }) {
		return f.enumeration(c)
	}
	properties, required := map[string]any{}, []any{}
	for _, field := range f.fields(c, map[string]bool{}) {
		name, schema, must := f.field(c, field)
		properties[name] = schema
		if must {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

// fields are those of a class after those it inherits. Each base counts once.
func (f *pyFile) fields(c *pyClass, seen map[string]bool) []pyField {
	seen[c.name] = true
	var list []pyField
	for _, base := range c.bases {
		known := f.classes[base]
		switch {
		case known != nil && seen[base]:
		case known != nil && len(seen) > MaxSchemaDepth:
			f.i.note(c.name, "not checked: it inherits from more than %d classes", MaxSchemaDepth)
		case known != nil:
			list = append(list, f.fields(known, seen)...)
		case base != "BaseModel" && base != "DataBagSchema":
			f.i.note(c.name, "not checked: the base %s is not in the file", first(base, "of the class"))
		}
	}
	for _, field := range c.fields {
		list = slices.DeleteFunc(list, func(old pyField) bool { return old.name == field.name })
		list = append(list, field)
	}
	return list
}

// enumeration is the schema of an enumeration.
func (f *pyFile) enumeration(c *pyClass) any {
	var values []any
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
func (f *pyFile) field(c *pyClass, field pyField) (string, map[string]any, bool) {
	name, path := field.name, c.name+"/"+field.name
	annotation, call := field.annotation, field.def
	if annotation.kind == '[' && annotation.text == "Annotated" && len(annotation.parts) > 0 {
		f.i.note(path, "not checked: what Annotated adds")
		annotation = annotation.parts[0]
	}
	schema := f.schema(annotation, path, 0)
	if call == nil {
		return name, schema, !optional(annotation)
	}
	if call.kind != '(' || call.text != "Field" {
		return name, schema, call.kind == 'w' && call.text == "..."
	}
	must := len(call.parts) == 0 && call.named["default"].kind == 0 && call.named["default_factory"].kind == 0 && !optional(annotation)
	if len(call.parts) > 0 {
		must = call.parts[0].text == "..." && call.parts[0].kind == 'w'
	}
	for _, alias := range []string{"alias", "serialization_alias"} {
		if e := call.named[alias]; e.kind == '"' && e.text != "" {
			name = e.text
		} else if e.kind != 0 {
			f.i.note(path, "not checked: its %s is computed", alias)
			return name, map[string]any{}, false
		}
	}
	return name, f.constraints(schema, call.named, path), must
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
const harmless wordList = "title examples example default default_factory alias serialization_alias json_schema_extra repr deprecated exclude"

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
