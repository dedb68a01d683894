package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kith"
	"kith/contract"
	"kith/internal/api"
	"kith/internal/core"
)

func contractInferCommand() *command {
	return &command{
		name: "contract infer", args: "<interface>", group: groupContract, scope: modelScope,
		summary: "Drafts a contract from what a model's charms have written",
		details: `Reads the databags of every relation of the interface, as they are now and as the
model's history has them, and says what they have in common: which keys there are,
which of them are always there, how their values are encoded and of what type they
are. Bags become examples; values that may be secret are left out of them.

A draft states what was seen, not what is meant: read it before you rely on it. What it
rests on too little for is told on stderr.`,
		examples: []example{
			{"contract infer token", "Draft a contract of an interface"},
			{"contract infer token -o token.yaml", "Keep it in a file"},
		},
		seeAlso:  []string{"contract show", "contract check", "show-unit"},
		formats:  []string{formatYAML, formatJSON},
		check:    oneArg("an interface"),
		complete: firstArg(completeInterfaces),
		run: func(ctx context.Context, x *call, args []string) error {
			samples, err := x.samplesOf(ctx, args[0])
			if err != nil {
				return err
			}
			draft, notes, err := contract.Infer(args[0], samples)
			if err != nil {
				return err
			}
			for _, n := range notes {
				x.warn("%s", n)
			}
			if x.format == formatYAML {
				return x.output(string(draft.YAML()))
			}
			return x.answer(draft, nil)
		},
	}
}

