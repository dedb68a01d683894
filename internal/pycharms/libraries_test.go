package pycharms_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith/internal/hooktool"
)

// testTrust: published libraries as they are: charmlibs-interfaces-certificate-transfer
// on both sides, and charmlibs-pathops.
func testTrust(t *testing.T, m *model) {
	for _, app := range []string{"trust-provider", "trust-requirer"} { // what neither library nor charm observes
		m.quiet(app, "install", "start", "leader-elected", "ca-relation-joined", "ca-relation-departed")
	}
	m.do("deploy "+m.stage("trust-provider"), "deploy "+m.stage("trust-requirer"))
	want(t, "before", m.status().workload("trust-requirer/0"), "waiting: for certificates")
	m.do("integrate trust-provider trust-requirer", "config trust-provider certificates=one")
	want(t, "with one certificate", m.status().workload("trust-requirer/0"), "active: trusts one")
	m.kith("config", "trust-provider", "certificates=three two")
	m.do()
	want(t, "with others", m.status().workload("trust-requirer/0"), "active: trusts three two")
	bundle := filepath.Join(m.charmDir("trust-requirer/0"), "trusted", "bundle.pem")
	info, err := os.Stat(bundle)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "the mode of the bundle", info.Mode().Perm().String(), "-rw-r-----")
	updated := last(t, m.events("trust-requirer/0", 0), "updated")
	want(t, "the event of the library", updated.Certificates, []string{"three", "two"})
	want(t, "its relation", updated.ID, last(t, m.events("trust-requirer/0", 0), "ca-relation-created").ID)

	m.do("remove-relation trust-provider trust-requirer")
	want(t, "the last event of the library", last(t, m.events("trust-requirer/0", 0), "removed").ID, updated.ID)
	want(t, "after", m.status().workload("trust-requirer/0"), "waiting: for certificates")
	if _, err := os.Stat(bundle); err == nil {
		t.Error("the bundle outlives the relation")
	}
}

// testTLS: charmlibs-interfaces-tls-certificates on both sides. The library keeps
// the private key and the certificate in secrets.
func testTLS(t *testing.T, m *model) {
	wantTools(t, "secret-add", "secret-get", "secret-set", "secret-info-get", "secret-remove")
	m.quiet("tls-provider", "install", "start", "leader-elected", "certificates-relation-departed", "certificates-relation-broken")
	m.quiet("tls-requirer", "install", "start", "certificates-relation-joined", "certificates-relation-departed")
	m.do("deploy "+m.stage("tls-provider"), "deploy "+m.stage("tls-requirer"), "integrate tls-provider tls-requirer")
	name := "tls-requirer-0.example.com"
	want(t, "the certificate", m.status().workload("tls-requirer/0"), "active: certified as "+name)
	got := last(t, m.events("tls-requirer/0", 0), "available")
	want(t, "its names", []string{got.CommonName, got.CA}, []string{name, "kith test authority"})
	want(t, "the key matches", got.Matches, true)
	if shown := m.kith("show-unit", "tls-provider/0"); strings.Contains(shown, "PRIVATE KEY") {
		t.Errorf("a databag holds a private key:\n%s", shown)
	}
	m.do("remove-relation tls-provider tls-requirer")
	want(t, "afterwards", m.status().workload("tls-requirer/0"), "waiting: for a certificate")
}

// wantTools skips a scenario that needs hook tools kith does not have yet.
func wantTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if !slices.Contains(hooktool.Names(), tool) {
			t.Skipf("kith has no %s yet", tool)
		}
	}
}
