package database

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"kith"
	"kith/ops"
)

// Provider is the side that has databases to give.
type Provider struct {
	f        *ops.Framework
	endpoint kith.EndpointName

	requested *ops.Source[RequestedEvent, *RequestedEvent]
	released  *ops.Source[ReleasedEvent, *ReleasedEvent]
}

// NewProvider makes the library for an endpoint.
func NewProvider(f *ops.Framework, endpoint kith.EndpointName) *Provider {
	p := &Provider{
		f: f, endpoint: endpoint,
		requested: ops.NewSource[RequestedEvent](f, "database/"+string(endpoint)+"/requested"),
		released:  ops.NewSource[ReleasedEvent](f, "database/"+string(endpoint)+"/released"),
	}
	f.Observe(
		ops.OnRelationChanged(endpoint, func(e *ops.RelationChangedEvent) error { return p.look(e.Relation) }),
		ops.OnLeaderElected(func(*ops.LeaderElectedEvent) error { return p.lookEverywhere() }),
		ops.OnRelationBroken(endpoint, func(e *ops.RelationBrokenEvent) error { return p.broken(e.Relation) }),
	)
	return p
}

// RequestedEvent comes to the leader when a client asks for a database that was not
// given yet: make it, and call [Provider.Publish].
type RequestedEvent struct {
	relationEvent
	Request ClientRequest
}

// ReleasedEvent comes to the leader when a client is gone: its user can be dropped.
type ReleasedEvent struct {
	relationEvent
	Client kith.AppName
}

// ClientRequest is what a client asks for.
type ClientRequest struct {
	Client         kith.AppName
	Database       string
	ExtraUserRoles string
	// Relation is where the answer goes.
	Relation *ops.Relation `json:"-"`
}

// OnRequested observes what clients ask for. A request comes again until it is
// answered, and when another unit has become the leader before it was.
func (p *Provider) OnRequested(handle func(*RequestedEvent) error) ops.Observation {
	return p.requested.On(func(e *RequestedEvent) error {
		e.Request.Relation = e.Relation
		return handle(e)
	})
}

// OnReleased observes that a client is gone.
func (p *Provider) OnReleased(handle func(*ReleasedEvent) error) ops.Observation {
	return p.released.On(handle)
}

// Requests are what all clients ask for, answered or not, by relation. A client that
// has not said yet what it wants is not among them.
func (p *Provider) Requests() ([]ClientRequest, error) {
	relations, err := p.f.Model().Relations(p.endpoint)
	if err != nil {
		return nil, err
	}
	var all []ClientRequest
	for _, rel := range relations {
		var r request
		if err := rel.Load(rel.App, &r); err != nil {
			return nil, err
		}
		if r.Database != "" {
			all = append(all, ClientRequest{rel.App, r.Database, r.ExtraUserRoles, rel})
		}
	}
	return all, nil
}

// Published is the answer to a client as it stands, or nil: where a new leader finds
// the password of the user it has to keep. Only the leader may see it.
func (p *Provider) Published(rel *ops.Relation) (*Connection, error) {
	m := p.f.Model()
	var a answer
	if err := rel.Load(m.App(), &a); err != nil {
		return nil, err
	}
	if a.Database == "" {
		return nil, nil
	}
	c := &Connection{
		Database: a.Database, Endpoints: split(a.Endpoints), ReadOnlyEndpoints: split(a.ReadOnlyEndpoints),
		Version: a.Version, URIs: split(a.URIs), Username: a.Username, Password: a.Password,
	}
	if a.SecretUser == "" {
		return c, nil
	}
	secret, err := m.GetSecret(a.SecretUser)
	if err != nil {
		return nil, err
	}
	content, err := secret.Peek()
	c.Username, c.Password = content[usernameField], content[passwordField]
	return c, err
}

// Publish answers a client, or changes the answer. Only the leader can. A client that
// asked for it, as [Requirer] does, gets the credentials as a secret.
func (p *Provider) Publish(rel *ops.Relation, c Connection) error {
	var r request
	if err := rel.Load(rel.App, &r); err != nil {
		return err
	}
	a := answer{
		Database: c.Database, Endpoints: strings.Join(c.Endpoints, ","),
		ReadOnlyEndpoints: strings.Join(c.ReadOnlyEndpoints, ","), Version: c.Version, URIs: strings.Join(c.URIs, ","),
		Username: c.Username, Password: c.Password,
	}
	if r.wantsSecret() {
		id, err := p.share(rel, c)
		switch {
		case err == nil:
			a.Username, a.Password, a.SecretUser = "", "", id
		case !errors.Is(err, ops.ErrToolNotFound): // a host without secrets gets it in clear
			return err
		}
	}
	return rel.Save(p.f.Model().App(), a)
}

// share puts the credentials into the relation's secret and returns its id.
func (p *Provider) share(rel *ops.Relation, c Connection) (id string, err error) {
	m := p.f.Model()
	content := map[string]string{usernameField: c.Username, passwordField: c.Password}
	label := secretLabel(rel)
	secret, err := m.GetSecretByLabel(label)
	if errors.Is(err, ops.ErrSecretNotFound) {
		if secret, err = m.App().AddSecret(content, ops.SecretSpec{Label: label}); err != nil {
			return "", err
		}
		if err := secret.Grant(rel); err != nil {
			return "", err
		}
		return secret.ID()
	}
	if err != nil {
		return "", err
	}
	if now, err := secret.Peek(); err != nil || now[passwordField] == c.Password && now[usernameField] == c.Username {
		id, idErr := secret.ID()
		return id, errors.Join(err, idErr)
	}
	if err := secret.SetContent(content); err != nil {
		return "", err
	}
	return secret.ID()
}

func (p *Provider) lookEverywhere() error {
	relations, err := p.f.Model().Relations(p.endpoint)
	if err != nil {
		return err
	}
	for _, rel := range relations {
		if err := p.look(rel); err != nil {
			return err
		}
	}
	return nil
}

// look tells the leader's charm of a request that has no answer.
func (p *Provider) look(rel *ops.Relation) error {
	m := p.f.Model()
	leads, err := m.Unit().IsLeader()
	if err != nil || !leads || rel.App == "" {
		return err
	}
	var r request
	if err := rel.Load(rel.App, &r); err != nil || r.Database == "" {
		return err
	}
	given, err := rel.Data(m.App()).Get("database")
	if err != nil || given != "" {
		return err
	}
	return p.requested.Emit(RequestedEvent{about(rel), ClientRequest{Client: rel.App, Database: r.Database, ExtraUserRoles: r.ExtraUserRoles}})
}

// secretLabel is how the credentials of a relation are found again.
func secretLabel(rel *ops.Relation) string { return "database/" + rel.String() }

// broken removes the credentials, if they were a secret, and tells the leader's charm.
// For a leader that is being removed the relation breaks too, and stays for the next one.
func (p *Provider) broken(rel *ops.Relation) error {
	m := p.f.Model()
	leads, err := m.Unit().IsLeader()
	if err != nil || !leads {
		return err
	}
	if dying, err := m.Unit().IsDying(); err != nil || dying {
		return err
	}
	secret, err := m.GetSecretByLabel(secretLabel(rel))
	switch {
	case err == nil:
		if err := secret.RemoveAllRevisions(); err != nil {
			return err
		}
	case !errors.Is(err, ops.ErrSecretNotFound) && !errors.Is(err, ops.ErrToolNotFound):
		return err
	}
	return p.released.Emit(ReleasedEvent{about(rel), rel.App})
}

// fingerprint stands for a password where it is only compared.
func fingerprint(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:8])
}
