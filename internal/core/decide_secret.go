package core

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"kith"
)

// applySecretWrite applies what a hook did to one secret. A secret that has gone
// meanwhile takes everything with it: like the writes to a relation that has gone (hook protocol
// reference, section 12.3: "the commit fails or drops it").
func (t *txn) applySecretWrite(unit kith.UnitName, w SecretWrite) error {
	if w.Create != "" {
		if err := t.createCharmSecret(unit, w); err != nil {
			return err
		}
	}
	s := t.m.Secret(w.ID)
	if s == nil {
		return nil
	}
	if w.manages() {
		if err := t.mayManage(unit, s); err != nil {
			return err
		}
		if err := t.manageSecret(unit, w); err != nil {
			return err
		}
	}
	return t.trackSecret(unit, w)
}

// mayManage is the writing half of the access rules: a unit's secret is the unit's, an
// application's the leader's (section 12.3).
func (t *txn) mayManage(unit kith.UnitName, s *Secret) error {
	switch s.Owner {
	case UnitOwner(unit):
		return nil
	case AppOwner(unit.App()):
		if t.m.IsLeader(unit, t.now) {
			return nil
		}
		return kith.Errorf(kith.Conflict, "checking leadership continuity: %q is not leader of %q", unit, unit.App())
	}
	return kith.Errorf(kith.Forbidden, "permission denied").WithHint("secret %q is not owned by %s or its application", s.ID, unit)
}

func (t *txn) createCharmSecret(unit kith.UnitName, w SecretWrite) error {
	owner := UnitOwner(unit)
	if w.Create == OwnerApp {
		owner = AppOwner(unit.App())
	} else if w.Create != OwnerUnit {
		return kith.Errorf(kith.Invalid, "secret owner %q not valid", w.Create)
	}
	s := Secret{ID: w.ID, Owner: owner}
	if err := t.mayManage(unit, &s); err != nil {
		return err
	}
	return t.createSecret(s, w.SecretUpdate)
}

// createSecret makes a secret with its first revision.
func (t *txn) createSecret(s Secret, u SecretUpdate) error {
	if id, _, err := kith.ParseSecretURI(string(s.ID)); err != nil || id != s.ID {
		return kith.Errorf(kith.Invalid, "secret URI %q not valid", s.ID)
	}
	if t.m.Secret(s.ID) != nil {
		return kith.Errorf(kith.Conflict, "secret %q already exists", s.ID)
	}
	if err := CheckSecretData(u.Data); err != nil {
		return err
	}
	s.Created, s.Updated = t.now, t.now
	return t.updateSecret(s, u)
}

// updateSecret changes what u names, and makes a new revision if the content differs
// from the newest (section 12.3).
func (t *txn) updateSecret(s Secret, u SecretUpdate) error {
	old := s
	if u.Label != nil && *u.Label != s.Label {
		if *u.Label != "" && t.m.secretLabelled(s.Owner, *u.Label) != nil {
			return labelTaken(s.Owner, *u.Label)
		}
		s.Label = *u.Label
	}
	if u.Description != nil {
		s.Description = *u.Description
	}
	if u.Rotate != nil && *u.Rotate != s.Rotate {
		s.Rotate = *u.Rotate
		s.NextRotate = s.Rotate.After(t.now)
	}
	if u.AutoPrune != nil {
		s.AutoPrune = *u.AutoPrune
	}
	if len(u.Data) > 0 {
		if err := CheckSecretData(u.Data); err != nil {
			return err
		}
		if c := t.m.secretContents.get(revisionID(s.ID, s.Latest)); c == nil || !maps.Equal(c.Data, u.Data) {
			t.addRevision(&s, u.Data)
		}
	}
	expiring := t.expire(s, u)
	if s != old || expiring {
		s.Updated = t.now
		put(t, s)
	}
	t.settleRevision(s.ID, old.Latest)
	if s.AutoPrune && !old.AutoPrune {
		t.prune(s.ID)
	}
	return nil
}

func labelTaken(o SecretOwner, label string) error {
	if o.Kind == OwnerModel {
		return kith.Errorf(kith.Conflict, "secret with name %q already exists", label).WithHint("see 'kith secrets'")
	}
	return kith.Errorf(kith.Conflict, "secret with label %q already exists", label)
}

