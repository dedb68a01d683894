package hooktool

import (
	"errors"
	"slices"
	"strings"

	"kith"
	"kith/internal/core"
)

// storage is a storage the hook sees; false if the unit does not have it.
func (r *Run) storage(id kith.StorageID) (core.StorageContext, bool) {
	at := slices.IndexFunc(r.ctx.Storage, func(s core.StorageContext) bool { return s.ID == id })
	if at < 0 {
		return core.StorageContext{}, false
	}
	return r.ctx.Storage[at], true
}

func storageGet(i *invocation) error {
	var id kith.StorageID
	if h := i.run.hook.Storage; h != nil {
		id = h.ID
	}
	i.options = append(i.options, &option{
		names: []string{"s"}, arg: "ID", help: "the storage, if not that of the running hook",
		set: func(value string) error {
			parsed, err := kith.ParseStorageID(value)
			if err != nil {
				return errors.New(err.Error()) // without its hint: this is a part of a sentence
			}
			if _, ok := i.run.storage(parsed); !ok {
				return errors.New("storage not found")
			}
			id = parsed
			return nil
		},
	})
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	if id == "" {
		return usageError("no storage instance specified")
	}
	key, args := first(args)
	if err := noMore(args); err != nil {
		return err
	}
	s, ok := i.run.storage(id)
	if !ok {
		return kith.Errorf(kith.NotFound, "storage %q not found", id)
	}
	switch key {
	case "":
		return out.print(map[string]string{"kind": s.Kind, "location": s.Location})
	case "kind":
		return out.print(s.Kind)
	case "location":
		return out.print(s.Location)
	}
	return kith.Errorf(kith.Invalid, "invalid storage attribute %q", key)
}

func storageList(i *invocation) error {
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	name, args := first(args)
	if err := noMore(args); err != nil {
		return err
	}
	ids := []string{}
	for _, s := range i.run.ctx.Storage {
		if name == "" || s.ID.Name() == name {
			ids = append(ids, string(s.ID))
		}
	}
	slices.Sort(ids)
	return out.print(ids)
}

func storageAdd(i *invocation) error {
	args, err := i.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usageError("storage add requires a storage directive")
	}
	var adds []core.StorageAdd
	for _, arg := range args {
		name, directive, given := strings.Cut(arg, "=")
		if name == "" || strings.Contains(directive, "=") {
			return usagef(`expected "name=directive" or "name", got %q`, arg)
		}
		if slices.ContainsFunc(adds, func(a core.StorageAdd) bool { return a.Name == name }) {
			return usagef("storage %q specified more than once", name)
		}
		d := core.StorageDirective{Count: 1}
		if given {
			if d, err = core.ParseStorageDirective(directive); err != nil {
				return usagef("cannot parse directive for storage %q: %s", name, err)
			}
		}
		if d.Pool != "" || d.Size != 0 {
			return usagef("only count can be specified for %q", name)
		}
		adds = append(adds, core.StorageAdd{Name: name, Count: d.Count})
	}
	i.run.storageAdds = append(i.run.storageAdds, adds...)
	return nil
}
