package resolve_test

import (
	"fmt"
	"maps"
	"slices"

	"kith"
	"kith/internal/core"
	"kith/internal/resolve"
	"kith/internal/script"
)

// witness watches what units do and holds it against the guarantees of section
// 5.3 and the canonical order of section 4.2. It keeps its own books from the
// events alone: what core recorded is not evidence.
type witness struct {
	w     *script.World
	units map[kith.UnitName]*lifeStory
	bad   []string
}

// lifeStory is what one unit has done.
type lifeStory struct {
	installed, configured, started, stopped, removed bool
	rebooted                                         bool // start is to run once more

	relations map[kith.RelationID]*stay
	failed    *core.Hook // must be the next hook to run
	tasks     map[kith.TaskID]bool
	changed   map[kith.SecretID]int   // the newest revision that secret-changed was about
	obsolete  map[revision]bool       // what secret-remove was about
	storage   map[kith.StorageID]bool // what it was told of
}

// stay is one unit's time in one relation, from entering to leaving.
type stay struct {
	peer    bool
	created bool
	owes    kith.UnitName            // joined, changed still to come
	known   map[kith.UnitName]string // the data as it was when last announced
	app     string
}

func newWitness(w *script.World) *witness {
	x := &witness{w: w, units: map[kith.UnitName]*lifeStory{}}
	w.Observe = x.event
	return x
}

func (x *witness) complain(u kith.UnitName, format string, args ...any) {
	x.bad = append(x.bad, string(u)+": "+fmt.Sprintf(format, args...))
}

func (x *witness) story(u kith.UnitName) *lifeStory {
	s := x.units[u]
	if s == nil {
		s = &lifeStory{relations: map[kith.RelationID]*stay{}, tasks: map[kith.TaskID]bool{}, storage: map[kith.StorageID]bool{},
			changed: map[kith.SecretID]int{}, obsolete: map[revision]bool{}}
		x.units[u] = s
	}
	return s
}

func (x *witness) event(e script.Event) {
	s := x.story(e.Unit)
	switch e.Step.Kind {
	case resolve.Enter:
		for _, id := range e.Step.Relations {
			if s.relations[id] != nil {
				x.complain(e.Unit, "enters relation %d twice", id)
			}
			r := x.w.Model().Relation(id)
			s.relations[id] = &stay{peer: r.Peer(), known: map[kith.UnitName]string{}}
		}
	case resolve.Leave:
		for _, id := range e.Step.Relations {
			delete(s.relations, id)
		}
	case resolve.Terminate:
		for id, r := range s.relations { // any order: only complaints
			if len(r.known) > 0 && x.w.Model().Relation(id) != nil {
				x.complain(e.Unit, "G6: gone without departed for %v in relation %d", slices.Collect(maps.Keys(r.known)), id)
			}
		}
		if s.installed && !s.removed {
			x.complain(e.Unit, "4.2: gone without remove")
		}
		if s.removed && len(s.storage) > 0 {
			x.complain(e.Unit, "4.2: gone without detaching of %v", s.storage)
		}
		delete(x.units, e.Unit)
	case resolve.Run:
		x.ran(e, s)
	}
}

func (x *witness) ran(e script.Event, s *lifeStory) {
	h := e.Step.Hook
	if h.Task != nil {
		x.task(e, s)
		return
	}
	if f := s.failed; f != nil && !x.moot(e.Unit, *f) && !f.Same(h) {
		x.complain(e.Unit, "8: %s runs while %s is in error", script.DescribeHook(h), script.DescribeHook(*f))
	}
	if !e.Retry && x.endedBefore(e) && (h.Kind == core.RelationJoined ||
		h.Kind == core.RelationChanged && (s.relations[h.Relation.ID] == nil || s.relations[h.Relation.ID].owes == "")) {
		x.complain(e.Unit, "G12: %s during teardown", script.DescribeHook(h))
	}
	if h.Kind == core.RelationDeparted && !e.Retry && h.Relation.Departing != x.departing(e) {
		x.complain(e.Unit, "5.4: D=%s in departed of %s, and not %s", h.Relation.Departing, h.Relation.RemoteUnit, x.departing(e))
	}
	s.failed = nil
	if e.Failed {
		s.failed = &h
	}
	if e.Failed || e.Killed {
		return
	}
	x.committed(e.Unit, h)
}

