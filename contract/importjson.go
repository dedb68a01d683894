package contract

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kith"
)

// schema reads a JSON Schema: of a side with its two bags, or of one bag.
func (i *Import) schema(text []byte) error {
	v, err := decodeJSON(text)
	if err != nil {
		return err
	}
	root, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("it is %s, not a schema", kindOf(v))
	}
	r := &schemaReader{i: i, root: root, defaults: NewBudget(MaxWork)}
	if r.dialect, err = dialectOf(root["$schema"]); err != nil {
		return err
	}
	properties, ok := root["properties"].(map[string]any)
	if !ok {
		return errors.New("it has no properties: nothing is said about any key")
	}
	id, err := i.begin(root, true)
	if err != nil {
		return err
	}
	i.Contract.Description, _ = root["description"].(string)
	side := &Side{}
	i.Form = WrittenForm
	if r.hasRoots(properties) {
		if properties["app"] != nil || properties["unit"] != nil {
			i.Form = GeneratedForm
		}
		err = r.rooted(side, properties)
	} else {
		i.note("", "nothing says which bag the keys are in: either may hold them")
		side.Either, err = r.bag(root, "", false)
	}
	if err != nil {
		return err
	}
	i.Contract.setSide(id.role, side)
	r.examples(id.role)
	return nil
}

// schemaReader reads the parts of one schema file.
type schemaReader struct {
	i       *Import
	root    map[string]any
	dialect Dialect
	nodes   int // of all schemas so far
	// defaults is what is left for checking the defaults of the file.
	defaults *Budget
}

// roots are the names under which schemas have the bags of a side.
var roots = map[string]BagKind{
	"app": AppBag, "application-data": AppBag, "application_data": AppBag,
	"unit": UnitBag, "unit-data": UnitBag, "unit_data": UnitBag,
}

// hasRoots reports whether the properties are bags, not keys of one.
func (r *schemaReader) hasRoots(properties map[string]any) bool {
	for _, name := range names(roots) {
		if s, ok := properties[name]; ok {
			s, _, err := r.follow(s)
			m, isObject := s.(map[string]any)
			if err != nil || isObject && m["type"] != "string" {
				return true
			}
		}
	}
	return false
}

// follow looks through references, and through a choice between null and one thing.
func (r *schemaReader) follow(s any) (any, bool, error) {
	nullable := false
	for range MaxSchemaDepth {
		m, ok := s.(map[string]any)
		if !ok {
			return s, nullable, nil
		}
		if ref, ok := m["$ref"].(string); ok {
			if !strings.HasPrefix(ref, "#") {
				return nil, nullable, fmt.Errorf("the reference %s leads out of the file, and nothing is fetched", clip(strconv.Quote(ref)))
			}
			target, found := pointed(r.root, ref[1:])
			if !found {
				return nil, nullable, fmt.Errorf("the reference %s names nothing in the file", clip(strconv.Quote(ref)))
			}
			s = target
			continue
		}
		rest, null := choices(m)
		if len(rest) != 1 {
			return s, nullable, nil
		}
		s, nullable = rest[0], nullable || null
	}
	return nil, nullable, errors.New("references lead in a circle")
}

// choices are the branches of anyOf, oneOf or allOf that are not null, and whether one
// is. There are none where the schema says more than that.
func choices(m map[string]any) (rest []any, null bool) {
	for _, word := range []string{"anyOf", "oneOf", "allOf"} {
		list, ok := m[word].([]any)
		if !ok || m["properties"] != nil || m["type"] != nil {
			continue
		}
		for _, s := range list {
			if o, ok := s.(map[string]any); ok && o["type"] == "null" {
				null = true
				continue
			}
			rest = append(rest, s)
		}
		return rest, null
	}
	return nil, false
}

