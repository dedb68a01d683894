package database

import (
	"strings"

	"kith"
	"kith/ops"
)

// request is the client's application databag.
type request struct {
	Database         string   `databag:"database,text"`
	ExtraUserRoles   string   `databag:"extra-user-roles,text"`
	RequestedSecrets []string `databag:"requested-secrets,omitempty"`
}

// wantsSecret reports whether the credentials are to go into a secret.
func (r request) wantsSecret() bool {
	for _, field := range r.RequestedSecrets {
		if field == passwordField {
			return true
		}
	}
	return false
}

// answer is the provider's application databag.
type answer struct {
	Database          string `databag:"database,text"`
	Endpoints         string `databag:"endpoints,text"`
	ReadOnlyEndpoints string `databag:"read-only-endpoints,text"`
	Version           string `databag:"version,text"`
	URIs              string `databag:"uris,text"`
	Username          string `databag:"username,text"`
	Password          string `databag:"password,text"`
	SecretUser        string `databag:"secret-user,text"`
}

const (
	usernameField = "username"
	passwordField = "password"
)

// Connection is what a client needs to know to use its database.
type Connection struct {
	Database          string
	Endpoints         []string // HOST:PORT, at least one
	ReadOnlyEndpoints []string
	Version           string
	URIs              []string
	Username          string
	Password          string
}

// String leaves the password out: a Connection may end up in a log.
func (c Connection) String() string {
	return c.Username + "@" + strings.Join(c.Endpoints, ",") + "/" + c.Database
}

// split is the opposite of strings.Join with commas.
func split(list string) []string {
	var parts []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// relationEvent is what the events of both sides have in common: the relation, which
// is found again when the event was deferred.
type relationEvent struct {
	ops.CustomEvent
	Relation *ops.Relation     `json:"-"`
	Endpoint kith.EndpointName `json:"endpoint"`
	ID       kith.RelationID   `json:"id"`
}

func about(r *ops.Relation) relationEvent {
	return relationEvent{Relation: r, Endpoint: r.Endpoint, ID: r.ID}
}

// Restore finds the relation. One that is gone is not active.
func (e *relationEvent) Restore(m *ops.Model) (err error) {
	e.Relation, err = m.GetRelationByID(e.Endpoint, e.ID)
	return err
}
