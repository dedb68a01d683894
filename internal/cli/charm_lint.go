package cli

import (
	"archive/zip"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"kith"
	"kith/charm"
	"kith/contract"
	"kith/internal/core"
	"kith/internal/shipped"
)

// lintLevel says how bad a finding is.
type lintLevel string

// The levels.
const (
	lintError   lintLevel = "error"   // it cannot work
	lintWarning lintLevel = "warning" // it hardly does what was meant
	lintNote    lintLevel = "note"    // it is good to know
)

// lintRules are all rules of charm lint and what they find.
var lintRules = []struct {
	rule  string
	level lintLevel
	says  string
}{
	{"metadata", lintError, "the charm cannot be read"},
	{"nothing-to-run", lintError, "there is neither a dispatch nor a hook"},
	{"not-executable", lintError, "dispatch, or what runs an action, cannot be run"},
	{"action-missing", lintError, "nothing runs for an action that is described"},
	{"assumes-unmet", lintWarning, "assumes what kith lacks: deploy refuses it"},
	{"unknown-hook", lintWarning, "a hook that nothing ever runs"},
	{"unknown-action", lintWarning, "an action that nothing describes"},
	{"interface-spelling", lintWarning, "an interface is spelled as elsewhere, but for - and _"},
	{"role-unknown", lintWarning, "the contract says nothing about the charm's side"},
	{"contract-retired", lintWarning, "a later version of the interface took its place"},
	{"contract-unused", lintWarning, "a contract that was named is of no endpoint"},
	{"contract-notes", lintNote, "what of a contract is not checked"},
	{"no-contract", lintNote, "nothing says what an endpoint's data means"},
	{"description-missing", lintNote, "an option or an action does not say what it is for"},
}

// lintFinding is one thing there is to say about a charm.
type lintFinding struct {
	Level lintLevel `json:"level"`
	Rule  string    `json:"rule"`
	// Where is a file, an endpoint or an option.
	Where string `json:"where"`
	Line  int    `json:"line,omitempty"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`
}

// lint is a charm being looked at.
type lint struct {
	charm *charm.Charm
	// files are those that can be run, with their modes, by path.
	files     map[string]fs.FileMode
	contracts []*contract.Contract
	found     []lintFinding
}

func (l *lint) add(rule, where, hint, format string, args ...any) {
	f := lintFinding{Rule: rule, Where: where, Text: fmt.Sprintf(format, args...), Hint: hint}
	for _, known := range lintRules {
		if known.rule == rule {
			f.Level = known.level
		}
	}
	l.found = append(l.found, f)
}

// lintCharm looks at a charm in a folder or archive, and at what the contracts say of its
// endpoints: those that are given, then those that come with kith. Errors: NotFound.
func lintCharm(name string, contracts []*contract.Contract) ([]lintFinding, error) {
	if _, err := os.Stat(name); err != nil {
		return nil, kith.Errorf(kith.NotFound, "cannot read charm %q: %v", name, reasonOf(err))
	}
	l := &lint{contracts: contracts, found: []lintFinding{}}
	var err error
	if l.charm, err = charm.Read(name); err != nil {
		l.refused("metadata", err)
		return l.found, nil
	}
	if err := charm.CheckRunnable(name); err != nil {
		l.refused("nothing-to-run", err)
	}
	if l.files, err = runnableFiles(name); err != nil {
		return nil, err
	}
	l.assumes()
	l.programs()
	if err := l.endpoints(); err != nil {
		return nil, err
	}
	l.descriptions()
	slices.SortStableFunc(l.found, func(a, b lintFinding) int { return severity(b.Level) - severity(a.Level) })
	return l.found, nil
}

func severity(level lintLevel) int {
	return slices.Index([]lintLevel{lintNote, lintWarning, lintError}, level)
}

// refused takes in why a charm cannot be read.
func (l *lint) refused(rule string, err error) {
	where, line, text := "charm", 0, err.Error()
	var wrong *charm.Error
	if errors.As(err, &wrong) {
		line, text = wrong.Line, wrong.Reason
		if wrong.File != "" {
			where = wrong.File
		}
	}
	l.add(rule, where, kith.HintOf(err), "%s", text)
	l.found[len(l.found)-1].Line = line
}

// runnableFiles are the dispatch of a charm and what is in hooks and actions.
func runnableFiles(name string) (map[string]fs.FileMode, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, kith.Errorf(kith.NotFound, "cannot read charm %q: %v", name, reasonOf(err))
	}
	var tree fs.FS
	if info.IsDir() {
		tree = os.DirFS(name)
	} else {
		archive, err := zip.OpenReader(name)
		if err != nil {
			return nil, kith.Errorf(kith.Invalid, "cannot read charm %q: %v", name, err)
		}
		defer archive.Close()
		tree = archive
	}
	files := map[string]fs.FileMode{}
	for _, dir := range []string{".", "hooks", "actions"} {
		entries, err := fs.ReadDir(tree, dir)
		if err != nil {
			continue // a charm may have neither
		}
		for _, e := range entries {
			file := path.Join(dir, e.Name())
			// Of a link, what it leads to counts.
			if info, err := fs.Stat(tree, file); err == nil && info.Mode().IsRegular() && (dir != "." || file == "dispatch") && !strings.HasPrefix(e.Name(), ".") {
				files[file] = info.Mode()
			} else if err == nil && e.Type()&fs.ModeSymlink != 0 {
				files[file] = 0o777 // archives do not follow links; whether this one leads anywhere, kith sees when it deploys
			}
		}
	}
	delete(files, ".")
	return files, nil
}

