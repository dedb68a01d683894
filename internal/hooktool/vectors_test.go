package hooktool_test

import (
	"testing"

	"kith/internal/hooktool"
)

// The conformance vectors of the hook protocol reference, section 18, row by row. Left
// out is 62, which is kith-hook's.
func TestConformanceVectors(t *testing.T) {
	t.Parallel()
	const follower = " follower" // "not leader"
	for _, v := range []struct {
		row    int
		where  string
		call   string
		stdout string
		exit   uint8
		stderr string
	}{
		{1, "rel", "relation-get --format=json nope", "null\n", 0, ""},
		{2, "rel", "relation-get nope", "", 0, ""},
		{3, "other", "relation-get -", "", 2, "ERROR no relation id specified\n"},
		{4, "other", "relation-get -r db:4 -", "", 2, "ERROR no unit or application specified\n"},
		{5, "other", "relation-get -r 4 - pg/0 --format=json", `{"egress-subnets":"10.0.0.5/32","ingress-address":"10.0.0.5","private-address":"10.0.0.5","ready":"yes"}` + "\n", 0, ""},
		{6, "other", "relation-get -r wrong:4 private-address pg/0", "10.0.0.5\n", 0, ""},
		{7, "other", "relation-get -r db:99 - pg/0", "", 2, "ERROR invalid value \"db:99\" for option -r: relation not found\n"},
		{8, "other", "relation-get -r db - pg/0", "", 2, "ERROR invalid value \"db\" for option -r: invalid relation id\n"},
		{9, "rel", "relation-get - pg", "", 2, "ERROR expected unit name, got application name \"pg\"\n"},
		{10, "rel", "relation-get --app - pg/1 --format=json", "{}\n", 0, ""},
		{11, "rel", "relation-get --app - --format=json", "{}\n", 0, ""},
		{12, "rel", "relation-set a=1; relation-get a web/0", "1\n", 0, ""},
		{13, "rel", "relation-set a=1 a=2", "", 2, "ERROR key \"a\" specified more than once\n"},
		{14, "rel", "relation-set a", "", 2, "ERROR expected \"key=value\", got \"a\"\n"},
		{15, "rel" + follower, "relation-set --app a=1", "", 1, "ERROR cannot write relation settings\n"},
		{16, "other", "relation-set a=1", "", 2, "ERROR no relation id specified\n"},
		{17, "rel", "relation-ids --format=json", "[\"db:4\"]\n", 0, ""},
		{18, "other", "relation-ids", "", 2, "ERROR no endpoint name specified\n"},
		{19, "other", "relation-ids nosuch --format=json", "[]\n", 0, ""},
		{20, "rel", "relation-list", "pg/0\npg/1\n", 0, ""},
		{21, "rel", "relation-list --app --format=json", "\"pg\"\n", 0, ""},
		{22, "other", "relation-list -r cluster:1 --format=json", "[\"web/1\"]\n", 0, ""},
		{23, "other", "relation-list -r cluster:1 --app", "web\n", 0, ""},
		{24, "other", "is-leader", "True\n", 0, ""},
		{25, "other", "is-leader --format=json", "true\n", 0, ""},
		{26, "other", "config-get port", "8080\n", 0, ""},
		{27, "other", "config-get name --format=json", "null\n", 0, ""},
		{28, "other", "config-get --format=json", "{\"port\":8080}\n", 0, ""},
		{29, "other", "config-get --all --format=json", "{\"name\":null,\"port\":8080}\n", 0, ""},
		{30, "other", "config-get --all port", "", 2, "ERROR cannot use argument --all together with key \"port\"\n"},
		{31, "other", "status-set ready", "", 2, "ERROR invalid status \"ready\", expected one of [maintenance blocked waiting active]\n"},
		{32, "other", "status-set", "", 2, "ERROR invalid args, require <status> [message]\n"},
		{33, "other", "status-set --application=True active -- -x", "", 0, ""},
		{34, "other" + follower, "status-set --application active", "", 1, "ERROR this unit is not the leader\n"},
		{35, "other", "status-get --format=json", "{\"status\":\"active\"}\n", 0, ""},
		{36, "other", "juju-log", "", 2, "ERROR no message specified\n"},
		{37, "other", "juju-log -l LOUD hi", "", 0, ""},
		{38, "other", "open-port 80; opened-ports", "80/tcp\n", 0, ""},
		{39, "other", "open-port 80/foo", "", 2, "ERROR invalid protocol \"foo\", expected \"tcp\", \"udp\", or \"icmp\"\n"},
		{40, "other", "open-port ICMP; opened-ports --endpoints", "icmp (*)\n", 0, ""},
		{41, "other", "unit-get hostname", "", 2, "ERROR unknown setting \"hostname\"\n"},
		{42, "other", "network-get", "", 2, "ERROR no arguments specified\n"},
		{43, "other", "network-get nosuch", "", 1, "ERROR no network config found for binding \"nosuch\"\n"},
		{44, "other", "state-set a=; state-get --strict a", "", 0, ""},
		{45, "other", "state-get nope --format=json", "\"\"\n", 0, ""},
		{46, "other", "state-get nope --strict", "", 1, "ERROR \"nope\" not found\n"},
		{47, "other", "state-delete nope", "", 0, ""},
		{48, "other", "action-get", "", 1, "ERROR not running an action\n"},
		{49, "action", "action-set Foo=1", "", 2, "ERROR key \"Foo\" must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens\n"},
		{50, "action", "action-set stdout=1", "", 2, "ERROR cannot set reserved action key \"stdout\"\n"},
		{51, "action", "juju-reboot", "", 1, "ERROR juju-reboot is not supported when running an action.\n"},
		{52, "other", "secret-add ab=1", "", 2, "ERROR key \"ab\" not valid\n"},
		{53, "other", "secret-add", "", 2, "ERROR missing secret value or filename\n"},
		{54, "other", "secret-get", "", 2, "ERROR require either a secret URI or label\n"},
		{55, "other", "secret-get --label x --peek --refresh", "", 2, "ERROR specify one of --peek or --refresh but not both\n"},
		{56, "other", "storage-get", "", 2, "ERROR no storage instance specified\n"},
		{57, "other", "storage-list nosuch --format=json", "[]\n", 0, ""},
		{58, "other", "resource-get", "", 2, "ERROR missing required resource name\n"},
		{59, "other", "relation-list -r 4 --format=xml", "", 2, "ERROR invalid value \"xml\" for option --format: unknown format \"xml\"\n"},
		{60, "other", "config-get --bogus", "", 2, "ERROR option provided but not defined: --bogus\n"},
		{61, "other", "config-get a b", "", 2, "ERROR unrecognized args: [\"b\"]\n"},
	} {
		h := newHost()
		where := v.where
		if n := len(where) - len(follower); n > 0 && where[n:] == follower {
			where, h.leader = where[:n], false
		}
		ctx := context()
		ctx.Task = taskOf(where).sees
		got := shell(hooktool.NewRun(ctx, hookOf(where), h), v.call)
		if string(got.Stdout) != v.stdout || got.Code != v.exit || string(got.Stderr) != v.stderr || got.NeedStdin {
			t.Errorf("row %d, in %s: %s\n got %d, %q, %q\nwant %d, %q, %q", v.row, v.where, v.call,
				got.Code, got.Stdout, got.Stderr, v.exit, v.stdout, v.stderr)
		}
	}
}
