package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"kith/contract"
)

func contractImportCommand() *command {
	var report bool
	return &command{
		name: "contract import", args: "<file>|<folder>", group: groupContract, scope: noScope,
		summary: "Reads interface descriptions in any form, and says what came of them",
		details: `Reads every file that may describe an interface: generated JSON Schemas with the roots
app and unit, schemas written by hand, interface.yaml, schema.py (read, never run), and
contracts in kith's own form. Nothing is fetched.

A file loads, or it is refused and the reason is given; what of a file is not checked,
and what is wrong with it, stands in notes. Without --report only the contracts are
listed that the files give together. The exit status is 1 if a file was refused.`,
		examples: []example{
			{"contract import --report interfaces", "Count what is read of a catalogue, with every note"},
			{"contract import interfaces", "List the contracts a catalogue gives"},
		},
		seeAlso: []string{"contract show", "contract check"},
		formats: []string{formatTabular, formatYAML, formatJSON},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&report, "report", false, "Counts by form, and every note")
		},
		check: oneArg("a file or folder"),
		run: func(_ context.Context, x *call, args []string) error {
			imports, err := importFiles(args[0])
			if err != nil {
				return err
			}
			if len(imports) == 0 {
				x.warn("%q: %s; %s", args[0], nothingToImport, whatIsImported)
			}
			r := contract.NewReport(imports)
			if report {
				err = x.answer(r, func() string { return r.Table() + importNotes(imports) })
			} else {
				err = x.importedLines(imports)
			}
			if refused := r.Rows[len(r.Rows)-1].Refused; err == nil && refused > 0 {
				x.warn("%s refused", plural(refused, "file"))
				return errFailed
			}
			return err
		},
	}
}

// importedLines lists the contracts that files give together.
func (x *call) importedLines(imports []contract.Import) error {
	merged, notes := contract.Merge(imports)
	for _, n := range notes {
		x.warn("%s", n)
	}
	docs := []importedLine{}
	for _, c := range merged {
		docs = append(docs, importedLine{c.Interface, c.Version, c.Status, firstLine(c.Description)})
	}
	return x.answer(docs, func() string { return importedTable(docs) })
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// importNotes are the notes on each file, below its name.
func importNotes(imports []contract.Import) string {
	var b strings.Builder
	for _, i := range imports {
		if i.Refused == "" && len(i.Notes) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", i.Path)
		if i.Refused != "" {
			fmt.Fprintf(&b, "    refused: %s\n", i.Refused)
			continue // notes up to the refusal say little
		}
		for _, n := range i.Notes {
			fmt.Fprintf(&b, "    %s\n", n)
		}
	}
	return b.String()
}

// importedLine is one contract of an import.
type importedLine struct {
	Interface   string          `json:"interface"`
	Version     int             `json:"version"`
	Status      contract.Status `json:"status"`
	Description string          `json:"description"`
}

func importedTable(docs []importedLine) string {
	var t table
	t.add("Interface", "Version", "Status", "Description")
	for _, d := range docs {
		t.add(d.Interface, strconv.Itoa(d.Version), string(d.Status), strings.TrimSpace(d.Description))
	}
	return t.String()
}
