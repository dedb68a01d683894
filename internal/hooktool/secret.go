package hooktool

import (
	"cmp"
	"slices"
	"strings"

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
	if w.Expires != nil {
		info.Expires = *w.Expires
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
			kept.Access, kept.Scopes = append(kept.Access, g), append(kept.Scopes, rel.Key)
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

// ownSecret finds a secret of the unit or its application, by id or else by label.
func (r *Run) ownSecret(id kith.SecretID, label string) (core.SecretInfo, bool, error) {
	all, err := r.ownSecrets()
	if err != nil {
		return core.SecretInfo{}, false, err
	}
	for _, info := range all {
		if id != "" && info.ID == id || id == "" && label != "" && info.Label == label {
			return info, true, nil
		}
	}
	return core.SecretInfo{}, false, nil
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

// labelIsFree refuses an owner's label that is given already (section 12.2).
func (r *Run) labelIsFree(id kith.SecretID, owner core.OwnerKind, label string) error {
	all, err := r.ownSecrets()
	if err != nil {
		return err
	}
	for _, info := range all {
		if info.ID != id && info.Owner.Kind == owner && info.Label == label && label != "" {
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
	if w := r.newSecret(q); w != nil {
		if q.ID != "" && q.Label != "" {
			if err := r.labelIsFree(w.ID, w.Create, q.Label); err != nil {
				return nil, nil, err
			}
			return w.Data, func() { w.Label = &q.Label }, nil
		}
		return w.Data, func() {}, nil
	}
	label := ""
	if q.ID != "" {
		label = q.Label
	} else if id := r.relabelled(q.Label); id != "" {
		q.ID, q.Label = id, ""
	}
	if q.ID != "" && r.removed(q.ID) {
		return nil, nil, core.SecretNotFound(string(q.ID))
	}
	v, err := r.secretValue(q)
	if err != nil {
		return nil, nil, err
	}
	if r.removed(v.ID) || q.ID == "" && r.renamed(v, q.Label) {
		return nil, nil, kith.Errorf(kith.NotFound, "consumer label %q not found", q.Label)
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

// newSecret is what this hook has made and is asked for; nil if it has made nothing of the kind.
func (r *Run) newSecret(q core.SecretQuery) *core.SecretWrite {
	for _, w := range r.secretWrites {
		if w.Create != "" && (w.ID == q.ID || q.ID == "" && w.Label != nil && *w.Label == q.Label) {
			return w
		}
	}
	return nil
}

// relabelled is the secret that this hook has given a label; empty if none.
func (r *Run) relabelled(label string) kith.SecretID {
	for _, w := range r.secretWrites {
		if w.Label != nil && *w.Label == label || w.TrackLabel != nil && *w.TrackLabel == label {
			return w.ID
		}
	}
	return ""
}

// renamed reports whether the label a secret was found by is not its own any more.
func (r *Run) renamed(v core.SecretValue, label string) bool {
	w := r.secretWrite(v.ID)
	return w != nil && (v.OwnerLabel == label && w.Label != nil || v.OwnerLabel != label && w.TrackLabel != nil)
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
	r.secrets[v.ID] = v
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
	if other := r.relabelled(label); other != "" && other != v.ID || r.newSecret(core.SecretQuery{Label: label}) != nil {
		return nil, labelTaken(label)
	}
	return func() { r.writeSecret(v.ID).TrackLabel = &label }, nil
}
