package ops_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/ops"
)

// common is what every hook has (hook protocol reference, section 5.1).
var common = []string{
	"JUJU_CHARM_DIR=/charm", "JUJU_UNIT_NAME=web/0", "JUJU_MODEL_NAME=prod", "JUJU_MODEL_UUID=deadbeef-0bad-400d-8000-4b1d0d06f00d",
	"JUJU_VERSION=3.6.14", "JUJU_MACHINE_ID=3", "JUJU_PRINCIPAL_UNIT=", "JUJU_AVAILABILITY_ZONE=az1", "PATH=/bin",
}

func TestParseEnv(t *testing.T) {
	t.Parallel()
	for path, c := range map[string]struct {
		vars []string
		want ops.EventEnv
	}{
		"hooks/install": {nil, ops.EventEnv{}},
		"hooks/my-db-relation-joined": {
			[]string{"JUJU_RELATION=my-db", "JUJU_RELATION_ID=my-db:4", "JUJU_REMOTE_UNIT=pg/0", "JUJU_REMOTE_APP=pg"},
			ops.EventEnv{Relation: "my-db", RelationID: 4, RemoteApp: "pg", RemoteUnit: "pg/0"}},
		"hooks/db-relation-changed": { // without the application, as an old Juju had it
			[]string{"JUJU_RELATION=db", "JUJU_RELATION_ID=db:4", "JUJU_REMOTE_UNIT=pg/0"},
			ops.EventEnv{Relation: "db", RelationID: 4, RemoteApp: "pg", RemoteUnit: "pg/0"}},
		"hooks/db-relation-broken": {
			[]string{"JUJU_RELATION=db", "JUJU_RELATION_ID=db:4", "JUJU_REMOTE_UNIT=", "JUJU_REMOTE_APP=pg"},
			ops.EventEnv{Relation: "db", RelationID: 4, RemoteApp: "pg"}},
		"hooks/db-relation-departed": {
			[]string{"JUJU_RELATION=db", "JUJU_RELATION_ID=db:0", "JUJU_REMOTE_UNIT=pg/0", "JUJU_REMOTE_APP=pg", "JUJU_DEPARTING_UNIT=web/0"},
			ops.EventEnv{Relation: "db", RemoteApp: "pg", RemoteUnit: "pg/0", DepartingUnit: "web/0"}},
		"hooks/data-storage-attached": {
			[]string{"JUJU_STORAGE_ID=data/0", "JUJU_STORAGE_LOCATION=/srv", "JUJU_STORAGE_KIND=filesystem"},
			ops.EventEnv{StorageID: "data/0", StorageLocation: "/srv", StorageKind: "filesystem"}},
		"hooks/secret-expired": {
			[]string{"JUJU_SECRET_ID=secret:abc", "JUJU_SECRET_LABEL=", "JUJU_SECRET_REVISION=7"},
			ops.EventEnv{SecretID: "secret:abc", SecretRevision: 7}},
		"hooks/secret-changed": {
			[]string{"JUJU_SECRET_ID=secret:abc", "JUJU_SECRET_LABEL=mine"},
			ops.EventEnv{SecretID: "secret:abc", SecretLabel: "mine"}},
		"hooks/app-pebble-custom-notice": {
			[]string{"JUJU_WORKLOAD_NAME=app", "JUJU_NOTICE_ID=3", "JUJU_NOTICE_TYPE=custom", "JUJU_NOTICE_KEY=example.com/x"},
			ops.EventEnv{WorkloadName: "app", NoticeID: "3", NoticeType: "custom", NoticeKey: "example.com/x"}},
		"hooks/app-pebble-check-failed": {
			[]string{"JUJU_WORKLOAD_NAME=app", "JUJU_PEBBLE_CHECK_NAME=up"},
			ops.EventEnv{WorkloadName: "app", CheckName: "up"}},
		"actions/backup": {
			[]string{"JUJU_ACTION_NAME=backup", "JUJU_ACTION_UUID=12"},
			ops.EventEnv{ActionName: "backup", ActionID: "12"}},
	} {
		environ := slices.Concat(common, []string{"JUJU_DISPATCH_PATH=" + path}, c.vars)
		env, err := ops.ParseEnv(environ)
		if err != nil || env.Event != c.want || env.DispatchPath != path || env.IsAction() != strings.HasPrefix(path, "actions/") {
			t.Errorf("%s: %+v, %v", path, env, err)
		}
		if env.Unit != "web/0" || env.ModelName != "prod" || env.MachineID != "3" || env.AvailabilityZone != "az1" || env.CharmDir != "/charm" || env.JujuVersion != "3.6.14" {
			t.Errorf("%s: %+v", path, env)
		}
	}
}

