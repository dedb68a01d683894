package charm

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kith"
)

func sampleMeta(t testing.TB, extra string) Meta {
	t.Helper()
	m, err := ParseMeta("metadata.yaml", []byte("name: frobnitz\nsummary: s\ndescription: d\n"+extra))
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

// Relations reference, section 1.3: every application has juju-info. Ours are sorted by name.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	m := sampleMeta(t, "provides: {web: http}\nrequires: {db: {interface: pgsql, limit: 1}}\npeers: {cluster: ring}\n")
	want := []Relation{
		{Name: "cluster", Role: kith.Peer, Interface: "ring", Scope: kith.Global},
		{Name: "db", Role: kith.Requirer, Interface: "pgsql", Limit: 1, Scope: kith.Global},
		{Name: "juju-info", Role: kith.Provider, Interface: "juju-info", Scope: kith.Global},
		{Name: "web", Role: kith.Provider, Interface: "http", Scope: kith.Global},
	}
	if got := m.Endpoints(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	for _, w := range want {
		if got, ok := m.Endpoint(w.Name); !ok || got != w || got.IsImplicit() != (w.Name == JujuInfo) {
			t.Errorf("Endpoint(%s) = %v, %v", w.Name, got, ok)
		}
	}
	if _, ok := m.Endpoint("nope"); ok {
		t.Error("found an endpoint that is not there")
	}
}

// A subordinate may require juju-info under that name; it is then not the implicit one.
func TestEndpointsWithOwnJujuInfo(t *testing.T) {
	t.Parallel()
	m := sampleMeta(t, "subordinate: true\nrequires: {juju-info: {interface: juju-info, scope: container}}\n")
	got, ok := m.Endpoint(JujuInfo)
	if !ok || got.Role != kith.Requirer || got.IsImplicit() || len(m.Endpoints()) != 1 {
		t.Errorf("got %v, %v of %v", got, ok, m.Endpoints())
	}
	if !slices.Contains(m.Hooks(), "juju-info-relation-joined") {
		t.Errorf("hooks are %v", m.Hooks())
	}
}

// Hook protocol reference, section 4: hook kinds and names.
func TestHooks(t *testing.T) {
	t.Parallel()
	m := sampleMeta(t, "requires: {db: pgsql}\nstorage: {data: {type: block}}\ncontainers: {app: {}}\n")
	got := m.Hooks()
	for _, want := range []string{
		"install", "start", "config-changed", "upgrade-charm", "stop", "remove", "update-status", "leader-elected",
		"leader-settings-changed", "secret-changed", "secret-expired", "secret-remove", "secret-rotate",
		"db-relation-created", "db-relation-joined", "db-relation-changed", "db-relation-departed", "db-relation-broken",
		"data-storage-attached", "data-storage-detaching",
		"app-pebble-ready", "app-pebble-custom-notice", "app-pebble-check-failed", "app-pebble-check-recovered",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no hook %s in %v", want, got)
		}
	}
	if !slices.IsSorted(got) || len(got) != 28 || slices.ContainsFunc(got, func(h string) bool { return strings.HasPrefix(h, JujuInfo) }) {
		t.Errorf("%d hooks: %v", len(got), got)
	}
}

// Errors name file, line, field, value and rule, and are kith errors as well.
func TestErrorSaysWhere(t *testing.T) {
	t.Parallel()
	_, err := ParseMeta("metadata.yaml", []byte(`name: frobnitz
summary: s
description: d
requires:
  cache: redis
  db:
    interface: pgsql
    limit: lots
`))
	want := &Error{
		Reason: `metadata: requires.db.limit: unexpected value "lots"`,
		File:   "metadata.yaml", Line: 8, Field: "requires.db.limit", Value: "lots", Rule: "a limit is a whole number, or empty for none",
	}
	var got *Error
	if !errors.As(err, &got) || *got != *want {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	if got := err.Error(); got != want.Reason+" (metadata.yaml:8)" {
		t.Errorf("text is %q", got)
	}
	var k *kith.Error
	if !errors.As(err, &k) || k.Code != kith.Invalid || k.Message != err.Error() || k.Hint != want.Rule {
		t.Errorf("as a kith error: %+v", k)
	}
}

// The same file always gives the same error: the mistake that stands first.
func TestErrorIsTheFirst(t *testing.T) {
	t.Parallel()
	for range 20 {
		_, err := ParseMeta("metadata.yaml", []byte("name: frobnitz\nsummary: s\nprovides: {b: 1, a: 2}\nrequires: 5\n"))
		if want := `metadata: provides.b: expected map, got int(1) (metadata.yaml:3)`; text(err) != want {
			t.Fatalf("got %v, want %s", err, want)
		}
	}
}

// A charm's name may hold anything when it is parsed; no part of it is a format.
func TestErrorQuotesFormats(t *testing.T) {
	t.Parallel()
	_, err := ParseMeta("metadata.yaml", []byte("name: 'a%sb%d'\nsummary: s\ndescription: d\nstorage: {data: {type: block, location: /x}}\n"))
	if want := `charm "a%sb%d" storage "data": location may not be specified for "type: block" (metadata.yaml:4)`; text(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A value of any size gives an error of bounded size.
func TestErrorIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	for _, in := range []string{"name: [" + long + "]", "provides: {" + long + ": 5}", "provides: {web: {scope: " + long + "}}", "assumes: ['" + long + " !']"} {
		_, err := ParseMeta("metadata.yaml", []byte("summary: s\ndescription: d\n"+in))
		if err == nil || len(err.Error()) > 2000 {
			t.Errorf("%.30s: error of %d bytes", in, len(text(err)))
		}
	}
}
