package cli

import (
	"context"
	"errors"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// grantSecretCommand is grant-secret, or its opposite.
func grantSecretCommand(revoke bool) *command {
	c := &command{
		name: "grant-secret", args: "<id>|<name> <application>[,<application> ...]", group: groupSecret, scope: modelScope,
		summary: "Lets applications read a secret of the model",
		details: "All units of the applications may then read the secret, until it is revoked.",
		examples: []example{
			{"grant-secret db-login web", "Let one application read a secret"},
			{"grant-secret db-login web,worker", "Let two"},
		},
		seeAlso: []string{"revoke-secret", "add-secret", "show-secret"},
	}
	if revoke {
		c.name, c.summary = "revoke-secret", "Takes back what grant-secret has given"
		c.details = "What units have read they know; they cannot read it again, nor learn of new revisions."
		c.examples = []example{{"revoke-secret db-login web", "Take a secret back"}}
		c.seeAlso = []string{"grant-secret", "show-secret"}
	}
	c.check = func(_ *call, args []string) error {
		if len(args) < 2 {
			return usagef("missing secret URI or application name")
		}
		_, err := appList(args[1])
		if err != nil {
			return err
		}
		return atMost(2)(nil, args)
	}
	c.complete = upTo(2, completeShares)
	c.run = func(ctx context.Context, x *call, args []string) error {
		apps, err := appList(args[1])
		if err != nil {
			return err
		}
		s, err := x.api.Secret(ctx, x.modelID(), args[0], api.SecretQuery{})
		if err != nil {
			return err
		}
		_, err = x.do(ctx, core.GrantSecret{Secret: string(s.ID), Apps: apps, Revoke: revoke})
		var refused *kith.Error
		if errors.As(err, &refused) {
			return refused.Prefix("failed to grant/revoke secret: ")
		}
		return err
	}
	return c
}

// appList reads application names separated by commas.
func appList(s string) ([]kith.AppName, error) {
	var apps []kith.AppName
	for name := range strings.SplitSeq(s, ",") {
		app, err := appArg(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		apps = append(apps, app)
	}
	return apps, nil
}
