package api

import (
	"bytes"
	"encoding/json"
	"slices"

	"kith"
	"kith/internal/core"
)

// CommandReply answers a command that is durable.
type CommandReply struct {
	// Revision is the model's revision once the command was applied.
	Revision uint64 `json:"revision"`
	// Unchanged is true if the command had nothing to change, a repeated one for instance.
	Unchanged bool `json:"unchanged,omitempty"`
	// Created, Changed and Removed name the entities people think in: applications,
	// units, machines, relations, charms. They are left out for hooks.
	Created []Ref `json:"created,omitempty"`
	Changed []Ref `json:"changed,omitempty"`
	Removed []Ref `json:"removed,omitempty"`
}

// Ref names an entity. Name is how people call it where that is not the ID: a
// relation's key, a charm's URL.
type Ref struct {
	Kind core.Kind `json:"kind"`
	ID   string    `json:"id"`
	Name string    `json:"name,omitempty"`
}

// Units are the units among refs.
func Units(refs []Ref) []kith.UnitName {
	var units []kith.UnitName
	for _, r := range refs {
		if r.Kind == core.KindUnit {
			units = append(units, kith.UnitName(r.ID))
		}
	}
	return units
}

// Audience says who may send a command over the API. core refuses what an
// actor may not do; this only keeps the controller's own commands inside.
type Audience int

// The audiences.
const (
	ForUsers Audience = iota
	ForHosts          // a host's agent, or a unit for itself
)

// command is one row of the table of commands.
type command struct {
	name     string
	audience Audience
	decode   func([]byte) (core.Op, error)
}

// commands lists what can be posted. create-model has a route of its own, since
// the controller draws the UUID; elect, tick, renew-leases and the bookkeeping of
// scopes are the controller's.
var commands = []command{
	{"destroy-model", ForUsers, op[core.DestroyModel]},
	{"add-charm", ForUsers, op[core.AddCharm]},
	{"deploy", ForUsers, op[core.Deploy]},
	{"add-unit", ForUsers, op[core.AddUnits]},
	{"remove-unit", ForUsers, op[core.RemoveUnits]},
	{"remove-application", ForUsers, op[core.RemoveApps]},
	{"integrate", ForUsers, op[core.Integrate]},
	{"remove-relation", ForUsers, op[core.RemoveRelation]},
	{"suspend-relation", ForUsers, suspend(false)},
	{"resume-relation", ForUsers, suspend(true)},
	{"config", ForUsers, op[core.SetConfig]},
	{"model-config", ForUsers, op[core.SetModelConfig]},
	{"refresh", ForUsers, op[core.Refresh]},
	{"resolved", ForUsers, op[core.Resolved]},
	{"unit-hello", ForHosts, op[core.UnitHello]},
	{"begin-hook", ForHosts, op[core.BeginHook]},
	{"commit-hook", ForHosts, op[core.CommitHook]},
	{"fail-hook", ForHosts, op[core.FailHook]},
	{"status-set", ForHosts, op[core.SetStatus]},
	{"application-version-set", ForHosts, op[core.SetWorkloadVersion]},
	{"leader-set", ForHosts, op[core.SetLeaderSettings]},
}

// DecodeOp reads a posted command. Errors: NotFound for a name that cannot be
// posted, Invalid for a body that is not its JSON.
func DecodeOp(name string, body []byte) (core.Op, Audience, error) {
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		return nil, 0, kith.Errorf(kith.NotFound, "command %q not found", name)
	}
	o, err := commands[i].decode(body)
	if err != nil {
		return nil, 0, kith.Errorf(kith.Invalid, "cannot read command %q: %v", name, err)
	}
	return o, commands[i].audience, nil
}

// CommandNames lists what can be posted, in the order of the table.
func CommandNames() []string {
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.name
	}
	return names
}

func op[T core.Op](body []byte) (core.Op, error) {
	var o T
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields() // a misspelt field must not be silently without effect
	if err := d.Decode(&o); err != nil {
		return nil, err
	}
	return o, nil
}

// suspend reads a suspension; the name in the path says which way it goes.
func suspend(resume bool) func([]byte) (core.Op, error) {
	return func(body []byte) (core.Op, error) {
		o, err := op[core.Suspend](body)
		if err != nil {
			return nil, err
		}
		s := o.(core.Suspend)
		s.Resume = resume
		return s, nil
	}
}
