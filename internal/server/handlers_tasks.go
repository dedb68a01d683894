package server

import (
	"context"
	"strconv"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

func (s *Server) actions(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	a, ok := api.AppActionsOf(m.Snapshot(), kith.AppName(r.PathValue("app")))
	if !ok {
		return nil, appNotFound(r.PathValue("app"))
	}
	return a, nil
}

func (s *Server) operations(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	if err := r.ParseForm(); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read the request: %v", err)
	}
	q := api.OperationQuery{Apps: r.Form["application"], Units: r.Form["unit"], Machines: r.Form["machine"],
		Actions: r.Form["action"], Statuses: r.Form["status"]}
	limit, err := r.number("limit")
	if err != nil {
		return nil, err
	}
	offset, err := r.number("offset")
	if err != nil {
		return nil, err
	}
	q.Limit, q.Offset = int(min(limit, maxOperations)), int(min(offset, maxOperations))
	return api.OperationsOf(m.Snapshot(), q), nil
}

// maxOperations is more than any model keeps.
const maxOperations = 1 << 30

func (s *Server) operation(r *request) (any, error) {
	return s.kept(r, "operation", func(m *core.Model, id int) (any, bool) {
		return api.OperationOf(m, kith.OperationID(id), true)
	})
}

func (s *Server) task(r *request) (any, error) {
	return s.kept(r, "task", func(m *core.Model, id int) (any, bool) {
		return api.TaskOf(m, kith.TaskID(id), true)
	})
}

// kept is the operation or task that the path names by its number.
func (s *Server) kept(r *request, what string, find func(*core.Model, int) (any, bool)) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	id, err := r.pathNumber(what)
	if err != nil {
		return nil, err
	}
	found, ok := find(m.Snapshot(), id)
	if !ok {
		return nil, kith.Errorf(kith.NotFound, "%s %q not found", what, r.PathValue(what)).WithHint("'kith operations' lists those that are kept")
	}
	return found, nil
}

func (s *Server) watchOperation(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	id, err := r.pathNumber("operation")
	if err != nil {
		return nil, err
	}
	return s.stream(r, func(ctx context.Context, st *stream) error {
		return m.WatchOperation(ctx, kith.OperationID(id), func(e api.OperationEvent) error {
			if err := st.send(e); err != nil {
				return err
			}
			return st.flush()
		})
	})
}

// pathNumber reads a number in the path. Errors: Invalid.
func (r *request) pathNumber(name string) (int, error) {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil {
		return 0, kith.Errorf(kith.Invalid, "%s ID %q not valid", name, r.PathValue(name))
	}
	return n, nil
}
