package core

import (
	"fmt"
	"slices"
	"strings"

	"kith"
	"kith/contract"
)

// BagVerdict is what a contract says of one databag.
type BagVerdict struct {
	Relation kith.RelationID   `json:"relation"`
	Owner    string            `json:"owner"` // as of [Bag]
	Endpoint kith.EndpointName `json:"endpoint"`
	Role     kith.Role         `json:"role"`
	// Interface and Version are the contract's; Shipped says that it comes with kith.
	Interface string       `json:"interface"`
	Version   int          `json:"version"`
	Shipped   bool         `json:"shipped,omitempty"`
	Mode      ContractMode `json:"mode"`
	// Charm is the URL of the charm whose hook wrote the bag; of a bag that is only
	// looked at, that of the application.
	Charm string `json:"charm,omitempty"`
	contract.Verdict
}

// RelationVerdict is what the contract of a relation's interface says of its databags.
type RelationVerdict struct {
	Interface string `json:"interface"`
	Version   int    `json:"version"`
	Shipped   bool   `json:"shipped,omitempty"`
	// State is violating if any bag is, valid if all are, absent if nothing is there
	// of what must be, and partial otherwise.
	State contract.State `json:"state"`
	// Waiting says which keys are missing, by the role that has to write them.
	Waiting []WaitingFor `json:"waiting,omitempty"`
	// Bags are those of the application and of the units in scope of each end the contract
	// says something about: requirer first, in order of owner.
	Bags []BagVerdict `json:"bags,omitempty"`
}

// WaitingFor are the keys that one side still has to write.
type WaitingFor struct {
	Role kith.Role `json:"role"`
	Keys []string  `json:"keys"` // sorted
}

// String is "waiting for provider: endpoints, version".
func (w WaitingFor) String() string {
	return fmt.Sprintf("waiting for %s: %s", w.Role, strings.Join(w.Keys, ", "))
}

