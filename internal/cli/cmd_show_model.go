package cli

import (
	"context"
	"fmt"

	"kith/internal/api"
)

func showModelCommand() *command {
	return &command{
		name: "show-model", args: "[<model name>]", group: groupModel, scope: argumentScope,
		summary:  "Shows a model",
		details:  "Without a name it shows the current model.",
		examples: []example{{"show-model", "The current model"}, {"show-model prod --format json", "Another one, for programs"}},
		seeAlso:  []string{"models", "model-config"},
		formats:  []string{formatYAML, formatJSON},
		check:    atMost(1),
		complete: firstArg(completeModels),
		run: func(ctx context.Context, x *call, args []string) error {
			if len(args) > 0 {
				x.options.model = args[0]
			}
			if err := x.openModel(ctx); err != nil {
				return err
			}
			info, err := x.api.Info(ctx)
			if err != nil {
				return err
			}
			s, err := x.api.Status(ctx, x.modelID())
			if err != nil {
				return err
			}
			return x.answer(map[string]showModelDoc{x.target.Name: showModelDocument(x.target, info, s)}, nil)
		},
	}
}

// The document of show-model (CLI reference, section 5.4): a model of the list,
// with who uses it and what it runs on.
type (
	showModelDoc struct {
		Name           string                     `json:"name"`
		ShortName      string                     `json:"short-name"`
		UUID           string                     `json:"model-uuid"`
		Type           string                     `json:"model-type"`
		ControllerUUID string                     `json:"controller-uuid"`
		Controller     string                     `json:"controller-name"`
		IsController   bool                       `json:"is-controller"`
		Owner          string                     `json:"owner,omitempty"`
		Cloud          string                     `json:"cloud"`
		Region         string                     `json:"region,omitempty"`
		Provider       string                     `json:"type,omitempty"`
		Life           string                     `json:"life"`
		Status         recordDoc                  `json:"status"`
		Users          map[string]modelUserDoc    `json:"users,omitempty"`
		Machines       map[string]modelMachineDoc `json:"machines,omitempty"`
		AgentVersion   string                     `json:"agent-version,omitempty"`
		SLA            string                     `json:"sla,omitempty"`
	}
	modelUserDoc struct {
		Access         string `json:"access"`
		LastConnection string `json:"last-connection"`
	}
	modelMachineDoc struct {
		Cores int `json:"cores"`
	}
)

func showModelDocument(m api.Model, info api.Info, s api.Status) showModelDoc {
	l := modelListDocument(m, info)
	d := showModelDoc{
		Name: l.Name, ShortName: l.ShortName, UUID: string(l.UUID), Type: l.Type, ControllerUUID: l.ControllerUUID,
		Controller: l.Controller, Owner: l.Owner, Cloud: l.Cloud, Region: l.Region, Provider: l.Provider, Life: string(l.Life),
		Status: l.Status, AgentVersion: l.AgentVersion, SLA: l.SLA,
		Users:    map[string]modelUserDoc{m.Owner: {l.Access, l.LastConnection}},
		Machines: map[string]modelMachineDoc{},
	}
	for _, mc := range s.Machines {
		d.Machines[fmt.Sprint(mc.ID)] = modelMachineDoc{}
	}
	return d
}
