package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// result is what one run of the program came to.
type result struct {
	status   int
	out, err string
}

// run runs a command line with an environment of its own.
func run(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	getenv := func(name string) string { return env[name] }
	status := Run(context.Background(), args, Streams{In: strings.NewReader(""), Out: &out, Err: &err, Getenv: getenv})
	return result{status, out.String(), err.String()}
}

// CLI reference, sections 1.1, 1.3, 1.5, 1.6, 2.4 and 17.2: exit statuses, the
// first line of stderr, and stdout, of everything that is refused before a
// controller is asked.
func TestRefusals(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for _, test := range []struct {
		line   string
		status int
		err    string
	}{
		// Section 1.5.
		{"kith --model m status", 2, `option provided but not defined: --model`},
		{"kith status --nosuch", 2, `option provided but not defined: --nosuch`},
		{"kith status -Z", 2, `option provided but not defined: -Z`},
		{"kith status --model", 2, `option needs an argument: --model`},
		{"kith status -m", 2, `option needs an argument: -m`},
		{"kith add-unit web -n x", 2, `invalid value "x" for option --num-units: strconv.ParseInt: parsing "x": invalid syntax`},
		{"kith status --format x", 2, `invalid value "x" for option --format: unknown format "x"`},
		{"kith status -q -v", 2, `"verbose" and "quiet" flags clash, please use one or the other, not both`},
		{"kith add-unit web a b", 2, `unrecognized args: ["a" "b"]`},
		// Section 1.6.
		{"kith nosuch", 1, `unrecognized command: kith nosuch`},
		{"juju nosuch", 1, `unrecognized command: juju nosuch`},
		{"juju intgrate", 1, "juju: \"intgrate\" is not a juju command. See \"juju --help\".\n\nDid you mean:\n\tintegrate"},
		{"kith bootstrap", 1, `command "bootstrap" is not supported`},
		// Section 2.4: model commands 2, controller commands 1.
		{"kith status", 2, "No controllers registered."},
		{"juju status", 2, "No controllers registered.\n\nPlease either create a new controller using \"juju bootstrap\" or connect to\n" +
			"another controller that you have been given access to using \"juju register\"."},
		{"kith models", 1, "No controllers registered."},
		{"kith controllers", 1, "No controllers registered."},
		{"kith status -m nosuchctl:m --format json", 2, "controller nosuchctl not found"},
		// Section 7.1.
		{"kith deploy", 2, "no charm or bundle specified"},
		{"kith deploy a b c", 2, `unrecognized args: ["c"]`},
		{"kith deploy ./a X", 2, `invalid application name "X", unexpected uppercase character`},
		{"kith deploy ./a x-1", 2, `invalid application name "x-1", unexpected number(s) found after last hyphen`},
		{"kith deploy ./a --to lxd:x", 2, `invalid --to parameter "lxd:x"`},
		{"kith deploy ./a --to 0,lxd:1,0/lxd/0,zone=a,", 2, `invalid --to parameter ""`},
		{"kith deploy ./a x_y", 2, `invalid application name "x_y", unexpected character _`},
		// Section 7.2.
		{"kith integrate a", 2, "an integration must involve two applications"},
		{"kith integrate a: b", 2, `endpoint "a:" not valid`},
		{"kith integrate :a b", 2, `endpoint ":a" not valid`},
		{"kith integrate a:b:c b", 2, `endpoint "a:b:c" not valid`},
		{"kith integrate A b", 2, `application name "A" not valid`},
		{"kith integrate m.a m.b", 2, "providing more than one remote endpoints not supported"},
		{"kith integrate a b --via 0.0.0.0/0", 2, `CIDR "0.0.0.0/0" not allowed`},
		{"kith integrate a b --via x", 2, "invalid CIDR address: x"},
		// Section 7.3.
		{"kith remove-relation", 2, "a relation must involve two applications"},
		{"kith remove-relation a", 2, `relation ID "a" not valid`},
		{"kith remove-relation -- -1", 2, `relation ID "-1" not valid`},
		// Sections 7.4 and 7.5.
		{"kith remove-application", 2, "no application specified"},
		{"kith remove-application X", 2, `invalid application name "X"`},
		{"kith remove-application a --no-wait", 2, "--no-wait without --force not valid"},
		{"kith add-unit", 2, "no application specified"},
		{"kith add-unit web -n 0", 2, "--num-units must be a positive integer"},
		{"kith add-unit web --to #:1", 2, `invalid --to parameter "#:1"`},
		{"kith remove-unit", 2, "no units specified"},
		{"kith remove-unit web", 2, `invalid unit name "web"`},
		{"kith remove-unit web/0 --num-units 2", 2, "--num-units for non k8s models not valid"},
		// Sections 7.6 and 7.7.
		{"kith show-unit", 2, "an unit name must be supplied"},
		{"kith show-unit x", 2, "unit name x not valid"},
		{"kith show-unit x y", 2, "unit names x, y not valid"},
		{"kith resolved", 2, "no unit specified"},
		{"kith resolved x", 2, `unit name "x" not valid`},
		{"kith resolved x/0 --all", 2, "specifying unit names(s) with --all not supported"},
		// Section 7.8.
		{"kith refresh", 2, "no application specified"},
		{"kith refresh X", 2, `invalid application name "X"`},
		{"kith refresh a --switch ./a --path ./a", 2, "--switch and --path are mutually exclusive"},
		{"kith refresh a --path ./a --revision 3", 2, "--path and --revision are mutually exclusive"},
		{"kith refresh a --switch ./a --revision 3", 2, "--switch and --revision are mutually exclusive"},
		{"kith refresh a --trust=x", 2, `invalid value "x" for option --trust: strconv.ParseBool: parsing "x": invalid syntax`},
		// Section 8.1.
		{"kith config", 2, "no application name specified"},
		{"kith config web a b", 2, "cannot specify multiple keys to get"},
		{"kith config web a b=1", 2, "cannot get value and set key=value pairs simultaneously"},
		{"kith config web a=1 --reset a", 2, `cannot set and reset key "a" simultaneously`},
		{"kith config web --reset x=y", 2, `--reset accepts a comma delimited set of keys "a,b,c", received: "x=y"`},
		// Section 9.1.
		{"kith run", 2, "no unit specified"},
		{"kith run backup", 2, "no unit specified"},
		{"kith run w/0", 2, "no action specified"},
		{"kith run w/0 w/leader", 2, "no action specified"},
		{"kith run w/0 Bad", 2, `invalid unit or action name "Bad"`},
		{"kith run w/01 x", 2, `invalid unit or action name "w/01"`},
		{"kith run w/0 db/0 backup", 2, "all units must be of the same application"},
		{"kith run w/0 backup x", 2, `argument "x" must be of the form key.key.key...=value`},
		{"kith run w/0 backup =x", 2, `argument "=x" must be of the form key.key.key...=value`},
		{"kith run w/0 backup a..b=x", 2, `argument "a..b=x" must be of the form key.key.key...=value`},
		{"kith run w/0 backup --wait 1s --background", 2, "cannot specify both --wait and --background"},
		{"kith run w/0 backup --wait x", 2, `invalid value "x" for option --wait: time: invalid duration "x"`},
		{"kith run w/0 backup --format tabular", 2, `invalid value "tabular" for option --format: unknown format "tabular"`},
		// Section 9.2.
		{"kith exec --unit w/0", 2, "no commands specified"},
		{"kith exec true", 2, "You must specify a target, either through --all, --machine, --application or --unit"},
		{"kith exec --all --machine 0 true", 2, "You cannot specify --all and individual machines"},
		{"kith exec --all --app w true", 2, "You cannot specify --all and individual applications"},
		{"kith exec --all -u w/0 true", 2, "You cannot specify --all and individual units"},
		{"kith exec --unit w,w/leader,x/0 --machine a,0 -a B true", 2,
			"The following exec targets are not valid:\n  \"a\" is not a valid machine id\n  \"B\" is not a valid application name\n  \"w\" is not a valid unit name"},
		{"kith exec --unit w/0 --wait 1s --background true", 2, "cannot specify both --wait and --background"},
		{"kith exec --unit w/0 --relation x true", 2, `invalid value "x" for option --relation: invalid relation id`},
		// Section 9.4.
		{"kith show-operation", 2, "no operation ID specified"},
		{"kith show-operation x", 2, `operation ID "x" not valid`},
		{"kith show-task", 2, "no task ID specified"},
		{"kith show-task -- -1", 2, `task ID "-1" not valid`},
		{"kith cancel-task", 2, "no task IDs specified"},
		{"kith cancel-task 1 x", 2, `task ID "x" not valid`},
		{"kith actions", 2, "no application name specified"},
		{"kith actions a b", 2, `unrecognized args: ["b"]`},
		{"kith show-action", 2, "no application name specified"},
		{"kith show-action a", 2, "no action name specified"},
		// Section 10.
		{"kith debug-log --level x", 2, `level value "x" is not one of "TRACE", "DEBUG", "INFO", "WARNING", "ERROR"`},
		{"kith debug-log --limit -1", 2, `invalid value "-1" for option --limit: strconv.ParseUint: parsing "-1": invalid syntax`},
		{"kith debug-log -n -1", 2, `invalid value "-1" for option --lines: strconv.ParseUint: parsing "-1": invalid syntax`},
		{"kith debug-log --tail --no-tail", 2, "setting --tail and --no-tail not valid"},
		{"kith debug-log --no-tail -n 5", 2, "setting --no-tail and --lines not valid"},
		{"kith debug-log --tail --limit 5", 2, "setting --tail and --limit not valid"},
		{"kith debug-log --limit 1 --lines 5", 2, "setting --limit and --lines not valid"},
		{"kith debug-log --retry-delay=-1s", 2, "negative retry delay not valid"},
		{"kith show-status-log", 2, "entity name is missing."},
		{"kith show-status-log a b", 2, "unexpected arguments after entity name."},
		{"kith show-status-log a/0 --type x", 2, `unexpected status type "x"`},
		{"kith show-status-log a/0 -n 1 --days 1", 2, "backlog size, backlog date and backlog days back cannot be specified together"},
		// Section 11.4.
		{"kith suspend-relation", 2, "no relation ids specified"},
		{"kith resume-relation x", 2, `relation ID "x" not valid`},
		// Section 12.
		{"kith add-model", 2, "kith: no model name was passed. See \"kith add-model --help\".\n\nDid you mean:\n\tkith add-model <model name>"},
		{"kith add-model X", 2, `"X" is not a valid name: model names may only contain lowercase letters, digits and hyphens`},
		{"kith destroy-model", 2, "no model specified"},
		{"kith destroy-model m --timeout 5s", 2, "--timeout can only be used with --force (dangerous)"},
		{"kith destroy-model m --destroy-storage --release-storage", 2, "--destroy-storage and --release-storage cannot both be specified"},
		// Section 14.
		{"kith add-secret", 2, "secret name needs to be supplied as the first argument"},
		{"kith add-secret name", 2, "missing secret value or filename"},
		{"kith add-secret name ab=1", 2, `key "ab" not valid`},
		{"kith add-secret name password", 2, `key value "password" not valid`},
		{"kith add-secret name --file /none.yaml", 2, "open /none.yaml: no such file or directory"},
		{"kith add-secret name password#file=/none", 2, `reading content for secret key "password": open /none: no such file or directory`},
		{"kith update-secret", 2, "missing secret URI"},
		{"kith update-secret name Password=x", 2, `key "Password" not valid`},
		{"kith remove-secret", 2, "missing secret URI"},
		{"kith remove-secret a b", 2, `unrecognized args: ["b"]`},
		{"kith show-secret", 2, "secret ID is required"},
		{"kith show-secret a --revisions --reveal", 2, "specify either --revisions or --reveal but not both"},
		{"kith show-secret a --revisions --revision 1", 2, "specify either --revisions or --revision but not both"},
		{"kith show-secret a --revision 0", 2, "revision must be a positive integer"},
		{"kith grant-secret name", 2, "missing secret URI or application name"},
		{"kith revoke-secret", 2, "missing secret URI or application name"},
		{"kith secrets extra", 2, `unrecognized args: ["extra"]`},
		// Sections 7.1, 8.3 to 8.5 and 15.
		{"kith deploy ./x --resource foo", 2, `invalid value "foo" for option --resource: badly formatted name value pair: foo`},
		{"kith deploy ./x --resource a=1 --resource a=2", 2, `invalid value "a=2" for option --resource: duplicate name specified: "a"`},
		{"kith deploy ./x --storage data", 2, `invalid value "data" for option --storage: expected <store>=<directive>`},
		{"kith deploy ./x --storage data=", 2, `invalid value "data=" for option --storage: cannot parse disk storage directive: storage directives require at least one field to be specified`},
		{"kith deploy ./x --storage data=1 --storage data=2", 2, `invalid value "data=2" for option --storage: storage "data" specified more than once`},
		{"kith deploy ./x --attach-storage data", 2, `storage ID "data" not valid`},
		{"kith deploy ./x -n 2 --attach-storage data/0", 2, "--attach-storage cannot be used with -n"},
		{"kith add-unit a -n 2 --attach-storage data/0", 2, "--attach-storage cannot be used with -n"},
		{"kith trust", 2, "no application name specified"},
		{"kith bind", 2, "no application specified"},
		{"kith bind X alpha", 2, `invalid application name "X"`},
		{"kith expose", 2, "no application name specified"},
		{"kith unexpose", 2, "no application name specified"},
		{"kith attach-resource", 2, "missing application name"},
		{"kith attach-resource a", 2, "no resource specified"},
		{"kith attach-resource a b", 2, `expected name=path format for resource, got "b"`},
		{"kith attach-resource X b=c", 2, `invalid application name "X"`},
		{"kith resources", 2, "missing application or unit name"},
		{"kith resources a/x", 2, `invalid unit name "a/x"`},
		{"kith storage data", 2, `unrecognized args: ["data"]`},
		{"kith storage --volume --filesystem", 2, "--filesystem and --volume can not be used together"},
		{"kith show-storage", 2, "must specify storage id(s)"},
		{"kith show-storage data", 2, `storage ID "data" not valid`},
		{"kith add-storage web/0", 2, "storage add requires a unit and a storage directive"},
		{"kith add-storage web data", 2, `invalid unit name "web"`},
		{"kith add-storage web/0 data=1=2", 2, `expected "name=directive" or "name", got "data=1=2"`},
		{"kith add-storage web/0 data data", 2, `storage "data" specified more than once`},
		{"kith add-storage web/0 data=0", 2, `cannot parse directive for storage "data": cannot parse count: count must be greater than zero, got "0"`},
		{"kith attach-storage web/0", 2, "attach-storage requires a unit ID and at least one storage ID"},
		{"kith attach-storage web/0 data", 2, `storage ID "data" not valid`},
		{"kith detach-storage", 2, "detach-storage requires a storage ID"},
		{"kith remove-storage", 2, "remove-storage requires at least one storage ID"},
		{"kith completion tcsh", 2, `unknown shell "tcsh", expected bash, fish or zsh`},
	} {
		got := run(t, map[string]string{"KITH_HOME": home}, strings.Fields(test.line)...)
		if got.status != test.status || !strings.HasPrefix(got.err, "ERROR "+test.err+"\n") || got.out != "" {
			t.Errorf("%s\n got status %d, stdout %q, stderr %q\nwant status %d, stderr %q", test.line, got.status, got.out, got.err, test.status, "ERROR "+test.err+"\n")
		}
	}
	if entries, err := os.ReadDir(home); err != nil || len(entries) > 0 {
		t.Errorf("refused commands left %v (%v) in the home", entries, err)
	}
}

