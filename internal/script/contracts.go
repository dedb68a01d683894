package script

import (
	"fmt"
	"strconv"
	"strings"

	"kith"
	"kith/internal/core"
)

// cmdContract is what an operator does with contracts. The text of one is YAML in a line.
func (w *World) cmdContract(args []string) error {
	verb, rest := args[0], strings.Join(args[1:], " ")
	switch {
	case verb == "list" && rest == "":
		for t := range w.model.Contracts() {
			w.printf("%s version %d", t.Interface, t.Version)
		}
		return nil
	case verb == "add" && rest != "":
		return w.do(core.AddContract{Text: rest, Source: "script"})
	case verb == "remove" && len(args) == 2:
		return w.do(core.RemoveContract{Interface: rest})
	case verb == "mode" && len(args) == 2:
		return w.do(core.SetContractMode{Mode: core.ContractMode(rest)})
	case verb == "mode" && len(args) == 3:
		app, endpoint, ok := strings.Cut(args[2], ":")
		if !ok {
			return fmt.Errorf("%q is not APP:ENDPOINT", args[2])
		}
		return w.do(core.SetContractMode{Mode: core.ContractMode(args[1]), App: kith.AppName(app), Endpoint: kith.EndpointName(endpoint)})
	}
	return fmt.Errorf("contract takes add YAML, remove INTERFACE, mode MODE [APP:ENDPOINT], or list")
}

// cmdVerdict prints what the contract of a relation says of it, and of each of its bags.
func (w *World) cmdVerdict(args []string) error {
	id, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	r := w.model.Relation(kith.RelationID(id))
	if r == nil {
		return fmt.Errorf("no relation %d", id)
	}
	v := w.model.RelationVerdict(r)
	if v == nil {
		w.printf("no contract says anything")
		return nil
	}
	line := string(v.State)
	if summary := v.Summary(w.settled()); summary != "" {
		line += ": " + summary
	}
	w.printf("%s", line)
	for _, b := range v.Bags {
		w.printf("  %s", describeVerdict(b))
	}
	return nil
}

// describeVerdict is a bag's verdict in a line: "db partial, lacks port".
func describeVerdict(b core.BagVerdict) string {
	line := fmt.Sprintf("%s %s", b.Owner, b.State)
	if len(b.Missing) > 0 {
		line += ", lacks " + strings.Join(b.Missing, " ")
	}
	for _, x := range b.Violations {
		line += "; " + x.String()
	}
	for _, n := range b.Unchecked {
		line += "; not checked: " + strings.TrimSpace(n.Path+" "+n.Text)
	}
	return line
}

// settled reports whether no unit has anything to do, no hook runs, and none is to be tried again.
func (w *World) settled() bool {
	for u := range w.model.Units() {
		if _, ok := w.Next(u.Name); ok || w.model.Progress(u.Name).Running != nil || w.model.Progress(u.Name).InError() {
			return false
		}
	}
	return true
}

// tellVerdicts prints what a hook has written wrong, as the history has it.
func (w *World) tellVerdicts(entry core.Entry) {
	if entry.Hook == nil {
		return
	}
	for _, b := range entry.Hook.Verdicts {
		for _, x := range b.Violations {
			w.printf("  contract of %s: %s wrote %s", b.Interface, b.Owner, x)
		}
	}
}
