package opstest

import (
	"context"

	"kith/ops"
)

// A Charm is a charm that tests can deploy: in Go, what [NewCharm] makes of the function
// that a charm gives to [ops.Main]; in any language, a [Folder]. It holds no state and can be deployed many times, in
// parallel tests too.
type Charm struct {
	Metadata
	run   func(context.Context, ops.Dispatch) (any, error)
	files bool
	// packed is the archive of a charm whose events run as processes, see [Folder].
	packed []byte
}

// WithFiles is the same charm with a folder for each of its units, which is gone when the
// test ends: Env.CharmDir names it. It is empty at first. Without it that folder is not
// there, as most charms in tests need none and a folder takes longer than a test.
func (c *Charm) WithFiles() *Charm {
	with := *c
	with.files = true
	return &with
}

// NewCharm makes a charm of the function a charm gives to [ops.Main]. Without metadata it
// is that of the folder the test runs in.
func NewCharm[C any](new func(*ops.Framework) (C, error), from ...Metadata) *Charm {
	c := &Charm{run: func(ctx context.Context, d ops.Dispatch) (any, error) { return ops.Run(ctx, d, new) }}
	if len(from) > 0 {
		c.Metadata = from[0]
	} else {
		c.Metadata = Dir(".")
	}
	return c
}

// dispatch gives the charm one event. A panic of the charm is an error, as in [ops.Main].
func (c *Charm) dispatch(ctx context.Context, d ops.Dispatch) (made any, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case stopped: // not the charm's
			panic(r)
		default:
			err = newPanicked(r)
		}
	}()
	return c.run(ctx, d)
}
