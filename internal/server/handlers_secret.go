package server

import (
	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

func (s *Server) unitSecrets(r *request) (any, error) {
	u, err := r.unitName()
	if err != nil {
		return nil, err
	}
	return r.unitSecrets(r.PathValue("model"), u)
}

func (s *Server) unitSecret(r *request) (any, error) {
	u, err := r.unitName()
	if err != nil {
		return nil, err
	}
	q := core.SecretQuery{Label: r.FormValue("label")}
	if text := r.FormValue("id"); text != "" {
		if q.ID, _, err = kith.ParseSecretURI(text); err != nil {
			return nil, err
		}
	}
	if q.Refresh, err = r.flag("refresh"); err != nil {
		return nil, err
	}
	if q.Peek, err = r.flag("peek"); err != nil {
		return nil, err
	}
	if q.Reader, err = r.flag("reader"); err != nil {
		return nil, err
	}
	return r.unitSecret(r.PathValue("model"), u, q)
}

func (s *Server) listSecrets(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	return api.SecretsOf(m.Snapshot(), r.FormValue("owner")), nil
}

func (s *Server) getSecret(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	var q api.SecretQuery
	if q.Reveal, err = r.flag("reveal"); err != nil {
		return nil, err
	}
	number, err := r.number("revision")
	if err != nil {
		return nil, err
	}
	q.Revision = int(min(number, maxRevision))
	return api.SecretOf(m.Snapshot(), r.PathValue("secret"), q)
}

// maxRevision is above any revision a secret can have: a number beyond names none.
const maxRevision = 1 << 31
