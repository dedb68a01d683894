// Package examples_test checks the charms people copy: that they parse, that
// every hook is one their charm can have, and that the shell takes it.
package examples_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith/charm"
)

// charms lists the shell charms by folder.
func charms(t *testing.T) []string { return folders(t, "charms/*/metadata.yaml") }

// goCharms lists the charms in Go by folder.
func goCharms(t *testing.T) []string { return folders(t, "charms/*/charmcraft.yaml") }

func folders(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no example charms found: %v", err)
	}
	var dirs []string
	for _, f := range found {
		dirs = append(dirs, filepath.Dir(f))
	}
	return dirs
}

// read parses the charm in dir.
func read(t *testing.T, dir string) *charm.Charm {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"metadata.yaml", "config.yaml", "manifest.yaml", "charmcraft.yaml"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			files[name] = data
		} else if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	c, err := charm.Parse(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hookNames are the hooks a charm can have (hook protocol reference, section 4.1).
func hookNames(c *charm.Charm) []string {
	names := []string{"install", "start", "config-changed", "upgrade-charm", "stop", "remove", "leader-elected", "update-status"}
	for _, section := range []map[string]charm.Relation{c.Meta.Provides, c.Meta.Requires, c.Meta.Peers} {
		for endpoint := range section {
			for _, event := range []string{"created", "joined", "changed", "departed", "broken"} {
				names = append(names, endpoint+"-relation-"+event)
			}
		}
	}
	return names
}

func TestCharms(t *testing.T) {
	t.Parallel()
	for _, dir := range charms(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			c := read(t, dir)
			if c.Meta.Name != filepath.Base(dir) {
				t.Errorf("charm %q stands in folder %q", c.Meta.Name, dir)
			}
			if len(c.Bases) == 0 {
				t.Error("no base: Juju would not deploy it")
			}
			if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
				t.Errorf("no README: %v", err)
			}
			hooks, err := os.ReadDir(filepath.Join(dir, "hooks"))
			if err != nil {
				t.Fatal(err)
			}
			known := hookNames(c)
			for _, hook := range hooks {
				if !slices.Contains(known, hook.Name()) {
					t.Errorf("hook %s would never run: it is none of %s", hook.Name(), strings.Join(known, ", "))
				}
				checkHook(t, filepath.Join(dir, "hooks", hook.Name()))
			}
		})
	}
}

func TestGoCharmFiles(t *testing.T) {
	t.Parallel()
	for _, dir := range goCharms(t) {
		c := read(t, dir)
		if c.Meta.Name != filepath.Base(dir) || len(c.Bases) == 0 || !strings.HasPrefix(c.Meta.Name, "go-") {
			t.Errorf("charm %q stands in folder %q, with bases %v", c.Meta.Name, dir, c.Bases)
		}
		for _, name := range []string{"README.md", ".jujuignore"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
}

// checkHook holds a hook to what the README of the charms promises.
func checkHook(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte("#!/bin/sh\nset -eu\n")) {
		t.Errorf("%s does not start with #!/bin/sh and set -eu", path)
	}
	if bytes.Contains(text, []byte("sleep")) {
		t.Errorf("%s sleeps: wait for the next event instead", path)
	}
	if info, err := os.Stat(path); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("%s is not executable (%v)", path, err)
	}
	if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
		t.Errorf("sh -n %s: %v\n%s", path, err, out)
	}
}

// TestEndpoints pins what the charms are there to show.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"database":          "provider database database_client global 0 false",
		"web-app":           "requirer database database_client global 1 false, provider http http global 0 true",
		"token-provider":    "provider token token_exchange global 0 false",
		"token-requirer":    "requirer token token_exchange global 0 false",
		"cluster":           "peer cluster cluster_peer global 0 false",
		"some-app":          "provider logging-directory logging container 0 true",
		"rsyslog-forwarder": "requirer juju-info juju-info container 0 false, requirer logging-directory logging container 0 false",
	}
	for _, dir := range charms(t) {
		name := filepath.Base(dir)
		if got := endpoints(read(t, dir)); got != want[name] {
			t.Errorf("%s has endpoints\n  %s\nwant\n  %s", name, got, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("the charm %s is gone", name)
	}
	if !read(t, "charms/rsyslog-forwarder").Meta.Subordinate {
		t.Error("rsyslog-forwarder is not subordinate")
	}
}

// endpoints writes a charm's endpoints on one line, requirers first, by name.
func endpoints(c *charm.Charm) string {
	var lines []string
	for _, section := range []map[string]charm.Relation{c.Meta.Requires, c.Meta.Provides, c.Meta.Peers} {
		for _, name := range slices.Sorted(maps.Keys(section)) {
			r := section[name]
			lines = append(lines, fmt.Sprint(r.Role, " ", name, " ", r.Interface, " ", r.Scope, " ", r.Limit, " ", r.Optional))
		}
	}
	return strings.Join(lines, ", ")
}
