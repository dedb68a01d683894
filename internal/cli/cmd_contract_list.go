package cli

import (
	"context"
	"strconv"
	"strings"

	"kith/contract"
	"kith/internal/shipped"
)

func contractListCommand() *command {
	return &command{
		name: "contract list", group: groupContract, scope: noScope,
		summary: "Lists the contracts that come with kith",
		details: `These are of the interfaces charms use most. Every command that takes a contract
takes the name of one of them instead of a file.`,
		examples: []example{{"contract list", "See which there are"}},
		seeAlso:  []string{"contract show", "contract check"},
		formats:  []string{formatTabular, formatYAML, formatJSON},
		check:    noArgs,
		run: func(_ context.Context, x *call, _ []string) error {
			all, err := shipped.All()
			if err != nil {
				return err
			}
			docs := []contractLine{}
			for _, c := range all {
				docs = append(docs, contractLine{c.Interface, c.Version, c.Status, c.Description})
			}
			return x.answer(docs, func() string { return contractLines(docs) })
		},
	}
}

type contractLine struct {
	Interface   string          `json:"interface"`
	Version     int             `json:"version"`
	Status      contract.Status `json:"status"`
	Description string          `json:"description"`
}

func contractLines(docs []contractLine) string {
	var t table
	t.add("Interface", "Version", "Status", "Description")
	for _, d := range docs {
		t.add(d.Interface, strconv.Itoa(d.Version), string(d.Status), strings.TrimSpace(d.Description))
	}
	return t.String()
}
