package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/charm"
)

// ResourceFile is what an operator gives for a resource: the bytes of a file, which must
// have been uploaded, or the name of an image.
type ResourceFile struct {
	SHA256 string `json:"sha256,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Image  string `json:"image,omitempty"`
}

// Resource is a file or an image that an application has beside its charm.
type Resource struct {
	ResourceFile
	User  string    `json:"user"` // who gave it
	Given time.Time `json:"given"`
}

// ResourceContext is a resource a hook can have: declared by the charm, and given.
type ResourceContext struct {
	Name     string `json:"name"`
	Filename string `json:"filename,omitempty"`
	ResourceFile
}

// resourceContext lists what resource-get finds, by name.
func (v View) resourceContext(c *charm.Charm) []ResourceContext {
	if len(v.App.Resources) == 0 {
		return nil
	}
	var all []ResourceContext
	for _, name := range slices.Sorted(maps.Keys(v.App.Resources)) {
		if declared, ok := c.Meta.Resources[name]; ok {
			all = append(all, ResourceContext{name, declared.Filename, v.App.Resources[name].ResourceFile})
		}
	}
	return all
}

// giveResources puts new resources over those an application has.
func (t *txn) giveResources(app *App, c *charm.Charm, given map[string]ResourceFile) error {
	if len(given) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := checkResource(c, name, given[name]); err != nil {
			return err
		}
	}
	all := maps.Clone(app.Resources)
	if all == nil {
		all = map[string]Resource{}
	}
	changed := false
	for name, file := range given { // any order: each by itself
		if all[name].ResourceFile != file {
			all[name] = Resource{ResourceFile: file, User: t.actor.Name, Given: t.now}
			changed = true
		}
	}
	if changed {
		app.Resources = all
		app.ResourceVersion, app.ResourceRev = app.ResourceVersion+1, t.rev
	}
	return nil
}

func checkResource(c *charm.Charm, name string, file ResourceFile) error {
	declared, ok := c.Meta.Resources[name]
	if !ok {
		return kith.Errorf(kith.NotFound, "unrecognized resource %q", name).
			WithHint("charm %q declares %s", c.Meta.Name, listed(slices.Sorted(maps.Keys(c.Meta.Resources))))
	}
	if image := declared.Type == charm.ImageResource; image != (file.Image != "") || image == (file.SHA256 != "") {
		what := "a file"
		if image {
			what = "the name of an image"
		}
		return kith.Errorf(kith.Invalid, "resource %q is %s", name, what)
	}
	return nil
}

// attachResource gives an application a resource. Its units run upgrade-charm, as Juju's do.
func (t *txn) attachResource(op AttachResource) error {
	app, err := t.app(op.App)
	if err != nil {
		return err
	}
	before := app.ResourceVersion
	if err := t.giveResources(&app, &t.m.Charm(app.Charm).Charm, map[string]ResourceFile{op.Resource: op.File}); err != nil {
		return err
	}
	if app.ResourceVersion != before {
		put(t, app)
	}
	return nil
}

// keepResources are those of resources that a charm still has.
func keepResources(old map[string]Resource, c *charm.Charm) map[string]Resource {
	var kept map[string]Resource
	for name, r := range old { // any order: into a map
		if declared, ok := c.Meta.Resources[name]; ok && (declared.Type == charm.ImageResource) == (r.Image != "") {
			if kept == nil {
				kept = map[string]Resource{}
			}
			kept[name] = r
		}
	}
	return kept
}

// Given lists what an operation gives for resources; the bytes of files must be there.
func Given(op Op) []ResourceFile {
	var all []ResourceFile
	add := func(given map[string]ResourceFile) {
		for _, name := range slices.Sorted(maps.Keys(given)) {
			all = append(all, given[name])
		}
	}
	switch op := op.(type) {
	case Deploy:
		add(op.Resources)
	case Refresh:
		add(op.Resources)
	case AttachResource:
		all = append(all, op.File)
	}
	return all
}

// noteFetched keeps which resources a unit's hooks have fetched.
func (t *txn) noteFetched(unit kith.UnitName, fetched map[string]string) {
	u := *t.m.Unit(unit)
	all := maps.Clone(u.Resources)
	for name, sum := range fetched { // any order: into a map
		if all[name] != sum {
			if all == nil {
				all = map[string]string{}
			}
			all[name] = sum
		}
	}
	if !maps.Equal(all, u.Resources) {
		u.Resources = all
		put(t, u)
	}
}

// Sum tells two contents of a resource apart.
func (f ResourceFile) Sum() string {
	if f.Image != "" {
		return "image " + f.Image
	}
	return f.SHA256
}

// NoResource is the reason resource-get fails with for a resource that is not there.
func NoResource(app kith.AppName, name string) error {
	return kith.Errorf(kith.NotFound, "resource %q not found", fmt.Sprintf("%s/%s", app, name)).
		WithHint("give it with 'kith attach-resource %s %s=PATH'", app, name)
}

// listed are the names of what a charm declares, as a hint says them.
func listed[T ~string](names []T) string {
	if len(names) == 0 {
		return "none"
	}
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return strings.Join(texts, ", ")
}
