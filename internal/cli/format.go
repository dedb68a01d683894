package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// The formats more than one command has.
const (
	formatTabular = "tabular"
	formatYAML    = "yaml"
	formatJSON    = "json"
	formatSmart   = "smart" // yaml, but a bare word for a bare word
)

// document reports whether the command was asked for JSON or YAML.
func (x *call) document() bool {
	return x.format == formatJSON || x.format == formatYAML || x.format == formatSmart
}

// output is where the answer goes: stdout, or the file of -o.
func (x *call) output(text string) error {
	if x.outFile != "" {
		if err := os.WriteFile(x.outFile, []byte(text), 0o644); err != nil {
			return fmt.Errorf("cannot write the output: %w", err)
		}
		return nil
	}
	_, err := io.WriteString(x.out, text)
	return err
}

// answer writes v in the format that was asked for; anything that is not a
// document is rendered by tabular.
func (x *call) answer(v any, tabular func() string) error {
	var text string
	var err error
	switch x.format {
	case formatJSON:
		text, err = jsonText(v)
	case formatYAML, formatSmart:
		text, err = yamlText(v)
	default:
		text = tabular()
	}
	if err != nil {
		return err
	}
	return x.output(text)
}

// jsonText is v as one compact line.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("cannot write JSON: %w", err)
	}
	return b.String(), nil
}

// yamlText is v with the keys its JSON form has, in the same order.
func yamlText(v any) (string, error) {
	text, err := jsonText(v)
	if err != nil {
		return "", err
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	node, err := yamlNode(dec)
	if err != nil {
		return "", fmt.Errorf("cannot write YAML: %w", err)
	}
	return encodeYAML(node)
}

// encodeYAML writes a document the way Juju does: two blanks, sequences not
// indented below their key (section 1.7).
func encodeYAML(v any) (string, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("cannot write YAML: %w", err)
	}
	return b.String(), nil
}

// yamlNode reads one JSON value and keeps the order of its keys.
func yamlNode(dec *json.Decoder) (*yaml.Node, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Delim:
		return yamlCollection(dec, tok)
	case json.Number:
		tag := "!!int"
		if bytes.ContainsAny([]byte(tok), ".eE") {
			tag = "!!float"
		}
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: tok.String()}, nil
	case string:
		if t, ok := strings.CutPrefix(tok, timeMark); ok {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: t}, nil
		}
	}
	node := &yaml.Node{}
	return node, node.Encode(tok)
}

// timeMark before a string says that it is a time: YAML has a type of its own for it and
// writes it without quotes, while a string that looks like one has them.
const timeMark = "\x00time "

// timestamp is a time in whole seconds for a document in the format that was asked for; empty for none.
func (x *call) timestamp(t time.Time) string {
	text := t.UTC().Format(time.RFC3339)
	switch {
	case t.IsZero():
		return ""
	case x.format == formatYAML:
		return timeMark + text
	}
	return text
}

func yamlCollection(dec *json.Decoder, open json.Delim) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if open == '[' {
		node = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	}
	for dec.More() {
		item, err := yamlNode(dec) // a value, or a key before it
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, item)
	}
	_, err := dec.Token() // the closing delimiter
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	return node, err
}
