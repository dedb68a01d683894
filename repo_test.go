package kith_test

import (
	"bufio"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// This file polices the repository itself: what a machine can check of how kith
// is built. Each rule is a table with reasons, so that who breaks one learns why
// it is there, and who must change one changes one line. The checkers are in
// repo_checks_test.go and repo_purity_test.go; repo_selftest_test.go shows each
// of them failing.

// Packages are named below the module: "." is kith itself, "charm" is kith/charm.

// words are the packages anyone of ours may import: names and shapes, no
// behaviour at the edge. The wordless take not even those.
var (
	words    = []string{".", "charm", "contract"}
	wordless = []string{".", "internal/hookwire", "cmd/kith-hook"}
)

// rule says which of our packages one may import besides the words, and why no
// more. A package below one with a rule falls under it, unless it has its own.
type rule struct{ pkg, may, reason string }

const (
	everything = "everything" // all of ours but the simulator
	simulator  = "internal/sim"
)

// arrows is the import diagram of docs/design/overview.md.
var arrows = []rule{
	{".", "", "the words depend on nothing, so that everything can depend on them"},
	{"charm", "", "public and pure: a charm can be read without an engine"},
	{"contract", "", "public and pure: data can be checked without an engine"},
	{"ops", "internal/hookwire", "a charm reaches the tools by running them, as under any Juju host, or over the agent's socket"},
	{"ops/opstest", "ops internal/api internal/core internal/dispatch internal/resolve internal/hooktool internal/hookwire",
		"the harness runs the real rules in memory; of the edge it has the processes of charms that are not Go"},

	{"internal/core", "internal/shipped", "the rules of the model know no unit loop, no store and no wire"},
	{"internal/resolve", "internal/core", "the next hook follows from past and view alone"},
	{"internal/hooktool", "internal/core", "a tool is a function over one hook run"},
	{"internal/script", "internal/core internal/resolve internal/hooktool", "runs script files over the pure rules, for tests"},
	{"internal/hookwire", "", "kith-hook links it, and must stay small"},

	{"internal/store", "internal/core", "the store moves changes; it decides nothing"},
	{"internal/store/embedetcd", "internal/store", "it boots a server and opens a store on it"},
	{"internal/store/memstore", "internal/core internal/store", "the twin of the store"},
	{"internal/store/storetest", "internal/core internal/store", "one suite for every store"},

	{"internal/api", "internal/core internal/shipped", "wire types: every client links them"},
	{"internal/client", "internal/api internal/core", "nobody links etcd to print a table"},
	{"internal/controller", "internal/core internal/store internal/resolve internal/api", "it asks resolve what is next, answers in wire types, and knows no HTTP"},
	{"internal/logs", "internal/api", "log records in files: they are not state, and nothing decides by them"},
	{"internal/server", "internal/api internal/controller internal/core internal/logs", "a handler parses, makes a command, maps the result"},
	{"internal/dispatch", "internal/api internal/core internal/hookwire", "charms as processes, for the agent and for tests of charms: it knows no controller"},
	{"internal/agent", "internal/api internal/client internal/core internal/dispatch internal/hooktool internal/hookwire internal/resolve",
		"an agent reaches the model through the API alone, wherever it runs"},
	{"internal/shipped", "", "contracts as text: they are read, not run"},
	{"internal/scaffold", "", "text for a new charm: it is filled in, not run"},
	{"internal/dashboard", "internal/api internal/client internal/core", "pages are fed by what every client gets"},

	{"internal/cli", everything, "the one place that wires"},
	{"internal/sim", everything, "the whole system, in one world"},
	{"internal/bench", everything, "it measures any part"},
	{"internal/tools", "", "programs for the repository, not for kith"},
	{"cmd/kith", "internal/cli", "main calls cli.Run and exits"},
	{"cmd/kith-hook", "internal/hookwire", "it starts once for every tool a hook calls"},
	{"examples", "ops ops/opstest", "charms people copy, and their tests"},
}

// fence keeps a module of others behind the packages made for it. Tests are free.
type fence struct{ module, only, reason string }

var fences = []fence{
	{"go.etcd.io", "internal/store internal/bench", "one subsystem speaks to etcd; the rest must run without it"},
	{"github.com/spf13", "internal/cli", "only the command line has commands and flags"},
	{"github.com/danielgtaylor/huma", "internal/api internal/server", "HTTP belongs to the API and its server"},
	{"pgregory.net/rapid", "internal/sim internal/store/storetest", "it draws chance: for tests"},
	{"github.com/cockroachdb/datadriven", "internal/sim internal/store/storetest", "for tests"},
	{"github.com/rogpeppe/go-internal", "", "for tests"},
}

// publicPackages are what charm authors import: every exported name has a doc.
var publicPackages = []string{".", "charm", "contract", "ops", "ops/opstest"}

// purePackages decide; they see no world.
var purePackages = []string{"internal/core", "internal/resolve", "internal/hooktool", "contract"}

// pureModules are the modules pure packages may use: values in, values out.
var pureModules = []string{"github.com/tidwall/btree", "go.yaml.in/yaml/v2", "go.yaml.in/yaml/v3",
	"github.com/santhosh-tekuri/jsonschema/v6", "github.com/santhosh-tekuri/jsonschema/v6/kind", // given a loader, it loads nothing
	"golang.org/x/text/language", "golang.org/x/text/message",
}

// variables lists package variables that are neither error, table nor pattern
// ("internal/cli.version"), with the reason each may stay.
var variables = map[string]string{
	"internal/controller.encoding":      "an encoding of the standard library under a short name",
	"internal/cli.jujuOnly":             "a table of words, read from one text",
	"internal/scaffold.templates":       "files that are part of the program: embed wants a variable",
	"internal/shipped.files":            "files that are part of the program: embed wants a variable",
	"ops/opstest.hookTool":              "a program that is built once in the life of a test program",
	"ops/opstest.parsed":                "metadata that is read once in the life of a test program",
	"internal/store/embedetcd.segments": "guards a setting that etcd has only as a package variable of its own",
}

func TestRepository(t *testing.T) {
	t.Parallel()
	tree, err := loadTree(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.packages) < 2 {
		t.Fatalf("only %d packages found: this test looks in the wrong place", len(tree.packages))
	}
	t.Run("docs", func(t *testing.T) {
		for _, p := range tree.packages {
			report(t, tree, checkPackageDoc(p))
			if slices.Contains(publicPackages, p.path) {
				report(t, tree, checkExportedDocs(p))
			}
		}
	})
	t.Run("arrows", func(t *testing.T) {
		for _, p := range tree.packages {
			report(t, tree, checkArrows(p, arrows))
			report(t, tree, checkFences(p, fences))
		}
	})
	t.Run("purity", func(t *testing.T) {
		pure := tree.only(purePackages)
		checker, err := newTypeChecker(tree, pure)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pure {
			report(t, tree, checkPure(checker, p))
		}
	})
	t.Run("variables", func(t *testing.T) {
		for _, p := range tree.packages {
			report(t, tree, checkVariables(tree.fset, p, variables))
		}
	})
	t.Run("sleep", func(t *testing.T) {
		for _, p := range tree.packages {
			report(t, tree, checkSleep(tree.fset, p))
		}
	})
}

// TestTrackedFiles keeps what was built out of the repository: nobody gets it out of its history again.
func TestTrackedFiles(t *testing.T) {
	t.Parallel()
	list, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Skipf("git does not say what is tracked here: %v", err)
	}
	sizes := map[string]int64{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if info, err := os.Lstat(name); err == nil { // else it is about to be removed
			sizes[name] = info.Size()
		}
	}
	if len(sizes) < 100 {
		t.Fatalf("only %d files found: this test looks in the wrong place", len(sizes))
	}
	for _, text := range checkSizes(sizes) {
		t.Error(text)
	}
}