// rooted reads the bags below the roots.
func (r *schemaReader) rooted(side *Side, properties map[string]any) error {
	required := stringsOf(r.root["required"])
	for _, name := range names(properties) {
		kind, ok := roots[name]
		if !ok {
			r.i.note("properties/"+name, "not checked: it stands beside the bags, and so in none")
			continue
		}
		s, nullable, err := r.follow(properties[name])
		if err != nil {
			side.setBag(kind, r.unchecked("properties/"+name, err.Error()))
			continue
		}
		bag, err := r.bag(s, "properties/"+name, nullable || !slices.Contains(required, name))
		if err != nil {
			return err
		}
		side.setBag(kind, bag)
	}
	return nil
}

// unchecked is a bag of which nothing can be said.
func (r *schemaReader) unchecked(path, why string) *Bag {
	r.i.note(path, "not checked: %s", why)
	return &Bag{Unchecked: why}
}

// bag reads the schema of a bag as one object.
func (r *schemaReader) bag(s any, path string, optional bool) (*Bag, error) {
	m, ok := s.(map[string]any)
	if !ok {
		return r.unchecked(path, "it is described as "+kindOf(s)+", not by a schema"), nil
	}
	if len(m) == 0 {
		return r.unchecked(path, "the source says nothing about its keys"), nil
	}
	if t := m["type"]; t != nil && t != "object" {
		return r.unchecked(path, "a bag is an object, and the schema says "+clip(encodeJSON(t))), nil
	}
	b := &Bag{Optional: optional}
	if path != "" {
		b.Description, _ = m["description"].(string)
	}
	b.Closed = m["additionalProperties"] == false || m["unevaluatedProperties"] == false
	properties, _ := m["properties"].(map[string]any)
	required := stringsOf(m["required"])
	if n := max(len(properties), len(required)); n > MaxKeys {
		return nil, fmt.Errorf("%s: there are %d keys, at most %d are taken", place(path), n, MaxKeys)
	}
	r.keys(b, properties, required, path)
	for _, name := range required {
		if _, ok := b.Key(name); !ok {
			r.i.note(path+"/required", "the key %q is required, and nothing describes it", name)
			b.Keys = append(b.Keys, Key{Name: name, Encoding: Raw, Required: true, Unchecked: "the source requires the key and does not describe it"})
		}
	}
	r.rest(b, m, path)
	b.sortKeys()
	if len(b.Keys) > MaxKeys {
		return nil, fmt.Errorf("%s: there are %d keys, at most %d are taken", place(path), len(b.Keys), MaxKeys)
	}
	return b, nil
}

