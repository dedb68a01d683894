package cli

import (
	"context"
	"strings"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

func storageCommand() *command {
	var filesystem, volume bool
	return &command{
		name: "storage", aliases: []string{"list-storage"}, args: "", group: groupStorage, scope: modelScope,
		summary: "Lists storage",
		details: `Each storage is a folder of its own on this computer. It outlives its unit: it is
detached then, and can be attached to another one.`,
		examples: []example{{"storage", "List all storage"}, {"storage --format yaml", "With where it is"}},
		seeAlso:  []string{"show-storage", "add-storage", "attach-storage", "detach-storage", "remove-storage"},
		formats:  []string{formatTabular, formatJSON, formatYAML},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&filesystem, "filesystem", false, "Show the file systems")
			f.BoolVar(&volume, "volume", false, "Show the volumes: there are none")
		},
		check: func(x *call, args []string) error {
			if filesystem && volume {
				return usagef("--filesystem and --volume can not be used together")
			}
			return noArgs(x, args)
		},
		run: func(ctx context.Context, x *call, _ []string) error {
			s, err := x.api.Status(ctx, x.modelID())
			if err != nil {
				return err
			}
			all := s.Storage
			if volume {
				all = nil
			}
			if len(all) == 0 && !x.document() {
				x.say("No storage to display.")
				return nil
			}
			part := storagePart(all, clock{})
			if filesystem {
				part.Storage = nil
			}
			return x.answer(part, func() string {
				if filesystem {
					return filesystemTable(all)
				}
				return storageTable(all)
			})
		},
	}
}

func showStorageCommand() *command {
	return &command{
		name: "show-storage", args: "<storage ID> [...]", group: groupStorage, scope: modelScope,
		summary:  "Shows storage with where it is and who has it",
		details:  "Names the kind of each storage, how it is, the unit that has it, and its folder.",
		examples: []example{{"show-storage data/0", "Show one storage"}},
		seeAlso:  []string{"storage"},
		formats:  []string{formatYAML, formatJSON},
		check: func(_ *call, args []string) error {
			if len(args) == 0 {
				return usagef("must specify storage id(s)")
			}
			_, err := storageIDs(args)
			return err
		},
		complete: completeStorage(nil),
		run: func(ctx context.Context, x *call, args []string) error {
			s, err := x.api.Status(ctx, x.modelID())
			if err != nil {
				return err
			}
			docs := map[string]storageDoc{}
			for _, a := range args {
				st := s.StorageOf(kith.StorageID(a))
				if st == nil {
					return kith.Errorf(kith.NotFound, "storage %q not found", a).WithHint("see 'kith storage'")
				}
				docs[a] = storageDocument(*st, clock{})
			}
			return x.answer(docs, nil)
		},
	}
}

func addStorageCommand() *command {
	return &command{
		name: "add-storage", args: "<unit> <storage>[=<directive>] [...]", group: groupStorage, scope: modelScope,
		summary: "Adds storage to a unit",
		details: `The charm must declare the storage, and may bound how much of it a unit can have. A
directive is POOL,SIZE,COUNT, each of which may be left out; the one pool is rootfs,
and the size is noted, not enforced. The unit is told by its storage-attached hook.`,
		examples: []example{{"add-storage db/0 data", "One more of data"}, {"add-storage db/0 data=10G,2 logs", "Two more, and another one"}},
		seeAlso:  []string{"storage", "detach-storage"},
		check: func(_ *call, args []string) error {
			if len(args) < 2 {
				return usagef("storage add requires a unit and a storage directive")
			}
			if _, err := unitArg(args[0]); err != nil {
				return err
			}
			_, err := storageRequests(args[1:])
			return err
		},
		complete: completeUnits,
		run: func(ctx context.Context, x *call, args []string) error {
			requests, err := storageRequests(args[1:])
			if err != nil {
				return err
			}
			unit, failed := kith.UnitName(args[0]), error(nil)
			for _, r := range requests {
				reply, err := x.do(ctx, core.AddStorage{Unit: unit, Storage: []core.StorageRequest{r}})
				if err != nil {
					x.complain("failed to add storage %q to %s: %v", r.Name, unit, err)
					failed = errFailed
					continue
				}
				for _, ref := range reply.Created {
					if ref.Kind == core.KindStorage {
						x.say("added storage %s to %s", ref.ID, unit)
					}
				}
			}
			return failed
		},
	}
}

// storageRequests reads NAME[=DIRECTIVE] arguments.
func storageRequests(args []string) ([]core.StorageRequest, error) {
	var all []core.StorageRequest
	seen := map[string]bool{}
	for _, arg := range args {
		name, text, given := strings.Cut(arg, "=")
		switch {
		case name == "" || strings.Contains(text, "="):
			return nil, usagef(`expected "name=directive" or "name", got %q`, arg)
		case seen[name]:
			return nil, usagef("storage %q specified more than once", name)
		}
		seen[name] = true
		r := core.StorageRequest{Name: name}
		if given {
			var err error
			if r.StorageDirective, err = core.ParseStorageDirective(text); err != nil {
				return nil, usagef("cannot parse directive for storage %q: %s", name, err)
			}
		}
		all = append(all, r)
	}
	return all, nil
}

