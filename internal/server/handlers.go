package server

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kith"
	"kith/internal/api"
	"kith/internal/controller"
)

func (s *Server) notFound(r *request) (any, error) {
	return nil, kith.Errorf(kith.NotFound, "no such route: %s %q", r.Method, r.URL.Path).
		WithHint("the routes are listed at %s", api.PathOpenAPIJSON)
}

func (s *Server) info(r *request) (any, error) {
	return api.Info{Version: s.opt.Version, API: api.Version, Controller: s.opt.Store, Started: s.opt.Controller.Started(),
		PID: os.Getpid(), Models: len(s.opt.Controller.Models()), You: r.id.Actor}, nil
}

func (s *Server) shutdown(r *request) (any, error) {
	if s.opt.Shutdown == nil {
		return nil, kith.Errorf(kith.Unavailable, "this controller cannot be ended by request").WithHint("end its process")
	}
	s.write(r.w, r.Request, http.StatusOK, struct{}{})
	s.opt.Shutdown()
	return answered{}, nil
}

func (s *Server) listModels(*request) (any, error) {
	models := s.opt.Controller.Models()
	if models == nil {
		models = []api.Model{}
	}
	return models, nil
}

func (s *Server) createModel(r *request) (any, error) {
	data, err := r.body(api.MaxLogBody, "a request")
	if err != nil {
		return nil, err
	}
	var m api.CreateModel
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, kith.Errorf(kith.Invalid, "cannot read the request: %v", err)
	}
	return s.opt.Controller.CreateModel(r.Context(), r.id.Actor, m)
}

// model is the model a request names.
func (s *Server) model(r *request) (*controller.Model, error) {
	return r.caller.model(r.PathValue("model"))
}

func (s *Server) getModel(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	return api.ModelOf(m.Snapshot()), nil
}

func (s *Server) command(r *request) (any, error) {
	c, err := api.CommandNamed(r.PathValue("op"))
	if err != nil {
		return nil, err
	}
	if err := r.allowed(c); err != nil {
		return nil, err
	}
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	data, err := r.body(api.MaxBody, "a command")
	if err != nil {
		return nil, err
	}
	op, err := c.Decode(data)
	if err != nil {
		return nil, err
	}
	return m.Submit(r.Context(), r.id.Actor, op)
}

func (s *Server) status(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	contracts, err := r.flag("contracts")
	if err != nil {
		return nil, err
	}
	return m.Status(r.Context(), contracts), nil
}

func (s *Server) settle(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	var timeout time.Duration
	if text := r.FormValue("timeout"); text != "" {
		if timeout, err = time.ParseDuration(text); err != nil {
			return nil, kith.Errorf(kith.Invalid, "invalid timeout %q", text).WithHint("a timeout is a duration, such as 30s")
		}
	}
	return m.Settle(r.Context(), timeout)
}

// unitName is the unit a request names.
func (r *request) unitName() (kith.UnitName, error) {
	return kith.ParseUnitName(r.PathValue("app") + "/" + r.PathValue("number"))
}

func (s *Server) getUnit(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	u, err := r.unitName()
	if err != nil {
		return nil, err
	}
	return m.ShowUnit(r.Context(), u)
}

func (s *Server) goalState(r *request) (any, error) {
	u, err := r.unitName()
	if err != nil {
		return nil, err
	}
	return r.goalState(r.PathValue("model"), u)
}

func (s *Server) unitLive(r *request) (any, error) {
	u, err := r.unitName()
	if err != nil {
		return nil, err
	}
	units, err := r.flag("units")
	if err != nil {
		return nil, err
	}
	return r.unitLive(r.PathValue("model"), u, units)
}

func appNotFound(name string) error {
	return kith.Errorf(kith.NotFound, "application %q not found", name).WithHint("see 'kith status'")
}

func (s *Server) getApp(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	show, ok := api.ShowAppOf(m.Snapshot(), kith.AppName(r.PathValue("app")))
	if !ok {
		return nil, appNotFound(r.PathValue("app"))
	}
	return show, nil
}

func (s *Server) appConfig(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	c, ok := api.AppConfigOf(m.Snapshot(), kith.AppName(r.PathValue("app")))
	if !ok {
		return nil, appNotFound(r.PathValue("app"))
	}
	return c, nil
}

func (s *Server) modelConfig(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	return api.ModelConfig{Set: m.Snapshot().Info().Config}, nil
}

func (s *Server) bag(r *request) (any, error) {
	n, err := strconv.Atoi(r.PathValue("relation"))
	if err != nil {
		return nil, kith.Errorf(kith.Invalid, "invalid relation id %q", r.PathValue("relation"))
	}
	return r.bag(r.PathValue("model"), kith.RelationID(n), r.FormValue("owner"))
}

func (s *Server) history(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	var q api.HistoryQuery
	if q.From, err = r.number("from"); err != nil {
		return nil, err
	}
	if q.To, err = r.number("to"); err != nil {
		return nil, err
	}
	limit, err := r.number("limit")
	if err != nil {
		return nil, err
	}
	q.Limit = int(min(limit, api.MaxHistory))
	if q.Newest, err = r.flag("newest"); err != nil {
		return nil, err
	}
	return m.History(r.Context(), q)
}

func (s *Server) statusLog(r *request) (any, error) {
	m, err := s.model(r)
	if err != nil {
		return nil, err
	}
	q := api.StatusLogQuery{Entity: r.FormValue("entity")}
	for _, t := range r.Form["type"] {
		q.Types = append(q.Types, api.StatusType(t))
	}
	limit, err := r.number("limit")
	if err != nil {
		return nil, err
	}
	q.Limit = int(min(limit, maxStatusLog))
	if text := r.FormValue("since"); text != "" {
		if q.Since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return nil, kith.Errorf(kith.Invalid, "invalid since %q: it must be a time as in RFC 3339", text)
		}
	}
	return m.StatusLog(r.Context(), q)
}

// maxStatusLog bounds the lines of one status log.
const maxStatusLog = 10_000

func (s *Server) openAPIJSON(r *request) (any, error) {
	return s.raw(r, "application/json", func(d openAPI) []byte { return d.json })
}

func (s *Server) openAPIYAML(r *request) (any, error) {
	return s.raw(r, "application/yaml", func(d openAPI) []byte { return d.yaml })
}

func (s *Server) raw(r *request, contentType string, part func(openAPI) []byte) (any, error) {
	d, err := s.document()
	if err != nil {
		return nil, err
	}
	r.w.Header().Set("Content-Type", contentType)
	r.w.Write(part(d))
	return answered{}, nil
}

func (s *Server) prometheus(r *request) (any, error) {
	promhttp.HandlerFor(s.opt.Metrics, promhttp.HandlerOpts{}).ServeHTTP(r.w, r.Request)
	return answered{}, nil
}
