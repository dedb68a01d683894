package contract

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v3"

	"kith"
)

// YAML writes c in the form that [Parse] reads. References were written out when it
// was read, and stay so.
func (c *Contract) YAML() []byte {
	m := &mapping{}
	m.text("interface", c.Interface)
	m.add("version", scalar("!!int", encodeJSON(c.Version)))
	m.text("status", string(c.Status))
	m.text("description", c.Description)
	m.words("ignore", c.Ignore)
	for _, role := range c.Roles() {
		m.add(string(role), c.Side(role).node())
	}
	examples := &yaml.Node{Kind: yaml.SequenceNode}
	for _, e := range c.Examples {
		examples.Content = append(examples.Content, e.node())
	}
	if len(c.Examples) > 0 {
		m.add("examples", examples)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(m.node()); err != nil {
		panic("contract: a document of plain values cannot be written: " + err.Error())
	}
	return b.Bytes()
}

// mapping is a YAML mapping that keeps the order in which it was filled.
type mapping struct{ content []*yaml.Node }

func (m *mapping) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Content: m.content}
	if len(m.content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

func (m *mapping) add(name string, v *yaml.Node) {
	m.content = append(m.content, text(name), v)
}

// text adds a string, unless it is empty.
func (m *mapping) text(name, s string) {
	if s != "" {
		m.add(name, text(s))
	}
}

func (m *mapping) flag(name string, set bool) {
	if set {
		m.add(name, scalar("!!bool", "true"))
	}
}

func (m *mapping) words(name string, list []string) {
	if len(list) > 0 {
		m.add(name, wordsNode(list))
	}
}

func wordsNode(list []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, s := range list {
		n.Content = append(n.Content, text(s))
	}
	return n
}

// text is a string, quoted where it would be read as something else.
func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func scalar(tag, s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: s}
}

func (s *Side) node() *yaml.Node {
	m := &mapping{}
	for _, kind := range bagKinds {
		if b := s.Bag(kind); b != nil {
			m.add(string(kind), b.node())
		}
	}
	return m.node()
}

func (b *Bag) node() *yaml.Node {
	m := &mapping{}
	m.text("description", b.Description)
	m.flag("closed", b.Closed)
	m.flag("optional", b.Optional)
	m.text("not-checked", b.Unchecked)
	if len(b.AnyOf) > 0 {
		groups := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, group := range b.AnyOf {
			groups.Content = append(groups.Content, wordsNode(group))
		}
		m.add("any-of", groups)
	}
	keys := &mapping{}
	for _, k := range b.Keys {
		keys.add(k.Name, k.node())
	}
	if len(b.Keys) > 0 {
		m.add("keys", keys.node())
	}
	return m.node()
}

func (k Key) node() *yaml.Node {
	m := &mapping{}
	m.text("description", k.Description)
	m.flag("required", k.Required)
	if k.Encoding != Raw {
		m.text("encoding", string(k.Encoding))
	}
	m.text("secret", string(k.Secret))
	m.words("via", k.Via)
	m.flag("sensitive", k.Sensitive)
	m.text("not-checked", k.Unchecked)
	m.text("dialect", string(k.Dialect))
	if k.Schema != nil {
		m.add("schema", value(k.Schema))
	}
	return m.node()
}

func (e Example) node() *yaml.Node {
	m := &mapping{}
	m.text("name", e.Name)
	m.text("role", string(e.Role))
	m.text("bag", string(e.Bag))
	m.text("state", string(e.State))
	m.words("missing", e.Missing)
	m.words("violates", e.Violates)
	data := &mapping{}
	for _, name := range names(e.Data) {
		data.add(name, text(e.Data[name]))
	}
	m.add("data", data.node())
	return m.node()
}

// value is any JSON value; maps are in order of key.
func value(v any) *yaml.Node {
	switch v := v.(type) {
	case nil:
		return scalar("!!null", "null")
	case string:
		return text(v)
	case bool:
		return scalar("!!bool", encodeJSON(v))
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return scalar("!!int", v.String())
		}
		return scalar("!!float", v.String())
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range v {
			n.Content = append(n.Content, value(item))
		}
		if len(v) == 0 {
			n.Style = yaml.FlowStyle
		}
		return n
	case map[string]any:
		m := &mapping{}
		for _, name := range names(v) {
			m.add(name, value(v[name]))
		}
		return m.node()
	}
	panic(kith.Errorf(kith.Internal, "contract: a schema holds a %T", v))
}
