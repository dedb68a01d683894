package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Where schemas stand inside a schema. Keywords that are in none of these lists
// hold plain data.
const (
	schemaKeywords  wordList = "additionalProperties additionalItems contains else if items not propertyNames then unevaluatedItems unevaluatedProperties contentSchema"
	schemasKeywords wordList = "allOf anyOf oneOf prefixItems items"
	namedKeywords   wordList = "properties patternProperties dependentSchemas dependencies"
	// dropped say where a schema is or what it is part of, and nothing about values.
	dropped wordList = "$schema $id id $anchor $comment $vocabulary $recursiveAnchor $dynamicAnchor $defs definitions discriminator example"
	// narrowing are the keywords below which a schema that accepts more makes the whole
	// accept less: there, nothing can be left out.
	narrowing wordList = "not oneOf if contains"
	// failing are the keywords that need an engine we do not have.
	failing wordList = "$dynamicRef $recursiveRef"
)

// annotations are the keywords that bind nobody, and the kind of value each takes.
var annotations = map[string]string{"title": "a string", "description": "a string", "format": "a string", "examples": "an array"}

// inliner writes out the references of a schema, so that what remains is complete
// in itself, and its size is known before anything is compiled.
type inliner struct {
	root    any
	dialect Dialect
	// nodes counts what was written out so far.
	nodes int
	// cost is what those ask of a value, nodes aside.
	cost cost
	// following are the references being followed, to see one that leads to itself.
	following []string
	// lenient replaces what cannot be checked by true, and notes it.
	lenient bool
	notes   []Note
	// checking leaves out what is there to be exported, and is not checked.
	checking bool
}

// errTooLarge ends all inlining: nothing after it could be believed.
var errTooLarge = errors.New("too large")

// inline writes out schema, which stands at path.
func (in *inliner) inline(schema any, path string, depth int) (any, error) {
	if err := in.count(path, depth); err != nil {
		return nil, err
	}
	switch s := schema.(type) {
	case bool:
		return s, nil
	case map[string]any:
		if in.dialect.siblings() || s["$ref"] == nil {
			return in.object(s, path, depth)
		}
		return in.reference(s["$ref"], path, depth)
	}
	return nil, fmt.Errorf("%s is %s, not a schema", place(path), kindOf(schema))
}

// count counts one more value.
func (in *inliner) count(path string, depth int) error {
	if in.nodes++; in.nodes > MaxSchemaNodes {
		return fmt.Errorf("the schema is %w: more than %d values with its references written out", errTooLarge, MaxSchemaNodes)
	}
	if depth > MaxSchemaDepth {
		return fmt.Errorf("%s nests deeper than %d levels", place(path), MaxSchemaDepth)
	}
	return nil
}

// object writes out a schema that is an object.
func (in *inliner) object(s map[string]any, path string, depth int) (any, error) {
	out := map[string]any{}
	for _, word := range names(s) {
		if dropped.has(word) || word == "$ref" {
			continue
		}
		v, keep, err := in.keyword(word, s[word], path+"/"+word, depth)
		if err != nil {
			return nil, err
		}
		if keep {
			out[word] = v
		}
	}
	in.loosen(s, out)
	ref, ok := s["$ref"]
	if !ok {
		return out, nil
	}
	target, err := in.reference(ref, path, depth)
	if err != nil || len(out) == 0 {
		return target, err
	}
	all, _ := out["allOf"].([]any)
	out["allOf"] = append([]any{target}, all...)
	return out, nil
}

// loosen takes back "nothing else" where a pattern that said what else was left out.
func (in *inliner) loosen(s, out map[string]any) {
	given, _ := s["patternProperties"].(map[string]any)
	kept, _ := out["patternProperties"].(map[string]any)
	if len(kept) < len(given) {
		delete(out, "additionalProperties")
		delete(out, "unevaluatedProperties")
	}
}

// keyword writes out one keyword, and says whether it is kept.
func (in *inliner) keyword(word string, v any, path string, depth int) (any, bool, error) {
	outer := in.lenient
	defer func() { in.lenient = outer }()
	if narrowing.has(word) {
		in.lenient = false
	}
	in.price(word, v)
	switch {
	case failing.has(word):
		return nil, false, fmt.Errorf("%s: dynamic references are not followed", place(path))
	case word == "pattern":
		keep, err := in.pattern(v, path)
		return v, keep, err
	case annotations[word] != "":
		return v, in.annotation(word, v, path), in.data(v, path, depth+1)
	case namedKeywords.has(word):
		out, err := in.named(word, v, path, depth)
		return out, err == nil, err
	case schemasKeywords.has(word):
		if list, ok := v.([]any); ok {
			out, err := in.list(list, path, depth)
			return out, err == nil, err
		}
		if !schemaKeywords.has(word) {
			return nil, false, fmt.Errorf("%s is %s, not a list of schemas", place(path), kindOf(v))
		}
		fallthrough
	case schemaKeywords.has(word):
		out, err := in.member(v, path, depth)
		return out, err == nil, err
	}
	err := in.data(v, path, depth+1)
	return v, err == nil, err
}

