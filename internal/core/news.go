package core

import (
	"cmp"
	"maps"
	"strings"

	"kith"
)

// news is an index, derived by Apply: for each unit in a relation, the units on
// the other side about which it has something to be told. A pair of reader and
// remote that is in order is not in it. A reader's entries are together: by number of the
// relation, and within one in string order of the remote's name.
//
// Without it a look at a relation would have to compare past and present of all
// its members, and every event in a relation of n units would cost n looks of n. The
// price is paid where it is due: a change costs one update for each unit that
// will have to be told of it.
//
// The index covers a relation while it is alive and not suspended. Otherwise the
// remote view is empty and the past alone decides (relations reference, section 5.2).
type news struct{ pairs tree[item] }

// item is what a reader has to be told of a remote.
type item struct {
	relation kith.RelationID
	remote   kith.UnitName
	kind     newsKind
}

func newsID(id kith.RelationID, reader, remote kith.UnitName) string {
	return ofUnitID(reader, id, "/", string(remote))
}

type newsKind uint8

const (
	inOrder newsKind = iota // never stored
	isGone                  // told of, and no longer there
	isNew                   // there, and not told of
	isOther                 // told of another version of its bag
)

func (n *news) snapshot() news { return news{n.pairs.share()} }

func (n *news) set(key string, is item) {
	old, ok := n.pairs.get(key)
	switch {
	case is.kind == inOrder && ok:
		n.pairs.drop(key)
	case old.kind != is.kind:
		n.pairs.set(key, is)
	}
}

// relations adds those in which a unit has news.
func (n *news) relations(u kith.UnitName, ids []kith.RelationID) []kith.RelationID {
	prefix := string(u) + " "
	for pivot, more := prefix, true; more; {
		more = false
		n.pairs.ascend(pivot, func(key string, it item) bool {
			if strings.HasPrefix(key, prefix) { // then on to the next relation
				ids, pivot, more = append(ids, it.relation), ofUnitID(u, it.relation+1), true
			}
			return false
		})
	}
	return ids
}