// Ops reference, section 2: what is missing is named.
func TestParseEnvMissing(t *testing.T) {
	t.Parallel()
	for path, vars := range map[string][]string{
		"hooks/db-relation-created":   {"JUJU_RELATION", "JUJU_RELATION_ID"},
		"hooks/db-relation-joined":    {"JUJU_RELATION", "JUJU_RELATION_ID", "JUJU_REMOTE_UNIT"},
		"hooks/data-storage-attached": {"JUJU_STORAGE_ID"},
		"hooks/secret-remove":         {"JUJU_SECRET_ID", "JUJU_SECRET_REVISION"},
		"hooks/app-pebble-ready":      {"JUJU_WORKLOAD_NAME"},
		"actions/backup":              {"JUJU_ACTION_NAME", "JUJU_ACTION_UUID"},
		"hooks/start":                 {"JUJU_UNIT_NAME", "JUJU_MODEL_NAME", "JUJU_MODEL_UUID", "JUJU_CHARM_DIR", "JUJU_VERSION", "JUJU_DISPATCH_PATH"},
	} {
		full := slices.Concat(common, []string{"JUJU_DISPATCH_PATH=" + path, "JUJU_RELATION=db", "JUJU_RELATION_ID=db:4", "JUJU_REMOTE_UNIT=pg/0",
			"JUJU_STORAGE_ID=data/0", "JUJU_SECRET_ID=x", "JUJU_SECRET_REVISION=1", "JUJU_WORKLOAD_NAME=app", "JUJU_ACTION_NAME=backup", "JUJU_ACTION_UUID=1"})
		for _, name := range vars {
			environ := slices.DeleteFunc(slices.Clone(full), func(v string) bool { return strings.HasPrefix(v, name+"=") })
			if _, err := ops.ParseEnv(environ); kith.CodeOf(err) != kith.Invalid || !strings.Contains(err.Error(), name) {
				t.Errorf("%s without %s: %v", path, name, err)
			}
		}
	}
	for _, bad := range []string{"JUJU_UNIT_NAME=web", "JUJU_RELATION_ID=db:x"} {
		environ := slices.Concat(common, []string{"JUJU_DISPATCH_PATH=hooks/db-relation-created", "JUJU_RELATION=db", "JUJU_RELATION_ID=db:1", bad})
		if _, err := ops.ParseEnv(environ); kith.CodeOf(err) != kith.Invalid {
			t.Errorf("with %s: %v", bad, err)
		}
	}
}

// Hook protocol reference, section 17.
func TestJujuVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v, min ops.JujuVersion
		want   bool
	}{
		{"3.6.14", "3.6.2", true}, {"3.6.2", "3.6.2", true}, {"3.6.1", "3.6.2", false}, {"4.0.0", "3.6.2", true},
		{"3.6-beta2", "3.6", false}, {"3.6", "3.6-beta2", true}, {"3.6-beta2", "3.6-beta1", true}, {"3.6.9.1", "3.6.9", true},
		{"", "2.0", false}, {"3.10.0", "3.9.0", true},
	} {
		if got := c.v.AtLeast(c.min); got != c.want {
			t.Errorf("%q is at least %q: %v", c.v, c.min, got)
		}
	}
}

