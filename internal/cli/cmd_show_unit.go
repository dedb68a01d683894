package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
)

// showUnitFlags narrow what show-unit shows.
type showUnitFlags struct {
	app                   bool
	endpoint, relatedUnit string
}

func showUnitCommand() *command {
	var o showUnitFlags
	return &command{
		name: "show-unit", args: "<unit> [...]", group: groupWatch, scope: modelScope,
		summary: "Shows units with their relations and the data in them",
		details: `For each relation of the unit: the data of the application on the other side, the
unit's own data, and that of every unit it can see. In a peer relation the
application data is the unit's own application's.`,
		examples: []example{
			{"show-unit web/0", "Show a unit"},
			{"show-unit web/0 --endpoint database", "Only one of its endpoints"},
			{"show-unit web/0 --app", "Only application data"},
		},
		seeAlso: []string{"status", "show-application"},
		formats: []string{formatYAML, formatJSON, formatSmart},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&o.app, "app", false, "Only the data of applications")
			f.StringVar(&o.endpoint, "endpoint", "", "Only relations of this endpoint")
			f.StringVar(&o.relatedUnit, "related-unit", "", "Only this unit of the other side")
		},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("an unit name must be supplied")
			}
			var bad []string
			for _, a := range args {
				if _, err := kith.ParseUnitName(a); err != nil {
					bad = append(bad, a)
				}
			}
			switch len(bad) {
			case 0:
				return nil
			case 1:
				return usagef("unit name %s not valid", bad[0])
			}
			return usagef("unit names %s not valid", strings.Join(bad, ", "))
		},
		complete: completeUnits,
		run: func(ctx context.Context, x *call, args []string) error {
			docs := map[string]unitInfoDoc{}
			for _, a := range args {
				u, err := x.api.Unit(ctx, x.modelID(), kith.UnitName(a))
				if err != nil {
					return err
				}
				docs[a] = o.document(u, x.format == formatJSON)
			}
			return x.answer(docs, nil)
		},
	}
}

// The document of show-unit (CLI reference, section 5.3).
type (
	unitInfoDoc struct {
		WorkloadVersion string            `json:"workload-version,omitempty"`
		Machine         string            `json:"machine,omitempty"`
		Ports           []string          `json:"opened-ports"`
		Address         string            `json:"public-address,omitempty"`
		Charm           string            `json:"charm"`
		Leader          bool              `json:"leader"`
		Life            string            `json:"life,omitempty"`
		Relations       []relationInfoDoc `json:"relation-info,omitempty"`
	}
	relationInfoDoc struct {
		ID              kith.RelationID        `json:"relation-id"`
		Endpoint        string                 `json:"endpoint"`
		RelatedEndpoint string                 `json:"related-endpoint"`
		AppData         map[string]string      `json:"application-data"`
		Local           *unitDataDoc           `json:"local-unit,omitempty"`
		Related         map[string]unitDataDoc `json:"related-units,omitempty"`
		// Contract is kith's own, and there only if a contract says something about the relation.
		Contract *contractDoc `json:"contract,omitempty"`
	}
	unitDataDoc struct {
		InScope bool              `json:"in-scope"`
		Data    map[string]string `json:"data"`
	}
)

func (o *showUnitFlags) document(u api.ShowUnit, json bool) unitInfoDoc {
	d := unitInfoDoc{
		WorkloadVersion: u.WorkloadVersion, Machine: string(u.Machine), Ports: portList(u.Ports), Address: u.Address,
		Charm: u.Charm, Leader: u.Leader, Life: string(u.Life),
	}
	if d.Ports == nil {
		d.Ports = []string{}
	}
	for _, r := range u.Relations {
		if o.endpoint != "" && string(r.Endpoint) != o.endpoint {
			continue
		}
		rd := o.relation(r, json)
		empty := len(r.AppData) == 0 && len(rd.Related) == 0 && len(r.Local.Data) == 0
		if o.endpoint != "" || !empty {
			d.Relations = append(d.Relations, rd)
		}
	}
	return d
}

// relation is one entry. The JSON form of a local unit without data is spelled
// out; YAML leaves it out (section 5.3).
func (o *showUnitFlags) relation(r api.UnitRelation, json bool) relationInfoDoc {
	d := relationInfoDoc{ID: r.ID, Endpoint: string(r.Endpoint), RelatedEndpoint: string(r.RelatedEndpoint), AppData: r.AppData,
		Contract: contractDocument(r.Contract)}
	if d.AppData == nil {
		d.AppData = map[string]string{}
	}
	if o.app {
		return d
	}
	if json || r.Local.InScope || r.Local.Data != nil {
		d.Local = &unitDataDoc{r.Local.InScope, r.Local.Data}
	}
	related := slices.Clone(r.Related)
	if o.relatedUnit != "" {
		related = slices.DeleteFunc(related, func(u api.UnitData) bool { return string(u.Unit) != o.relatedUnit })
	}
	for _, u := range related {
		if d.Related == nil {
			d.Related = map[string]unitDataDoc{}
		}
		if u.Data == nil {
			u.Data = map[string]string{}
		}
		d.Related[string(u.Unit)] = unitDataDoc{u.InScope, u.Data}
	}
	return d
}
