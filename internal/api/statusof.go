package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/core"
)

// StatusOf builds the status of a model as it is at now.
func StatusOf(m *core.Model, now time.Time) Status {
	s := Status{Revision: m.Revision, Timestamp: now}
	info := m.Info()
	if info == nil {
		return s
	}
	s.Model = ModelStatus{UUID: info.UUID, Name: info.Name, Owner: info.Owner, Life: info.Life, Created: info.Created,
		Status: core.Status{Current: Available, Since: info.Created}}
	if info.Life != kith.Alive {
		s.Model.Status.Current = Destroying
	}
	for _, u := range sortedUnits(m) {
		s.Units = append(s.Units, unitStatus(m, u))
	}
	for mc := range m.Machines() {
		s.Machines = append(s.Machines, machineStatus(m, mc))
	}
	slices.SortFunc(s.Machines, func(a, b MachineStatus) int { return Natural(string(a.ID), string(b.ID)) })
	for a := range m.Apps() {
		s.Apps = append(s.Apps, appStatus(m, a, s.Units))
	}
	slices.SortFunc(s.Apps, func(a, b AppStatus) int { return Natural(string(a.Name), string(b.Name)) })
	s.Storage = storageStatuses(m)
	for r := range m.Relations() {
		s.Relations = append(s.Relations, relationStatus(r))
	}
	slices.SortFunc(s.Relations, func(a, b RelationStatus) int {
		return cmp.Or(Natural(a.Provider.String(), b.Provider.String()), Natural(a.Requirer.String(), b.Requirer.String()), int(a.ID-b.ID))
	})
	return s
}

// unitStatus derives what people see of a unit from what it has been through.
func unitStatus(m *core.Model, u *core.Unit) UnitStatus {
	s := UnitStatus{Name: u.Name, App: u.App, Address: u.Address, Principal: u.Principal, Life: u.Life,
		Ports: u.Ports, Subordinates: slices.Clone(u.Subordinates)}
	slices.SortFunc(s.Subordinates, func(a, b kith.UnitName) int { return Natural(string(a), string(b)) })
	if u.Principal == "" {
		s.Machine = u.Machine
	}
	if l := m.Lease(u.App); l != nil {
		s.Leader = l.Holder == u.Name
	}
	p := m.Progress(u.Name)
	s.Workload, s.Agent = WorkloadStatus(m, u, p), AgentStatus(u, p)
	if app := m.App(u.App); p != nil && p.Charm != "" && app != nil && p.Charm != app.Charm {
		if c := m.Charm(p.Charm); c != nil {
			s.UpgradingFrom = c.URL
		}
	}
	return s
}

// AgentStatus derives a unit's agent status. A failed hook shows in the workload
// status, not here (hook protocol reference, section 3.9); update-status does not
// count as executing.
func AgentStatus(u *core.Unit, p *core.Progress) core.Status {
	switch {
	case p != nil && executing(p):
		return core.Status{Current: kith.Executing, Message: runningMessage(p.Running.Hook), Since: p.Running.Since}
	case p == nil || !u.Present || p.Seq == 0 && p.Failed == nil:
		return core.Status{Current: kith.Allocating, Since: u.Created}
	case p.LastSince.IsZero():
		return core.Status{Current: kith.Idle, Since: u.Created}
	}
	return core.Status{Current: kith.Idle, Since: p.LastSince}
}

func executing(p *core.Progress) bool {
	return p.Running != nil && p.Running.Hook.Kind != core.UpdateStatus
}

// runningMessage is the agent's message while a hook runs (hook protocol reference, section 3.9).
func runningMessage(h core.Hook) string {
	if h.Task != nil {
		return "running " + h.Title()
	}
	if h.Relation != nil && h.Relation.RemoteUnit != "" {
		return fmt.Sprintf("running %s hook for %s", h.Name(), h.Relation.RemoteUnit)
	}
	if s := h.Secret; s != nil {
		about := s.ID.URI()
		if h.Kind == core.SecretExpired || h.Kind == core.SecretRemove { // those about one revision
			about += fmt.Sprintf("/%d", s.Revision)
		}
		return fmt.Sprintf("running %s hook for %s", h.Name(), about)
	}
	return fmt.Sprintf("running %s hook", h.Name())
}

