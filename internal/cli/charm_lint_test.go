package cli

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kith/charm"
)

// An archive is looked at as its folder is.
func TestLintArchive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"metadata.yaml": "name: x\nsummary: x\ndescription: x\nrequires: {certs: {interface: tls_certificates}}\n",
		"actions.yaml":  "stuck: {description: It cannot be run.}\n",
		"actions/stuck": "#!/bin/sh\n", "hooks/install": "#!/bin/sh\n", "hooks/cert-relation-joined": "#!/bin/sh\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(t.TempDir(), "x.charm")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := charm.Pack(dir, f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	folder, err := lintCharm(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := lintCharm(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(folder) != 3 || !reflect.DeepEqual(folder, packed) {
		t.Errorf("of the folder: %+v\nof the archive: %+v", folder, packed)
	}
}

// Each rule is broken by a charm in the script.
func TestLintRulesAreTested(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join("testdata", "script", "charm_lint.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range lintRules {
		if !strings.Contains(string(script), "("+r.rule+`)`) && !strings.Contains(string(script), `\(`+r.rule+`\)`) {
			t.Errorf("no charm of the script breaks %s", r.rule)
		}
	}
}
