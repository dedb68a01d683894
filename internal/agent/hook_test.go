package agent

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/dispatch"
)

// oneUnit is a world with unit web/0 of a charm with these files beside
// metadata.yaml, and an agent that runs it. It is settled.
func oneUnit(t *testing.T, files map[string]string, tweak ...func(*Config)) (w *world, unit unitDir) {
	t.Helper()
	w = newWorld(t)
	w.must(core.SetModelConfig{Set: map[string]string{"max-charm-state-size": "100"}})
	all := map[string]string{"metadata.yaml": webMeta, "config.yaml": "options:\n  x: {type: string, default: a}\n"}
	maps.Copy(all, files)
	w.deploy("web", w.addCharm(all), 1)
	dir := t.TempDir()
	w.start(dir, tweak...)
	return w, dirs{dir}.unit(refOf("web/0"))
}

// failed waits until web/0 is in error.
func (w *world) failed() core.Failure {
	w.t.Helper()
	var f core.Failure
	w.until("web/0 in error", func(m *core.Model) bool {
		p := m.Progress("web/0")
		if p.Failed != nil {
			f = *p.Failed
		}
		return p.Failed != nil && p.Running == nil
	})
	return f
}

func (w *world) wantLog(lines ...string) {
	w.t.Helper()
	log := w.log()
	for _, l := range lines {
		if !strings.Contains(log, l+"\n") {
			w.t.Errorf("the log lacks %q:\n%s", l, log)
		}
	}
}

// Hook protocol reference, section 3.1.
func TestWhatIsRun(t *testing.T) {
	t.Parallel()
	const ok, inert = "#!/bin/sh\n", "#-x\n#!/bin/sh\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		via   string // empty: the hook is missing
		err   string
	}{
		{"dispatch wins", map[string]string{"dispatch": ok, "hooks/install": ok}, dispatch.ViaDispatch, ""},
		{"dispatch not executable", map[string]string{"dispatch": inert, "hooks/install": ok}, dispatch.ViaDispatch, "permission denied"},
		{"hooks", map[string]string{"hooks/install": ok}, dispatch.ViaBespoke, ""},
		{"hook not executable", map[string]string{"hooks/install": inert}, dispatch.ViaBespoke, "permission denied"},
		{"neither", map[string]string{"hooks/start": ok}, "", ""},
		{"a link to nothing", map[string]string{"dispatch": "-> nowhere", "hooks/install": ok}, dispatch.ViaBespoke, ""},
		{"a link", map[string]string{"hooks/install": "-> ../src/charm", "src/charm": ok}, dispatch.ViaBespoke, ""},
		{"a link to what is not executable", map[string]string{"hooks/install": "-> ../src/charm", "src/charm": inert}, dispatch.ViaBespoke, "permission denied"},
		{"a folder", map[string]string{"hooks/install/x": ok}, dispatch.ViaBespoke, "is a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if _, err := dispatch.FindHook(dir, "install"); err == nil || err.Error() != "charm missing from disk" {
				t.Errorf("without metadata.yaml: %v", err)
			}
			c.files["metadata.yaml"] = webMeta
			for name, text := range c.files {
				mode := os.FileMode(0o755)
				if text == inert {
					mode = 0o644
				}
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if target, ok := strings.CutPrefix(text, "-> "); ok {
					if err := os.Symlink(target, path); err != nil {
						t.Fatal(err)
					}
					continue
				}
				if err := os.WriteFile(path, []byte(text), mode); err != nil {
					t.Fatal(err)
				}
			}
			s, err := dispatch.FindHook(dir, "install")
			if fmt.Sprint(err) != c.err && (err != nil || c.err != "") {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if s.Via != c.via || (s.Path == "") != (c.via == "") {
				t.Errorf("found %+v, want via %q", s, c.via)
			}
		})
	}
}

