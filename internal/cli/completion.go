package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// completionTime is how long the shell's user may be kept waiting for proposals.
const completionTime = 2 * time.Second

// proposer proposes values for the next argument after args.
type proposer = func(ctx context.Context, x *call, args []string) []string

// addCompletion tells cobra what it can propose to a shell.
func (c *command) addCompletion(cc *cobra.Command, x *call, o *options) {
	if c.complete != nil {
		cc.ValidArgsFunction = c.proposals(x, o, c.complete)
	}
	flags := map[string]proposer{}
	for name, p := range c.completeFlag {
		flags[name] = p
	}
	if c.scope == modelScope {
		flags["model"] = completeModels
	}
	if len(c.formats) > 0 {
		flags["format"] = func(context.Context, *call, []string) []string { return c.formats }
	}
	for name, p := range flags { // any order: each is registered by itself
		if err := cc.RegisterFlagCompletionFunc(name, c.proposals(x, o, p)); err != nil {
			panic(err) // the flag does not exist
		}
	}
}

// proposals turns p into what cobra calls. What cannot be found out is not proposed.
func (c *command) proposals(x *call, o *options, p proposer) cobra.CompletionFunc {
	return func(cc *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		x.options = *o
		ctx, cancel := context.WithTimeout(cc.Context(), completionTime)
		defer cancel()
		if err := x.open(ctx, c); err != nil {
			// A model that is not chosen yet is no reason not to propose models.
			if x.api == nil || !x.hasController() {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
		}
		values := slices.DeleteFunc(p(ctx, x, args), func(s string) bool {
			return !strings.HasPrefix(s, prefix) || slices.Contains(args, s)
		})
		return values, cobra.ShellCompDirectiveNoFileComp
	}
}

// upTo limits a proposer to the first n arguments.
func upTo(n int, p proposer) proposer {
	return func(ctx context.Context, x *call, args []string) []string {
		if len(args) >= n {
			return nil
		}
		return p(ctx, x, args)
	}
}

func firstArg(p proposer) proposer { return upTo(1, p) }

func completeModels(ctx context.Context, x *call, _ []string) []string {
	models, err := x.api.Models(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, m := range models {
		names = append(names, m.Name)
	}
	return names
}

func completeApps(ctx context.Context, x *call, _ []string) []string {
	s, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return nil
	}
	var names []string
	for _, a := range s.Apps {
		names = append(names, string(a.Name))
	}
	return names
}

func completeUnits(ctx context.Context, x *call, _ []string) []string {
	s, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return nil
	}
	var names []string
	for _, u := range s.Units {
		names = append(names, string(u.Name))
	}
	return names
}

// completeEntities proposes applications and units.
func completeEntities(ctx context.Context, x *call, args []string) []string {
	return append(completeApps(ctx, x, args), completeUnits(ctx, x, args)...)
}

// completeEndpoints proposes applications, and endpoints of an application that
// was named up to the colon. After one endpoint only those that fit it remain.
func completeEndpoints(ctx context.Context, x *call, args []string) []string {
	var names []string
	for _, app := range completeApps(ctx, x, args) {
		names = append(names, app)
		names = append(names, x.endpointsOf(ctx, app)...)
	}
	if len(args) == 0 {
		return names
	}
	first, _, _ := strings.Cut(args[0], ":")
	return slices.DeleteFunc(names, func(s string) bool { return s == first || strings.HasPrefix(s, first+":") })
}

func completeRelations(ctx context.Context, x *call, _ []string) []string {
	s, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return nil
	}
	var ids []string
	for _, r := range s.Relations {
		ids = append(ids, r.ID.String()+"\t"+r.Key)
	}
	return ids
}
