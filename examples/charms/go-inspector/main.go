// Command go-inspector is a charm in Go that reads every databag of every relation
// when its configuration changes: see README.md.
package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kith/ops"
)

func main() { ops.Main(newCharm) }

// charm is made anew for each event.
type charm struct {
	model *ops.Model
	read  int // databags
	kept  int // from us
}

func newCharm(f *ops.Framework) (*charm, error) {
	c := &charm{model: f.Model()}
	f.Observe(ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error {
		for _, endpoint := range f.Meta().Endpoints() {
			relations, err := c.model.Relations(endpoint.Name)
			if err != nil {
				return err
			}
			for _, r := range relations {
				if err := c.inspect(e, r); err != nil {
					return err
				}
			}
		}
		return c.model.Unit().SetStatus(ops.ActiveStatus(fmt.Sprintf("read %d databags, %d are not for this unit", c.read, c.kept)))
	}))
	return c, nil
}

// inspect reads the databags of one relation: of this unit and its application, of
// the other units and of their application.
func (c *charm) inspect(e *ops.ConfigChangedEvent, r *ops.Relation) error {
	owners := []ops.Owner{c.model.Unit(), c.model.App()}
	for _, unit := range r.Units {
		owners = append(owners, unit)
	}
	if !r.IsPeer() {
		owners = append(owners, r.App)
	}
	for _, owner := range owners {
		bag := r.Data(owner)
		data, err := bag.All()
		switch {
		case errors.Is(err, ops.ErrPermission): // our application's, if we do not lead
			c.kept++
			e.Logger().Info(fmt.Sprintf("%s %s: %v", r, bag.Owner(), err))
		case err != nil:
			return err
		default:
			c.read++
			e.Logger().Info(fmt.Sprintf("%s %s: %s", r, bag.Owner(), show(data)))
		}
	}
	return nil
}

// show is "key=value key=value", sorted.
func show(data map[string]string) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(data)) {
		pairs = append(pairs, k+"="+data[k])
	}
	return strings.Join(pairs, " ")
}
