package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kith"
)

// document is a YAML file read as values, which knows the line of each.
type document struct {
	file string
	root *yaml.Node // nil: it could not be read
}

// where is a place in a document: the step that leads there, and where from. A path is only put
// together for an error, because names may be long and places many.
type where struct {
	up   *where
	step string
}

func (w *where) path() string {
	if w == nil {
		return ""
	}
	return w.up.path() + "/" + w.step
}

// readYAML reads one YAML document within the limits. Anchors are refused: they
// let a small file stand for a large one.
func readYAML(file string, text []byte) (any, *document, error) {
	d := &document{file: file}
	if len(text) > MaxFileBytes {
		return nil, nil, d.bad("", "the file has %d bytes, at most %d are read", len(text), MaxFileBytes)
	}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	var node yaml.Node
	if err := dec.Decode(&node); errors.Is(err, io.EOF) {
		return nil, nil, d.bad("", "it is empty")
	} else if err != nil {
		return nil, nil, d.bad("", "no YAML: %s", oneLine(strings.TrimPrefix(err.Error(), "yaml: ")))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, nil, d.bad("", "a second document follows")
	}
	d.root = node.Content[0]
	v, err := d.value(d.root, nil, 0)
	return v, d, err
}

// value turns a node into what the same JSON would be.
func (d *document) value(n *yaml.Node, at *where, depth int) (any, error) {
	switch {
	case depth > MaxDepth:
		return nil, d.bad(at.path(), "it nests deeper than %d levels", MaxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return nil, d.bad(at.path(), "anchors and aliases are not taken")
	case n.Kind == yaml.ScalarNode:
		return d.scalar(n, at)
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for i, item := range n.Content {
			v, err := d.value(item, &where{at, strconv.Itoa(i)}, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	m := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			return nil, d.bad(at.path(), "a key must be a plain word")
		}
		if _, twice := m[key.Value]; twice {
			return nil, d.bad(at.path()+"/"+key.Value, "the key is there twice")
		}
		v, err := d.value(n.Content[i+1], &where{at, key.Value}, depth+1)
		if err != nil {
			return nil, err
		}
		m[key.Value] = v
	}
	return m, nil
}

// scalar keeps numbers as they are written, like [decodeJSON].
func (d *document) scalar(n *yaml.Node, at *where) (any, error) {
	switch n.Tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return nil, d.bad(at.path(), "%q is no boolean", n.Value)
		}
		return b, nil
	case "!!int", "!!float":
		if err := checkNumber(n.Value); err == nil {
			return json.Number(n.Value), nil
		}
		return nil, d.bad(at.path(), "%s is no number that JSON has", clip(strconv.Quote(n.Value)))
	}
	return n.Value, nil
}

// bad refuses the file, naming the line.
func (d *document) bad(path, format string, args ...any) error {
	at := ""
	if d.root != nil {
		at = fmt.Sprintf("line %d: ", lineOf(d.root, path))
	}
	if path != "" {
		at += place(path) + ": "
	}
	return kith.Errorf(kith.Invalid, "cannot read %q: %s%s", d.file, at, fmt.Sprintf(format, args...))
}

// lineOf is the line of what stands at a path, or of the last on the way there. A
// key may have slashes in it; the longest that fits is meant.
func lineOf(n *yaml.Node, path string) int {
	rest := strings.TrimPrefix(path, "/")
	if rest == "" {
		return n.Line
	}
	var next *yaml.Node
	taken := -1
	for i, item := range n.Content {
		step := strconv.Itoa(i)
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			step = n.Content[i-1].Value
		}
		if (rest == step || strings.HasPrefix(rest, step+"/")) && len(step) > taken {
			next, taken = item, len(step)
		}
	}
	if next == nil {
		return n.Line
	}
	return lineOf(next, rest[taken:])
}
