package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
)

const resourceMeta = `name: web
summary: s
description: d
resources:
  software: {type: file, filename: software.tgz}
  image: {type: oci-image}
`

// give uploads a content and returns what stands for it.
func (w *world) give(content string) core.ResourceFile {
	sum := sha256.Sum256([]byte(content))
	id := hex.EncodeToString(sum[:])
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blobs[id] = []byte(content)
	return core.ResourceFile{SHA256: id, Size: int64(len(content))}
}

// counted counts what an agent fetches.
type counted struct {
	*world
	fetched chan string
}

func (c counted) Blob(ctx context.Context, id string) (io.ReadCloser, error) {
	c.fetched <- id
	return c.world.Blob(ctx, id)
}

// Hook protocol reference, sections 3.10 and 13.4: resources/NAME/FILE in the unit's folder; "Repeated calls
// download only when the resource has changed."
func TestResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hook := "#!/bin/sh\nset -e\np=$(resource-get software)\np=$(resource-get software)\necho \"$p: $(cat \"$p\") $(stat -c %a \"$p\") $(ls \"$(dirname \"$p\")\")\"\n"
	charm := w.addCharm(map[string]string{"metadata.yaml": resourceMeta, "hooks/install": hook, "hooks/start": hook, "hooks/upgrade-charm": hook,
		"hooks/config-changed": "#!/bin/sh\nresource-get image && echo && cat $(resource-get image)\nresource-get nope\ntrue\n"})
	one, two := w.give("one"), w.give("two")
	w.must(core.Deploy{App: "web", Charm: charm, Units: 1, Resources: map[string]core.ResourceFile{"software": one, "image": {Image: "registry/web:1"}}})
	dir := t.TempDir()
	fetched := make(chan string, 100)
	stop := w.start(dir, func(c *Config) { c.Controller = counted{w, fetched} })
	w.settle()
	unit := dirs{dir}.unit(refOf("web/0"))
	path := filepath.Join(unit.root, "resources", "software", "software.tgz")
	const logger = "unit-web-0 DEBUG unit.web/0."
	w.wantLog(logger+"install "+path+": one 600 software.tgz", logger+"start "+path+": one 600 software.tgz",
		logger+"config-changed "+filepath.Join(unit.root, "resources", "image", "content.yaml"), logger+"config-changed registrypath: registry/web:1",
		"unit-web-0 WARNING unit.web/0.config-changed ERROR could not download resource: resource \"web/nope\" not found")
	w.must(core.AttachResource{App: "web", Resource: "software", File: two})
	w.settle()
	w.wantLog(logger + "upgrade-charm " + path + ": two 600 software.tgz")
	w.mu.Lock()
	if got := w.m.Unit("web/0").Resources; got["software"] != two.SHA256 || got["image"] != "image registry/web:1" {
		t.Errorf("fetched %v", got)
	}
	w.mu.Unlock()
	stop()
	close(fetched)
	times := map[string]int{}
	for id := range fetched {
		times[id]++
	}
	if times[one.SHA256] != 1 || times[two.SHA256] != 1 {
		t.Errorf("fetched %v times", times)
	}
}

// What the charm did to its copy is not what the resource is: a file that is gone is fetched again.
func TestResourceIsFetchedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charm := w.addCharm(map[string]string{"metadata.yaml": resourceMeta, "hooks/install": `#!/bin/sh -e
p=$(resource-get software)
rm -rf "$(dirname "$p")"
ln -s /etc "$(dirname "$p")"
p=$(resource-get software)
echo "again: $(cat "$p") and no link: $(test -L "$(dirname "$p")" || echo none)"
`})
	w.must(core.Deploy{App: "web", Charm: charm, Units: 1, Resources: map[string]core.ResourceFile{"software": w.give("one")}})
	w.start(t.TempDir())
	w.settle()
	w.wantLog("unit-web-0 DEBUG unit.web/0.install again: one and no link: none")
}

// A file that is not what it should be is not given to a charm, and no name leads out of the folder.
func TestResourceIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := w.give("as it was")
	w.blobs[bad.SHA256] = []byte("as it is")
	a := New(Config{Controller: w, Dir: t.TempDir()})
	u := &unit{agent: a, dir: unitDir{t.TempDir()}}
	for _, c := range []struct {
		resource core.ResourceContext
		err      string
	}{
		{core.ResourceContext{Name: "r", Filename: "f", ResourceFile: bad}, `cannot use resource "r": its bytes have another sum than `},
		{core.ResourceContext{Name: "r", Filename: "f", ResourceFile: core.ResourceFile{SHA256: "none"}}, `blob "none" not found`},
		{core.ResourceContext{Name: "r", Filename: ".."}, `cannot use the file name ".." of resource "r"`},
		{core.ResourceContext{Name: "r", Filename: "."}, `cannot use the file name "." of resource "r"`},
		{core.ResourceContext{Name: "r", Filename: "../../f"}, `cannot use the file name "../../f" of resource "r"`},
		{core.ResourceContext{Name: "r"}, `cannot use the file name "" of resource "r"`},
		{core.ResourceContext{Name: "../r", Filename: "f"}, `cannot use the file name "f" of resource "../r"`},
	} {
		path, err := u.fetchResource(context.Background(), c.resource)
		if err == nil || !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%+v: %q, %v, want %q", c.resource, path, err, c.err)
		}
	}
	entries, err := os.ReadDir(u.dir.resources())
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if kith.CodeOf(func() error { _, err := readFetched(t.TempDir()); return err }()) == "" {
		t.Error("a folder reads as a note")
	}
}