// addRevision gives s its next revision, without putting s.
func (t *txn) addRevision(s *Secret, data SecretData) {
	s.Numbered++
	s.Latest = s.Numbered
	put(t, SecretRevision{Secret: s.ID, Number: s.Latest, Rev: t.rev, Created: t.now, Updated: t.now})
	put(t, SecretContent{Secret: s.ID, Number: s.Latest, Data: maps.Clone(data)})
}

// expire sets when the newest revision expires; false if that was not asked for.
func (t *txn) expire(s Secret, u SecretUpdate) bool {
	row := t.m.SecretRevision(s.ID, s.Latest)
	if u.Expires == nil || row == nil || row.Expires.Equal(*u.Expires) {
		return false
	}
	r := *row
	r.Expires, r.ExpiryDue, r.Updated = *u.Expires, *u.Expires, t.now
	put(t, r)
	return true
}

// settleRevision brings up to date whether a revision is obsolete: neither the newest
// nor seen by anybody. Its owner is then told, or it goes by itself.
func (t *txn) settleRevision(id kith.SecretID, number int) {
	s, row := t.m.Secret(id), t.m.SecretRevision(id, number)
	if s == nil || row == nil {
		return
	}
	obsolete := number != s.Latest && !t.m.tracked(id, number)
	switch r := *row; {
	case obsolete && s.AutoPrune:
		t.dropRevision(id, number)
	case obsolete && r.Obsolete == 0:
		r.Obsolete = t.rev
		put(t, r)
	case !obsolete && r.Obsolete != 0:
		r.Obsolete, r.Told = 0, ""
		put(t, r)
	}
}

func (t *txn) dropRevision(id kith.SecretID, number int) {
	t.drop(Key{KindSecretRevision, revisionID(id, number)})
	t.drop(Key{KindSecretContent, revisionID(id, number)})
}

// prune lets go what nobody needs of a secret that has just been set to prune itself.
func (t *txn) prune(id kith.SecretID) {
	for _, r := range t.m.SecretRevisions(id) {
		t.settleRevision(id, r.Number)
	}
}

// manageSecret is what only the owner does.
func (t *txn) manageSecret(unit kith.UnitName, w SecretWrite) error {
	if w.Create == "" {
		old := t.m.Secret(w.ID).Latest
		if err := t.updateSecret(*t.m.Secret(w.ID), w.SecretUpdate); err != nil {
			return err
		}
		// The writer's own view moves along: it need not be told.
		if c := t.m.SecretConsumer(w.ID, unit); c != nil && t.m.Secret(w.ID).Latest != old {
			t.moveConsumer(*c, t.m.Secret(w.ID).Latest)
		}
	}
	for _, r := range w.Revokes {
		t.revoke(w.ID, r)
	}
	for _, g := range w.Grants {
		if err := t.grantOver(w.ID, unit, g); err != nil {
			return err
		}
	}
	if len(w.Revokes) > 0 {
		t.forgetConsumers(w.ID)
	}
	if w.Remove {
		t.removeSecret(w.ID)
		return nil
	}
	t.removeRevisions(w.ID, w.RemoveRevisions)
	return nil
}

// grantOver grants a secret over a relation to the application on its other side, or
// to a unit of it (section 12.7). A relation that has gone takes the grant with it.
func (t *txn) grantOver(id kith.SecretID, unit kith.UnitName, a SecretAccess) error {
	if a.Relation == nil {
		return kith.Errorf(kith.Invalid, "no relation id specified")
	}
	r := t.m.Relation(*a.Relation)
	if r == nil {
		return nil
	}
	if r.end(unit.App()) == nil {
		return kith.Errorf(kith.Forbidden, "permission denied").WithHint("%s is not a party to relation %d", unit.App(), r.ID)
	}
	subject := kith.UnitName(a.Subject)
	if remote := r.otherEnd(unit.App()).App; subject.App() != remote {
		return kith.Errorf(kith.Invalid, "cannot specify unit %q in relation to application %q", subject, remote)
	}
	isApp := !strings.Contains(a.Subject, "/")
	if !isApp && t.m.Unit(subject) == nil {
		return nil // it has gone
	}
	for g := range t.m.SecretGrants(id) {
		if g.Relation == nil || *g.Relation != *a.Relation || kith.UnitName(g.Subject).App() != subject.App() {
			continue
		}
		if isApp && strings.Contains(g.Subject, "/") {
			return UnitGrantsFirst()
		}
		if g.Subject == string(subject.App()) {
			return nil // all its units may already
		}
	}
	put(t, SecretGrant{Secret: id, Subject: a.Subject, Relation: a.Relation})
	return nil
}

