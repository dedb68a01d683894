package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"kith/internal/api"
)

func controllersCommand() *command {
	return &command{
		name: "controllers", aliases: []string{"list-controllers"}, args: "", group: groupController, scope: homeScope,
		summary:  "Shows the controller of this home",
		details:  "There is one controller for each KITH_HOME; \"up\" starts it.",
		examples: []example{{"controllers", "Is one running, and where?"}},
		seeAlso:  []string{"up", "down"},
		formats:  []string{formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.Bool("refresh", false, "Accepted for Juju's sake: the answer is always fresh")
			f.Bool("managed", false, "Accepted for Juju's sake; does nothing")
		},
		check: noArgs,
		run: func(ctx context.Context, x *call, _ []string) error {
			if !x.hasController() {
				if x.document() {
					return x.answer(controllersDoc{Controllers: map[string]controllerDoc{}}, nil)
				}
				return x.noController()
			}
			info, err := x.api.Info(ctx)
			if err != nil {
				return err
			}
			models, err := x.api.Models(ctx)
			if err != nil {
				return err
			}
			return x.showControllers(info, models)
		},
	}
}

// The document of controllers (CLI reference, section 13).
type (
	controllersDoc struct {
		Controllers map[string]controllerDoc `json:"controllers"`
		Current     string                   `json:"current-controller,omitempty"`
	}
	controllerDoc struct {
		Model        string   `json:"current-model,omitempty"`
		User         string   `json:"user,omitempty"`
		Access       string   `json:"access,omitempty"`
		Server       string   `json:"recent-server,omitempty"`
		UUID         string   `json:"uuid"`
		Endpoints    []string `json:"api-endpoints"`
		CACert       string   `json:"ca-cert"`
		Cloud        string   `json:"cloud"`
		Region       string   `json:"region,omitempty"`
		AgentVersion string   `json:"agent-version,omitempty"`
		Models       int      `json:"model-count,omitempty"`
		Machines     int      `json:"machine-count,omitempty"`
	}
)

func (x *call) showControllers(info api.Info, models []api.Model) error {
	machines := 0
	for _, m := range models {
		machines += m.Machines
	}
	d := controllerDoc{
		Model: x.state.CurrentModel, User: userName, Access: "superuser", Server: x.socket(), UUID: info.Controller,
		Endpoints: []string{x.socket()}, Cloud: cloudName, Region: regionName, AgentVersion: jujuVersion,
		Models: len(models), Machines: machines,
	}
	doc := controllersDoc{Controllers: map[string]controllerDoc{controllerName: d}, Current: controllerName}
	return x.answer(doc, func() string {
		tb := &table{right: map[int]bool{5: true, 6: true, 7: true}}
		tb.add("Controller", "Model", "User", "Access", "Cloud/Region", "Models", "Nodes", "HA", "Version", "")
		tb.add(controllerName+"*", cmp.Or(shortName(d.Model), "-"), userName, "superuser", cloudName+"/"+regionName, fmt.Sprint(len(models)), "1", "-", jujuVersion, "")
		return tb.String()
	})
}
