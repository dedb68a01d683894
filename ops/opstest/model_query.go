package opstest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/ops"
)

// Now is what the clock says. It moves by Advance alone.
func (m *Model) Now() time.Time { return m.w.now }

// Units are the units of an application, in order of number.
func (m *Model) Units(app kith.AppName) []kith.UnitName {
	var all []kith.UnitName
	for u := range m.w.model.UnitsOf(app) {
		all = append(all, u.Name)
	}
	slices.SortFunc(all, func(a, b kith.UnitName) int { return a.Number() - b.Number() })
	return all
}

// Leader is the unit that leads an application, or empty.
func (m *Model) Leader(app kith.AppName) kith.UnitName {
	for u := range m.w.model.UnitsOf(app) {
		if m.w.model.IsLeader(u.Name, m.w.now) {
			return u.Name
		}
	}
	return ""
}

// UnitStatus is a unit's status, an error while a failed hook waits, and "terminated" if
// there is no such unit.
func (m *Model) UnitStatus(unit kith.UnitName) ops.Status {
	u := m.w.model.Unit(unit)
	if u == nil {
		return ops.Status{Name: kith.Terminated}
	}
	return statusOf(api.WorkloadStatus(&m.w.model, u, m.w.model.Progress(unit)))
}

// AppStatus is an application's status as its leader has set it.
func (m *Model) AppStatus(app kith.AppName) ops.Status {
	a := m.w.model.App(app)
	if a == nil {
		return ops.Status{Name: kith.Terminated}
	}
	return statusOf(a.Status)
}

// Status is a line for each unit, in order of name: "web/0 leader active: ready".
func (m *Model) Status() string {
	var b strings.Builder
	for u := range m.w.model.Units() {
		fmt.Fprintf(&b, "%s", u.Name)
		if m.w.model.IsLeader(u.Name, m.w.now) {
			b.WriteString(" leader")
		}
		fmt.Fprintf(&b, " %s\n", m.UnitStatus(u.Name))
	}
	return b.String()
}

// OpenedPorts are a unit's open ports, as "80/tcp", sorted.
func (m *Model) OpenedPorts(unit kith.UnitName) []string { return m.w.ports(unit) }

// StoredState is what a unit's charm keeps from one event to the next.
func (m *Model) StoredState(unit kith.UnitName) map[string]string { return m.w.stored(unit) }

// WorkloadVersion is the version that an application's charm has set last.
func (m *Model) WorkloadVersion(app kith.AppName) string {
	if a := m.w.model.App(app); a != nil {
		return a.WorkloadVersion
	}
	return ""
}

// Events are the events that charms have had since the last call, in order.
func (m *Model) Events() []Event {
	all := m.w.events
	m.w.events = nil
	return all
}

// EventNames are the same as a text, one event a line: "web/0 db-relation-joined unit=pg/0".
func (m *Model) EventNames() string { return eventLines(m.Events(), true) }

// Log is what charms have written to their logs since the last call.
func (m *Model) Log() []LogRecord {
	all := m.w.logs
	m.w.logs = nil
	return all
}

// Relation is one relation of a [Model]; it may be gone.
type Relation struct {
	m  *Model
	id kith.RelationID
}

// Relation finds the relation between two applications, named "app" or "app:endpoint";
// with one name, the peer relation of that endpoint.
func (m *Model) Relation(ends ...string) Relation {
	m.w.tb.Helper()
	for r := range m.w.model.Relations() {
		if len(r.Ends) == len(ends) && between(r, m.endpoints(ends...)) {
			return Relation{m, r.ID}
		}
	}
	m.w.fail(kith.Errorf(kith.NotFound, "relation matching %q not found", strings.Join(ends, " ")).
		WithHint("there are %s", m.w.listRelations()))
	return Relation{}
}

// between reports whether each of the names matches an end of r.
func between(r *core.Relation, names []kith.Endpoint) bool {
	for _, n := range names {
		e, ok := endOf(r, n.App)
		if !ok || n.Name != "" && n.Name != e.Endpoint {
			return false
		}
	}
	return true
}

// ID is the relation's number.
func (r Relation) ID() kith.RelationID { return r.id }

// Exists reports whether it is there, if only to be taken apart.
func (r Relation) Exists() bool { return r.m != nil && r.m.w.model.Relation(r.id) != nil }

// Bag is a copy of the databag of a unit, "pg/0", or of an application. No access rule
// applies to the test. It is nil if the party has none; a unit's has its addresses from the start.
func (r Relation) Bag(party string) map[string]string {
	if !r.Exists() {
		return nil
	}
	return r.m.w.bag(r.id, party)
}

// Units are the units in the relation, on both sides, in order of name.
func (r Relation) Units() []kith.UnitName {
	var all []kith.UnitName
	if !r.Exists() {
		return nil
	}
	for m := range r.m.w.model.Members(r.id) {
		all = append(all, m.Unit)
	}
	slices.Sort(all)
	return all
}

// HistoryEntry is one command that changed the model.
type HistoryEntry struct {
	Revision uint64
	Time     time.Time
	// Actor is who it was: "user admin", "unit web/0", "system controller".
	Actor   string
	Command string // "deploy", "commit-hook"
	// Hook is the hook whose command it was, "web/0 db-relation-changed", or empty.
	Hook string
	// Cause is the revision that made the hook due; 0 if nothing in the model did.
	Cause uint64
	// Bags are the databags that changed, with the keys written and deleted.
	Bags []BagChange
}

// BagChange is a databag that changed.
type BagChange struct {
	Relation kith.RelationID
	Owner    string // "web/0", "web"
	Set      map[string]string
	Unset    []string // sorted
}

// History is every command that changed the model, in order: the very records that kith keeps.
func (m *Model) History() []HistoryEntry {
	all := make([]HistoryEntry, len(m.w.entries))
	for i, e := range m.w.entries {
		all[i] = HistoryEntry{Revision: e.Revision, Time: e.Time, Actor: e.Actor.String(), Command: e.Command, Cause: e.Cause}
		if e.Hook != nil {
			all[i].Hook = string(e.Hook.Unit) + " " + e.Hook.Hook.Title()
		}
		for _, d := range e.Deltas {
			if d.Kind == core.KindBag && d.Action != core.Deleted {
				all[i].Bags = append(all[i].Bags, bagChange(d))
			}
		}
	}
	return all
}

func bagChange(d core.Delta) BagChange {
	id, owner, _ := strings.Cut(d.ID, "/")
	var n kith.RelationID
	_, _ = fmt.Sscan(id, &n) // the core's own key
	return BagChange{Relation: n, Owner: owner, Set: maps.Clone(d.Set), Unset: d.Unset}
}
