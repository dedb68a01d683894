package cli

import (
	"context"
	"errors"

	"github.com/spf13/pflag"
)

// hostFlags are the flags of up for what runs in the process.
type hostFlags struct{}

func (h *hostFlags) declare(*pflag.FlagSet) {}
func (h *hostFlags) args() []string         { return nil }

func (x *call) host(context.Context, *daemon, hostFlags) error { return errors.New("not wired yet") }