func attachStorageCommand() *command {
	return &command{
		name: "attach-storage", args: "<unit> <storage ID> [...]", group: groupStorage, scope: modelScope,
		summary:  "Attaches storage that nobody has to a unit",
		details:  "The unit is told by its storage-attached hook, and finds the data that is there.",
		examples: []example{{"attach-storage db/1 data/0", "Give a unit what another one left"}},
		seeAlso:  []string{"detach-storage", "storage", "add-unit"},
		check: func(_ *call, args []string) error {
			if len(args) < 2 {
				return usagef("attach-storage requires a unit ID and at least one storage ID")
			}
			if _, err := unitArg(args[0]); err != nil {
				return err
			}
			_, err := storageIDs(args[1:])
			return err
		},
		complete: completeUnits,
		run: func(ctx context.Context, x *call, args []string) error {
			return x.eachStorage(args[1:], "attach", " to "+args[0], "attaching", func(id kith.StorageID) error {
				_, err := x.do(ctx, core.AttachStorage{Unit: kith.UnitName(args[0]), Storage: []kith.StorageID{id}})
				return err
			})
		},
	}
}

// eachStorage does something to each of several storages; what cannot be done is said, and
// the rest goes on.
func (x *call) eachStorage(args []string, verb, tail, doing string, do func(kith.StorageID) error) error {
	ids, err := storageIDs(args)
	if err != nil {
		return err
	}
	var failed error
	for _, id := range ids {
		if err := do(id); err != nil {
			x.complain("failed to %s %s%s: %v", verb, id, tail, err)
			failed = errFailed
			continue
		}
		x.say("%s %s%s", doing, id, tail)
	}
	return failed
}

func detachStorageCommand() *command {
	var force bool
	return &command{
		name: "detach-storage", args: "<storage ID> [...]", group: groupStorage, scope: modelScope,
		summary: "Takes storage from its unit; its data stays",
		details: `The unit is told by its storage-detaching hook. What its charm cannot spare is not
taken, unless --force is given.`,
		examples: []example{{"detach-storage data/0", "Take a storage back"}},
		seeAlso:  []string{"attach-storage", "remove-storage"},
		flags:    func(f *pflag.FlagSet) { f.BoolVar(&force, "force", false, "Even if the charm cannot spare it") },
		check:    storageArgs("detach-storage requires a storage ID"),
		complete: completeStorage(func(s api.StorageStatus) bool { return s.Unit != "" }),
		run: func(ctx context.Context, x *call, args []string) error {
			return x.eachStorage(args, "detach", "", "detaching", func(id kith.StorageID) error {
				_, err := x.do(ctx, core.DetachStorage{Storage: id, Force: force})
				return err
			})
		},
	}
}

func storageArgs(none string) func(*call, []string) error {
	return func(_ *call, args []string) error {
		if len(args) == 0 {
			return usagef("%s", none)
		}
		_, err := storageIDs(args)
		return err
	}
}

func removeStorageCommand() *command {
	var force, noDestroy bool
	return &command{
		name: "remove-storage", args: "<storage ID> [...]", group: groupStorage, scope: modelScope,
		summary: "Removes storage with its data",
		details: `Storage that a unit has is removed with --force only: it is detached first. With
--no-destroy the model forgets it, and its folder stays where it is.`,
		examples: []example{
			{"remove-storage data/0", "Remove what nobody has"},
			{"remove-storage data/0 --force", "Take it from its unit, and remove it"},
			{"remove-storage data/0 --no-destroy", "Keep the files"},
		},
		seeAlso: []string{"detach-storage", "storage"},
		flags: func(f *pflag.FlagSet) {
			f.BoolVar(&force, "force", false, "Even if a unit has it")
			f.BoolVar(&noDestroy, "no-destroy", false, "Do not delete its data")
		},
		check:    storageArgs("remove-storage requires at least one storage ID"),
		complete: completeStorage(nil),
		run: func(ctx context.Context, x *call, args []string) error {
			attached := false
			err := x.eachStorage(args, "remove", "", "removing", func(id kith.StorageID) error {
				_, err := x.do(ctx, core.RemoveStorage{Storage: id, Force: force, NoDestroy: noDestroy})
				attached = attached || kith.CodeOf(err) == kith.Conflict
				return err
			})
			if attached {
				x.say("\nUse the --force option to remove attached storage, or use\n\"%s detach-storage\" to explicitly detach the storage before removing.", x.program)
			}
			return err
		},
	}
}

func storagePoolsCommand() *command {
	return &command{
		name: "storage-pools", aliases: []string{"list-storage-pools"}, args: "", group: groupStorage, scope: modelScope,
		summary:  "Lists the pools storage can come from",
		details:  "There is one: folders on this computer.",
		examples: []example{{"storage-pools", "List them"}},
		seeAlso:  []string{"add-storage", "deploy"},
		formats:  []string{formatTabular, formatJSON, formatYAML},
		check:    noArgs,
		run: func(_ context.Context, x *call, _ []string) error {
			type pool struct {
				Provider string `json:"provider"`
			}
			return x.answer(map[string]pool{core.RootfsPool: {core.RootfsPool}}, func() string {
				tb := &table{}
				tb.add("Name", "Provider", "Attributes")
				tb.add(core.RootfsPool, core.RootfsPool, "")
				return tb.String()
			})
		},
	}
}

// completeStorage proposes the ids of storage.
func completeStorage(keep func(api.StorageStatus) bool) func(context.Context, *call, []string) []string {
	return func(ctx context.Context, x *call, _ []string) []string {
		s, err := x.api.Status(ctx, x.modelID())
		if err != nil {
			return nil
		}
		var ids []string
		for _, st := range s.Storage {
			if keep == nil || keep(st) {
				ids = append(ids, string(st.ID))
			}
		}
		return ids
	}
}
