package charm

import (
	"slices"
	"strings"
)

// The files a charm is read from.
const (
	metaFile       = "metadata.yaml"
	configFile     = "config.yaml"
	actionsFile    = "actions.yaml"
	manifestFile   = "manifest.yaml"
	charmcraftFile = "charmcraft.yaml"
	revisionFile   = "revision"
	versionFile    = "version"
	lxdProfileFile = "lxd-profile.yaml"
)

// sharedFields are the fields that stand in charmcraft.yaml as in metadata.yaml (section 17).
var sharedFields = []string{
	"name", "summary", "description",
	"assumes", "charm-user", "containers", "devices", "extra-bindings", "peers", "provides", "requires",
	"resources", "storage", "subordinate", "terms",
}

// renamedFields are those that have another name in metadata.yaml: Juju ignores
// them there, ops and the store do not.
var renamedFields = []struct{ from, to string }{
	{"title", "display-name"},
	{"links.contact", "maintainers"}, {"links.documentation", "docs"},
	{"links.issues", "issues"}, {"links.source", "source"}, {"links.website", "website"},
}

// unified is charmcraft.yaml taken apart into the files Juju knows. A node is
// of kind absentKind if the file does not touch the subject.
type unified struct {
	meta, config, actions *node
	bases                 []Base
}

// ParseCharmcraft reads a charmcraft.yaml that holds the whole charm (section
// 17). What charmcraft alone uses (parts, extensions and the like) is ignored,
// and of bases and platforms only what can be understood is kept: that is
// charmcraft's to check. Errors: Invalid, as [*Error].
func ParseCharmcraft(file string, data []byte) (*Charm, error) {
	return parse(map[string][]byte{charmcraftFile: data}, map[string]string{charmcraftFile: file})
}

func splitCharmcraft(file string, data []byte) (*unified, error) {
	doc := &document{file, "metadata: "}
	root, err := parseYAML(doc, data)
	if err != nil {
		return nil, err
	}
	meta := &node{doc: doc, line: root.line, kind: mapKind}
	u := &unified{
		meta:    meta,
		config:  &node{doc: doc, kind: absentKind},
		actions: &node{doc: doc, kind: absentKind},
	}
	if root.kind == nullKind {
		return u, nil
	}
	if _, err := root.asMap(); err != nil {
		return nil, err
	}
	if t := root.get("type"); t.kind != absentKind && t.raw != "charm" {
		return nil, t.refuse("type is charm", "cannot read a charm of type %q", clip(t.raw))
	}
	for _, f := range root.fields {
		if slices.Contains(sharedFields, f.name) {
			meta.fields = append(meta.fields, f)
		}
	}
	for _, r := range renamedFields {
		from := root
		for _, step := range strings.Split(r.from, ".") {
			from = from.get(step)
		}
		if from.kind != absentKind {
			key := &node{doc: doc, line: from.line, kind: scalarKind, scalar: r.to, raw: r.to}
			meta.fields = append(meta.fields, field{key, r.to, from})
		}
	}
	if c := root.get("config"); c.kind != absentKind {
		u.config = c.without("config", &document{file, "invalid config: "})
	}
	if a := root.get("actions"); a.kind != absentKind {
		u.actions = a.without("actions", &document{file, ""})
	}
	u.bases = charmcraftBases(root)
	return u, nil
}

// charmcraftBases reads base and platforms, or bases with run-on, whichever is there.
func charmcraftBases(root *node) []Base {
	var out baseList
	for _, b := range root.get("bases").list {
		runsOn := b.get("run-on").list
		if runsOn == nil {
			runsOn = []*node{b}
		}
		for _, r := range runsOn {
			out.add(r.get("name").raw, r.get("channel").raw, "")
			for _, a := range r.get("architectures").list {
				out.add(r.get("name").raw, r.get("channel").raw, a.raw)
			}
		}
	}
	base := root.get("base").raw
	platforms := root.get("platforms").fields
	if len(platforms) == 0 && base != "" {
		out.addPlatform(base, "")
	}
	for _, p := range platforms {
		targets := []string{p.name}
		if f := p.val.get("build-for"); f.kind == listKind {
			targets = nil
			for _, t := range f.list {
				targets = append(targets, t.raw)
			}
		} else if f.raw != "" {
			targets = []string{f.raw}
		}
		for _, t := range targets {
			out.addPlatform(base, t)
		}
	}
	return out
}

// baseList collects bases; architectures of the same base come together.
type baseList []Base

// addPlatform adds a platform such as "ubuntu@24.04:amd64", or "amd64" of a base.
func (l *baseList) addPlatform(base, platform string) {
	if on, arch, ok := strings.Cut(platform, ":"); ok {
		base, platform = on, arch
	}
	name, channel, _ := strings.Cut(base, "@")
	l.add(name, channel, platform)
}

// add notes that a base is supported, on an architecture if one is named. What
// is not a base is left out.
func (l *baseList) add(name, channel, arch string) {
	normal, reason := parseChannel(channel)
	if reason != "" || !slices.Contains(knownOS, name) {
		return
	}
	i := slices.IndexFunc(*l, func(b Base) bool { return b.Name == name && b.Channel == normal })
	if i < 0 {
		i = len(*l)
		*l = append(*l, Base{Name: name, Channel: normal})
	}
	b := &(*l)[i]
	if known, ok := archNames[arch]; ok && !slices.Contains(b.Architectures, known) {
		b.Architectures = append(b.Architectures, known)
	}
}
