package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// at is a moment of the day the sample status was taken.
func at(hour, minute int) time.Time { return time.Date(2026, 1, 31, hour, minute, 0, 0, time.UTC) }

func status(s kith.Status, message string) core.Status {
	return core.Status{Current: s, Message: message, Since: at(12, 4)}
}

// sample is the model of the CLI reference's example, section 6.2, as far as one
// computer without offers has it.
func sample() *api.Status {
	tcp := func(from, to int) core.Port { return core.Port{Protocol: "tcp", From: from, To: to} }
	end := func(app kith.AppName, name kith.EndpointName, role kith.Role) core.End {
		return core.End{App: app, Endpoint: name, Role: role}
	}
	joined := status(kith.Joined, "")
	return &api.Status{
		Model:     api.ModelStatus{Name: "prod", Owner: "admin", Life: kith.Alive, Status: core.Status{Current: api.Available, Since: at(11, 0)}},
		Timestamp: at(12, 6),
		Machines: []api.MachineStatus{
			{ID: "0", Host: "local", Agent: status(api.Started, ""), Instance: status(api.Running, "Running"), Addresses: []string{"127.1.0.1"},
				Base: "ubuntu@24.04", Created: at(11, 30)},
			{ID: "1", Host: "local", Agent: status(api.Started, ""), Instance: status(api.Running, "Running"), Addresses: []string{"127.1.0.2"},
				Base: "ubuntu@24.04", Created: at(11, 30)},
			{ID: "10", Host: "local", Agent: status(api.Pending, ""), Instance: status(api.Pending, ""), Created: at(11, 30)},
		},
		Apps: []api.AppStatus{
			{Name: "agentx", Charm: "local:agentx-7", CharmName: "agentx", CharmRev: 7, Base: "ubuntu@24.04", Subordinate: true, Life: kith.Alive,
				Status: status(kith.Active, ""), Units: []kith.UnitName{"agentx/0", "agentx/1"}, SubordinateTo: []kith.AppName{"db"},
				Relations: []api.AppRelation{{Endpoint: "host", Related: "db", Interface: "juju-info", Scope: kith.Container}}, Bindings: []string{"host"}},
			{Name: "db", Charm: "local:pgdb-553", CharmName: "pgdb", CharmRev: 553, Base: "ubuntu@24.04", Life: kith.Alive, Version: "14.11",
				Status: status(kith.Active, "ready"), Units: []kith.UnitName{"db/0", "db/1"},
				Relations: []api.AppRelation{
					{Endpoint: "juju-info", Related: "agentx", Interface: "juju-info", Scope: kith.Container},
					{Endpoint: "peers", Related: "db", Interface: "pg_peers", Scope: kith.Global}},
				Bindings: []string{"database", "peers"}},
			{Name: "web", Charm: "local:web-0", CharmName: "web", Life: kith.Dying, Version: "2.1.0-very-long-build\nsecond line",
				Status: status(kith.Blocked, "missing certificate"), Units: []kith.UnitName{"web/2"}},
		},
		Units: []api.UnitStatus{
			{Name: "agentx/0", App: "agentx", Workload: status(kith.Active, ""), Agent: status(kith.Idle, ""), Leader: true, Address: "127.1.0.1",
				Principal: "db/0", Machine: "0", Life: kith.Alive},
			{Name: "agentx/1", App: "agentx", Workload: status(kith.Active, ""), Agent: status(kith.Idle, ""), Address: "127.1.0.2",
				Principal: "db/1", Machine: "1", Life: kith.Alive},
			{Name: "db/0", App: "db", Workload: status(kith.Active, "ready"), Agent: status(kith.Idle, ""), Leader: true, Machine: "0",
				Address: "127.1.0.1", Ports: []core.Port{tcp(5432, 5432)}, Subordinates: []kith.UnitName{"agentx/0"}, Life: kith.Alive},
			{Name: "db/1", App: "db", Workload: status(kith.Active, "ready"), Agent: status(kith.Executing, "running config-changed hook"), Machine: "1",
				Address: "127.1.0.2", Ports: []core.Port{tcp(5432, 5432)}, Subordinates: []kith.UnitName{"agentx/1"}, Life: kith.Alive},
			{Name: "web/2", App: "web", Workload: status(kith.Blocked, "missing certificate"), Agent: status(kith.Allocating, ""), Machine: "10",
				Ports: []core.Port{tcp(8080, 8080), tcp(8081, 8081), {Protocol: "icmp"}, tcp(80, 80), {Protocol: "udp", From: 53, To: 53}}, Life: kith.Dying},
		},
		Relations: []api.RelationStatus{
			{ID: 0, Interface: "pg_client", Provider: end("db", "database", kith.Provider), Requirer: end("web", "database", kith.Requirer), Type: "regular", Status: joined},
			{ID: 2, Interface: "juju-info", Provider: end("db", "juju-info", kith.Provider), Requirer: end("agentx", "host", kith.Requirer), Type: "subordinate", Status: joined},
			{ID: 1, Interface: "pg_peers", Provider: end("db", "peers", kith.Peer), Requirer: end("db", "peers", kith.Peer), Type: "peer", Status: joined},
			{ID: 3, Interface: "http", Provider: end("web", "website", kith.Provider), Requirer: end("proxy", "backend", kith.Requirer), Type: "regular",
				Status: status(kith.Suspended, "maintenance window")},
		},
	}
}

