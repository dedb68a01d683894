package core

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
)

// index is a set of pairs, a group and a member, derived by Apply. The members of a
// group are together, in string order. A group has no NUL.
type index struct{ rows tree[struct{}] }

const indexSeparator = "\x00"

func (x *index) snapshot() index { return index{x.rows.share()} }

func (x *index) add(group, member string) {
	x.rows.set(group+indexSeparator+member, struct{}{})
}

func (x *index) drop(group, member string) { x.rows.drop(group + indexSeparator + member) }

// under lists the members of a group.
func (x *index) under(group string) []string {
	var members []string
	x.walk(group, "", func(member string) bool {
		members = append(members, member)
		return true
	})
	return members
}

// first is the first member of a group from a text on; empty if there is none.
func (x *index) first(group, from string) (member string) {
	x.walk(group, from, func(m string) bool {
		member = m
		return false
	})
	return member
}

// walk calls f with the members of a group from a text on, until it returns false. The
// set must not change meanwhile.
func (x *index) walk(group, from string, f func(member string) bool) {
	if x.rows.size() == 0 {
		return
	}
	prefix := group + indexSeparator
	x.rows.ascend(prefix+from, func(key string, _ struct{}) bool {
		return strings.HasPrefix(key, prefix) && f(key[len(prefix):])
	})
}

// secretIndex finds secrets by everything but their id. With it a look at a unit costs
// the same however many secrets there are, unless they have something to tell it.
type secretIndex struct {
	owned      index // owner → secret
	consumes   index // unit → secret it has read
	byRelation index // relation → grant
	bySubject  index // application or unit → grant
	rotations  index // owner → time/secret: when secret-rotate is due
	expiries   index // owner → time/secret/number: when secret-expired is due
	obsolete   index // owner → secret/number, the number padded
	stale      index // unit → secret with a revision it has not been told of
	// trackers counts the units that see a revision, by the revision's id.
	trackers tree[int]
}

func (x *secretIndex) snapshot() secretIndex {
	return secretIndex{
		owned: x.owned.snapshot(), consumes: x.consumes.snapshot(), byRelation: x.byRelation.snapshot(), bySubject: x.bySubject.snapshot(),
		rotations: x.rotations.snapshot(), expiries: x.expiries.snapshot(), obsolete: x.obsolete.snapshot(), stale: x.stale.snapshot(),
		trackers: x.trackers.share(),
	}
}

func ownerKey(o SecretOwner) string { return string(o.Kind) + " " + o.Name }

// sortable is a layout whose texts sort as the times do.
const sortable = "2006-01-02T15:04:05.000000000"

func sortableTime(t time.Time) string { return t.UTC().Format(sortable) }

func parseSortableTime(s string) time.Time {
	t, err := time.Parse(sortable, s)
	if err != nil {
		panic(fmt.Sprintf("core: %q is no time", s))
	}
	return t
}

// paddedRevision is a revision's id whose string order is that of the numbers.
func paddedRevision(id kith.SecretID, number int) string { return fmt.Sprintf("%s/%010d", id, number) }

// parseRevision reads "secret/number", padded or not.
func parseRevision(s string) (kith.SecretID, int) {
	id, number, _ := strings.Cut(s, "/")
	n, err := strconv.Atoi(number)
	if err != nil {
		panic(fmt.Sprintf("core: %q is no revision of a secret", s))
	}
	return kith.SecretID(id), n
}

// noteSecret is called when a secret was put or dropped. Rows are loaded in any order of
// kind, so its revisions and consumers may be there before it.
func (m *Model) noteSecret(old, now *Secret) {
	x := &m.secretIndex
	if old != nil && now != nil {
		if !old.NextRotate.Equal(now.NextRotate) {
			x.setRotation(old, false)
			x.setRotation(now, true)
		}
		if old.Latest != now.Latest {
			for c := range m.SecretConsumers(now.ID) {
				x.setStale(c, now)
			}
		}
		return
	}
	s := now
	if s == nil {
		s = old
		x.owned.drop(ownerKey(s.Owner), string(s.ID))
	} else {
		x.owned.add(ownerKey(s.Owner), string(s.ID))
	}
	x.setRotation(s, now != nil)
	for r := range m.secretRevisions.prefix(string(s.ID) + "/") {
		x.setRevision(s, r, now != nil)
	}
	for c := range m.SecretConsumers(s.ID) {
		x.setStale(c, now)
	}
}

