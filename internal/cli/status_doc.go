package cli

import (
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// The fixed parts of a status. There is one cloud: the computer kith runs on.
const (
	cloudName  = "localhost"
	regionName = "localhost"
	modelType  = "iaas"
	spaceName  = "alpha"
)

// clock says how times are written (CLI reference, section 5.1).
type clock struct{ utc bool }

// since is a time in a status record.
func (c clock) since(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case c.utc:
		return t.UTC().Format("2006-01-02 15:04:05Z")
	}
	return t.Local().Format("02 Jan 2006 15:04:05Z07:00")
}

// stamp is the time of day of a whole status.
func (c clock) stamp(t time.Time) string {
	if c.utc {
		return t.UTC().Format("15:04:05Z07:00")
	}
	return t.Local().Format("15:04:05Z07:00")
}

// The documents of status --format json|yaml (section 5.1). Fields are in the
// order the reference has them; omitempty is its asterisk.
type (
	statusDoc struct {
		Model      modelDoc              `json:"model"`
		Machines   map[string]machineDoc `json:"machines"`
		Apps       map[string]appDoc     `json:"applications"`
		Storage    storagePartDoc        `json:"storage"`
		Controller stampDoc              `json:"controller"`
	}
	stampDoc struct {
		Timestamp string `json:"timestamp"`
	}
	recordDoc struct {
		Current string `json:"current,omitempty"`
		Message string `json:"message,omitempty"`
		Since   string `json:"since,omitempty"`
		Version string `json:"version,omitempty"`
		Life    string `json:"life,omitempty"`
	}
	baseDoc struct {
		Name    string `json:"name"`
		Channel string `json:"channel"`
	}
	modelDoc struct {
		Name       string    `json:"name"`
		Type       string    `json:"type"`
		Controller string    `json:"controller"`
		Cloud      string    `json:"cloud"`
		Region     string    `json:"region,omitempty"`
		Version    string    `json:"version"`
		Status     recordDoc `json:"model-status"`
		SLA        string    `json:"sla,omitempty"`
	}
	machineDoc struct {
		Agent        recordDoc `json:"juju-status"`
		Hostname     string    `json:"hostname,omitempty"`
		DNSName      string    `json:"dns-name,omitempty"`
		Addresses    []string  `json:"ip-addresses,omitempty"`
		InstanceID   string    `json:"instance-id,omitempty"`
		Instance     recordDoc `json:"machine-status"`
		Modification recordDoc `json:"modification-status"`
		Base         *baseDoc  `json:"base,omitempty"`
	}
	appDoc struct {
		Charm         string                   `json:"charm"`
		Base          *baseDoc                 `json:"base,omitempty"`
		Origin        string                   `json:"charm-origin"`
		CharmName     string                   `json:"charm-name"`
		CharmRev      int                      `json:"charm-rev"`
		CharmVersion  string                   `json:"charm-version,omitempty"`
		Exposed       bool                     `json:"exposed"`
		Life          string                   `json:"life,omitempty"`
		Status        recordDoc                `json:"application-status"`
		Relations     map[string][]relationDoc `json:"relations,omitempty"`
		SubordinateTo []kith.AppName           `json:"subordinate-to,omitempty"`
		Units         map[string]unitDoc       `json:"units,omitempty"`
		Version       string                   `json:"version,omitempty"`
		Bindings      map[string]string        `json:"endpoint-bindings,omitempty"`
	}
	relationDoc struct {
		Related   kith.AppName `json:"related-application"`
		Interface string       `json:"interface"`
		Scope     kith.Scope   `json:"scope"`
		// Contract is kith's own, and there only if a contract says something about the relation.
		Contract *contractDoc `json:"contract,omitempty"`
	}
	unitDoc struct {
		Workload      recordDoc          `json:"workload-status"`
		Agent         recordDoc          `json:"juju-status"`
		Leader        bool               `json:"leader,omitempty"`
		UpgradingFrom string             `json:"upgrading-from,omitempty"`
		Machine       string             `json:"machine,omitempty"`
		Ports         []string           `json:"open-ports,omitempty"`
		Address       string             `json:"public-address,omitempty"`
		Subordinates  map[string]unitDoc `json:"subordinates,omitempty"`
	}
)

