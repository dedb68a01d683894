package scaffold

import (
	"bufio"
	"bytes"
	"embed"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"kith"
)

//go:embed charm
var templates embed.FS

// Options say what the charm is to be like.
type Options struct {
	Name kith.AppName
	// SDK is a checkout of kith, absolute.
	SDK string
}

// File is one file of the charm.
type File struct {
	Name string // within the charm's folder
	Data []byte
}

// module is the name of kith's own module.
const module = "kith"

// Files are the files of a new charm, by name. Errors: NotFound if the SDK is no
// checkout of kith.
func Files(o Options) ([]File, error) {
	mod, err := os.ReadFile(filepath.Join(o.SDK, "go.mod"))
	if err != nil || moduleOf(mod) != module {
		return nil, kith.Errorf(kith.NotFound, "no checkout of kith in %q", o.SDK).
			WithHint("it is the folder whose go.mod says: module %s", module)
	}
	sum, err := os.ReadFile(filepath.Join(o.SDK, "go.sum"))
	if err != nil {
		return nil, kith.Errorf(kith.NotFound, "cannot read the check sums of kith: %v", err)
	}
	data := struct {
		Options
		Path     string
		Go       string
		Requires []string
	}{o, quoted(o.SDK), directive(mod, "go"), requirements(mod)}
	files := []File{{"go.sum", sum}}
	err = fs.WalkDir(templates, "charm", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		t, err := template.ParseFS(templates, name)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		err = t.Execute(&b, data)
		files = append(files, File{target(name), b.Bytes()})
		return err
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, err
}

// target is the file a template is for. Names that begin with a dot stand as "dot-",
// because embed leaves such files out.
func target(name string) string {
	name = strings.TrimSuffix(path.Base(name), ".tmpl")
	if rest, ok := strings.CutPrefix(name, "dot-"); ok {
		return "." + rest
	}
	return name
}

// CompiledFrom is the checkout that this program was compiled in, if it is still there and
// the program says so: one that was built with -trimpath does not.
func CompiledFrom() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return ""
	}
	return FindSDK(filepath.Dir(file))
}

// FindSDK looks for a checkout of kith: in each folder, and above it. The result is
// absolute, or empty.
func FindSDK(folders ...string) string {
	for _, dir := range folders {
		dir, err := filepath.Abs(dir)
		if err != nil {
			continue
		}
		for {
			if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && moduleOf(mod) == module {
				return dir
			}
			up := filepath.Dir(dir)
			if up == dir {
				break
			}
			dir = up
		}
	}
	return ""
}

// quoted is a path as go.mod has it: in quotes if it would not be one word.
func quoted(path string) string {
	if strings.ContainsAny(path, " \t\"'`()[]{},") || strings.Contains(path, "//") || strings.Contains(path, "/*") {
		return strconv.Quote(path)
	}
	return path
}

func moduleOf(mod []byte) string { return directive(mod, "module") }

// directive is the value of a line of go.mod such as "go 1.26.0".
func directive(mod []byte, name string) string {
	for lines := bufio.NewScanner(bytes.NewReader(mod)); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 && fields[0] == name {
			return fields[1]
		}
	}
	return ""
}

// requirements are what a go.mod requires: "MODULE VERSION", sorted.
func requirements(mod []byte) []string {
	var all []string
	block := false
	for lines := bufio.NewScanner(bytes.NewReader(mod)); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "//")
		fields := strings.Fields(text)
		switch {
		case len(fields) == 2 && fields[0] == "require" && fields[1] == "(":
			block = true
		case len(fields) == 1 && fields[0] == ")":
			block = false
		case block && len(fields) == 2:
			all = append(all, fields[0]+" "+fields[1])
		case len(fields) == 3 && fields[0] == "require":
			all = append(all, fields[1]+" "+fields[2])
		}
	}
	slices.Sort(all)
	return all
}