// completeInterfaces proposes the interfaces of the model's relations.
func completeInterfaces(ctx context.Context, x *call, _ []string) []string {
	s, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return nil
	}
	var list []string
	for _, r := range s.Relations {
		list = append(list, r.Interface)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// samplesOf collects what was ever written in relations of an interface, as far as the
// model knows.
func (x *call) samplesOf(ctx context.Context, iface string) ([]contract.Sample, error) {
	status, err := x.api.Status(ctx, x.modelID())
	if err != nil {
		return nil, err
	}
	r := &recorded{iface: iface, x: x, ends: map[kith.RelationID][]core.End{}, apps: map[kith.AppName]*api.ShowApp{}}
	for _, rel := range status.Relations {
		if contract.SameInterface(rel.Interface, iface) {
			r.ends[rel.ID] = []core.End{rel.Provider, rel.Requirer}
		}
	}
	if err := r.history(ctx); err != nil {
		return nil, err
	}
	if err := r.current(ctx, status); err != nil {
		return nil, err
	}
	if len(r.ends) == 0 {
		return nil, kith.Errorf(kith.NotFound, "cannot draft a contract of %s: model %q has no relation of it", iface, x.target.Name).
			WithHint("'%s status --relations' lists them", x.program)
	}
	settle, err := x.api.Settle(ctx, x.modelID(), 0)
	if err == nil && !settle.Settled {
		x.warn("the model is not settled: what is still to come looks as if nobody needed it")
	}
	return r.samples, err
}

// recorded gathers the samples of one interface.
type recorded struct {
	iface   string
	x       *call
	ends    map[kith.RelationID][]core.End
	apps    map[kith.AppName]*api.ShowApp // nil: there is no such application any more
	samples []contract.Sample
	last    map[string]map[string]string
}

// add adds what was seen of one bag.
func (r *recorded) add(id kith.RelationID, owner string, data map[string]string, step bool) {
	app, _, isUnit := strings.Cut(owner, "/")
	kind := contract.AppBag
	if isUnit {
		kind = contract.UnitBag
	}
	for _, end := range r.ends[id] {
		if string(end.App) == app {
			r.samples = append(r.samples, contract.Sample{Role: end.Role, Bag: kind, Owner: fmt.Sprintf("%s in relation %d", owner, id), Data: data, Step: step})
			return
		}
	}
}

// current reads the bags as they are.
func (r *recorded) current(ctx context.Context, status api.Status) error {
	for _, rel := range status.Relations {
		if !contract.SameInterface(rel.Interface, r.iface) {
			continue
		}
		owners := []string{string(rel.Provider.App), string(rel.Requirer.App)}
		for _, u := range status.Units {
			if u.App == rel.Provider.App || u.App == rel.Requirer.App {
				owners = append(owners, string(u.Name))
			}
		}
		slices.Sort(owners)
		for _, owner := range slices.Compact(owners) {
			bag, err := r.x.api.Bag(ctx, r.x.modelID(), rel.ID, owner)
			if kith.CodeOf(err) == kith.NotFound {
				continue // the unit never entered the relation
			}
			if err != nil {
				return err
			}
			r.add(rel.ID, owner, bag.Data, false)
		}
	}
	return nil
}

// history reads what was written in the past: each write as a step, and the bags of
// relations and units that are gone as they last were.
func (r *recorded) history(ctx context.Context) error {
	r.last = map[string]map[string]string{}
	from := uint64(0)
	for {
		reply, err := r.x.api.History(ctx, r.x.modelID(), api.HistoryQuery{From: from})
		if err != nil {
			return err
		}
		for _, raw := range reply.Entries {
			var e core.Entry
			if err := json.Unmarshal(raw, &e); err != nil {
				return kith.Errorf(kith.Internal, "cannot read the history: %v", err)
			}
			from = e.Revision + 1
			if err := r.entry(ctx, e); err != nil {
				return err
			}
		}
		if !reply.More || len(reply.Entries) == 0 {
			return nil
		}
	}
}

// entry takes in one command of the history.
func (r *recorded) entry(ctx context.Context, e core.Entry) error {
	for _, d := range e.Deltas {
		switch d.Kind {
		case core.KindRelation:
			if err := r.relation(ctx, d); err != nil {
				return err
			}
		case core.KindBag:
			r.bag(d)
		}
	}
	return nil
}

// relation finds out what became of a relation that is gone now, from its key and what
// the charms of its applications say of the endpoints.
func (r *recorded) relation(ctx context.Context, d core.Delta) error {
	n, err := strconv.Atoi(d.ID)
	id := kith.RelationID(n)
	if err != nil || r.ends[id] != nil || d.Action != core.Added {
		return nil // it is one there is now, or was told already
	}
	var ends []core.End
	for _, word := range strings.Fields(d.Name) {
		app, endpoint, _ := strings.Cut(word, ":")
		end, err := r.end(ctx, kith.AppName(app), kith.EndpointName(endpoint))
		if err != nil || end == nil {
			return err
		}
		ends = append(ends, *end)
	}
	r.ends[id] = ends
	return nil
}

// end is one end of a relation that is gone, if it is of the interface; nil: it is not, or the
// application is gone too and nobody knows.
func (r *recorded) end(ctx context.Context, app kith.AppName, endpoint kith.EndpointName) (*core.End, error) {
	shown, asked := r.apps[app]
	if !asked {
		reply, err := r.x.api.App(ctx, r.x.modelID(), app)
		if err == nil {
			shown = &reply
		} else if kith.CodeOf(err) != kith.NotFound {
			return nil, err
		}
		r.apps[app] = shown
	}
	if shown == nil {
		return nil, nil
	}
	for _, e := range shown.Endpoints {
		if e.Name == endpoint && contract.SameInterface(e.Interface, r.iface) {
			return &core.End{App: app, Endpoint: endpoint, Role: e.Role}, nil
		}
	}
	return nil, nil
}

// bag takes in a write. What a bag of the past held when it went is a whole bag.
func (r *recorded) bag(d core.Delta) {
	relation, owner, _ := strings.Cut(d.ID, "/")
	n, err := strconv.Atoi(relation)
	id := kith.RelationID(n)
	if err != nil || r.ends[id] == nil {
		return
	}
	if d.Action == core.Deleted {
		r.add(id, owner, r.last[d.ID], false)
		delete(r.last, d.ID)
		return
	}
	data := map[string]string{}
	for k, v := range r.last[d.ID] { // any order: a copy
		data[k] = v
	}
	for k, v := range d.Set { // any order: each key once
		data[k] = v
	}
	for _, k := range d.Unset {
		delete(data, k)
	}
	r.last[d.ID] = data
	if len(d.Set) > 0 {
		r.add(id, owner, d.Set, true)
	}
}
