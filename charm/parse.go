package charm

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads a charm from the contents of its files, keyed by name:
// metadata.yaml, charmcraft.yaml, config.yaml, actions.yaml, manifest.yaml,
// revision, version, lxd-profile.yaml. Others are ignored. It is the pure part
// of [Read].
//
// Juju never reads charmcraft.yaml; we take from it what the other files do not
// say, as charmcraft itself does when it builds (section 17). A charm may lack a
// manifest: then its bases come from charmcraft.yaml or series, or are unknown.
// Errors: Invalid, as [*Error].
func Parse(files map[string][]byte) (*Charm, error) {
	return parse(files, nil)
}

// parse is Parse; names says what a file is called in errors, if not by its own name.
func parse(files map[string][]byte, names map[string]string) (*Charm, error) {
	s, err := collectSources(files, names)
	if err != nil {
		return nil, err
	}
	meta, err := metaFromNode(s.meta)
	if err != nil {
		return nil, err
	}
	c := &Charm{Meta: *meta}
	if err := s.readBases(c, files); err != nil {
		return nil, err
	}
	if s.config.kind != absentKind {
		if c.Config, err = configFromNode(s.config); err != nil {
			return nil, err
		}
	}
	if s.actions.kind != absentKind {
		if c.Actions, err = actionsFromNode(s.actions, meta.Name); err != nil {
			return nil, err
		}
	}
	if c.Revision, err = parseRevision(files[revisionFile]); err != nil {
		return nil, err
	}
	if data, ok := files[lxdProfileFile]; ok {
		if err := CheckLXDProfile(lxdProfileFile, data); err != nil {
			return nil, err
		}
	}
	c.Version = parseVersion(files[versionFile])
	return c, nil
}

// collectSources finds for every subject the node that describes it. A file of
// its own goes before charmcraft.yaml; of metadata each field does.
func collectSources(files map[string][]byte, names map[string]string) (*unified, error) {
	s := &unified{
		meta:   &node{doc: &document{metaFile, "metadata: "}, kind: absentKind},
		config: &node{kind: absentKind}, actions: &node{kind: absentKind},
	}
	if data, ok := files[charmcraftFile]; ok {
		file := charmcraftFile
		if names[file] != "" {
			file = names[file]
		}
		var err error
		if s, err = splitCharmcraft(file, data); err != nil {
			return nil, err
		}
	}
	own := []struct {
		file, prefix string
		into         **node
	}{
		{metaFile, "metadata: ", &s.meta},
		{configFile, "invalid config: ", &s.config},
		{actionsFile, "", &s.actions},
	}
	for _, o := range own {
		data, ok := files[o.file]
		if !ok {
			continue
		}
		n, err := parseYAML(&document{o.file, o.prefix}, data)
		if err != nil {
			return nil, err
		}
		if o.file == metaFile && n.kind == mapKind {
			for _, f := range s.meta.fields {
				if !n.has(f.name) {
					n.fields = append(n.fields, f)
				}
			}
		}
		*o.into = n
	}
	if s.meta.kind == absentKind {
		return nil, &Error{
			Reason: fmt.Sprintf("file %q not found", metaFile), File: metaFile,
			Rule: "a charm has a metadata.yaml or a charmcraft.yaml",
		}
	}
	return s, nil
}

// readBases finds the charm's bases and makes the checks of section 3 that need them.
func (s *unified) readBases(c *Charm, files map[string][]byte) error {
	c.Bases = basesFromSeries(c.Meta.Series)
	if len(s.bases) > 0 {
		c.Bases = s.bases
	}
	data, ok := files[manifestFile]
	if !ok {
		return s.checkNoManifest(&c.Meta)
	}
	bases, err := ParseManifest(manifestFile, data)
	if err != nil {
		return err
	}
	if len(bases) == 0 {
		return s.checkNoManifest(&c.Meta)
	}
	c.Bases = bases
	const rule = "a charm with bases in manifest.yaml has neither series nor deployment nor min-juju-version"
	switch {
	case s.meta.has("min-juju-version"):
		err := s.meta.get("min-juju-version").refuse(rule, "min-juju-version in metadata v2 not valid")
		err.Hint = "use assumes instead: [juju >= " + c.Meta.MinJujuVersion + "]"
		return err
	case len(c.Meta.Series) > 0:
		return s.meta.get("series").refuse(rule, "metadata v2 manifest.yaml with series slice not valid")
	case s.meta.has("deployment"):
		return s.meta.get("deployment").refuse(rule, "deployment in metadata v2 not valid")
	}
	return nil
}

// checkNoManifest accepts a charm without a manifest, unlike Juju, but not one
// in the abandoned draft of format 2, which had bases and platforms in
// metadata.yaml: there, what the charm says about bases would be lost unnoticed.
func (s *unified) checkNoManifest(m *Meta) error {
	if len(m.Containers) == 0 || !s.meta.has("bases") || !s.meta.has("platforms") {
		return nil
	}
	err := s.meta.get("bases").refuse("bases stand in manifest.yaml", "containers without a manifest.yaml not valid")
	err.Hint = "move bases from metadata.yaml to manifest.yaml, or to charmcraft.yaml"
	return err
}

// parseRevision reads the revision file: a decimal number (section 16).
func parseRevision(data []byte) (int, error) {
	if data == nil {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || n < 0 {
		return 0, &Error{
			Reason: "invalid revision file", File: revisionFile, Line: 1,
			Value: clip(strings.ToValidUTF8(string(data), "?")), Rule: "the file holds a decimal number and nothing else",
		}
	}
	return n, nil
}

// parseVersion reads the version file: free text of which the first line counts,
// at most 100 characters of it (section 16).
func parseVersion(data []byte) string {
	const most = 100
	line, _, _ := strings.Cut(strings.ToValidUTF8(string(data), "?"), "\n")
	line = strings.TrimSuffix(strings.TrimPrefix(line, "revision-id: "), "\r")
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most])
	}
	return line
}