func (x *secretIndex) setRotation(s *Secret, there bool) {
	if !s.NextRotate.IsZero() {
		x.rotations.set(ownerKey(s.Owner), sortableTime(s.NextRotate)+"/"+string(s.ID), there)
	}
}

func (x *index) set(group, member string, there bool) {
	if there {
		x.add(group, member)
	} else {
		x.drop(group, member)
	}
}

func (x *secretIndex) setRevision(s *Secret, r *SecretRevision, there bool) {
	if !r.ExpiryDue.IsZero() {
		x.expiries.set(ownerKey(s.Owner), sortableTime(r.ExpiryDue)+"/"+revisionID(r.Secret, r.Number), there)
	}
	if r.Obsolete != 0 {
		x.obsolete.set(ownerKey(s.Owner), paddedRevision(r.Secret, r.Number), there)
	}
}

// setStale notes whether a consumer has something to be told; s is nil if the secret is gone.
func (x *secretIndex) setStale(c *SecretConsumer, s *Secret) {
	x.stale.set(string(c.Unit), string(c.Secret), s != nil && c.stale(s))
}

// stale reports whether there is a revision newer than what the unit sees and was told of.
func (c *SecretConsumer) stale(s *Secret) bool { return s.Latest > max(c.Revision, c.Told) }

// noteSecretRevision is called when a revision was put or dropped.
func (m *Model) noteSecretRevision(old, now *SecretRevision) {
	row := now
	if row == nil {
		row = old
	}
	s := m.Secret(row.Secret)
	if s == nil {
		return
	}
	if old != nil {
		m.secretIndex.setRevision(s, old, false)
	}
	if now != nil {
		m.secretIndex.setRevision(s, now, true)
	}
}

// noteSecretConsumer is called when a consumer was put or dropped.
func (m *Model) noteSecretConsumer(old, now *SecretConsumer) {
	x := &m.secretIndex
	if old != nil {
		x.track(old, -1)
		x.consumes.drop(string(old.Unit), string(old.Secret))
		x.setStale(old, nil)
	}
	if now != nil {
		x.track(now, 1)
		x.consumes.add(string(now.Unit), string(now.Secret))
		x.setStale(now, m.Secret(now.Secret))
	}
}

func (x *secretIndex) track(c *SecretConsumer, by int) {
	key := revisionID(c.Secret, c.Revision)
	n, _ := x.trackers.get(key)
	if n += by; n == 0 {
		x.trackers.drop(key)
	} else {
		x.trackers.set(key, n)
	}
}

// tracked reports whether any unit sees a revision.
func (m *Model) tracked(id kith.SecretID, number int) bool {
	_, ok := m.secretIndex.trackers.get(revisionID(id, number))
	return ok
}

// noteSecretGrant is called when a grant was put or dropped.
func (m *Model) noteSecretGrant(g *SecretGrant, there bool) {
	x, id := &m.secretIndex, g.Key().ID
	x.bySubject.set(g.Subject, id, there)
	if g.Relation != nil {
		x.byRelation.set(g.Relation.String(), id, there)
	}
}

// secretIndexIsRight reports whether the index is what the rows say.
func (m *Model) secretIndexIsRight() bool {
	fresh := &Model{}
	for s := range m.secrets.all() {
		Apply(fresh, Put(s))
	}
	for r := range m.secretRevisions.all() {
		Apply(fresh, Put(r))
	}
	for c := range m.secretConsumers.all() {
		Apply(fresh, Put(c))
	}
	for g := range m.secretGrants.all() {
		Apply(fresh, Put(g))
	}
	return m.secretIndex.equal(&fresh.secretIndex)
}

func (x *secretIndex) equal(o *secretIndex) bool {
	theirs := o.parts()
	for i, part := range x.parts() {
		if !slices.Equal(part.rows.keys(), theirs[i].rows.keys()) {
			return false
		}
	}
	return slices.Equal(x.trackers.keys(), o.trackers.keys()) && slices.Equal(x.trackers.values(), o.trackers.values())
}

func (x *secretIndex) parts() []*index {
	return []*index{&x.owned, &x.consumes, &x.byRelation, &x.bySubject, &x.rotations, &x.expiries, &x.obsolete, &x.stale}
}
