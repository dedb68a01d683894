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
	// Verdicts is what contracts say of the databags that a hook has changed.
	Verdicts []core.BagVerdict `json:"verdicts,omitempty"`
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

// Command is one row of the table of commands.
type Command struct {
	Name     string
	Audience Audience
	Summary  string
	Body     core.Op // the zero value of its JSON
	decode   func([]byte) (core.Op, error)
}

// commands lists what can be posted. create-model has a route of its own, since
// the controller draws the UUID; elect, tick, renew-leases and the bookkeeping of
// scopes are the controller's.
var commands = []Command{
	{"destroy-model", ForUsers, "Destroys the model and everything in it.", core.DestroyModel{}, op[core.DestroyModel]},
	{"add-charm", ForUsers, "Makes an uploaded charm known to the model.", core.AddCharm{}, op[core.AddCharm]},
	{"deploy", ForUsers, "Makes an application and its first units.", core.Deploy{}, op[core.Deploy]},
	{"add-unit", ForUsers, "Adds units to an application.", core.AddUnits{}, op[core.AddUnits]},
	{"remove-unit", ForUsers, "Removes units.", core.RemoveUnits{}, op[core.RemoveUnits]},
	{"remove-application", ForUsers, "Removes applications.", core.RemoveApps{}, op[core.RemoveApps]},
	{"integrate", ForUsers, "Relates two applications.", core.Integrate{}, op[core.Integrate]},
	{"remove-relation", ForUsers, "Removes a relation.", core.RemoveRelation{}, op[core.RemoveRelation]},
	{"suspend-relation", ForUsers, "Suspends relations.", core.Suspend{}, suspend(false)},
	{"resume-relation", ForUsers, "Resumes suspended relations.", core.Suspend{}, suspend(true)},
	{"config", ForUsers, "Changes an application's configuration.", core.SetConfig{}, op[core.SetConfig]},
	{"expose", ForUsers, "Notes that an application may be reached from outside.", core.Expose{}, expose(false)},
	{"unexpose", ForUsers, "Takes that back.", core.Expose{}, expose(true)},
	{"model-config", ForUsers, "Changes the model's options.", core.SetModelConfig{}, op[core.SetModelConfig]},
	{"refresh", ForUsers, "Gives an application another charm.", core.Refresh{}, op[core.Refresh]},
	{"resolved", ForUsers, "Retries a failed hook, or counts it as run.", core.Resolved{}, op[core.Resolved]},
	{"run", ForUsers, "Queues an action for units.", core.RunAction{}, op[core.RunAction]},
	{"exec", ForUsers, "Queues a shell command for units and machines.", core.RunCommand{}, op[core.RunCommand]},
	{"cancel-task", ForUsers, "Cancels tasks that wait, and aborts those that run.", core.CancelTasks{}, op[core.CancelTasks]},
	{"add-contract", ForUsers, "Tells the model what an interface means.", core.AddContract{}, op[core.AddContract]},
	{"remove-contract", ForUsers, "Removes a contract.", core.RemoveContract{}, op[core.RemoveContract]},
	{"contract-mode", ForUsers, "Says what contracts do in the model, or at an endpoint.", core.SetContractMode{}, op[core.SetContractMode]},
	{"add-secret", ForUsers, "Makes a secret of the model.", core.AddSecret{}, op[core.AddSecret]},
	{"update-secret", ForUsers, "Changes a secret of the model.", core.UpdateSecret{}, op[core.UpdateSecret]},
	{"grant-secret", ForUsers, "Lets applications read a secret of the model.", core.GrantSecret{}, share(false)},
	{"revoke-secret", ForUsers, "Takes back what grant-secret has given.", core.GrantSecret{}, share(true)},
	{"remove-secret", ForUsers, "Removes a secret of the model, or one revision.", core.RemoveSecret{}, op[core.RemoveSecret]},
	{"attach-resource", ForUsers, "Gives an application a file for one of its charm's resources.", core.AttachResource{}, op[core.AttachResource]},
	{"add-storage", ForUsers, "Adds storage to a unit.", core.AddStorage{}, op[core.AddStorage]},
	{"attach-storage", ForUsers, "Hands storage that nobody has to a unit.", core.AttachStorage{}, op[core.AttachStorage]},
	{"detach-storage", ForUsers, "Has a unit give a storage back.", core.DetachStorage{}, op[core.DetachStorage]},
	{"remove-storage", ForUsers, "Removes a storage.", core.RemoveStorage{}, op[core.RemoveStorage]},
	{"storage-wiped", ForHosts, "Says that the data of dead storage is deleted.", core.StorageWiped{}, op[core.StorageWiped]},
	{"unit-hello", ForHosts, "Says that the agent has taken a unit up.", core.UnitHello{}, op[core.UnitHello]},
	{"begin-hook", ForHosts, "Says that a hook is being run.", core.BeginHook{}, op[core.BeginHook]},
	{"commit-hook", ForHosts, "Commits a hook that has run, with everything it wrote.", core.CommitHook{}, op[core.CommitHook]},
	{"fail-hook", ForHosts, "Says that a hook has failed; nothing it wrote is kept.", core.FailHook{}, op[core.FailHook]},
	{"begin-task", ForHosts, "Says that a task will now be run.", core.BeginTask{}, op[core.BeginTask]},
	{"finish-task", ForHosts, "Says how a task has ended, with everything it wrote.", core.FinishTask{}, op[core.FinishTask]},
	{"action-log", ForHosts, "Adds a message to the log of a running action.", core.LogTask{}, op[core.LogTask]},
	{"status-set", ForHosts, "Sets the workload status of a unit, or of its application.", core.SetStatus{}, op[core.SetStatus]},
	{"application-version-set", ForHosts, "Sets the version shown for the application.", core.SetWorkloadVersion{}, op[core.SetWorkloadVersion]},
	{"leader-set", ForHosts, "Changes the application's leader settings.", core.SetLeaderSettings{}, op[core.SetLeaderSettings]},
}

// Commands lists what can be posted.
func Commands() []Command { return slices.Clone(commands) }

// CommandNamed finds a command that can be posted. Errors: NotFound.
func CommandNamed(name string) (Command, error) {
	i := slices.IndexFunc(commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, kith.Errorf(kith.NotFound, "command %q not found", name)
	}
	return commands[i], nil
}

// Decode reads the command's body. Errors: Invalid if it is not its JSON.
func (c Command) Decode(body []byte) (core.Op, error) {
	o, err := c.decode(body)
	if err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read command %q: %v", c.Name, err)
	}
	return o, nil
}

// DecodeOp is CommandNamed and Decode at once.
func DecodeOp(name string, body []byte) (core.Op, Audience, error) {
	c, err := CommandNamed(name)
	if err != nil {
		return nil, 0, err
	}
	o, err := c.Decode(body)
	return o, c.Audience, err
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

// share reads a grant; the name in the path says which way it goes.
func share(revoke bool) func([]byte) (core.Op, error) {
	return func(body []byte) (core.Op, error) {
		o, err := op[core.GrantSecret](body)
		if err != nil {
			return nil, err
		}
		g := o.(core.GrantSecret)
		g.Revoke = revoke
		return g, nil
	}
}

// expose reads an exposure; the name in the path says which way it goes.
func expose(remove bool) func([]byte) (core.Op, error) {
	return func(body []byte) (core.Op, error) {
		o, err := op[core.Expose](body)
		if err != nil {
			return nil, err
		}
		e := o.(core.Expose)
		e.Remove = remove
		return e, nil
	}
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
