package contract

import (
	"fmt"
	"slices"

	"kith"
)

// State is how far a databag is from what its contract asks for.
type State string

// The states, from the first a bag is in to the one that needs somebody.
const (
	Absent    State = "absent"    // nothing is there yet, and something must be
	Partial   State = "partial"   // what is there is right, and something is missing
	Valid     State = "valid"     // all that must be there is, and all of it is right
	Violating State = "violating" // something that is there is wrong
)

// states are all of them.
var states = []State{Absent, Partial, Valid, Violating}

// Verdict is what there is to say about one databag.
type Verdict struct {
	State State `json:"state"`
	// Missing are the required keys that are not there, in order; of groups of which
	// one must be complete, what the first lacks.
	Missing []string `json:"missing,omitempty"`
	// Violations are in order of path; at most [MaxViolations] are named.
	Violations []Violation `json:"violations,omitempty"`
	// Unchecked are values nobody looked into, and why.
	Unchecked []Note `json:"not-checked,omitempty"`
}

// Violation is one value that the contract does not allow.
type Violation struct {
	// Key is the key of the bag; Path is where inside it, "/port" or empty.
	Key  string `json:"key"`
	Path string `json:"path,omitempty"`
	// Value is the value as it may be shown: clipped, secrets hidden.
	Value string `json:"value"`
	// Rule is what the value breaks: a keyword of JSON Schema, or "encoding",
	// "secret" or "closed".
	Rule string `json:"rule"`
	// Text is the rule in words.
	Text string `json:"text"`
}

// String is the violation in one line: where, what is there, and what should be.
func (v Violation) String() string {
	return fmt.Sprintf("%s%s: %s: %s (%s)", v.Key, v.Path, v.Value, v.Text, v.Rule)
}

// CheckBag checks one bag of one side. The keys of [EngineKeys] and those the
// contract ignores are not looked at. Keys of which the source did not say which
// bag they are in are checked where they are; none of them counts as missing, for it
// may be in the other bag: see [Checker.CheckSide]. A role or bag the contract
// says nothing about is Valid, with a note.
func (c *Checker) CheckBag(role kith.Role, kind BagKind, bag map[string]string) Verdict {
	return c.CheckBagWithin(NewBudget(MaxWork), role, kind, bag)
}

// CheckBagWithin is [Checker.CheckBag] on a budget that the checks of other bags share. Of
// a bag that costs more than is left, some values are not checked, and the verdict says so.
func (c *Checker) CheckBagWithin(b *Budget, role kith.Role, kind BagKind, bag map[string]string) Verdict {
	side, ok := c.sides[role]
	if !ok {
		return Verdict{State: Valid, Unchecked: []Note{{Text: fmt.Sprintf("the contract says nothing about the %s", role)}}}
	}
	return c.check(bag, b, side[kind], side[EitherBag])
}

// CheckSide checks both bags of a unit's side together: its application's and its
// own. The third verdict is on keys that may be in either.
func (c *Checker) CheckSide(role kith.Role, app, unit map[string]string) (onApp, onUnit, onEither Verdict) {
	return c.CheckSideWithin(NewBudget(2*MaxWork), role, app, unit)
}

// CheckSideWithin is [Checker.CheckSide] on a budget that the checks of other bags share.
func (c *Checker) CheckSideWithin(b *Budget, role kith.Role, app, unit map[string]string) (onApp, onUnit, onEither Verdict) {
	onApp, onUnit = c.CheckBagWithin(b, role, AppBag, app), c.CheckBagWithin(b, role, UnitBag, unit)
	either := c.sides[role][EitherBag]
	if either == nil {
		return onApp, onUnit, Verdict{State: Valid}
	}
	both := map[string]string{}
	for _, bag := range []map[string]string{app, unit} {
		for _, name := range names(bag) {
			both[name] = bag[name]
		}
	}
	return onApp, onUnit, c.check(both, b, either, nil)
}

