package dispatch

import (
	"os"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/core"
)

// Hook protocol reference, sections 5.1 to 5.7 and 3.11, row by row: what each kind of event has beside
// what every execution has, and nothing else. On a real process: TestEnvironment of package agent.
func TestEnvironmentOfEachKind(t *testing.T) {
	t.Parallel()
	relation := func(kind core.HookKind, r core.RelationHook) core.Hook {
		r.ID, r.Endpoint, r.RemoteApp = 4, "db", "pg"
		return core.Hook{Kind: kind, Relation: &r}
	}
	secret := func(kind core.HookKind, label string) core.Hook {
		return core.Hook{Kind: kind, Secret: &core.SecretHook{ID: "9m4e2mr0ui3e8a215n4g", Label: label, Revision: 7}}
	}
	db := []string{"JUJU_RELATION=db", "JUJU_RELATION_ID=db:4", "JUJU_REMOTE_APP=pg"}
	with := func(more ...string) []string { return append(db[:3:3], more...) }
	const uri = "JUJU_SECRET_ID=secret:9m4e2mr0ui3e8a215n4g"
	task := &core.TaskHook{ID: 12, Action: "backup"}
	for _, c := range []struct {
		hook core.Hook
		name string // empty: JUJU_HOOK_NAME is
		path string // empty: there is no JUJU_DISPATCH_PATH
		own  []string
	}{
		// 5.7: "nothing of their own".
		{core.Hook{Kind: core.Install}, "install", "hooks/install", nil},
		{core.Hook{Kind: core.Start}, "start", "hooks/start", nil},
		{core.Hook{Kind: core.ConfigChanged}, "config-changed", "hooks/config-changed", nil},
		{core.Hook{Kind: core.UpgradeCharm}, "upgrade-charm", "hooks/upgrade-charm", nil},
		{core.Hook{Kind: core.LeaderElected}, "leader-elected", "hooks/leader-elected", nil},
		{core.Hook{Kind: core.LeaderSettingsChanged}, "leader-settings-changed", "hooks/leader-settings-changed", nil},
		{core.Hook{Kind: core.UpdateStatus}, "update-status", "hooks/update-status", nil},
		{core.Hook{Kind: core.Stop}, "stop", "hooks/stop", nil},
		{core.Hook{Kind: core.Remove}, "remove", "hooks/remove", nil},
		// 5.2, column by column.
		{relation(core.RelationCreated, core.RelationHook{}), "db-relation-created", "hooks/db-relation-created", with("JUJU_REMOTE_UNIT=")},
		{relation(core.RelationJoined, core.RelationHook{RemoteUnit: "pg/0"}), "db-relation-joined", "hooks/db-relation-joined", with("JUJU_REMOTE_UNIT=pg/0")},
		{relation(core.RelationChanged, core.RelationHook{RemoteUnit: "pg/0"}), "db-relation-changed", "hooks/db-relation-changed", with("JUJU_REMOTE_UNIT=pg/0")},
		{relation(core.RelationChanged, core.RelationHook{}), "db-relation-changed", "hooks/db-relation-changed", with("JUJU_REMOTE_UNIT=")},
		{relation(core.RelationDeparted, core.RelationHook{RemoteUnit: "pg/0"}), "db-relation-departed", "hooks/db-relation-departed",
			with("JUJU_REMOTE_UNIT=pg/0", "JUJU_DEPARTING_UNIT=pg/0")},
		{relation(core.RelationDeparted, core.RelationHook{RemoteUnit: "pg/0", Departing: "web/0"}), "db-relation-departed", "hooks/db-relation-departed",
			with("JUJU_REMOTE_UNIT=pg/0", "JUJU_DEPARTING_UNIT=web/0")},
		{relation(core.RelationBroken, core.RelationHook{}), "db-relation-broken", "hooks/db-relation-broken", with("JUJU_REMOTE_UNIT=")},
		// 5.3, and 3.11: "JUJU_HOOK_NAME is empty and JUJU_DISPATCH_PATH is absent … JUJU_REMOTE_APP is set but empty".
		{core.Hook{Kind: core.Action, Task: task}, "", "actions/backup", []string{"JUJU_ACTION_NAME=backup", "JUJU_ACTION_UUID=12", "JUJU_ACTION_TAG=action-12"}},
		{core.Hook{Kind: core.Exec, Task: &core.TaskHook{ID: 13, Action: core.ExecAction}}, "", "", nil},
		{core.Hook{Kind: core.Exec, Task: &core.TaskHook{ID: 13, Action: core.ExecAction}, Relation: &core.RelationHook{ID: 4, Endpoint: "db", RemoteUnit: "pg/1"}}, "", "",
			[]string{"JUJU_RELATION=db", "JUJU_RELATION_ID=db:4", "JUJU_REMOTE_UNIT=pg/1", "JUJU_REMOTE_APP="}},
		// 5.5: the revision "secret-expired, secret-remove only".
		{secret(core.SecretChanged, ""), "secret-changed", "hooks/secret-changed", []string{uri, "JUJU_SECRET_LABEL="}},
		{secret(core.SecretRotate, "tls"), "secret-rotate", "hooks/secret-rotate", []string{uri, "JUJU_SECRET_LABEL=tls"}},
		{secret(core.SecretExpired, "tls"), "secret-expired", "hooks/secret-expired", []string{uri, "JUJU_SECRET_LABEL=tls", "JUJU_SECRET_REVISION=7"}},
		{secret(core.SecretRemove, "tls"), "secret-remove", "hooks/secret-remove", []string{uri, "JUJU_SECRET_LABEL=tls", "JUJU_SECRET_REVISION=7"}},
		// 5.6
		{core.Hook{Kind: core.StorageAttached, Storage: &core.StorageHook{ID: "data/0", Location: "/srv/data", Kind: "filesystem"}},
			"data-storage-attached", "hooks/data-storage-attached", []string{"JUJU_STORAGE_ID=data/0", "JUJU_STORAGE_LOCATION=/srv/data", "JUJU_STORAGE_KIND=filesystem"}},
		{core.Hook{Kind: core.StorageDetaching, Storage: &core.StorageHook{ID: "data/0", Location: "/srv/data", Kind: "filesystem"}},
			"data-storage-detaching", "hooks/data-storage-detaching", []string{"JUJU_STORAGE_ID=data/0", "JUJU_STORAGE_LOCATION=/srv/data", "JUJU_STORAGE_KIND=filesystem"}},
	} {
		want := append(c.own[:len(c.own):len(c.own)], "JUJU_HOOK_NAME="+c.name)
		if c.path != "" {
			want = append(want, "JUJU_DISPATCH_PATH="+c.path)
		}
		ctx := &core.HookContext{Unit: "web/0"}
		got := Environment(HostEnv{}, Places{}, ctx, c.hook, "id")
		got = slices.DeleteFunc(got, func(v string) bool { return slices.Contains(commonNames, v[:strings.IndexByte(v, '=')]) })
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.hook.Title(), got, want)
		}
	}
}

