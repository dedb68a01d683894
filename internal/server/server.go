package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kith"
	"kith/internal/controller"
	"kith/internal/logs"
)

// Options are what a server stands on. Controller, Blobs, Logs and Keys are needed.
type Options struct {
	Controller *controller.Controller
	Blobs      *controller.Blobs
	Logs       *logs.Logs
	Keys       *controller.Keys
	// Metrics is what /metrics shows; nil: a registry of the server's own.
	Metrics *prometheus.Registry
	Log     *slog.Logger
	Version string // of the program
	Store   string // the controller's identity in the store, shown by info
	UID     int    // the operator's user
	// Shutdown ends the program; nil: it cannot be asked to.
	Shutdown func()
}

// The bounds of connections. A stream has no bound in time, but each of its writes has.
const (
	headerTimeout = 10 * time.Second
	headerBytes   = 64 << 10
	idleTimeout   = 2 * time.Minute
	// writeTimeout cuts a reader off that takes nothing for so long.
	writeTimeout = 30 * time.Second
	// graceTimeout is how long requests may go on when the server ends.
	graceTimeout = 5 * time.Second
)

// Server answers the API. Make one with New.
type Server struct {
	opt      Options
	mux      *http.ServeMux
	access   map[string]who // by route: its method and path
	metrics  *httpMetrics
	document func() (openAPI, error) // generated when first asked for
	stopping chan struct{}           // closed when streams must end
	stop     sync.Once
}

// New makes a server. It starts nothing.
func New(opt Options) *Server {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Metrics == nil {
		opt.Metrics = prometheus.NewRegistry()
	}
	s := &Server{opt: opt, mux: http.NewServeMux(), access: make(map[string]who), metrics: newHTTPMetrics(opt.Metrics), stopping: make(chan struct{})}
	s.document = sync.OnceValues(func() (openAPI, error) { return describe(routes(), opt.Version) })
	for _, r := range routes() {
		s.mux.Handle(r.name(), s.serve(r))
		s.access[r.name()] = r.who
	}
	s.mux.Handle("/", s.serve(route{path: "/", who: anybody, handle: (*Server).notFound}))
	return s
}

// Handler is the whole API. Identities of unix sockets need Serve.
func (s *Server) Handler() http.Handler { return s.mux }

// Serve answers on a listener until ctx ends. Streams end at once then; other
// requests have a moment to finish.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	h := &http.Server{Handler: s.mux, ConnContext: connContext, ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: headerBytes,
		IdleTimeout: idleTimeout, ErrorLog: slog.NewLogLogger(s.opt.Log.Handler(), slog.LevelDebug)}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.stop.Do(func() { close(s.stopping) })
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTimeout)
	defer cancel()
	err := h.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.Close()
	}
	<-served
	return err
}

// ListenUnix listens on a socket that only this user can reach. What is left of
// an earlier one is replaced: the caller holds the data folder, so nobody listens there.
func ListenUnix(path string) (net.Listener, error) {
	fail := func(err error) (net.Listener, error) {
		return nil, kith.Errorf(kith.Unavailable, "cannot listen on %s: %v", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return fail(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return fail(err)
	}
	return l, nil
}
