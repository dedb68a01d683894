package ops

import (
	"strconv"

	"kith"
	"kith/internal/hookwire"
)

// SocketCaller makes its calls over the socket of a kith unit agent: no process is
// started.
type SocketCaller struct {
	conn      *hookwire.Conn
	contextID string
	dir       string
}

// DialSocket connects to the unit agent that a hook's environment names. ok is false
// if there is none that speaks our protocol: under Juju, or under a kith of another
// version. Then the hook tools are the way.
func DialSocket(getenv func(string) string, dir string) (c *SocketCaller, ok bool) {
	if getenv(hookwire.VersionVariable) != strconv.Itoa(hookwire.Version) {
		return nil, false
	}
	conn, err := hookwire.Dial(getenv("JUJU_AGENT_SOCKET_NETWORK"), getenv("JUJU_AGENT_SOCKET_ADDRESS"))
	if err != nil {
		return nil, false
	}
	return &SocketCaller{conn, getenv("JUJU_CONTEXT_ID"), dir}, true
}

// Call makes a call. Errors: Unavailable if the agent has gone away.
func (c *SocketCaller) Call(t ToolCall) (ToolResult, error) {
	q := hookwire.Request{
		ContextID: c.contextID, Dir: c.dir, Tool: t.Tool, Args: append(t.Args[:len(t.Args):len(t.Args)], t.Private...),
		StdinSupplied: t.Stdin != nil, Stdin: t.Stdin,
	}
	p, err := c.conn.Call(q)
	if err == nil && p.NeedStdin {
		err = hookwire.ErrProtocol
	}
	if err != nil {
		return ToolResult{}, kith.Errorf(kith.Unavailable, "cannot run %q: %v", t.Tool, err)
	}
	return ToolResult{Status: int(p.Code), Stdout: p.Stdout, Stderr: p.Stderr}, nil
}

// Close hangs up.
func (c *SocketCaller) Close() error { return c.conn.Close() }
