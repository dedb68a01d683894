package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// unitSample is a unit in a regular relation, a peer relation and one nobody has written to.
func unitSample() api.ShowUnit {
	bag := func(address string) map[string]string {
		return map[string]string{"egress-subnets": address + "/32", "ingress-address": address, "private-address": address}
	}
	return api.ShowUnit{
		UnitStatus: api.UnitStatus{Name: "web/0", App: "web", Machine: "2", Address: "127.1.0.6", Leader: true, Life: kith.Alive,
			Ports: []core.Port{{Protocol: "tcp", From: 80, To: 80}}},
		WorkloadVersion: "2.1.0", Charm: "local:web-0",
		Relations: []api.UnitRelation{
			{ID: 1, Endpoint: "peers", RelatedEndpoint: "peers", RelatedApp: "web", Peer: true, AppData: map[string]string{"leader": "web/0", "count": "1"},
				Local: api.UnitData{Unit: "web/0", InScope: true, Data: bag("127.1.0.6")}},
			{ID: 3, Endpoint: "database", RelatedEndpoint: "database", RelatedApp: "db", AppData: map[string]string{"endpoints": "127.1.0.4:5432"},
				Local:   api.UnitData{Unit: "web/0", InScope: true, Data: bag("127.1.0.6")},
				Related: []api.UnitData{{Unit: "db/0", InScope: true, Data: bag("127.1.0.4")}, {Unit: "db/1", InScope: false, Data: bag("127.1.0.5")}}},
			{ID: 4, Endpoint: "logs", RelatedEndpoint: "logging", RelatedApp: "logs", Local: api.UnitData{Unit: "web/0"}},
		},
	}
}

// CLI reference, sections 5.3 and 7.6: the unit's document, in YAML and JSON.
func TestShowUnitDocument(t *testing.T) {
	t.Parallel()
	var all showUnitFlags
	y, err := yamlText(map[string]unitInfoDoc{"web/0": all.document(unitSample(), false)})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "show-unit.yaml", y)
	for name, o := range map[string]showUnitFlags{
		"show-unit.json":          {},
		"show-unit-app.json":      {app: true},
		"show-unit-endpoint.json": {endpoint: "logs"},
		"show-unit-related.json":  {endpoint: "database", relatedUnit: "db/1"},
	} {
		j, err := jsonText(map[string]unitInfoDoc{"web/0": o.document(unitSample(), true)})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, j)
	}
	bare, err := jsonText(all.document(api.ShowUnit{Charm: "local:x-0"}, true))
	if err != nil {
		t.Fatal(err)
	}
	// Section 4.5: opened-ports, charm and leader are always there.
	if want := `{"opened-ports":[],"charm":"local:x-0","leader":false}` + "\n"; bare != want {
		t.Errorf("a bare unit: %s, want %s", bare, want)
	}
}

