package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
)

const (
	pgMeta  = "name: pg\nsummary: s\ndescription: d\nprovides:\n  db: {interface: pgsql}\n"
	webMeta = "name: web\nsummary: s\ndescription: d\nrequires:\n  db: {interface: pgsql}\npeers:\n  cluster: {interface: peers}\n"
)

func TestTwoCharmsIntegrate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pg := w.addCharm(map[string]string{
		"metadata.yaml":             pgMeta,
		"hooks/install":             "#!/bin/sh\nstatus-set maintenance 'getting ready'\n",
		"hooks/db-relation-changed": "#!/bin/sh\nset -e\nrelation-set \"url=pg://$(relation-get name)\"\n",
	})
	web := w.addCharm(map[string]string{
		"metadata.yaml":            webMeta,
		"hooks/db-relation-joined": "#!/bin/sh\nrelation-set \"name=for-$JUJU_UNIT_NAME\"\n",
		"hooks/db-relation-changed": `#!/bin/sh
url=$(relation-get url)
echo "got $url"
[ -z "$url" ] || status-set active "$url"
`,
	})
	w.deploy("pg", pg, 1)
	w.deploy("web", web, 1)
	w.start(t.TempDir())
	w.must(core.Integrate{A: kith.Endpoint{App: "web", Name: "db"}, B: kith.Endpoint{App: "pg", Name: "db"}})
	w.until("web/0 active", func(m *core.Model) bool { return m.Unit("web/0").Workload.Message == "pg://for-web/0" })
	w.settle()
	log := w.log()
	for _, want := range []string{
		`unit-web-0 DEBUG unit.web/0.db-relation-changed got pg://for-web/0`,
		`unit-web-0 INFO juju.worker.uniter.operation ran "db-relation-changed" hook (via explicit, bespoke hook script)`,
		`unit-web-0 INFO juju.worker.uniter.operation skipped "install" hook (missing)`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	// What a unit prints comes before the hook's own end.
	if strings.Index(log, "got pg://") > strings.LastIndex(log, `ran "db-relation-changed"`) {
		t.Errorf("output after the end of its hook:\n%s", log)
	}
}

func TestUnitIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.addCharm(map[string]string{"metadata.yaml": pgMeta,
		"hooks/install": "#!/bin/sh\nmkdir closed; touch closed/x; chmod 0 closed\n"})
	w.deploy("pg", id, 2)
	dir := t.TempDir()
	w.start(dir)
	w.settle()
	w.must(core.RemoveUnits{Units: []kith.UnitName{"pg/0"}})
	w.until("pg/0 gone", func(m *core.Model) bool { return m.Unit("pg/0") == nil })
	waitFor(t, "the end of pg/0's folder", func() bool {
		_, err := os.Stat(filepath.Join(dir, string(testModel), "unit-pg-0"))
		return os.IsNotExist(err)
	})
	left := filepath.Join(dir, string(testModel), "unit-pg-1", "charm")
	if _, err := os.Stat(filepath.Join(left, "metadata.yaml")); err != nil {
		t.Errorf("the charm of pg/1: %v", err)
	}
	if err := os.Chmod(filepath.Join(left, "closed"), 0o700); err != nil { // or nobody but root can clean up
		t.Error(err)
	}
}

// Hook protocol reference, section 4.2: what the unit's log says of a hook that is dropped because the
// unit leads no longer.
func TestSkippedHookIsLogged(t *testing.T) {
	t.Parallel()
	w, _ := oneUnit(t, nil)
	w.settle()
	w.mu.Lock()
	w.send(api.HostEvent{Skip: &api.SkippedHook{UnitRef: refOf("web/0"), Hook: "leader-elected"}})
	w.mu.Unlock()
	waitFor(t, "the log", func() bool {
		return strings.Contains(w.log(), `unit-web-0 INFO juju.worker.uniter.operation unit is no longer the leader; skipping "leader-elected" execution`+"\n")
	})
}