// stringsOf are the strings of a list; what is no string is left out.
func stringsOf(v any) []string {
	var out []string
	seen := map[string]bool{}
	list, _ := v.([]any)
	for _, item := range list {
		if s, ok := item.(string); ok && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// keys reads the properties of a bag as its keys.
func (r *schemaReader) keys(b *Bag, properties map[string]any, required []string, path string) {
	for _, name := range names(properties) {
		if _, ok := properties[name].(bool); ok && schemaKeywords.has(name) {
			r.i.note(path+"/properties/"+name, "it is a keyword among the keys; it was meant to stand beside them")
			continue
		}
		if _, ok := b.Key(name); ok || name == "" {
			continue
		}
		b.Keys = append(b.Keys, r.key(name, properties[name], slices.Contains(required, name), path+"/properties/"+name))
	}
}

// key reads the schema of one key.
func (r *schemaReader) key(name string, s any, required bool, path string) Key {
	k := Key{Name: name, Encoding: Raw, Required: required, Dialect: r.dialect}
	if k.Dialect == localDialect {
		k.Dialect = ""
	}
	if len(name) > MaxNameBytes {
		k.Dialect, k.Unchecked = "", fmt.Sprintf("its name has %d characters, at most %d are taken", len(name), MaxNameBytes)
		r.i.note(clip(path), "not checked: %s", k.Unchecked)
		return k
	}
	in := &inliner{root: r.root, dialect: r.dialect, lenient: true}
	inlined, err := in.inline(s, path, 0)
	if r.nodes += in.nodes; err == nil && r.nodes > MaxContractNodes {
		err = fmt.Errorf("the schemas of the file are %w: more than %d values together", errTooLarge, MaxContractNodes)
	}
	for _, n := range in.notes {
		r.i.note(n.Path, "%s", n.Text)
	}
	if err == nil {
		m, _ := inlined.(map[string]any)
		k.Description, _ = m["description"].(string)
		below, _ := single(inlined).(map[string]any)
		if k.Description == "" {
			k.Description, _ = below["description"].(string)
		}
		k.Sensitive = m["format"] == "password" || m["writeOnly"] == true || below["format"] == "password"
		k.Encoding, k.Schema, err = onTheWire(inlined)
	}
	if err == nil {
		_, _, err = compileSchema(k.Schema, k.Dialect)
	}
	if err != nil {
		k.Encoding, k.Schema, k.Dialect, k.Unchecked = Raw, nil, "", err.Error()
		r.i.note(path, "not checked: %v", err)
		return k
	}
	r.lintDefault(k, inlined, path)
	return k
}

// onTheWire finds out how a value that fits s is written into a bag: strings as
// they are, anything else as JSON, and a string that holds JSON as what it holds.
func onTheWire(s any) (Encoding, any, error) {
	m, ok := s.(map[string]any)
	if !ok {
		return Raw, nil, errors.New("the source gives no type")
	}
	if inner, ok := content(m); ok {
		return JSON, inner, nil
	}
	types := map[string]bool{}
	if !typesOf(m, types) || len(types) == 0 {
		return Raw, nil, errors.New("the source gives no type")
	}
	delete(types, "null")
	switch {
	case !types["string"]:
		return JSON, s, nil
	case len(types) == 1:
		return Raw, s, nil
	}
	return Raw, nil, fmt.Errorf("it may be %s, and the source does not say how that is written", strings.Join(names(types), " or "))
}

// content is the schema of the JSON that a string holds.
func content(m map[string]any) (any, bool) {
	if rest, _ := choices(m); len(rest) == 1 {
		if below, ok := rest[0].(map[string]any); ok {
			return content(below)
		}
	}
	if m["contentMediaType"] != "application/json" {
		return nil, false
	}
	if inner, ok := m["contentSchema"]; ok {
		return inner, true
	}
	return true, true
}

// typesOf collects the types a value may have, and reports whether they are known.
func typesOf(m map[string]any, into map[string]bool) bool {
	switch t := m["type"].(type) {
	case string:
		into[t] = true
		return true
	case []any:
		for _, name := range stringsOf(t) {
			into[name] = true
		}
		return len(t) > 0
	}
	for _, word := range []string{"anyOf", "oneOf", "allOf"} {
		list, ok := m[word].([]any)
		if !ok || len(list) == 0 {
			continue
		}
		for _, s := range list {
			below, ok := s.(map[string]any)
			known := ok && typesOf(below, into)
			if !known && word != "allOf" {
				return false
			}
		}
		return len(into) > 0
	}
	values, _ := m["enum"].([]any)
	if v, ok := m["const"]; ok {
		values = append(values, v)
	}
	for _, v := range values {
		into[typeName(v)] = true
	}
	return len(values) > 0
}

// typeName is the JSON Schema type of a value.
func typeName(v any) string {
	kind := kindOf(v)
	return kind[strings.LastIndexByte(kind, ' ')+1:]
}

// lintDefault notes a default that the schema itself refuses.
func (r *schemaReader) lintDefault(k Key, s any, path string) {
	m, _ := s.(map[string]any)
	def, ok := m["default"]
	if !ok || k.Schema == nil {
		return
	}
	if text, isText := def.(string); isText && k.Encoding == JSON {
		if v, err := decodeJSON([]byte(text)); err == nil {
			def = v
		}
	}
	compiled, cost, err := compileSchema(k.Schema, k.Dialect)
	if err != nil || compiled == nil || !r.defaults.take(cost.steps(sizeOf(def))) {
		return
	}
	if !fits(compiled, def) {
		r.i.note(path+"/default", "the default %s does not fit its own schema", clip(encodeJSON(def)))
	}
}

// understood are the keywords of a bag's schema that are read, or say nothing.
const understood wordList = "type properties required additionalProperties unevaluatedProperties title description default example examples anyOf $schema $id id $defs definitions $comment"

// rest reads what a bag's schema says beside its properties.
func (r *schemaReader) rest(b *Bag, m map[string]any, path string) {
	if list, ok := m["anyOf"].([]any); ok {
		r.anyOf(b, list, path+"/anyOf")
	}
	for _, word := range names(m) {
		if !understood.has(word) {
			if below, ok := m[word].(map[string]any); ok && below["type"] != nil {
				r.i.note(path+"/"+word, "not checked: it is no keyword; it may have been meant to stand among the properties")
				continue
			}
			r.i.note(path+"/"+word, "not checked: a condition on the bag as a whole")
			if word == "patternProperties" {
				b.Closed = false
			}
		}
	}
	if _, ok := m["additionalProperties"].(map[string]any); ok {
		r.i.note(path+"/additionalProperties", "not checked: keys that have no name")
	}
}

// anyOf reads a choice between groups of keys. One that says more is not checked.
func (r *schemaReader) anyOf(b *Bag, list []any, path string) {
	var groups [][]string
	for n, s := range list {
		below := path + "/" + strconv.Itoa(n)
		m, ok := s.(map[string]any)
		required := stringsOf(m["required"])
		if !ok || len(required) == 0 || slices.ContainsFunc(names(m), func(w string) bool { return !understood.has(w) || w == "anyOf" || w == "additionalProperties" }) {
			r.i.note(path, "not checked: a choice between more than groups of required keys")
			return
		}
		groups = append(groups, required)
		properties, _ := m["properties"].(map[string]any)
		if len(list)*(len(properties)+len(required)) > MaxKeys {
			r.i.note(path, "not checked: a choice between more groups of keys than are taken")
			return
		}
		r.keys(b, properties, nil, below)
	}
	for _, group := range groups {
		for _, name := range group {
			if _, ok := b.Key(name); !ok {
				b.Keys = append(b.Keys, Key{Name: name, Encoding: Raw, Unchecked: "the source requires the key and does not describe it"})
				r.i.note(path, "the key %q is required, and nothing describes it", name)
			}
		}
	}
	b.AnyOf = groups
}

// examples tries the examples of the file on what was read of it. Those that fit
// become vectors.
func (r *schemaReader) examples(role kith.Role) {
	list, _ := r.root["examples"].([]any)
	checker, err := r.i.Contract.Compile()
	if err != nil {
		return // ImportFile says it
	}
	for n, v := range list {
		path := "examples/" + strconv.Itoa(n)
		m, ok := v.(map[string]any)
		if !ok {
			r.i.note(path, "it is %s, not a bag", kindOf(v))
			continue
		}
		if r.i.Contract.Side(role).Either != nil {
			r.example(checker, role, EitherBag, m, n, path)
			continue
		}
		for _, name := range names(m) {
			if bag, ok := m[name].(map[string]any); ok && roots[name] != "" {
				r.example(checker, role, roots[name], bag, n, path+"/"+name)
			}
		}
	}
}

// example tries one bag of an example.
func (r *schemaReader) example(checker *Checker, role kith.Role, kind BagKind, m map[string]any, n int, path string) {
	e := Example{Name: fmt.Sprintf("example %d of the source", n+1), Role: role, Bag: kind, Data: map[string]string{}, State: Valid}
	for _, name := range names(m) {
		e.Data[name] = onWire(m[name])
	}
	verdict := checker.verdict(e, r.defaults)
	switch verdict.State {
	case Valid:
		if r.defaults.short {
			r.i.note(path, "not checked: the examples are too large for their schemas, together")
			return
		}
		r.i.Contract.Examples = append(r.i.Contract.Examples, e)
	case Violating:
		r.i.note(path, "the example breaks its own schema: %s", verdict.Violations[0])
	default:
		r.i.note(path, "the example lacks %s", quotedList(verdict.Missing))
	}
}