// AgentStatusOf is the agent status that a command about a hook stands for; false
// if it stands for none.
func AgentStatusOf(e core.Entry) (core.Status, bool) {
	switch {
	case e.Hook == nil || e.Hook.Hook.Kind == core.UpdateStatus:
		return core.Status{}, false
	case e.Command == core.BeginHook{}.Name() || e.Command == core.BeginTask{}.Name():
		return core.Status{Current: kith.Executing, Message: runningMessage(e.Hook.Hook), Since: e.Time}, true
	case e.Command == core.CommitHook{}.Name() || e.Command == core.FailHook{}.Name() || e.Command == core.FinishTask{}.Name():
		return core.Status{Current: kith.Idle, Since: e.Time}, true
	}
	return core.Status{}, false
}

// FailedMessage is the workload status message while a failed hook waits.
func FailedMessage(h core.Hook) string { return fmt.Sprintf("hook failed: %q", h.Name()) }

// FailureData says which hook has failed, as data of the status: what applies of hook, relation-id,
// remote-unit, secret-uri and secret-label (hook protocol reference, section 3.4).
func FailureData(h core.Hook) map[string]any {
	data := map[string]any{"hook": h.Name()}
	if r := h.Relation; r != nil {
		data["relation-id"] = int(r.ID)
		if r.RemoteUnit != "" {
			data["remote-unit"] = string(r.RemoteUnit)
		}
	}
	if s := h.Secret; s != nil {
		data["secret-uri"] = s.ID.URI()
		if s.Label != "" {
			data["secret-label"] = s.Label
		}
	}
	return data
}

// WorkloadStatus is what the charm said, or error while a failed hook waits: also
// while a task runs beside it.
func WorkloadStatus(m *core.Model, u *core.Unit, p *core.Progress) core.Status {
	if p == nil || p.Failed == nil || executing(p) && !p.RunsTask() {
		return u.Workload
	}
	h := p.Failed.Hook
	message := FailedMessage(h)
	if h.Relation != nil {
		message += remoteSuffix(m, u.App, h.Relation)
	}
	return core.Status{Current: kith.Errored, Message: message, Since: p.Failed.Since}
}

// remoteSuffix names the other side of the relation whose hook failed.
func remoteSuffix(m *core.Model, app kith.AppName, h *core.RelationHook) string {
	r := m.Relation(h.ID)
	if r == nil {
		return ""
	}
	other := r.Ends[0]
	for _, e := range r.Ends {
		if e.App != app {
			other = e
		}
	}
	return " for " + other.String()
}

func machineStatus(m *core.Model, mc *core.Machine) MachineStatus {
	s := MachineStatus{ID: mc.ID, Host: mc.Host, Created: mc.Created,
		Agent: core.Status{Current: Pending, Since: mc.Created}, Instance: core.Status{Current: Pending, Since: mc.Created}}
	if h := m.Host(mc.Host); h != nil && h.Epoch != "" {
		s.Agent.Current, s.Instance.Current, s.Instance.Message = Started, Running, "Running"
	}
	for u := range m.Units() {
		if u.Machine != mc.ID || u.Principal != "" {
			continue
		}
		if u.Address != "" {
			s.Addresses = append(s.Addresses, u.Address)
		}
		if a := m.App(u.App); a != nil {
			s.Base = baseOf(m, a)
		}
	}
	return s
}

// baseOf is the application's base as "name@channel": the one it was deployed
// with, or the first its charm supports.
func baseOf(m *core.Model, a *core.App) string {
	if a.Base != "" {
		return a.Base
	}
	c := m.Charm(a.Charm)
	if c == nil || len(c.Charm.Bases) == 0 {
		return ""
	}
	b := c.Charm.Bases[0]
	channel, _, _ := strings.Cut(b.Channel, "/")
	return b.Name + "@" + channel
}