// statusDocument is the status as JSON and YAML have it.
func statusDocument(s *api.Status, c clock) statusDoc {
	d := statusDoc{
		Model: modelDoc{Name: s.Model.Name, Type: modelType, Controller: controllerName, Cloud: cloudName, Region: regionName,
			Version: jujuVersion, Status: record(s.Model.Status, c), SLA: "unsupported"},
		Machines:   map[string]machineDoc{},
		Apps:       map[string]appDoc{},
		Controller: stampDoc{c.stamp(s.Timestamp)},
	}
	if len(s.Storage) > 0 {
		d.Storage = storagePart(s.Storage, c)
	}
	for _, m := range s.Machines {
		d.Machines[string(m.ID)] = machineDocument(m, c)
	}
	for _, a := range s.Apps {
		d.Apps[string(a.Name)] = appDocument(s, a, c)
	}
	return d
}

func record(s core.Status, c clock) recordDoc {
	return recordDoc{Current: string(s.Current), Message: s.Message, Since: c.since(s.Since)}
}

// agentRecord is the record of an agent: it has a version, and the life of what
// it works for unless that is alive.
func agentRecord(s core.Status, life kith.Life, c clock) recordDoc {
	r := record(s, c)
	r.Version = jujuVersion
	r.Life = notAlive(life)
	return r
}

// notAlive is a life, or empty for alive.
func notAlive(life kith.Life) string {
	if life == kith.Alive {
		return ""
	}
	return string(life)
}

// shortBase is a base without its risk if that is stable: ubuntu@24.04.
func shortBase(s string) string { return strings.TrimSuffix(s, "/stable") }

// baseOf reads "name@channel".
func baseOf(s string) *baseDoc {
	name, channel, ok := strings.Cut(shortBase(s), "@")
	if !ok {
		return nil
	}
	return &baseDoc{name, channel}
}

func machineDocument(m api.MachineStatus, c clock) machineDoc {
	d := machineDoc{
		Agent: agentRecord(m.Agent, kith.Alive, c), Hostname: m.Host, Addresses: m.Addresses, InstanceID: m.Host,
		Instance:     record(m.Instance, c),
		Modification: record(core.Status{Current: kith.Idle, Since: m.Created}, c),
		Base:         baseOf(m.Base),
	}
	if len(m.Addresses) > 0 {
		d.DNSName = m.Addresses[0]
	}
	return d
}

func appDocument(s *api.Status, a api.AppStatus, c clock) appDoc {
	d := appDoc{
		Charm: a.Charm, Base: baseOf(a.Base), Origin: charmOrigin(a.Charm), CharmName: a.CharmName, CharmRev: a.CharmRev,
		CharmVersion: a.CharmVersion, Exposed: a.Exposed, Life: notAlive(a.Life), Status: record(a.Status, c),
		SubordinateTo: a.SubordinateTo, Version: a.Version,
		Relations: map[string][]relationDoc{}, Units: map[string]unitDoc{}, Bindings: map[string]string{},
	}
	for _, r := range a.Relations {
		at := string(r.Endpoint)
		d.Relations[at] = append(d.Relations[at], relationDoc{r.Related, r.Interface, r.Scope, relatedContract(s, a.Name, r)})
	}
	for _, name := range a.Units {
		if u := s.UnitOf(name); u != nil && u.Principal == "" {
			d.Units[string(name)] = unitDocument(s, u, c)
		}
	}
	if len(a.Bindings) > 0 {
		d.Bindings[""] = spaceName
		for _, name := range a.Bindings {
			d.Bindings[name] = spaceName
		}
	}
	return d
}

// charmOrigin says where a charm comes from, by its URL.
func charmOrigin(url string) string {
	if strings.HasPrefix(url, "local:") {
		return "local"
	}
	return "unknown"
}

func unitDocument(s *api.Status, u *api.UnitStatus, c clock) unitDoc {
	d := unitDoc{
		Workload: record(u.Workload, c), Agent: agentRecord(u.Agent, u.Life, c), Leader: u.Leader,
		UpgradingFrom: u.UpgradingFrom, Ports: portList(u.Ports), Address: u.Address, Subordinates: map[string]unitDoc{},
	}
	if u.Principal == "" {
		d.Machine = string(u.Machine)
	}
	for _, name := range u.Subordinates {
		if sub := s.UnitOf(name); sub != nil {
			d.Subordinates[string(name)] = unitDocument(s, sub, c)
		}
	}
	return d
}

// portList writes port ranges one by one: 80/tcp, 8080-8090/udp, icmp.
func portList(ports []core.Port) []string {
	var list []string
	for _, p := range ports {
		s := p.Protocol
		if p.Protocol != "icmp" {
			s = portRange(p.From, p.To) + "/" + p.Protocol
		}
		if !slices.Contains(list, s) { // one range may be open for several endpoints
			list = append(list, s)
		}
	}
	slices.SortFunc(list, api.Natural)
	return list
}
