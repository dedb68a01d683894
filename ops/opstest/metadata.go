package opstest

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"

	"kith"
	"kith/charm"
	"kith/ops"
)

// Metadata is what a charm says about itself: [Dir] and [YAML] read it. What is wrong with
// it is said when the charm is deployed. Nobody changes it: tests share it.
type Metadata struct {
	meta *charm.Charm   // as it is when the charm is deployed
	own  *ops.CharmMeta // as the charm itself reads it
	err  error
}

// Dir reads the metadata of the charm in a folder: charmcraft.yaml, or metadata.yaml and
// its companions. Tests run in the folder of their package, which is Dir(".").
func Dir(path string) Metadata {
	files, err := charm.ReadFiles(path)
	if err != nil {
		return unreadable(err)
	}
	return parsed.of(files)
}

// YAML takes the metadata as the text of a charmcraft.yaml.
func YAML(text string) Metadata {
	return parsed.of(map[string][]byte{"charmcraft.yaml": []byte(text)})
}

func parse(files map[string][]byte) Metadata {
	c, err := charm.Parse(files)
	if err != nil {
		return unreadable(err)
	}
	own, err := ops.ParseCharmMeta(files)
	if err != nil {
		return unreadable(err)
	}
	return Metadata{meta: c, own: own}
}

func unreadable(err error) Metadata {
	hint := kith.HintOf(err)
	if hint == "" || kith.CodeOf(err) == kith.NotFound {
		hint = "a test runs in the folder of its package; Dir and YAML say where else the metadata is"
	}
	return Metadata{err: kith.Errorf(kith.Invalid, "cannot read the charm's metadata: %v", err).WithHint("%s", hint)}
}

// parsed is the metadata that tests of this program have asked for. To read it takes longer than
// most tests, and the tests of a package ask for the same again and again.
var parsed metadataOf

// metadataOf keeps metadata by a sum of its files. It is safe for concurrent use.
type metadataOf struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]Metadata
}

// maxParsed bounds what is kept: a fuzz test has new metadata every time.
const maxParsed = 100

func (p *metadataOf) of(files map[string][]byte) Metadata {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(sum, "%s %d\n%s", name, len(files[name]), files[name])
	}
	key := [sha256.Size]byte(sum.Sum(nil))
	p.mu.Lock()
	defer p.mu.Unlock()
	if m, ok := p.all[key]; ok {
		return m
	}
	if p.all == nil || len(p.all) == maxParsed {
		p.all = map[[sha256.Size]byte]Metadata{}
	}
	m := parse(files)
	p.all[key] = m
	return m
}