// visible marks the ends of lines, so that trailing blanks can be seen in the golden files.
func visible(s string) string { return strings.ReplaceAll(s, "\n", "|\n") }

// CLI reference, section 6.2: sections, columns, alignment, markers, messages, ports.
func TestStatusTable(t *testing.T) {
	t.Parallel()
	s := sample()
	table := &statusTable{s: s, clock: clock{utc: true}, palette: plain, relations: true}
	golden(t, "status-relations.txt", visible(table.String()))

	table.relations = false
	if text := table.String(); strings.Contains(text, "Integration provider") {
		t.Errorf("relations shown without --relations:\n%s", text)
	}
}

// Section 6.1: a section is skipped when it would have no rows.
func TestStatusTableOfEmptyModel(t *testing.T) {
	t.Parallel()
	s := &api.Status{Model: api.ModelStatus{Name: "m", Status: core.Status{Current: api.Available}}, Timestamp: at(12, 6)}
	table := &statusTable{s: s, clock: clock{utc: true}, relations: true}
	golden(t, "status-empty.txt", visible(table.String()))
}

// Section 5.1: the document, field by field; and section 1.7: JSON is one line,
// YAML has the same keys.
func TestStatusDocument(t *testing.T) {
	t.Parallel()
	doc := statusDocument(sample(), clock{utc: true})
	text, err := jsonText(doc)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("JSON is not one line: %q", text)
	}
	var indented strings.Builder
	enc := json.NewEncoder(&indented)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	golden(t, "status.json", indented.String())
	y, err := yamlText(doc)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "status.yaml", y)
}

