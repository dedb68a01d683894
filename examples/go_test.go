package examples_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The charms in Go, deployed on the real programs.

// How a charm's binary can be started. Each way shows something of its own.
var dispatchers = map[string]string{
	// As it is deployed: the binary is the dispatch.
	"binary": "",
	// No hook tool can be found, so all calls go over the agent's socket.
	"socket": "#!/bin/sh\nPATH=/nowhere exec \"$JUJU_CHARM_DIR/bin/charm\"\n",
	// The socket is not offered, as under any other Juju host: all calls are processes.
	"tools": "#!/bin/sh\nunset KITH_HOOKWIRE\nexec \"$JUJU_CHARM_DIR/bin/charm\"\n",
}

// goCharm builds a charm of examples/charms in a folder of its own, to be started in
// one of the ways above, and returns the folder.
func goCharm(t *testing.T, name, dispatcher string) string {
	t.Helper()
	source, dir := filepath.Join("charms", name), filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "dispatch")
	if script := dispatchers[dispatcher]; script != "" {
		if err := os.WriteFile(binary, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		binary = filepath.Join(dir, "bin", "charm")
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./"+source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}

// TestGoCharms runs the charms in Go under the real programs.
func TestGoCharms(t *testing.T) {
	t.Parallel()
	bin := build(t)
	t.Run("ways", func(t *testing.T) { t.Parallel(); testWays(t, bin) })
	t.Run("resident", func(t *testing.T) { t.Parallel(); testResident(t, bin) })
	t.Run("tokens", func(t *testing.T) { t.Parallel(); testGoTokens(t, bin) })
	t.Run("cluster", func(t *testing.T) { t.Parallel(); testGoCluster(t, bin) })
	t.Run("database", func(t *testing.T) { t.Parallel(); testGoDatabase(t, bin) })
	t.Run("init", func(t *testing.T) { t.Parallel(); testInit(t, bin) })
	t.Run("inspector", func(t *testing.T) { t.Parallel(); testGoInspector(t, bin) })
}

// testWays: a charm does the same over the agent's socket and through hook tools. What
// it logged and what it wrote are compared.
func testWays(t *testing.T, bin string) {
	said := map[string]string{}
	for way := range dispatchers {
		h := up(t, bin)
		h.kith("deploy "+goCharm(t, "go-token-provider", way), "deploy "+goCharm(t, "go-token-requirer", way),
			"settle --timeout 2m", "integrate go-token-provider go-token-requirer", "settle --timeout 2m",
			"config go-token-provider special-field=changed", "settle --timeout 2m")
		for _, unit := range []string{"go-token-provider/0", "go-token-requirer/0"} {
			said[way] += h.unitLog(unit) + scrub(h.kith("show-unit --format json "+unit))
		}
		said[way] += scrub(statusOf(h.kith("status")))
	}
	for _, way := range []string{"socket", "tools"} {
		if said[way] != said["binary"] {
			t.Errorf("started as %q the charms did\n%s\nand as %q\n%s", "binary", said["binary"], way, said[way])
		}
	}
	if !strings.Contains(said["binary"], "special-field changed") {
		t.Errorf("nothing came through:\n%s", said["binary"])
	}
}

// testResident: a charm that stays has one process for each unit, as long as the unit is there
// and the operator lets it.
func testResident(t *testing.T, bin string) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked for in /proc")
	}
	h := up(t, bin)
	h.kith("deploy "+goCharm(t, "go-cluster", "binary")+" -n 3", "settle --timeout 2m")
	before := map[string]int{}
	for _, unit := range []string{"unit-go-cluster-0", "unit-go-cluster-1", "unit-go-cluster-2"} {
		pids := h.processesOf(unit)
		if len(pids) != 1 {
			t.Fatalf("%s has processes %v", unit, pids)
		}
		before[unit] = pids[0]
	}
	h.kith("remove-unit --no-prompt go-cluster/2", "settle --timeout 2m")
	h.wantInOrder(h.kith("debug-log --replay --no-tail --limit 0 --include go-cluster/0"), ran("start"), ran("replicas-relation-departed"))
	for unit, pid := range before { // any order: each alone
		want := []int{pid}
		if unit == "unit-go-cluster-2" {
			want = nil
		}
		if pids := h.processesOf(unit); !slices.Equal(pids, want) {
			t.Errorf("%s has processes %v, want %v", unit, pids, want)
		}
	}
	h.want(h.kith("exec --unit go-cluster/0 relation-ids replicas"), "replicas:") // beside it
	h.kith("refresh go-cluster --path "+goCharm(t, "go-cluster", "binary"), "settle --timeout 2m")
	h.kith("down", "up --no-residents", "settle --timeout 2m")
	for unit := range before { // any order: each alone
		if pids := h.processesOf(unit); len(pids) > 0 {
			t.Errorf("%s has processes %v, which was turned off", unit, pids)
		}
	}
}