// Section 3.1: a hook that is a link to a script is called by its own name; 3.2: argv is the
// path alone, stdin is empty, the working directory is the charm's, umask is not touched.
func TestProcessSetUp(t *testing.T) {
	t.Parallel()
	w, unit := oneUnit(t, map[string]string{"hooks/install": "-> ../src/all", "src/all": `#!/bin/sh
echo "argv $0 and $# more"
echo "stdin [$(cat)]"
echo "cwd $(pwd -P)"
echo "umask $(umask)"
`})
	w.settle()
	charm, err := filepath.EvalSymlinks(unit.charm())
	w.check(err)
	umask, err := exec.Command("/bin/sh", "-c", "umask").Output()
	w.check(err)
	const logger = "unit-web-0 DEBUG unit.web/0.install "
	w.wantLog(logger+"umask "+strings.TrimSpace(string(umask)), logger+"argv "+filepath.Join(unit.charm(), "hooks/install")+" and 0 more", logger+"stdin []", logger+"cwd "+charm)
}

// Section 5: the list is complete. The dispatch script prints its environment as
// it got it; the shell's own additions (PWD, OLDPWD, SHLVL, _) are left out.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dump := "#!/bin/sh\n" + `env > "../env-$JUJU_HOOK_NAME-${JUJU_REMOTE_UNIT##*/}"` + "\n"
	w.must(core.SetModelConfig{Set: map[string]string{"juju-http-proxy": "http://proxy:3128",
		"https-proxy": "http://host:8080", "no-proxy": "localhost"}})
	pg := w.addCharm(map[string]string{"metadata.yaml": pgMeta})
	web := w.addCharm(map[string]string{"metadata.yaml": webMeta, "dispatch": dump})
	w.deploy("pg", pg, 1)
	w.deploy("web", web, 1)
	dir := t.TempDir()
	w.start(dir, func(c *Config) { c.APIAddresses = []string{"10.0.0.1:17070", "10.0.0.2:17070"} })
	w.settle()
	w.must(core.Integrate{A: kith.Endpoint{App: "web", Name: "db"}, B: kith.Endpoint{App: "pg", Name: "db"}})
	w.settle()
	w.must(core.RemoveRelation{Endpoints: []kith.Endpoint{{App: "web"}, {App: "pg"}}})
	w.settle()

	w.wantLog(`unit-web-0 INFO juju.worker.uniter.operation ran "install" hook (via hook dispatching script: dispatch)`) // section 3.4
	unit := dirs{dir}.unit(refOf("web/0"))
	w.mu.Lock()
	address := w.m.Unit("web/0").Address
	w.mu.Unlock()
	common := []string{
		"CHARM_DIR=" + unit.charm(), "JUJU_CHARM_DIR=" + unit.charm(),
		"JUJU_AGENT_SOCKET_ADDRESS=" + unit.socket(), "JUJU_AGENT_SOCKET_NETWORK=unix",
		"JUJU_UNIT_NAME=web/0", "JUJU_MODEL_NAME=prod", "JUJU_MODEL_UUID=" + string(testModel),
		"JUJU_API_ADDRESSES=10.0.0.1:17070 10.0.0.2:17070", "JUJU_MACHINE_ID=1", "JUJU_PRINCIPAL_UNIT=",
		"JUJU_AVAILABILITY_ZONE=", "JUJU_VERSION=" + kith.JujuVersion, "CLOUD_API_VERSION=",
		"JUJU_CHARM_HTTP_PROXY=http://proxy:3128", "JUJU_CHARM_HTTPS_PROXY=", "JUJU_CHARM_FTP_PROXY=",
		"JUJU_CHARM_NO_PROXY=127.0.0.1,localhost,::1",
		// "Only those configured, both letter cases."
		"https_proxy=http://host:8080", "HTTPS_PROXY=http://host:8080", "no_proxy=localhost", "NO_PROXY=localhost",
		"JUJU_SLA=unsupported", "LANG=C.UTF-8", "PATH=" + unit.tools() + ":" + os.Getenv("PATH"), "KITH_UNIT_ADDRESS=" + address, "KITH_HOOKWIRE=1", "KITH_RESIDENT=1",
	}
	if dispatch.ReadHostEnv(nil).Ubuntu() {
		common = append(common, "DEBIAN_FRONTEND=noninteractive", "APT_LISTCHANGES_FRONTEND=none", "TERM=tmux-256color")
	} else {
		common = append(common, "TERM=screen")
	}
	relation := []string{"JUJU_RELATION=db", "JUJU_RELATION_ID=db:1", "JUJU_REMOTE_APP=pg"}
	for file, own := range map[string][]string{
		"env-install-":               {},
		"env-start-":                 {},
		"env-db-relation-created-":   append(relation[:3:3], "JUJU_REMOTE_UNIT="),
		"env-db-relation-joined-0":   append(relation[:3:3], "JUJU_REMOTE_UNIT=pg/0"),
		"env-db-relation-changed-0":  append(relation[:3:3], "JUJU_REMOTE_UNIT=pg/0"),
		"env-db-relation-departed-0": append(relation[:3:3], "JUJU_REMOTE_UNIT=pg/0", "JUJU_DEPARTING_UNIT=pg/0"),
		"env-db-relation-broken-":    append(relation[:3:3], "JUJU_REMOTE_UNIT="),
		"env-cluster-relation-created-": {"JUJU_RELATION=cluster", "JUJU_RELATION_ID=cluster:0",
			"JUJU_REMOTE_APP=web", "JUJU_REMOTE_UNIT="},
	} {
		hook := strings.TrimPrefix(file[:strings.LastIndexByte(file, '-')], "env-")
		want := slices.Concat(common, own, []string{"JUJU_HOOK_NAME=" + hook, "JUJU_DISPATCH_PATH=hooks/" + hook})
		slices.Sort(want)
		text, err := os.ReadFile(filepath.Join(unit.root, file))
		if err != nil {
			t.Errorf("%s: %v\n%s", hook, err, w.log())
			continue
		}
		got := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(text)), "\n"), func(v string) bool {
			name, value, _ := strings.Cut(v, "=")
			if name == "JUJU_CONTEXT_ID" && len(value) == len("web/0--")+len(hook)+32 && strings.HasPrefix(value, "web/0-"+hook+"-") {
				return true
			}
			return slices.Contains([]string{"PWD", "OLDPWD", "SHLVL", "_"}, name)
		})
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%s\nwant\n%s", hook, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// Section 3.4.
func TestResults(t *testing.T) {
	t.Parallel()
	const report = `unit-web-0 %s juju.worker.uniter.operation %s`
	for _, c := range []struct {
		name, hook   string
		message, log string
	}{
		{"exit status", "#!/bin/sh\nstate-set lost=1\nexit 3\n", "exit status 3",
			`hook "install" (via explicit, bespoke hook script) failed: exit status 3`},
		{"crash", "#!/bin/sh\nkill -SEGV $$\n", "signal: segmentation fault",
			`hook "install" (via explicit, bespoke hook script) failed: signal: segmentation fault`},
		{"no interpreter", "#!/no/such/thing\n", "no such file or directory",
			`hook "install" (via explicit, bespoke hook script) failed: no such file or directory: the interpreter "/no/such/thing" of install`},
		{"refused commit", "#!/bin/sh\nset -e\nstate-set big=" + strings.Repeat("k", 100) + "\n", "max allowed size (100) exceeded",
			`hook "install" (via explicit, bespoke hook script) failed: max allowed size (100) exceeded`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, _ := oneUnit(t, map[string]string{"hooks/install": c.hook})
			f := w.failed()
			if !strings.HasPrefix(f.Message, c.message) || f.Hook.Kind != core.Install {
				t.Errorf("failure %+v, want %q", f, c.message)
			}
			waitFor(t, "the log", func() bool {
				return strings.Contains(w.log(), fmt.Sprintf(report, "ERROR", c.log)+"\n"+
					`unit-web-0 INFO juju.worker.uniter awaiting error resolution for "install" hook`+"\n")
			})
			w.mu.Lock()
			defer w.mu.Unlock()
			if s := w.m.State("web/0"); s != nil {
				t.Errorf("state %v was kept of a hook that failed", s.Data)
			}
		})
	}
}

