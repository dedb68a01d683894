package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"kith"
	"kith/internal/client"
)

// privately runs f against a controller and an agent of its own, in this process and in a
// folder that is gone afterwards. Nothing of the caller's home is touched.
func (x *call) privately(ctx context.Context, h hostFlags, f func(ctx context.Context, x *call) error) (err error) {
	dir, err := os.MkdirTemp("", "kith-")
	if err != nil {
		return kith.Errorf(kith.Unavailable, "cannot make a folder to work in: %v", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &daemon{data: dir}
	if err := d.prepare(); err != nil {
		return err
	}
	r := &roles{d: d, flags: h, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if x.debug {
		r.log = slog.New(slog.NewTextHandler(x.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(ctx, x.getenv); err != nil {
		return err
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	inside := *x
	inside.api = client.Unix(d.socket())
	defer inside.api.Close()
	var said error
	err = r.run(ctx, func() error {
		said = f(ctx, &inside)
		done() // that was all
		return nil
	})
	return errors.Join(said, err)
}
