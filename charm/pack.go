package charm

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// packTime is the time of every entry, so that equal folders give equal
// archives: the earliest a zip file can say.
var packTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Pack writes a folder as a .charm file. Equal folders give equal bytes.
//
// What version control and build tools keep, and what .jujuignore names, is left
// out; the files revision and version are written anew (section 2.3). A source
// folder that has charmcraft.yaml gets the files Juju reads made from it, as far
// as it has none of its own, so that the archive always has metadata.yaml. It
// is not built: dispatch and what build steps would fetch must be there already.
//
// Symlinks that lead out, sockets, pipes and devices are refused, as is a charm
// that [ReadDir] refuses and one beyond the limits named Max…. Errors: as [Read],
// and those of w.
func Pack(dir string, w io.Writer) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return pathError("cannot open charm", dir, err)
	}
	defer root.Close()
	files, err := readFiles(root)
	if err != nil {
		return err
	}
	if files[metaFile] == nil && files[charmcraftFile] == nil {
		_, err := ReadDir(dir)
		return err
	}
	c, err := Parse(files)
	if err != nil {
		return err
	}
	t, err := folderTree(root)
	if err != nil {
		return err
	}
	if err := t.addRuntimeFiles(c, files); err != nil {
		return err
	}
	return writeZip(root, t, w)
}

// folderTree lists what of a folder belongs in its archive, and refuses what
// cannot be there.
func folderTree(root *os.Root) (tree, error) {
	rules, err := readIgnore(root)
	if err != nil {
		return nil, err
	}
	t := tree{}
	sizes := sizer{}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return pathError("cannot read", name, err)
		}
		if name == "." {
			return nil
		}
		if rules.ignored(name, d.IsDir()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return pathError("cannot read", name, err)
		}
		e := &entry{name: name, mode: info.Mode(), size: info.Size()}
		if err := checkKind(name, e.mode); err != nil {
			return err
		}
		if e.mode&fs.ModeSymlink != 0 {
			if e.link, err = root.Readlink(name); err != nil {
				return pathError("cannot read", name, err)
			}
		} else if e.mode.IsRegular() {
			if err := sizes.claim(name, uint64(e.size), uint64(e.size)); err != nil {
				return err
			}
		}
		if t[name] = e; len(t) > MaxEntries {
			return refuseEntry("", sizeRule, "charm has more than %d files (MaxEntries)", MaxEntries)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, t.checkLinks()
}

// checkLinks refuses symlinks that lead out of the folder, in the words of packing.
func (t tree) checkLinks() error {
	r := resolver{tree: t}
	for _, name := range sortedKeys(t) {
		if e := t[name]; e.mode&fs.ModeSymlink != 0 {
			if _, err := r.resolve(name); err != nil {
				return linkError(name, e.link)
			}
		}
	}
	return nil
}

func readIgnore(root *os.Root) (ignoreRules, error) {
	always, err := parseIgnore(alwaysIgnored)
	if err != nil {
		panic(fmt.Sprintf("charm: the patterns that are always ignored do not parse: %v", err))
	}
	data, err := readBounded(root, ignoreFile)
	if errors.Is(err, fs.ErrNotExist) {
		return always, nil
	}
	if err != nil {
		return nil, err
	}
	own, err := parseIgnore(string(data))
	return append(always, own...), err
}

// addRuntimeFiles puts in the files that Juju reads: as they are in the folder,
// even if they are symlinks or ignored, or made from charmcraft.yaml.
func (t tree) addRuntimeFiles(c *Charm, files map[string][]byte) error {
	add := func(name string, data []byte) {
		t[name] = &entry{name: name, mode: 0o644, data: data}
	}
	for _, name := range []string{metaFile, configFile, actionsFile, manifestFile, lxdProfileFile} {
		if data, ok := files[name]; ok {
			add(name, data)
		}
	}
	if files[charmcraftFile] != nil {
		made, err := runtimeFiles(files)
		if err != nil {
			return err
		}
		for _, name := range sortedKeys(made) {
			add(name, made[name])
		}
	}
	add(revisionFile, strconv.AppendInt(nil, int64(c.Revision), 10))
	if c.Version != "" {
		add(versionFile, []byte(c.Version+"\n"))
	}
	return nil
}