// report fails t once for each finding, at its place.
func report(t *testing.T, tree *sourceTree, found []finding) {
	t.Helper()
	for _, f := range found {
		t.Errorf("%s: %s", tree.fset.Position(f.pos), f.text)
	}
}

// kith-hook is started for every hook tool a charm calls, hundreds of times in
// a hook that loops: whatever it links, charms wait for.
var (
	hookOwn = []string{"kith/cmd/kith-hook", "kith/internal/hookwire"}
	// hookNever are packages whose start-up or size a hook tool must not pay for.
	hookNever = []string{"fmt", "reflect", "net", "net/http", "crypto/tls", "encoding/gob", "encoding/json", "log", "log/slog",
		"os/exec", "regexp", "testing", "text/template"}
)

func TestHookDependencies(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("cmd/kith-hook"); err != nil {
		t.Skip("cmd/kith-hook is not there yet")
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.Standard}} {{.ImportPath}}", "./cmd/kith-hook").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, text := range checkHookDeps(string(out), hookOwn, hookNever) {
		t.Error(text)
	}
}

func TestDependenciesHaveReasons(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range checkDependencyPage(string(mod), string(page)) {
		t.Error(text)
	}
}

// TestLinks follows every relative link of the documentation.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, err := markdownPages(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range relativeLinks(string(text)) {
			if _, err := os.Stat(path.Join(path.Dir(page), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			}
		}
	}
}

// directModules are the modules go.mod requires on our own account: those
// without "// indirect".
func directModules(mod string) []string {
	var direct []string
	block := false
	for lines := bufio.NewScanner(strings.NewReader(mod)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "require (":
			block = true
		case line == ")":
			block = false
		case strings.HasSuffix(line, "// indirect"), line == "", strings.HasPrefix(line, "//"):
		case block:
			direct = append(direct, strings.Fields(line)[0])
		case strings.HasPrefix(line, "require "):
			direct = append(direct, strings.Fields(line)[1])
		}
	}
	return direct
}