func appStatus(m *core.Model, a *core.App, units []UnitStatus) AppStatus {
	s := AppStatus{Name: a.Name, CharmID: a.Charm, Base: baseOf(m, a), Exposed: a.Exposed, Subordinate: a.Subordinate,
		Life: a.Life, Version: a.WorkloadVersion, Bindings: bindingsOf(m, a)}
	if c := m.Charm(a.Charm); c != nil {
		s.Charm, s.CharmName, s.CharmRev, s.CharmVersion = c.URL, c.Charm.Meta.Name, c.Rev, c.Charm.Version
	}
	own := slices.DeleteFunc(slices.Clone(units), func(u UnitStatus) bool { return u.App != a.Name })
	for _, u := range own {
		s.Units = append(s.Units, u.Name)
	}
	s.Status = AppStatusOf(a, own)
	s.Relations, s.SubordinateTo = appRelations(m, a)
	return s
}

// workloadRank orders workload statuses for an application without one of its own.
var workloadRank = []kith.Status{kith.Unknown, kith.Terminated, kith.Active, kith.Waiting, kith.Maintenance, kith.Blocked, kith.Errored}

// AppStatusOf is the status the leader set, or else that of the unit that is worst off.
func AppStatusOf(a *core.App, units []UnitStatus) core.Status {
	if a.Status.Current != "" {
		return a.Status
	}
	worst := core.Status{Current: kith.Unknown, Since: a.Created}
	for i, u := range units {
		if i == 0 || slices.Index(workloadRank, u.Workload.Current) > slices.Index(workloadRank, worst.Current) {
			worst = u.Workload
		}
	}
	return worst
}

func appRelations(m *core.Model, a *core.App) ([]AppRelation, []kith.AppName) {
	var relations []AppRelation
	var principals []kith.AppName
	for r := range m.RelationsOf(a.Name) {
		own, other := r.Ends[0], r.Ends[len(r.Ends)-1]
		if own.App != a.Name {
			own, other = other, own
		}
		ar := AppRelation{Endpoint: own.Endpoint, Related: other.App, Interface: r.Interface, Scope: r.Scope}
		if !slices.Contains(relations, ar) {
			relations = append(relations, ar)
		}
		if o := m.App(other.App); a.Subordinate && r.Scope == kith.Container && o != nil && !o.Subordinate && !slices.Contains(principals, other.App) {
			principals = append(principals, other.App)
		}
	}
	slices.SortFunc(relations, func(a, b AppRelation) int {
		return cmp.Or(cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Related, b.Related))
	})
	slices.Sort(principals)
	return relations, principals
}

func bindingsOf(m *core.Model, a *core.App) []string {
	c := m.Charm(a.Charm)
	if c == nil {
		return nil
	}
	var names []string
	for _, section := range []map[string]charm.Relation{c.Charm.Meta.Provides, c.Charm.Meta.Requires, c.Charm.Meta.Peers} {
		for name := range section { // any order: sorted below
			names = append(names, name)
		}
	}
	names = append(names, c.Charm.Meta.ExtraBindings...)
	slices.Sort(names)
	return slices.Compact(names)
}

func relationStatus(r *core.Relation) RelationStatus {
	s := RelationStatus{ID: r.ID, Key: r.RelationKey(), Interface: r.Interface, Scope: r.Scope, Life: r.Life, Status: r.Status,
		Requirer: r.Ends[0], Provider: r.Ends[len(r.Ends)-1], Type: "regular"}
	switch {
	case r.Peer():
		s.Type = "peer"
	case r.Scope == kith.Container:
		s.Type = "subordinate"
	}
	return s
}

// sortedUnits lists the units in natural order.
func sortedUnits(m *core.Model) []*core.Unit {
	units := slices.Collect(m.Units())
	slices.SortFunc(units, func(a, b *core.Unit) int { return Natural(string(a.Name), string(b.Name)) })
	return units
}

// Natural compares names so that numbers inside them count as numbers: web/2 before web/10.
func Natural(a, b string) int {
	for a != "" && b != "" {
		na, nb := leadingNumber(a), leadingNumber(b)
		if na > 0 && nb > 0 {
			x, _ := strconv.ParseUint(a[:na], 10, 64)
			y, _ := strconv.ParseUint(b[:nb], 10, 64)
			if x != y {
				return cmp.Compare(x, y)
			}
			a, b = a[na:], b[nb:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func leadingNumber(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