// Section 3.4: a process that is killed from outside is no error; the hook is
// queued again, and nothing that it wrote is kept.
func TestTerminatedHookRunsAgain(t *testing.T) {
	t.Parallel()
	w, _ := oneUnit(t, map[string]string{"hooks/install": `#!/bin/sh
if ! [ -e ../once ]; then
	touch ../once
	state-set killed=1
	kill -TERM $$
fi
if ! [ -e ../twice ]; then
	touch ../twice
	state-set killed=1
	kill -KILL $$
fi
state-set again=1
`})
	w.settle()
	w.wantLog(`unit-web-0 WARNING juju.worker.uniter.operation hook "install" was terminated`,
		`unit-web-0 INFO juju.worker.uniter.operation ran "install" hook (via explicit, bespoke hook script)`)
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := w.m.State("web/0").Data; !maps.Equal(got, map[string]string{"again": "1"}) {
		t.Errorf("state %v", got)
	}
	if strings.Contains(strings.Join(messages(w), "\n"), "failed") {
		t.Error("something failed")
	}
}

func messages(w *world) []string {
	var all []string
	for _, r := range w.logs {
		all = append(all, r.Message)
	}
	return all
}

// A hook that ends itself again and again is slowed down; the first time it is not.
func TestRequeuePause(t *testing.T) {
	t.Parallel()
	want := []time.Duration{0, 0, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}
	for n, d := range want {
		if got := requeuePause(n); got != d {
			t.Errorf("after %d times: %v, want %v", n, got, d)
		}
	}
	if got := requeuePause(1 << 40); got != maxRequeuePause {
		t.Errorf("in the end: %v", got)
	}
}

