package core

import (
	"fmt"
	"slices"

	"kith"
)

// Violation is one broken invariant: its number in the package documentation, and where.
type Violation struct {
	Invariant string
	What      string
}

// String is "I3: what".
func (v Violation) String() string { return v.Invariant + ": " + v.What }

// Check reports every broken invariant of m, in a fixed order. A model before it was created breaks none.
func Check(m *Model) []Violation {
	if m.Info() == nil {
		return nil
	}
	c := &checker{m: m}
	c.units()
	c.relations()
	c.members()
	c.bags()
	c.leases()
	c.tasks()
	c.secrets()
	c.storage()
	c.contracts()
	for member := range m.members.all() {
		c.assert(m.newsIsRight(member), "I12", "the index of what %s has to be told in relation %d is wrong", member.Unit, member.Relation)
	}
	for app := range m.Apps() {
		c.assert(m.configIsRight(app), "I12", "the index of the configuration of %s is wrong", app.Name)
	}
	for u := range m.Units() {
		c.assert(m.dueIsRight(u), "I12", "the index of the relations in which %s may have something to do is wrong", u.Name)
		c.assert(m.contextsAreRight(u.Name), "I12", "the index of what hooks of %s see is wrong", u.Name)
	}
	return c.found
}

type checker struct {
	m     *Model
	found []Violation
}

func (c *checker) assert(ok bool, invariant, format string, args ...any) {
	if !ok {
		c.found = append(c.found, Violation{invariant, fmt.Sprintf(format, args...)})
	}
}

func (c *checker) units() {
	addresses := map[string]kith.UnitName{}
	for u := range c.m.Units() {
		app := c.m.App(u.App)
		c.assert(app != nil && u.App == u.Name.App(), "I1", "unit %s belongs to no application", u.Name)
		past := c.m.Progress(u.Name)
		c.assert(past != nil, "I1", "unit %s has no progress", u.Name)
		if past != nil && past.InError() && past.Failed.Hook.Kind == LeaderElected {
			c.assert(c.m.HoldsLease(u.Name), "I5", "%s is in error over leader-elected and does not lead", u.Name)
		}
		if app != nil {
			c.assert(u.Name.Number() < app.NextUnit, "I10", "unit %s is not below counter %d", u.Name, app.NextUnit)
		}
		other, taken := addresses[u.Address]
		c.assert(!taken, "I11", "units %s and %s share address %s", other, u.Name, u.Address)
		addresses[u.Address] = u.Name
		c.subordinate(u)
	}
	for a := range c.m.Apps() {
		c.assert(c.m.Charm(a.Charm) != nil, "I1", "application %s has no charm", a.Name)
		if a.Life != kith.Alive {
			c.assert(!c.empty(a.Name), "I7", "application %s is dying with nothing left", a.Name)
		}
	}
}

func (c *checker) empty(app kith.AppName) bool {
	for range c.m.UnitsOf(app) {
		return false
	}
	for range c.m.RelationsOf(app) {
		return false
	}
	return true
}

func (c *checker) subordinate(u *Unit) {
	for _, s := range u.Subordinates {
		sub := c.m.Unit(s)
		c.assert(sub != nil && sub.Principal == u.Name, "I9", "unit %s lists %s, which is not its subordinate", u.Name, s)
	}
	if u.Principal == "" {
		return
	}
	p := c.m.Unit(u.Principal)
	c.assert(p != nil && p.Machine == u.Machine && slices.Contains(p.Subordinates, u.Name), "I9",
		"principal %s does not hold %s", u.Principal, u.Name)
}

