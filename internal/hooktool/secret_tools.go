package hooktool

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
)

func secretAdd(i *invocation) error {
	options := i.secretOptions()
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 && *options.file == "" {
		return usageError("missing secret value or filename")
	}
	u, owner, err := options.update(args)
	if err != nil {
		return err
	}
	if len(u.Data) == 0 {
		return kith.Errorf(kith.Invalid, emptySecret)
	}
	if err := i.run.mayManage(owner); err != nil {
		return err
	}
	if u.Label != nil {
		if err := i.run.labelIsFree("", owner, *u.Label); err != nil {
			return err
		}
	}
	id := i.run.host.NewSecretID()
	i.run.writeSecret(id).Create = owner
	i.run.updateSecret(id, u)
	i.stdout = fmt.Appendln(i.stdout, id.URI())
	return nil
}

func secretSet(i *invocation) error {
	options := i.secretOptions()
	args, err := i.parse()
	if err != nil {
		return err
	}
	id, args, err := secretID(args)
	if err != nil {
		return err
	}
	u, _, err := options.update(args) // --owner is taken and means nothing (section 12.3)
	if err != nil {
		return err
	}
	info, owned, err := i.run.ownSecret(id, "")
	if err != nil {
		return err
	}
	if owned {
		if err := i.run.mayManage(info.Owner.Kind); err != nil {
			return err
		}
		if u.Label != nil {
			if err := i.run.labelIsFree(id, info.Owner.Kind, *u.Label); err != nil {
				return err
			}
		}
	}
	if !u.Empty() && !i.run.removed(id) { // of one that is not known the commit will tell
		i.run.updateSecret(id, u)
	}
	return nil
}

func secretGet(i *invocation) error {
	var q core.SecretQuery
	label := i.text("LABEL", "find the secret by its label; with an id, what this unit will call it", "label")
	peek := i.boolean("the newest revision, without going on with it", "peek")
	refresh := i.boolean("the newest revision, and go on with it", "refresh")
	out := i.output("yaml", "json")
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) > 0 {
		if q.ID, err = parseSecretID(args[0]); err != nil {
			return err
		}
		args = args[1:]
	}
	switch {
	case q.ID == "" && *label == "":
		return usageError("require either a secret URI or label")
	case *peek && *refresh:
		return usageError("specify one of --peek or --refresh but not both")
	}
	q.Label, q.Peek, q.Refresh = *label, *peek, *refresh
	key, args := first(args)
	if err := noMore(args); err != nil {
		return err
	}
	data, keep, err := i.run.readSecret(q)
	if err != nil {
		return err
	}
	value, err := secretPart(data, key)
	if err != nil {
		return err
	}
	if err := out.print(value); err != nil {
		return err
	}
	keep()
	return nil
}

// secretPart is all of a content, or the value of one key; key#base64 is the value as it is stored.
func secretPart(data core.SecretData, key string) (any, error) {
	if key == "" {
		return data.Decoded(), nil
	}
	name, encoded := strings.CutSuffix(key, base64Suffix)
	value, ok := data[name]
	switch {
	case !ok:
		return nil, kith.Errorf(kith.NotFound, "secret key value %q not found", name)
	case encoded:
		return value, nil
	}
	return data.Decoded()[name], nil
}

// secretInfo is what secret-info-get prints (section 12.5).
type secretInfo struct {
	Revision    int            `yaml:"revision" json:"revision"`
	Label       string         `yaml:"label" json:"label"`
	Owner       string         `yaml:"owner" json:"owner"`
	Description string         `yaml:"description,omitempty" json:"description,omitempty"`
	Rotation    string         `yaml:"rotation" json:"rotation"`
	Expiry      *time.Time     `yaml:"expiry,omitempty" json:"expiry,omitempty"`
	Rotates     *time.Time     `yaml:"rotates,omitempty" json:"rotates,omitempty"`
	Access      []secretAccess `yaml:"access,omitempty" json:"access,omitempty"`
}

type secretAccess struct {
	Target string `yaml:"target" json:"target"`
	Scope  string `yaml:"scope" json:"scope"`
	Role   string `yaml:"role" json:"role"`
}

func secretInfoGet(i *invocation) error {
	label := i.text("LABEL", "find the secret by its label", "label")
	out := i.output("yaml", "json")
	args, err := i.parse()
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0 && *label == "":
		return usageError("require either a secret URI or label")
	case len(args) > 0 && *label != "":
		return usageError("specify either a secret URI or label but not both")
	}
	var id kith.SecretID
	if len(args) > 0 {
		if id, err = parseSecretID(args[0]); err != nil {
			return err
		}
		if err := noMore(args[1:]); err != nil {
			return err
		}
	}
	info, ok, err := i.run.ownSecret(id, *label)
	if err != nil {
		return err
	}
	if ok && info.Owner.Kind == core.OwnerApp {
		if ok, err = i.run.leads(); err != nil {
			return err
		}
	}
	if !ok {
		return core.SecretNotFound(string(id) + *label)
	}
	return out.print(map[string]secretInfo{string(info.ID): shownSecret(info)})
}

func shownSecret(info core.SecretInfo) secretInfo {
	s := secretInfo{Revision: info.Revision, Label: info.Label, Owner: string(info.Owner.Kind), Description: info.Description,
		Rotation: info.Rotate.String(), Expiry: shownTime(info.Expires), Rotates: shownTime(info.Rotates)}
	for n, g := range info.Access {
		s.Access = append(s.Access, secretAccess{Target: g.Tag(), Scope: core.RelationTag(info.Scopes[n]), Role: "view"})
	}
	return s
}

