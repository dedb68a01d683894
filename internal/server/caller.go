package server

import (
	"context"

	"kith"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/core"
)

// caller is somebody known who asks: by a request, or from [Beside] the server. Its
// methods are what agents may ask for, whichever way they come.
type caller struct {
	s  *Server
	id controller.Identity
}

// model is the model that ref names. A unit can name none but its own, and that by its UUID.
func (c caller) model(ref string) (*controller.Model, error) {
	if c.id.Kind == core.ActorUnit && ref != string(c.id.Model) {
		return nil, forbidden(c.id)
	}
	m, err := c.s.opt.Controller.Model(ref)
	if err != nil {
		return nil, err
	}
	if c.id.Kind == core.ActorUnit && m.Snapshot().Unit(kith.UnitName(c.id.Name)) == nil {
		return nil, kith.Errorf(kith.Unauthenticated, "the credential is not valid: unit %q is gone", c.id.Name)
	}
	return m, nil
}

// unit is the model that ref names, if the caller may ask about u. A unit may about itself only.
func (c caller) unit(ref string, u kith.UnitName) (*controller.Model, error) {
	m, err := c.model(ref)
	if err == nil && c.id.Kind == core.ActorUnit && c.id.Name != string(u) {
		err = forbidden(c.id)
	}
	return m, err
}

// allowed refuses a command that is not for such as the caller.
func (c caller) allowed(cmd api.Command) error {
	if (cmd.Audience == api.ForUsers) != (c.id.Kind == core.ActorUser) {
		return forbidden(c.id)
	}
	return nil
}

func (c caller) goalState(ref string, u kith.UnitName) (api.GoalState, error) {
	m, err := c.unit(ref, u)
	if err != nil {
		return api.GoalState{}, err
	}
	g, ok := api.GoalStateOf(m.Snapshot(), u)
	if !ok {
		return api.GoalState{}, unitNotFound(u)
	}
	return g, nil
}

func (c caller) unitLive(ref string, u kith.UnitName, units bool) (api.UnitLive, error) {
	m, err := c.unit(ref, u)
	if err != nil {
		return api.UnitLive{}, err
	}
	live, ok := m.Live(u, units)
	if !ok {
		return api.UnitLive{}, unitNotFound(u)
	}
	return live, nil
}

func unitNotFound(u kith.UnitName) error { return kith.Errorf(kith.NotFound, "unit %q not found", u) }

func (c caller) bag(ref string, id kith.RelationID, owner string) (api.BagReply, error) {
	m, err := c.model(ref)
	if err != nil {
		return api.BagReply{}, err
	}
	snapshot := m.Snapshot()
	data, err := core.ReadBag(snapshot, c.id.Actor, id, owner)
	if err != nil {
		return api.BagReply{}, err
	}
	reply := api.BagReply{Relation: id, Owner: owner, Data: data}
	if b := snapshot.Bag(id, owner); b != nil {
		reply.Version, reply.Rev = b.Version, b.Rev
	}
	return reply, nil
}

// unitSecret answers with content. What a unit may read is core's to say.
func (c caller) unitSecret(ref string, u kith.UnitName, q core.SecretQuery) (core.SecretValue, error) {
	m, err := c.unit(ref, u)
	if err != nil {
		return core.SecretValue{}, err
	}
	return m.Secret(u, q)
}

func (c caller) unitSecrets(ref string, u kith.UnitName) ([]core.SecretInfo, error) {
	m, err := c.unit(ref, u)
	if err != nil {
		return nil, err
	}
	owned := core.OwnedSecrets(m.Snapshot(), u)
	if owned == nil {
		owned = []core.SecretInfo{}
	}
	return owned, nil
}

// appendLogs adds records to a model's log. A unit may add its own only.
func (c caller) appendLogs(ref string, records []api.LogRecord) error {
	m, err := c.model(ref)
	if err != nil {
		return err
	}
	if c.id.Kind == core.ActorUnit {
		for _, rec := range records {
			if rec.Entity != api.UnitTag(kith.UnitName(c.id.Name)) {
				return forbidden(c.id)
			}
		}
	}
	log, err := c.s.opt.Logs.Model(m.ID)
	if err != nil {
		return err
	}
	return log.Append(records)
}

// connect begins the session of a host's agent, in the life named epoch; the caller ends it.
func (c caller) connect(ctx context.Context, host, epoch string) (*controller.Session, api.HostUnits, error) {
	if c.id.Name != host {
		return nil, api.HostUnits{}, forbidden(c.id)
	}
	if epoch == "" {
		return nil, api.HostUnits{}, kith.Errorf(kith.Invalid, "cannot connect host %q: no epoch was given", host)
	}
	return c.s.opt.Controller.Connect(ctx, host, epoch)
}
