package charm

import (
	"archive/zip"
	"bytes"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kith"
)

// makeFolder writes files into a new folder; a name that ends in "/" is a
// folder, content that begins with "->" is a symlink.
func makeFolder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "charm")
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		target, isLink := strings.CutPrefix(data, "->")
		var err error
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		case isLink:
			err = os.Symlink(target, path)
		default:
			err = os.WriteFile(path, []byte(data), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// packed returns what an archive of the folder holds, by name.
func packed(t testing.TB, dir string) ([]byte, map[string]string) {
	t.Helper()
	var b bytes.Buffer
	if err := Pack(dir, &b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var data bytes.Buffer
		if _, err := data.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
		out[f.Name] = data.String()
	}
	return b.Bytes(), out
}

// Charm format reference, section 2.3: what is left out.
func TestPackLeavesOut(t *testing.T) {
	t.Parallel()
	dir := makeFolder(t, map[string]string{
		"metadata.yaml": sampleYAML, "dispatch": "#!/bin/sh\n", "revision": "12\n", "version": "v1\nmore",
		".git/config": "x", "lib/.git/config": "x", ".svn/x": "x", ".hg/x": "x", ".bzr/x": "x", ".tox/x": "x", "__pycache__/a.cpython-312.pyc": "x", "lib/__pycache__/b.cpython-312.pyc": "x",
		"build/x": "x", "lib/build/x": "kept", "lib/revision": "kept", "lib/version": "kept", ".jujuignore": "*.pyc\n/tmp/\n!keep.pyc\n",
		"a.pyc": "x", "lib/b.pyc": "x", "lib/keep.pyc": "kept", "tmp/x": "x", "lib/tmp/x": "kept", "empty/": "", "hooks/install": "->../dispatch",
	})
	_, got := packed(t, dir)
	want := map[string]string{
		"metadata.yaml": sampleYAML, "dispatch": "#!/bin/sh\n", "revision": "12", "version": "v1\n",
		"lib/": "", "lib/build/": "", "lib/build/x": "kept", "lib/revision": "kept", "lib/version": "kept", "lib/keep.pyc": "kept",
		"lib/tmp/": "", "lib/tmp/x": "kept", "empty/": "", "hooks/": "", "hooks/install": "../dispatch",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Equal folders give equal archives, whenever and wherever they were written.
func TestPackIsDeterministic(t *testing.T) {
	t.Parallel()
	files := map[string]string{"metadata.yaml": sampleYAML, "dispatch": "x", "src/charm.py": strings.Repeat("print()\n", 1000), "l": "->src"}
	one, two := makeFolder(t, files), makeFolder(t, files)
	if err := os.Chtimes(filepath.Join(two, "dispatch"), time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	a, _ := packed(t, one)
	b, _ := packed(t, two)
	if !bytes.Equal(a, b) {
		t.Error("two archives of the same files differ")
	}
	if err := os.Chmod(filepath.Join(two, "dispatch"), 0o755); err != nil {
		t.Fatal(err)
	}
	if c, _ := packed(t, two); bytes.Equal(a, c) {
		t.Error("the mode of a file is lost")
	}
}

// Charm format reference, section 2.3: "Refused when packing".
func TestPackRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, link, want string
	}{
		{"a", "/etc/x", `symlink "a" is absolute: "/etc/x" (a)`},
		{"a", "../../x", `symlink "a" links out of charm: "../../x" (a)`},
		{"d/a", "../..", `symlink "d/a" links out of charm: "../.." (d/a)`},
		{"config.yaml", "../config.yaml", `symlink "config.yaml" links out of charm: "../config.yaml" (config.yaml)`},
	} {
		dir := makeFolder(t, map[string]string{"metadata.yaml": sampleYAML, test.name: "->" + test.link})
		if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "config.yaml"), []byte("options:\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		err := Pack(dir, &b)
		if text(err) != test.want || kith.CodeOf(err) != kith.Invalid || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes written; want %s", test.name, err, b.Len(), test.want)
		}
	}
	t.Run("pipe", func(t *testing.T) {
		t.Parallel()
		dir := makeFolder(t, map[string]string{"metadata.yaml": sampleYAML})
		if err := syscall.Mkfifo(filepath.Join(dir, "a"), 0o644); err != nil {
			t.Skipf("no named pipes here: %v", err)
		}
		if err := Pack(dir, &bytes.Buffer{}); text(err) != `file is a named pipe: "a" (a)` {
			t.Error(err)
		}
	})
	t.Run("socket", func(t *testing.T) {
		t.Parallel()
		dir := makeFolder(t, map[string]string{"metadata.yaml": sampleYAML})
		l, err := net.Listen("unix", filepath.Join(dir, "a"))
		if err != nil {
			t.Skipf("no sockets here: %v", err)
		}
		defer l.Close()
		if err := Pack(dir, &bytes.Buffer{}); text(err) != `file is a socket: "a" (a)` {
			t.Error(err)
		}
	})
	t.Run("metadata is a pipe", func(t *testing.T) {
		t.Parallel()
		dir := makeFolder(t, map[string]string{"dispatch": ""})
		if err := syscall.Mkfifo(filepath.Join(dir, "metadata.yaml"), 0o644); err != nil {
			t.Skipf("no named pipes here: %v", err)
		}
		if _, err := ReadDir(dir); text(err) != `cannot read metadata.yaml: not a file (metadata.yaml)` {
			t.Error(err)
		}
	})
	if err := Pack(makeFolder(t, map[string]string{"x": ""}), &bytes.Buffer{}); kith.CodeOf(err) != kith.NotFound {
		t.Errorf("no charm: %v", err)
	}
	if err := Pack(makeFolder(t, map[string]string{"metadata.yaml": "name: 5"}), &bytes.Buffer{}); text(err) != `metadata: name: expected string, got int(5) (metadata.yaml:1)` {
		t.Errorf("bad charm: %v", err)
	}
}

// The minimal unified charm of the charm format reference, section 17, and what
// the reference says comes out of it.
const unifiedYAML = `type: charm
name: frobnitz
title: Frobs & more
summary: Frobs.
description: Frobs well.
base: ubuntu@24.04
platforms: {amd64: }
parts: {charm: {plugin: charm}}
links: {documentation: https://example.com, contact: [me]}
requires: {db: {interface: pgsql}}
config: {options: {port: {type: int, default: 80}, flag: {type: string, default: "on"}}}
actions: {backup: {description: Back up.}}
`

func TestUnified(t *testing.T) {
	t.Parallel()
	dir := makeFolder(t, map[string]string{"charmcraft.yaml": unifiedYAML, "dispatch": "x"})
	want, err := ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want.Meta.Requires["db"].Interface != "pgsql" || want.Config["port"].Default != int64(80) || want.Actions["backup"].Description != "Back up." ||
		!reflect.DeepEqual(want.Bases, []Base{{"ubuntu", "24.04/stable", []string{"amd64"}}}) {
		t.Errorf("read as %+v", want)
	}
	data, files := packed(t, dir)
	got, err := ReadZip(bytes.NewReader(data), int64(len(data)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("packed, it reads as %+v, %v\nwant %+v", got, err, want)
	}
	for name, part := range map[string]string{
		"metadata.yaml": "display-name: Frobs & more\n", "config.yaml": "default: \"on\"\n", "actions.yaml": "backup:\n",
		"manifest.yaml": "architectures: [amd64]\n", "charmcraft.yaml": "parts:",
	} {
		if !strings.Contains(files[name], part) {
			t.Errorf("%s lacks %q:\n%s", name, part, files[name])
		}
	}
	out := filepath.Join(t.TempDir(), "charm")
	archive := filepath.Join(t.TempDir(), "frobnitz.charm")
	if err := os.WriteFile(archive, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Extract(archive, out); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(out); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("unpacked, it reads as %+v, %v", got, err)
	}
}

// What a file says itself goes before charmcraft.yaml; mistakes are found in the
// file they stand in.
func TestUnifiedBesideFiles(t *testing.T) {
	t.Parallel()
	files := map[string][]byte{
		"charmcraft.yaml": []byte(unifiedYAML),
		"metadata.yaml":   []byte("name: other\nprovides: {web: http}\n"),
		"config.yaml":     []byte("options: {size: {type: int}}\n"),
	}
	c, err := Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	if c.Meta.Name != "other" || c.Meta.Summary != "Frobs." || len(c.Meta.Provides) != 1 || len(c.Meta.Requires) != 1 || len(c.Config) != 1 || len(c.Actions) != 1 {
		t.Errorf("read as %+v", c)
	}
	for in, want := range map[string]string{
		"type: bundle\nname: x": `cannot read a charm of type "bundle" (charmcraft.yaml:1)`,
		"type: charm":           `metadata: name: expected string, got nothing (charmcraft.yaml:1)`,
		"":                      `metadata: name: expected string, got nothing (charmcraft.yaml:1)`,
		"name: a\nsummary: b\ndescription: c\nprovides:":                                  `metadata: provides: expected map, got nothing (charmcraft.yaml:4)`,
		"name: a\nsummary: b\ndescription: c\nconfig:\n":                                  `invalid config: empty configuration (charmcraft.yaml:4)`,
		"name: a\nsummary: b\ndescription: c\nactions: {A: }":                             `bad action name A (charmcraft.yaml:4)`,
		"name: a\nsummary: b\ndescription: c\nconfig:\n  options:\n    p:\n      type: x": `invalid config: option "p" has unknown type "x" (charmcraft.yaml:7)`,
	} {
		if _, err := ParseCharmcraft("charmcraft.yaml", []byte(in)); text(err) != want {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
}

// Charm format reference, section 17: the forms of bases and platforms.
func TestCharmcraftBases(t *testing.T) {
	t.Parallel()
	noble := func(archs ...string) Base { return Base{"ubuntu", "24.04/stable", archs} }
	for in, want := range map[string][]Base{
		"platforms: {ubuntu@24.04:amd64: , ubuntu@24.04:arm64: , ubuntu@22.04:amd64: }": {noble("amd64", "arm64"), {"ubuntu", "22.04/stable", []string{"amd64"}}},
		"base: ubuntu@24.04\nplatforms: {amd64: , s390x: }":                             {noble("amd64", "s390x")},
		"base: ubuntu@24.04\nplatforms: {big: {build-on: [amd64], build-for: [s390x]}}": {noble("s390x")},
		"platforms: {x: {build-on: a, build-for: \"ubuntu@24.04:riscv64\"}}":            {noble("riscv64")},
		"base: ubuntu@24.04": {noble()},
		"bases: [{name: ubuntu, channel: \"24.04\", architectures: [amd64]}]":                             {noble("amd64")},
		"bases: [{build-on: [{name: ubuntu, channel: x}], run-on: [{name: ubuntu, channel: \"24.04\"}]}]": {noble()},
		"bases: 5\nplatforms: [a]": nil,
	} {
		c, err := ParseCharmcraft("charmcraft.yaml", []byte("name: a\nsummary: b\ndescription: c\n"+in))
		if err != nil || !reflect.DeepEqual(c.Bases, want) {
			t.Errorf("%s: %v, %v; want %v", in, c, err, want)
		}
	}
}

// The syntax of .jujuignore is that of .gitignore (charm format reference, section 2.3).
func TestIgnore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rules, path string
		dir, want   bool
	}{
		{"*.pyc", "a.pyc", false, true},
		{"*.pyc", "x/y/a.pyc", false, true},
		{"*.pyc", "a.pyc.txt", false, false},
		{"/a", "a", false, true},
		{"/a", "x/a", false, false},
		{"x/a", "y/x/a", false, false},
		{"x/a", "x/a", false, true},
		{"a/", "a", true, true},
		{"a/", "a", false, false},
		{"a/", "x/a", true, true},
		{"**/a", "x/y/a", false, true},
		{"x/**/a", "x/a", false, true},
		{"x/**/a", "x/y/z/a", false, true},
		{"x/**", "x/y/z", false, true},
		{"x/**", "x", true, false},
		{"a?c", "abc", false, true},
		{"a?c", "a/c", false, false},
		{"[ab]", "a", false, true},
		{"[!ab]", "a", false, false},
		{"[!ab]", "c", false, true},
		{"[a-c]x", "bx", false, true},
		{"# a", "# a", false, false},
		{`\#a`, "#a", false, true},
		{`\!a`, "!a", false, true},
		{"a ", "a", false, true},
		{`a\ `, "a ", false, true},
		{"*\n!a", "a", false, false},
		{"!a\n*", "a", false, true},
		{"a\r\nb\r\n", "b", false, true},
		{"a.c", "abc", false, false},
		{"é*", "étude", false, true},
		{"[", "[", false, true},
		{"/", "a", false, false},
		{"\n\n", "a", false, false},
	} {
		rules, err := parseIgnore(test.rules)
		if err != nil {
			t.Errorf("%q: %v", test.rules, err)
			continue
		}
		if got := rules.ignored(test.path, test.dir); got != test.want {
			t.Errorf("%q leaves out %q: %v, want %v", test.rules, test.path, got, test.want)
		}
	}
	if _, err := parseIgnore("ok\n[z-a]\n"); text(err) != "cannot understand .jujuignore: bad pattern [z-a] (.jujuignore:2)" {
		t.Errorf("bad pattern: %v", err)
	}
}

// What Pack leaves out is not watched either.
func TestFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"hooks", "lib/charms", ".git/objects", "out/deep", "node/x"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".jujuignore"), []byte("/out\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Folders(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{".", "hooks", "lib", "lib/charms", "node", "node/x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := Folders(filepath.Join(dir, "nosuch")); err == nil {
		t.Error("a folder that is not there was listed")
	}
}
