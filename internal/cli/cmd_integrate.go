package cli

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

func integrateCommand() *command {
	var via string
	return &command{
		name: "integrate", aliases: []string{"relate"}, args: "<application>[:<endpoint>] <application>[:<endpoint>]",
		group: groupRelation, scope: modelScope,
		summary: "Integrates two applications",
		details: `Both applications must have an endpoint with the same interface, one that provides
it and one that requires it. Where only one pair of endpoints fits, the names of
the applications are enough; otherwise name the endpoints.

The units of both applications then run their relation hooks; "settle" waits for
them. If the same two endpoints are still being taken apart, integrate waits for
that first.`,
		examples: []example{
			{"integrate web db", "Integrate two applications by the one pair of endpoints that fits"},
			{"integrate web:database db:server", "Say which endpoints"},
			{"integrate web rsyslog-forwarder", "Put a subordinate beside each unit of web"},
		},
		seeAlso: []string{"remove-relation", "status", "settle"},
		flags: func(f *pflag.FlagSet) {
			f.StringVar(&via, "via", "", "Subnets a cross-model relation goes through: CIDR[,CIDR...]")
		},
		check: func(_ *call, args []string) error {
			if len(args) != 2 {
				return usagef("an integration must involve two applications")
			}
			if isOfferURL(args[0]) && isOfferURL(args[1]) {
				return usagef("providing more than one remote endpoints not supported")
			}
			if _, err := parseEndpoints(args); err != nil {
				return err
			}
			return checkCIDRs(via)
		},
		complete: upTo(2, completeEndpoints),
		run: func(ctx context.Context, x *call, args []string) error {
			if via != "" {
				return kith.Errorf(kith.Invalid, "integration via subnets for non cross model relations not supported")
			}
			ends, err := parseEndpoints(args)
			if err != nil {
				return err
			}
			return x.integrateError(x.integrate(ctx, core.Integrate{A: ends[0], B: ends[1]}))
		},
	}
}

// stillDying ends the refusal of a pair whose old relation is on its way out.
const stillDying = "is dying, but not yet removed"

// patience is how long integrate waits for an old relation to go. Its units run two
// hooks each for that; one that hangs or fails must not hold the terminal for ever.
const patience = time.Minute

// integrate sends the command. Where the same pair is still being removed it waits
// until something has changed and tries again: people who take two applications
// apart and put them together again should not have to write the loop. If the model
// comes to rest with the old relation still there, nothing will remove it.
func (x *call) integrate(ctx context.Context, op core.Integrate) error {
	_, refusal := x.do(ctx, op)
	if !dying(refusal) {
		return refusal
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for event, err := range x.api.Watch(ctx, x.modelID(), false) {
		if err != nil {
			break
		}
		_, again := x.do(ctx, op)
		if ctx.Err() != nil {
			break
		}
		if refusal = again; !dying(refusal) || event.Settled {
			break
		}
	}
	return refusal
}

func dying(err error) bool {
	var e *kith.Error
	return errors.As(err, &e) && strings.HasSuffix(e.Message, stillDying)
}

// isOfferURL reports whether an argument names an offer of another model: it has a dot.
func isOfferURL(s string) bool { return strings.Contains(s, ".") }

// parseEndpoints reads one or two APP[:ENDPOINT] arguments.
func parseEndpoints(args []string) ([]kith.Endpoint, error) {
	ends := make([]kith.Endpoint, len(args))
	for i, a := range args {
		if strings.Count(a, ":") > 1 || strings.HasSuffix(a, ":") || strings.HasPrefix(a, ":") {
			return nil, usagef("endpoint %q not valid", a)
		}
		e, err := kith.ParseEndpoint(a)
		if err != nil {
			return nil, &usageError{err}
		}
		ends[i] = e
	}
	return ends, nil
}

// checkCIDRs reads the value of --via.
func checkCIDRs(via string) error {
	if via == "" {
		return nil
	}
	for _, s := range strings.Split(via, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(s))
		if err != nil {
			return usagef("invalid CIDR address: %s", s)
		}
		if p.Bits() == 0 {
			return usagef("CIDR %q not allowed", s)
		}
	}
	return nil
}

// overLimit is the refusal of one relation too many, whose category the wire does not carry.
var overLimit = regexp.MustCompile(`would exceed its maximum relation limit of \d+$`)

// integrateError puts a refusal into the form integrate prints (CLI reference,
// section 7.2). That the relation exists already is the one sentence core leaves
// unsaid, as Juju's does: its hint says it. The message is then broken at every
// colon and blank, and a line says where to look.
func (x *call) integrateError(err error) error {
	var e *kith.Error
	switch {
	case !errors.As(err, &e):
		return err
	case overLimit.MatchString(e.Message):
		return categorized(e, "quota limit exceeded")
	case strings.HasPrefix(e.Hint, "already exists"):
		text := strings.ReplaceAll(e.Message, ": ", "\n") + " (already exists): "
		return kith.Errorf(e.Code, "%s\n\nUse '%s status --relations' to view the current relations.", text, x.program)
	}
	return whole(err)
}
