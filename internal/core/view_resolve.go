package core

import (
	"iter"
	"strings"

	"github.com/tidwall/btree"

	"kith"
)

// Pair is one remote unit of a relation in both tenses: as it is now, and as
// the looking unit was last told of it. At least one of Here and Known is true.
type Pair struct {
	Unit kith.UnitName
	// Here is true if the looking unit can see the remote now; Now is then the
	// version of its bag, 0 if it has none.
	Here bool
	Now  uint64
	// Known is true if the looking unit was told of the remote; Told is then the
	// version of the bag that was announced to it.
	Known bool
	Told  uint64
}

// Pairs yields the union of Remotes and Known in string order of name: one walk
// over three ordered tables side by side, which costs O(members) and allocates
// the same for every size. While the relation is ending nobody is Here
// (relations reference, section 5.2).
func (r RelationView) Pairs() iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		here := r.hereCursor()
		known := newCursor(&r.v.m.seen.rows, memberID(r.Relation.ID, r.v.Unit.Name)+"/")
		bags := newCursor(&r.v.m.bags.rows, r.Relation.ID.String()+"/"+string(r.Other.App)+"/")
		for here.ok() || known.ok() {
			var p Pair
			switch {
			case !known.ok(), here.ok() && here.row.Unit < known.row.Remote:
				p = Pair{Unit: here.row.Unit, Here: true}
			case !here.ok(), known.row.Remote < here.row.Unit:
				p = Pair{Unit: known.row.Remote, Known: true, Told: known.row.Version}
			default:
				p = Pair{Unit: here.row.Unit, Here: true, Known: true, Told: known.row.Version}
			}
			if p.Here {
				for bags.ok() && bags.row.Owner < string(p.Unit) {
					bags.next()
				}
				if bags.ok() && bags.row.Owner == string(p.Unit) {
					p.Now = bags.row.Version
				}
				r.nextHere(&here)
			}
			if p.Known {
				known.next()
			}
			if !yield(p) {
				return
			}
		}
	}
}

// hereCursor walks whom Remotes yields, or nobody while the relation is ending.
func (r RelationView) hereCursor() cursor[Member] {
	if r.Ending() {
		return cursor[Member]{}
	}
	c := newCursor(&r.v.m.members.rows, r.Relation.ID.String()+"/"+string(r.Other.App)+"/")
	for c.ok() && !r.sees(c.row) {
		c.next()
	}
	return c
}

func (r RelationView) nextHere(c *cursor[Member]) {
	for c.next(); c.ok() && !r.sees(c.row); c.next() {
	}
}

// sees is the filter of section 3.3 for a member of the other application.
func (r RelationView) sees(m *Member) bool {
	return m.Unit != r.v.Unit.Name && !m.Departing &&
		(r.Relation.Scope != kith.Container || m.Principal == r.v.container())
}

// LeaseRev is the revision at which somebody last took the leadership of the
// unit's application; 0 if nobody ever did.
func (v View) LeaseRev() uint64 {
	if l := v.m.Lease(v.App.Name); l != nil {
		return l.Rev
	}
	return 0
}

// Entered is the revision at which remote entered the relation; 0 if it is not in scope.
func (r RelationView) Entered(remote kith.UnitName) uint64 {
	if m := r.v.m.Member(r.Relation.ID, remote); m != nil {
		return m.Rev
	}
	return 0
}

// UnitBag is the version of a remote unit's bag, and the revision of its last
// change; 0 if there is no such bag. A bag outlives its unit's stay in scope.
func (r RelationView) UnitBag(remote kith.UnitName) (version, rev uint64) {
	if b := r.v.m.Bag(r.Relation.ID, string(remote)); b != nil {
		return b.Version, b.Rev
	}
	return 0, 0
}

// MustWait reports whether the unit may not enter the relation yet because the
// subordinate that entering would ask for is there and on its way out (section 3.1).
func (r RelationView) MustWait() bool {
	if r.Relation.Scope != kith.Container {
		return false
	}
	for _, name := range r.v.Unit.Subordinates {
		if u := r.v.m.Unit(name); u != nil && u.App == r.Other.App && u.Life != kith.Alive {
			return true
		}
	}
	return false
}

// cursor walks the rows of one table whose keys share a prefix. The zero value is at its end.
type cursor[T Entity] struct {
	it     btree.MapIter[string, *T]
	prefix string
	row    *T
}

func newCursor[T Entity](rows *btree.Map[string, *T], prefix string) cursor[T] {
	c := cursor[T]{it: rows.Iter(), prefix: prefix}
	c.take(c.it.Seek(prefix))
	return c
}

func (c *cursor[T]) ok() bool { return c.row != nil }

func (c *cursor[T]) next() { c.take(c.it.Next()) }

func (c *cursor[T]) take(ok bool) {
	c.row = nil
	if ok && strings.HasPrefix(c.it.Key(), c.prefix) {
		c.row = c.it.Value()
	}
}
