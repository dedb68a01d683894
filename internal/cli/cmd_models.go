package cli

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
)

func modelsCommand() *command {
	var uuid bool
	return &command{
		name: "models", aliases: []string{"list-models"}, args: "", group: groupModel, scope: controllerScope,
		summary:  "Lists the models",
		details:  "The current model is marked with *.",
		examples: []example{{"models", "List the models"}, {"models --uuid", "With their UUIDs"}},
		seeAlso:  []string{"add-model", "switch"},
		formats:  []string{formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&uuid, "uuid", false, "Show UUIDs")
			f.Bool("all", false, "Accepted for Juju's sake: all models are always shown")
			f.Bool("exact-time", false, "Accepted for Juju's sake; does nothing")
			f.String("user", "", "Accepted for Juju's sake; does nothing")
		},
		check: noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			models, err := x.api.Models(ctx)
			if err != nil {
				return err
			}
			info, err := x.api.Info(ctx)
			if err != nil {
				return err
			}
			if err := x.showModels(models, info, uuid); err != nil {
				return err
			}
			for _, m := range models {
				if m.Stopped != "" {
					x.warn("model %q is not served here: %s", cmp.Or(m.Name, string(m.UUID)), m.Stopped)
				}
			}
			if len(models) == 0 {
				x.say("\nThere are no models available. You can add models with\n\"%[1]s add-model\", or you can ask an administrator or owner\n"+
					"of a model to grant access to that model with \"%[1]s grant\".", x.program)
			}
			return nil
		},
	}
}

// The documents of models (CLI reference, sections 5.4 and 12.1).
type (
	modelsDoc struct {
		Models  []modelListDoc `json:"models"`
		Current string         `json:"current-model,omitempty"`
	}
	modelListDoc struct {
		Name           string         `json:"name"`
		ShortName      string         `json:"short-name"`
		Owner          string         `json:"owner,omitempty"`
		UUID           kith.ModelUUID `json:"model-uuid"`
		Type           string         `json:"model-type"`
		ControllerUUID string         `json:"controller-uuid"`
		Controller     string         `json:"controller-name"`
		IsController   bool           `json:"is-controller"`
		Cloud          string         `json:"cloud"`
		Region         string         `json:"region,omitempty"`
		Provider       string         `json:"type,omitempty"`
		Life           kith.Life      `json:"life"`
		Status         recordDoc      `json:"status"`
		Access         string         `json:"access"`
		LastConnection string         `json:"last-connection"`
		AgentVersion   string         `json:"agent-version,omitempty"`
		SLA            string         `json:"sla,omitempty"`
	}
)

// providerType is what the one cloud is of: the computer itself.
const providerType = "local"

// modelListDocument is a model in a list.
func modelListDocument(m api.Model, info api.Info) modelListDoc {
	return modelListDoc{
		Name: m.Owner + "/" + m.Name, ShortName: m.Name, Owner: m.Owner, UUID: m.UUID, Type: modelType,
		ControllerUUID: info.Controller, Controller: controllerName, Cloud: cloudName, Region: regionName, Provider: providerType,
		Life: m.Life, Status: recordDoc{Current: modelStatus(m), Message: m.Stopped, Since: friendlyTime(m.Created, time.Now())},
		Access: "admin", LastConnection: "just now", AgentVersion: jujuVersion, SLA: "unsupported",
	}
}

// modelStatus is a model's status word.
func modelStatus(m api.Model) string {
	if m.Stopped != "" {
		return "suspended"
	}
	if m.Life != kith.Alive {
		return string(api.Destroying)
	}
	return string(api.Available)
}

func (x *call) showModels(models []api.Model, info api.Info, uuid bool) error {
	doc := modelsDoc{Models: []modelListDoc{}, Current: x.state.CurrentModel}
	for _, m := range models {
		doc.Models = append(doc.Models, modelListDocument(m, info))
	}
	return x.answer(doc, func() string {
		if len(models) == 0 {
			return "Controller: " + controllerName + "\n"
		}
		return "Controller: " + controllerName + "\n\n" + x.modelTable(models, uuid).String()
	})
}

func (x *call) modelTable(models []api.Model, uuid bool) *table {
	head := []cell{{text: "Model"}}
	if uuid {
		head = append(head, cell{text: "UUID"})
	}
	head = append(head, cell{text: "Cloud/Region"}, cell{text: "Type"}, cell{text: "Status"}, cell{text: "Machines", right: true},
		cell{text: "Cores", right: true}, cell{text: "Units"}, cell{text: "Access"}, cell{text: "Last connection"})
	tb := &table{}
	tb.addCells(head...)
	for _, m := range models {
		name := m.Name
		if m.Owner != userName {
			name = m.Owner + "/" + m.Name
		}
		current := m.Owner+"/"+m.Name == x.state.CurrentModel
		if current {
			name += "*"
		}
		row := []cell{{text: name}}
		if current {
			row[0].paint = x.outColor.green
		}
		if uuid {
			row = append(row, cell{text: string(m.UUID)})
		}
		row = append(row, cell{text: cloudName + "/" + regionName}, cell{text: providerType},
			cell{text: modelStatus(m), paint: x.outColor.status}, cell{text: strconv.Itoa(m.Machines), right: true},
			cell{text: "0", right: true}, cell{text: strconv.Itoa(m.Units)}, cell{text: "admin"}, cell{text: "just now"})
		tb.addCells(row...)
	}
	return tb
}

// friendlyTime says how long ago something was; after a month, on which day.
func friendlyTime(t, now time.Time) string {
	const day = 24 * time.Hour
	switch d := now.Sub(t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute") + " ago"
	case d < day:
		return plural(int(d/time.Hour), "hour") + " ago"
	case d < 30*day:
		return plural(int(d/day), "day") + " ago"
	}
	return t.Local().Format(time.DateOnly)
}