// UnitGrantsFirst is the refusal to grant to an application what units of it were granted (section 12.7).
func UnitGrantsFirst() error {
	return kith.Errorf(kith.Conflict, "any unit level grants need to be revoked before granting access to the corresponding application")
}

// revoke takes back what was granted to an application, its units included, or to one
// unit; over one relation, or over all.
func (t *txn) revoke(id kith.SecretID, a SecretAccess) {
	for _, g := range slices.Collect(t.m.SecretGrants(id)) {
		subject := g.Subject == a.Subject || kith.AppName(a.Subject) == kith.UnitName(g.Subject).App()
		if subject && (a.Relation == nil || g.Relation != nil && *g.Relation == *a.Relation) {
			t.drop(g.Key())
		}
	}
}

// forgetConsumers drops what units remember of a secret they may no longer read. Nothing
// is announced to them; what only they saw becomes obsolete.
func (t *txn) forgetConsumers(id kith.SecretID) {
	s := t.m.Secret(id)
	for _, c := range slices.Collect(t.m.SecretConsumers(id)) {
		if !t.m.mayReadSecret(s, c.Unit) {
			t.dropConsumer(*c)
		}
	}
}

func (t *txn) dropConsumer(c SecretConsumer) {
	t.drop(c.Key())
	t.settleRevision(c.Secret, c.Revision)
	t.forgetSecretHook(c.Unit)
}

// moveConsumer lets a unit see another revision.
func (t *txn) moveConsumer(c SecretConsumer, to int) {
	from := c.Revision
	c.Revision = to
	put(t, c)
	t.settleRevision(c.Secret, to)
	t.settleRevision(c.Secret, from)
}

// trackSecret records which revision the unit has read, and what it calls the secret.
// A unit that may no longer read it has nothing to remember.
func (t *txn) trackSecret(unit kith.UnitName, w SecretWrite) error {
	s := t.m.Secret(w.ID)
	if s == nil || w.Track == 0 && w.TrackLabel == nil || !t.m.mayReadSecret(s, unit) {
		return nil
	}
	if w.Track > s.Numbered || w.Track < 0 {
		return kith.Errorf(kith.Invalid, "secret %q has no revision %d", w.ID, w.Track)
	}
	c := SecretConsumer{Secret: w.ID, Unit: unit, Revision: cmp.Or(w.Track, s.Latest)}
	row := t.m.SecretConsumer(w.ID, unit)
	if row != nil {
		c = *row
	}
	if w.TrackLabel != nil && *w.TrackLabel != c.Label {
		if other := t.m.consumed(unit, *w.TrackLabel); *w.TrackLabel != "" && other != nil {
			return labelTaken(UnitOwner(unit), *w.TrackLabel)
		}
		c.Label = *w.TrackLabel
	}
	to := c.Revision
	switch {
	case w.Track == 0:
	case len(w.Data) > 0: // who has written a revision knows it
		to = s.Latest
	case w.Track > to, t.m.SecretRevision(w.ID, to) == nil: // never back, unless what it sees was removed
		to = w.Track
	}
	if row == nil || c != *row || to != row.Revision {
		t.moveConsumer(c, to)
	}
	return nil
}

// removeRevisions removes some revisions; with the last one the secret goes. Numbers
// of revisions that are not there are passed over.
func (t *txn) removeRevisions(id kith.SecretID, numbers []int) {
	for _, n := range numbers {
		t.dropRevision(id, n)
	}
	if len(numbers) == 0 {
		return
	}
	left := t.m.SecretRevisions(id)
	if len(left) == 0 {
		t.removeSecret(id)
		return
	}
	s := *t.m.Secret(id)
	if newest := left[len(left)-1].Number; newest != s.Latest {
		s.Latest, s.Updated = newest, t.now
		put(t, s)
		t.settleRevision(id, newest)
	}
	t.forgetOwnersHooks(s.Owner)
}

// removeSecret removes a secret with everything about it.
func (t *txn) removeSecret(id kith.SecretID) {
	s := t.m.Secret(id)
	if s == nil {
		return
	}
	owner := s.Owner
	for _, g := range slices.Collect(t.m.SecretGrants(id)) {
		t.drop(g.Key())
	}
	consumers := slices.Collect(t.m.SecretConsumers(id))
	for _, c := range consumers {
		t.drop(c.Key())
	}
	for _, r := range t.m.SecretRevisions(id) {
		t.dropRevision(id, r.Number)
	}
	t.drop(Key{KindSecret, string(id)})
	for _, c := range consumers {
		t.forgetSecretHook(c.Unit)
	}
	t.forgetOwnersHooks(owner)
}

