package cli

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/core"
)

// space is the only network space there is.
const space = "alpha"

// exposeCommand is expose, or unexpose (CLI reference, section 8.5).
func exposeCommand(remove bool) *command {
	var endpoints, spaces, cidrs []string
	c := &command{
		name: "expose", args: "<application>", group: groupApp, scope: modelScope,
		summary: "Notes that an application may be reached from outside",
		details: `The note is shown by status. Nothing is opened by it: units on this computer have no
firewall before them, and their addresses are of this computer only.`,
		examples: []example{{"expose web", "By all endpoints"}, {"expose web --endpoints www,admin", "By two of them"}},
		seeAlso:  []string{"unexpose", "status"},
		complete: firstArg(completeApps),
	}
	if remove {
		c.name, c.summary = "unexpose", "Takes back that an application may be reached from outside"
		c.details, c.seeAlso = "With --endpoints those are taken back; with the last of them the application is not\nexposed any more.", []string{"expose"}
		c.examples = []example{{"unexpose web", "Wholly"}, {"unexpose web --endpoints admin", "By one endpoint"}}
	}
	c.flags = func(f *pflag.FlagSet) {
		f.StringSliceVar(&endpoints, "endpoints", nil, "Only these endpoints")
		if !remove {
			f.StringSliceVar(&spaces, "to-spaces", nil, "To these network spaces; there is only alpha")
			f.StringSliceVar(&cidrs, "to-cidrs", nil, "To these networks; checked, and not kept")
		}
	}
	c.check = func(_ *call, args []string) error {
		if len(args) == 0 {
			return usagef("no application name specified")
		}
		if _, err := appArg(args[0]); err != nil {
			return err
		}
		return atMost(1)(nil, args)
	}
	c.run = func(ctx context.Context, x *call, args []string) error {
		if err := checkExposure(spaces, cidrs); err != nil {
			return err
		}
		op := core.Expose{App: kith.AppName(args[0]), Remove: remove}
		for _, e := range endpoints {
			op.Endpoints = append(op.Endpoints, kith.EndpointName(strings.TrimSpace(e)))
		}
		_, err := x.do(ctx, op)
		return whole(err)
	}
	return c
}

func checkExposure(spaces, cidrs []string) error {
	for _, s := range spaces {
		if s != space {
			return kith.Errorf(kith.NotFound, "space %q not found", s).WithHint("there is one space, %s", space)
		}
	}
	for _, s := range cidrs {
		if _, err := netip.ParsePrefix(s); err != nil {
			return kith.Errorf(kith.Invalid, "invalid CIDR address: %s", s).WithHint("such as 10.0.0.0/8")
		}
	}
	return nil
}

// bindCommand follows the CLI reference, section 8.4. There is one space, so that what
// is right changes nothing.
func bindCommand() *command {
	return &command{
		name: "bind", args: "<application> [<default-space>] [<endpoint>=<space> ...]", group: groupApp, scope: modelScope,
		summary:  "Binds the endpoints of an application to network spaces",
		details:  "There is one space, alpha, and every endpoint is in it. The command checks what it is\ngiven and says so.",
		examples: []example{{"bind web alpha", "Every endpoint"}, {"bind web db=alpha", "One endpoint"}},
		seeAlso:  []string{"deploy", "show-application"},
		flags:    func(f *pflag.FlagSet) { f.Bool("force", false, "Accepted for Juju's sake; does nothing") },
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no application specified")
			}
			_, err := appArg(args[0])
			return err
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			if len(args) == 1 {
				return kith.Errorf(kith.Invalid, "no bindings specified")
			}
			app, err := x.api.App(ctx, x.modelID(), kith.AppName(args[0]))
			if err != nil {
				return whole(err)
			}
			if _, err := readBindings(args[1:], app.Bindings); err != nil {
				return err
			}
			x.sayUnchanged(app.Bindings)
			return nil
		},
	}
}

// sayUnchanged says which endpoints stay in their space: all that were there, also those nobody
// spoke of.
func (x *call) sayUnchanged(endpoints []string) {
	switch len(endpoints) {
	case 0:
	case 1:
		x.say("no change to endpoint in space %q: %s", space, endpoints[0])
	default:
		x.say("no change to endpoints in space %q: %s", space, strings.Join(slices.Sorted(slices.Values(endpoints)), ", "))
	}
}

// sayNewEndpoints says which endpoints an application got with another charm, and returns those it had. Bound are
// the endpoints that --bind has named.
func (x *call) sayNewEndpoints(before, after, bound []string) (stay []string) {
	for _, e := range slices.Sorted(slices.Values(after)) {
		switch {
		case slices.Contains(before, e):
			stay = append(stay, e)
		case slices.Contains(bound, e):
			x.say("adding endpoint %q to space %q", e, space)
		default:
			x.say("adding endpoint %q to default space %q", e, space)
		}
	}
	return stay
}

// readBindings reads "[SPACE] [ENDPOINT=SPACE ...]" and returns the endpoints it names.
func readBindings(args, endpoints []string) ([]string, error) {
	var bound []string
	for i, arg := range args {
		endpoint, to, named := strings.Cut(arg, "=")
		switch {
		case !named && i > 0, named && (endpoint == "" || to == ""), arg == "":
			return nil, kith.Errorf(kith.Invalid, "--bind must be in the form '[<default-space>] [<endpoint-name>=<space> ...]'; %q is not", arg)
		case !named:
			to = arg
		case !slices.Contains(endpoints, endpoint):
			return nil, kith.Errorf(kith.NotFound, "endpoint %q not found", endpoint)
		default:
			bound = append(bound, endpoint)
		}
		if to != space {
			return nil, kith.Errorf(kith.NotFound, "space %q not found", to).WithHint("there is one space, %s", space)
		}
	}
	return bound, nil
}
