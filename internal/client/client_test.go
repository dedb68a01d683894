package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
)

// serve answers on a unix socket with h, and returns a client of it.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "kith") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	c := Unix(socket)
	t.Cleanup(func() { c.Close(); server.Close(); <-done; os.RemoveAll(dir) })
	return c
}

// Whatever is answered, the caller gets a *kith.Error with a code and a sentence.
func TestRefusals(t *testing.T) {
	t.Parallel()
	full, err := json.Marshal(api.Error{Error: kith.Error{Code: kith.Conflict, Message: "model \"m\" already exists", Hint: "choose another"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		body   string
		code   kith.Code
		text   string
	}{
		{409, string(full), kith.Conflict, `model "m" already exists`},
		{500, `{"code":"internal","message":"internal error (reference abc)","reference":"abc"}`, kith.Internal, "reference abc"},
		{404, "404 page not found", kith.NotFound, "404"},
		{502, "", kith.Unavailable, "502"},
		{400, "{}", kith.Invalid, "400"},
		{418, "<html>", kith.Invalid, "418"},
	} {
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		_, err := client.Models(t.Context())
		var e *kith.Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.text) {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
}

// How a stream can end: with nothing more to say, with a reason, too slow, broken
// off, or by the reader.
func TestStreamEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		lines  string
		got    int
		code   kith.Code
		resync bool
	}{
		{"complete", `{"message":"a"}` + "\n" + `{"message":"b"}` + "\n" + `{"end":{}}` + "\n", 2, "", false},
		{"a reason", `{"message":"a"}` + "\n" + `{"end":{"code":"unavailable","message":"shutting down"}}` + "\n", 1, kith.Unavailable, false},
		{"too slow", `{"end":{"code":"unavailable","message":"too slow","resync":true}}` + "\n", 0, kith.Unavailable, true},
		{"broken off", `{"message":"a"}` + "\n", 1, kith.Unavailable, false},
		{"broken off within a line", `{"message":"a"}` + "\n" + `{"mess`, 1, kith.Unavailable, false},
		{"nonsense", "hello\n", 0, kith.Internal, false},
		{"a long line", `{"message":"` + strings.Repeat("x", 1<<20) + `"}` + "\n" + `{"end":{}}` + "\n", 1, "", false},
	} {
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.lines) })
		n, end := 0, error(nil)
		for _, err := range client.Logs(t.Context(), "m", api.LogQuery{}) {
			if err != nil {
				end = err
				break
			}
			n++
		}
		if n != c.got || c.code == "" && end != nil || c.code != "" && kith.CodeOf(end) != c.code || IsResync(end) != c.resync {
			t.Errorf("%s: %d messages, then %v", c.name, n, end)
		}
	}
}

// A reader may leave a stream at any time, and a context ends it with its cause.
func TestLeavingAStream(t *testing.T) {
	t.Parallel()
	left := make(chan struct{}, 1)
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, `{"revision":1}`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		left <- struct{}{}
	})
	for range client.Watch(t.Context(), "m", false) {
		break
	}
	<-left
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var end error
	for e, err := range client.Watch(ctx, "m", false) {
		if err != nil {
			end = err
			break
		}
		if e.Revision == 1 {
			cancel(why)
		}
	}
	<-left
	if !errors.Is(end, why) {
		t.Errorf("ended with %v", end)
	}
}

// A handler that breaks off has not answered, and one whose asker has gone is not waited for.
func TestBreakingOff(t *testing.T) {
	t.Parallel()
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			<-r.Context().Done()
			return
		}
		fmt.Fprint(w, `[{"name":"m"`)
		panic(http.ErrAbortHandler)
	})
	if _, err := client.Models(t.Context()); kith.CodeOf(err) != kith.Unavailable {
		t.Errorf("half an answer: %v", err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := client.HasBlob(ctx, "x"); !errors.Is(err, why) {
		t.Errorf("a request that was given up: %v", err)
	}
}

// What is sent and what is answered may be larger than any buffer.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if got, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(got, content) {
				w.WriteHeader(http.StatusBadRequest)
			}
			return
		}
		w.Write(content)
	})
	if err := client.PutBlob(t.Context(), "x", bytes.NewReader(content), int64(len(content))); err != nil {
		t.Error(err)
	}
	body, err := client.Blob(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
}

// A controller that is not there is Unavailable, whatever was asked, with the remedy.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	c := Unix(filepath.Join(t.TempDir(), "nothing"))
	for name, err := range map[string]error{
		"models": func() error { _, err := c.Models(t.Context()); return err }(),
		"stream": func() error {
			for _, err := range c.Watch(t.Context(), "m", false) {
				return err
			}
			return nil
		}(),
		"blob": func() error { _, err := c.HasBlob(t.Context(), "x"); return err }(),
	} {
		if kith.CodeOf(err) != kith.Unavailable || kith.HintOf(err) != "start one with 'kith up'" || !strings.Contains(err.Error(), "not running") {
			t.Errorf("%s: %v (%s)", name, err, kith.HintOf(err))
		}
	}
}
