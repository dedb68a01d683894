package opstest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kith/internal/hooktool"
	"kith/ops"
	"kith/ops/opstest"
)

// asCharm, in the environment, makes the test program the charm of that name. With the race
// detector a program waits a second before it exits, unless it is told not to.
const asCharm = "GORACE=atexit_sleep_ms=0 " + charmVariable

const charmVariable = "OPSTEST_CHARM"

func TestMain(m *testing.M) {
	switch os.Getenv(charmVariable) {
	case "every":
		ops.Main(newEvery)
	case "probing":
		ops.Main(newProbing)
	case "keeping":
		ops.Main(newKeeping, ops.WithLocalState(".state.json"))
	}
	os.Exit(m.Run())
}

// overSocket starts the charm as kith does: it finds the agent's socket, and no tools.
const overSocket = `#!/bin/sh
export PATH=/nowhere ` + asCharm + `=$CHARM
exec "$PROGRAM"
`

// throughTools starts the charm as any other Juju host would: there are tools on its PATH, and of
// kith and its socket it knows nothing. Each tool is a script that notes that it was called,
// and goes on to the real one.
const throughTools = `#!/bin/sh
env | sed -n -e "s/^\(JUJU_AGENT_[A-Z_]*\)=\(.*\)/export \1='\2'/p" -e "s/^\(KITH_[A-Z_]*\)=\(.*\)/export \1='\2'/p" > "$JUJU_CHARM_DIR/hidden"
tools=${PATH%%:*}
mkdir -p "$JUJU_CHARM_DIR/shims"
for tool in "$tools"/*; do
	name=${tool##*/}
	printf '#!/bin/sh\n. "%s"\necho %s >> "%s"\nexec "%s" "$@"\n' "$JUJU_CHARM_DIR/hidden" "$name" "$CALLS" "$tool" > "$JUJU_CHARM_DIR/shims/$name"
	chmod +x "$JUJU_CHARM_DIR/shims/$name"
done
for hidden in $(sed "s/^export \([A-Z_]*\)=.*/\1/" "$JUJU_CHARM_DIR/hidden"); do unset $hidden; done
export PATH="$JUJU_CHARM_DIR/shims" ` + asCharm + `=$CHARM
exec "$PROGRAM"
`

// everyFolder is the charm every, or another of its kind, in a folder, started by that script.
func everyFolder(t *testing.T, charm, script, calls string) *opstest.Charm {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script = strings.NewReplacer("$PROGRAM", program, "$CALLS", calls, "$CHARM", charm).Replace(script)
	for name, text := range map[string]string{"charmcraft.yaml": everyYAML, "dispatch": script} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return opstest.Folder(dir)
}

// everyStory is what happens to the charm every, and what came of it.
func everyStory(t *testing.T, c *opstest.Charm) string {
	t.Helper()
	h := opstest.NewHarness(t, c)
	h.SetTrust(true)
	h.AddStorage("data", 1)
	h.AddResource("software", []byte("one"))
	h.SetLeader(true)
	rel := h.AddRelation("link", "other", opstest.UnitData(map[string]string{"hello": "\"world\"\n"}), opstest.AppData(map[string]string{"a": "b"}))
	theirs := h.AddModelSecret(rel, "other", map[string]string{"token": "t"})
	h.GrantSecret(theirs, rel)
	h.BeginWithInitialHooks()
	h.UpdateRelationData(rel, "other", map[string]string{"secret": theirs})
	h.UpdateConfig(map[string]any{"x": "b", "count": 4})
	h.Advance(6 * time.Minute)
	h.UpdateStatus()
	action := h.RunAction("backup", map[string]any{"to": "-- there"})

	var b strings.Builder
	for _, l := range h.Log() {
		fmt.Fprintln(&b, l.Level, l.Message)
	}
	fmt.Fprintf(&b, "%s\n%v %v %v %q %v\n%+v\n%v\n", h.EventNames(), h.Status(), h.AppStatus(), h.OpenedPorts(), h.WorkloadVersion(), h.Reboots(), action, h.StoredState())
	for _, party := range []string{"every", "every/0"} {
		fmt.Fprintln(&b, party, h.GetRelationData(rel, party))
	}
	for _, id := range h.Secrets() {
		fmt.Fprintln(&b, id, h.SecretRevisions(id), h.SecretGrants(id), h.SecretContent(id))
	}
	return temporary.ReplaceAllString(b.String(), "DIR")
}

