package controller

import (
	"strconv"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// summarize tells an operator what a command did to the things people think in.
// What the command removed can be looked up in before only; before may lack what
// other commands of the same batch made, which then counts as created here too
// only if this command touched it.
func summarize(reply *api.CommandReply, before, after *core.Model, changes []core.Change) {
	for _, c := range changes {
		was, is := refOf(before, c.Key), refOf(after, c.Key)
		switch {
		case is != nil && was == nil:
			reply.Created = append(reply.Created, *is)
		case is != nil:
			reply.Changed = append(reply.Changed, *is)
		case was != nil:
			reply.Removed = append(reply.Removed, *was)
		}
	}
}

// refOf names an entity for people; nil if it does not exist, or is none of their business.
func refOf(m *core.Model, k core.Key) *api.Ref {
	ref := &api.Ref{Kind: k.Kind, ID: k.ID}
	exists := false
	switch k.Kind {
	case core.KindModel:
		info := m.Info()
		if exists = info != nil; exists {
			ref.ID, ref.Name = string(info.UUID), info.Name
		}
	case core.KindCharm:
		c := m.Charm(k.ID)
		if exists = c != nil; exists {
			ref.Name = c.URL
		}
	case core.KindApp:
		exists = m.App(kith.AppName(k.ID)) != nil
	case core.KindUnit:
		exists = m.Unit(kith.UnitName(k.ID)) != nil
	case core.KindSecret:
		s := m.Secret(kith.SecretID(k.ID))
		if exists = s != nil; exists {
			ref.Name = s.Label
		}
	case core.KindContract:
		t := m.Contract(k.ID)
		if exists = t != nil && !t.Shipped; exists {
			ref.Name = t.Interface
		}
	case core.KindStorage:
		s := m.Storage(kith.StorageID(k.ID))
		if exists = s != nil; exists {
			ref.Name = string(s.Unit)
		}
	case core.KindMachine:
		for mc := range m.Machines() {
			exists = exists || string(mc.ID) == k.ID
		}
	case core.KindRelation:
		id, _ := relationID(k.ID)
		r := m.Relation(id)
		if exists = r != nil; exists {
			ref.Name = r.RelationKey()
		}
	case core.KindOperation:
		n, err := strconv.Atoi(k.ID)
		exists = err == nil && m.Operation(kith.OperationID(n)) != nil
	case core.KindTask:
		t := m.TaskWithID(k.ID)
		if exists = t != nil; exists {
			ref.Name = string(t.Unit)
		}
	}
	if !exists {
		return nil
	}
	return ref
}