// Issue: with no controller running, every command says how to start one.
func TestEveryCommandSaysHowToStart(t *testing.T) {
	t.Parallel()
	arguments := map[string]string{
		"switch": "m", "destroy-model": "m", "deploy": "./x", "refresh": "a", "add-unit": "a", "remove-unit": "a/0", "remove-application": "a",
		"config": "a", "trust": "a", "resolved": "a/0", "integrate": "a b", "remove-relation": "a b", "suspend-relation": "1", "resume-relation": "1",
		"show-unit": "a/0", "show-application": "a", "show-status-log": "a/0", "add-model": "m",
		"run": "a/0 b", "exec": "--unit a/0 b", "actions": "a", "show-action": "a b", "show-operation": "1", "show-task": "2", "cancel-task": "2",
		"add-secret": "abc key=x", "update-secret": "abc", "grant-secret": "abc a", "revoke-secret": "abc a", "remove-secret": "abc", "show-secret": "abc",
		"expose": "a", "unexpose": "a", "bind": "a alpha", "attach-resource": "a b=c", "resources": "a",
		"show-storage": "d/0", "add-storage": "a/0 d", "attach-storage": "a/0 d/0", "detach-storage": "d/0", "remove-storage": "d/0",
		"contract infer": "x", "contract add": "x", "contract remove": "x",
	}
	for _, c := range commands() {
		if c.scope <= homeScope || c.modelOptional {
			continue
		}
		args := slices.Concat([]string{"kith"}, strings.Fields(c.name), strings.Fields(arguments[c.name]))
		got := run(t, map[string]string{"KITH_HOME": t.TempDir()}, args...)
		if got.status == 0 || !strings.Contains(got.err, "\nhint: ") || !strings.Contains(got.err, "'kith up'") {
			t.Errorf("%v: status %d, stderr %q", args, got.status, got.err)
		}
	}
}

