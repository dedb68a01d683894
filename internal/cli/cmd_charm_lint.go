package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"kith/contract"
)

func charmLintCommand() *command {
	var given []string
	var strict bool
	return &command{
		name: "charm lint", args: "<charm>", group: groupCharm, scope: noScope,
		summary: "Looks for mistakes in a charm without running it",
		details: `Reads a charm, a folder or a .charm file: its metadata, its hooks and actions, and
what the contracts of its interfaces say of its endpoints. Contracts are those that
come with kith; --contract adds others, which go first.

The exit status is 1 if there is an error; with --strict also if there is a warning.
What is looked for:

` + lintRulesText(),
		examples: []example{
			{"charm lint .", "Look at the charm in the current folder"},
			{"charm lint web.charm --contract greeting.yaml --strict", "In CI"},
		},
		seeAlso: []string{"contract test", "contract show", "init"},
		formats: []string{formatTabular, formatYAML, formatJSON},
		flags: func(f *pflag.FlagSet) {
			f.StringArrayVar(&given, "contract", nil, "A contract beside those that come with kith: a file or a folder")
			f.BoolVar(&strict, "strict", false, "Fail on warnings too")
		},
		check: oneArg("a charm"),
		run: func(_ context.Context, x *call, args []string) error {
			var contracts []*contract.Contract
			for _, name := range given {
				c, err := x.findContract(name)
				if err != nil {
					return err
				}
				contracts = append(contracts, c)
			}
			found, err := lintCharm(args[0], contracts)
			if err != nil {
				return err
			}
			if err := x.answer(found, func() string { return lintLines(found) }); err != nil {
				return err
			}
			return x.sayLint(found, strict)
		},
	}
}

// sayLint sums up, and fails where the charm should not pass.
func (x *call) sayLint(found []lintFinding, strict bool) error {
	count := map[lintLevel]int{}
	for _, f := range found {
		count[f.Level]++
	}
	if count[lintError] > 0 || strict && count[lintWarning] > 0 {
		x.warn("%s, %s", plural(count[lintError], "error"), plural(count[lintWarning], "warning"))
		return errFailed
	}
	x.say("%s, %s", plural(count[lintError], "error"), plural(count[lintWarning], "warning"))
	return nil
}

// lintLines is the findings for people.
func lintLines(found []lintFinding) string {
	var b strings.Builder
	for _, f := range found {
		where := f.Where
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d", where, f.Line)
		}
		fmt.Fprintf(&b, "%s: %s: %s (%s)\n", f.Level, where, f.Text, f.Rule)
		if f.Hint != "" {
			fmt.Fprintf(&b, "    hint: %s\n", f.Hint)
		}
	}
	return b.String()
}

// lintRulesText lists the rules for the help.
func lintRulesText() string {
	var b strings.Builder
	for _, r := range lintRules {
		fmt.Fprintf(&b, "    %-8s %-20s %s\n", r.level, r.rule, r.says)
	}
	return strings.TrimRight(b.String(), "\n")
}
