package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"
	"time"

	"kith"
	"kith/internal/api"
)

// Client speaks to one controller.
type Client struct {
	http  *http.Client
	base  string // scheme and host
	where string // for people
	token string
}

// maxIdle is how many connections stay open between requests: an agent commits
// many units' hooks at once, and a new connection would cost more than the request.
const maxIdle = 64

// Unix is a client of the controller that listens on a unix socket.
func Unix(socket string) *Client {
	dialer := &net.Dialer{}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
		MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: time.Minute,
		DisableCompression: true,
		WriteBufferSize:    32 << 10, ReadBufferSize: 32 << 10,
	}
	return &Client{http: &http.Client{Transport: transport}, base: "http://kith", where: socket}
}

// WithToken is the same client with a credential: a host's or a unit's. Both
// share their connections.
func (c *Client) WithToken(token string) *Client {
	d := *c
	d.token = token
	return &d
}

// Close closes idle connections. Streams end with their contexts.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// do sends a request and returns the answer's body if it is a success; the caller closes it.
func (c *Client) do(ctx context.Context, method, path string, body io.Reader, size int64, contentType string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot ask the controller: %v", err)
	}
	if size >= 0 && body != nil {
		req.ContentLength = size
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.token != "" {
		req.Header.Set(api.HeaderToken, "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, readError(resp)
	}
	return resp.Body, nil
}

// unreachable says why there was no answer. A context's own end is not the controller's fault.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
			return kith.Errorf(kith.Unavailable, "cannot reach the controller at %s: it is not running", c.where).
				WithHint("start one with 'kith up'")
		}
		return kith.Errorf(kith.Unavailable, "cannot reach the controller at %s: %v", c.where, op.Err).
			WithHint("start one with 'kith up'")
	}
	return kith.Errorf(kith.Unavailable, "lost the controller at %s: %v", c.where, err).
		WithHint("see whether it runs with 'kith status'; start one with 'kith up'")
}

// maxError bounds what is read of a refusal.
const maxError = 1 << 20

// readError turns a refusal back into the error it was.
func readError(resp *http.Response) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	var e api.Error
	if err != nil || json.Unmarshal(data, &e) != nil || e.Code == "" || e.Message == "" {
		return kith.Errorf(codeOf(resp.StatusCode), "the controller answered %s: %.200q", resp.Status, data)
	}
	if e.Reference != "" && e.Hint == "" {
		return e.Error.WithHint("the controller's log says more under reference %s", e.Reference)
	}
	return &e.Error
}

// codeOf is for answers that did not come from our handlers.
func codeOf(status int) kith.Code {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return kith.NotFound
	case http.StatusUnauthorized:
		return kith.Unauthenticated
	case http.StatusForbidden:
		return kith.Forbidden
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		return kith.Unavailable
	}
	if status/100 == 4 {
		return kith.Invalid
	}
	return kith.Internal
}

const jsonType = "application/json"

// call sends in as JSON, unless it is nil, and reads the answer into out, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	size, contentType := int64(-1), ""
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return kith.Errorf(kith.Invalid, "cannot send the request: %v", err)
		}
		body, size, contentType = bytes.NewReader(data), int64(len(data)), jsonType
	}
	answer, err := c.do(ctx, method, path, body, size, contentType)
	if err != nil {
		return err
	}
	defer answer.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, answer)
	} else {
		err = json.NewDecoder(answer).Decode(out)
		io.Copy(io.Discard, answer) // so that the connection can be used again
	}
	if err != nil {
		return c.unreachable(ctx, fmt.Errorf("reading the answer: %w", err))
	}
	return nil
}

func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	var out T
	err := c.call(ctx, http.MethodGet, path, nil, &out)
	return out, err
}
