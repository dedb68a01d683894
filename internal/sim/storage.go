package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// What the hosts, the charms of the cast and the operator do about storage, resources and reboots.

// disk is what a computer keeps however often its agent, or it, starts again: the tokens
// charms have written into each storage.
type disk map[kith.StorageID][]string

// wipe is storage that the agent was told to delete, and how far it is with it.
type wipe struct {
	id      kith.StorageID
	deleted bool
	talking *call
}

// wipes takes in what the controller wants deleted: once, however often it says so.
func (a *agent) wipes(refs ...api.StorageRef) {
	for _, ref := range refs {
		if d := a.w.defect.wipes; d != nil {
			ref.Storage = d(a, ref.Storage)
		}
		if !slices.ContainsFunc(a.wiping, func(x *wipe) bool { return x.id == ref.Storage }) {
			a.wiping = append(a.wiping, &wipe{id: ref.Storage})
		}
	}
}

// canWipe reports whether the agent can go on deleting a storage.
func (a *agent) canWipe(x *wipe) bool { return !x.deleted || x.talking == nil && a.conn != nil }

// wipeOn deletes a storage, and then says so until it is heard.
func (a *agent) wipeOn(x *wipe) {
	if !x.deleted {
		x.deleted = true
		if a.w.defect.hoards {
			return
		}
		a.w.say("agent of %s deletes storage %s", a.host, x.id)
		a.w.checks.wiped(a.host, x.id)
		if a.graves == nil {
			a.graves = map[kith.StorageID]bool{}
		}
		a.graves[x.id] = true
		delete(a.disk, x.id)
		return
	}
	x.talking = a.w.send(&call{actor: a.actor(), op: core.StorageWiped{Host: a.host, Storage: []kith.StorageID{x.id}}, to: a.controller(),
		done: func(_ api.CommandReply, err error) {
			x.talking = nil
			if err == nil || refused(err) {
				a.wiping = without(a.wiping, x)
			}
		}})
}

// makeStorage makes the folder of a storage that a unit is about to be told of.
func (a *agent) makeStorage(id kith.StorageID) {
	if _, there := a.disk[id]; !there && !a.graves[id] {
		a.disk[id] = nil
	}
}

// reboot is the computer's: its agent dies, and what is on its disk stays.
func (a *agent) reboot() {
	if !a.down {
		a.crash(false)
	}
	a.boot++
	a.w.say("host %s reboots", a.host)
}

func (w *World) rebootHost() { w.agents[w.pick(len(w.agents))].reboot() }

// placed is an assignment with the places of its storage filled in, as an agent does it.
func placed(a *api.Assignment) *api.Assignment {
	if a == nil {
		return nil
	}
	at := func(id kith.StorageID) string { return "/storage/" + string(id) }
	here := *a
	here.Hook, here.Context = a.Hook.Placed(at), a.Context.Placed(at)
	return &here
}

// useStorage writes into the storage that is attached, or reads what the unit has.
func (h *hookRun) useStorage() string {
	out, ok := h.tool("storage-list", "--format", "json")
	if !ok || json.Unmarshal([]byte(out), &h.stored) != nil {
		return "exit status 1"
	}
	if h.a.Hook.Kind != core.StorageAttached {
		return ""
	}
	where, ok := h.tool("storage-get", "location")
	id, mine := strings.CutPrefix(where, "/storage/")
	if !ok || !mine || kith.StorageID(id) != h.a.Hook.Storage.ID {
		return "exit status 1"
	}
	tokens, there := h.u.agent.disk[kith.StorageID(id)]
	if !there { // it was taken away by force meanwhile
		return "exit status 1"
	}
	h.u.agent.disk[kith.StorageID(id)] = append(tokens, h.token)
	return ""
}

// wantStorage asks for more storage, now and then for more than there may be.
func (h *hookRun) wantStorage() string {
	if h.u.w.pick(8) != 7 {
		return ""
	}
	names := storesOf(h.u.name.App())
	return h.must([]string{"storage-add", names[h.u.w.pick(len(names))] + []string{"", "=2"}[h.u.w.pick(2)]})
}

