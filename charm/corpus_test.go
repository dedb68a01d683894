package charm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"kith"
)

// corpus returns the folder of the shared corpus of real charms.
func corpus(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "corpora", "charms")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the shared corpora are not beside this checkout: %v", err)
	}
	return dir
}

// corpusCharms returns the folder of every charm of the corpus.
func corpusCharms(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(corpus(t), "*"))
	if err != nil || len(dirs) < 90 {
		t.Fatalf("%d charms in the corpus, %v", len(dirs), err)
	}
	return dirs
}

// invalidOnPurpose are the charms of the corpus that must be refused.
var invalidOnPurpose = map[string]string{
	"juju--charm--internal-test-charm-repo-quantal-bad-bases": "containers without a manifest.yaml not valid (metadata.yaml:7)",
}

// Every charm of the corpus parses, comes back unchanged through JSON, and keeps
// its meaning when what charmcraft.yaml says is written into Juju's own files.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, dir := range corpusCharms(t) {
		name := filepath.Base(dir)
		c, err := ReadDir(dir)
		if want := invalidOnPurpose[name]; want != "" || err != nil {
			if text(err) != want {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
			continue
		}
		data, err := json.Marshal(c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var back Charm
		if err := json.Unmarshal(data, &back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, _ := json.Marshal(back); string(again) != string(data) {
			t.Errorf("%s: comes back from JSON as\n%s\nwas\n%s", name, again, data)
		}
		checkSplit(t, name, dir, c)
	}
}

// checkSplit wants the same charm from the files that charmcraft.yaml is split into.
func checkSplit(t *testing.T, name, dir string, c *Charm) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	files, err := readFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	if files[charmcraftFile] == nil {
		return
	}
	made, err := runtimeFiles(files)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for file, data := range made {
		files[file] = data
	}
	delete(files, charmcraftFile)
	split, err := Parse(files)
	if err != nil {
		t.Errorf("%s: split: %v\n%s", name, err, made[metaFile])
		return
	}
	if made[manifestFile] == nil {
		split.Bases = c.Bases // a charm with series gets no manifest
	}
	if !reflect.DeepEqual(split, c) {
		t.Errorf("%s: reads as\n%+v\nafter splitting, was\n%+v", name, split, c)
	}
}

// The corpus's own description counts what is in it; so do we. Its 99 charms
// include the one that is invalid on purpose, which has a container, a storage
// and a resource, and no endpoint. A limit of 0 is no limit.
func TestCorpusCounts(t *testing.T) {
	t.Parallel()
	got := map[string]int{}
	add := func(what string, n int) { got[what] += n }
	one := func(what string, is bool) {
		if is {
			add(what, 1)
		}
	}
	for _, dir := range corpusCharms(t) {
		c, err := ReadDir(dir)
		if err != nil {
			continue
		}
		m := c.Meta
		add("provides", len(m.Provides))
		add("requires", len(m.Requires))
		add("peers", len(m.Peers))
		for _, r := range m.Endpoints() {
			one("container scope", r.Scope == kith.Container)
		}
		one("subordinate", m.Subordinate)
		one("containers", len(m.Containers) > 0)
		one("storage", len(m.Storage) > 0)
		one("resources", len(m.Resources) > 0)
		one("extra-bindings", m.ExtraBindings != nil)
		one("assumes", m.Assumes != nil)
	}
	want := map[string]int{
		"provides": 432, "requires": 500, "peers": 46, "container scope": 44, "subordinate": 19,
		"containers": 26, "storage": 16, "resources": 38, "extra-bindings": 8, "assumes": 23,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v\nwant    %v", got, want)
	}
}
