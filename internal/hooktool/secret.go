package hooktool

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
)

// secretWrite is what was written about a secret so far; nil if nothing was.
func (r *Run) secretWrite(id kith.SecretID) *core.SecretWrite {
	for _, w := range r.secretWrites {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// writeSecret is the same, to be written to.
func (r *Run) writeSecret(id kith.SecretID) *core.SecretWrite {
	w := r.secretWrite(id)
	if w == nil {
		w = &core.SecretWrite{ID: id}
		r.secretWrites = append(r.secretWrites, w)
	}
	return w
}

// removed reports whether this hook has removed a secret that was there before.
func (r *Run) removed(id kith.SecretID) bool {
	w := r.secretWrite(id)
	return w != nil && w.Remove
}

// ownSecrets are the secrets of the unit and its application as they will be when the hook
// commits, in order of id.
func (r *Run) ownSecrets() ([]core.SecretInfo, error) {
	if r.owned == nil {
		owned, err := r.host.OwnedSecrets()
		if err != nil {
			return nil, err
		}
		if r.owned = owned; owned == nil {
			r.owned = []core.SecretInfo{}
		}
	}
	var all []core.SecretInfo
	for _, info := range r.owned {
		if !r.removed(info.ID) {
			all = append(all, r.overlaySecret(info))
		}
	}
	for _, w := range r.secretWrites {
		if w.Create == "" {
			continue
		}
		owner := core.UnitOwner(r.ctx.Unit)
		if w.Create == core.OwnerApp {
			owner = core.AppOwner(r.ctx.Unit.App())
		}
		all = append(all, r.overlaySecret(core.SecretInfo{ID: w.ID, Owner: owner, Revision: 1}))
	}
	slices.SortFunc(all, func(a, b core.SecretInfo) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all, nil
}

// overlaySecret lays what this hook wrote over what is known of a secret. The revision
// stays: whether there will be a new one is decided when the hook commits.
func (r *Run) overlaySecret(info core.SecretInfo) core.SecretInfo {
	w := r.secretWrite(info.ID)
	if w == nil {
		return info
	}
	if w.Label != nil {
		info.Label = *w.Label
	}
	if w.Description != nil {
		info.Description = *w.Description
	}
	if w.Rotate != nil && *w.Rotate != info.Rotate {
		info.Rotate, info.Rotates = *w.Rotate, w.Rotate.After(r.host.Now())
	}
	switch {
	case w.Expires != nil:
		info.Expires = *w.Expires
	case len(w.Data) > 0:
		info.Expires = time.Time{} // a new revision does not expire unless it is said to
	}
	kept := core.SecretInfo{}
	for n, g := range info.Access {
		if !slices.ContainsFunc(w.Revokes, func(a core.SecretAccess) bool { return revokes(a, g) }) {
			kept.Access, kept.Scopes = append(kept.Access, g), append(kept.Scopes, info.Scopes[n])
		}
	}
	for _, a := range w.Grants {
		g := core.SecretGrant{Secret: info.ID, Subject: a.Subject, Relation: a.Relation}
		if rel, err := r.relation(*a.Relation); err == nil && !slices.ContainsFunc(kept.Access, func(o core.SecretGrant) bool { return o.Key() == g.Key() }) {
			at, _ := slices.BinarySearchFunc(kept.Access, g, core.CompareGrants)
			kept.Access, kept.Scopes = slices.Insert(kept.Access, at, g), slices.Insert(kept.Scopes, at, rel.Key)
		}
	}
	info.Access, info.Scopes = kept.Access, kept.Scopes
	return info
}

// revokes reports whether taking back a ends g.
func revokes(a core.SecretAccess, g core.SecretGrant) bool {
	subject := a.Subject == g.Subject || a.Subject == string(kith.UnitName(g.Subject).App())
	return subject && (a.Relation == nil || g.Relation != nil && *a.Relation == *g.Relation)
}

// ownSecret finds a secret of the unit or its application, by id or else by label; with the same
// label the unit's own comes first.
func (r *Run) ownSecret(id kith.SecretID, label string) (found core.SecretInfo, ok bool, err error) {
	all, err := r.ownSecrets()
	if err != nil {
		return found, false, err
	}
	for _, info := range all {
		if id != "" && info.ID == id || id == "" && label != "" && info.Label == label && (!ok || info.Owner.Kind == core.OwnerUnit) {
			found, ok = info, true
		}
	}
	return found, ok, nil
}

// managed is a secret this unit may change. One of the application is the leader's
// (sections 12.3 to 12.8).
func (r *Run) managed(id kith.SecretID) (core.SecretInfo, error) {
	info, ok, err := r.ownSecret(id, "")
	if err != nil {
		return info, err
	}
	if !ok {
		return info, core.SecretNotFound(string(id))
	}
	return info, r.mayManage(info.Owner.Kind)
}

func (r *Run) mayManage(owner core.OwnerKind) error {
	if owner != core.OwnerApp {
		return nil
	}
	leads, err := r.leads()
	if err == nil && !leads {
		err = kith.Errorf(kith.Forbidden, "this unit is not the leader")
	}
	return err
}

// labelIsFree refuses an owner's label that is given already (section 12.2), if only until
// this hook commits: the commit takes one secret after the other.
func (r *Run) labelIsFree(id kith.SecretID, owner core.OwnerKind, label string) error {
	all, err := r.ownSecrets()
	if err != nil {
		return err
	}
	for _, info := range append(all, r.owned...) {
		if info.ID != id && info.Owner.Kind == owner && info.Label == label && !r.removed(info.ID) {
			return labelTaken(label)
		}
	}
	return nil
}

func labelTaken(label string) error {
	return kith.Errorf(kith.Conflict, "secret with label %q already exists", label)
}

// updateSecret buffers a change of a secret: there is at most one new revision in a hook.
func (r *Run) updateSecret(id kith.SecretID, u core.SecretUpdate) {
	w := r.writeSecret(id)
	w.Label = cmp.Or(u.Label, w.Label)
	w.Description = cmp.Or(u.Description, w.Description)
	w.Rotate = cmp.Or(u.Rotate, w.Rotate)
	w.Expires = cmp.Or(u.Expires, w.Expires)
	if len(u.Data) > 0 {
		w.Data = u.Data
	}
}

// readSecret is the content of a secret as a call in this hook sees it (section 12.4), and
// what is to be kept of having read it.
func (r *Run) readSecret(q core.SecretQuery) (data core.SecretData, keep func(), err error) {
	label := q.Label
	if q.ID == "" {
		label = "" // it is there to find the secret by
		if q, err = r.resolveLabel(q); err != nil {
			return nil, nil, err
		}
	}
	if w := r.secretWrite(q.ID); w != nil && w.Create != "" {
		if label == "" {
			return w.Data, func() {}, nil
		}
		return w.Data, func() { w.Label = &label }, r.labelIsFree(w.ID, w.Create, label)
	}
	if q.ID != "" && r.removed(q.ID) {
		return nil, nil, core.SecretNotFound(string(q.ID))
	}
	v, err := r.secretValue(q)
	if err != nil {
		return nil, nil, err
	}
	data = v.Data
	if w := r.secretWrite(v.ID); w != nil && len(w.Data) > 0 && v.Manages && (q.Refresh || q.Peek) {
		data = w.Data
	}
	relabel, err := r.relabel(v, label)
	if err != nil {
		return nil, nil, err
	}
	return data, func() {
		relabel()
		r.keepRead(v, q)
	}, nil
}

// resolveLabel finds the secret that has a label now: the unit's own, one it reads, or its
// application's, in that order, as core.ReadSecret does; which is asked as long as this hook has changed nothing.
func (r *Run) resolveLabel(q core.SecretQuery) (core.SecretQuery, error) {
	if len(r.secretWrites) == 0 {
		return q, nil
	}
	own, ok, err := r.ownSecret("", q.Label)
	if err != nil {
		return q, err
	}
	byID := func(id kith.SecretID) (core.SecretQuery, error) {
		return core.SecretQuery{ID: id, Refresh: q.Refresh, Peek: q.Peek}, nil
	}
	if ok && own.Owner.Kind == core.OwnerUnit {
		return byID(own.ID)
	}
	for _, w := range r.secretWrites {
		if w.TrackLabel != nil && *w.TrackLabel == q.Label {
			return byID(w.ID)
		}
	}
	v, err := r.host.Secret(core.SecretQuery{Label: q.Label, Reader: true, Peek: true})
	if w := r.secretWrite(v.ID); err == nil && (w == nil || w.TrackLabel == nil && !w.Remove) {
		return byID(v.ID)
	}
	if err != nil && kith.CodeOf(err) != kith.NotFound {
		return q, err
	}
	if ok {
		return byID(own.ID)
	}
	return q, kith.Errorf(kith.NotFound, "consumer label %q not found", q.Label)
}

// secretValue reads a secret. What a plain read returns holds to the end of the hook; a
// refresh moves it.
func (r *Run) secretValue(q core.SecretQuery) (core.SecretValue, error) {
	if v, ok := r.secrets[q.ID]; ok && !q.Refresh && !q.Peek && q.Label == "" {
		return v, nil
	}
	v, err := r.host.Secret(q)
	if err != nil {
		return v, err
	}
	if old, ok := r.secrets[v.ID]; ok && !q.Refresh && !q.Peek {
		return old, nil
	}
	return v, nil
}

// keepRead remembers that a secret was read: which revision the unit sees from now on.
func (r *Run) keepRead(v core.SecretValue, q core.SecretQuery) {
	_, before := r.secrets[v.ID]
	if q.Peek && (before || v.Tracked != 0) {
		return
	}
	put(&r.secrets, v.ID, v)
	if w := r.secretWrite(v.ID); v.Revision != v.Tracked || w != nil && w.Track != 0 {
		r.writeSecret(v.ID).Track = v.Revision
	}
}

// relabel checks that a secret can be given a label, and returns how. The owner's label
// is the secret's, a reader's its own.
func (r *Run) relabel(v core.SecretValue, label string) (func(), error) {
	w := r.secretWrite(v.ID)
	own, owners := v.Label, v.OwnerLabel
	if w != nil && w.TrackLabel != nil {
		own = *w.TrackLabel
	}
	if w != nil && w.Label != nil {
		owners = *w.Label
	}
	if label == "" || label == own {
		return func() {}, nil
	}
	info, isOwn, err := r.ownSecret(v.ID, "")
	if err != nil || isOwn && label == owners {
		return func() {}, err
	}
	if v.Manages {
		return func() { r.writeSecret(v.ID).Label = &label }, r.labelIsFree(v.ID, info.Owner.Kind, label)
	}
	for _, w := range r.secretWrites {
		if w.ID != v.ID && w.TrackLabel != nil && *w.TrackLabel == label {
			return nil, labelTaken(label)
		}
	}
	return func() { r.writeSecret(v.ID).TrackLabel = &label }, nil
}
