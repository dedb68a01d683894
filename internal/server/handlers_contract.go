package server

import "kith/internal/api"

func (s *Server) listContracts(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	return api.ContractsOf(m.Snapshot()), nil
}

func (s *Server) getContract(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	return api.ContractOf(m.Snapshot(), r.PathValue("interface"))
}
