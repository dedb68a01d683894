package contract

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

// corpus reads the public catalogue of interfaces, or skips.
func corpus(t *testing.T) []File {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "corpora", "interfaces")
	var files []File
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		rel, _ := filepath.Rel(dir, p)
		files = append(files, File{filepath.ToSlash(rel), text})
		return err
	})
	if os.IsNotExist(err) {
		t.Skip("the corpus of interfaces is not beside the repository: ../shared/corpora/interfaces")
	}
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Every file of the public catalogue loads, or says why not; none is passed over.
func TestCorpus(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	imports := []Import{}
	for _, f := range corpus(t) {
		if !Known(f.Path) {
			t.Errorf("%s: passed over", f.Path)
		}
		i := ImportFile(f)
		if i.Contract == nil && i.Refused == "" {
			t.Errorf("%s: neither loaded nor refused", f.Path)
		}
		imports = append(imports, i)
	}
	r := NewReport(imports)
	b.WriteString(r.Table())
	for _, i := range imports {
		if i.Refused != "" {
			fmt.Fprintf(&b, "%s\n\trefused: %s\n", i.Path, i.Refused)
			continue
		}
		for n, note := range i.Notes {
			if n == 0 {
				fmt.Fprintf(&b, "%s\n", i.Path)
			}
			fmt.Fprintf(&b, "\t%s\n", note)
		}
	}
	golden := filepath.Join("testdata", "corpus.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != b.String() {
		t.Errorf("what is read of the catalogue is not what %s says (%v): go test ./contract -run TestCorpus -update, and look at the difference\n%s", golden, err, b.String())
	}
}
