package script

import (
	"fmt"
	"strconv"
	"strings"

	"kith"
	"kith/charm"
	"kith/internal/core"
	"kith/internal/resolve"
)

// declareStorage adds one storage to a charm: NAME, with attributes after it.
func declareStorage(c *charm.Charm, spec string) error {
	parts := strings.Split(spec, ":")
	s := charm.Storage{Name: parts[0], Type: core.FilesystemStorage, CountMin: 1, CountMax: 1}
	for _, p := range parts[1:] {
		key, value, _ := strings.Cut(p, "=")
		var err error
		switch key {
		case "block":
			s.Type = core.BlockStorage
		case "shared":
			s.Shared = true
		case "read-only":
			s.ReadOnly = true
		case "location":
			s.Location = value
		case "size":
			s.MinimumSize, err = strconv.ParseUint(value, 10, 64)
		case "min":
			s.CountMin, err = strconv.Atoi(value)
		case "max":
			s.CountMax, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("unknown attribute %q", p)
		}
		if err != nil {
			return err
		}
	}
	if c.Meta.Storage == nil {
		c.Meta.Storage = map[string]charm.Storage{}
	}
	c.Meta.Storage[s.Name] = s
	return nil
}

// directives takes the arguments NAME=DIRECTIVE that begin with "storage:" out of args.
func directives(args *[]string) (map[string]core.StorageDirective, error) {
	var all map[string]core.StorageDirective
	var rest []string
	for _, arg := range *args {
		name, ok := strings.CutPrefix(arg, "storage:")
		if !ok {
			rest = append(rest, arg)
			continue
		}
		name, text, _ := strings.Cut(name, "=")
		d, err := core.ParseStorageDirective(text)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = map[string]core.StorageDirective{}
		}
		all[name] = d
	}
	*args = rest
	return all, nil
}

func storageIDs(list string) []kith.StorageID {
	var ids []kith.StorageID
	for id := range strings.SplitSeq(list, ",") {
		if id != "" {
			ids = append(ids, kith.StorageID(id))
		}
	}
	return ids
}

func (w *World) cmdAddStorage(args []string) error {
	op := core.AddStorage{Unit: kith.UnitName(args[0])}
	for _, arg := range args[1:] {
		name, text, given := strings.Cut(arg, "=")
		r := core.StorageRequest{Name: name}
		if given {
			var err error
			if r.StorageDirective, err = core.ParseStorageDirective(text); err != nil {
				return w.answer(err)
			}
		}
		op.Storage = append(op.Storage, r)
	}
	return w.do(op)
}

func (w *World) cmdAttachStorage(args []string) error {
	return w.do(core.AttachStorage{Unit: kith.UnitName(args[0]), Storage: storageIDs(strings.Join(args[1:], ","))})
}

func (w *World) cmdDetachStorage(args []string) error {
	force := takeFlag(&args, "force")
	return w.do(core.DetachStorage{Storage: kith.StorageID(args[0]), Force: force})
}

func (w *World) cmdRemoveStorage(args []string) error {
	force, noDestroy := takeFlag(&args, "force"), takeFlag(&args, "no-destroy")
	return w.do(core.RemoveStorage{Storage: kith.StorageID(args[0]), Force: force, NoDestroy: noDestroy})
}

// cmdStorage prints every storage.
func (w *World) cmdStorage([]string) error {
	for s := range w.model.Storages() {
		line := fmt.Sprintf("%s %s %s", s.ID, s.Kind, core.StorageSize(s.Size))
		switch {
		case s.Life == kith.Dead:
			line += " dead"
		case s.Unit == "":
			line += " detached"
		case s.Detaching && s.Attached:
			line += " detaching from " + string(s.Unit)
		case s.Attached:
			line += " attached to " + string(s.Unit)
		default:
			line += " attaching to " + string(s.Unit)
		}
		if s.Location != "" {
			line += " at " + s.Location
		}
		w.printf("%s", line)
	}
	return nil
}

// place is where a scripted host keeps a storage.
func place(id kith.StorageID) string { return "/storage/" + string(id) }

// placed is a step whose hook says where its storage is, as an agent's does.
func placed(s resolve.Step) resolve.Step {
	s.Hook = s.Hook.Placed(place)
	return s
}

// wipe lets the hosts that are up delete the data of dead storage.
func (w *World) wipe() (did bool, err error) {
	for i := range w.hosts {
		h := &w.hosts[i]
		if h.down {
			continue
		}
		op := core.StorageWiped{Host: h.name}
		for s := range w.model.Storages() {
			if s.Host == h.name && s.Life == kith.Dead {
				op.Storage = append(op.Storage, s.ID)
				w.printf("%s [deletes %s]", h.name, s.ID)
			}
		}
		if len(op.Storage) > 0 {
			did = true
			if err := w.Do(h.actor(), op); err != nil {
				return did, err
			}
		}
	}
	return did, nil
}