// processesOf are the processes that work in the charm folder of a unit.
func (h *home) processesOf(unit string) (pids []int) {
	h.t.Helper()
	folders, err := filepath.Glob(filepath.Join(h.dir, "controller", "agent", "*", unit, "charm"))
	if err != nil {
		h.t.Fatal(err)
	}
	procs, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		h.t.Fatal(err)
	}
	for _, link := range procs {
		if dir, err := os.Readlink(link); err == nil && slices.Contains(folders, dir) {
			var pid int
			_, _ = fmt.Sscanf(link, "/proc/%d/cwd", &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}

// unitLog is what a unit logged, without times and chance. It is sorted, and what
// stands there twice counts once: how the events of two units interleave is open.
func (h *home) unitLog(unit string) string {
	h.t.Helper()
	var lines []string
	for line := range strings.Lines(h.kith("debug-log --replay --no-tail --limit 0 --include " + unit)) {
		if strings.Contains(line, ".juju-log token:") {
			continue // what a hook found in the relation just then; the end is in the databags
		}
		if fields := strings.Fields(line); len(fields) > 2 {
			lines = append(lines, scrub(strings.Join(append(fields[:1:1], fields[2:]...), " ")))
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n") + "\n"
}

// statusOf is the messages of status alone.
func statusOf(status string) string {
	var kept []string
	for line := range strings.Lines(status) {
		if strings.Contains(line, "token(s)") {
			kept = append(kept, strings.Join(strings.Fields(line), " "))
		}
	}
	slices.Sort(kept)
	return strings.Join(kept, "\n")
}

var chance = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|\d\d:\d\d:\d\d|127\.\d+\.\d+\.\d+|\d{4}-\d\d-\d\d|revision": \d+`)

func scrub(s string) string { return chance.ReplaceAllString(s, "X") }

// wantInOrder checks that text holds the parts, one after the other.
func (h *home) wantInOrder(text string, parts ...string) {
	h.t.Helper()
	rest := text
	for _, part := range parts {
		_, after, found := strings.Cut(rest, part)
		if !found {
			h.t.Fatalf("no %q at its place in\n%s", part, text)
		}
		rest = after
	}
}

func ran(hook string) string { return fmt.Sprintf("ran %q hook", hook) }

func testGoTokens(t *testing.T, bin string) {
	h := up(t, bin)
	h.kith("deploy "+goCharm(t, "go-token-provider", "binary")+" -n 2", "deploy "+goCharm(t, "go-token-requirer", "binary"), "settle --timeout 2m")
	h.want(h.kith("status"), "nobody to exchange tokens with")
	h.kith("integrate go-token-provider go-token-requirer", "settle --timeout 2m")
	h.want(h.kith("status"), "go-token-provider: 2 token(s), special-field special", "go-token-requirer: 1 token(s), special-field special")
	h.wantInOrder(h.kith("debug-log --replay --no-tail --limit 0 --include go-token-provider/0"),
		ran("install"), ran("config-changed"), ran("start"), ran("token-relation-created"),
		"met go-token-requirer/0", ran("token-relation-joined"),
		"go-token-requirer/0 has token ", ran("token-relation-changed"))

	h.kith("config go-token-provider special-field=changed", "settle --timeout 2m")
	h.want(h.kith("status go-token-requirer"), "special-field changed")
	h.want(h.kith("show-unit go-token-requirer/0"), "leader-uuid: ", "special-field: changed", "token: ")

	// The shell charms speak the same language.
	h.kith("deploy ./token-requirer shell", "integrate go-token-provider shell", "settle --timeout 2m")
	h.want(h.kith("status shell"), "go-token-provider: 2 token(s)", "special-field changed")

	// A unit that goes is said goodbye to, and says goodbye.
	h.kith("remove-unit --no-prompt go-token-requirer/0", "settle --timeout 2m")
	h.wantInOrder(h.kith("debug-log --replay --no-tail --limit 0 --include go-token-requirer/0"),
		ran("install"), ran("leader-elected"), ran("config-changed"), ran("start"),
		ran("token-relation-created"), ran("token-relation-joined"), ran("token-relation-changed"),
		ran("token-relation-departed"), ran("token-relation-departed"), ran("token-relation-broken"), ran("stop"), ran("remove"))
	h.want(h.kith("debug-log --replay --no-tail --limit 0 --include go-token-provider/0"),
		"go-token-requirer/0 leaves, because go-token-requirer/0 departs", ran("token-relation-departed"))
	h.kith("remove-relation go-token-provider go-token-requirer", "settle --timeout 2m")
	h.want(h.kith("debug-log --replay --no-tail --limit 0 --include go-token-provider/0"), ran("token-relation-broken"))
}

func testGoCluster(t *testing.T, bin string) {
	h := up(t, bin)
	h.kith("deploy "+goCharm(t, "go-cluster", "binary")+" -n 3", "settle --timeout 2m")
	status := h.kith("status")
	h.want(status, "leads at 127.", "follows 127.")
	leader := ""
	for _, u := range []string{"go-cluster/0", "go-cluster/1", "go-cluster/2"} {
		if strings.Contains(status, u+"*") {
			leader = u
		}
	}
	h.wantInOrder(h.kith("debug-log --replay --no-tail --limit 0 --include "+leader),
		ran("install"), ran("replicas-relation-created"), "leading now", ran("leader-elected"), ran("config-changed"), ran("start"))
	log := h.kith("debug-log --replay --no-tail --limit 0")
	for _, u := range []string{"go-cluster/0", "go-cluster/1", "go-cluster/2"} {
		if u != leader {
			h.wantInOrder(h.kith("debug-log --replay --no-tail --limit 0 --include "+u),
				ran("install"), ran("replicas-relation-created"), ran("config-changed"), ran("start"),
				ran("replicas-relation-joined"), ran("replicas-relation-changed"))
		}
	}
	h.want(log, "says: hello from go-cluster/0", "says: hello from go-cluster/1", "says: hello from go-cluster/2", "now following the leader at 127.")

	h.kith("remove-unit --no-prompt "+leader, "settle --timeout 2m")
	h.want(h.kith("debug-log --replay --no-tail --limit 0"), leader+" has left", ran("replicas-relation-departed"))
	h.wantInOrder(h.kith("debug-log --replay --no-tail --limit 0 --include "+leader), ran("start"), ran("replicas-relation-departed"), ran("stop"), ran("remove"))
	h.want(h.kith("status"), "leads at 127.", "follows 127.")
}

func testGoInspector(t *testing.T, bin string) {
	h := up(t, bin)
	h.kith("deploy "+goCharm(t, "go-inspector", "binary")+" -n 2", "deploy "+goCharm(t, "go-token-provider", "binary"),
		"integrate go-inspector go-token-provider", "settle --timeout 2m", "config go-inspector topic=again", "settle --timeout 2m")
	follower := "go-inspector/0"
	if strings.Contains(h.kith("status"), follower+"*") {
		follower = "go-inspector/1"
	}
	_, log, _ := strings.Cut(h.kith("debug-log --replay --no-tail --limit 0 --include "+follower), ran("start"))
	h.wantInOrder(log,
		" inspectors:", follower+": egress-subnets=", " go-inspector:", "egress-subnets=", // peers
		" token:", follower+": egress-subnets=",
		`cannot read the data of "go-inspector" in relation token:`, "this unit is not the leader",
		" go-token-provider/0: egress-subnets=", "token=", " go-token-provider: leader-uuid=", "special-field=special",
		ran("config-changed"))
	h.want(h.kith("status "+follower), "read 6 databags, 1 are not for this unit")
}

// testGoDatabase: each provider goes with each requirer, in Go and in shell.
func testGoDatabase(t *testing.T, bin string) {
	h := up(t, bin)
	h.kith("deploy "+goCharm(t, "go-database", "binary")+" -n 2", "deploy "+goCharm(t, "go-web-app", "binary"),
		"deploy ./database", "deploy ./web-app", "settle --timeout 2m")
	h.want(h.kith("status go-web-app"), "blocked", "needs a database: integrate go-web-app with one")
	h.kith("integrate go-web-app go-database", "integrate web-app go-database", "settle --timeout 2m")
	for _, client := range []string{"go-web-app", "web-app"} {
		h.want(h.kith("status "+client), "active", "database web at 127.", ":5432")
	}
	h.wantInOrder(h.kith("debug-log --replay --no-tail --limit 0 --include go-web-app/0"),
		ran("start"), ran("database-relation-created"), ran("database-relation-changed"))
	before := h.configured("go-web-app/0")
	answer := h.kith("show-unit go-web-app/0") // asked for a secret, and got one
	h.want(answer, "secret-user: secret:")
	if strings.Contains(answer, "password") {
		t.Errorf("the password is in the databag:\n%s", answer)
	}
	h.want(h.kith("show-unit web-app/0"), "password: ", "username: relation-1")
	h.want(h.kith("run go-database/leader users"), "go-web-app: relation-0", "web-app: relation-1")

	h.kith("config go-database port=5433", "settle --timeout 2m")
	for _, client := range []string{"go-web-app", "web-app"} {
		h.want(h.kith("status "+client), ":5433")
	}
	h.want(h.configured("go-web-app/0"), ":5433")

	// The next leader gives the same password, and its own address.
	leader := "go-database/0"
	if !strings.Contains(h.kith("status go-database"), leader+"*") {
		leader = "go-database/1"
	}
	h.kith("remove-unit --no-prompt "+leader, "settle --timeout 2m")
	after := h.configured("go-web-app/0")
	if secretOf(before) == "" || secretOf(after) != secretOf(before) || after == before {
		t.Errorf("the configuration was %q, and after the leader's removal %q", before, after)
	}

	h.want(h.kith("secrets"), "go-database")
	h.kith("remove-relation go-web-app go-database", "settle --timeout 2m")
	h.want(h.kith("status go-web-app"), "blocked", "needs a database")
	h.want(h.kith("debug-log --replay --no-tail --limit 0"), "dropping user relation-0 of go-web-app")
	if text := h.configured("go-web-app/0"); text != "" {
		t.Errorf("still configured: %q", text)
	}
	if secrets := h.kith("secrets"); strings.Contains(secrets, "go-database") {
		t.Errorf("the secret of a relation that is gone is left:\n%s", secrets)
	}
	h.kith("integrate go-web-app database", "settle --timeout 2m")
	h.want(h.kith("status go-web-app"), "active", "database web at 127.", ":5432")
}

// configured is what a unit of go-web-app has written for its application.
func (h *home) configured(unit string) string {
	h.t.Helper()
	found, err := filepath.Glob(filepath.Join(h.dir, "controller/agent/*/unit-"+strings.ReplaceAll(unit, "/", "-")+"/charm/database.conf"))
	if err != nil || len(found) == 0 {
		return ""
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// secretOf is the user and password of a postgres:// line.
func secretOf(line string) string {
	user, _, _ := strings.Cut(strings.TrimPrefix(line, "postgres://"), "@")
	return user
}

// testInit: a new charm deploys at once, and its action runs.
func testInit(t *testing.T, bin string) {
	h := up(t, bin)
	sdk, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "shop")
	h.kith("init " + dir + " --sdk " + sdk)
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", "dispatch", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	h.kith("deploy "+dir, "settle --timeout 2m")
	h.want(h.kith("status"), "shop/0*", "active", "hello")
	h.kith("config shop greeting=moin", "settle --timeout 2m")
	h.want(h.kith("status"), "moin")
	h.want(h.kith("run shop/0 greet name=you"), "moin, you")
	h.want(h.kith("run shop/0 greet"), "moin, world")
}
