package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// InProcess is a client of the controller in this very process: its handler is called
// as it stands, and nothing goes through the kernel. Every request needs a credential,
// since there is no connection to know anybody by. where names the controller for people.
func InProcess(h http.Handler, where string) *Client {
	return &Client{http: &http.Client{Transport: inProcess{h}}, base: "http://kith", where: where}
}

// inProcess carries requests to a handler. Each runs in a goroutine that has ended
// when the answer's body is closed.
type inProcess struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	in := r.WithContext(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	a := newAnswer(ctx, cancel)
	a.unwatch = context.AfterFunc(ctx, a.leave)
	go func() {
		defer close(a.done)
		defer in.Body.Close()
		defer a.end()
		t.handler.ServeHTTP(a, in)
	}()
	select {
	case <-a.begun:
	case <-ctx.Done():
		<-a.done
		a.unwatch()
		return nil, context.Cause(ctx)
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, ContentLength: -1, Body: a, Request: r,
	}, nil
}

// answerBuffer is how many bytes a handler may be ahead of its reader.
const answerBuffer = 64 << 10

// answer is what a handler writes and a client reads. As on a wire, it begins when
// the handler flushes, has written a good deal, or ends.
type answer struct {
	header  http.Header
	ctx     context.Context // of the request
	cancel  context.CancelFunc
	unwatch func() bool
	begun   chan struct{} // closed when status and header are fixed and there is something to read
	done    chan struct{} // closed when the handler has returned

	mu      sync.Mutex
	changed sync.Cond
	status  int    // 0 until it is written
	data    []byte // written, and not read
	sent    bool   // begun is closed
	over    bool   // nothing more will be written
	left    bool   // nobody reads any more
	err     error  // how it ended, if not well
}

func newAnswer(ctx context.Context, cancel context.CancelFunc) *answer {
	a := &answer{header: make(http.Header), ctx: ctx, cancel: cancel, begun: make(chan struct{}), done: make(chan struct{})}
	a.changed.L = &a.mu
	return a
}

// Header implements [http.ResponseWriter].
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(status)
}

func (a *answer) writeHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements [http.ResponseWriter]. It waits for a reader who is far behind.
func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(http.StatusOK)
	for n := 0; n < len(p); {
		if len(a.data) >= answerBuffer {
			a.begin()
		}
		for len(a.data) >= answerBuffer && !a.left {
			a.changed.Wait()
		}
		if a.left {
			return n, io.ErrClosedPipe
		}
		part := p[n:min(len(p), n+answerBuffer-len(a.data))]
		a.data = append(a.data, part...)
		n += len(part)
		a.changed.Broadcast()
	}
	return len(p), nil
}

// FlushError lets the reader have what was written.
func (a *answer) FlushError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.left {
		return io.ErrClosedPipe
	}
	a.begin()
	return nil
}

// Flush implements [http.Flusher].
func (a *answer) Flush() { _ = a.FlushError() } // who has left is told so by the next Write

// begin gives the answer to the reader.
func (a *answer) begin() {
	if !a.sent {
		a.writeHeader(http.StatusOK)
		a.sent = true
		close(a.begun)
	}
}

// end is called when the handler returns, or panics: a reader must not take what it
// has got for the whole then.
func (a *answer) end() {
	p := recover()
	if p != nil && p != http.ErrAbortHandler {
		panic(p)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over, a.err = true, io.EOF
	if p != nil {
		a.err = io.ErrUnexpectedEOF
	}
	a.begin()
	a.changed.Broadcast()
}

// leave is called when nobody reads any more.
func (a *answer) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = true
	a.changed.Broadcast()
}

// Read implements [io.Reader].
func (a *answer) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.data) == 0 && !a.over && !a.left {
		a.changed.Wait()
	}
	switch {
	case a.ctx.Err() != nil: // then the handler, too, may have ended for that
		return 0, context.Cause(a.ctx)
	case len(a.data) == 0:
		return 0, a.err
	}
	n := copy(p, a.data)
	if a.data = a.data[n:]; len(a.data) == 0 {
		a.data = nil
	}
	a.changed.Broadcast()
	return n, nil
}

// Close ends the request, and returns when its handler has.
func (a *answer) Close() error {
	a.cancel()
	a.leave()
	<-a.done
	a.unwatch()
	return nil
}