// Hook protocol reference, section 16.2: errors are told apart by their texts.
func TestModelErrorKinds(t *testing.T) {
	t.Parallel()
	kinds := []error{ops.ErrRelationNotFound, ops.ErrSecretNotFound, ops.ErrPermission, ops.ErrNotLeader, ops.ErrToolNotFound}
	for _, c := range []struct {
		tool, stderr string
		want         []error
	}{
		{"relation-get", "ERROR invalid value \"db:99\" for option -r: relation not found\n", kinds[:1]},
		{"network-get", "ERROR invalid value \"9\" for option -r: Relation Not Found\n", kinds[:1]},
		{"secret-get", "ERROR secret \"abc\" not found\n", kinds[1:2]},
		{"secret-get", "ERROR consumer label \"x\" not found\n", kinds[1:2]},
		{"secret-grant", "ERROR invalid value \"9\" for option -r: relation not found\n", kinds[:1]},
		{"secret-get", "ERROR permission denied\n", kinds[2:3]},
		{"secret-get", "ERROR \"web/0\" is not allowed to read this secret\n", kinds[2:3]},
		{"relation-set", "ERROR cannot write relation settings\n", kinds[2:4]},
		{"status-set", "ERROR this unit is not the leader\n", kinds[2:4]},
		{"state-get", "ERROR \"k\" not found\n", nil},
		{"secret-add", "ERROR bad request: unknown command: secret-add\n", kinds[4:]},
		{"config-get", "", nil},
	} {
		err := ops.NewModelError(c.tool, 1, c.stderr)
		for _, kind := range kinds {
			if got := errors.Is(err, kind); got != slices.Contains(c.want, kind) {
				t.Errorf("%s: %q is %q: %v", c.tool, c.stderr, kind, got)
			}
		}
		if err.Stderr != c.stderr || strings.Contains(err.Error(), "ERROR") || !strings.HasPrefix(err.Error(), c.tool+": ") {
			t.Errorf("the error reads %q", err)
		}
	}
}

// What is read is the same from the files of a charm that runs and of one that is written.
func TestCharmMeta(t *testing.T) {
	t.Parallel()
	const endpoints = "requires:\n  db: {interface: pgsql, limit: 1}\n  short: http\npeers:\n  cluster: {interface: c}\nprovides:\n  logs: {interface: l, scope: container, optional: true}\n"
	const rest = "storage:\n  data: {type: filesystem, location: /srv}\nresources:\n  image: {type: file, filename: i.tgz}\ncontainers:\n  app: {resource: image}\n"
	running, err := ops.ParseCharmMeta(map[string][]byte{
		"metadata.yaml": []byte("name: web\nsubordinate: true\nsummary: [odd]\n" + endpoints + rest),
		"actions.yaml":  []byte("backup:\n  description: d\n"),
		"config.yaml":   []byte("options:\n  port: {type: int, default: 80}\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	written, err := ops.ParseCharmMeta(map[string][]byte{"charmcraft.yaml": []byte("name: web\nsubordinate: true\ntype: charm\n" + endpoints + rest +
		"actions:\n  backup:\n    description: d\nconfig:\n  options:\n    port: {type: int, default: 80}\n")})
	if err != nil || !reflect.DeepEqual(running, written) {
		t.Errorf("read\n%+v and\n%+v, %v", running, written, err)
	}
	want := []ops.RelationMeta{
		{Name: "cluster", Role: kith.Peer, Interface: "c", Scope: kith.Global},
		{Name: "db", Role: kith.Requirer, Interface: "pgsql", Limit: 1, Scope: kith.Global},
		{Name: "logs", Role: kith.Provider, Interface: "l", Scope: kith.Container, Optional: true},
		{Name: "short", Role: kith.Requirer, Interface: "http", Scope: kith.Global},
	}
	if got := running.Endpoints(); !slices.Equal(got, want) {
		t.Errorf("endpoints %+v", got)
	}
	if r, ok := running.Endpoint("juju-info"); !ok || r.Role != kith.Provider {
		t.Errorf("juju-info: %+v, %v", r, ok)
	}
	if running.Storages["data"].Location != "/srv" || running.Resources["image"].Filename != "i.tgz" || running.Containers["app"].Resource != "image" ||
		running.Actions["backup"].Description != "d" || running.Options["port"].Default != 80 || !running.Subordinate || running.Summary != "" {
		t.Errorf("read %+v", running)
	}
	if running.Storages["data"].Count != (ops.StorageCount{Min: 1, Max: 1}) {
		t.Errorf("how many instances: %+v", running.Storages)
	}
	if _, err := ops.ParseCharmMeta(map[string][]byte{"metadata.yaml": []byte("a: [")}); kith.CodeOf(err) != kith.Invalid {
		t.Errorf("no YAML: %v", err)
	}
}

