package charm

import (
	"fmt"
	"regexp"
	"strings"

	"kith"
)

// ParseMeta reads metadata.yaml (section 5). The file's name appears in errors
// only. Mistakes of one field are found in the order of the file, then fields
// that are missing, then fields that do not go together. Errors: Invalid, as [*Error].
func ParseMeta(file string, data []byte) (*Meta, error) {
	root, err := parseYAML(&document{file, "metadata: "}, data)
	if err != nil {
		return nil, err
	}
	return metaFromNode(root)
}

func metaFromNode(root *node) (*Meta, error) {
	if root.kind == nullKind {
		root.kind = mapKind // an empty file is a map without keys: its name is missing
	}
	if err := checkFormatKeys(root); err != nil {
		return nil, err
	}
	p := metaParser{root: root}
	fields, err := root.asMap()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		if err := p.field(f.name, f.val); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"name", "summary", "description"} {
		if _, err := root.get(name).asString(); err != nil {
			return nil, err
		}
	}
	if err := p.resolveContainers(); err != nil {
		return nil, err
	}
	return &p.meta, p.check()
}

// formatKeys are the fields that belong to one of the two metadata formats.
var formatKeys = map[string]int{
	"assumes": 2, "charm-user": 2, "containers": 2,
	"deployment": 1, "min-juju-version": 1, "series": 1,
}

// checkFormatKeys refuses metadata that mixes fields of both formats: the first
// key by name sets the format, those of the other one are complained about (section 3).
func checkFormatKeys(root *node) error {
	var first string
	var wrong []string
	var at *node
	for _, key := range sortedKeys(formatKeys) {
		switch {
		case root.kind != mapKind || !root.has(key):
		case first == "":
			first = key
		case formatKeys[key] != formatKeys[first]:
			if at == nil {
				at = root.get(key)
			}
			wrong = append(wrong, fmt.Sprintf("%q", key))
		}
	}
	if wrong == nil {
		return nil
	}
	err := at.refuse("series, deployment and min-juju-version belong to the old format; containers, assumes and charm-user to the new one",
		"ambiguous metadata: keys %s cannot be used with %q", strings.Join(wrong, ", "), first)
	err.Hint = "remove " + strings.Join(wrong, ", ") + "; bases belong in charmcraft.yaml or manifest.yaml"
	return err
}

// metaParser fills in a Meta field by field. It keeps what the later checks
// need to name the right line.
type metaParser struct {
	root *node
	meta Meta
}

// field reads one top-level field. Unknown fields are ignored (section 4.1).
func (p *metaParser) field(name string, n *node) (err error) {
	m := &p.meta
	switch name {
	case "name":
		m.Name, err = n.asString()
	case "summary":
		m.Summary, err = n.asString()
	case "description":
		m.Description, err = n.asString()
	case "subordinate":
		m.Subordinate, err = n.asBool()
	case "provides":
		m.Provides, err = parseRelations(n, kith.Provider)
	case "requires":
		m.Requires, err = parseRelations(n, kith.Requirer)
	case "peers":
		m.Peers, err = parseRelations(n, kith.Peer)
	case "extra-bindings":
		m.ExtraBindings, err = parseExtraBindings(n)
	case "storage":
		m.Storage, err = parseStorages(n)
	case "devices":
		m.Devices, err = parseDevices(n)
	case "resources":
		m.Resources, err = parseResources(n)
	case "containers":
		m.Containers, err = parseContainers(n)
	default:
		return p.plainField(name, n)
	}
	return err
}

// plainField reads the fields that stand for themselves.
func (p *metaParser) plainField(name string, n *node) (err error) {
	m := &p.meta
	switch name {
	case "assumes":
		m.Assumes, err = parseAssumes(n)
	case "terms":
		m.Terms, err = n.asStrings()
	case "tags":
		m.Tags, err = n.asStrings()
	case "categories":
		m.Categories, err = n.asStrings()
	case "series":
		m.Series, err = n.asStrings()
	case "min-juju-version":
		m.MinJujuVersion, err = parseMinVersion(n)
	case "charm-user":
		m.CharmUser, err = parseCharmUser(n)
	case "revision", "format":
		_, err = n.asInt()
	case "deployment":
		_, err = n.asMap()
	case "payloads":
		m.Payloads, err = parsePayloads(n)
	}
	return err
}

