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

// document is a YAML file read as values, which remembers the line of each.
type document struct {
	file  string
	lines map[string]int // by path
}

// readYAML reads one YAML document within the limits. Anchors are refused: they
// let a small file stand for a large one.
func readYAML(file string, text []byte) (any, *document, error) {
	d := &document{file, map[string]int{}}
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
	v, err := d.value(node.Content[0], "", 0)
	return v, d, err
}

// value turns a node into what the same JSON would be.
func (d *document) value(n *yaml.Node, path string, depth int) (any, error) {
	d.lines[path] = n.Line
	switch {
	case depth > MaxDepth:
		return nil, d.bad(path, "it nests deeper than %d levels", MaxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return nil, d.bad(path, "anchors and aliases are not taken")
	case n.Kind == yaml.ScalarNode:
		return d.scalar(n, path)
	case n.Kind == yaml.SequenceNode:
		list := []any{}
		for i, item := range n.Content {
			v, err := d.value(item, path+"/"+strconv.Itoa(i), depth+1)
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
			return nil, d.bad(path, "a key must be a plain word")
		}
		if _, twice := m[key.Value]; twice {
			return nil, d.bad(path+"/"+key.Value, "the key is there twice")
		}
		v, err := d.value(n.Content[i+1], path+"/"+key.Value, depth+1)
		if err != nil {
			return nil, err
		}
		m[key.Value] = v
	}
	return m, nil
}

// scalar keeps numbers as they are written, like [decodeJSON].
func (d *document) scalar(n *yaml.Node, path string) (any, error) {
	switch n.Tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return nil, d.bad(path, "%q is no boolean", n.Value)
		}
		return b, nil
	case "!!int", "!!float":
		if err := checkNumber(n.Value); err == nil {
			return json.Number(n.Value), nil
		}
		return nil, d.bad(path, "%s is no number that JSON has", clip(strconv.Quote(n.Value)))
	}
	return n.Value, nil
}

// bad refuses the file, naming the line.
func (d *document) bad(path, format string, args ...any) error {
	where := ""
	for p := path; ; {
		if line := d.lines[p]; line > 0 {
			where = fmt.Sprintf("line %d: ", line)
			break
		}
		cut := strings.LastIndexByte(p, '/')
		if cut < 0 {
			break
		}
		p = p[:cut]
	}
	if path != "" {
		where += place(path) + ": "
	}
	return kith.Errorf(kith.Invalid, "cannot read %q: %s%s", d.file, where, fmt.Sprintf(format, args...))
}
