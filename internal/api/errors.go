package api

import "kith"

// Error is the body of every answer that is not a success. Reference is set for
// internal errors: the full text stands beside it in the controller's log.
type Error struct {
	kith.Error
	Reference string `json:"reference,omitempty"`
}

// Header names.
const (
	// HeaderToken carries a credential: "Bearer TOKEN".
	HeaderToken = "Authorization"
	// HeaderEpoch carries the epoch of a host's agent with its commands, for the log.
	HeaderEpoch = "Kith-Epoch"
)

// StreamEnd is the last line of a stream that ends for a reason of its own. A
// line is either a message of the stream or {"end": …}.
type StreamEnd struct {
	End *EndReason `json:"end,omitempty"`
}

// EndReason says why a stream ended.
type EndReason struct {
	kith.Error
	// Resync is true if the reader was too slow: start again, nothing is wrong.
	Resync bool `json:"resync,omitempty"`
}

// The limits of what may be sent. Each is named in the refusal.
const (
	// MaxBody bounds a command. A databag may hold 16 MiB; JSON escaping can
	// double it and a hook may write several.
	MaxBody = 96 << 20
	// MaxBag bounds one databag, keys and values.
	MaxBag = 16 << 20
	// MaxBlob bounds a charm archive.
	MaxBlob = 1 << 30
	// MaxLogBody bounds one delivery of log records.
	MaxLogBody = 4 << 20
)
