package agent

import (
	"context"
	"io"
	"iter"

	"kith/internal/api"
)

// way is how an agent reaches a controller: a client, or the server beside it. It asks
// with one credential, and WithToken makes it another's.
type way[W any] interface {
	UnitController
	Host(ctx context.Context, host, epoch string) iter.Seq2[api.HostEvent, error]
	Blob(ctx context.Context, id string) (io.ReadCloser, error)
	AppendLogs(ctx context.Context, model string, records []api.LogRecord) error
	WithToken(token string) W
}

// Over is the controller at the end of a way. The way's credential is the host's.
func Over[W way[W]](w W) Controller { return over[W]{w} }

type over[W way[W]] struct{ way[W] }

// Unit is the same way with a unit's credential.
func (o over[W]) Unit(token string) UnitController { return o.WithToken(token) }