// check looks at every key of a bag, and for every key that must be there. The keys
// of either are looked at, and not missed.
func (c *Checker) check(bag map[string]string, b *Budget, described, either *compiledBag) Verdict {
	v := Verdict{}
	own := NewBudget(min(b.left, MaxWork))
	given, seen := own.left, 0
	for _, name := range names(bag) {
		if c.ignored(name) || bag[name] == "" {
			continue // Juju deletes a key that is set to nothing
		}
		seen++
		if k := find(name, described, either); k != nil {
			k.check(bag[name], &v, own)
		} else if described.closed() || described == nil && either.closed() {
			v.add(Violation{name, "", show(bag[name], sensitiveName(name)), "closed", "the contract knows no such key"})
		}
	}
	b.take(given - own.left)
	b.short = b.short || own.short
	for _, b := range []*compiledBag{described, either} {
		if b != nil && b.bag.Unchecked != "" {
			v.Unchecked = append(v.Unchecked, Note{Text: b.bag.Unchecked})
		}
	}
	if described != nil && (seen > 0 || !described.bag.Optional) {
		v.Missing = described.missing(bag)
	}
	switch {
	case len(v.Violations) > 0:
		v.State = Violating
	case len(v.Missing) == 0:
		v.State = Valid
	case seen == 0:
		v.State = Absent
	default:
		v.State = Partial
	}
	return v
}

// ignored reports whether a key is nobody's business here.
func (c *Checker) ignored(name string) bool {
	return slices.Contains(EngineKeys(), name) || slices.Contains(c.contract.Ignore, name)
}

func (b *compiledBag) closed() bool { return b != nil && b.bag.Closed && b.bag.Unchecked == "" }

// find is the description of a key in the first of the bags that has one.
func find(name string, bags ...*compiledBag) *compiledKey {
	for _, b := range bags {
		if b != nil && b.keys[name] != nil {
			return b.keys[name]
		}
	}
	return nil
}

// missing lists the keys that must be there and are not.
func (b *compiledBag) missing(bag map[string]string) []string {
	var list []string
	for _, k := range b.others {
		if k.Required && !b.present(k, bag) {
			list = append(list, k.Name)
		}
	}
	for i, group := range b.bag.AnyOf {
		lacking := b.lacking(group, bag)
		if len(lacking) == 0 {
			return list
		}
		if i == len(b.bag.AnyOf)-1 {
			list = append(list, b.lacking(b.bag.AnyOf[0], bag)...)
		}
	}
	return slices.Compact(sorted(list))
}

func (b *compiledBag) lacking(group []string, bag map[string]string) []string {
	var list []string
	for _, name := range group {
		if !b.present(b.keys[name], bag) {
			list = append(list, name)
		}
	}
	return list
}

// present reports whether a key is there, or a secret that holds it.
func (b *compiledBag) present(k *compiledKey, bag map[string]string) bool {
	if bag[k.Name] != "" {
		return true
	}
	for _, via := range k.Via {
		if isSecretURI(bag[via]) {
			return true
		}
	}
	return false
}

// check checks one value as it is on the wire. The work of it is taken off the bag's budget.
func (k *compiledKey) check(text string, v *Verdict, budget *Budget) {
	switch {
	case k.Unchecked != "":
		v.Unchecked = append(v.Unchecked, Note{k.Name, k.Unchecked})
		return
	case k.Secret != NoSecret && isSecretURI(text):
		return
	case k.Secret == SecretOnly:
		v.add(Violation{k.Name, "", showText(text, k.sensitive()), "secret", "it must be a reference to a secret: secret:ID"})
		return
	case k.fine(text, budget):
		return
	}
	k.inspect(text, v, budget)
}

func (k *compiledKey) sensitive() bool { return k.Sensitive || sensitiveName(k.Name) }

// inspect is check for a value that is not certainly fine.
func (k *compiledKey) inspect(text string, v *Verdict, budget *Budget) {
	var value any = text
	if k.Encoding == JSON {
		var err error
		if value, err = decodeJSON([]byte(text)); err != nil {
			v.add(Violation{k.Name, "", showText(text, k.sensitive()), "encoding", "it must be JSON: " + err.Error()})
			return
		}
	}
	if k.schema == nil {
		return
	}
	work := k.cost.steps(sizeOf(value))
	if !budget.take(work) {
		v.Unchecked = append(v.Unchecked, Note{k.Name, fmt.Sprintf("the value is too large for its schema: %d bytes", len(text))})
		return
	}
	if !k.quick.fits(value) {
		k.explain(value, work, k.sensitive(), v)
	}
}

// add adds a violation, up to the limit.
func (v *Verdict) add(found Violation) {
	if len(v.Violations) < MaxViolations {
		v.Violations = append(v.Violations, found)
	}
}