// runtimeFiles makes from charmcraft.yaml what the charm's other files lack (section 17).
func runtimeFiles(files map[string][]byte) (map[string][]byte, error) {
	s, err := collectSources(files, nil)
	if err != nil {
		return nil, err
	}
	own := 0 // fields that are in metadata.yaml already
	if data, ok := files[metaFile]; ok {
		n, err := parseYAML(&document{metaFile, ""}, data)
		if err != nil {
			return nil, err
		}
		own = len(n.fields)
	}
	made := map[string]*node{}
	if len(s.meta.fields) > own {
		made[metaFile] = s.meta
	}
	if files[configFile] == nil && s.config.kind == mapKind {
		made[configFile] = s.config
	}
	if files[actionsFile] == nil && s.actions.kind == mapKind {
		made[actionsFile] = s.actions
	}
	out := map[string][]byte{}
	for _, name := range sortedKeys(made) {
		if out[name], err = yaml.Marshal(made[name].toYAML()); err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", name, err)
		}
	}
	if files[manifestFile] == nil && len(s.bases) > 0 && !s.meta.has("series") && !s.meta.has("min-juju-version") && !s.meta.has("deployment") {
		if out[manifestFile], err = yaml.Marshal(manifestYAML(s.bases)); err != nil {
			return nil, fmt.Errorf("cannot write %s: %w", manifestFile, err)
		}
	}
	return out, nil
}

func manifestYAML(bases []Base) any {
	type base struct {
		Name          string   `yaml:"name"`
		Channel       string   `yaml:"channel"`
		Architectures []string `yaml:"architectures,flow,omitempty"`
	}
	var m struct {
		Bases []base `yaml:"bases"`
	}
	for _, b := range bases {
		m.Bases = append(m.Bases, base(b))
	}
	return m
}

// toYAML is the node as the YAML library writes it. Strings that YAML 1.1 would
// read as something else are quoted.
func (n *node) toYAML() *yaml.Node {
	switch n.kind {
	case mapKind:
		out := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range n.fields {
			out.Content = append(out.Content, f.key.toYAML(), f.val.toYAML())
		}
		return out
	case listKind:
		out := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range n.list {
			out.Content = append(out.Content, item.toYAML())
		}
		return out
	case scalarKind:
		return scalarYAML(n.scalar, n.raw)
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
}

// scalarYAML keeps a scalar as it was written: where text is wanted, "yes" is not "true".
func scalarYAML(v any, raw string) *yaml.Node {
	out := &yaml.Node{Kind: yaml.ScalarNode, Value: raw}
	switch v := v.(type) {
	case string:
		out.Tag, out.Value = "!!str", v
		if back, isNull := resolvePlain(v); isNull || back != any(v) {
			out.Style = yaml.DoubleQuotedStyle
		}
	case bool:
		out.Tag = "!!bool"
	case int, uint64:
		out.Tag = "!!int"
	default:
		out.Tag = "!!float"
	}
	return out
}

// writeZip writes a tree in the order of its names.
func writeZip(root *os.Root, t tree, w io.Writer) error {
	z := zip.NewWriter(w)
	for _, name := range sortedKeys(t) {
		if err := writeEntry(z, root, t[name]); err != nil {
			return err
		}
	}
	return z.Close()
}

func writeEntry(z *zip.Writer, root *os.Root, e *entry) error {
	h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: packTime}
	h.SetMode(e.mode & (fs.ModePerm | fs.ModeType))
	if e.mode.IsDir() {
		h.Name += "/"
		h.Method = zip.Store
	}
	out, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	switch {
	case e.mode.IsDir():
		return nil
	case e.mode&fs.ModeSymlink != 0:
		_, err = io.WriteString(out, e.link)
		return err
	case e.data != nil:
		_, err = io.Copy(out, bytes.NewReader(e.data))
		return err
	}
	in, err := root.Open(e.name)
	if err != nil {
		return pathError("cannot read", e.name, err)
	}
	defer in.Close()
	n, err := io.Copy(out, io.LimitReader(in, MaxFileSize+1))
	if err == nil && n > MaxFileSize {
		return refuseEntry(e.name, sizeRule, "file %q is larger than %d bytes (MaxFileSize)", e.name, MaxFileSize)
	}
	return err
}

// Folders lists the folders of a charm whose files [Pack] takes, "." first, in order of
// name: what to watch for changes. Errors: NotFound, Invalid for an ignore file that cannot be read.
func Folders(dir string) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, pathError("cannot open charm", dir, err)
	}
	defer root.Close()
	rules, err := readIgnore(root)
	if err != nil {
		return nil, err
	}
	var folders []string
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it went while we looked
			return nil
		case err != nil:
			return pathError("cannot read", name, err)
		case !d.IsDir():
			return nil
		case name != "." && rules.ignored(name, true):
			return fs.SkipDir
		}
		folders = append(folders, name)
		return nil
	})
	return folders, err
}
