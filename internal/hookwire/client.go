package hookwire

import (
	"errors"
	"os"
	"syscall"
)

// Conn is a connection to a unit agent. A Go charm may keep one for the length of a
// hook and make all its calls on it. It is not safe for concurrent use: the agent
// serves one call at a time anyway.
type Conn struct {
	file *os.File
	// broken is the error that ended the conversation.
	broken error
}

// Dial connects to the unit agent at a unix socket; network must be "unix", which is
// what JUJU_AGENT_SOCKET_NETWORK says.
//
// It speaks to the kernel directly: package net would double the start-up cost that
// kith-hook adds to that of an empty program.
func Dial(network, address string) (*Conn, error) {
	if network != "unix" {
		return nil, errors.New(`network "` + network + `" is not supported, want "unix"`)
	}
	syscall.ForkLock.RLock() // between socket and close-on-exec nobody may fork
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	if err := connect(fd, &syscall.SockaddrUnix{Name: address}); err != nil {
		_ = syscall.Close(fd) // the first error is the one to report
		return nil, err
	}
	return &Conn{file: os.NewFile(uintptr(fd), address)}, nil
}

// connect repeats a connect that a signal interrupted.
func connect(fd int, to syscall.Sockaddr) error {
	for {
		switch err := syscall.Connect(fd, to); err {
		case syscall.EINTR:
		case syscall.EISCONN: // the interrupted one had got there
			return nil
		default:
			return err
		}
	}
}

// Call makes one call and waits for the answer. After an error the connection is of
// no more use, and every later Call returns the same error.
//
// Errors: ErrClosed if the agent hung up, ErrTooLarge (nothing was sent, and the
// connection stays usable), ErrProtocol, ErrVersion.
func (c *Conn) Call(q Request) (Response, error) {
	if c.broken != nil {
		return Response{}, c.broken
	}
	err := WriteRequest(c.file, q)
	if err == ErrTooLarge {
		return Response{}, err
	}
	var p Response
	if err == nil {
		p, err = ReadResponse(c.file)
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		err = ErrClosed
	}
	c.broken = err
	return p, err
}

// Next says that an event is over and waits for the next one, which the agent may
// send at any later time. It is what a charm that stays does between two events.
// After an error there is none for this process, and the connection is of no more use.
//
// Errors: ErrClosed if the agent hung up, which it also does to decline; ErrProtocol, ErrVersion.
func (c *Conn) Next(o Over) (Event, error) {
	if c.broken != nil {
		return Event{}, c.broken
	}
	err := writeOver(c.file, o)
	var e Event
	if err == nil {
		e, err = readEvent(c.file)
	}
	if err == nil {
		err = writeBegun(c.file)
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		err = ErrClosed
	}
	c.broken = err
	return e, err
}

// Interrupt ends a [Conn.Next] that waits, or will, with [ErrClosed]. It may be called
// beside it, and not beside Close.
func (c *Conn) Interrupt() {
	_ = syscall.Shutdown(int(c.file.Fd()), syscall.SHUT_RD) // a connection that is gone needs none
}

// Close hangs up.
func (c *Conn) Close() error { return c.file.Close() }