// endSecretsOf removes the secrets of an owner that leaves the model, and what was
// granted to it.
func (t *txn) endSecretsOf(o SecretOwner) {
	for _, id := range t.m.secretIndex.owned.under(ownerKey(o)) {
		t.removeSecret(kith.SecretID(id))
	}
	t.endGrants(t.m.secretIndex.bySubject.under(o.Name))
}

// endSecretsOver ends the grants that live by a relation (relations reference, section 2.3).
func (t *txn) endSecretsOver(id kith.RelationID) {
	t.endGrants(t.m.secretIndex.byRelation.under(id.String()))
}

func (t *txn) endGrants(grants []string) {
	var secrets []kith.SecretID
	for _, key := range grants {
		t.drop(Key{KindSecretGrant, key})
		id, _, _ := strings.Cut(key, "/")
		secrets = append(secrets, kith.SecretID(id))
	}
	for _, id := range slices.Compact(secrets) { // keys are sorted
		t.forgetConsumers(id)
	}
}

// endConsumer forgets what a unit that leaves the model has read.
func (t *txn) endConsumer(u kith.UnitName) {
	for _, id := range t.m.secretIndex.consumes.under(string(u)) {
		t.dropConsumer(*t.m.SecretConsumer(kith.SecretID(id), u))
	}
}

// forgetSecretHook clears a failed hook about a secret that is no longer the unit's
// business: it is skipped, as one about a relation that is gone.
func (t *txn) forgetSecretHook(u kith.UnitName) {
	p := t.m.Progress(u)
	if p == nil || p.Failed == nil || p.Failed.Hook.Secret == nil || !p.InError() || !t.m.secretHookIsMoot(u, p.Failed.Hook) {
		return
	}
	past := *p
	past.Failed = nil
	put(t, past)
}

// The delays after which a hook runs again that has not done what it was run for.
const (
	rotateRetry = 5 * time.Minute
	expireRetry = 5 * time.Minute
)

// advanceSecret is the bookkeeping of a secret hook that has run. Rotation and expiry come
// back until the charm has acted: made a new revision, removed the expired one.
func (t *txn) advanceSecret(unit kith.UnitName, h Hook) {
	id := h.Secret.ID
	s := t.m.Secret(id)
	if s == nil {
		return
	}
	switch h.Kind {
	case SecretChanged:
		if c := t.m.SecretConsumer(id, unit); c != nil && c.Told < h.Secret.Revision {
			told := *c
			told.Told = min(h.Secret.Revision, s.Numbered)
			put(t, told)
		}
	case SecretRemove:
		if r := t.m.SecretRevision(id, h.Secret.Revision); r != nil && r.Obsolete != 0 {
			told := *r
			told.Told = unit
			put(t, told)
		}
	case SecretExpired:
		if r := t.m.SecretRevision(id, h.Secret.Revision); r != nil && !r.ExpiryDue.IsZero() && !r.ExpiryDue.After(t.now) {
			again := *r
			again.ExpiryDue = t.now.Add(expireRetry)
			put(t, again)
		}
	case SecretRotate:
		t.rotated(*s, h.Secret.Revision)
	}
}

// rotated says when a secret is rotated next: one term after it was due this time, or
// soon if there is no newer revision than before the hook.
func (t *txn) rotated(s Secret, before int) {
	if s.NextRotate.IsZero() || s.NextRotate.After(t.now) {
		return // it was given another policy meanwhile
	}
	next := s.Rotate.After(s.NextRotate)
	switch {
	case s.Latest <= before:
		next = t.now.Add(rotateRetry)
	case !next.After(t.now): // the computer was asleep: terms that have passed are not made up for
		next = s.Rotate.After(t.now)
	}
	s.NextRotate = next
	put(t, s)
}

func (t *txn) forgetOwnersHooks(o SecretOwner) {
	switch o.Kind {
	case OwnerUnit:
		t.forgetSecretHook(kith.UnitName(o.Name))
	case OwnerApp:
		for _, u := range slices.Collect(t.m.UnitsOf(kith.AppName(o.Name))) {
			t.forgetSecretHook(u.Name)
		}
	case OwnerModel:
	}
}
