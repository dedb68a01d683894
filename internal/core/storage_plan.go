package core

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"kith"
	"kith/charm"
)

// maxStorage bounds the instances one command may add to a unit; a typing error
// should not fill the disk.
const maxStorage = 1000

// storageNames lists the storage of a charm, sorted.
func storageNames(c *charm.Charm) []string {
	if len(c.Meta.Storage) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(c.Meta.Storage))
}

// checkStorage refuses an application whose units could not get their storage.
func checkStorage(app *App, c *charm.Charm) *kith.Error {
	for _, name := range slices.Sorted(maps.Keys(app.Storage)) {
		if _, ok := c.Meta.Storage[name]; !ok {
			return kith.Errorf(kith.Invalid, "charm %q has no store called %q", c.Meta.Name, name)
		}
	}
	for _, name := range storageNames(c) {
		s := c.Meta.Storage[name]
		if s.CountMax >= 0 && s.CountMin > s.CountMax {
			return kith.Errorf(kith.Invalid, "charm storage %q has a minimum count %d greater than maximum count %d, this can't be achieved",
				name, s.CountMin, s.CountMax)
		}
		d := app.plan(s)
		if err := checkPlan(c, s, d); err != nil {
			return err
		}
		lead := fmt.Sprintf("charm %q storage %q: ", c.Meta.Name, name)
		switch {
		case d.Count < s.CountMin:
			return kith.Errorf(kith.Invalid, "%s%d instances required, %d specified", lead, s.CountMin, d.Count)
		case s.CountMax >= 0 && d.Count > s.CountMax:
			return kith.Errorf(kith.Invalid, "%sat most %d instances supported, %d specified", lead, s.CountMax, d.Count)
		}
	}
	return nil
}

// checkPlan refuses storage of a sort that is not to be had here (charm format reference, section 8.1).
func checkPlan(c *charm.Charm, s charm.Storage, d StorageDirective) *kith.Error {
	switch {
	case d.Pool != RootfsPool:
		return kith.Errorf(kith.NotFound, "pool %q not found", d.Pool).WithHint("the one pool is %q: directories on this computer", RootfsPool)
	case d.Size < s.MinimumSize:
		return kith.Errorf(kith.Invalid, "charm %q storage %q: minimum storage size is %s, %s specified", c.Meta.Name, s.Name,
			StorageSize(s.MinimumSize), StorageSize(d.Size))
	case d.Count > maxStorage:
		return kith.Errorf(kith.Invalid, "charm %q storage %q: at most %d instances can be added at once, %d specified", c.Meta.Name, s.Name, maxStorage, d.Count)
	case d.Count > 0 && s.Shared:
		return kith.Errorf(kith.Invalid, "charm storage %q requires shared storage which is not implemented", s.Name)
	case d.Count > 0 && s.Type != FilesystemStorage:
		return kith.Errorf(kith.Invalid, "charm %q storage %q: %q provider does not support %q storage", c.Meta.Name, s.Name, d.Pool, s.Type).
			WithHint("kith gives out directories; there are no block devices to be had")
	}
	return nil
}

// StorageSize writes a size in MiB for people: "512MB", "2.0GB".
func StorageSize(mib uint64) string {
	const units = "MGTPEZY"
	size, unit := float64(mib), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%dMB", mib)
	}
	return fmt.Sprintf("%.1f%cB", size, units[unit])
}

// checkNewStorage refuses to deploy a charm whose units could not get their storage.
func (t *txn) checkNewStorage(op Deploy, c *charm.Charm, units int) error {
	prefix := fmt.Sprintf("cannot add application %q: ", op.App)
	if err := checkStorage(&App{Storage: op.Storage}, c); err != nil {
		return err.Prefix("%s", prefix)
	}
	return t.checkAttachNew(op.AttachStorage, c, op.Host, units)
}

// checkAttachNew refuses to hand storage to a unit that is about to be added.
func (t *txn) checkAttachNew(ids []kith.StorageID, c *charm.Charm, host string, units int) error {
	if len(ids) > 0 && units != 1 {
		return kith.Errorf(kith.Invalid, "--attach-storage cannot be used with -n").WithHint("add one unit for it")
	}
	return t.checkAttach(ids, c, cmp.Or(host, DefaultHost), func(string) int { return 0 })
}

// mergeDirectives puts what is asked for now over what was asked for before, as far as
// the charm still has it.
func mergeDirectives(old, now map[string]StorageDirective, c *charm.Charm) map[string]StorageDirective {
	all := maps.Clone(now)
	for name, d := range old { // any order: into a map
		_, declared := c.Meta.Storage[name]
		if _, anew := now[name]; declared && !anew {
			if all == nil {
				all = map[string]StorageDirective{}
			}
			all[name] = d
		}
	}
	return all
}