// check makes the checks that need the whole of the metadata, in Juju's order.
func (p *metaParser) check() error {
	for _, step := range []func() error{
		p.checkRelations, p.checkSubordinate, p.checkSeries, p.checkStorages,
		p.checkDevices, p.checkResources, p.checkExtraBindings, p.checkTerms,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// checkSubordinate wants a container-scoped requirer of every subordinate (section 7.2).
func (p *metaParser) checkSubordinate() error {
	if !p.meta.Subordinate {
		return nil
	}
	for _, r := range p.meta.Requires { // any order: looks for one
		if r.Scope == kith.Container {
			return nil
		}
	}
	err := p.root.get("subordinate").refuse("a subordinate requires at least one endpoint with scope: container",
		"subordinate charm %q lacks \"requires\" relation with container scope", p.meta.Name)
	err.Hint = "add an endpoint with scope: container under requires, for example juju-info"
	return err
}

// parseExtraBindings reads a map from names to nothing (section 7.1). The names
// come out sorted; a map without names is not nil.
func parseExtraBindings(n *node) ([]string, error) {
	fields, err := n.asMap()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		if f.name == "" {
			return nil, n.schemaError("a binding needs a name", "expected non-empty binding name, got string(\"\")")
		}
		if f.val.kind != nullKind {
			return nil, f.val.expected("empty value")
		}
		names = append(names, f.name)
	}
	return sorted(names), nil
}

func (p *metaParser) checkExtraBindings() error {
	names, n := p.meta.ExtraBindings, p.root.get("extra-bindings")
	if names == nil {
		return nil
	}
	const lead = "charm %q has invalid extra bindings: "
	if len(names) == 0 {
		return n.refuse("extra-bindings names at least one binding",
			lead+"extra bindings cannot be empty when specified", p.meta.Name)
	}
	var taken []string
	for _, name := range names {
		if _, ok := p.meta.declared(name); ok {
			taken = append(taken, name)
		}
	}
	if taken == nil {
		return nil
	}
	return n.get(taken[0]).refuse("an extra binding has a name that no endpoint has",
		lead+"relation names (%s) cannot be used in extra bindings", p.meta.Name, strings.Join(taken, ", "))
}

var (
	seriesPattern  = regexp.MustCompile(`^[a-z]+([a-z0-9]+)?$`)
	versionPattern = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9}){0,3}(-[a-z]+[0-9]{0,9}(\.[0-9]{1,9})?)?$`)
)

func (p *metaParser) checkSeries() error {
	for i, s := range p.meta.Series {
		if !seriesPattern.MatchString(s) {
			return p.root.get("series").list[i].refuse("a series is lower-case letters and digits",
				"charm %q declares invalid series: %q", p.meta.Name, s)
		}
	}
	return nil
}

func parseMinVersion(n *node) (string, error) {
	s, err := n.asString()
	if err == nil && !versionPattern.MatchString(s) {
		err = n.refuse("a version is MAJOR.MINOR.PATCH", "invalid min-juju-version: invalid version %q", s)
	}
	return s, err
}

// parseCharmUser reads who the charm runs as on Kubernetes (section 11).
func parseCharmUser(n *node) (string, error) {
	s, err := n.asString()
	if err != nil {
		return "", err
	}
	switch s {
	case "root", "sudoer", "non-root":
		return s, nil
	}
	return "", n.refuse("charm-user is root, sudoer or non-root",
		"parsing charm-user: invalid charm-user %q expected one of root, sudoer or non-root", s)
}

// parsePayloads reads the payload classes of 3.6 (section 12).
func parsePayloads(n *node) (map[string]string, error) {
	classes, err := n.asMap()
	if err != nil {
		return nil, err
	}
	types := map[string]string{}
	for _, c := range classes {
		if _, err := c.val.asMap(); err != nil {
			return nil, err
		}
		if !kith.ValidAppName(c.name) {
			return nil, c.val.refuse("a payload class is named like a charm", "invalid payload class %q", c.name)
		}
		s, _ := c.val.get("type").asString()
		if s == "" {
			return nil, c.val.refuse("a payload class has a type", "payload class missing type")
		}
		types[c.name] = s
	}
	return types, nil
}
