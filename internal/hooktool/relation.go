package hooktool

import (
	"errors"
	"slices"

	"kith"
	"kith/internal/core"
)

// relation is the relation with that number, if the unit is in it.
func (r *Run) relation(id kith.RelationID) (*core.RelationContext, error) {
	i, ok := slices.BinarySearchFunc(r.ctx.Relations, id, func(c *core.RelationContext, id kith.RelationID) int { return int(c.ID) - int(id) })
	if !ok {
		return nil, errNoRelation
	}
	return r.ctx.Relations[i], nil
}

// errNotLeaderWrites is what a unit that does not lead gets for its application's settings.
var errNotLeaderWrites = kith.Errorf(kith.Forbidden, "cannot write relation settings")

// errNoRelation has the words that ops looks for.
var errNoRelation = kith.Errorf(kith.NotFound, "relation not found")

// relationOption is the option --relation, which defaults to the hook's relation.
type relationOption struct {
	run   *Run
	id    kith.RelationID
	ok    bool // there is one: the hook's, or the one that was given
	given bool
}

func (i *invocation) relation() *relationOption {
	o := &relationOption{run: i.run}
	if h := i.run.hook.Relation; h != nil {
		o.id, o.ok = h.ID, true
	}
	i.options = append(i.options, &option{
		names: []string{"r", "relation"}, arg: "ID", help: "the relation, if not that of the running hook",
		set: func(value string) error {
			id, ok := parseRelationID(value)
			if !ok {
				return errors.New("invalid relation id")
			}
			if _, err := i.run.relation(id); err != nil {
				return err
			}
			o.id, o.ok, o.given = id, true, true
			return nil
		},
	})
	return o
}

// required is the relation the call is about.
func (o *relationOption) required() (*core.RelationContext, error) {
	if !o.ok {
		return nil, usageError("no relation id specified")
	}
	return o.run.relation(o.id)
}

// about reports whether the running hook is about the relation.
func (r *Run) about(id kith.RelationID) bool {
	return r.hook.Relation != nil && r.hook.Relation.ID == id
}

func relationGet(i *invocation) error {
	app := i.boolean("the application's settings instead of the unit's", "app")
	rel := i.relation()
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	of, err := rel.required()
	if err != nil {
		return err
	}
	key, args := first(args)
	name, args := first(args)
	if err := noMore(args); err != nil {
		return err
	}
	owner, err := i.run.target(name, *app)
	if err != nil {
		return err
	}
	data, err := i.run.readBag(of.ID, owner)
	if err != nil {
		return err
	}
	if key == "" || key == "-" {
		if data == nil {
			data = map[string]string{} // which prints as {}
		}
		return out.print(data)
	}
	if value, ok := data[key]; ok {
		return out.print(value)
	}
	return out.print(nil)
}

// target is whose bag relation-get reads (the table of section 7.2).
func (r *Run) target(name string, app bool) (owner string, err error) {
	unit, notUnit := kith.ParseUnitName(name)
	switch {
	case name == "":
		return r.defaultTarget(app)
	case app && notUnit == nil:
		return string(unit.App()), nil
	case app || notUnit == nil:
		return name, nil
	case kith.ValidAppName(name):
		return "", usagef("expected unit name, got application name %q", name)
	}
	return "", usagef("invalid unit name %q", name)
}

// defaultTarget is the remote side of the hook, where there is one: also when
// -r names another relation, as in Juju.
func (r *Run) defaultTarget(app bool) (string, error) {
	h := r.hook.Relation
	switch {
	case h == nil:
	case h.RemoteUnit != "" && !app:
		return string(h.RemoteUnit), nil
	case h.RemoteApp != "":
		return string(h.RemoteApp), nil
	}
	return "", usageError("no unit or application specified")
}

func relationSet(i *invocation) error {
	rel := i.relation()
	app := i.boolean("write the application's settings instead of the unit's", "app")
	settings := i.settings()
	warn := i.ignoreFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	of, err := rel.required()
	if err != nil {
		return err
	}
	set, err := keyValues(args)
	if err != nil {
		return err
	}
	warn()
	if set, err = settings(set); err != nil {
		return err
	}
	return i.run.RelationSet(of.ID, *app, set)
}

func relationIDs(i *invocation) error {
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	var endpoint kith.EndpointName
	if h := i.run.hook.Relation; h != nil {
		endpoint = h.Endpoint
	}
	if len(args) > 0 {
		endpoint, args = kith.EndpointName(args[0]), args[1:]
	}
	if endpoint == "" {
		return usageError("no endpoint name specified")
	}
	if err := noMore(args); err != nil {
		return err
	}
	ids := []string{}
	for _, id := range i.run.RelationIDs(endpoint) {
		ids = append(ids, string(endpoint)+":"+id.String())
	}
	slices.Sort(ids) // as strings: db:10 comes before db:2
	return out.print(ids)
}

// breaking reports whether the relation's broken hook is the one running: it is then
// left out of relation-ids (relations reference, section 12).
func (r *Run) breaking(id kith.RelationID) bool {
	return r.about(id) && r.hook.Kind == core.RelationBroken
}

func relationList(i *invocation) error {
	rel := i.relation()
	app := i.boolean("print the remote application instead of its units", "app")
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	of, err := rel.required()
	if err != nil {
		return err
	}
	if err := noMore(args); err != nil {
		return err
	}
	if *app {
		return out.print(string(of.RemoteApp))
	}
	names := []string{}
	for _, u := range i.run.members(of) {
		names = append(names, string(u))
	}
	return out.print(names)
}

// members are the remote units this unit has been told of, the one whose joined hook
// is running included, the one whose departed hook is running left out (relations
// reference, section 5.6).
func (r *Run) members(of *core.RelationContext) []kith.UnitName {
	units := make([]kith.UnitName, len(of.Members), len(of.Members)+1)
	copy(units, of.Members)
	if h := r.hook.Relation; r.about(of.ID) && h.RemoteUnit != "" {
		switch {
		case r.hook.Kind == core.RelationDeparted:
			units = slices.DeleteFunc(units, func(u kith.UnitName) bool { return u == h.RemoteUnit })
		case r.hook.Kind == core.RelationJoined && !slices.Contains(units, h.RemoteUnit):
			units = append(units, h.RemoteUnit)
		}
	}
	slices.Sort(units)
	return units
}

func relationModelGet(i *invocation) error {
	rel := i.relation()
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	if _, err := rel.required(); err != nil {
		return err
	}
	if err := noMore(args); err != nil {
		return err
	}
	// There are no relations across models yet, so the other side is in this one.
	return out.print(map[string]string{"uuid": string(i.run.ctx.Model)})
}