// temporary is the part of a place that differs from test to test.
var temporary = regexp.MustCompile(`/[^" ]*/storage/`)

// unusedTools are those no call of package ops comes to, and why.
var unusedTools = map[string]string{
	"k8s-raw-get": "kith runs no containers", "k8s-raw-set": "kith runs no containers", "k8s-spec-get": "kith runs no containers", "k8s-spec-set": "kith runs no containers",
	"pod-spec-get": "gone from Juju", "pod-spec-set": "gone from Juju",
	"leader-get": "peer relations took its place", "leader-set": "peer relations took its place",
	"payload-register": "gone from Juju", "payload-status-set": "gone from Juju", "payload-unregister": "gone from Juju",
	"unit-get": "network-get took its place",
}

// "A charm binary built with it runs under kith and under any Juju host: it speaks to the hook tools,
// and over kith's socket directly when it finds it." One charm makes every call there is, in the
// test's own process, over the socket where there are no tools, and through tools where there is no socket and
// nothing else of kith: there is no difference, and no tool is left out.
func TestEveryCallEveryWay(t *testing.T) {
	t.Parallel()
	want := everyStory(t, opstest.NewCharm(newEvery, opstest.YAML(everyYAML)))
	calls := filepath.Join(t.TempDir(), "calls")
	for way, script := range map[string]string{"socket": overSocket, "tools": throughTools} { // any order: each alone
		if got := everyStory(t, everyFolder(t, "every", script, calls)); got != want {
			t.Errorf("by way of the %s the charm did\n%s\nand in process\n%s", way, got, want)
		}
	}
	called, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	have := strings.Fields(string(called))
	for _, tool := range hooktool.Names() {
		reason, unused := unusedTools[tool]
		switch called := slices.Contains(have, tool); {
		case called && unused:
			t.Errorf("%s was called, which it never is: %s", tool, reason)
		case !called && !unused:
			t.Errorf("%s was not called", tool)
		}
	}
	for _, line := range []string{`granted: {"token":"t"} <nil>`, `remote unit: {`, `storage data/1: "filesystem every/0"`, `resource: "software.txt one" <nil>`, "failed"} {
		if !strings.Contains(want, line) {
			t.Errorf("the charm did not say %q:\n%s", line, want)
		}
	}
}

// newKeeping makes a charm that counts its events, and defers config-changed to the fourth.
func newKeeping(f *ops.Framework) (*int, error) {
	n := new(int)
	if err := f.StoredState("events", n); err != nil {
		return nil, err
	}
	*n++
	f.Observe(
		ops.OnConfigChanged(func(e *ops.ConfigChangedEvent) error {
			e.Logger().Info(fmt.Sprint(e.Name(), " at event ", *n))
			if *n < 4 {
				return e.Defer()
			}
			return nil
		}).Named("configure"),
		ops.OnUpdateStatus(func(*ops.UpdateStatusEvent) error { return errors.New("no") }),
	)
	return n, nil
}

// What a charm keeps in its folder is there in the next process, after a failure as it was before, and
// after an upgrade; the host knows nothing of it.
func TestLocalState(t *testing.T) {
	t.Parallel()
	for way, script := range map[string]string{"socket": overSocket, "tools": throughTools} { // any order: each alone
		h := opstest.NewHarness(t, everyFolder(t, "keeping", script, os.DevNull))
		h.BeginWithInitialHooks() // install, leader-settings-changed, config-changed, start
		if err := h.Try(func() { h.UpdateStatus() }); err == nil {
			t.Errorf("%s: the hook did not fail", way)
		}
		h.Skip()
		h.Upgrade(everyFolder(t, "keeping", script, os.DevNull)) // and config-changed after it
		var log []string
		for _, l := range h.Log() {
			if l.Level == "INFO" {
				log = append(log, l.Message)
			}
		}
		want := []string{"config-changed at event 3", "config-changed at event 4", "config-changed at event 6"}
		if !slices.Equal(log, want) || len(h.StoredState()) != 0 {
			t.Errorf("%s: the charm said %q, want %q, and the host keeps %v", way, log, want, h.StoredState())
		}
	}
}