// Summary is the verdict in a line: what is wrong, and what is waited for; empty if all
// is as it must be. In a model that is settled nothing will come by itself, and who waits is stuck.
func (v *RelationVerdict) Summary(settled bool) string {
	var parts []string
	for _, b := range v.Bags {
		for _, x := range b.Violations {
			parts = append(parts, fmt.Sprintf("%s violates %s%s (%s)", b.Owner, x.Key, x.Path, x.Rule))
		}
	}
	if len(parts) > 1 {
		parts = []string{fmt.Sprintf("%s, and %d more", parts[0], len(parts)-1)}
	}
	for i, w := range v.Waiting {
		text := w.String()
		if settled && i == 0 {
			text = "stuck " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// Stuck reports whether something is missing that nobody will bring any more, because the model
// is settled. Before, who waits has no reason to worry.
func (v *RelationVerdict) Stuck(settled bool) bool { return settled && len(v.Waiting) > 0 }

// BagVerdict is what the contracts say of a bag as it is in the model; false if they say nothing.
func (m *Model) BagVerdict(id kith.RelationID, owner string) (BagVerdict, bool) {
	r := m.Relation(id)
	if r == nil {
		return BagVerdict{}, false
	}
	end := r.end(ownerApp(owner))
	if end == nil {
		return BagVerdict{}, false
	}
	return m.bagVerdict(r, end, m.Contract(r.Interface), owner, contract.NewBudget(contract.MaxWork))
}

// RelationVerdict is what the contracts say of a relation as it is; nil if they say nothing.
func (m *Model) RelationVerdict(r *Relation) *RelationVerdict {
	terms := m.Contract(r.Interface)
	if terms == nil || terms.Checker == nil || r.Life != kith.Alive {
		return nil
	}
	v := &RelationVerdict{Interface: terms.Interface, Version: terms.Version, Shipped: terms.Shipped}
	budget := contract.NewBudget(contract.MaxHookWork)
	said, something := false, false
	for i := range r.Ends {
		end := &r.Ends[i]
		side := terms.Checker.Contract().Side(end.Role)
		if side == nil || end.Implicit || m.ContractMode(end.App, end.Endpoint) == ContractsOff {
			continue
		}
		said = true
		something = m.judgeEnd(r, end, terms, v, budget) || something
	}
	if !said {
		return nil
	}
	v.State = v.state(something)
	return v
}

// judgeEnd adds the bags of one end, and what is missing of them. An end nobody is in
// yet lacks what each unit must write. It reports whether any of them holds anything.
func (m *Model) judgeEnd(r *Relation, end *End, terms *Terms, v *RelationVerdict, budget *contract.Budget) (something bool) {
	owners := []string{string(end.App)}
	for member := range m.Members(r.ID) {
		if member.Unit.App() == end.App && !member.Departing {
			owners = append(owners, string(member.Unit))
		}
	}
	var missing []string
	for _, owner := range owners {
		if b, ok := m.bagVerdict(r, end, terms, owner, budget); ok {
			v.Bags = append(v.Bags, b)
			missing = append(missing, b.Missing...)
			something = something || written(m.bagData(r.ID, owner))
		}
	}
	if len(owners) == 1 {
		missing = append(missing, terms.Checker.CheckBag(end.Role, contract.UnitBag, nil).Missing...)
	}
	if slices.Sort(missing); len(missing) > 0 {
		v.Waiting = append(v.Waiting, WaitingFor{end.Role, slices.Compact(missing)})
	}
	return something
}

// written reports whether a bag holds anything that the engine did not write itself.
func written(data map[string]string) bool {
	for key := range data { // any order: one will do
		if !slices.Contains(contract.EngineKeys(), key) {
			return true
		}
	}
	return false
}

// state sums the bags up; something says that one of them holds anything.
func (v *RelationVerdict) state(something bool) contract.State {
	for _, b := range v.Bags {
		if b.State == contract.Violating {
			return contract.Violating
		}
	}
	switch {
	case len(v.Waiting) == 0:
		return contract.Valid
	case something:
		return contract.Partial
	}
	return contract.Absent
}

// bagVerdict checks one bag of one end, on a budget that other bags may share.
func (m *Model) bagVerdict(r *Relation, end *End, terms *Terms, owner string, budget *contract.Budget) (BagVerdict, bool) {
	if terms == nil || terms.Checker == nil || end.Implicit {
		return BagVerdict{}, false
	}
	kind := contract.UnitBag
	if owner == string(end.App) {
		kind = contract.AppBag
	}
	side := terms.Checker.Contract().Side(end.Role)
	mode := m.ContractMode(end.App, end.Endpoint)
	if mode == ContractsOff || side.Bag(kind) == nil && side.Bag(contract.EitherBag) == nil {
		return BagVerdict{}, false
	}
	v := BagVerdict{
		Relation: r.ID, Owner: owner, Endpoint: end.Endpoint, Role: end.Role, Mode: mode,
		Interface: terms.Interface, Version: terms.Version, Shipped: terms.Shipped, Charm: m.charmURL(end.App),
	}
	data := m.bagData(r.ID, owner)
	if kind == contract.UnitBag && side.Either != nil {
		v.Verdict = wholeSide(terms.Checker.CheckSideWithin(budget, end.Role, m.bagData(r.ID, string(end.App)), data))
	} else {
		v.Verdict = terms.Checker.CheckBagWithin(budget, end.Role, kind, data)
	}
	return v, true
}

// wholeSide is the verdict on a unit's bag with what may be in either bag and is in none.
func wholeSide(_, onUnit, onEither contract.Verdict) contract.Verdict {
	onUnit.Missing = append(onUnit.Missing, onEither.Missing...)
	slices.Sort(onUnit.Missing)
	if onUnit.State == contract.Valid {
		onUnit.State = onEither.State
		if onEither.State == contract.Violating { // what violates is told of the bag it is in
			onUnit.State = contract.Valid
		}
	}
	return onUnit
}

func (m *Model) bagData(id kith.RelationID, owner string) map[string]string {
	if b := m.Bag(id, owner); b != nil {
		return b.Data
	}
	return nil
}

func (m *Model) charmURL(app kith.AppName) string {
	if a := m.App(app); a != nil {
		if c := m.Charm(a.Charm); c != nil {
			return c.URL
		}
	}
	return ""
}

func ownerApp(owner string) kith.AppName {
	app, _, _ := strings.Cut(owner, "/")
	return kith.AppName(app)
}

// judge is the verdict of the bags that a hook has just written, for its history entry. Where
// a contract is enforced, a value the hook wrote and the contract does not allow refuses the commit.
func (t *txn) judge(unit kith.UnitName, writes []BagWrite) error {
	budget := contract.NewBudget(contract.MaxHookWork)
	for _, w := range writes {
		r := t.m.Relation(w.Relation)
		if r == nil {
			continue
		}
		owner := string(unit)
		if w.App {
			owner = string(unit.App())
		}
		at := t.find(Key{KindBag, bagID(w.Relation, owner)})
		if at < 0 {
			continue
		}
		v, ok := t.m.bagVerdict(r, r.end(unit.App()), t.m.Contract(r.Interface), owner, budget)
		if !ok {
			continue
		}
		v.Charm = t.charmOf(unit)
		if v.Mode == ContractsEnforce {
			was := row[Bag](t.steps[at].old)
			if err := enforce(r, unit, &v, was.Data, t.m.bagData(r.ID, owner)); err != nil {
				return err
			}
		}
		t.hook.Verdicts = append(t.hook.Verdicts, v)
	}
	return nil
}

// charmOf is the URL of the charm that the unit runs.
func (t *txn) charmOf(unit kith.UnitName) string {
	if p := t.m.Progress(unit); p != nil && p.Charm != "" {
		if c := t.m.Charm(p.Charm); c != nil {
			return c.URL
		}
	}
	return t.m.charmURL(unit.App())
}

// enforce refuses what a hook has changed in a bag against the contract. What was wrong
// before, it need not put right. The remedy is in the message: it is kept as the reason the
// hook failed, where a hint is not.
func enforce(r *Relation, unit kith.UnitName, v *BagVerdict, was, is map[string]string) error {
	for _, x := range v.Violations {
		if was[x.Key] == is[x.Key] {
			continue
		}
		kind := "unit"
		if v.Owner == string(unit.App()) {
			kind = "application"
		}
		shown := x.Value
		if x.Path != "" {
			shown += " at " + x.Path
		}
		return kith.Errorf(kith.Invalid, "contract of interface %q violated: charm %q of unit %q wrote key %q, %s, into the %s bag of relation %d (%s): %s (rule %q); "+
			"mend the charm, or 'kith contract mode warn %s:%s' and then 'kith resolved %s'",
			v.Interface, v.Charm, unit, x.Key, shown, kind, r.ID, r.RelationKey(), x.Text, x.Rule, unit.App(), v.Endpoint, unit)
	}
	return nil
}
