package hookwire

import (
	"errors"
	"io"
	"strconv"
)

// Version is the protocol version this package speaks.
const Version = 1

// VersionVariable names the environment variable by which a unit agent tells a charm
// that the socket of JUJU_AGENT_SOCKET_ADDRESS speaks hookwire, and in which version.
// Under Juju the socket is there too, and speaks something else.
const VersionVariable = "KITH_HOOKWIRE"

// ResidentVersion is the version of the conversation with a charm that stays: see [Over].
const ResidentVersion = 1

// ResidentVariable names the environment variable by which a unit agent tells a charm
// that its process may stay, and in which version of the conversation.
const ResidentVariable = "KITH_RESIDENT"

// MaxFrame is the largest payload of a frame: a whole databag of 16 MiB fits even if
// JSON escapes every byte of it into several, with room for names beside it.
const MaxFrame = 64<<20 + 64<<10

const (
	headerSize   = 8
	kindRequest  = 1
	kindResponse = 2
	kindOver     = 3
	kindEvent    = 4
	kindBegun    = 5
	// firstChunk bounds what a header alone can make us allocate.
	firstChunk = 64 << 10
)

// Errors of the wire. Others come from the connection itself.
var (
	// ErrClosed says that the peer closed the connection before it answered.
	ErrClosed = errors.New("the connection was closed before the answer came")
	// ErrProtocol says that the peer speaks something else than hookwire.
	ErrProtocol = errors.New("the bytes received are not a hookwire frame")
	// ErrVersion says that the peer speaks another version of hookwire.
	ErrVersion = errors.New("the hook tool and the unit agent speak different protocol versions; restart the unit agent")
	// ErrTooLarge says that a frame would be larger than MaxFrame.
	ErrTooLarge = errors.New("call too large: over the limit hookwire.MaxFrame (" + strconv.Itoa(MaxFrame) + " bytes)")
)

// writeFrame sends one frame in one write, so that a small call is one packet.
// payload must have been started by newPayload, which left room for the header.
func writeFrame(w io.Writer, kind byte, frame []byte) error {
	n := len(frame) - headerSize
	if n > MaxFrame {
		return ErrTooLarge
	}
	copy(frame, []byte{'K', 'H', Version, kind, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	_, err := w.Write(frame)
	return err
}

// newPayload starts a frame whose payload will be about size bytes.
func newPayload(size int) []byte { return make([]byte, headerSize, headerSize+size) }

// readFrame reads one frame of the wanted kind. The end of the connection between
// two frames is io.EOF, inside a frame io.ErrUnexpectedEOF.
func readFrame(r io.Reader, kind byte) ([]byte, error) {
	_, payload, err := readOneOf(r, kind, kind)
	return payload, err
}

// readOneOf reads one frame of either kind, and says which it is.
func readOneOf(r io.Reader, kind, other byte) (byte, []byte, error) {
	var h [headerSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return 0, nil, err
	}
	if h[0] != 'K' || h[1] != 'H' {
		return 0, nil, ErrProtocol
	}
	if h[2] != Version {
		return 0, nil, ErrVersion
	}
	if h[3] != kind && h[3] != other {
		return 0, nil, ErrProtocol
	}
	n := int64(h[4])<<24 | int64(h[5])<<16 | int64(h[6])<<8 | int64(h[7])
	if n > MaxFrame {
		return 0, nil, ErrTooLarge
	}
	payload, err := readPayload(r, int(n))
	return h[3], payload, err
}

// readPayload reads n bytes, growing its buffer only as they arrive.
func readPayload(r io.Reader, n int) ([]byte, error) {
	buf := make([]byte, 0, min(n, firstChunk))
	for len(buf) < n {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(n, 2*cap(buf)))
			copy(grown, buf)
			buf = grown
		}
		m, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+m]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
	return buf, nil
}

func appendUint32(b []byte, n int) []byte {
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendString[S string | []byte](b []byte, s S) []byte {
	return append(appendUint32(b, len(s)), s...)
}

// decoder takes a payload apart. The first thing that does not fit sets bad, and
// everything after it reads as empty.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) byte() byte {
	if len(d.rest) < 1 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) uint32() int {
	if len(d.rest) < 4 {
		d.bad, d.rest = true, nil
		return 0
	}
	n := int(d.rest[0])<<24 | int(d.rest[1])<<16 | int(d.rest[2])<<8 | int(d.rest[3])
	d.rest = d.rest[4:]
	return n
}

func (d *decoder) bytes() []byte {
	n := d.uint32()
	if n < 0 || n > len(d.rest) {
		d.bad, d.rest = true, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) string() string { return string(d.bytes()) }

// done reports whether the payload was well formed and is used up.
func (d *decoder) done() bool { return !d.bad && len(d.rest) == 0 }
