package charm

import (
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Limits of a YAML file. Real charms stay below 200 KiB and 3,000 values; the
// limits stop a file whose aliases double again and again ("billion laughs").
const (
	MaxYAMLSize  = 4 << 20 // bytes of one YAML file
	MaxYAMLNodes = 100_000 // values, after aliases are expanded
	MaxYAMLDepth = 100     // maps and lists inside each other
)

// yamlLine finds the line number in the YAML library's error texts.
var yamlLine = regexp.MustCompile(`line ([0-9]+): `)

// parseYAML reads the first document of a file into nodes. An empty file gives
// a node of kind nullKind.
func parseYAML(doc *document, data []byte) (*node, error) {
	if len(data) > MaxYAMLSize {
		return nil, &Error{
			Reason: fmt.Sprintf("cannot read %s: larger than %d bytes (MaxYAMLSize)", doc.file, MaxYAMLSize),
			File:   doc.file, Rule: "real files are far smaller",
		}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		e := &Error{Reason: err.Error(), File: doc.file, Rule: "the file must be YAML"}
		if m := yamlLine.FindStringSubmatch(e.Reason); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
		}
		return nil, e
	}
	if root.Kind == 0 || len(root.Content) == 0 {
		return &node{doc: doc, line: 1, kind: nullKind}, nil
	}
	c := converter{doc: doc}
	return c.convert(root.Content[0], "", 0)
}

// converter turns the YAML library's nodes into ours and keeps to the limits.
type converter struct {
	doc   *document
	count int
}

func (c *converter) refuse(n *yaml.Node, format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...), File: c.doc.file, Line: n.Line, Rule: "the file must be YAML"}
}

func (c *converter) convert(n *yaml.Node, path string, depth int) (*node, error) {
	if depth > MaxYAMLDepth {
		return nil, c.refuse(n, "yaml: values are nested more than %d deep (MaxYAMLDepth)", MaxYAMLDepth)
	}
	if c.count++; c.count > MaxYAMLNodes {
		return nil, c.refuse(n, "yaml: more than %d values after expanding aliases (MaxYAMLNodes)", MaxYAMLNodes)
	}
	out := &node{doc: c.doc, line: n.Line, path: path}
	switch n.Kind {
	case yaml.AliasNode:
		target, err := c.convert(n.Alias, path, depth+1)
		if err != nil {
			return nil, err
		}
		target.line = n.Line
		return target, nil
	case yaml.ScalarNode:
		return out, c.scalar(out, n)
	case yaml.SequenceNode:
		out.kind = listKind
		for i, item := range n.Content {
			v, err := c.convert(item, clip(fmt.Sprintf("%s[%d]", path, i)), depth+1)
			if err != nil {
				return nil, err
			}
			out.list = append(out.list, v)
		}
		return out, nil
	case yaml.MappingNode:
		out.kind = mapKind
		return out, c.mapping(out, n, depth)
	default:
		return nil, c.refuse(n, "yaml: unexpected kind of node")
	}
}

// mapping fills in the fields of a map. Of a key that stands twice the last
// value counts (section 4.1); what a merge key brings counts least.
func (c *converter) mapping(out *node, n *yaml.Node, depth int) error {
	at := make(map[any]int, len(n.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.ScalarNode && key.Value == "<<" && key.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
			merges = append(merges, val)
			continue
		}
		k, err := c.convert(key, out.path, depth+1)
		if err != nil {
			return err
		}
		if k.kind == listKind || k.kind == mapKind {
			return c.refuse(key, "yaml: invalid map key: %s", k.goSyntax())
		}
		f := field{key: k, name: keyName(k)}
		if f.val, err = c.convert(val, join(out.path, f.name), depth+1); err != nil {
			return err
		}
		if at := put(at, k, len(out.fields)); at < len(out.fields) {
			out.fields[at] = f
		} else {
			out.fields = append(out.fields, f)
		}
	}
	for _, m := range merges {
		if err := c.merge(out, at, m, depth); err != nil {
			return err
		}
	}
	return nil
}