func (c *checker) relations() {
	keys := map[string]kith.RelationID{}
	for r := range c.m.Relations() {
		for _, e := range r.Ends {
			c.assert(c.m.App(e.App) != nil, "I2", "relation %d names application %s, which is gone", r.ID, e.App)
		}
		ok := len(r.Ends) == 1 && r.Ends[0].Role == kith.Peer ||
			len(r.Ends) == 2 && r.Ends[0].Role == kith.Requirer && r.Ends[1].Role == kith.Provider && r.Ends[0].App != r.Ends[1].App
		c.assert(ok, "I2", "relation %d has ends %v", r.ID, r.Ends)
		other, taken := keys[r.RelationKey()]
		c.assert(!taken, "I8", "relations %d and %d are both %s", other, r.ID, r.RelationKey())
		keys[r.RelationKey()] = r.ID
		c.assert(r.ID < c.m.Info().NextRelation, "I10", "relation %d is not below the counter", r.ID)
		if r.Life != kith.Alive {
			members := slices.Collect(c.m.Members(r.ID))
			c.assert(len(members) > 0, "I7", "relation %d is dying with nobody in it", r.ID)
		}
	}
}

func (c *checker) members() {
	for m := range c.m.members.all() {
		r := c.m.Relation(m.Relation)
		c.assert(r != nil && r.end(m.Unit.App()) != nil && c.m.Unit(m.Unit) != nil, "I3",
			"%s is a member of relation %d without being a party", m.Unit, m.Relation)
	}
	for s := range c.m.seen.all() {
		c.assert(c.m.Member(s.Relation, s.Unit) != nil, "I6", "%s knows %s in relation %d without being in it", s.Unit, s.Remote, s.Relation)
	}
}

func (c *checker) bags() {
	for b := range c.m.bags.all() {
		r := c.m.Relation(b.Relation)
		c.assert(r != nil && r.end(kith.UnitName(b.Owner).App()) != nil, "I4", "bag of %s in relation %d belongs to no party", b.Owner, b.Relation)
		for k, v := range b.Data { // any order: a check
			if v == "" {
				c.assert(false, "I4", "bag of %s in relation %d holds an empty %q", b.Owner, b.Relation, k)
				break
			}
		}
	}
}

func (c *checker) tasks() {
	last := c.m.Info().LastTask
	for op := range c.m.operations.all() {
		over := 0
		for id := range op.Tasks() {
			t := c.m.Task(id)
			c.assert(t != nil && t.Operation == op.ID, "I13", "operation %d has no task %d", op.ID, id)
			if t != nil && t.Status.Over() {
				over++
			}
		}
		c.assert(over == op.Over && op.Status.Over() == (over == op.Count) && op.Completed.IsZero() != op.Status.Over(), "I13",
			"operation %d is %s with %d of %d tasks over", op.ID, op.Status, over, op.Count)
		c.assert(int(op.ID)+op.Count <= last, "I10", "operation %d is not below the counter", op.ID)
	}
	for t := range c.m.tasks.all() {
		op := c.m.Operation(t.Operation)
		c.assert(op != nil && int(t.ID) > int(op.ID) && int(t.ID) <= int(op.ID)+op.Count, "I13", "task %d belongs to no operation", t.ID)
		if t.Status.Over() {
			continue
		}
		p := c.m.Progress(t.Unit)
		c.assert(c.m.Unit(t.Unit) != nil && p != nil && !p.Removed, "I14", "task %d waits for unit %s, which will not run it", t.ID, t.Unit)
		runs := p != nil && p.RunsTask() && p.Running.Hook.Task.ID == t.ID
		c.assert(runs == (t.Status != TaskPending), "I14", "task %d is %s, and unit %s disagrees", t.ID, t.Status, t.Unit)
	}
	for p := range c.m.progress.all() {
		if p.RunsTask() {
			t := c.m.Task(p.Running.Hook.Task.ID)
			c.assert(t != nil && t.Unit == p.Unit && !t.Status.Over(), "I14", "unit %s runs task %d, which is over", p.Unit, p.Running.Hook.Task.ID)
		}
	}
	for l := range c.m.taskLogs.all() {
		c.assert(c.m.Task(l.Task) != nil, "I13", "there is a log of task %d, and no such task", l.Task)
	}
}

func (c *checker) leases() {
	for l := range c.m.leases.all() {
		u := c.m.Unit(l.Holder)
		c.assert(u != nil && u.App == l.App, "I5", "lease of %s is held by %s, which is none of its units", l.App, l.Holder)
	}
}