// Section 3.7 is Juju's weakness: a hook that hangs stops the machine. Here it
// stops its unit: with a single slot the others still get their turn.
func TestHangingHookBlocksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("hang", w.addCharm(map[string]string{"metadata.yaml": "name: hang\nsummary: s\ndescription: d\n",
		"hooks/install": "#!/bin/sh\ntrap '' TERM\nexec sleep 1000\n"}), 3)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta, "hooks/start": "#!/bin/sh\nstatus-set active\n"}), 1)
	stop := w.start(t.TempDir(), func(c *Config) { c.Hooks = 1; c.StopGrace = 50 * time.Millisecond })
	w.until("web/0 started", func(m *core.Model) bool { return m.Progress("web/0").Started })
	w.until("all hang", func(m *core.Model) bool {
		return m.Progress("hang/0").Running != nil && m.Progress("hang/1").Running != nil && m.Progress("hang/2").Running != nil
	})
	stop() // kills what does not listen
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range []kith.UnitName{"hang/0", "hang/1", "hang/2"} {
		if p := w.m.Progress(u); p.Running != nil || p.Failed != nil {
			t.Errorf("%s: %+v, want its hook queued again", u, p)
		}
	}
}

// An agent that is asked to end lets hooks end first, and commits them.
func TestStopLetsHooksEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deploy("web", w.addCharm(map[string]string{"metadata.yaml": webMeta,
		"hooks/install": "#!/bin/sh\nwhile ! [ -e ../go ]; do sleep 0.01; done\nstate-set done=1\n"}), 1)
	dir := t.TempDir()
	stop := w.start(dir, func(c *Config) { c.StopGrace = patience })
	w.until("install runs", func(m *core.Model) bool { return m.Progress("web/0").Running != nil })
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	w.check(os.WriteFile(filepath.Join(dirs{dir}.unit(refOf("web/0")).root, "go"), nil, 0o600))
	wait(t, stopped)
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.m.Progress("web/0"); !p.Installed || p.Running != nil {
		t.Errorf("progress %+v, want install committed", p)
	}
	if w.m.State("web/0").Data["done"] != "1" {
		t.Error("what the hook wrote is lost")
	}
}