// assumes looks at what the charm says it needs of its host: one finding for each thing that is
// missing (charm format reference, section 10).
func (l *lint) assumes() {
	all := l.charm.Meta.Assumes
	if all == nil {
		return
	}
	for _, part := range all.Of {
		one := charm.Meta{Assumes: &charm.Assumption{Kind: all.Kind, Of: []charm.Assumption{part}}}
		err := one.CheckAssumes(core.Features())
		if err == nil {
			continue
		}
		text := ""
		for _, line := range strings.Split(err.Error(), "\n")[1:] { // the first says that it cannot be deployed
			if text != "" && !strings.HasSuffix(text, ":") {
				text += ";"
			}
			text += " " + strings.TrimLeft(line, " -")
		}
		l.add("assumes-unmet", "assumes", "", "%s", strings.TrimSpace(text))
	}
}

// programs looks at hooks and actions: whether they can be run, and ever are.
func (l *lint) programs() {
	_, dispatch := l.files["dispatch"]
	hooks := l.charm.Meta.Hooks()
	for _, file := range sortedNames(l.files) {
		dir, name := path.Split(file)
		// Hooks are made executable when the charm is unpacked, as under Juju.
		if l.files[file].Perm()&0o111 == 0 && (dir == "" || dir == "actions/" && l.described(name)) {
			l.add("not-executable", file, "chmod +x "+file, "it is not executable, and cannot be run")
		}
		if dir == "hooks/" && !dispatch && !slices.Contains(hooks, name) && looksLikeHook(name) {
			l.add("unknown-hook", file, l.meant(name, hooks), "the charm has no such hook: nothing ever runs it")
		}
		if dir == "actions/" && !l.described(name) {
			l.add("unknown-action", file, "describe it in actions.yaml", "nothing describes this action, so nobody can run it")
		}
	}
	for _, name := range sortedNames(l.charm.Actions) {
		if _, there := l.files["actions/"+name]; !there && !dispatch {
			l.add("action-missing", "actions/"+name, "", "the action %q is described, and there is no program for it", name)
		}
	}
}

// described reports whether the charm has an action of that name.
func (l *lint) described(action string) bool {
	_, known := l.charm.Actions[action]
	return known
}

// looksLikeHook reports whether a file in hooks was meant to be one: helpers lie there too.
func looksLikeHook(name string) bool {
	for _, end := range []string{"-relation-created", "-relation-joined", "-relation-changed", "-relation-departed", "-relation-broken",
		"-storage-attached", "-storage-detaching", "-pebble-ready", "-changed", "-elected", "-charm", "-status"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// meant guesses at the hook that was meant: one of the same kind.
func (l *lint) meant(name string, hooks []string) string {
	var like []string
	for _, h := range hooks {
		_, a, _ := strings.Cut(name, "-relation-")
		_, b, _ := strings.Cut(h, "-relation-")
		if a != "" && a == b {
			like = append(like, h)
		}
	}
	if len(like) == 0 {
		return ""
	}
	return "there are: " + strings.Join(like, ", ")
}

// endpoints looks at what contracts say of the charm's endpoints.
func (l *lint) endpoints() error {
	used := map[*contract.Contract]bool{}
	for _, e := range l.charm.Meta.Endpoints() {
		if e.Interface == charm.JujuInfo {
			continue
		}
		c, err := l.contractOf(e.Interface)
		if err != nil {
			return err
		}
		if c == nil {
			l.add("no-contract", string(e.Name), "kith contract infer "+e.Interface+" drafts one", "there is no contract of interface %q", e.Interface)
			continue
		}
		used[c] = true
		if c.Interface != e.Interface {
			l.add("interface-spelling", string(e.Name), "", "the interface is called %q elsewhere; %q matches only what is spelled like it", c.Interface, e.Interface)
		}
		if c.Side(e.Role) == nil {
			l.add("role-unknown", string(e.Name), "", "the contract of %s says nothing about the %s", c.Interface, e.Role)
		}
		if c.Status == contract.Retired {
			l.add("contract-retired", string(e.Name), "", "version %d of %s is retired", c.Version, c.Interface)
		}
		l.unchecked(e, c)
	}
	for _, c := range l.contracts {
		if !used[c] {
			l.add("contract-unused", c.Interface, "", "no endpoint of the charm has this interface")
		}
	}
	return nil
}

// contractOf is the contract of an interface, or nil.
func (l *lint) contractOf(iface string) (*contract.Contract, error) {
	for _, c := range l.contracts {
		if contract.SameInterface(c.Interface, iface) {
			return c, nil
		}
	}
	c, err := shipped.Find(iface)
	if kith.CodeOf(err) == kith.NotFound {
		return nil, nil
	}
	return c, err
}

// unchecked says what of a contract's data nobody looks at.
func (l *lint) unchecked(e charm.Relation, c *contract.Contract) {
	for _, kind := range []contract.BagKind{contract.AppBag, contract.UnitBag, contract.EitherBag} {
		bag := c.Side(e.Role).Bag(kind)
		if bag == nil {
			continue
		}
		if bag.Unchecked != "" {
			l.add("contract-notes", string(e.Name), "", "%s bag: not checked: %s", kind, bag.Unchecked)
		}
		for _, k := range bag.Keys {
			if k.Unchecked != "" {
				l.add("contract-notes", string(e.Name), "", "%s bag, %s: not checked: %s", kind, k.Name, k.Unchecked)
			}
		}
	}
}

// descriptions looks for what people are told nothing about.
func (l *lint) descriptions() {
	for _, name := range sortedNames(l.charm.Config) {
		if strings.TrimSpace(l.charm.Config[name].Description) == "" {
			l.add("description-missing", "option "+name, "", "it does not say what it is for")
		}
	}
	for _, name := range sortedNames(l.charm.Actions) {
		if strings.TrimSpace(l.charm.Actions[name].Description) == "" {
			l.add("description-missing", "action "+name, "", "it does not say what it is for")
		}
	}
}
