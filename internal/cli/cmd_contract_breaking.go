package cli

import (
	"context"
	"fmt"
	"strings"

	"kith/contract"
)

func contractBreakingCommand() *command {
	return &command{
		name: "contract breaking", args: "<old> <new>", group: groupContract, scope: noScope,
		summary: "Says in what a contract breaks an older one",
		details: "Compares two contracts of one interface by named rules. The exit status is 1 if one is\n" +
			"broken and the version stayed the same: a new version may break what it likes.\n\n" + breakRulesText(),
		examples: []example{{"contract breaking ingress.v2.yaml ingress.yaml", "Compare two versions, in CI for example"}},
		seeAlso:  []string{"contract show", "contract export"},
		formats:  []string{formatTabular, formatYAML, formatJSON},
		check: func(x *call, args []string) error {
			if len(args) < 2 {
				return usagef("two contracts must be named: the old one and the new one")
			}
			return atMost(2)(x, args)
		},
		run: func(_ context.Context, x *call, args []string) error {
			older, err := x.findContract(args[0])
			if err != nil {
				return err
			}
			newer, err := x.findContract(args[1])
			if err != nil {
				return err
			}
			found, err := contract.Breaking(older, newer)
			if err != nil {
				return err
			}
			if found == nil {
				found = []contract.Break{}
			}
			if err := x.answer(found, func() string { return breakLines(found) }); err != nil {
				return err
			}
			return x.sayBreaks(len(found), older.Version, newer.Version)
		},
	}
}

// sayBreaks sums up, and fails where the version should have changed.
func (x *call) sayBreaks(found, older, newer int) error {
	switch {
	case found == 0:
		x.say("Nothing is broken")
	case newer > older:
		x.say("%s broken, and the version went from %d to %d", plural(found, "rule"), older, newer)
	default:
		x.warn("%s broken, and the version is still %d", plural(found, "rule"), newer)
		return errFailed
	}
	return nil
}

func breakLines(found []contract.Break) string {
	var t table
	for i, b := range found {
		if i == 0 {
			t.add("Rule", "Breaks", "Where", "What")
		}
		t.add(string(b.Rule), string(b.Breaks), b.Path, b.Text)
	}
	return t.String()
}

// breakRulesText lists the rules for the help.
func breakRulesText() string {
	var b strings.Builder
	b.WriteString("The rules, and whom a change breaks:\n\n")
	for _, r := range contract.BreakRules() {
		fmt.Fprintf(&b, "    %-18s %-8s %s\n", r.Rule, r.Breaks, r.Text)
	}
	return strings.TrimRight(b.String(), "\n")
}
