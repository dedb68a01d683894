package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kith"
	"kith/internal/core"
	"kith/internal/resolve"
)

// cmdStatus prints a line for each unit.
func (w *World) cmdStatus([]string) error {
	for u := range w.model.Units() {
		line := fmt.Sprintf("%s %s", u.Name, u.Life)
		if l := w.model.Lease(u.App); l != nil && l.Holder == u.Name {
			line += " leader"
		}
		line += " " + string(u.Workload.Current)
		if u.Workload.Message != "" {
			line += " (" + u.Workload.Message + ")"
		}
		p := w.model.Progress(u.Name)
		if p.Running != nil {
			line += ", running " + p.Running.Hook.Title()
		}
		if p.InError() {
			line += ", in error: " + p.Failed.Hook.Name()
		}
		w.printf("%s", line)
	}
	return nil
}

// cmdRelations prints a line for each relation, by number.
func (w *World) cmdRelations([]string) error {
	all := slices.SortedFunc(w.model.Relations(), func(a, b *core.Relation) int { return int(a.ID) - int(b.ID) })
	for _, r := range all {
		w.printf("%d %q %s %s", r.ID, r.RelationKey(), r.Life, r.Status.Current)
	}
	return nil
}

// cmdMembers prints who is in scope of a relation, and whom they have been told of.
func (w *World) cmdMembers(args []string) error {
	ids, err := relationIDs(args)
	if err != nil {
		return err
	}
	for m := range w.model.Members(ids[0]) {
		line := string(m.Unit)
		if m.Departing {
			line += " departing"
		}
		var known []string
		for s := range w.model.SeenBy(m.Relation, m.Unit) {
			known = append(known, string(s.Remote))
		}
		if len(known) > 0 {
			line += " knows " + strings.Join(known, " ")
		}
		if m.ChangedPending != "" {
			line += " owes changed of " + string(m.ChangedPending)
		}
		w.printf("%s", line)
	}
	return nil
}

// addressKeys are what Juju itself writes into unit bags (section 3.2).
var addressKeys = []string{"egress-subnets", "ingress-address", "private-address"}

// cmdBags prints the databags of a relation, without address keys unless asked for all.
func (w *World) cmdBags(args []string) error {
	all := takeFlag(&args, "all")
	id, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	for b := range w.model.Bags(kith.RelationID(id)) {
		line := b.Owner
		keys := make([]string, 0, len(b.Data))
		for k := range b.Data { // any order: sorted below
			if all || !slices.Contains(addressKeys, k) {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, k := range keys {
			line += " " + k + "=" + b.Data[k]
		}
		w.printf("%s", line)
	}
	return nil
}

func (w *World) cmdLeader(args []string) error {
	if l := w.model.Lease(kith.AppName(args[0])); l != nil && l.Holder != "" {
		w.printf("%s", l.Holder)
	} else {
		w.printf("none")
	}
	return nil
}

// cmdWake prints how long a unit sleeps.
func (w *World) cmdWake(args []string) error {
	v, ok := core.ViewOf(&w.model, kith.UnitName(args[0]))
	if !ok {
		return fmt.Errorf("no unit %q", args[0])
	}
	at, ok := resolve.Wake(v)
	if !ok {
		w.printf("%s sleeps until something changes", args[0])
		return nil
	}
	w.printf("%s wakes in %s", args[0], at.Sub(w.now))
	return nil
}