// task checks a task that has ended: it runs once, an action not before install, and
// neither after remove. What failed waits on.
func (x *witness) task(e script.Event, s *lifeStory) {
	h := e.Step.Hook
	if s.tasks[h.Task.ID] {
		x.complain(e.Unit, "4.1: task %d runs twice", h.Task.ID)
	}
	s.tasks[h.Task.ID] = true
	if h.Kind == core.Action && !s.installed && s.failed == nil && !e.Retry { // an install that a crash cut short is in error, too
		x.complain(e.Unit, "4.1: %s before install", script.DescribeHook(h))
	}
	if s.removed {
		x.complain(e.Unit, "4.1: %s after remove", script.DescribeHook(h))
	}
}

// endedBefore reports whether a relation hook was chosen when the unit had to
// treat its relation as empty.
func (x *witness) endedBefore(e script.Event) bool {
	h := e.Step.Hook.Relation
	u := x.w.Model().Unit(e.Unit)
	if h == nil || u == nil {
		return false
	}
	r := x.w.Model().Relation(h.ID)
	return u.Life != kith.Alive && u.LifeRev <= e.Began ||
		r != nil && (r.Life != kith.Alive || r.Suspended) && r.LifeRev <= e.Began
}

func (x *witness) moot(u kith.UnitName, h core.Hook) bool {
	if h.Secret != nil {
		return x.mootSecret(u, h)
	}
	if h.Storage != nil {
		s := x.w.Model().Storage(h.Storage.ID)
		return s == nil || s.Unit != u
	}
	return h.Relation != nil && x.w.Model().Member(h.Relation.ID, u) == nil
}

// committed enters a hook that counts as run into the books.
func (x *witness) committed(u kith.UnitName, h core.Hook) {
	s := x.story(u)
	if s.removed {
		x.complain(u, "4.2: %s after remove", h.Name())
	}
	if !s.installed && h.Kind != core.Install && h.Storage == nil {
		x.complain(u, "4.2: %s before install", h.Name())
	}
	switch h.Kind {
	case core.Install:
		if s.installed {
			x.complain(u, "4.2: install twice")
		}
		s.installed = true
	case core.ConfigChanged:
		s.configured = true
	case core.Start:
		if !s.configured || s.started && !s.rebooted {
			x.complain(u, "4.2: start before config-changed, or twice")
		}
		s.started, s.rebooted = true, false
	case core.Stop:
		if !s.started || s.stopped {
			x.complain(u, "4.2: stop without start, or twice")
		}
		s.stopped = true
	case core.Remove:
		if s.started && !s.stopped {
			x.complain(u, "4.2: remove before stop")
		}
		s.removed = true
	case core.UpgradeCharm, core.LeaderElected, core.LeaderSettingsChanged, core.UpdateStatus:
	case core.SecretExpired, core.SecretRotate, core.SecretChanged, core.SecretRemove:
		x.secret(u, s, h)
	case core.StorageAttached, core.StorageDetaching:
		x.storage(u, s, h)
	default:
		x.relation(u, s, h)
	}
	if s.stopped && h.Relation != nil {
		x.complain(u, "4.2: %s after stop", h.Name())
	}
}

// relation checks one relation hook. The model already shows the hook's commit.
func (x *witness) relation(u kith.UnitName, s *lifeStory, h core.Hook) {
	id, remote := h.Relation.ID, h.Relation.RemoteUnit
	r := s.relations[id]
	if r == nil && x.w.Model().Relation(id) == nil {
		return // it was deleted by force while the hook ran
	}
	if r == nil {
		x.complain(u, "G9: %s of a relation it is not in", h.Name())
		return
	}
	if h.Kind != core.RelationCreated && !r.created && !x.ending(u, id) {
		x.complain(u, "G1: %s before created", h.Name())
	}
	if r.owes != "" && (h.Kind != core.RelationChanged || remote != r.owes) {
		x.complain(u, "G3: %s between joined and changed of %s", script.DescribeHook(h), r.owes)
	}
	if remote == u {
		x.complain(u, "G11: %s about itself", h.Name())
	}
	switch h.Kind {
	case core.RelationCreated:
		if r.created || len(r.known) > 0 {
			x.complain(u, "G2: created twice or late in relation %d", id)
		}
		r.created = true
	case core.RelationJoined:
		x.joined(u, s, r, h)
	case core.RelationChanged:
		x.changed(u, r, h)
	case core.RelationDeparted:
		if _, ok := r.known[remote]; !ok {
			x.complain(u, "G6: departed of %s, which never joined", remote)
		}
		if h.Relation.Departing != u && h.Relation.Departing != remote {
			x.complain(u, "5.4: D=%s in departed of %s", h.Relation.Departing, remote)
		}
		delete(r.known, remote)
	case core.RelationBroken:
		if len(r.known) > 0 {
			x.complain(u, "G7: broken with %d units known", len(r.known))
		}
		if r.peer {
			x.complain(u, "G8: broken of peer relation %d", id)
		}
		delete(s.relations, id)
	}
}