// fetch gets every resource that the charm has.
func (h *hookRun) fetch() string {
	for _, r := range h.a.Context.Resources {
		if _, ok := h.tool("resource-get", r.Name); !ok {
			return "exit status 1"
		}
	}
	return ""
}

// restart asks for a reboot, at once or when the hook is over.
func (h *hookRun) restart() string {
	switch h.u.w.pick(12) {
	case 10:
		return h.must([]string{"juju-reboot"})
	case 11:
		h.tool("juju-reboot", "--now")
	}
	return ""
}

// keep gives one command of an operator's about storage or resources.
func (w *World) keep() {
	all := []func(*World) core.Op{(*World).addStorage, (*World).detachStorage, (*World).attachStorage, (*World).removeStorage, (*World).attachResource,
		func(w *World) core.Op {
			return core.RemoveUnits{Units: w.someUnits(), DestroyStorage: true, Force: w.pick(4) == 1}
		}}
	w.give(all[weighted(&w.choice, []int{6, 6, 5, 4, 5, 1})](w))
}

// someStorage is a storage of the model, rather one that suits; now and then one that is not there.
func (w *World) someStorage(suits func(*core.Storage) bool) kith.StorageID {
	var all []kith.StorageID
	for s := range w.model().Storages() {
		if suits(s) || w.pick(8) == 7 {
			all = append(all, s.ID)
		}
	}
	if len(all) == 0 {
		return "data/77"
	}
	return all[w.pick(len(all))]
}

func (w *World) addStorage() core.Op {
	op := core.AddStorage{Unit: w.someUnits()[0]}
	names := storesOf(op.Unit.App())
	r := core.StorageRequest{Name: names[w.pick(len(names))]}
	r.Count = w.pick(3)
	if w.pick(8) == 7 {
		r.Pool = "ebs"
	}
	op.Storage = []core.StorageRequest{r}
	return op
}

func (w *World) detachStorage() core.Op {
	return core.DetachStorage{Storage: w.someStorage(func(s *core.Storage) bool { return s.Unit != "" }), Force: w.pick(2) == 0}
}

// attachStorage hands storage that nobody has to a unit, or to one that is added.
func (w *World) attachStorage() core.Op {
	id := w.someStorage(func(s *core.Storage) bool { return s.Unit == "" && s.Life == kith.Alive })
	var fit []kith.UnitName
	for u := range w.model().Units() {
		if s := w.model().Storage(id); slices.Contains(storesOf(u.App), id.Name()) && s != nil && u.Host == s.Host {
			fit = append(fit, u.Name)
		}
	}
	switch s := w.model().Storage(id); {
	case len(fit) == 0:
		return core.AttachStorage{Unit: w.someUnits()[0], Storage: []kith.StorageID{id}}
	case s != nil && w.pick(3) == 2:
		return core.AddUnits{App: fit[w.pick(len(fit))].App(), Units: 1, Host: s.Host, AttachStorage: []kith.StorageID{id}}
	}
	return core.AttachStorage{Unit: fit[w.pick(len(fit))], Storage: []kith.StorageID{id}}
}

func (w *World) removeStorage() core.Op {
	op := core.RemoveStorage{NoDestroy: w.pick(3) == 2, Force: w.pick(4) == 3}
	op.Storage = w.someStorage(func(s *core.Storage) bool { return op.Force == (s.Unit != "") })
	return op
}

func (w *World) attachResource() core.Op {
	app := []kith.AppName{"db", "web", "dba", "cache"}[w.pick(4)]
	name := "seed"
	if (app == "web") != (w.pick(8) == 7) {
		name = "site"
	}
	return core.AttachResource{App: app, Resource: name, File: resourceFile(w.operators + w.pick(2))}
}

// resourceFile is the file of that number.
func resourceFile(n int) core.ResourceFile {
	return core.ResourceFile{SHA256: fmt.Sprintf("%064x", n), Size: int64(n)}
}
