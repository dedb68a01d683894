package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"kith"
	"kith/internal/api"
)

// request is one request on its way through a handler.
type request struct {
	*http.Request
	caller
	w http.ResponseWriter
}

// handler answers a request: with a value that goes out as JSON, with an error,
// or by itself, in which case it returns answered.
type handler func(*Server, *request) (any, error)

// answered is what a handler returns that has written its answer itself.
type answered struct{}

// serve makes an http.Handler of a route: identity, access, panics, errors, metrics.
func (s *Server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.fail(rec, hr, panicked(p))
			}
			s.metrics.observe(rt, rec.status, time.Since(start))
		}()
		value, err := s.dispatch(rt, rec, hr)
		switch {
		case err != nil:
			s.fail(rec, hr, err)
		case value != answered{}:
			s.write(rec, hr, http.StatusOK, value)
		}
	})
}

// panicked is the error of a panic that was recovered from.
func panicked(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }

func (s *Server) dispatch(rt route, w http.ResponseWriter, hr *http.Request) (any, error) {
	id, err := s.identify(hr)
	if err != nil {
		return nil, err
	}
	if rt.who&whoIs(id.Kind) == 0 {
		return nil, forbidden(id)
	}
	return rt.handle(s, &request{hr, caller{s, id}, w})
}

// write sends a value as JSON.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	w.Write(data) // the reader may be gone: nothing is left to be done about it
}

// fail sends an error. One without a code is ours: it is logged under a reference,
// and only the reference goes out.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if rec, ok := w.(*recorder); ok && rec.wrote {
		panic(http.ErrAbortHandler) // too late to say anything: the reader must see it break off
	}
	e := s.wireError(r.Method, r.URL.Path, err)
	w.Header().Del("Content-Length")
	s.write(w, r, e.Code.HTTPStatus(), e)
}

// wireError is an error as who asked gets it.
func (s *Server) wireError(method, path string, err error) api.Error {
	var e *kith.Error
	switch {
	case errors.As(err, &e):
		return api.Error{Error: kith.Error{Code: e.Code, Message: err.Error(), Hint: e.Hint}}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return api.Error{Error: kith.Error{Code: kith.Unavailable, Message: "the request was given up"}}
	}
	var b [6]byte
	rand.Read(b[:])
	reference := hex.EncodeToString(b[:])
	s.opt.Log.Error("request failed", "reference", reference, "method", method, "path", path, "error", err)
	return api.Error{Error: kith.Error{Code: kith.Internal, Message: "internal error (reference " + reference + ")",
		Hint: "the controller's log says more under that reference"}, Reference: reference}
}

// body reads a request's body up to a limit. Errors: Invalid if it is larger.
func (r *request) body(limit int64, what string) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, r.refuseBody(what, limit)
	}
	data := make([]byte, 0, max(512, r.ContentLength+1))
	in := io.LimitReader(r.Body, limit+1)
	for {
		n, err := in.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			return nil, r.refuseBody(what, limit)
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, kith.Errorf(kith.Unavailable, "cannot read the request: %v", err)
		case len(data) == cap(data):
			data = append(data, 0)[:len(data)]
		}
	}
}

// refuseBody refuses a body that is too large. A sender who is still writing would
// not read the refusal, so some more is taken from it, and dropped.
func (r *request) refuseBody(what string, limit int64) error {
	if _, err := io.CopyN(io.Discard, r.Body, 2*limit); err != nil && !errors.Is(err, io.EOF) {
		return kith.Errorf(kith.Unavailable, "cannot read the request: %v", err)
	}
	return tooLarge(what, limit)
}

func tooLarge(what string, limit int64) error {
	return kith.Errorf(kith.Invalid, "the request is too large: the limit of %s is %d bytes", what, limit).
		WithHint("send less at once")
}

// number reads a query parameter; 0 if it is not there. Errors: Invalid.
func (r *request) number(name string) (uint64, error) {
	text := r.FormValue(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, kith.Errorf(kith.Invalid, "invalid %s %q: it must be a number", name, text)
	}
	return n, nil
}

// flag reads a query parameter that is true or false. Errors: Invalid.
func (r *request) flag(name string) (bool, error) {
	text := r.FormValue(name)
	if text == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, kith.Errorf(kith.Invalid, "invalid %s %q: it must be true or false", name, text)
	}
	return b, nil
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
