package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
)

// settleStep is how long one request to the controller may wait: short enough to
// show progress on a terminal, and it does not delay the answer, which comes when
// the model is settled.
const settleStep = time.Second

func settleCommand() *command {
	var timeout time.Duration
	return &command{
		name: "settle", args: "", group: groupWatch, scope: modelScope,
		summary: "Waits until nothing is left to do",
		details: `A model is settled when no hook, action or command is running or due, no failed hook
will be retried by itself, no forced removal is waiting and no storage is being
deleted. The controller knows this exactly, so there is nothing to poll: settle
returns the moment it is true, and at once if it is true already.

When the time is up, it says which unit is busy with what, and exits with status 1.
A unit whose hook failed for good does not keep a model from settling; settle then
warns of it and succeeds.`,
		examples: []example{
			{"settle", "Wait up to ten minutes"},
			{"settle --timeout 30s", "Wait up to half a minute"},
			{"settle --timeout 0s --format json", "Only ask how it stands"},
		},
		seeAlso: []string{"status", "resolved"},
		formats: []string{formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.DurationVarP(&timeout, "timeout", "t", 10*time.Minute, "How long to wait")
		},
		check: noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			r, err := x.settle(ctx, timeout)
			if err != nil {
				return err
			}
			if x.document() {
				if err := x.answer(r, nil); err != nil {
					return err
				}
			}
			for _, e := range r.Errors {
				x.warn("unit %s is in error: hook %q failed: %s", e.Unit, e.Hook, e.Message)
			}
			if !r.Settled {
				return notSettled(x.target.Name, timeout, r)
			}
			return nil
		},
	}
}

// settle waits until the model is settled or the time is up.
func (x *call) settle(ctx context.Context, timeout time.Duration) (api.SettleReply, error) {
	p := x.newProgress()
	defer p.clear()
	end := time.Now().Add(timeout)
	for {
		r, err := x.api.Settle(ctx, x.modelID(), min(max(time.Until(end), 0), settleStep))
		if err != nil || r.Settled || !time.Now().Before(end) {
			return r, err
		}
		p.show(busyLine(r.Busy))
	}
}

// notSettled says who is busy with what.
func notSettled(model string, timeout time.Duration, r api.SettleReply) error {
	text := fmt.Sprintf("model %q has not settled within %s", model, timeout)
	for _, b := range r.Busy {
		text += "\n  - " + busyText(b)
	}
	return kith.Errorf(kith.Unavailable, "%s", text).WithHint("'kith debug-log --replay' shows what the units did; --timeout gives them more time")
}

// busyLine is what a terminal shows while it waits.
func busyLine(busy []api.Busy) string {
	var parts []string
	for i, b := range busy {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("and %d more", len(busy)-i))
			break
		}
		parts = append(parts, busyText(b))
	}
	return "waiting: " + strings.Join(parts, "; ")
}

// busyText says what one unit is busy with.
func busyText(b api.Busy) string {
	text := string(b.Unit)
	switch b.With {
	case api.BusyRunning:
		text += fmt.Sprintf(" runs %s since %s", b.Hook, ago(b.Since))
	case api.BusyPending:
		text += fmt.Sprintf(" has %s to run", b.Hook)
	case api.BusyRetry:
		text += fmt.Sprintf(" retries %s, which failed, in %s", b.Hook, until(b.Until))
	case api.BusyCommands:
		text = plural(b.Count, "command") + " waiting to be decided"
	case api.BusyEviction:
		text = "a forced removal waits for units"
		if b.Relation != nil {
			text = fmt.Sprintf("the forced removal of relation %s waits for its units", b.Relation)
		}
		text += fmt.Sprintf(", %s more", until(b.Until))
	case api.BusyWiping:
		text = fmt.Sprintf("the data of storage %s is being deleted since %s", b.Storage, ago(b.Since))
	}
	if b.Offline {
		text += " (its agent is not connected)"
	}
	return strings.TrimSpace(text)
}

func ago(t time.Time) string   { return time.Since(t).Round(time.Second).String() }
func until(t time.Time) string { return max(time.Until(t), 0).Round(time.Second).String() }
