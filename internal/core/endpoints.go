package core

import (
	"slices"
	"strconv"
	"strings"

	"kith"
	"kith/charm"
)

// candidate is one way two applications can be related.
type candidate struct {
	a, b     charm.Relation
	appA     kith.AppName
	appB     kith.AppName
	implicit bool
}

// ends are the two ends, requirer first.
func (c candidate) ends() []End {
	a := End{c.appA, c.a.Name, c.a.Role, c.a.IsImplicit()}
	b := End{c.appB, c.b.Name, c.b.Role, c.b.IsImplicit()}
	if c.a.Role == kith.Requirer {
		return []End{a, b}
	}
	return []End{b, a}
}

func (c candidate) key() string {
	r := Relation{Ends: c.ends()}
	return r.RelationKey()
}

func (c candidate) scope() kith.Scope {
	if c.a.Scope == kith.Container || c.b.Scope == kith.Container {
		return kith.Container
	}
	return kith.Global
}

// infer finds the one pair of endpoints that integrate means (section 1.4, 3.6).
func (t *txn) infer(a, b kith.Endpoint) (candidate, error) {
	as, err := t.endpoints(a)
	if err != nil {
		return candidate{}, err
	}
	bs, err := t.endpoints(b)
	if err != nil {
		return candidate{}, err
	}
	all := t.pairs(a.App, as, b.App, bs)
	if len(all) == 0 {
		return candidate{}, kith.Errorf(kith.NotFound, "no relations found").
			WithHint("one side must require an interface that the other provides; see 'kith show-application %s'", a.App)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	explicit := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.implicit })
	if len(explicit) == 1 {
		return explicit[0], nil
	}
	keys := make([]string, len(all))
	for i, c := range all {
		keys[i] = c.key()
	}
	return candidate{}, ambiguous(a.String()+" "+b.String(), keys)
}

func ambiguous(request string, keys []string) error {
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = strconv.Quote(k)
	}
	return kith.Errorf(kith.Invalid, "ambiguous relation: %q could refer to %s", request, strings.Join(keys, "; ")).
		WithHint("name the endpoint, as in APPLICATION:ENDPOINT")
}

// endpoints are the endpoints one side of integrate may mean: the named one, or
// all; never a peer endpoint.
func (t *txn) endpoints(e kith.Endpoint) ([]charm.Relation, error) {
	app, err := t.app(e.App)
	if err != nil {
		return nil, err
	}
	meta := t.m.Charm(app.Charm).Charm.Meta
	all := meta.Endpoints()
	if e.Name != "" {
		one, ok := meta.Endpoint(e.Name)
		if !ok {
			return nil, kith.Errorf(kith.NotFound, "application %q has no %q relation", e.App, e.Name).
				WithHint("its endpoints are: %s", endpointNames(all))
		}
		all = []charm.Relation{one}
	}
	return slices.DeleteFunc(slices.Clone(all), func(r charm.Relation) bool { return r.Role == kith.Peer }), nil
}

func endpointNames(all []charm.Relation) string {
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = string(e.Name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// pairs are all pairs that fit: different applications, equal interface, one
// provider and one requirer, container scope only with a subordinate.
func (t *txn) pairs(a kith.AppName, as []charm.Relation, b kith.AppName, bs []charm.Relation) []candidate {
	if a == b {
		return nil
	}
	subordinate := t.m.App(a).Subordinate || t.m.App(b).Subordinate
	var all []candidate
	for _, ea := range as {
		for _, eb := range bs {
			opposite := ea.Role == kith.Provider && eb.Role == kith.Requirer || ea.Role == kith.Requirer && eb.Role == kith.Provider
			c := candidate{ea, eb, a, b, ea.IsImplicit() || eb.IsImplicit()}
			if opposite && ea.Interface == eb.Interface && (subordinate || c.scope() != kith.Container) {
				all = append(all, c)
			}
		}
	}
	return all
}
