package server

import (
	"context"
	"strconv"

	"kith"
	"kith/internal/api"
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
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	id, err := r.pathNumber("operation")
	if err != nil {
		return nil, err
	}
	op, ok := api.OperationOf(m.Snapshot(), kith.OperationID(id), true)
	if !ok {
		return nil, kith.Errorf(kith.NotFound, "operation %q not found", r.PathValue("operation")).WithHint("'kith operations' lists those that are kept")
	}
	return op, nil
}

func (s *Server) task(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	id, err := r.pathNumber("task")
	if err != nil {
		return nil, err
	}
	t, ok := api.TaskOf(m.Snapshot(), kith.TaskID(id), true)
	if !ok {
		return nil, kith.Errorf(kith.NotFound, "task %q not found", r.PathValue("task")).WithHint("'kith operations' lists those that are kept")
	}
	return t, nil
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
