// kith runs Juju charms and the integrations between them. Called as juju it
// answers as juju does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kith/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	status := cli.Run(ctx, os.Args, cli.OSStreams())
	stop()
	os.Exit(status)
}
