package cli

import (
	"context"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

func trustCommand() *command {
	var remove bool
	var scope string
	return &command{
		name: "trust", args: "<application>", group: groupApp, scope: modelScope,
		summary:  "Sets the trust of an application",
		details:  "The trust is kept and shown by config. kith has no cloud credentials to give away, so\nnothing else follows from it.",
		examples: []example{{"trust web", "Trust an application"}, {"trust web --remove", "No longer"}},
		seeAlso:  []string{"config"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&remove, "remove", false, "Take the trust back")
			f.StringVar(&scope, "scope", "", "For Kubernetes models: cluster")
		},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no application name specified")
			}
			return atMost(1)(nil, args)
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			if scope != "" && scope != "cluster" {
				return kith.Errorf(kith.Invalid, "scope %q not valid", scope)
			}
			trust := !remove
			_, err := x.do(ctx, core.SetConfig{App: kith.AppName(args[0]), Trust: &trust})
			return whole(err)
		},
	}
}