// Section 4.5: an empty model still has the fields everybody indexes, and no
// optional object is null.
func TestStatusDocumentOfEmptyModel(t *testing.T) {
	t.Parallel()
	text, err := jsonText(statusDocument(&api.Status{}, clock{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"machines":{}`, `"applications":{}`, `"storage":{}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, "null") {
		t.Errorf("null in %s", text)
	}
}

// Section 6.3.
func TestStatusOtherFormats(t *testing.T) {
	t.Parallel()
	golden(t, "status-line.txt", statusLines(sample()))
	golden(t, "status-summary.txt", visible(statusSummary(sample())))
}

// Section 6: selectors, and what they keep.
func TestFilterStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		selectors string
		apps      string
		units     string
		machines  string
	}{
		{"", "agentx db web", "agentx/0 agentx/1 db/0 db/1 web/2", "0 1 10"},
		{"web", "web", "web/2", "10"},
		{"db/0", "agentx db", "agentx/0 db/0", "0"},
		{"db/*", "agentx db", "agentx/0 agentx/1 db/0 db/1", "0 1"},
		{"agentx/1", "agentx db", "agentx/1 db/1", "1"},
		{"1", "agentx db", "agentx/1 db/1", "1"},
		{"blocked", "web", "web/2", "10"},
		{"5432/tcp", "agentx db", "agentx/0 agentx/1 db/0 db/1", "0 1"},
		{"exposed", "", "", ""},
		{"not exposed", "agentx db web", "agentx/0 agentx/1 db/0 db/1 web/2", "0 1 10"},
		{"nosuch", "", "", ""},
	} {
		s := filterStatus(sample(), strings.Fields(test.selectors))
		var apps, units, machines []string
		for _, a := range s.Apps {
			apps = append(apps, string(a.Name))
		}
		for _, u := range s.Units {
			units = append(units, string(u.Name))
		}
		for _, m := range s.Machines {
			machines = append(machines, string(m.ID))
		}
		for _, c := range []struct {
			what, want string
			got        []string
		}{{"apps", test.apps, apps}, {"units", test.units, units}, {"machines", test.machines, machines}} {
			if got := strings.Join(c.got, " "); got != c.want {
				t.Errorf("status %s: %s = %q, want %q", test.selectors, c.what, got, c.want)
			}
		}
	}
}

// Section 6.1, Details: ports are grouped by protocol and merged.
func TestPortSummary(t *testing.T) {
	t.Parallel()
	port := func(protocol string, from, to int) core.Port {
		return core.Port{Protocol: protocol, From: from, To: to}
	}
	for _, test := range []struct {
		ports []core.Port
		want  string
	}{
		{nil, ""},
		{[]core.Port{port("udp", 53, 53), port("tcp", 1555, 1555), port("tcp", 80, 80), port("tcp", 1556, 1557)}, "80,1555-1557/tcp 53/udp"},
		{[]core.Port{port("icmp", 0, 0), port("tcp", 80, 80)}, "80/tcp icmp"},
		{[]core.Port{port("icmp", 0, 0)}, "icmp"},
		{[]core.Port{port("tcp", 80, 90), port("tcp", 85, 100)}, "80-100/tcp"},
	} {
		if got := portSummary(test.ports); got != test.want {
			t.Errorf("portSummary(%v) = %q, want %q", test.ports, got, test.want)
		}
	}
}

// Section 6.1, Details: messages are cut to 120 characters.
func TestShorten(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 121)
	if got := shorten(long, maxMessage); len([]rune(got)) != 120 || !strings.HasSuffix(got, "ä...") {
		t.Errorf("a message of 121 characters is shown as %q", got)
	}
	if exact := strings.Repeat("x", 120); shorten(exact, maxMessage) != exact {
		t.Error("a message of 120 characters is cut")
	}
}

// Section 5.1: times in status records.
func TestClock(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 1, 31, 12, 2, 11, 0, time.UTC)
	if got := (clock{utc: true}).since(moment); got != "2026-01-31 12:02:11Z" {
		t.Errorf("since in UTC: %q", got)
	}
	want := moment.Local().Format("02 Jan 2006 15:04:05Z07:00")
	if got := (clock{}).since(moment); got != want {
		t.Errorf("since: %q, want %q", got, want)
	}
	if got := (clock{}).since(time.Time{}); got != "" {
		t.Errorf("since of no time: %q", got)
	}
}

// Colours do not change what stands where.
func TestStatusTableColored(t *testing.T) {
	t.Parallel()
	table := &statusTable{s: sample(), clock: clock{utc: true}, palette: colored, relations: true}
	text := table.String()
	if !strings.Contains(text, "\x1b[32mactive\x1b[0m") {
		t.Error("active is not green")
	}
	table.palette = plain
	if got := stripColors(text); got != table.String() {
		t.Errorf("colours moved columns:\n%s", got)
	}
}

func stripColors(s string) string {
	for _, code := range []string{"\x1b[0m", "\x1b[1;31m", "\x1b[32m", "\x1b[33m"} {
		s = strings.ReplaceAll(s, code, "")
	}
	return s
}
