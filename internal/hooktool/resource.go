package hooktool

import (
	"slices"

	"kith/internal/core"
)

func resourceGet(i *invocation) error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 || args[0] == "" {
		return usageError("missing required resource name")
	}
	if err := noMore(args[1:]); err != nil {
		return err
	}
	r, err := i.run.resource(args[0])
	if err != nil {
		return because("could not download resource", err)
	}
	path, err := i.run.host.Resource(r)
	if err != nil {
		return because("could not download resource", err)
	}
	put(&i.run.fetched, r.Name, r.Sum())
	i.stdout = append(i.stdout, path...) // and no newline (section 13.4)
	return nil
}

// resource is the resource with a name, if it was given.
func (r *Run) resource(name string) (core.ResourceContext, error) {
	at := slices.IndexFunc(r.ctx.Resources, func(c core.ResourceContext) bool { return c.Name == name })
	if at < 0 {
		return core.ResourceContext{}, core.NoResource(r.ctx.Unit.App(), name)
	}
	return r.ctx.Resources[at], nil
}