// note notes something. More than are shown are not kept.
func (in *inliner) note(path, text string) {
	if len(in.notes) <= MaxNotes {
		in.notes = append(in.notes, Note{path, text})
	}
}

// annotation reports whether a keyword that binds nobody is what it should be. It is
// no reason to give up the rest.
func (in *inliner) annotation(word string, v any, path string) bool {
	if kindOf(v) == annotations[word] {
		// Which syntax a value that is a pattern should have nobody says, and to read one has no bound.
		return !in.checking || word != "format" || v != "regex"
	}
	in.note(path, fmt.Sprintf("it is %s, not %s", kindOf(v), annotations[word]))
	return false
}

// member writes out a schema inside a schema; one that cannot be checked becomes true if
// that only makes the whole accept more.
func (in *inliner) member(v any, path string, depth int) (any, error) {
	// Draft 4 has a boolean for additionalProperties; all later ones have it everywhere.
	following := len(in.following)
	out, err := in.inline(v, path, depth+1)
	if err == nil || !in.lenient || errors.Is(err, errTooLarge) {
		return out, err
	}
	in.following = in.following[:following]
	in.note(path, "not checked: "+err.Error())
	if in.dialect == Draft04 {
		return map[string]any{}, nil
	}
	return true, nil
}

func (in *inliner) list(list []any, path string, depth int) (any, error) {
	out := make([]any, 0, len(list))
	for i, v := range list {
		s, err := in.member(v, path+"/"+strconv.Itoa(i), depth)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// named writes out schemas that have names. Those that draft 7 keeps among
// dependencies may be lists of names instead.
func (in *inliner) named(word string, v any, path string, depth int) (any, error) {
	given, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is %s, not an object", place(path), kindOf(v))
	}
	out := map[string]any{}
	for _, name := range names(given) {
		if len(name) > MaxNameBytes {
			return nil, fmt.Errorf("%s has a name of %d characters, at most %d are taken", place(path), len(name), MaxNameBytes)
		}
		below := path + "/" + name
		if list, ok := given[name].([]any); ok && word == "dependencies" {
			out[name] = list
			continue
		}
		if word == "patternProperties" {
			if keep, err := in.pattern(name, below); err != nil {
				return nil, err
			} else if !keep {
				continue
			}
		}
		s, err := in.member(given[name], below, depth)
		if err != nil {
			return nil, err
		}
		out[name] = s
	}
	return out, nil
}

// data counts values that are no schemas.
func (in *inliner) data(v any, path string, depth int) error {
	if err := in.count(path, depth); err != nil {
		return err
	}
	switch v := v.(type) {
	case json.Number:
		in.cost.numbers += numberSteps(v.String()) / numberShare
		return checkNumber(v.String())
	case []any:
		for _, item := range v {
			if err := in.data(item, path, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range names(v) {
			if err := in.data(v[name], path, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// pattern reports whether a regular expression can be used; leniently one that
// cannot is left out.
func (in *inliner) pattern(v any, path string) (bool, error) {
	text, ok := v.(string)
	err := fmt.Errorf("%s is %s, not a pattern", place(path), kindOf(v))
	if ok {
		// They weigh, but less than a schema; to read one that is refused took time, too.
		in.nodes += len(text) / 4
		var size int
		if size, err = patternSize(text); err == nil {
			in.nodes += size / 10
			in.cost.texts += size
			return true, nil
		}
	}
	if !in.lenient {
		return false, err
	}
	in.note(path, "not checked: "+err.Error())
	return false, nil
}

// reference finds what a $ref names and writes that out.
func (in *inliner) reference(ref any, path string, depth int) (any, error) {
	name, ok := ref.(string)
	if !ok {
		return nil, fmt.Errorf("%s/$ref is %s, not a string", place(path), kindOf(ref))
	}
	if !strings.HasPrefix(name, "#") {
		return nil, fmt.Errorf("the reference %s leads out of the file, and nothing is fetched", clip(strconv.Quote(name)))
	}
	for _, above := range in.following {
		if above == name {
			return nil, fmt.Errorf("the reference %s leads to itself, and recursion has no bound", clip(strconv.Quote(name)))
		}
	}
	target, ok := pointed(in.root, strings.TrimPrefix(name, "#"))
	if !ok {
		return nil, fmt.Errorf("the reference %s names nothing in the file", clip(strconv.Quote(name)))
	}
	in.following = append(in.following, name)
	out, err := in.inline(target, path, depth+1)
	if err == nil {
		in.following = in.following[:len(in.following)-1]
	}
	return out, err
}

// unescape reads one step of a JSON pointer.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// pointed follows a JSON pointer.
func pointed(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, true
	}
	if !strings.HasPrefix(pointer, "/") {
		return nil, false
	}
	for _, step := range strings.Split(pointer[1:], "/") {
		step = unescape.Replace(step)
		switch c := v.(type) {
		case map[string]any:
			next, ok := c[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(c) {
				return nil, false
			}
			v = c[i]
		default:
			return nil, false
		}
	}
	return v, true
}
