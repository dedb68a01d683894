package hookwire_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"kith/internal/hookwire"
)

func sampleRequest() hookwire.Request {
	return hookwire.Request{
		ContextID: "web/0-install-5f", Dir: "/var/lib/charm", Tool: "relation-set",
		Args: []string{"-r", "db:4", "", "k=v\nw"}, StdinSupplied: true, Stdin: []byte("{}\x00"),
	}
}

func TestRequestsAndResponsesSurviveTheWire(t *testing.T) {
	t.Parallel()
	for _, q := range []hookwire.Request{{}, sampleRequest(), {Tool: "x", StdinSupplied: true}} {
		var b bytes.Buffer
		if err := hookwire.WriteRequest(&b, q); err != nil {
			t.Fatal(err)
		}
		got, err := hookwire.ReadRequest(&b)
		got.Stdin, q.Stdin = append([]byte{}, got.Stdin...), append([]byte{}, q.Stdin...)
		if err != nil || !reflect.DeepEqual(got, q) {
			t.Errorf("ReadRequest = %+v, %v; want %+v", got, err, q)
		}
	}
	for _, p := range []hookwire.Response{{}, {Code: 255, Stdout: []byte("a"), Stderr: []byte("ERROR b\n")}, {NeedStdin: true}} {
		var b bytes.Buffer
		if err := hookwire.WriteResponse(&b, p); err != nil {
			t.Fatal(err)
		}
		got, err := hookwire.ReadResponse(&b)
		if err != nil || got.Code != p.Code || got.NeedStdin != p.NeedStdin ||
			!bytes.Equal(got.Stdout, p.Stdout) || !bytes.Equal(got.Stderr, p.Stderr) {
			t.Errorf("ReadResponse = %+v, %v; want %+v", got, err, p)
		}
	}
}

// A frame cut anywhere is an error that says so, and never a shorter message.
func TestCutFrames(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := hookwire.WriteRequest(&b, sampleRequest()); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	for n := range whole {
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if _, err := hookwire.ReadRequest(bytes.NewReader(whole[:n])); err != want {
			t.Errorf("request cut after %d bytes: %v, want %v", n, err, want)
		}
	}
	b.Reset()
	if err := hookwire.WriteResponse(&b, hookwire.Response{Stdout: []byte("abc")}); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		if _, err := hookwire.ReadResponse(bytes.NewReader(b.Bytes()[:n])); err != hookwire.ErrClosed {
			t.Errorf("response cut after %d bytes: %v, want ErrClosed", n, err)
		}
	}
}

func TestForeignFrames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want error
	}{
		{"GET / HTTP/1.1\r\n\r\n", hookwire.ErrProtocol},
		{"KH\x02\x01\x00\x00\x00\x00", hookwire.ErrVersion},
		{"KH\x01\x02\x00\x00\x00\x00", hookwire.ErrProtocol}, // a response where a request is due
		{"KH\x01\x01\xff\xff\xff\xff", hookwire.ErrTooLarge},
		{"KH\x01\x01\x00\x00\x00\x00", hookwire.ErrProtocol}, // empty payload
		{"KH\x01\x01\x00\x00\x00\x04\xff\xff\xff\xff", hookwire.ErrProtocol},
	} {
		if _, err := hookwire.ReadRequest(strings.NewReader(c.in)); err != c.want {
			t.Errorf("%q: %v, want %v", c.in, err, c.want)
		}
	}
}

