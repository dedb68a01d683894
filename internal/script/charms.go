package script

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// handler is what hooks do: on UNIT HOOK: TOOL ...
type handler struct {
	unit, hook string // path.Match patterns
	tools      []string
}

// fault makes hooks fail; left counts how often yet, -1 for always.
type fault struct {
	unit, hook string
	left       int
}

func matches(unitPattern, hookPattern string, u kith.UnitName, h core.Hook) bool {
	unit, err1 := path.Match(unitPattern, string(u))
	hook, err2 := path.Match(hookPattern, scriptName(h))
	return err1 == nil && err2 == nil && unit && hook
}

// faulty reports whether the hook is scripted to fail this time.
func (w *World) faulty(u kith.UnitName, h core.Hook) bool {
	for i := range w.faults {
		if f := &w.faults[i]; f.left != 0 && matches(f.unit, f.hook, u, h) {
			f.left-- // from -1 it never comes back to 0
			return true
		}
	}
	return false
}

// addCharm is the charm command.
func (w *World) addCharm(args []string) error {
	c := charm.Charm{Meta: charm.Meta{
		Name: args[0], Subordinate: takeFlag(&args, "subordinate"),
		Provides: map[string]charm.Relation{}, Requires: map[string]charm.Relation{}, Peers: map[string]charm.Relation{},
	}, Config: map[string]charm.Option{}}
	for _, arg := range args[1:] {
		section, list, _ := strings.Cut(arg, "=")
		for _, spec := range strings.Split(list, ",") {
			if err := declare(&c, section, spec); err != nil {
				return err
			}
		}
	}
	w.count++
	id := fmt.Sprintf("%064x", w.count)
	w.charms[c.Meta.Name] = id
	return w.answer(w.Do(admin, core.AddCharm{ID: id, Charm: c}))
}

// declare adds one endpoint or option to a charm.
func declare(c *charm.Charm, section, spec string) error {
	var to map[string]charm.Relation
	r := charm.Relation{Scope: kith.Global}
	switch section {
	case "provides":
		to, r.Role = c.Meta.Provides, kith.Provider
	case "requires":
		to, r.Role = c.Meta.Requires, kith.Requirer
	case "peers":
		to, r.Role = c.Meta.Peers, kith.Peer
	case "options":
		c.Config[spec] = charm.Option{Type: charm.StringOption}
		return nil
	case "resources":
		return declareResource(c, spec)
	case "storage":
		return declareStorage(c, spec)
	case "actions":
		return declareAction(c, spec)
	default:
		return fmt.Errorf("unknown part of a charm: %q", section)
	}
	parts := strings.Split(spec, ":")
	if len(parts) < 2 {
		return fmt.Errorf("%q is not NAME:INTERFACE", spec)
	}
	r.Name, r.Interface = kith.EndpointName(parts[0]), parts[1]
	for _, p := range parts[2:] {
		limit, isLimit := strings.CutPrefix(p, "limit=")
		switch {
		case p == "container":
			r.Scope = kith.Container
		case p == "optional":
			r.Optional = true
		case isLimit:
			n, err := strconv.Atoi(limit)
			if err != nil {
				return fmt.Errorf("bad limit %q", limit)
			}
			r.Limit = n
		default:
			return fmt.Errorf("unknown attribute %q", p)
		}
	}
	to[parts[0]] = r
	return nil
}
