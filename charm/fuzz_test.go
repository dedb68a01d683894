package charm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
)

// seed adds what the tables and the corpus have of one kind of file.
func seed(f *testing.F, file string) {
	f.Helper()
	for _, s := range samples {
		if sampleNames[s.file] == file {
			f.Add(sampleFiles(s.file, s.input)[file])
		}
	}
	for _, r := range rules {
		if sampleNames[r.file] == file {
			f.Add(sampleFiles(r.file, r.input)[file])
		}
	}
	found, _ := filepath.Glob(filepath.Join("..", "..", "shared", "corpora", "charms", "*", file))
	own, _ := filepath.Glob(filepath.Join("testdata", "*", file))
	for _, path := range append(found, own...) {
		if data, err := os.ReadFile(path); err == nil {
			f.Add(data)
		}
	}
	for _, s := range []string{"", "a", "-", "a: &a [*a]", "<<: {a: 1}", "? [a]\n: b", "%YAML 1.1\n---\n", "a: !!binary aGk="} {
		f.Add([]byte(s))
	}
}

// checkRefusal wants every error of a parser to be a charm error of bounded size.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is no charm error: %v", err, err)
	}
	if e.Reason == "" || e.File == "" || kith.CodeOf(err) != kith.Invalid || len(err.Error()) > 8*maxQuoted {
		t.Fatalf("bad error: %+v", e)
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// checkJSON wants a value to survive being stored.
func checkJSON[T any](t *testing.T, v T) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("cannot be stored: %v", err)
	}
	var back T
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("cannot be read again: %v\n%s", err, data)
	}
	if again, _ := json.Marshal(back); !bytes.Equal(again, data) {
		t.Fatalf("came back as\n%s\nwas\n%s", again, data)
	}
}

func FuzzParseMeta(f *testing.F) {
	seed(f, "metadata.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMeta("metadata.yaml", data)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		checkJSON(t, *m)
		for _, r := range m.Endpoints() {
			if got, ok := m.Endpoint(r.Name); !ok || got != r || !kith.ValidEndpointName(string(r.Name)) {
				t.Fatalf("endpoint %v is found as %v, %v", r, got, ok)
			}
		}
		for _, h := range m.Hooks() {
			if !fs.ValidPath("hooks/"+h) || strings.Contains(h, "/") {
				t.Fatalf("hook %q is no file name", h)
			}
		}
	})
}

func FuzzParseConfig(f *testing.F) {
	seed(f, "config.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		options, err := ParseConfig("config.yaml", data)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		c := Charm{Config: options}
		checkJSON(t, c)
		if _, err := c.ValidateConfig(c.Defaults()); err != nil {
			t.Fatalf("the defaults are no values: %v", err)
		}
	})
}

func FuzzParseActions(f *testing.F) {
	seed(f, "actions.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		actions, err := ParseActions("actions.yaml", "frobnitz", data)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		checkJSON(t, Charm{Actions: actions})
		for _, name := range sortedKeys(actions) {
			a := actions[name]
			_ = a.ValidateParams(a.WithDefaults(nil)) // must return
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	seed(f, "manifest.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		bases, err := ParseManifest("manifest.yaml", data)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		checkJSON(t, Charm{Bases: bases})
	})
}

func FuzzCheckLXDProfile(f *testing.F) {
	seed(f, "lxd-profile.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := CheckLXDProfile("lxd-profile.yaml", data); err != nil {
			checkRefusal(t, err)
		}
	})
}

// A charmcraft.yaml means the same after it has been split into Juju's files.
func FuzzParseCharmcraft(f *testing.F) {
	seed(f, "charmcraft.yaml")
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCharmcraft("charmcraft.yaml", data)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		checkJSON(t, *c)
		files, err := runtimeFiles(map[string][]byte{"charmcraft.yaml": data})
		if err != nil {
			t.Fatal(err)
		}
		split, err := Parse(files)
		if err != nil {
			t.Fatalf("split: %v\n%s", err, files)
		}
		if asJSON(t, split) != asJSON(t, c) {
			t.Fatalf("split, it reads as\n%+v\nwas\n%+v", split, c)
		}
	})
}

func FuzzParseSettings(f *testing.F) {
	for _, s := range []string{"web: {i: 5, s: x, b: true, f: 1.5, k: secret:x}", "web:", "web: {i: }", ""} {
		f.Add([]byte(s))
	}
	c := configCharm(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		values, err := c.ParseSettings("settings.yaml", data, "web")
		if err == nil {
			checkJSON(t, values)
		} else if kith.CodeOf(err) != kith.Invalid {
			t.Fatal(err)
		}
	})
}

func FuzzParseIgnore(f *testing.F) {
	f.Add("*.pyc\n!a/**/b\n[!x]/\\#\n", "a/b.pyc")
	f.Fuzz(func(t *testing.T, rules, name string) {
		r, err := parseIgnore(rules)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		r.ignored(name, false)
	})
}

// Whatever bytes come as an archive, nothing is written outside the folder, and
// what was unpacked reads as the archive did.
func FuzzExtract(f *testing.F) {
	good := item{"metadata.yaml", 0, sampleYAML}
	f.Add(makeZip(f, good, item{"a/b", 0, "x"}, item{"l", link, "a/b"}))
	f.Add(makeZip(f, good, item{"../a", 0, "x"}))
	f.Add(makeZip(f, good, item{"a", link, "../x"}, item{"a/b", 0, "x"}))
	f.Add(makeZip(f, good, item{"revision", link, "/etc/passwd"}))
	f.Add(makeZip(f, good, item{"revision/x", 0, "x"}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		archive := filepath.Join(parent, "x.charm")
		if err := os.WriteFile(archive, data, 0o600); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(parent, "charm")
		err := Extract(archive, dir)
		left, _ := os.ReadDir(parent)
		if err != nil {
			if len(left) != 1 {
				t.Fatalf("%v left behind after %v", left, err)
			}
			return
		}
		if len(left) != 2 {
			t.Fatalf("%v is in the folder above", left)
		}
		if _, err := ReadArchive(archive); err != nil {
			t.Fatal(err)
		}
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type()&fs.ModeSymlink != 0 {
				if to, err := filepath.EvalSymlinks(path); err == nil && !strings.HasPrefix(to+"/", dir+"/") {
					t.Fatalf("%s leads to %s", path, to)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
