package contract

import (
	"bytes"
	"encoding/json"

	"kith"
)

// JSONSchema is what one role writes as a JSON Schema (2020-12) with the roots app
// and unit, the form the public catalogue has: a value carried as JSON is a string
// whose content is described. It says less than the contract: keys that a secret may stand
// for are not required there, and the words of notes become comments. Keys that may be in
// either bag stand in both, and are required in none. Errors: NotFound, if the contract says
// nothing about the role.
func (c *Contract) JSONSchema(role kith.Role) ([]byte, error) {
	side := c.Side(role)
	if side == nil {
		return nil, kith.Errorf(kith.NotFound, "the contract of %s says nothing about the %s", c.Interface, role)
	}
	root := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   c.Interface + " " + string(role),
		"type":    "object",
	}
	if c.Description != "" {
		root["description"] = c.Description
	}
	properties := map[string]any{}
	var required []any
	for _, kind := range []BagKind{AppBag, UnitBag} {
		bag := side.joined(kind)
		if bag == nil {
			continue
		}
		schema, must := bag.jsonSchema()
		properties[string(kind)] = schema
		if must {
			required = append(required, string(kind))
		}
	}
	root["properties"] = properties
	if len(required) > 0 {
		root["required"] = required
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot write the schema of %s: %v", c.Interface, err)
	}
	return b.Bytes(), nil
}

// joined is the bag of a kind, with the keys that may be in it or in the other.
func (s *Side) joined(kind BagKind) *Bag {
	bag := s.Bag(kind)
	if s.Either == nil {
		return bag
	}
	out := Bag{Optional: true}
	if bag != nil {
		out = *bag
		out.Keys = append([]Key(nil), bag.Keys...)
	}
	for _, k := range s.Either.Keys {
		if _, ok := out.Key(k.Name); !ok {
			k.Required = false
			out.Keys = append(out.Keys, k)
		}
	}
	out.sortKeys()
	return &out
}

// jsonSchema describes the bag, and says whether it must be there.
func (b *Bag) jsonSchema() (map[string]any, bool) {
	out := map[string]any{"type": "object"}
	if b.Description != "" {
		out["description"] = b.Description
	}
	if b.Unchecked != "" {
		out["$comment"] = "not checked: " + b.Unchecked
		return out, false
	}
	if b.Closed {
		out["additionalProperties"] = false
	}
	properties := map[string]any{}
	var required []any
	for _, k := range b.Keys {
		properties[k.Name] = k.jsonSchema()
		if k.Required && len(k.Via) == 0 {
			required = append(required, k.Name)
		}
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	if len(required) > 0 {
		out["required"] = required
	}
	var groups []any
	for _, group := range b.AnyOf {
		var all []any
		for _, name := range group {
			all = append(all, name)
		}
		groups = append(groups, map[string]any{"required": all})
	}
	if len(groups) > 0 {
		out["anyOf"] = groups
	}
	return out, len(required) > 0 && !b.Optional
}

// jsonSchema describes the key's value as it is on the wire.
func (k Key) jsonSchema() map[string]any {
	out := map[string]any{"type": "string"}
	switch schema, isObject := k.Schema.(map[string]any); {
	case k.Unchecked != "":
		out["$comment"] = "not checked: " + k.Unchecked
	case k.Secret == SecretOnly:
		out["format"] = "secret-uri"
	case k.Encoding == JSON:
		out["contentMediaType"] = "application/json"
		if k.Schema != nil {
			out["contentSchema"] = k.Schema
		}
	case isObject && k.Secret == SecretAllowed:
		out = map[string]any{"anyOf": []any{schema, map[string]any{"type": "string", "format": "secret-uri"}}}
	case isObject:
		for _, word := range names(schema) {
			out[word] = schema[word]
		}
		if schema["type"] == nil && (schema["anyOf"] != nil || schema["oneOf"] != nil || schema["allOf"] != nil) {
			delete(out, "type") // the branches say it, and null may be one
		}
	}
	if k.Description != "" {
		out["description"] = k.Description
	}
	return out
}
