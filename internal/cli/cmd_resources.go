package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/core"
)

func attachResourceCommand() *command {
	given := pairsFlag{}
	return &command{
		name: "attach-resource", args: "<application> <resource name>=<path>", group: groupApp, scope: modelScope,
		summary: "Gives an application a file for one of its charm's resources",
		details: `The units run upgrade-charm, in which the charm gets the file with resource-get. Of a
resource that is an image, the image is named instead of a file.`,
		examples: []example{{"attach-resource web software=./build/web.tgz", "Upload a file"}},
		seeAlso:  []string{"resources", "deploy", "refresh"},
		check: func(_ *call, args []string) error {
			switch {
			case len(args) == 0:
				return usagef("missing application name")
			case len(args) == 1:
				return usagef("no resource specified")
			}
			if _, err := appArg(args[0]); err != nil {
				return err
			}
			clear(given)
			if err := given.Set(args[1]); err != nil {
				return usagef("expected name=path format for resource, got %q", args[1])
			}
			return atMost(2)(nil, args)
		},
		complete: firstArg(completeApps),
		run: func(ctx context.Context, x *call, args []string) error {
			app, err := x.api.App(ctx, x.modelID(), kith.AppName(args[0]))
			if err != nil {
				return whole(err)
			}
			files, err := x.sendResources(ctx, given, appResourceTypes(app))
			if err != nil {
				return err
			}
			for name, file := range files { // any order: there is one
				_, err = x.do(ctx, core.AttachResource{App: app.Name, Resource: name, File: file})
			}
			return err
		},
	}
}

func appResourceTypes(a api.ShowApp) map[string]string {
	types := map[string]string{}
	for _, r := range a.Resources {
		types[r.Name] = r.Type
	}
	return types
}

func resourcesCommand() *command {
	var details bool
	return &command{
		name: "resources", aliases: []string{"list-resources"}, args: "<application>|<unit>", group: groupApp, scope: modelScope,
		summary:  "Shows what an application was given for its charm's resources",
		details:  "Of a unit it shows what its hooks have fetched.",
		examples: []example{{"resources web", "Of an application"}, {"resources web/0", "Of a unit"}, {"resources web --details", "Of all its units"}},
		seeAlso:  []string{"attach-resource"},
		formats:  []string{formatTabular, formatJSON, formatYAML},
		flags:    func(f *pflag.FlagSet) { f.BoolVar(&details, "details", false, "Show what each unit has fetched") },
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("missing application or unit name")
			}
			if strings.Contains(args[0], "/") {
				if _, err := unitArg(args[0]); err != nil {
					return err
				}
			} else if _, err := appArg(args[0]); err != nil {
				return err
			}
			return atMost(1)(nil, args)
		},
		complete: completeEntities,
		run: func(ctx context.Context, x *call, args []string) error {
			app, unit, ofUnit := strings.Cut(args[0], "/")
			a, err := x.api.App(ctx, x.modelID(), kith.AppName(app))
			if err != nil {
				return whole(err)
			}
			v := resourceView{app: a, all: slices.DeleteFunc(a.Resources, func(r api.AppResource) bool { return r.Given.IsZero() })}
			if ofUnit {
				v.unit = kith.UnitName(app + "/" + unit)
				if !slices.Contains(a.Units, v.unit) {
					return kith.Errorf(kith.NotFound, "unit %q not found", v.unit)
				}
			}
			if len(v.all) == 0 && !x.document() {
				x.say("No resources to display.")
				return nil
			}
			return x.answer(v.document(), func() string { return v.table(details) })
		},
	}
}

// resourceView is what resources shows: of an application, or of one of its units.
type resourceView struct {
	app  api.ShowApp
	unit kith.UnitName
	all  []api.AppResource // those that were given
}

func (v resourceView) table(details bool) string {
	tb := &table{}
	switch {
	case details:
		tb.add("Unit", "Resource", "Revision", "Expected")
		units := v.app.Units
		if v.unit != "" {
			units = []kith.UnitName{v.unit}
		}
		for _, u := range units {
			for _, r := range v.all {
				tb.add(string(u), r.Name, fetchedRevision(r, u), uploaded(r.Given))
			}
		}
	case v.unit != "":
		tb.add("Resource", "Revision")
		for _, r := range v.all {
			tb.add(r.Name, fetchedRevision(r, v.unit))
		}
	default:
		tb.add("Resource", "Supplied by", "Revision")
		for _, r := range v.all {
			tb.add(r.Name, r.User, uploaded(r.Given))
		}
	}
	return tb.String()
}

// uploaded is the revision of a resource that was uploaded: when that was (section 15).
func uploaded(t time.Time) string { return t.UTC().Format("2006-01-02T15:04") }

// fetchedRevision is what a unit has: the newest, an older one, or nothing.
func fetchedRevision(r api.AppResource, u kith.UnitName) string {
	switch r.Units[u] {
	case "":
		return "-"
	case r.Sum():
		return uploaded(r.Given)
	}
	return "outdated"
}

// resourceDoc is one resource of the documents.
type resourceDoc struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Path        string            `json:"path,omitempty"`
	Description string            `json:"description,omitempty"`
	Origin      string            `json:"origin"`
	Fingerprint string            `json:"fingerprint,omitempty"`
	Size        int64             `json:"size,omitempty"`
	Image       string            `json:"image,omitempty"`
	Timestamp   string            `json:"timestamp"`
	Username    string            `json:"username"`
	Units       map[string]string `json:"units,omitempty"`
}

func (v resourceView) document() any {
	docs := []resourceDoc{}
	for _, r := range v.all {
		d := resourceDoc{Name: r.Name, Type: r.Type, Description: r.Description, Origin: "upload", Fingerprint: r.SHA256, Size: r.Size,
			Image: r.Image, Timestamp: r.Given.UTC().Format(time.RFC3339), Username: r.User, Units: map[string]string{}}
		if r.Type == charm.FileResource {
			d.Path = r.Filename
		}
		for u := range r.Units { // any order: a map again
			if v.unit == "" || u == v.unit {
				d.Units[string(u)] = fetchedRevision(r, u)
			}
		}
		docs = append(docs, d)
	}
	return map[string]any{"resources": docs}
}
