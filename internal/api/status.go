package api

import (
	"time"

	"kith"
	"kith/internal/core"
)

// Status is a whole model as people look at it: what `status` renders in any of
// its formats (CLI reference, sections 5.1 and 6). Lists are in natural order.
type Status struct {
	Model     ModelStatus      `json:"model"`
	Machines  []MachineStatus  `json:"machines"`
	Apps      []AppStatus      `json:"applications"`
	Units     []UnitStatus     `json:"units"` // principals and subordinates alike
	Relations []RelationStatus `json:"relations"`
	Storage   []StorageStatus  `json:"storage,omitempty"`
	Revision  uint64           `json:"revision"`
	Timestamp time.Time        `json:"timestamp"`
}

// ModelStatus is the model's line.
type ModelStatus struct {
	UUID    kith.ModelUUID `json:"uuid"`
	Name    string         `json:"name"`
	Owner   string         `json:"owner"`
	Life    kith.Life      `json:"life"`
	Created time.Time      `json:"created"`
	Status  core.Status    `json:"status"` // available or destroying
}

// MachineStatus is one machine: its agent, and the machine as such.
type MachineStatus struct {
	ID        kith.MachineID `json:"id"`
	Host      string         `json:"host"`
	Agent     core.Status    `json:"agent"`    // pending, started or down
	Instance  core.Status    `json:"instance"` // pending or running
	Addresses []string       `json:"addresses,omitempty"`
	Base      string         `json:"base,omitempty"` // name@channel
	Created   time.Time      `json:"created"`
}

// AppStatus is one application.
type AppStatus struct {
	Name         kith.AppName `json:"name"`
	Charm        string       `json:"charm"` // URL: local:web-0
	CharmID      string       `json:"charm-id"`
	CharmName    string       `json:"charm-name"`
	CharmRev     int          `json:"charm-rev"`
	CharmVersion string       `json:"charm-version,omitempty"`
	Base         string       `json:"base,omitempty"` // name@channel
	Exposed      bool         `json:"exposed"`
	Subordinate  bool         `json:"subordinate,omitempty"`
	Life         kith.Life    `json:"life"`
	Status       core.Status  `json:"status"`
	// Relations holds one entry per endpoint and related application, sorted by both.
	Relations     []AppRelation   `json:"relations,omitempty"`
	SubordinateTo []kith.AppName  `json:"subordinate-to,omitempty"`
	Units         []kith.UnitName `json:"units,omitempty"`
	Version       string          `json:"version,omitempty"` // of the workload
	// Bindings names the endpoints and extra bindings, sorted; all are in space alpha.
	Bindings []string `json:"bindings,omitempty"`
}

// AppRelation is an application at the other end of one of an application's endpoints.
type AppRelation struct {
	Endpoint  kith.EndpointName `json:"endpoint"`
	Related   kith.AppName      `json:"related"`
	Interface string            `json:"interface"`
	Scope     kith.Scope        `json:"scope"`
}

// UnitStatus is one unit.
type UnitStatus struct {
	Name         kith.UnitName   `json:"name"`
	App          kith.AppName    `json:"application"`
	Workload     core.Status     `json:"workload"`
	Agent        core.Status     `json:"agent"`
	Leader       bool            `json:"leader,omitempty"`
	Machine      kith.MachineID  `json:"machine,omitempty"`
	Address      string          `json:"address,omitempty"`
	Ports        []core.Port     `json:"ports,omitempty"`
	Principal    kith.UnitName   `json:"principal,omitempty"`
	Subordinates []kith.UnitName `json:"subordinates,omitempty"` // natural order
	Life         kith.Life       `json:"life"`
	// UpgradingFrom is the URL of the unpacked charm while it is not the application's.
	UpgradingFrom string `json:"upgrading-from,omitempty"`
}

// RelationStatus is one relation.
type RelationStatus struct {
	ID        kith.RelationID `json:"id"`
	Key       string          `json:"key"`
	Interface string          `json:"interface"`
	Scope     kith.Scope      `json:"scope"`
	// Provider and Requirer are the same end for a peer relation.
	Provider core.End    `json:"provider"`
	Requirer core.End    `json:"requirer"`
	Type     string      `json:"type"` // regular, peer or subordinate
	Life     kith.Life   `json:"life"`
	Status   core.Status `json:"status"`
	// Contract is there if it was asked for, and a contract says something about the relation.
	Contract *RelationContract `json:"contract,omitempty"`
}

// Statuses of machines and models (CLI reference, section 5.1).
const (
	Available  kith.Status = "available"
	Destroying kith.Status = "destroying"
	Pending    kith.Status = "pending"
	Started    kith.Status = "started"
	Running    kith.Status = "running"
	Down       kith.Status = "down"
	Lost       kith.Status = "lost"
)

// UnitOf is the unit's status, or nil.
func (s *Status) UnitOf(name kith.UnitName) *UnitStatus {
	for i := range s.Units {
		if s.Units[i].Name == name {
			return &s.Units[i]
		}
	}
	return nil
}

// notCommunicating is Juju's text for an agent that is not there.
const notCommunicating = "agent is not communicating with the server"

// MarkLost shows the units and machines of a host as an operator must see them
// when its agent has been away since that time. Everything else stays what it last was.
func (s *Status) MarkLost(host string, since time.Time, m *core.Model) {
	for i := range s.Machines {
		if s.Machines[i].Host == host && s.Machines[i].Agent.Current == Started {
			s.Machines[i].Agent = core.Status{Current: Down, Message: notCommunicating, Since: since}
		}
	}
	for i := range s.Units {
		u := &s.Units[i]
		if stored := m.Unit(u.Name); stored == nil || stored.Host != host || !stored.Present {
			continue
		}
		u.Agent = core.Status{Current: Lost, Message: notCommunicating, Since: since}
		if u.Workload.Current != kith.Errored && u.Workload.Current != kith.Terminated {
			u.Workload = core.Status{Current: kith.Unknown, Since: since,
				Message: "agent lost, see 'juju show-status-log " + string(u.Name) + "'"}
		}
	}
}
