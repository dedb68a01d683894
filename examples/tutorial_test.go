package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tutorialPages are in the order they are read in.
var tutorialPages = []string{"1-provider.md", "2-requirer.md", "3-together.md", "4-deployed.md"}

// TestTutorial does what docs/tutorial says, to the letter: it writes each file and types each line,
// and what is shown below a line has to be part of what it prints.
func TestTutorial(t *testing.T) {
	t.Parallel()
	bin := build(t)
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("/tmp", "kt") // short: a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{t: t, dir: t.TempDir(), env: append(os.Environ(), "KITH_HOME="+home, "CGO_ENABLED=0",
		"KITH_HOOK="+filepath.Join(bin, "kith-hook"), "PATH="+kithHere(t, bin, root)+string(os.PathListSeparator)+os.Getenv("PATH"))}
	t.Cleanup(func() {
		if out, err := r.sh("kith down"); err != nil {
			t.Errorf("kith down: %v\n%s", err, out)
		}
		_ = os.RemoveAll(home)
	})
	for _, page := range tutorialPages {
		text, err := os.ReadFile(filepath.Join(root, "docs", "tutorial", page))
		if err != nil {
			t.Fatal(err)
		}
		r.page = page
		r.read(string(text))
	}
	if r.files < 7 || r.typed < 25 {
		t.Errorf("the tutorial has %d files and %d lines to type: were the pages read?", r.files, r.typed)
	}
}

// kithHere is a folder with a kith that finds this checkout: the one under test does not know
// where it was built.
func kithHere(t *testing.T, bin, root string) string {
	t.Helper()
	dir := t.TempDir()
	kith := filepath.Join(bin, "kith")
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = init ]; then exec %q \"$@\" --sdk %q; fi\nexec %q \"$@\"\n", kith, root, kith)
	if err := os.WriteFile(filepath.Join(dir, "kith"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// reader is somebody who follows the tutorial.
type reader struct {
	t            *testing.T
	page         string
	dir          string
	env          []string
	files, typed int
}

// read follows a page, block by block.
func (r *reader) read(text string) {
	r.t.Helper()
	for text != "" {
		_, rest, found := strings.Cut(text, "\n```")
		if !found {
			return
		}
		head, rest, _ := strings.Cut(rest, "\n")
		block, after, closed := strings.Cut(rest, "\n```")
		if !closed {
			r.t.Fatalf("%s: a block is not closed", r.page)
		}
		text = after
		switch language, file, _ := strings.Cut(head, " "); {
		case language == "console":
			r.console(block + "\n")
		case file != "":
			r.write(file, block+"\n")
		default:
			r.t.Fatalf("%s: a block is neither a file nor a console: %q", r.page, head)
		}
	}
}

func (r *reader) write(file, text string) {
	r.t.Helper()
	r.files++
	if err := os.WriteFile(filepath.Join(r.dir, file), []byte(text), 0o644); err != nil {
		r.t.Fatalf("%s: %v", r.page, err)
	}
}

// console types the lines that begin with $ and looks for the others in what that prints.
func (r *reader) console(block string) {
	r.t.Helper()
	said, line := "", ""
	for l := range strings.Lines(block) {
		l = strings.TrimSuffix(l, "\n")
		command, typed := strings.CutPrefix(l, "$ ")
		if !typed {
			if !strings.Contains(said, l) {
				r.t.Errorf("%s: %q does not print %q:\n%s", r.page, line, l, said)
			}
			continue
		}
		r.typed++
		out, err := r.sh(command)
		if err != nil {
			r.t.Fatalf("%s: %q: %v\n%s", r.page, command, err, out)
		}
		said, line = out, command
	}
}

func (r *reader) sh(line string) (string, error) {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env = r.dir, r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}
