package contract

import (
	"bytes"
	"fmt"
	"go/format"
	"go/token"
	"strings"
	"unicode"

	"kith"
)

// GoStructs writes a Go file with a struct for each bag of the contract, tagged as
// package kith/ops loads and saves them, and a struct for each object inside.
// What the contract does not check, and what may be more than one thing, is a
// json.RawMessage, so that nothing is lost; what need not be there is a pointer, nil where it
// is not. Keys and properties the contract does not name are not in the structs.
// Errors: Invalid, of the package's name; Internal.
func (c *Contract) GoStructs(pkg string) ([]byte, error) {
	if !token.IsIdentifier(pkg) {
		return nil, kith.Errorf(kith.Invalid, "%q is no name of a Go package", pkg)
	}
	g := &goFile{taken: map[string]bool{}}
	for _, role := range c.Roles() {
		for _, kind := range bagKinds {
			if b := c.Side(role).Bag(kind); b != nil {
				g.bag(role, kind, b)
			}
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated from the contract of %s, version %d. DO NOT EDIT.\n\n", c.Interface, c.Version)
	fmt.Fprintf(&b, "package %s\n\n", pkg)
	if strings.Contains(g.types.String(), "json.RawMessage") {
		b.WriteString("import \"encoding/json\"\n\n")
	}
	b.Write(g.types.Bytes())
	out, err := format.Source(b.Bytes())
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot write Go for the contract of %s: %v", c.Interface, err)
	}
	return out, nil
}

// goFile collects the types of a file.
type goFile struct {
	types bytes.Buffer
	taken map[string]bool
}

// name is a type name that is not taken yet.
func (g *goFile) name(want string) string {
	name := want
	for i := 2; g.taken[name]; i++ {
		name = fmt.Sprintf("%s%d", want, i)
	}
	g.taken[name] = true
	return name
}

// bag writes the struct of a bag, after those inside it.
func (g *goFile) bag(role kith.Role, kind BagKind, b *Bag) {
	name := g.name(exported(string(role)) + exported(string(kind)))
	var body bytes.Buffer
	used := map[string]bool{}
	for _, k := range b.Keys {
		typ, tag := "string", k.Name+",text"
		if k.Encoding == JSON {
			typ, tag = g.typ(k.Schema, name+exported(k.Name)), k.Name
			if !k.Required {
				typ = absent(typ)
			}
			if !k.Required || nullable(typ, true) == typ {
				tag += ",omitempty" // a nil list is nothing, and not the JSON null
			}
		}
		if !taggable(k.Name) {
			fmt.Fprintf(&body, "\t// The key %q cannot stand in a tag.\n", k.Name)
			continue
		}
		goComment(&body, "\t", k.Description)
		fmt.Fprintf(&body, "\t%s %s `databag:\"%s\"`\n", field(used, k.Name), typ, tag)
	}
	where := map[BagKind]string{AppBag: "application", UnitBag: "unit", EitherBag: "application or unit"}[kind]
	fmt.Fprintf(&g.types, "// %s is what the %s writes into its %s databag.\n", name, role, where)
	fmt.Fprintf(&g.types, "type %s struct {\n%s}\n\n", name, body.Bytes())
}

// typ is the Go type of a schema; objects become types of their own, named name.
func (g *goFile) typ(schema any, name string) string {
	m, ok := schema.(map[string]any)
	if !ok {
		return "json.RawMessage"
	}
	if rest, null := choices(m); len(rest) == 1 {
		return nullable(g.typ(rest[0], name), null)
	}
	types := map[string]bool{}
	if !typesOf(m, types) {
		return "json.RawMessage"
	}
	null := types["null"]
	delete(types, "null")
	if len(types) != 1 {
		return "json.RawMessage"
	}
	return nullable(g.single(names(types)[0], m, name), null)
}

// nullable is a type that can say null.
func nullable(typ string, null bool) string {
	if !null || strings.HasPrefix(typ, "[]") || strings.HasPrefix(typ, "map[") || strings.HasPrefix(typ, "*") || typ == "json.RawMessage" {
		return typ
	}
	return "*" + typ
}

// absent is a type that can say that nothing is there: false and 0 are something, and so is
// an object without anything in it. An empty string is taken for none.
func absent(typ string) string { return nullable(typ, typ != "string") }

// single is the Go type of a schema with one type.
func (g *goFile) single(typ string, m map[string]any, name string) string {
	switch typ {
	case "string":
		return "string"
	case "boolean":
		return "bool"
	case "integer":
		return "int64"
	case "number":
		return "float64"
	case "array":
		return "[]" + g.typ(m["items"], name+"Item")
	case "object":
		properties, _ := m["properties"].(map[string]any)
		if len(properties) > 0 {
			return g.object(m, properties, name)
		}
		if inner, ok := m["additionalProperties"].(map[string]any); ok {
			return "map[string]" + g.typ(inner, name+"Value")
		}
		return "map[string]json.RawMessage"
	}
	return "json.RawMessage"
}

// object writes the struct of an object inside a bag.
func (g *goFile) object(m, properties map[string]any, name string) string {
	name = g.name(name)
	required := map[string]bool{}
	for _, p := range stringsOf(m["required"]) {
		required[p] = true
	}
	var body bytes.Buffer
	used := map[string]bool{}
	for _, p := range names(properties) {
		if !taggable(p) {
			fmt.Fprintf(&body, "\t// The property %q cannot stand in a tag.\n", p)
			continue
		}
		tag, typ := p, g.typ(properties[p], name+exported(p))
		if !required[p] {
			typ, tag = absent(typ), tag+",omitzero"
		}
		if below, ok := properties[p].(map[string]any); ok {
			text, _ := below["description"].(string)
			goComment(&body, "\t", text)
		}
		fmt.Fprintf(&body, "\t%s %s `json:\"%s\"`\n", field(used, p), typ, tag)
	}
	fmt.Fprintf(&g.types, "// %s is an object in a databag.\n", name)
	fmt.Fprintf(&g.types, "type %s struct {\n%s}\n\n", name, body.Bytes())
	return name
}

// goComment writes text as comment lines. It comes from anybody, so nothing in it may
// end the comment.
func goComment(b *bytes.Buffer, indent, text string) {
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' }) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(b, "%s// %s\n", indent, line)
		}
	}
}

// taggable reports whether a name can stand in a tag as it is.
func taggable(name string) bool {
	return name != "" && name != "-" && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	})
}

// initials are words that Go writes in capitals.
const initials wordList = "url uri uris id ca tls uuid ip http https api json dns cpu csr"

// exported is a key as a Go name: read-only-uris becomes ReadOnlyURIs.
func exported(s string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		switch {
		case word == "uris":
			b.WriteString("URIs")
		case initials.has(word):
			b.WriteString(strings.ToUpper(word))
		default:
			runes := []rune(word)
			b.WriteString(string(unicode.ToUpper(runes[0])) + string(runes[1:]))
		}
	}
	name := b.String()
	if !token.IsExported(name) || !token.IsIdentifier(name) {
		return "X" + name
	}
	return name
}

// field is a field name that is not used yet.
func field(used map[string]bool, key string) string {
	name := exported(key)
	for i := 2; used[name]; i++ {
		name = fmt.Sprintf("%s%d", exported(key), i)
	}
	used[name] = true
	return name
}
