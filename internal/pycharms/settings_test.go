package pycharms_test

import (
	"regexp"
	"strings"
	"testing"
)

var juju36 = regexp.MustCompile(`^3\.6\.\d+$`)

// testSettings: configuration, status, ports, network and versions (ops 6.7, 7;
// protocol 8, 9, 10.4, 17).
func testSettings(t *testing.T, m *model) {
	m.do("deploy " + m.stage("settings"))
	leader := m.leader("settings")
	result := last(t, m.events(leader, 0), "settings").Result
	want(t, "typed configuration", result["typed"], []any{"a\nb: c", 8080, 0.5, false, nil})
	want(t, "types", result["types"], map[string]string{"title": "str", "port": "int", "ratio": "float", "debug": "bool"})
	want(t, "ports in the hook", result["ports"], []any{[]any{"icmp", nil}, []any{"tcp", 8080}, []any{"udp", 53}})
	want(t, "planned units", result["planned"], 1)
	want(t, "the charm runs in its folder", result["charm dir"], true)
	want(t, "an error status", strings.HasPrefix(result["error status"].(string), "InvalidStatusError"), true)
	version := result["version"].([]any)
	if !juju36.MatchString(version[0].(string)) || version[0] != version[1] || version[2] != true {
		t.Errorf("the Juju version is %v", version)
	}
	addresses := result["addresses"].([]any)
	if addr, _ := addresses[0].(string); !strings.HasPrefix(addr, "127.") || addresses[1] != addr || addresses[2] != addr {
		t.Errorf("the addresses of a binding are %v", addresses)
	}
	want(t, "egress subnets", result["subnets"], []any{addresses[0].(string) + "/32"})
	if model := result["model"].([]any); model[0] != m.name {
		t.Errorf("the model is %v", model)
	}

	status := m.status().Applications["settings"]
	want(t, "collected application status", status.Status, statusLine{"active", "led by " + leader})
	want(t, "collected unit status", status.Units[leader].Workload, statusLine{"active", "all is well"})
	want(t, "ports in status", status.Units[leader].Ports, []string{"53/udp", "8080/tcp", "icmp"})
	want(t, "workload version", status.Version, "1.8080")

	// The worst collected status wins, and set_ports closes what is no longer wanted.
	m.do("config settings debug=true port=9090 ratio=2 absent=here")
	result = last(t, m.events(leader, 0), "settings").Result
	want(t, "changed configuration", result["typed"], []any{"a\nb: c", 9090, 2.0, true, "here"})
	// JSON writes a whole number without a point, whatever the option's type, as under Juju (protocol 8.2).
	want(t, "the type of a whole float", result["types"].(map[string]any)["ratio"], "int")
	want(t, "the status a hook finds", result["status"], []any{"active", "all is well"})
	status = m.status().Applications["settings"]
	want(t, "the worst status", status.Units[leader].Workload, statusLine{"blocked", "debugging -- really"})
	want(t, "ports in status", status.Units[leader].Ports, []string{"53/udp", "9090/tcp", "icmp"})

	// load_config(errors="blocked") ends the hook with success and the reason.
	m.do("config settings port=99999")
	got := m.status().Applications["settings"].Units[leader].Workload
	if got.Current != "blocked" || !strings.Contains(got.Message, "port 99999 is not one") {
		t.Errorf("bad configuration shows as %v", got)
	}
	m.do("config settings port=80 debug=false")
	want(t, "good configuration shows", m.status().workload(leader), "active: all is well")
}
