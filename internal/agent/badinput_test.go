package agent_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

// Whatever a charm gives to a hook tool, the tool says what Juju's says, and the engine lives on. These
// go all the way: the real tools, agent, server and controller.

const badMeta = "name: web\nsummary: s\ndescription: d\npeers:\n  ring: {interface: ring}\nresources:\n  seed: {type: file, filename: seed}\nstorage:\n  data: {type: filesystem, minimum-size: 1M, multiple: {range: 0-1}}\n"

// try runs a tool and notes its exit status with the first line of what it says.
const try = `#!/bin/sh
try() {
	out=$("$@" 2>&1)
	echo "$? $(echo "$out" | head -n 1)" >>../tried
}
`

// tried is what try has noted.
func (w *whole) tried(unit string) []string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, "agent", w.model, unit, "tried"))
	check(w.t, err)
	return strings.Split(strings.TrimRight(string(text), "\n"), "\n")
}

func wantTried(t *testing.T, got []string, want ...string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("no call %d, want %q", i, want[i])
		case i >= len(want):
			t.Errorf("call %d: %q, want none", i, got[i])
		case got[i] != want[i]:
			t.Errorf("call %d:\n got %q\nwant %q", i, got[i], want[i])
		}
	}
}

// Hook protocol reference, sections 6.2, 6.3 and 6.7, and the tables of 7 to 13: what is wrong with words.
func TestBadWords(t *testing.T) {
	t.Parallel()
	w := newWhole(t)
	w.deploy("web", files(t, map[string]string{"metadata.yaml": badMeta, "hooks/config-changed": try + `
try config-get --bogus
try config-get -z
try relation-get -r
try relation-get -r ring:99 - web/0
try relation-get -r ring - web/0
try relation-get -r ring:0 - nobody/7
try relation-get -r ring:0 - 'no unit'
try relation-set -r 0 x
try relation-set -r 0 --file /nowhere
try status-set on-fire
try secret-get x
try secret-get secret:00000000000000000000
try secret-get 00000000000000000000
try secret-set secret:x password=y
try secret-add a=b
try secret-grant 00000000000000000000 -r 0
try secret-remove 00000000000000000000
try storage-get -s data
try storage-get -s data/9
try storage-add data=?
try resource-get seed
try resource-get ../../../etc/passwd
try open-port 99999
try network-get nothing
try action-set a=b
try action-get
try payload-register a b c
try application-version-set
try juju-log
try goal-state --format=xml
true
`}), 1)
	w.settle()
	wantTried(t, w.tried("unit-web-0"),
		`2 ERROR option provided but not defined: --bogus`,
		`2 ERROR option provided but not defined: -z`,
		`2 ERROR option needs an argument: -r`,
		`2 ERROR invalid value "ring:99" for option -r: relation not found`,
		`2 ERROR invalid value "ring" for option -r: invalid relation id`,
		`1 ERROR permission denied`,
		`2 ERROR invalid unit name "no unit"`,
		`2 ERROR expected "key=value", got "x"`,
		`1 ERROR open /nowhere: no such file or directory`,
		`2 ERROR invalid status "on-fire", expected one of [maintenance blocked waiting active]`,
		`2 ERROR secret URI "x" not valid`,
		`1 ERROR secret "00000000000000000000" not found`,
		`1 ERROR secret "00000000000000000000" not found`,
		`2 ERROR secret URI "secret:x" not valid`,
		`2 ERROR key "a" not valid`,
		`1 ERROR secret "00000000000000000000" not found`,
		`1 ERROR secret "00000000000000000000" not found`,
		`2 ERROR invalid value "data" for option -s: invalid storage ID "data"`,
		`2 ERROR invalid value "data/9" for option -s: storage not found`,
		`2 ERROR cannot parse directive for storage "data": unrecognized storage directive "?" not valid`,
		`1 ERROR could not download resource: resource "web/seed" not found`,
		`1 ERROR could not download resource: resource "web/../../../etc/passwd" not found`,
		`2 ERROR port range bounds must be between 0 and 65535, got 99999-99999`,
		`1 ERROR no network config found for binding "nothing"`,
		`1 ERROR not running an action`,
		`1 ERROR not running an action`,
		`1 ERROR payload "b" not found in metadata.yaml`,
		`2 ERROR no version specified`,
		`2 ERROR no message specified`,
		`2 ERROR invalid value "xml" for option --format: unknown format "xml"`,
	)
}