// Section 1.6: help goes to stdout with status 0, under either name.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"kith", "kith help", "kith --help", "kith -h"} {
		if got := run(t, nil, strings.Fields(line)...); got.status != 0 || got.err != "" || !strings.HasPrefix(got.out, "Usage: kith COMMAND") {
			t.Errorf("%s: %+v", line, got)
		}
	}
	for _, line := range []string{"juju help integrate", "juju integrate --help", "juju relate -h", "juju --help integrate"} {
		if got := run(t, nil, strings.Fields(line)...); got.status != 0 || got.err != "" || !strings.HasPrefix(got.out, "Usage: juju integrate [options] ") {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

// Section 5.10: the version, under either name.
func TestVersion(t *testing.T) {
	t.Parallel()
	env := map[string]string{"HOME": t.TempDir()}
	juju := run(t, env, "juju", "version")
	if juju.status != 0 || !strings.HasPrefix(juju.out, jujuVersion+"-genericlinux-") {
		t.Errorf("juju version: %+v", juju)
	}
	for _, line := range []string{"juju version --format json", "juju --version"} {
		got := run(t, env, strings.Fields(line)...)
		if strings.Trim(got.out, "\"\n") != strings.TrimSpace(juju.out) {
			t.Errorf("%s prints %q, juju version %q", line, got.out, juju.out)
		}
	}
	all := run(t, env, "juju", "version", "--format", "json", "--all")
	if !strings.HasPrefix(all.out, `{"version":"`+strings.TrimSpace(juju.out)+`",`) {
		t.Errorf("juju version --format json --all: %+v", all)
	}
	if got := run(t, env, "kith", "version"); got.out != "kith "+Version+" (Juju "+jujuVersion+")\n" {
		t.Errorf("kith version: %+v", got)
	}
}

// Section 2.1: where the home is; two homes never meet.
func TestFindHome(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		program string
		env     map[string]string
		want    string
	}{
		{"kith", map[string]string{"KITH_HOME": "/k", "JUJU_DATA": "/j", "XDG_DATA_HOME": "/x", "HOME": "/h"}, "/k"},
		{"kith", map[string]string{"JUJU_DATA": "/j", "XDG_DATA_HOME": "/x", "HOME": "/h"}, "/x/kith"},
		{"juju", map[string]string{"JUJU_DATA": "/j", "XDG_DATA_HOME": "/x", "HOME": "/h"}, "/j"},
		{"kith", map[string]string{"HOME": "/h"}, "/h/.local/share/kith"},
	} {
		h, err := findHome(test.program, func(name string) string { return test.env[name] })
		if err != nil || h.dir != test.want {
			t.Errorf("%s with %v: %q, %v; want %q", test.program, test.env, h.dir, err, test.want)
		}
	}
	if _, err := findHome("kith", func(string) string { return "" }); err == nil {
		t.Error("a home was found without any variable")
	}
}

// Section 4.2, notes: several processes update the state at the same time.
func TestStateUpdatesDoNotGetLost(t *testing.T) {
	t.Parallel()
	h := home{filepath.Join(t.TempDir(), "home")}
	const writers, each = 8, 20
	done := make(chan error, writers)
	for range writers {
		go func() {
			var err error
			for range each {
				if err == nil {
					err = h.update(func(s *state) { s.CurrentModel += "x" })
				}
			}
			done <- err
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s, err := h.load()
	if err != nil || len(s.CurrentModel) != writers*each {
		t.Errorf("%d of %d updates are there (%v)", len(s.CurrentModel), writers*each, err)
	}
	if entries, err := os.ReadDir(h.dir); err != nil || len(entries) != 2 {
		t.Errorf("the home holds %v (%v), want the state and its lock", entries, err)
	}
}

// Section 2.3: the forms of a model's name.
func TestReference(t *testing.T) {
	t.Parallel()
	const uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
	for _, test := range []struct {
		text       string
		controller string
		matches    bool
	}{
		{"m", "", true},
		{"admin/m", "", true},
		{"bob/m", "", false},
		{"kith:m", "kith", true},
		{"kith:admin/m", "kith", true},
		{":m", "", true},
		{"other", "", false},
		{uuid, "", true},
		{"0f8fad", "", true},
		{"0f8fa", "", false}, // too short for a prefix
	} {
		ref := parseReference(test.text)
		if got := ref.names("admin", "m", uuid, userName); got != test.matches || ref.controller != test.controller {
			t.Errorf("%q: matches %v on controller %q, want %v on %q", test.text, got, ref.controller, test.matches, test.controller)
		}
	}
}

// Section 2.2: JUJU_MODEL and JUJU_CONTROLLER.
func TestEnvironmentConflict(t *testing.T) {
	t.Parallel()
	env := map[string]string{"KITH_HOME": t.TempDir(), "JUJU_MODEL": "x:m", "JUJU_CONTROLLER": "y"}
	got := run(t, env, "kith", "status")
	want := "ERROR controller name from JUJU_MODEL (x) conflicts with value in JUJU_CONTROLLER (y)\n"
	if got.status != 2 || got.err != want {
		t.Errorf("%+v", got)
	}
}
