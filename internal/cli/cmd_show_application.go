package cli

import (
	"context"
	"strings"

	"kith"
	"kith/internal/api"
)

func showApplicationCommand() *command {
	return &command{
		name: "show-application", args: "<application> [...]", group: groupWatch, scope: modelScope,
		summary:  "Shows applications with their endpoints",
		details:  "Names the charm, its base, and every endpoint with the space it is bound to.",
		examples: []example{{"show-application web", "Show an application"}},
		seeAlso:  []string{"show-unit", "status"},
		formats:  []string{formatYAML, formatJSON, formatSmart},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("an application name must be supplied")
			}
			var bad []string
			for _, a := range args {
				if !kith.ValidAppName(a) {
					bad = append(bad, a)
				}
			}
			switch len(bad) {
			case 0:
				return nil
			case 1:
				return usagef("application name %s not valid", bad[0])
			}
			return usagef("application names %s not valid", strings.Join(bad, ", "))
		},
		complete: completeApps,
		run: func(ctx context.Context, x *call, args []string) error {
			docs := map[string]appInfoDoc{}
			for _, a := range args {
				app, err := x.api.App(ctx, x.modelID(), kith.AppName(a))
				if err != nil {
					return err
				}
				docs[a] = appInfoDocument(app)
			}
			return x.answer(docs, nil)
		},
	}
}

// appInfoDoc is the document of show-application (CLI reference, section 7.6).
type appInfoDoc struct {
	Charm     string                `json:"charm"`
	Base      string                `json:"base,omitempty"`
	Principal bool                  `json:"principal"`
	Exposed   bool                  `json:"exposed"`
	ExposedBy map[string]exposedDoc `json:"exposed-endpoints,omitempty"`
	Remote    bool                  `json:"remote"`
	Life      string                `json:"life"`
	Bindings  map[string]string     `json:"endpoint-bindings,omitempty"`
}

// exposedDoc says to whom an endpoint is exposed.
type exposedDoc struct {
	CIDRs []string `json:"expose-to-cidrs,omitempty"`
}

// exposedEndpoints are those an application is exposed by; the empty name is all of them.
func exposedEndpoints(a api.ShowApp) map[string]exposedDoc {
	if !a.Exposed {
		return nil
	}
	everybody := exposedDoc{[]string{"0.0.0.0/0", "::/0"}}
	if len(a.ExposedEndpoints) == 0 {
		return map[string]exposedDoc{"": everybody}
	}
	docs := map[string]exposedDoc{}
	for _, e := range a.ExposedEndpoints {
		docs[string(e)] = everybody
	}
	return docs
}

func appInfoDocument(a api.ShowApp) appInfoDoc {
	d := appInfoDoc{
		Charm: a.CharmName, Base: shortBase(a.Base), Principal: !a.Subordinate, Exposed: a.Exposed, Life: string(a.Life),
		ExposedBy: exposedEndpoints(a), Bindings: map[string]string{"": spaceName},
	}
	for _, name := range a.Bindings {
		d.Bindings[name] = spaceName
	}
	return d
}
