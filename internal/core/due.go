package core

import (
	"cmp"
	"slices"
	"strconv"

	"kith"
)

// due is an index, derived by Apply: for each unit, the relations in which it may have
// something to do whatever the units on the other side are up to. Those are in [news].
//
// Without it each look at a unit would walk all relations of its application, and an
// event in one of two hundred relations would cost two hundred looks.
//
// A relation in which it turns out that the unit has nothing to do yet is in it too: one
// that the unit's charm has still to declare, for instance. None that asks for
// something is missing.
type due struct {
	relations tree[[]kith.RelationID] // of a unit, by number; rows are never modified
}

func (d *due) snapshot() due { return due{d.relations.share()} }

// ofUnitID is the key of what belongs to a unit and a relation: a unit's are together,
// by number of the relation. what tells those of one relation apart.
func ofUnitID(u kith.UnitName, id kith.RelationID, what ...string) string {
	const width = 10
	var digits [20]byte
	n := strconv.AppendInt(digits[:0], int64(id), 10)
	var room [64]byte // of most keys: they are made of bytes once, and copied once
	key := append(append(room[:0], u...), ' ')
	for range width - len(n) {
		key = append(key, '0')
	}
	key = append(key, n...)
	for _, w := range what {
		key = append(key, w...)
	}
	return string(key)
}

// of are the relations of a unit.
func (d *due) of(u kith.UnitName) []kith.RelationID {
	ids, _ := d.relations.get(string(u))
	return ids
}

func (d *due) set(u kith.UnitName, id kith.RelationID, is bool) {
	ids := d.of(u)
	i, was := slices.BinarySearch(ids, id)
	switch {
	case is && !was:
		d.relations.set(string(u), slices.Insert(slices.Clip(ids), i, id))
	case was && !is && len(ids) == 1:
		d.relations.drop(string(u))
	case was && !is:
		d.relations.set(string(u), slices.Concat(ids[:i], ids[i+1:]))
	}
}

// Due yields the relations in which the unit may have something to do now, in the order
// of [View.Relations]. In all others it has nothing to do.
func (v View) Due() []RelationView {
	ids := v.m.news.relations(v.Unit.Name, slices.Clip(v.m.due.of(v.Unit.Name)))
	all := make([]RelationView, 0, len(ids))
	for _, id := range ids {
		if r, ok := v.Relation(id); ok {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b RelationView) int {
		return cmp.Or(len(b.Relation.Ends)-len(a.Relation.Ends), int(a.Relation.ID)-int(b.Relation.ID))
	})
	return slices.CompactFunc(all, func(a, b RelationView) bool { return a.Relation.ID == b.Relation.ID })
}

// mayAct reports whether the unit may have something to do in the relation although it
// has no news of others.
func (r RelationView) mayAct() bool {
	switch {
	case r.Member == nil:
		return !r.Ending()
	case r.Ending():
		return true
	case r.Own.Implicit:
		return false
	case !r.Member.Created, r.Member.ChangedPending != "":
		return true
	}
	version, _ := r.AppBag()
	return version != r.Member.AppVersion
}

// noteDue looks at one unit and one relation of its application.
func (m *Model) noteDue(u *Unit, r *Relation) {
	app := m.App(u.App)
	if app == nil {
		return // rows are loaded in any order: it will come
	}
	v := View{m: m, Unit: u, App: app}
	m.due.set(u.Name, r.ID, v.attends(r) && v.relation(r).mayAct())
}

// noteUnitDue is called when a unit was put or dropped.
func (m *Model) noteUnitDue(old, now *Unit) {
	if old != nil && now != nil && old.Life == now.Life {
		return
	}
	row := cmp.Or(now, old)
	for r := range m.RelationsOf(row.App) {
		if now == nil {
			m.due.set(row.Name, r.ID, false)
		} else {
			m.noteDue(now, r)
		}
	}
}

// noteAppDue is called when an application was put: whether it is a subordinate
// decides who attends to its relations.
func (m *Model) noteAppDue(old, now *App) {
	if now == nil || old != nil && old.Subordinate == now.Subordinate {
		return
	}
	for r := range m.RelationsOf(now.Name) {
		m.noteRelationDue(nil, r)
	}
}

// noteRelationDue is called when a relation was put or dropped.
func (m *Model) noteRelationDue(old, now *Relation) {
	if old != nil && now != nil && old.Life == now.Life && old.Suspended == now.Suspended {
		return
	}
	row := cmp.Or(now, old)
	for _, end := range row.Ends {
		for u := range m.UnitsOf(end.App) {
			if now == nil {
				m.due.set(u.Name, row.ID, false)
			} else {
				m.noteDue(u, now)
			}
		}
	}
}

// noteMemberDue is called when a membership of r was put or dropped; r is nil while rows are loaded.
func (m *Model) noteMemberDue(r *Relation, old, now *Member) {
	if old != nil && now != nil && old.Created == now.Created && old.ChangedPending == now.ChangedPending && old.AppVersion == now.AppVersion {
		return
	}
	row := cmp.Or(now, old)
	if u := m.Unit(row.Unit); u != nil && r != nil {
		m.noteDue(u, r)
	}
}

// noteAppBag is called when an application's databag in r got another version.
func (m *Model) noteAppBag(r *Relation, owner kith.AppName) {
	if r.end(owner) == nil {
		return
	}
	for reader := range m.members.prefix(bagID(r.ID, string(r.otherEnd(owner).App)) + "/") {
		if u := m.Unit(reader.Unit); u != nil {
			m.noteDue(u, r)
		}
	}
}

// dueIsRight reports whether the index says of a unit what a look at all its relations says.
func (m *Model) dueIsRight(u *Unit) bool {
	v, ok := ViewOf(m, u.Name)
	if !ok {
		return true
	}
	var want []kith.RelationID
	for r := range v.Relations() {
		if r.mayAct() {
			want = append(want, r.Relation.ID)
		}
	}
	slices.Sort(want)
	return slices.Equal(want, m.due.of(u.Name))
}