// put returns the place of a key that is known, or notes that it is at next.
func put(at map[any]int, key *node, next int) int {
	if i, ok := at[key.value()]; ok {
		return i
	}
	at[key.value()] = next
	return next
}

// merge adds the fields of a merge key ("<<") that the map does not have itself.
func (c *converter) merge(out *node, at map[any]int, n *yaml.Node, depth int) error {
	from, err := c.convert(n, out.path, depth+1)
	if err != nil {
		return err
	}
	sources := []*node{from}
	if from.kind == listKind {
		sources = from.list
	}
	for _, src := range sources {
		if src.kind != mapKind {
			return c.refuse(n, "yaml: map merge requires map or sequence of maps as the value")
		}
		for _, f := range src.fields {
			if _, ok := at[f.key.value()]; !ok {
				at[f.key.value()] = len(out.fields)
				out.fields = append(out.fields, f)
			}
		}
	}
	return nil
}

// keyName is a key's text in paths.
func keyName(k *node) string {
	if s, ok := k.scalar.(string); ok {
		return s
	}
	return k.raw
}

// scalar sets out's value by the rules of YAML 1.1, which Juju's library keeps (section 4.1).
func (c *converter) scalar(out *node, n *yaml.Node) error {
	out.kind, out.raw = scalarKind, n.Value
	tag := ""
	if n.Style&yaml.TaggedStyle != 0 {
		tag = n.ShortTag()
	}
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	switch {
	case tag == "!!binary":
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil || !utf8.Valid(data) {
			return c.refuse(n, "yaml: !!binary value is not base64 of UTF-8 text")
		}
		out.scalar = string(data)
		return nil
	case tag == "!!str", tag == "" && n.Style&quoted != 0:
		out.scalar = n.Value
		return nil
	}
	v, isNull := resolvePlain(n.Value)
	if isNull {
		out.kind, out.raw = nullKind, ""
		return nil
	}
	if i, ok := v.(int); ok && tag == "!!float" {
		v = float64(i)
	}
	if want, ok := tagTypes[tag]; ok && fmt.Sprintf("%T", v) != want {
		return c.refuse(n, "yaml: cannot decode %q as a %s", clip(n.Value), tag)
	}
	out.scalar = v
	return nil
}

// tagTypes are the tags that demand a type, with the Go type they demand.
var tagTypes = map[string]string{"!!int": "int", "!!float": "float64", "!!bool": "bool", "!!null": "nil"}

// plainWords are the words that are not strings when they stand unquoted.
var plainWords = map[string]any{
	"y": true, "Y": true, "yes": true, "Yes": true, "YES": true,
	"true": true, "True": true, "TRUE": true, "on": true, "On": true, "ON": true,
	"n": false, "N": false, "no": false, "No": false, "NO": false,
	"false": false, "False": false, "FALSE": false, "off": false, "Off": false, "OFF": false,
	"": nil, "~": nil, "null": nil, "Null": nil, "NULL": nil,
	".nan": math.NaN(), ".NaN": math.NaN(), ".NAN": math.NaN(),
	".inf": math.Inf(1), ".Inf": math.Inf(1), ".INF": math.Inf(1),
	"+.inf": math.Inf(1), "+.Inf": math.Inf(1), "+.INF": math.Inf(1),
	"-.inf": math.Inf(-1), "-.Inf": math.Inf(-1), "-.INF": math.Inf(-1),
}

var plainFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// resolvePlain is the value of an unquoted scalar; the second result is true for null.
func resolvePlain(s string) (any, bool) {
	if v, ok := plainWords[s]; ok {
		return v, v == nil
	}
	if !strings.ContainsAny(s[:1], "+-.0123456789") {
		return s, false
	}
	digits := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(digits, 0, strconv.IntSize); err == nil {
		return int(i), false
	}
	if u, err := strconv.ParseUint(digits, 0, 64); err == nil {
		return u, false
	}
	if plainFloat.MatchString(digits) {
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return f, false
		}
	}
	return s, false
}