// A header that announces the largest payload and then sends nothing must not make
// the agent allocate it.
func TestHeaderAloneAllocatesLittle(t *testing.T) { //nolint:paralleltest // it reads the process's memory counters
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := hookwire.ReadRequest(strings.NewReader("KH\x01\x01\x04\x00\x00\x00"))
	runtime.ReadMemStats(&after)
	if err != io.ErrUnexpectedEOF {
		t.Fatalf("err = %v", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("a bare header cost %d bytes", n)
	}
}

func TestTooLargeIsRefusedBeforeSending(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	err := hookwire.WriteRequest(&b, hookwire.Request{Stdin: make([]byte, hookwire.MaxFrame)})
	if err != hookwire.ErrTooLarge || b.Len() != 0 {
		t.Errorf("err = %v with %d bytes sent; want ErrTooLarge and none", err, b.Len())
	}
	if !strings.Contains(err.Error(), "hookwire.MaxFrame") {
		t.Errorf("%q does not name the limit", err)
	}
}

// converse runs Serve at one end of a pipe and f at the other, and returns what
// Serve returned.
func converse(t *testing.T, handle func(hookwire.Request) hookwire.Response, f func(c net.Conn)) error {
	t.Helper()
	ours, theirs := net.Pipe()
	served := make(chan error)
	go func() {
		err := hookwire.Serve(theirs, handle)
		theirs.Close() //nolint:errcheck // a pipe
		served <- err
	}()
	f(ours)
	ours.Close() //nolint:errcheck // a pipe
	return <-served
}

func call(t *testing.T, c net.Conn, q hookwire.Request) hookwire.Response {
	t.Helper()
	if err := hookwire.WriteRequest(c, q); err != nil {
		t.Fatal(err)
	}
	p, err := hookwire.ReadResponse(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestServeTakesSeveralCallsOnOneConnection(t *testing.T) {
	t.Parallel()
	echo := func(q hookwire.Request) hookwire.Response {
		return hookwire.Response{Stdout: []byte(q.Tool + " " + strings.Join(q.Args, ","))}
	}
	err := converse(t, echo, func(c net.Conn) {
		for _, arg := range []string{"a", "b", "c"} {
			p := call(t, c, hookwire.Request{Tool: "tool", Dir: "/", Args: []string{arg}})
			if string(p.Stdout) != "tool "+arg {
				t.Errorf("got %q", p.Stdout)
			}
		}
	})
	if err != nil {
		t.Errorf("Serve = %v after the caller hung up, want nil", err)
	}
}

// Hook protocol reference, section 6.1: the texts for requests nobody can serve.
func TestServeRefusesWhatNoToolCanDo(t *testing.T) {
	t.Parallel()
	never := func(q hookwire.Request) hookwire.Response {
		t.Errorf("handler called with %+v", q)
		return hookwire.Response{}
	}
	err := converse(t, never, func(c net.Conn) {
		for _, v := range []struct {
			q    hookwire.Request
			want string
		}{
			{hookwire.Request{Dir: "/"}, "ERROR bad request: command not specified\n"},
			{hookwire.Request{Tool: "x"}, "ERROR bad request: Dir is not absolute\n"},
			{hookwire.Request{Tool: "x", Dir: "charm"}, "ERROR bad request: Dir is not absolute\n"},
		} {
			if p := call(t, c, v.q); string(p.Stderr) != v.want || p.Code != 1 {
				t.Errorf("%+v: %d %q, want 1 %q", v.q, p.Code, p.Stderr, v.want)
			}
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestServeTellsForeignersAndHangsUp(t *testing.T) {
	t.Parallel()
	err := converse(t, nil, func(c net.Conn) {
		if _, err := c.Write([]byte("KH\x07\x01\x00\x00\x00\x00")); err != nil {
			t.Fatal(err)
		}
		p, err := hookwire.ReadResponse(c)
		if err != nil || !strings.Contains(string(p.Stderr), "different protocol versions") {
			t.Errorf("answer %q, %v", p.Stderr, err)
		}
	})
	if !errors.Is(err, hookwire.ErrVersion) {
		t.Errorf("Serve = %v, want ErrVersion", err)
	}
}

func TestServeReplacesAnOversizedAnswer(t *testing.T) {
	t.Parallel()
	big := func(hookwire.Request) hookwire.Response {
		return hookwire.Response{Stdout: make([]byte, hookwire.MaxFrame)}
	}
	err := converse(t, big, func(c net.Conn) {
		p := call(t, c, hookwire.Request{Tool: "x", Dir: "/"})
		if p.Code != 1 || !strings.Contains(string(p.Stderr), "hookwire.MaxFrame") || len(p.Stdout) != 0 {
			t.Errorf("answer %d %q with %d bytes", p.Code, p.Stderr, len(p.Stdout))
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// Whatever is read as a message must be written as the same bytes: there is one
// encoding, so nothing was misread.
func FuzzReadRequest(f *testing.F) {
	var b bytes.Buffer
	if err := hookwire.WriteRequest(&b, sampleRequest()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("KH\x01\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		q, err := hookwire.ReadRequest(bytes.NewReader(in))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := hookwire.WriteRequest(&out, q); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(in, out.Bytes()) {
			t.Errorf("%q was read as %+v, which is written %q", in, q, out.Bytes())
		}
	})
}

func FuzzReadResponse(f *testing.F) {
	var b bytes.Buffer
	if err := hookwire.WriteResponse(&b, hookwire.Response{Code: 2, Stdout: []byte("x"), Stderr: []byte("y")}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := hookwire.ReadResponse(bytes.NewReader(in))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := hookwire.WriteResponse(&out, p); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(in, out.Bytes()) {
			t.Errorf("%q was read as %+v, which is written %q", in, p, out.Bytes())
		}
	})
}
