package agent

import (
	"context"
	"io"
	"iter"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// Controller is the agent's way to a controller, with the host's own identity.
// Errors that mean "not now", a lost connection among them, carry
// kith.Unavailable: the agent tries again until it has an answer. All others are
// answers. [Over] makes one from a client.
type Controller interface {
	// Host says that host's agent lives, in the life named epoch, and yields what it
	// holds and what it runs. It ends with one error.
	Host(ctx context.Context, host, epoch string) iter.Seq2[api.HostEvent, error]
	// Do sends a command and returns when it is durable, or refused.
	Do(ctx context.Context, model string, op core.Op) (api.CommandReply, error)
	// Blob opens the archive of a charm.
	Blob(ctx context.Context, id string) (io.ReadCloser, error)
	// AppendLogs delivers records of a model's units.
	AppendLogs(ctx context.Context, model string, records []api.LogRecord) error
	// Unit is the way of a unit, which may do less, with its credential.
	Unit(token string) UnitController
}

// UnitController is what a hook asks for while it runs, in the name of its unit.
type UnitController interface {
	Do(ctx context.Context, model string, op core.Op) (api.CommandReply, error)
	Bag(ctx context.Context, model string, id kith.RelationID, owner string) (api.BagReply, error)
	GoalState(ctx context.Context, model string, u kith.UnitName) (api.GoalState, error)
	Live(ctx context.Context, model string, u kith.UnitName, units bool) (api.UnitLive, error)
	UnitSecret(ctx context.Context, model string, u kith.UnitName, q core.SecretQuery) (core.SecretValue, error)
	UnitSecrets(ctx context.Context, model string, u kith.UnitName) ([]core.SecretInfo, error)
}

// backoff spaces out repeated tries: 50 ms, doubling, at most 5 s. A local
// controller that restarts is back within a second; one that is gone for hours
// must not be hammered by a thousand units.
type backoff struct{ next time.Duration }

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// wait pauses, and reports whether ctx is still good.
func (b *backoff) wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, firstBackoff), maxBackoff)
	return pause(ctx, b.next)
}

// pause waits for d, and reports whether ctx is still good.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// insist repeats try until it has an answer, whatever the answer is, or ctx ends.
func insist[T any](ctx context.Context, try func(context.Context) (T, error)) (T, error) {
	var wait backoff
	for {
		v, err := try(ctx)
		if err == nil || kith.CodeOf(err) != kith.Unavailable || !wait.wait(ctx) {
			return v, err
		}
	}
}