// Section 3.3: a daemon that keeps the pipe open does not hold the hook, and it
// goes on when the hook has ended. Section 6.1: its calls of hook tools are refused.
func TestDaemonOutlivesHook(t *testing.T) {
	t.Parallel()
	w, unit := oneUnit(t, map[string]string{"hooks/install": `#!/bin/sh
(
	trap '' HUP
	while ! [ -e ../go ]; do sleep 0.01; done
	config-get x > ../late 2>&1
	echo $? >> ../late
	mv ../late ../result
) &
echo started
`})
	w.settle()
	w.wantLog("unit-web-0 DEBUG unit.web/0.install started")
	if _, err := os.Stat(unit.socket()); !os.IsNotExist(err) {
		t.Errorf("the socket is there between hooks: %v", err)
	}
	w.check(os.WriteFile(filepath.Join(unit.root, "go"), nil, 0o600))
	result := filepath.Join(unit.root, "result")
	waitFor(t, "the daemon", func() bool { _, err := os.Stat(result); return err == nil })
	text, err := os.ReadFile(result)
	w.check(err)
	if !strings.HasPrefix(string(text), "ERROR ") || !strings.HasSuffix(string(text), "\n1\n") {
		t.Errorf("config-get after the hook: %q, want an error and status 1", text)
	}
}

// Section 6.1: another context's id is refused, and so is a tool that does not exist.
func TestRefusedCalls(t *testing.T) {
	t.Parallel()
	w, _ := oneUnit(t, map[string]string{"hooks/install": `#!/bin/sh
ln -s "$(readlink "$(command -v config-get)")" ../frobnicate
../frobnicate
JUJU_CONTEXT_ID=web/0-install-5f config-get x
cd /; relation-set --file /no/such/file -r 0
true
`})
	w.settle()
	const warning = "unit-web-0 WARNING unit.web/0.install "
	w.wantLog(warning+`ERROR bad request: unknown command: frobnicate`, warning+`ERROR bad request: wrong context ID; got "web/0-install-5f"`)
}

// Paths of files are relative to where the caller is (section 6.1).
func TestFilesRelativeToCaller(t *testing.T) {
	t.Parallel()
	w, unit := oneUnit(t, map[string]string{"hooks/start": `#!/bin/sh
set -e
mkdir -p ../elsewhere
cd ../elsewhere
echo 'from: file' > settings
relation-set -r cluster:0 --file settings
echo 'also: stdin' | relation-set -r cluster:0 --file -
config-get x --output out
`})
	w.settle()
	if b := w.bag(0, "web/0"); b["from"] != "file" || b["also"] != "stdin" {
		t.Errorf("bag %v\n%s", b, w.log())
	}
	text, err := os.ReadFile(filepath.Join(unit.root, "elsewhere", "out"))
	if err != nil || string(text) != "a\n" {
		t.Errorf("output %q, %v", text, err)
	}
}

// The real thing: a hundred megabytes without a newline through a real pipe.
func TestHookPrintsWithoutEnd(t *testing.T) {
	t.Parallel()
	w, _ := oneUnit(t, map[string]string{"hooks/install": "#!/bin/sh\nhead -c 100000000 /dev/zero | tr '\\000' x\necho; echo the reason >&2\nexit 1\n"})
	if f := w.failed(); f.Message != "exit status 1" {
		t.Errorf("failure %+v", f)
	}
	w.wantLog("unit-web-0 WARNING unit.web/0.install the reason")
	w.mu.Lock()
	defer w.mu.Unlock()
	size := 0
	for _, r := range w.logs {
		size += len(r.Message)
	}
	if size > 2*dispatch.MaxOutput {
		t.Errorf("%d bytes were logged", size)
	}
}