// shownTime is a time in whole seconds; nil for none.
func shownTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

func secretIDs(i *invocation) error {
	out := i.anyFormat()
	if err := i.parseOptionsOnly(); err != nil {
		return err
	}
	all, err := i.run.ownSecrets()
	if err != nil {
		return err
	}
	leads, err := i.run.leads()
	if err != nil {
		return err
	}
	var ids []string // nil prints as null
	for _, info := range all {
		if info.Owner.Kind != core.OwnerApp || leads {
			ids = append(ids, string(info.ID))
		}
	}
	return out.print(ids)
}

func secretGrant(i *invocation) error {
	rel := i.relation()
	unit := i.text("UNIT", "only this unit, not all of its application", "unit")
	args, err := i.parse()
	if err != nil {
		return err
	}
	id, args, err := secretID(args)
	if err != nil {
		return err
	}
	if _, err := kith.ParseUnitName(*unit); *unit != "" && err != nil {
		return usagef("unit %q not valid", *unit)
	}
	of, err := rel.required()
	if err != nil {
		return err
	}
	subject := string(of.RemoteApp)
	if *unit != "" {
		if kith.UnitName(*unit).App() != of.RemoteApp {
			return usagef("cannot specify unit %q in relation to application %q", *unit, of.RemoteApp)
		}
		subject = *unit
	}
	if err := noMore(args); err != nil {
		return err
	}
	info, err := i.run.managed(id)
	if err != nil {
		return err
	}
	return i.run.grant(info, core.SecretAccess{Subject: subject, Relation: &of.ID})
}

// grant buffers a grant. What the whole application may read, each of its units may
// already; the other way round the units' grants must go first (section 12.7).
func (r *Run) grant(info core.SecretInfo, a core.SecretAccess) error {
	app := string(kith.UnitName(a.Subject).App())
	for _, g := range info.Access {
		if g.Relation == nil || *g.Relation != *a.Relation || string(kith.UnitName(g.Subject).App()) != app {
			continue
		}
		if g.Subject == app || g.Subject == a.Subject {
			return nil
		}
		if a.Subject == app {
			return core.UnitGrantsFirst()
		}
	}
	w := r.writeSecret(info.ID)
	w.Grants = append(w.Grants, a)
	return nil
}

func secretRevoke(i *invocation) error {
	rel := i.relation()
	app := i.text("APPLICATION", "the application it was granted to", "app", "application")
	unit := i.text("UNIT", "the unit it was granted to", "unit")
	args, err := i.parse()
	if err != nil {
		return err
	}
	id, args, err := secretID(args)
	if err != nil {
		return err
	}
	_, badUnit := kith.ParseUnitName(*unit)
	switch {
	case *app != "" && !kith.ValidAppName(*app):
		return usagef("application %q not valid", *app)
	case *unit != "" && badUnit != nil:
		return usagef("unit %q not valid", *unit)
	case *app != "" && *unit != "":
		return usageError("specify only one of application or unit")
	case *app != "" && rel.given:
		return usageError("do not specify both relation and app")
	case *app == "" && *unit == "" && !rel.ok:
		return usageError("missing relation or application or unit")
	}
	a := core.SecretAccess{Subject: *app + *unit}
	if rel.ok && *app == "" {
		of, err := rel.required()
		if err != nil {
			return err
		}
		a.Relation = &of.ID
		if *unit == "" {
			a.Subject = string(of.RemoteApp)
		}
	}
	if err := noMore(args); err != nil {
		return err
	}
	if _, err := i.run.managed(id); err != nil {
		return err
	}
	i.run.revoke(id, a)
	return nil
}

// revoke buffers the end of grants, those of this hook included.
func (r *Run) revoke(id kith.SecretID, a core.SecretAccess) {
	w := r.writeSecret(id)
	w.Grants = slices.DeleteFunc(w.Grants, func(g core.SecretAccess) bool {
		return revokes(a, core.SecretGrant{Subject: g.Subject, Relation: g.Relation})
	})
	w.Revokes = append(w.Revokes, a)
}

func secretRemove(i *invocation) error {
	revision := 0
	i.options = append(i.options, &option{names: []string{"revision"}, arg: "N", help: "only this revision", set: func(value string) (err error) {
		n, err := strconv.ParseInt(value, 0, 32)
		revision = int(n)
		return err
	}})
	args, err := i.parse()
	if err != nil {
		return err
	}
	id, args, err := secretID(args)
	if err != nil {
		return err
	}
	if err := noMore(args); err != nil {
		return err
	}
	if _, err := i.run.managed(id); err != nil {
		return err
	}
	i.run.removeSecret(id, revision)
	return nil
}

// removeSecret buffers the removal of a revision, or of all of the secret. One that was made in this hook
// was never there.
func (r *Run) removeSecret(id kith.SecretID, revision int) {
	w := r.writeSecret(id)
	switch {
	case w.Create != "" && revision > 1:
	case w.Create != "":
		r.secretWrites = slices.DeleteFunc(r.secretWrites, func(o *core.SecretWrite) bool { return o == w })
	case revision != 0:
		if !slices.Contains(w.RemoveRevisions, revision) {
			w.RemoveRevisions = append(w.RemoveRevisions, revision)
		}
	default:
		*w = core.SecretWrite{ID: id, Remove: true}
	}
}