// Ops reference, section 7, metadata: what a charm says that matters to people more than to itself.
func TestCharmMetaOfPeople(t *testing.T) {
	t.Parallel()
	const both = `
name: web
tags: [db, web]
terms: [t/1]
assumes: ["juju >= 3.6", {any-of: [k8s-api]}]
charm-user: non-root
extra-bindings: {admin: , public: }
payloads: {job: {type: kvm}}
containers: {app: {resource: image, mounts: [{storage: data, location: /srv}]}}
resources: {image: {type: oci-image, description: the image}}
storage:
  data: {type: filesystem, description: d, minimum-size: 10G, properties: [transient], multiple: {range: 0-3}}
  more: {type: block, multiple: {range: 2+}}
  many: {type: block, multiple: {range: 3}}
  open: {type: block, multiple: {range: 1-}}
  none: {type: block, multiple: {range: 0+}}
`
	const action = "title: t\n  description: d\n  required: [to]\n  additionalProperties: false\n  params: {to: {type: string}}\n"
	running, err := ops.ParseCharmMeta(map[string][]byte{
		"metadata.yaml": []byte(both + "maintainers: [A <a@x>]\nmaintainer: B <b@x>\nwebsite: [w1, w2]\nsource: s\nissues: i\ndocs: d\nseries: [noble]\n"),
		"actions.yaml":  []byte("backup:\n  " + action),
	})
	if err != nil {
		t.Fatal(err)
	}
	written, err := ops.ParseCharmMeta(map[string][]byte{"charmcraft.yaml": []byte(both +
		"links:\n  contact: [A <a@x>, B <b@x>]\n  website: [w1, w2]\n  source: s\n  issues: i\n  documentation: d\nseries: [noble]\nactions:\n  backup:\n  " +
		strings.ReplaceAll("  "+action, "\n", "\n  "))})
	if err != nil || !reflect.DeepEqual(running, written) {
		t.Errorf("read\n%+v and\n%+v, %v", running, written, err)
	}
	no := false
	for what, pair := range map[string][2]any{
		"maintainers": {running.Maintainers, []string{"A <a@x>", "B <b@x>"}},
		"links":       {running.Links, ops.CharmLinks{Websites: []string{"w1", "w2"}, Sources: []string{"s"}, Issues: []string{"i"}, Documentation: "d"}},
		"tags":        {running.Tags, []string{"db", "web"}},
		"terms":       {running.Terms, []string{"t/1"}},
		"series":      {running.Series, []string{"noble"}},
		"assumes":     {running.Assumes, []any{"juju >= 3.6", map[string]any{"any-of": []any{"k8s-api"}}}},
		"user":        {running.CharmUser, "non-root"},
		"bindings":    {running.ExtraBindings, map[kith.EndpointName]struct{}{"admin": {}, "public": {}}},
		"payloads":    {running.Payloads, map[string]ops.PayloadMeta{"job": {Type: "kvm"}}},
		"containers":  {running.Containers["app"], ops.ContainerMeta{Resource: "image", Mounts: []ops.ContainerMount{{Storage: "data", Location: "/srv"}}}},
		"resources":   {running.Resources["image"], ops.ResourceMeta{Type: "oci-image", Description: "the image"}},
		"storage": {running.Storages["data"], ops.StorageMeta{
			Type: "filesystem", Description: "d", MinimumSize: "10G", Properties: []string{"transient"}, Count: ops.StorageCount{Max: 3}}},
		"2+": {running.Storages["more"].Count, ops.StorageCount{Min: 2}},
		"3":  {running.Storages["many"].Count, ops.StorageCount{Min: 3, Max: 3}},
		"1-": {running.Storages["open"].Count, ops.StorageCount{Min: 1}},
		"0+": {running.Storages["none"].Count, ops.StorageCount{}},
		"actions": {running.Actions["backup"], ops.ActionMeta{
			Title: "t", Description: "d", Required: []string{"to"}, AdditionalProperties: &no, Params: map[string]any{"to": map[string]any{"type": "string"}}}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %#v, want %#v", what, pair[0], pair[1])
		}
	}
}