// Section 5.6: the example of the reference, and every source a value can have.
func TestConfigDocument(t *testing.T) {
	t.Parallel()
	j, err := jsonText(configDocument(api.AppConfig{App: "testdb", Charm: "testdb", Options: []api.AppOption{
		{Name: "testoption", Type: "string", Description: "…", Default: "", Value: "", Source: "default"},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"application":"testdb","application-config":{"trust":{"default":false,"description":"Does this application have access to trusted credentials","source":"default","type":"bool","value":false}},"charm":"testdb","settings":{"testoption":{"default":"","description":"…","source":"default","type":"string","value":""}}}` + "\n"
	if j != want {
		t.Errorf("got  %swant %s", j, want)
	}
	y, err := yamlText(configDocument(api.AppConfig{App: "web", Charm: "web", Trust: true, Options: []api.AppOption{
		{Name: "debug", Type: "boolean", Default: false, Value: false, Source: "default"},
		{Name: "port", Type: "int", Description: "Port to listen on", Default: 80, Value: 8080, Source: "user"},
		{Name: "ratio", Type: "float", Default: 0.5, Value: 1e-9, Source: "user"},
		{Name: "title", Type: "string", Description: "two\nlines", Source: "unset"},
		{Name: "zip", Type: "string", Default: "0123", Value: "yes", Source: "user"},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "config.yaml", y)
}

// Section 5.7: capitals in JSON, typed values, sources.
func TestTypedModelOptions(t *testing.T) {
	t.Parallel()
	all := typedOptions(api.ModelConfig{Set: map[string]string{"development": "true", "net-bond-reconfigure-delay": "3", "own-key": "x"}})
	for key, want := range map[string]modelOptionDoc{
		"development":                 {true, "model"},
		"net-bond-reconfigure-delay":  {3, "model"},
		"own-key":                     {"x", "model"},
		"automatically-retry-hooks":   {true, "default"},
		"update-status-hook-interval": {"5m", "default"},
		"mode":                        {"requires-prompts", "default"},
	} {
		if all[key] != want {
			t.Errorf("%s is %v, want %v", key, all[key], want)
		}
	}
	j, err := jsonText(map[string]modelOptionDoc{"development": all["development"]})
	if err != nil || j != `{"development":{"Value":true,"Source":"model"}}`+"\n" {
		t.Errorf("JSON: %s (%v)", j, err)
	}
}

// Section 10.1: a record as a line.
func TestLogLine(t *testing.T) {
	t.Parallel()
	r := api.LogRecord{Time: time.Date(2026, 1, 31, 12, 0, 1, 234e6, time.UTC), Entity: "unit-mysql-0", Level: api.LevelInfo,
		Module: "unit.mysql/0.juju-log", Message: "db:3: relation joined\nand more\n"}
	for _, test := range []struct {
		o    debugLogFlags
		want string
	}{
		{debugLogFlags{utc: true}, "unit-mysql-0: 12:00:01 INFO unit.mysql/0.juju-log db:3: relation joined\nand more\n"},
		{debugLogFlags{utc: true, date: true, ms: true}, "unit-mysql-0: 2026-01-31 12:00:01.234 INFO unit.mysql/0.juju-log db:3: relation joined\nand more\n"},
	} {
		if got := test.o.line(r, plain); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// Section 10.1: which records are asked for, and whether to wait for more.
func TestLogQuery(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		line     string
		terminal bool
		last     int
		follow   bool
	}{
		{"", false, 10, false},
		{"", true, 10, true},
		{"--tail", false, 10, true},
		{"--no-tail", true, 10, false},
		{"--replay --no-tail", true, -1, false},
		{"--replay", false, -1, false},
		{"-n 3", true, 3, true},
		{"--limit 5", true, 5, false},
		{"--limit 0", true, -1, false},
	} {
		var o debugLogFlags
		f := pflag.NewFlagSet("debug-log", pflag.ContinueOnError)
		o.flags(f)
		if err := f.Parse(strings.Fields(test.line)); err != nil {
			t.Fatal(err)
		}
		if err := o.check(nil, nil); err != nil {
			t.Fatal(err)
		}
		if q := o.query(test.terminal); q.Last != test.last || q.Follow != test.follow {
			t.Errorf("debug-log %s (terminal: %v): last %d, follow %v; want %d, %v", test.line, test.terminal, q.Last, q.Follow, test.last, test.follow)
		}
	}
}

// What settle says of each thing there is to wait for.
func TestBusyText(t *testing.T) {
	t.Parallel()
	relation := kith.RelationID(4)
	for _, test := range []struct {
		busy api.Busy
		want string
	}{
		{api.Busy{Unit: "web/0", With: api.BusyRunning, Hook: "install", Since: time.Now().Add(-3 * time.Second)}, "web/0 runs install since 3s"},
		{api.Busy{Unit: "web/0", With: api.BusyPending, Hook: "db-relation-changed", Offline: true}, "web/0 has db-relation-changed to run (its agent is not connected)"},
		{api.Busy{Unit: "web/0", With: api.BusyRetry, Hook: "install", Until: time.Now().Add(10 * time.Second)}, "web/0 retries install, which failed, in 10s"},
		{api.Busy{With: api.BusyCommands, Count: 1}, "1 command waiting to be decided"},
		{api.Busy{With: api.BusyEviction, Relation: &relation, Until: time.Now().Add(time.Minute)}, "the forced removal of relation 4 waits for its units, 1m0s more"},
	} {
		if got := busyText(test.busy); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
