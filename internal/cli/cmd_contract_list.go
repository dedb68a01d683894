package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"kith/contract"
	"kith/internal/api"
	"kith/internal/shipped"
)

func contractListCommand() *command {
	return &command{
		name: "contract list", group: groupContract, scope: modelScope, modelOptional: true,
		summary: "Lists the contracts that apply in a model",
		details: `These are the contracts the model was told with 'contract add', and those that come
with kith, of the interfaces charms use most. Where a model has its own, it goes before
kith's. Without a controller, those that come with kith are listed.

Every command that takes a contract takes the name of one of kith's instead of a file.`,
		examples: []example{{"contract list", "See which there are"}, {"contract list --format yaml", "And since when, and for how many relations"}},
		seeAlso:  []string{"contract add", "contract show", "contract mode"},
		formats:  []string{formatTabular, formatYAML, formatJSON},
		check:    noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			list, err := x.contracts(ctx)
			if err != nil {
				return err
			}
			docs := []contractLine{}
			for _, c := range list {
				docs = append(docs, contractLineOf(c))
			}
			return x.answer(docs, func() string { return contractLines(docs) })
		},
	}
}

// contracts are those of the model, or of kith alone if no model is at hand.
func (x *call) contracts(ctx context.Context) ([]api.Contract, error) {
	if x.hasModel() {
		all, err := x.api.Contracts(ctx, x.modelID())
		return all.Contracts, err
	}
	all, err := shipped.All()
	var list []api.Contract
	for _, c := range all {
		list = append(list, api.Contract{Interface: c.Interface, Version: c.Version, Status: c.Status, Description: c.Description, Shipped: true})
	}
	return list, err
}

type contractLine struct {
	Interface   string          `json:"interface"`
	Version     int             `json:"version"`
	Status      contract.Status `json:"status,omitempty"`
	Description string          `json:"description,omitempty"`
	Shipped     bool            `json:"shipped"`
	Source      string          `json:"source,omitempty"`
	Added       string          `json:"added,omitempty"`
	Relations   int             `json:"relations"`
	Problem     string          `json:"problem,omitempty"`
}

func contractLineOf(c api.Contract) contractLine {
	d := contractLine{Interface: c.Interface, Version: c.Version, Status: c.Status, Description: strings.TrimSpace(c.Description),
		Shipped: c.Shipped, Source: c.Source, Relations: c.Relations, Problem: c.Problem}
	if !c.Added.IsZero() {
		d.Added = c.Added.UTC().Format(time.RFC3339)
	}
	return d
}

func contractLines(docs []contractLine) string {
	var t table
	t.add("Interface", "Version", "Status", "From", "Relations", "Description")
	for _, d := range docs {
		from, about := d.Source, d.Description
		if d.Shipped {
			from = "kith"
		}
		if d.Problem != "" {
			about = "cannot be used: " + d.Problem
		}
		t.add(d.Interface, strconv.Itoa(d.Version), string(d.Status), from, strconv.Itoa(d.Relations), about)
	}
	return t.String()
}