// commonNames is the table of section 5.1 as far as it always applies, without the two that stand for the
// hook; then kith's own.
var commonNames = []string{"CHARM_DIR", "JUJU_CHARM_DIR", "JUJU_CONTEXT_ID", "JUJU_AGENT_SOCKET_ADDRESS", "JUJU_AGENT_SOCKET_NETWORK",
	"JUJU_UNIT_NAME", "JUJU_MODEL_NAME", "JUJU_MODEL_UUID", "JUJU_API_ADDRESSES", "JUJU_MACHINE_ID", "JUJU_PRINCIPAL_UNIT",
	"JUJU_AVAILABILITY_ZONE", "JUJU_VERSION", "CLOUD_API_VERSION", "JUJU_CHARM_HTTP_PROXY", "JUJU_CHARM_HTTPS_PROXY",
	"JUJU_CHARM_FTP_PROXY", "JUJU_CHARM_NO_PROXY", "JUJU_SLA", "PATH", "LANG", "TERM", "KITH_UNIT_ADDRESS", "KITH_HOOKWIRE"}

// Section 5.1: what depends on the host, the model and the unit.
func TestCommonEnvironment(t *testing.T) {
	t.Parallel()
	env := func(h HostEnv, c core.HookContext) map[string]string {
		vars := map[string]string{}
		for _, v := range Environment(h, Places{Charm: "/unit/charm", Tools: "/tools", Socket: "/unit/socket"}, &c, core.Hook{Kind: core.Start}, "web/0-start-5f") {
			name, value, _ := strings.Cut(v, "=")
			if _, twice := vars[name]; twice {
				t.Errorf("%s is set twice", name)
			}
			vars[name] = value
		}
		return vars
	}
	bare := env(HostEnv{path: "/bin"}, core.HookContext{Unit: "web/0"})
	for _, name := range commonNames {
		if _, ok := bare[name]; !ok {
			t.Errorf("%s is not set", name)
		}
	}
	if len(bare) != len(commonNames)+2 {
		t.Errorf("%d variables, want %d: %v", len(bare), len(commonNames)+2, bare)
	}
	all := env(HostEnv{path: "/bin", ubuntu: true, apiAddresses: "10.0.0.1:17070 10.0.0.2:17070",
		kubernetes: []string{"KUBERNETES_SERVICE_HOST=10.152.183.1"}},
		core.HookContext{Unit: "log/0", Principal: "web/0", Machine: "3", Model: "11111111-2222-4333-8444-555555555555", ModelName: "prod", Address: "127.0.0.9",
			Proxy:     core.ProxyOptions{HTTP: "a", HTTPS: "b", FTP: "c", No: "d"},
			HostProxy: core.ProxyOptions{HTTP: "e", HTTPS: "f", FTP: "g", No: "h"}})
	for _, want := range []struct {
		vars        map[string]string
		name, value string
	}{
		{bare, "CHARM_DIR", "/unit/charm"}, {bare, "JUJU_CHARM_DIR", "/unit/charm"},
		{bare, "JUJU_AGENT_SOCKET_ADDRESS", "/unit/socket"}, {bare, "JUJU_AGENT_SOCKET_NETWORK", "unix"},
		{bare, "PATH", "/tools:/bin"}, {bare, "LANG", "C.UTF-8"}, {bare, "JUJU_SLA", "unsupported"},
		{bare, "JUJU_VERSION", kith.JujuVersion}, {bare, "JUJU_CONTEXT_ID", "web/0-start-5f"},
		{bare, "JUJU_PRINCIPAL_UNIT", ""}, {all, "JUJU_PRINCIPAL_UNIT", "web/0"}, // "empty unless the unit is a subordinate"
		{bare, "JUJU_CHARM_HTTP_PROXY", ""}, {all, "JUJU_CHARM_HTTP_PROXY", "a"}, // "always set, may be empty"
		{all, "JUJU_CHARM_HTTPS_PROXY", "b"}, {all, "JUJU_CHARM_FTP_PROXY", "c"}, {all, "JUJU_CHARM_NO_PROXY", "d"},
		{all, "http_proxy", "e"}, {all, "HTTP_PROXY", "e"}, {all, "https_proxy", "f"}, {all, "HTTPS_PROXY", "f"}, // "both letter cases"
		{all, "ftp_proxy", "g"}, {all, "FTP_PROXY", "g"}, {all, "no_proxy", "h"}, {all, "NO_PROXY", "h"},
		{all, "JUJU_MACHINE_ID", "3"}, {all, "JUJU_UNIT_NAME", "log/0"}, {all, "JUJU_MODEL_NAME", "prod"},
		{all, "JUJU_MODEL_UUID", "11111111-2222-4333-8444-555555555555"}, {all, "JUJU_API_ADDRESSES", "10.0.0.1:17070 10.0.0.2:17070"},
		{all, "DEBIAN_FRONTEND", "noninteractive"}, {all, "APT_LISTCHANGES_FRONTEND", "none"}, // "Ubuntu only"
		{all, "TERM", "tmux-256color"}, {bare, "TERM", "screen"},
		{all, "KUBERNETES_SERVICE_HOST", "10.152.183.1"}, // "passed through: only those present in the agent's environment"
		{all, "KITH_UNIT_ADDRESS", "127.0.0.9"},
	} {
		if got, ok := want.vars[want.name]; !ok || got != want.value {
			t.Errorf("%s is %q (set: %v), want %q", want.name, got, ok, want.value)
		}
	}
}