// departing is what JUJU_DEPARTING_UNIT must be: the unit that runs the hook if it was on its way out when the
// hook was chosen, else the remote.
func (x *witness) departing(e script.Event) kith.UnitName {
	if u := x.w.Model().Unit(e.Unit); u != nil && u.Life != kith.Alive && u.LifeRev <= e.Began {
		return e.Unit
	}
	return e.Step.Hook.Relation.RemoteUnit
}

func (x *witness) joined(u kith.UnitName, s *lifeStory, r *stay, h core.Hook) {
	if _, ok := r.known[h.Relation.RemoteUnit]; ok {
		x.complain(u, "G6: joined of %s twice", h.Relation.RemoteUnit)
	}
	if !s.started {
		x.complain(u, "4.2: %s before start", h.Name())
	}
	r.known[h.Relation.RemoteUnit] = x.data(h.Relation.ID, string(h.Relation.RemoteUnit))
	r.owes = h.Relation.RemoteUnit
}

func (x *witness) changed(u kith.UnitName, r *stay, h core.Hook) {
	remote := h.Relation.RemoteUnit
	if remote == "" {
		if h.Relation.RemoteApp == u.App() && !r.peer {
			x.complain(u, "G11: changed of its own application")
		}
		r.app = x.data(h.Relation.ID, string(h.Relation.RemoteApp))
		return
	}
	if _, ok := r.known[remote]; !ok {
		x.complain(u, "G10: changed of %s, which is not joined", remote)
		return
	}
	r.known[remote] = x.data(h.Relation.ID, string(remote))
	r.owes = ""
}

// data is a bag's content in one string: comparing contents, not versions, is
// what makes convergence a fact about data.
func (x *witness) data(id kith.RelationID, owner string) string {
	b := x.w.Model().Bag(id, owner)
	if b == nil {
		return ""
	}
	s := ""
	for _, k := range slices.Sorted(maps.Keys(b.Data)) {
		s += k + "=" + b.Data[k] + "\n"
	}
	return s
}

func (x *witness) ending(u kith.UnitName, id kith.RelationID) bool {
	v, ok := core.ViewOf(x.w.Model(), u)
	if !ok {
		return true
	}
	r, ok := v.Relation(id)
	return !ok || r.Ending()
}

// vanished forgets the stays in relations that were deleted, or left by force.
func (x *witness) vanished() {
	for u, s := range x.units { // any order: independent of each other
		for id := range s.relations { // any order: as above
			if x.w.Model().Member(id, u) == nil {
				delete(s.relations, id)
			}
		}
		for id := range s.storage { // any order: as above
			if row := x.w.Model().Storage(id); row == nil || row.Unit != u {
				delete(s.storage, id) // taken away by force
			}
		}
		if x.w.Model().Unit(u) == nil {
			delete(x.units, u)
		}
	}
}

// settled checks what must be true when nobody has anything left to do:
// everybody knows exactly whom they can see, and has been told of the latest data (G4).
func (x *witness) settled() {
	x.storageSettled()
	for _, u := range slices.Sorted(maps.Keys(x.units)) {
		v, ok := core.ViewOf(x.w.Model(), u)
		if !ok {
			continue
		}
		for r := range v.Relations() {
			stay := x.units[u].relations[r.Relation.ID]
			if stay == nil || r.Own.Implicit {
				continue
			}
			if stay.owes != "" {
				x.complain(u, "G3: changed of %s never came", stay.owes)
			}
			x.converged(u, r, stay)
		}
		x.secretsTold(u)
	}
}

func (x *witness) converged(u kith.UnitName, r core.RelationView, stay *stay) {
	seen := 0
	for h := range r.Remotes() {
		seen++
		data, ok := stay.known[h.Unit]
		if !ok {
			x.complain(u, "G6: joined of %s never came", h.Unit)
		}
		if now := x.data(r.Relation.ID, string(h.Unit)); ok && now != data {
			x.complain(u, "G4: last told of %s: %q; now %q", h.Unit, data, now)
		}
	}
	if seen != len(stay.known) {
		x.complain(u, "G6: knows %v in relation %d, sees %d", slices.Sorted(maps.Keys(stay.known)), r.Relation.ID, seen)
	}
	if now := x.data(r.Relation.ID, string(r.Other.App)); now != stay.app {
		x.complain(u, "G4: last told of %s: %q; now %q", r.Other.App, stay.app, now)
	}
}
