package charm

import (
	"fmt"
	"strconv"
	"strings"
)

// kind classifies a node by what may stand in a YAML file.
type kind int

const (
	absentKind kind = iota // the key is not there
	nullKind
	scalarKind
	listKind
	mapKind
)

// document is what all nodes of one file share: its name for errors, and the
// words its errors begin with.
type document struct {
	file   string
	prefix string // "metadata: "
}

// node is a value of a YAML file that knows where it stands. Nodes are made by
// parseYAML, which has expanded aliases and merge keys; they form a finite tree.
type node struct {
	doc    *document
	line   int
	path   string // dotted path from the document's root; empty for the root
	kind   kind
	scalar any    // string, bool, int, uint64 or float64
	raw    string // the scalar as it is written
	list   []*node
	fields []field // in the order of the file, each key once
}

// field is one entry of a map.
type field struct {
	key  *node
	name string // the key if it is a string, else its text
	val  *node
}

// get returns the value of a key, or a node of kind absentKind that stands
// where the map stands.
func (n *node) get(key string) *node {
	for i := range n.fields {
		if n.fields[i].name == key && n.fields[i].key.isString() {
			return n.fields[i].val
		}
	}
	return &node{doc: n.doc, line: n.line, path: join(n.path, key), kind: absentKind}
}

// has reports whether the map has the key, whatever its value.
func (n *node) has(key string) bool { return n.get(key).kind != absentKind }

func (n *node) isString() bool {
	_, ok := n.scalar.(string)
	return n.kind == scalarKind && ok
}

// isNothing reports whether the node is absent or an explicit null.
func (n *node) isNothing() bool { return n.kind == absentKind || n.kind == nullKind }

// join appends a key to a path. Paths are clipped like values: a file of long
// keys in deep maps must not grow quadratically.
func join(path, key string) string {
	if path == "" {
		return clip(key)
	}
	return clip(path + "." + key)
}

// value is the node as Go values of the types that Juju's YAML library makes,
// because their Go syntax is part of the error texts (section 1).
func (n *node) value() any {
	switch n.kind {
	case scalarKind:
		return n.scalar
	case listKind:
		list := make([]any, len(n.list))
		for i, item := range n.list {
			list[i] = item.value()
		}
		return list
	case mapKind:
		m := make(map[any]any, len(n.fields))
		for _, f := range n.fields {
			m[f.key.value()] = f.val.value()
		}
		return m
	default:
		return nil
	}
}

// text is the value as it is written, for the Value of an error.
func (n *node) text() string {
	switch n.kind {
	case scalarKind:
		return clip(n.raw)
	case listKind, mapKind:
		return clip(fmt.Sprintf("%v", n.value()))
	case nullKind:
		return "null"
	default:
		return ""
	}
}

// goSyntax is the value in Go syntax, as in `expected int, got "x"`.
func (n *node) goSyntax() string { return clip(fmt.Sprintf("%#v", n.value())) }

// refuse makes the error for a mistake at n. The reason is complete: no prefix
// is added.
func (n *node) refuse(rule, format string, args ...any) *Error {
	return &Error{
		Reason: fmt.Sprintf(format, args...),
		File:   n.doc.file, Line: n.line, Field: n.path, Value: n.text(), Rule: rule,
	}
}

// schemaError makes an error in the style of section 4.2: prefix, path, text.
func (n *node) schemaError(rule, format string, args ...any) *Error {
	text := fmt.Sprintf(format, args...)
	if n.path != "" {
		text = n.path + ": " + text
	}
	return n.refuse(rule, "%s%s", n.doc.prefix, text)
}

// expected is the error for a value of the wrong type.
func (n *node) expected(want string) *Error {
	rule := "the value must be a " + want
	switch {
	case n.kind == absentKind:
		return n.schemaError("the field is required and must be a "+want, "expected %s, got nothing", want)
	case n.kind == nullKind:
		err := n.schemaError(rule, "expected %s, got nothing", want)
		err.Hint = "remove the key or give it a value"
		return err
	}
	err := n.schemaError(rule, "expected %s, got %T(%s)", want, n.value(), n.goSyntax())
	if want == "string" && n.kind == scalarKind {
		err.Hint = fmt.Sprintf("put quotes around it: %q", clip(n.raw))
	}
	return err
}

// unexpected is the error for a value that is none of those allowed.
func (n *node) unexpected(rule string) *Error {
	return n.schemaError(rule, "unexpected value %s", n.goSyntax())
}

// asString accepts nothing but strings.
func (n *node) asString() (string, error) {
	if s, ok := n.scalar.(string); ok && n.kind == scalarKind {
		return s, nil
	}
	return "", n.expected("string")
}

// asBool accepts booleans and the strings strconv.ParseBool knows.
func (n *node) asBool() (bool, error) {
	if n.kind == scalarKind {
		switch v := n.scalar.(type) {
		case bool:
			return v, nil
		case string:
			if b, err := strconv.ParseBool(v); err == nil {
				return b, nil
			}
		}
	}
	return false, n.expected("bool")
}

// asInt accepts integers and strings that are integers in Go syntax.
func (n *node) asInt() (int, error) {
	if n.kind == scalarKind {
		switch v := n.scalar.(type) {
		case int:
			return v, nil
		case string:
			if i, err := strconv.ParseInt(v, 0, strconv.IntSize); err == nil {
				return int(i), nil
			}
		}
	}
	return 0, n.expected("int")
}

// asMap returns the entries of a map whose keys are all strings, in the order of the file.
func (n *node) asMap() ([]field, error) {
	if n.kind != mapKind {
		return nil, n.expected("map")
	}
	for _, f := range n.fields {
		if !f.key.isString() {
			err := n.expected("map[string]")
			err.Line, err.Rule = f.key.line, "every key must be a string"
			err.Hint = fmt.Sprintf("put quotes around the key: %q", f.name)
			return nil, err
		}
	}
	return n.fields, nil
}

func (n *node) asList() ([]*node, error) {
	if n.kind != listKind {
		return nil, n.expected("list")
	}
	return n.list, nil
}

func (n *node) asStrings() ([]string, error) {
	items, err := n.asList()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, item := range items {
		s, err := item.asString()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// without returns n with its document's path prefix cut off, under another
// document: what stands below "config" of charmcraft.yaml is a config.yaml of its own.
func (n *node) without(prefix string, doc *document) *node {
	c := *n
	c.doc = doc
	c.path = strings.TrimPrefix(strings.TrimPrefix(n.path, prefix), ".")
	c.list = make([]*node, len(n.list))
	for i, item := range n.list {
		c.list[i] = item.without(prefix, doc)
	}
	c.fields = make([]field, len(n.fields))
	for i, f := range n.fields {
		c.fields[i] = field{f.key.without(prefix, doc), f.name, f.val.without(prefix, doc)}
	}
	return &c
}
