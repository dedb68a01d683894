package database

import (
	"errors"
	"strings"

	"kith"
	"kith/ops"
)

// Requirer is the side that uses a database.
type Requirer struct {
	f        *ops.Framework
	endpoint kith.EndpointName
	request  request

	created *ops.Source[CreatedEvent, *CreatedEvent]
	changed *ops.Source[ChangedEvent, *ChangedEvent]
	removed *ops.Source[RemovedEvent, *RemovedEvent]

	// known is what this unit's charm was told last, by relation.
	known map[kith.RelationID]string
}

// Request is what a client asks for.
type Request struct {
	Database       string // the name it would like; the answer may have another
	ExtraUserRoles string // "admin"; may be empty
}

// NewRequirer makes the library for an endpoint. It asks for the database in every
// relation there, as soon as this unit leads. Errors: Invalid for a request that names no
// database, and those of [ops.Framework.StoredState].
func NewRequirer(f *ops.Framework, endpoint kith.EndpointName, want Request) (*Requirer, error) {
	if want.Database == "" {
		return nil, kith.Errorf(kith.Invalid, "cannot ask for a database on %q: the request names none", endpoint)
	}
	r := &Requirer{
		f: f, endpoint: endpoint,
		request: request{want.Database, want.ExtraUserRoles, []string{usernameField, passwordField}},
		created: ops.NewSource[CreatedEvent](f, "database/"+string(endpoint)+"/created"),
		changed: ops.NewSource[ChangedEvent](f, "database/"+string(endpoint)+"/changed"),
		removed: ops.NewSource[RemovedEvent](f, "database/"+string(endpoint)+"/removed"),
		known:   map[kith.RelationID]string{},
	}
	if err := f.StoredState("database/"+string(endpoint), &r.known); err != nil {
		return nil, err
	}
	f.Observe(
		ops.OnRelationCreated(endpoint, func(e *ops.RelationCreatedEvent) error { return r.ask(e.Relation) }),
		ops.OnRelationChanged(endpoint, func(e *ops.RelationChangedEvent) error { return r.look(e.Relation) }),
		ops.OnRelationBroken(endpoint, func(e *ops.RelationBrokenEvent) error { return r.forget(e.Relation) }),
		ops.OnLeaderElected(func(*ops.LeaderElectedEvent) error { return r.each(r.ask) }),
		ops.OnConfigChanged(func(*ops.ConfigChangedEvent) error { return r.each(r.ask) }),
		ops.OnUpgradeCharm(func(*ops.UpgradeCharmEvent) error { return r.each(r.ask) }),
		ops.OnSecretChanged(r.secretChanged),
	)
	return r, nil
}

// CreatedEvent tells that a database is there.
type CreatedEvent struct{ connectionEvent }

// ChangedEvent tells that a database that was there has other endpoints or credentials.
type ChangedEvent struct{ connectionEvent }

// RemovedEvent tells that a database which was there is gone.
type RemovedEvent struct{ relationEvent }

type connectionEvent struct {
	relationEvent
	// Connection is read anew when the event was deferred: credentials are not stored. If the
	// database has gone since, it is empty, and the relation may not be active.
	Connection Connection `json:"-"`
}

// Restore finds the relation and reads the connection.
func (e *connectionEvent) Restore(m *ops.Model) error {
	if err := e.relationEvent.Restore(m); err != nil {
		return err
	}
	c, err := connection(m, e.Relation)
	if err == nil && c != nil {
		e.Connection = *c
	}
	return err
}

// OnCreated observes that a database is there: once for each relation, and again if it
// was removed in between.
func (r *Requirer) OnCreated(handle func(*CreatedEvent) error) ops.Observation {
	return r.created.On(handle)
}

// OnChanged observes that endpoints or credentials have changed.
func (r *Requirer) OnChanged(handle func(*ChangedEvent) error) ops.Observation {
	return r.changed.On(handle)
}

// OnRemoved observes that a database is gone.
func (r *Requirer) OnRemoved(handle func(*RemovedEvent) error) ops.Observation {
	return r.removed.On(handle)
}

// Connection is how to reach the database of the endpoint's only relation, or nil if
// there is none, or no answer yet. Errors: [*ops.TooManyRelatedAppsError].
func (r *Requirer) Connection() (*Connection, error) {
	rel, err := r.f.Model().GetRelation(r.endpoint)
	if err != nil || rel == nil {
		return nil, err
	}
	return r.ConnectionOf(rel)
}

// ConnectionOf is [Requirer.Connection] for one relation of several.
func (r *Requirer) ConnectionOf(rel *ops.Relation) (*Connection, error) {
	return connection(r.f.Model(), rel)
}

// connection reads the provider's answer; nil if it is not complete.
func connection(m *ops.Model, rel *ops.Relation) (*Connection, error) {
	if !rel.Active || rel.App == "" {
		return nil, nil
	}
	var a answer
	if err := rel.Load(rel.App, &a); err != nil {
		return nil, err
	}
	c := &Connection{
		Database: a.Database, Endpoints: split(a.Endpoints), ReadOnlyEndpoints: split(a.ReadOnlyEndpoints),
		Version: a.Version, URIs: split(a.URIs), Username: a.Username, Password: a.Password,
	}
	if a.SecretUser != "" {
		if err := c.readSecret(m, a.SecretUser); err != nil {
			return nil, err
		}
	}
	if len(c.Endpoints) == 0 || c.Password == "" {
		return nil, nil
	}
	return c, nil
}

// readSecret reads the newest credentials. A secret that was announced and is not
// granted yet counts as not there: an event comes when it is.
func (c *Connection) readSecret(m *ops.Model, id string) error {
	secret, err := m.GetSecret(id)
	if errors.Is(err, ops.ErrPermission) || errors.Is(err, ops.ErrSecretNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	content, err := secret.Refresh()
	c.Username, c.Password = content[usernameField], content[passwordField]
	return err
}

// each does something in every relation of the endpoint.
func (r *Requirer) each(do func(*ops.Relation) error) error {
	relations, err := r.f.Model().Relations(r.endpoint)
	if err != nil {
		return err
	}
	for _, rel := range relations {
		if err := do(rel); err != nil {
			return err
		}
	}
	return nil
}

// ask says which database we want: once for the application, by its leader.
func (r *Requirer) ask(rel *ops.Relation) error {
	leads, err := r.f.Model().Unit().IsLeader()
	if err != nil || !leads {
		return err
	}
	return rel.Save(r.f.Model().App(), r.request)
}

// look compares the answer with what the charm was told.
func (r *Requirer) look(rel *ops.Relation) error {
	c, err := r.ConnectionOf(rel)
	if err != nil || c == nil {
		return err
	}
	now := strings.Join([]string{c.String(), strings.Join(c.ReadOnlyEndpoints, ","), fingerprint(c.Password)}, " ")
	before, told := r.known[rel.ID]
	if told && before == now {
		return nil
	}
	r.known[rel.ID] = now
	event := connectionEvent{about(rel), *c}
	if told {
		return r.changed.Emit(ChangedEvent{event})
	}
	return r.created.Emit(CreatedEvent{event})
}

// forget tells the charm, if it was told that there was a database.
func (r *Requirer) forget(rel *ops.Relation) error {
	if _, told := r.known[rel.ID]; !told {
		return nil
	}
	delete(r.known, rel.ID)
	return r.removed.Emit(RemovedEvent{about(rel)})
}

// secretChanged looks for the relation whose credentials have changed.
func (r *Requirer) secretChanged(*ops.SecretChangedEvent) error { return r.each(r.look) }
