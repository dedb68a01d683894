package cli

import (
	"archive/zip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
)

// Issue 2, bad input: a malformed charm, a zip bomb, a symlink out of the charm.
// Each is refused before anything is sent, with the reason and what to do.
func TestHostileCharms(t *testing.T) {
	t.Parallel()
	const meta = "name: x\nsummary: x\ndescription: x\n"
	for _, test := range []struct {
		name  string
		files map[string]string
		bomb  string // a file of zeros, much larger than it looks
		link  string // a symlink to here
		want  string
	}{
		{"malformed.charm", map[string]string{"metadata.yaml": "name: [", "hooks/install": ""}, "", "", "metadata.yaml"},
		{"nothing-to-run.charm", map[string]string{"metadata.yaml": meta}, "", "", `invalid charm "x": has no hooks nor dispatch file`},
		{"bomb.charm", map[string]string{"metadata.yaml": meta, "hooks/install": ""}, "zeros", "", "MaxRatio"},
		{"escape.charm", map[string]string{"metadata.yaml": meta, "hooks/install": "", "../evil": "x"}, "", "", "../evil"},
		{"link.charm", map[string]string{"metadata.yaml": meta, "hooks/install": ""}, "", "../../etc/passwd", "../../etc/passwd"},
	} {
		path := filepath.Join(t.TempDir(), test.name)
		writeZip(t, path, test.files, test.bomb, test.link)
		x := &call{program: "kith", getenv: os.Getenv}
		c, err := x.openCharm(path)
		if err == nil {
			c.close()
			t.Errorf("%s: accepted", test.name)
			continue
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want something about %s", test.name, err, test.want)
		}
		if kith.HintOf(err) == "" {
			t.Errorf("%s: no hint with %v", test.name, err)
		}
	}
}

func writeZip(t *testing.T, path string, files map[string]string, bomb, link string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	add := func(h *zip.FileHeader, content io.Reader) {
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.Copy(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		add(h, strings.NewReader(text))
	}
	if bomb != "" {
		add(&zip.FileHeader{Name: bomb, Method: zip.Deflate}, io.LimitReader(zeros{}, 48<<20))
	}
	if link != "" {
		h := &zip.FileHeader{Name: "link"}
		h.SetMode(os.ModeSymlink | 0o777)
		add(h, strings.NewReader(link))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Packing the same folder twice gives the same archive, so that the same charm
// is not sent twice; and nothing is left behind.
func TestOpenCharmFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "x")
	for name, text := range map[string]string{"metadata.yaml": "name: x\nsummary: x\ndescription: x\n", "hooks/install": "#!/bin/sh\n"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	x := &call{program: "kith", getenv: os.Getenv}
	var ids []string
	for range 2 {
		c, err := x.openCharm(dir)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.id)
		archive := c.file.Name()
		c.close()
		if _, err := os.Stat(archive); !os.IsNotExist(err) {
			t.Errorf("%s is still there (%v)", archive, err)
		}
	}
	if ids[0] != ids[1] || len(ids[0]) != 64 {
		t.Errorf("two archives of one folder: %v", ids)
	}
}