// "Nothing is inherited … Only PATH is derived from the agent's own" (section 3.2), and what the
// platform tells its containers (5.1).
func TestReadHostEnv(t *testing.T) {
	t.Setenv("PATH", "/opt/bin:/bin")
	t.Setenv("HOME", "/root")
	for _, name := range kubernetesVariables {
		t.Setenv(name, "") // which puts it back in the end
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	t.Setenv("KUBERNETES_SERVICE_OTHER", "1")
	h := ReadHostEnv(nil)
	if h.path != "/opt/bin:/bin" || !slices.Equal(h.kubernetes, []string{"KUBERNETES_SERVICE_PORT=443"}) {
		t.Errorf("%+v", h)
	}
	for release, want := range map[string]bool{"NAME=\"Ubuntu\"\nID=ubuntu\n": true, "ID=\"ubuntu\"": true, "ID=debian\nID_LIKE=ubuntu\n": false, "": false} {
		if got := isUbuntu(release); got != want {
			t.Errorf("%q is Ubuntu: %v", release, got)
		}
	}
}

// "<unit>-<hook name>-<32 hex digits> … must be unguessable" (section 5.1).
func TestContextID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		id := NewContextID("web/0", "install")
		digits, ok := strings.CutPrefix(id, "web/0-install-")
		if !ok || len(digits) != 32 || strings.Trim(digits, "0123456789abcdef") != "" || seen[id] {
			t.Errorf("id %q", id)
		}
		seen[id] = true
	}
	if got := ContextName(core.Hook{Kind: core.Exec, Task: &core.TaskHook{Action: core.ExecAction}}); got != "run-commands" {
		t.Errorf("commands run as %q", got)
	}
}
