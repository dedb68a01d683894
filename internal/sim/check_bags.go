package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

// ownBags: a unit writes its own databag, who leads its application's, and nobody any other (6.1, 6.6);
// entering a relation writes the addresses (3.2). A relation that no operator has ended keeps its
// bags, whoever leaves it and whoever has written them (2.3, 3.4).
type ownBags struct {
	bags    rows[core.Bag]
	leases  rows[core.Lease]
	ended   map[string]bool // relations that an operator has ended
	leaders map[kith.AppName]map[kith.UnitName]bool
}

func (*ownBags) name() string { return "own-bags" }

// rows are the rows of one kind as the store has them, by id.
type rows[T any] map[string]T

// put takes in what a batch puts, and gives back what was there before, zero for what is new. What is deleted
// stays: ids are not used twice, and what a hook was about may be gone when it ends.
func (r *rows[T]) put(kind core.Kind, b store.Batch) (before map[string]T, err error) {
	if *r == nil {
		*r = rows[T]{}
	}
	for _, e := range b.Puts {
		if e.Kind != string(kind) {
			continue
		}
		var row T
		if err := json.Unmarshal(e.Value, &row); err != nil {
			return nil, err
		}
		if before == nil {
			before = map[string]T{}
		}
		before[e.ID], (*r)[e.ID] = (*r)[e.ID], row
	}
	return before, nil
}

func (c *ownBags) batch(_ *ledger, b store.Batch, r record) string {
	if c.ended == nil {
		c.ended = map[string]bool{}
	}
	if err := c.lead(b, r); err != nil {
		return err.Error()
	}
	before, err := c.bags.put(core.KindBag, b)
	if err != nil {
		return err.Error()
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		was, is := before[id].Data, c.bags[id].Data
		if !maps.Equal(was, is) && !slices.ContainsFunc(r.Entries, func(e core.Entry) bool { return c.mayWrite(&e, id) }) {
			return fmt.Sprintf("bag %s was %v, is %v, and nobody wrote that who may", id, was, is)
		}
	}
	for i := range r.Entries {
		c.end(&r.Entries[i])
	}
	for _, k := range b.Deletes {
		relation, _, _ := strings.Cut(k.ID, "/")
		if (k.Kind == string(core.KindBag) || k.Kind == string(core.KindRelation)) && !c.ended[relation] {
			return fmt.Sprintf("%s is gone, and nobody has ended relation %s", k, relation)
		}
	}
	return ""
}

// lead finds who may write for each application in a batch: who led it before, or does after it.
func (c *ownBags) lead(b store.Batch, r record) error {
	c.leaders = map[kith.AppName]map[kith.UnitName]bool{}
	c.note()
	if _, err := c.leases.put(core.KindLease, b); err != nil {
		return err
	}
	c.note()
	moves := map[kith.AppName]int{}
	for _, e := range r.Entries {
		for _, d := range e.Deltas {
			if d.Kind == core.KindLease {
				moves[kith.AppName(d.ID)]++
			}
		}
	}
	for app, n := range moves { // any order: each by itself
		if n > 1 { // somebody may have led it in between, of whom the rows do not tell
			delete(c.leaders, app)
		}
	}
	return nil
}

func (c *ownBags) note() {
	for _, l := range c.leases { // any order: each by itself
		if c.leaders[l.App] == nil {
			c.leaders[l.App] = map[kith.UnitName]bool{}
		}
		c.leaders[l.App][l.Holder] = true
	}
}

// mayWrite reports whether an entry says that it has changed a bag, and comes from who may.
func (c *ownBags) mayWrite(e *core.Entry, id string) bool {
	if !slices.ContainsFunc(e.Deltas, func(d core.Delta) bool { return d.Kind == core.KindBag && d.ID == id }) {
		return false
	}
	_, owner, _ := strings.Cut(id, "/")
	writer := kith.UnitName(e.Actor.Name)
	switch {
	case e.Command == "enter-scopes":
		return slices.ContainsFunc(e.Deltas, func(d core.Delta) bool {
			return d.Kind == core.KindMember && d.ID == id && d.Action == core.Added
		})
	case e.Actor.Kind != core.ActorUnit:
		return false
	case strings.Contains(owner, "/"):
		return string(writer) == owner
	}
	leaders, known := c.leaders[writer.App()]
	return string(writer.App()) == owner && (!known || leaders[writer])
}

// end notes which relations an operator ends.
func (c *ownBags) end(e *core.Entry) {
	for _, d := range e.Deltas {
		if d.Kind == core.KindRelation && e.Actor.Kind == core.ActorUser && (d.Action == core.Deleted || d.Life != "" && d.Life != kith.Alive) {
			c.ended[d.ID] = true
		}
	}
}