// giveStorage gives a new unit its storage: what is to be attached, and new
// instances for what is then lacking.
func (t *txn) giveStorage(u kith.UnitName, attach []kith.StorageID) {
	app := t.m.App(u.App())
	have := map[string]int{}
	for _, id := range attach {
		have[id.Name()]++
		t.hand(*t.m.Storage(id), u)
	}
	c := t.m.Charm(app.Charm).Charm
	for _, name := range storageNames(&c) {
		s := c.Meta.Storage[name]
		d := app.plan(s)
		for range d.Count - have[name] {
			t.makeStorage(u, s, d)
		}
	}
}

// makeStorage makes one instance.
func (t *txn) makeStorage(u kith.UnitName, s charm.Storage, d StorageDirective) {
	info := *t.m.Info()
	t.hand(Storage{ID: kith.StorageOf(s.Name, info.NextStorage), Kind: s.Type, Pool: d.Pool, Size: d.Size, ReadOnly: s.ReadOnly,
		Host: t.m.Unit(u).Host, Life: kith.Alive, Created: t.now}, u)
	info.NextStorage++
	put(t, info)
}

// checkCount refuses to give a unit more of a storage than its charm can take, or to
// take more than it can spare.
func checkCount(s charm.Storage, has, change int) *kith.Error {
	gerund, n := "attaching", change
	if change < 0 {
		gerund, n = "detaching", -change
	}
	instances := "instances"
	if n == 1 {
		instances = "instance"
	}
	total := has + change
	switch {
	case change > 0 && s.CountMin == 1 && s.CountMax == 1 && total > 1:
		return kith.Errorf(kith.Conflict, "cannot attach, storage is singular")
	case change < 0 && total < s.CountMin:
		return kith.Errorf(kith.Conflict, "%s %d storage %s brings the total to %d, which is less than the minimum of %d",
			gerund, n, instances, total, s.CountMin)
	case change > 0 && s.CountMax >= 0 && total > s.CountMax:
		return kith.Errorf(kith.Conflict, "%s %d storage %s brings the total to %d, exceeding the maximum of %d",
			gerund, n, instances, total, s.CountMax)
	}
	return nil
}

// keepsStorage refuses a charm that cannot carry on with the storage of the
// application's units (charm format reference, section 20).
func (t *txn) keepsStorage(app *App, c *charm.Charm) *kith.Error {
	old := t.m.Charm(app.Charm).Charm
	for _, name := range storageNames(&old) {
		was := old.Meta.Storage[name]
		now, ok := c.Meta.Storage[name]
		switch {
		case !ok && was.CountMin > 0:
			return kith.Errorf(kith.Conflict, "required storage %q removed", name)
		case !ok && t.inUse(app.Name, name):
			return kith.Errorf(kith.Conflict, "in-use storage %q removed", name).WithHint("detach it first: 'kith detach-storage'")
		case !ok:
			continue
		}
		if err := keepsStorageAs(was, now); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) inUse(app kith.AppName, name string) bool {
	for u := range t.m.UnitsOf(app) {
		for _, s := range t.m.StorageOf(u.Name) {
			if s.ID.Name() == name {
				return true
			}
		}
	}
	return false
}

// keepsStorageAs refuses changes of one storage.
func keepsStorageAs(was, now charm.Storage) *kith.Error {
	changed := func(what string, from, to any) *kith.Error {
		return kith.Errorf(kith.Conflict, "existing storage %q %s changed from %v to %v", was.Name, what, from, to)
	}
	switch {
	case was.Type != now.Type:
		return changed("type", fmt.Sprintf("%q", was.Type), fmt.Sprintf("%q", now.Type))
	case was.Shared != now.Shared:
		return changed("shared", was.Shared, now.Shared)
	case was.ReadOnly != now.ReadOnly:
		return changed("read-only", was.ReadOnly, now.ReadOnly)
	case was.Location != now.Location:
		return changed("location", fmt.Sprintf("%q", was.Location), fmt.Sprintf("%q", now.Location))
	case now.CountMax >= 0 && (was.CountMax < 0 || now.CountMax < was.CountMax):
		before := "<unbounded>"
		if was.CountMax >= 0 {
			before = fmt.Sprint(was.CountMax)
		}
		return kith.Errorf(kith.Conflict, "existing storage %q range contracted: max decreased from %s to %d", was.Name, before, now.CountMax)
	case was.Location != "" && was.CountMax == 1 && now.CountMax != 1:
		return kith.Errorf(kith.Conflict, "existing storage %q with location changed from single to multiple", was.Name)
	}
	return nil
}

// completeStorage gives the units of an application what its new charm requires beside
// what they have.
func (t *txn) completeStorage(app *App) {
	c := t.m.Charm(app.Charm).Charm
	for _, u := range slices.Collect(t.m.UnitsOf(app.Name)) {
		if u.Life != kith.Alive {
			continue
		}
		for _, name := range storageNames(&c) {
			s := c.Meta.Storage[name]
			d := app.plan(s)
			for range s.CountMin - t.m.holds(u.Name, name) {
				t.makeStorage(u.Name, s, d)
			}
		}
	}
}
