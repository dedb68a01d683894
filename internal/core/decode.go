package core

import (
	"encoding/json"

	"kith"
)

// Decode reads an entity back from its stored form. An unknown kind or a
// malformed value is an error: start-up stops, nothing is skipped. Errors: Internal.
func Decode(kind Kind, id string, data []byte) (Entity, error) {
	switch kind {
	case KindModel:
		return decode[ModelInfo](kind, id, data)
	case KindCharm:
		return decode[CharmInfo](kind, id, data)
	case KindApp:
		return decode[App](kind, id, data)
	case KindUnit:
		return decode[Unit](kind, id, data)
	case KindMachine:
		return decode[Machine](kind, id, data)
	case KindHost:
		return decode[Host](kind, id, data)
	case KindRelation:
		return decode[Relation](kind, id, data)
	case KindMember:
		return decode[Member](kind, id, data)
	case KindSeen:
		return decode[Seen](kind, id, data)
	case KindBag:
		return decode[Bag](kind, id, data)
	case KindLease:
		return decode[Lease](kind, id, data)
	case KindProgress:
		return decode[Progress](kind, id, data)
	case KindState:
		return decode[State](kind, id, data)
	case KindOperation:
		return decode[Operation](kind, id, data)
	case KindTask:
		return decode[Task](kind, id, data)
	case KindTaskLog:
		return decode[TaskLog](kind, id, data)
	case KindStorage:
		return decode[Storage](kind, id, data)
	case KindContract:
		return decode[Contract](kind, id, data)
	case KindSecret:
		return decode[Secret](kind, id, data)
	case KindSecretRevision:
		return decode[SecretRevision](kind, id, data)
	case KindSecretContent:
		return decode[SecretContent](kind, id, data)
	case KindSecretGrant:
		return decode[SecretGrant](kind, id, data)
	case KindSecretConsumer:
		return decode[SecretConsumer](kind, id, data)
	}
	return nil, kith.Errorf(kith.Internal, "cannot read stored entity %q: unknown kind %q", id, kind).
		WithHint("the data was written by a newer kith; start that one")
}

func decode[T any, P rowOf[T]](kind Kind, id string, data []byte) (Entity, error) {
	e := P(new(T))
	if err := json.Unmarshal(data, e); err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot read stored %s %q: %v", kind, id, err).
			WithHint("the store is damaged; restore it from a backup")
	}
	if e.Key() != (Key{kind, id}) {
		return nil, kith.Errorf(kith.Internal, "cannot read stored %s %q: it says it is %q", kind, id, e.Key().ID).
			WithHint("the store is damaged; restore it from a backup")
	}
	return e, nil
}

// lookup is the entity with a key, or nil.
func (m *Model) lookup(k Key) Entity {
	switch k.Kind {
	case KindModel:
		return entity(m.info.get(k.ID))
	case KindCharm:
		return entity(m.charms.get(k.ID))
	case KindApp:
		return entity(m.apps.get(k.ID))
	case KindUnit:
		return entity(m.units.get(k.ID))
	case KindMachine:
		return entity(m.machines.get(k.ID))
	case KindHost:
		return entity(m.hosts.get(k.ID))
	case KindRelation:
		return entity(m.relations.get(k.ID))
	case KindMember:
		return entity(m.members.get(k.ID))
	case KindSeen:
		return entity(m.seen.get(k.ID))
	case KindBag:
		return entity(m.bags.get(k.ID))
	case KindLease:
		return entity(m.leases.get(k.ID))
	case KindProgress:
		return entity(m.progress.get(k.ID))
	case KindState:
		return entity(m.states.get(k.ID))
	case KindOperation:
		return entity(m.operations.get(k.ID))
	case KindTask:
		return entity(m.tasks.get(k.ID))
	case KindTaskLog:
		return entity(m.taskLogs.get(k.ID))
	case KindStorage:
		return entity(m.storage.get(k.ID))
	case KindContract:
		return entity(m.contracts.get(k.ID))
	case KindSecret:
		return entity(m.secrets.get(k.ID))
	case KindSecretRevision:
		return entity(m.secretRevisions.get(k.ID))
	case KindSecretContent:
		return entity(m.secretContents.get(k.ID))
	case KindSecretGrant:
		return entity(m.secretGrants.get(k.ID))
	case KindSecretConsumer:
		return entity(m.secretConsumers.get(k.ID))
	}
	panic("core: lookup of unknown kind " + string(k.Kind))
}

// entity turns a row into an entity; no row into no entity.
func entity[T any, P rowOf[T]](row *T) Entity {
	if row == nil {
		return nil
	}
	return P(row)
}

// row is what an entity holds; the zero value if there is none.
func row[T any](e Entity) T {
	if e, ok := any(e).(*T); ok {
		return *e
	}
	var none T
	return none
}
