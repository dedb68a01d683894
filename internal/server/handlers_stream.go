package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"kith"
	"kith/internal/api"
)

func (s *Server) watch(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	entries, err := r.flag("entries")
	if err != nil {
		return nil, err
	}
	return s.stream(r, func(ctx context.Context, st *stream) error {
		return m.Watch(ctx, entries, func(e api.WatchEvent) error {
			if err := st.send(e); err != nil {
				return err
			}
			return st.flush()
		})
	})
}

func (s *Server) hostStream(r *request) (any, error) {
	session, units, err := r.connect(r.Context(), r.PathValue("host"), r.FormValue("epoch"))
	if err != nil {
		return nil, err
	}
	defer s.opt.Controller.Disconnect(session)
	return s.stream(r, func(ctx context.Context, st *stream) error {
		events := []api.HostEvent{{Units: &units}}
		for {
			for _, e := range events {
				if err := st.send(e); err != nil {
					return err
				}
			}
			if err := st.flush(); err != nil {
				return err
			}
			if events, err = session.Next(ctx); err != nil {
				return err
			}
		}
	})
}

func (s *Server) readLogs(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	log, err := s.opt.Logs.Model(m.ID)
	if err != nil {
		return nil, err
	}
	if err := r.ParseForm(); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read the request: %v", err)
	}
	q := api.LogQuery{LogFilter: api.LogFilter{Include: r.Form["include"], Exclude: r.Form["exclude"],
		IncludeModule: r.Form["include-module"], ExcludeModule: r.Form["exclude-module"]}}
	if level := r.FormValue("level"); level != "" {
		if q.Level, err = api.ParseLevel(level); err != nil {
			return nil, err
		}
	}
	if text := r.FormValue("last"); text != "" {
		if q.Last, err = strconv.Atoi(text); err != nil {
			return nil, kith.Errorf(kith.Invalid, "invalid last %q: it must be a number", text)
		}
	}
	if q.Follow, err = r.flag("follow"); err != nil {
		return nil, err
	}
	return s.stream(r, func(ctx context.Context, st *stream) error {
		return log.Read(ctx, q, func(rec api.LogRecord) error {
			if err := st.send(rec); err != nil || !q.Follow {
				return err
			}
			return st.flush()
		})
	})
}

func (s *Server) appendLogs(r *request) (any, error) {
	data, err := r.body(api.MaxLogBody, "a delivery of log records")
	if err != nil {
		return nil, err
	}
	var records []api.LogRecord
	if err := json.Unmarshal(data, &records); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read log records: %v", err)
	}
	return struct{}{}, r.appendLogs(r.PathValue("model"), records)
}

func (s *Server) putBlob(r *request) (any, error) {
	if r.ContentLength > api.MaxBlob {
		return nil, tooLarge("a charm archive", api.MaxBlob)
	}
	return struct{}{}, s.opt.Blobs.Put(r.Context(), r.PathValue("id"), r.Body)
}

func (s *Server) getBlob(r *request) (any, error) {
	content, size, err := s.opt.Blobs.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	defer content.Close()
	r.w.Header().Set("Content-Type", "application/octet-stream")
	r.w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if r.Method == http.MethodHead {
		r.w.WriteHeader(http.StatusOK)
		return answered{}, nil
	}
	if _, err := io.Copy(r.w, content); err != nil {
		return nil, errors.Join(errors.New("cannot send a charm archive"), err)
	}
	return answered{}, nil
}
