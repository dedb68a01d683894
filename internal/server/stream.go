package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/controller"
)

// stream writes NDJSON until its source ends.
type stream struct {
	w   http.ResponseWriter
	rc  *http.ResponseController
	enc *json.Encoder
}

// errWrite wraps what went wrong on the way to the reader: there is nobody to tell.
type errWrite struct{ err error }

func (e errWrite) Error() string { return e.err.Error() }

// stream answers with the messages that produce sends, and at the end with the
// reason. The context it gets ends with the request, and when the server stops.
func (s *Server) stream(r *request, produce func(ctx context.Context, st *stream) error) (any, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-s.stopping:
			cancel(kith.Errorf(kith.Unavailable, "the controller is shutting down"))
		case <-ctx.Done():
		}
	}()
	defer func() { cancel(nil); <-stopped }()
	st := &stream{w: r.w, rc: http.NewResponseController(r.w), enc: json.NewEncoder(r.w)}
	st.enc.SetEscapeHTML(false)
	r.w.Header().Set("Content-Type", "application/x-ndjson")
	r.w.Header().Set("X-Content-Type-Options", "nosniff")
	err := st.flush() // the reader learns at once that it is connected
	if err == nil {
		err = produce(ctx, st)
	}
	if r.Context().Err() != nil || errors.As(err, new(errWrite)) {
		return answered{}, nil
	}
	end := &api.EndReason{Resync: errors.Is(err, controller.ErrResync)}
	if err != nil {
		end.Error = s.wireError(r.Method, r.URL.Path, err).Error
	}
	if err := st.send(api.StreamEnd{End: end}); err == nil {
		st.flush()
	}
	return answered{}, nil
}

// send writes one message. The caller flushes.
func (st *stream) send(message any) error {
	if err := st.rc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errWrite{err}
	}
	if err := st.enc.Encode(message); err != nil {
		return errWrite{err}
	}
	return nil
}

func (st *stream) flush() error {
	if err := st.rc.Flush(); err != nil {
		return errWrite{err}
	}
	return nil
}
