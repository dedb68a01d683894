package opstest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kith"
	"kith/contract"
	"kith/internal/core"
)

// Violation is a value in a databag that the contract of the interface does not allow.
type Violation struct {
	// Unit wrote it, in the hook or action of that name.
	Unit kith.UnitName
	Hook string
	// Relation and Owner name the databag: Owner is a unit, or an application.
	Relation  kith.RelationID
	Owner     string
	Endpoint  kith.EndpointName
	Interface string
	// Violation says where in the bag, what is there, and which rule it breaks. Values that
	// may be secret are not shown.
	contract.Violation
}

// String is "db/0 server-relation-changed broke the contract of pgsql in db's databag of
// relation 1: port: "many": it must be JSON (encoding)".
func (v Violation) String() string {
	return fmt.Sprintf("%s %s broke the contract of %s in the databag of %s, relation %d: %s",
		v.Unit, v.Hook, v.Interface, v.Owner, v.Relation, v.Violation)
}

// ContractError is a hook or action that wrote what the contract of an interface does not
// allow. Its writes have committed, as they do under kith unless contracts are enforced.
type ContractError struct {
	Violations []Violation // one at least
}

// Error is the first violation, and how many more there are.
func (e *ContractError) Error() string {
	if n := len(e.Violations) - 1; n > 0 {
		return fmt.Sprintf("%s; and %d more", e.Violations[0], n)
	}
	return e.Violations[0].String()
}

// contracts is what a world knows about contracts beside its model.
type contracts struct {
	violations []Violation
	collect    bool
	// breach is what the charm has just written that its contract does not allow.
	breach []Violation
}

// AddContract adds the contracts of a file or folder, in any form that package contract reads,
// to those that come with kith. What charms write is checked against them from then on: a
// charm under test that breaks one ends the test with a [*ContractError], unless
// [Harness.CollectViolations] says otherwise.
func (h *Harness) AddContract(path string) {
	h.w.tb.Helper()
	h.w.ok(h.w.addContract(path))
}

// CollectViolations makes violations of contracts no failure: they are listed by
// [Harness.Violations] only.
func (h *Harness) CollectViolations() { h.w.contracts.collect = true }

// Violations are those since the last call, in order: the charm's, and those in what the test
// wrote for the other side, which fail no test.
func (h *Harness) Violations() []Violation { return h.w.takeViolations() }

// AddContract adds the contracts of a file or folder; see [Harness.AddContract].
func (m *Model) AddContract(path string) {
	m.w.tb.Helper()
	m.w.ok(m.w.addContract(path))
}

// CollectViolations makes violations of contracts no failure: they are listed by
// [Model.Violations] only, and [Explore] does not look for them.
func (m *Model) CollectViolations() { m.w.contracts.collect = true }

// Violations are those since the last call, in order.
func (m *Model) Violations() []Violation { return m.w.takeViolations() }

// Waiting says which keys the contract of the relation's interface still waits for, one
// line for each side: "waiting for provider: endpoints". Once the model has settled, nothing
// more will come. It is nil if there is no contract.
func (r Relation) Waiting() []string {
	if !r.Exists() {
		return nil
	}
	rel := r.m.w.model.Relation(r.id)
	v := r.m.w.model.RelationVerdict(rel)
	if v == nil {
		return nil
	}
	var lines []string
	for _, w := range v.Waiting {
		lines = append(lines, w.String())
	}
	return lines
}

func (w *world) takeViolations() []Violation {
	all := w.contracts.violations
	w.contracts.violations = nil
	return all
}

// addContract reads a file or folder and tells the model what is in it.
func (w *world) addContract(path string) error {
	files, err := contractFiles(path)
	if err != nil {
		return kith.Errorf(kith.NotFound, "cannot read contract %q: %v", path, err)
	}
	var imports []contract.Import
	for _, f := range files {
		i := contract.ImportFile(f)
		if i.Refused != "" {
			return kith.Errorf(kith.Invalid, "cannot use contract %q: %s", f.Path, i.Refused)
		}
		imports = append(imports, i)
	}
	merged, _ := contract.Merge(imports)
	if len(merged) == 0 {
		return kith.Errorf(kith.Invalid, "cannot use contract %q: it says nothing about what any side writes", path)
	}
	for _, c := range merged {
		if err := w.do(admin, core.AddContract{Text: string(c.YAML()), Source: path}); err != nil {
			return err
		}
	}
	return nil
}

// contractFiles are the files that may describe an interface, in order of path.
func contractFiles(path string) ([]contract.File, error) {
	var files []contract.File
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || p != path && !contract.Known(p) {
			return err
		}
		// An interface may be told by the folders a file is in.
		name, err := filepath.Abs(p)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(p)
		files = append(files, contract.File{Path: filepath.ToSlash(name), Text: text})
		return err
	})
	return files, err
}

// judge takes in the verdicts of a hook that has committed: of each bag it wrote, what it
// has written wrong. What was wrong before it did not write.
func (w *world) judge(e core.Entry) {
	for _, v := range e.Hook.Verdicts {
		i := slices.IndexFunc(e.Deltas, func(d core.Delta) bool {
			return d.Kind == core.KindBag && d.ID == v.Relation.String()+"/"+v.Owner
		})
		for _, x := range v.Violations {
			if _, written := e.Deltas[max(i, 0)].Set[x.Key]; i < 0 || !written {
				continue
			}
			found := Violation{e.Hook.Unit, e.Hook.Hook.Title(), v.Relation, v.Owner, v.Endpoint, v.Interface, x}
			w.contracts.violations = append(w.contracts.violations, found)
			if !w.contracts.collect && w.underTest(e.Hook.Unit) {
				w.contracts.breach = append(w.contracts.breach, found)
			}
		}
	}
}

// underTest reports whether a unit runs a charm of the test's, and no stand-in.
func (w *world) underTest(u kith.UnitName) bool {
	app := w.model.App(u.App())
	return app != nil && w.charms[app.Charm] != nil && !w.mute[u]
}

// breached is the error of a hook that broke a contract; nil if it did not.
func (w *world) breached() error {
	found := w.contracts.breach
	w.contracts.breach = nil
	if len(found) == 0 {
		return nil
	}
	return &ContractError{found}
}

// kindOfBreach tells breaches apart by what does not depend on the schedule.
func (e *ContractError) kindOfBreach() string {
	v := e.Violations[0]
	return strings.Join([]string{"contract", string(v.Unit.App()), string(v.Endpoint), v.Key, v.Rule}, " ")
}