// Bytes that are no text become U+FFFD, as in Juju's JSON, except in secrets, which may hold any bytes;
// whatever is too large is refused by the tool or by the commit, and the next hook runs.
func TestBadBytes(t *testing.T) {
	t.Parallel()
	w := newWhole(t)
	w.deploy("web", files(t, map[string]string{"metadata.yaml": badMeta, "config.yaml": "options:\n  x: {type: string}\n", "hooks/start": try + `
bad=$(printf 'a\377z')
try relation-set -r 0 "k$bad=v$bad"
try state-set "k$bad=v$bad"
try status-set active "$bad"
try application-version-set "$bad"
try juju-log "$bad"
try secret-add "password=$bad"
try relation-get "$bad"
try open-port "$bad"
try storage-get -s "$bad"
echo "$bad"
printf 'x%.0s' $(seq 1 100000) >../big
for i in 1 2 3 4 5 6 7 8 9 10 11; do cat ../big; done >../huge
{ printf '{"big": "'; cat ../huge; printf '"}'; } >../huge.json
{ printf '{"big": "'; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do cat ../huge; done; printf '"}'; } >../vast.json
try relation-set -r 0 --file ../vast.json
try relation-set -r 0 --file ../huge.json
try state-set --file ../huge.json
try state-set "$(head -c 257 ../big)=x"
try secret-add "password#file=$PWD/../huge"
try status-set active "$(cat ../big)"
try juju-log "$(cat ../big)"
try juju-log "$(cat ../huge)"
true
`, "hooks/config-changed": "#!/bin/sh\nset -e\ntest -z \"$(config-get x)\" || relation-set -r 0 lives=on\n"}), 1)
	w.settle()
	got := w.tried("unit-web-0")
	if i := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "0 secret:") }); i >= 0 {
		got[i] = "0 secret:"
	}
	got[len(got)-1] = strings.SplitN(got[len(got)-1], " ", 2)[0] // the shell's own refusal
	wantTried(t, got, "0 ", "0 ", "0 ", "0 ", "0 ", "0 secret:",
		"2 ERROR no relation id specified",
		"2 ERROR invalid port \"a\ufffdz\": strconv.Atoi: parsing \"a\ufffdz\": invalid syntax",
		`2 ERROR invalid value "a\xffz" for option -s: invalid storage ID "a\xffz"`,
		"1 ERROR max allowed total size (16777216): quota limit exceeded",
		"0 ",
		"1 ERROR max allowed value length (65536) exceeded",
		"1 ERROR max allowed key length (256) exceeded",
		"2 ERROR secret content too large: 1333344 bytes",
		"0 ", "0 ", "126")
	bag, err := w.client.Bag(t.Context(), w.model, 0, "web/0")
	check(t, err)
	if bag.Data["ka\ufffdz"] != "va\ufffdz" || len(bag.Data["big"]) != 1_100_000 {
		t.Errorf("the bag has %.200q", bag.Data)
	}
	for r, err := range w.client.Logs(t.Context(), w.model, api.LogQuery{Last: -1, LogFilter: api.LogFilter{Level: api.LevelTrace}}) {
		check(t, err)
		if strings.Contains(r.Message, "\xff") || len(r.Message) > 100_000+100 {
			t.Errorf("a record of %d bytes: %.80q", len(r.Message), r.Message)
		}
	}
	w.do(core.SetConfig{App: "web", Set: map[string]any{"x": "now"}})
	w.settle()
	if bag, err = w.client.Bag(t.Context(), w.model, 0, "web/0"); err != nil || bag.Data["lives"] != "on" {
		t.Errorf("afterwards: %v, %.200q", err, bag.Data)
	}
}

// Section 6.1: a unit's tools speak for that unit in that hook, whoever calls them how; the context of
// another unit is refused.
func TestWrongUnit(t *testing.T) {
	t.Parallel()
	w := newWhole(t)
	meta := func(app string) string { return "name: " + app + "\nsummary: s\ndescription: d\n" }
	wait := "while ! [ -e %s ]; do sleep 0.01; done\n"
	shared := t.TempDir()
	at := func(name string) string { return filepath.Join(shared, name) }
	w.deploy("web", files(t, map[string]string{"metadata.yaml": meta("web"), "hooks/install": "#!/bin/sh\n" +
		"echo \"$JUJU_CONTEXT_ID $JUJU_AGENT_SOCKET_ADDRESS\" >" + at("new") + "\nmv " + at("new") + " " + at("web") + "\n" +
		strings.ReplaceAll(wait, "%s", at("done")) + "status-set active mine\n"}), 1)
	w.deploy("spy", files(t, map[string]string{"metadata.yaml": meta("spy"), "hooks/install": try + strings.ReplaceAll(wait, "%s", at("web")) +
		"read -r id socket <" + at("web") + `
own=$JUJU_CONTEXT_ID
JUJU_CONTEXT_ID=$id try status-set blocked stolen
JUJU_AGENT_SOCKET_ADDRESS=$socket try status-set blocked stolen
JUJU_UNIT_NAME=web/0 try status-set active "of $JUJU_UNIT_NAME"
unset JUJU_CONTEXT_ID
try status-set blocked nobody
sed "s|$id|ID|g; s|$own|OWN|g" ../tried >../masked
mv ../masked ../tried
touch ` + at("done") + "\n"}), 1)
	w.settle()
	wantTried(t, w.tried("unit-spy-0"),
		`1 ERROR bad request: wrong context ID; got "ID"`,
		`1 ERROR bad request: wrong context ID; got "OWN"`,
		`0 `,
		`1 ERROR JUJU_CONTEXT_ID not set`,
	)
	s, err := w.client.Status(t.Context(), w.model)
	check(t, err)
	want := map[kith.UnitName]string{"web/0": "mine", "spy/0": "of spy/0"}
	for _, u := range s.Units {
		if u.Workload.Message != want[u.Name] {
			t.Errorf("%s is %s: %s, want %s", u.Name, u.Workload.Current, u.Workload.Message, want[u.Name])
		}
	}
}
