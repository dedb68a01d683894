package agent

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/core"
)

// Hook protocol reference, section 5.5: what a secret hook is told of its secret, and that the tools
// read and write secrets through the agent. What they hold stays out of the agent's folder and the log.
func TestSecretHooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dispatch := `#!/bin/sh
set -e
env | grep JUJU_SECRET >"../env-$JUJU_HOOK_NAME" || true
case $JUJU_HOOK_NAME in
install)
	secret-add --owner unit --label mine --rotate hourly "password=$(printf '\160\154\141\156\164\145\144')" >../mine
	secret-add --owner unit --label late --expire 2020-01-01T00:00:00Z password=x >../late
	;;
config-changed)
	secret-get secret:login000000000000000 --label theirs --format json >../content
	test "$(secret-get "$(cat ../mine)" password)" = "$(printf '\160\154\141\156\164\145\144')"
	secret-ids >../ids
	;;
secret-rotate)
	secret-set "$JUJU_SECRET_ID" password=other
	;;
secret-expired)
	secret-remove "$JUJU_SECRET_ID" --revision "$JUJU_SECRET_REVISION"
	;;
esac
`
	id := w.addCharm(map[string]string{"metadata.yaml": webMeta, "dispatch": dispatch})
	login := core.SecretData{"password": base64.StdEncoding.EncodeToString([]byte("of-the-model"))}
	w.must(core.AddSecret{ID: "login000000000000000", SecretName: "login", Data: login})
	w.deploy("web", id, 1)
	w.must(core.GrantSecret{Secret: "login", Apps: []kith.AppName{"web"}})
	dir := t.TempDir()
	w.start(dir)
	w.settle()
	w.must(core.UpdateSecret{Secret: "login", Data: core.SecretData{"password": "bmV3ZXI="}})
	w.settle()
	w.mu.Lock()
	w.late += 61 * time.Minute
	w.work()
	w.mu.Unlock()
	w.settle()

	unit := dirs{dir}.unit(refOf("web/0"))
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(unit.root, name))
		if err != nil {
			t.Errorf("%v\n%s", err, w.log())
		}
		return strings.TrimSpace(string(text))
	}
	mine, late := read("mine"), read("late")
	for hook, want := range map[string][]string{
		"install":        {""},
		"secret-expired": {"JUJU_SECRET_ID=" + late, "JUJU_SECRET_LABEL=late", "JUJU_SECRET_REVISION=1"},
		"secret-changed": {"JUJU_SECRET_ID=secret:login000000000000000", "JUJU_SECRET_LABEL=theirs"},
		"secret-rotate":  {"JUJU_SECRET_ID=" + mine, "JUJU_SECRET_LABEL=mine"},
		"secret-remove":  {"JUJU_SECRET_ID=" + mine, "JUJU_SECRET_LABEL=mine", "JUJU_SECRET_REVISION=1"},
	} {
		got := strings.Split(read("env-"+hook), "\n")
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", hook, got, want)
		}
	}
	for file, want := range map[string]string{"content": `{"password":"of-the-model"}`, "ids": strings.TrimPrefix(mine, "secret:")} {
		if got := read(file); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
	os.Remove(filepath.Join(unit.root, "content")) // the charm's own
	for _, value := range []string{"planted", "of-the-model", base64.StdEncoding.EncodeToString([]byte("planted")), login["password"]} {
		if strings.Contains(w.log(), value) {
			t.Errorf("the log tells %q:\n%s", value, w.log())
		}
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(name)
			if strings.Contains(string(text), value) {
				t.Errorf("%s tells %q", name, value)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
