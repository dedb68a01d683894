package cli

import (
	"context"
	"fmt"
	"slices"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

func removeApplicationCommand() *command {
	var r removal
	return &command{
		name: "remove-application", args: "<application> [<application>...]", group: groupApp, scope: modelScope,
		summary: "Removes applications from the model",
		details: `The application's relations end, then each of its units runs its stop and remove
hooks. The application is gone when its last unit is.

The storage of its units is detached and keeps its data, unless --destroy-storage is
given.

With --force units are gone after a minute even if their hooks fail, and with
--no-wait at once.`,
		examples: []example{
			{"remove-application web --no-prompt", "Remove an application without being asked"},
			{"remove-application web db --dry-run", "See what would be removed"},
		},
		seeAlso: []string{"remove-unit", "remove-relation"},
		flags:   r.flags,
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("no application specified")
			}
			for _, a := range args {
				if _, err := appArg(a); err != nil {
					return err
				}
			}
			return r.check()
		},
		complete: completeApps,
		run: func(ctx context.Context, x *call, args []string) error {
			return r.removeEach(ctx, x, "application", args, r.previewApp, func(name string) error {
				_, err := x.do(ctx, core.RemoveApps{Apps: []kith.AppName{kith.AppName(name)}, Force: r.force, Wait: r.wait(),
					DestroyStorage: r.destroyStorage})
				return err
			})
		},
	}
}

// previewApp says what goes when an application goes.
func (r *removal) previewApp(s *api.Status, name string) (string, error) {
	i := slices.IndexFunc(s.Apps, func(a api.AppStatus) bool { return string(a.Name) == name })
	if i < 0 {
		return "", kith.Errorf(kith.NotFound, "application %q not found", name)
	}
	text := fmt.Sprintf("will remove application %s\n", name)
	for _, u := range s.Apps[i].Units {
		text += fmt.Sprintf("- will remove unit %s\n", u)
	}
	return text + storagePreview(s, r.destroyStorage, s.Apps[i].Units...), nil
}