// forget drops everything a reader has to be told in a relation.
func (n *news) forget(id kith.RelationID, reader kith.UnitName) {
	var keys []string
	prefix := newsID(id, reader, "")
	n.pairs.ascend(prefix, func(key string, _ item) bool {
		if !strings.HasPrefix(key, prefix) {
			return false
		}
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		n.pairs.drop(key)
	}
}

// News is what the unit has to be told about units on the other side: the first
// that left, the first that is new and the first whose bag changed, each in
// string order of name and empty if there is none. If somebody left, it does not look
// for the others. It says nothing about a relation that is ending.
func (r RelationView) News() (left, newcomer, changed kith.UnitName) {
	prefix := newsID(r.Relation.ID, r.v.Unit.Name, "")
	r.v.m.news.pairs.ascend(prefix, func(key string, it item) bool {
		if !strings.HasPrefix(key, prefix) {
			return false
		}
		switch it.kind {
		case isGone:
			left = it.remote
		case isNew:
			newcomer = cmp.Or(newcomer, it.remote)
		case isOther:
			changed = cmp.Or(changed, it.remote)
		}
		return left == ""
	})
	return left, newcomer, changed
}

// indexed reports whether the index is kept for a relation: not while it is ending.
func indexed(r *Relation) bool { return r != nil && r.Life == kith.Alive && !r.Suspended }

// noteRelation is called when a relation was put. One that starts to live, or
// lives again, may have members already: a suspended relation has, and rows are
// loaded from the store in any order of kind.
func (m *Model) noteRelation(old, now *Relation) {
	if indexed(old) || !indexed(now) {
		return
	}
	for member := range m.Members(now.ID) {
		m.news.forget(now.ID, member.Unit)
		m.noteReader(now, member)
	}
}

// noteMember is called when a membership of r was put or dropped; r is nil while rows are loaded.
func (m *Model) noteMember(r *Relation, old, now *Member) {
	if old != nil && now != nil && old.Departing == now.Departing && old.Principal == now.Principal {
		return // its bookkeeping changed, not who sees it
	}
	row := now
	if row == nil {
		row = old
		m.news.forget(row.Relation, row.Unit)
	}
	if !indexed(r) {
		return
	}
	if now != nil {
		m.noteReader(r, now)
	}
	m.noteRemote(r, row.Unit)
}

// noteSeen is called when what a unit has been told was put or dropped.
func (m *Model) noteSeen(s *Seen) {
	r, reader := m.Relation(s.Relation), m.Member(s.Relation, s.Unit)
	if indexed(r) && reader != nil {
		m.notePair(r, reader, s.Remote, m.Member(s.Relation, s.Remote), m.Bag(s.Relation, string(s.Remote)))
	}
}

// noteBag is called when a databag was put or dropped. Application bags are in the index [due].
func (m *Model) noteBag(old, now *Bag) {
	row := cmp.Or(now, old)
	r := m.Relation(row.Relation)
	if r == nil || old.version() == now.version() {
		return
	}
	if !strings.Contains(row.Owner, "/") {
		m.noteAppBag(r, kith.AppName(row.Owner))
		return
	}
	if !indexed(r) {
		return
	}
	if remote := kith.UnitName(row.Owner); old != nil && now.version() > old.version() {
		m.noteWrite(r, remote)
	} else { // the first one, or one that is taken back
		m.noteRemote(r, remote)
	}
}

func (b *Bag) version() uint64 {
	if b == nil {
		return 0
	}
	return b.Version
}

// noteWrite is noteRemote for the common case that a remote's bag got a new
// version: a pair that was in order is not any more, whatever the past says of it, and one
// that is new or gone stays so.
func (m *Model) noteWrite(r *Relation, remote kith.UnitName) {
	row, bag := m.Member(r.ID, remote), m.Bag(r.ID, string(remote))
	if row == nil || row.Departing {
		return
	}
	other := r.otherEnd(remote.App()).App
	for reader := range m.members.prefix(bagID(r.ID, string(other)) + "/") {
		if reader.Unit == remote || !shares(r, reader, row) {
			continue
		}
		key := newsID(r.ID, reader.Unit, remote)
		switch old, _ := m.news.pairs.get(key); old.kind {
		case inOrder:
			m.news.pairs.set(key, item{r.ID, remote, isOther})
		case isOther:
			m.notePair(r, reader, remote, row, bag)
		}
	}
}

// shares reports whether two members see each other as far as the scope goes (section 3.3).
func shares(r *Relation, a, b *Member) bool {
	return r.Scope != kith.Container || a.Principal == b.Principal
}

// noteReader looks at everything one member can be told of.
func (m *Model) noteReader(r *Relation, reader *Member) {
	other := r.otherEnd(reader.Unit.App()).App
	for remote := range m.members.prefix(bagID(r.ID, string(other)) + "/") {
		m.notePair(r, reader, remote.Unit, remote, m.Bag(r.ID, string(remote.Unit)))
	}
	for s := range m.SeenBy(r.ID, reader.Unit) {
		if m.Member(r.ID, s.Remote) == nil {
			m.notePair(r, reader, s.Remote, nil, nil)
		}
	}
}

// noteRemote looks at everybody who can be told of one unit.
func (m *Model) noteRemote(r *Relation, remote kith.UnitName) {
	if r.end(remote.App()) == nil {
		return
	}
	row, bag := m.Member(r.ID, remote), m.Bag(r.ID, string(remote))
	other := r.otherEnd(remote.App()).App
	for reader := range m.members.prefix(bagID(r.ID, string(other)) + "/") {
		m.notePair(r, reader, remote, row, bag)
	}
}

// notePair puts one pair into its table. row is nil if the remote is not in scope.
func (m *Model) notePair(r *Relation, reader *Member, remote kith.UnitName, row *Member, bag *Bag) {
	if reader.Unit == remote {
		return
	}
	seen := m.seen.get(seenID(r.ID, reader.Unit, remote))
	here := row != nil && !row.Departing && shares(r, reader, row)
	kind := inOrder
	switch {
	case !here && seen != nil:
		kind = isGone
	case here && seen == nil:
		kind = isNew
	case here && seen.Version != bag.version():
		kind = isOther
	}
	m.news.set(newsID(r.ID, reader.Unit, remote), item{r.ID, remote, kind})
}

// newsIsRight reports whether the index says of a member what its past and its
// view say.
func (m *Model) newsIsRight(member *Member) bool {
	v, ok := ViewOf(m, member.Unit)
	if !ok {
		return true
	}
	r, attends := v.Relation(member.Relation)
	if !attends || r.Ending() {
		return true
	}
	want := map[kith.UnitName]newsKind{}
	for s := range r.Known() {
		want[s.Remote] = isGone
	}
	for remote := range r.Remotes() {
		if s := m.seen.get(seenID(member.Relation, member.Unit, remote.Unit)); s == nil {
			want[remote.Unit] = isNew
		} else if s.Version != remote.Version {
			want[remote.Unit] = isOther
		} else {
			delete(want, remote.Unit)
		}
	}
	got := map[kith.UnitName]newsKind{}
	prefix := newsID(member.Relation, member.Unit, "")
	m.news.pairs.ascend(prefix, func(key string, it item) bool {
		if !strings.HasPrefix(key, prefix) {
			return false
		}
		got[it.remote] = it.kind
		return true
	})
	return maps.Equal(want, got)
}
