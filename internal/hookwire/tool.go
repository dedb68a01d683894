package hookwire

import (
	"errors"
	"io"
	"os"
	"strconv"
)

// Exit statuses of the tool itself; all others come from the agent.
const (
	exitFailed = 1
	exitCrash  = 3
)

// Process is what a hook tool has of the process it runs in.
type Process struct {
	Args           []string // Args[0] is the name it was called by
	Getenv         func(string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Main is the whole of a hook tool: it passes the call on to the unit agent, prints
// what comes back and returns the exit status. Failures of its own are one line
// "ERROR ..." on standard error (hook protocol reference, section 6.1).
func Main(p Process) (status int) {
	defer func() {
		if r := recover(); r != nil {
			complain(p.Stderr, errors.New("hook tool crashed: "+describe(r)))
			status = exitCrash
		}
	}()
	answer, err := relay(p)
	if err != nil {
		complain(p.Stderr, err)
		return exitFailed
	}
	_, err = p.Stdout.Write(answer.Stdout)
	if _, e := p.Stderr.Write(answer.Stderr); err == nil {
		err = e
	}
	if err != nil {
		complain(p.Stderr, because("cannot write the output of "+strconv.Quote(base(p.Args[0])), err))
		return exitFailed
	}
	return int(answer.Code)
}

// relay makes the call, twice if the tool turns out to want standard input.
func relay(p Process) (Response, error) {
	dir, err := os.Getwd()
	if err != nil {
		return Response{}, err
	}
	q := Request{Dir: dir, Tool: base(p.Args[0]), Args: p.Args[1:]}
	var address, network string
	for _, v := range []struct {
		name string
		to   *string
	}{
		{"JUJU_CONTEXT_ID", &q.ContextID},
		{"JUJU_AGENT_SOCKET_ADDRESS", &address},
		{"JUJU_AGENT_SOCKET_NETWORK", &network},
	} {
		if *v.to = p.Getenv(v.name); *v.to == "" {
			return Response{}, errors.New(v.name + " not set")
		}
	}
	conn, err := Dial(network, address)
	if err != nil {
		return Response{}, because("cannot reach the unit agent at "+strconv.Quote(address), err)
	}
	defer conn.Close() //nolint:errcheck // nothing is lost with it: the answer is here
	return conn.converse(q, p.Stdin)
}

func (c *Conn) converse(q Request, stdin io.Reader) (Response, error) {
	verb := "cannot run " + strconv.Quote(q.Tool)
	answer, err := c.Call(q)
	if err == nil && answer.NeedStdin {
		if q.Stdin, err = io.ReadAll(io.LimitReader(stdin, MaxFrame+1)); err != nil {
			return Response{}, because("cannot read standard input", err)
		}
		q.StdinSupplied = true
		answer, err = c.Call(q)
		if err == nil && answer.NeedStdin {
			err = ErrProtocol
		}
	}
	if err != nil {
		return Response{}, because(verb, err)
	}
	return answer, nil
}

// because says why something failed, without the operation and path that os puts
// before the cause: the sentence names them already.
func because(what string, err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return errors.New(what + ": " + err.Error())
}

func complain(w io.Writer, err error) {
	_, _ = io.WriteString(w, "ERROR "+err.Error()+"\n") // there is nobody left to tell
}

func describe(r any) string {
	switch v := r.(type) {
	case error:
		return v.Error()
	case string:
		return v
	}
	return "unknown cause"
}

// base is the last element of the path a tool was called by.
func base(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}
