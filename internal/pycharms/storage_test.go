package pycharms_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// testStorage: storage and resources, as ops has them (ops 7; protocol 4.2, 5.6, 13.1-13.4).
func testStorage(t *testing.T, m *model) {
	seed := filepath.Join(m.dir, "seed")
	m.write(seed, "first")
	m.do("deploy " + m.stage("keeper") + " --resource seed=" + seed)

	// The storage comes before install, and is empty.
	got := m.events("keeper/0", 0)
	wantTrace(t, "a unit with storage", got, "data-storage-attached", "storage", "install", "resource",
		"leader-elected", "config-changed", "asked", "start")
	if t.Failed() {
		return
	}
	want(t, "the storage", got[1].Result, map[string]any{"id": "data/0", "name": []any{"data", 0}, "found": []string{}, "absolute": true, "listed": []string{"data/0"}})
	resource := got[3].Result
	want(t, "a resource", resource["text"], "first")
	want(t, "its place", resource["path"], []string{"resources", "seed", "seed.txt"})
	want(t, "asking twice", resource["again"], true)
	want(t, "one that nobody gave", strings.HasPrefix(resource["not given"].(string), "ModelError: ERROR could not download resource: "), true)
	want(t, "one that is not declared", strings.HasPrefix(resource["not declared"].(string), "NameError: "), true)
	asked := got[6].Result
	want(t, "storage that is not declared", strings.HasPrefix(asked["not declared"].(string), "ModelError: "), true)
	want(t, "no count", strings.HasPrefix(asked["not a count"].(string), "TypeError: ") || strings.HasPrefix(asked["not a count"].(string), "ModelError: "), true)

	// More is asked for, and comes when the hook has succeeded.
	before := m.mark("keeper/0")
	m.do("config keeper more=1")
	got = m.since(before, "keeper/0")
	wantTrace(t, "asking for more", got, "config-changed", "asked", "data-storage-attached", "storage")
	if t.Failed() {
		return
	}
	want(t, "in the hook that asks", []any{got[1].Result["more"], got[1].Result["listed"]}, []any{nil, []string{"data/0"}})
	want(t, "when it has come", got[3].Result["listed"], []string{"data/0", "data/1"})

	// It is taken away and given back, with what is in it.
	before = m.mark("keeper/0")
	m.do("detach-storage data/1")
	m.do("attach-storage keeper/0 data/1")
	got = m.since(before, "keeper/0")
	wantTrace(t, "to and fro", got, "data-storage-detaching", "storage", "data-storage-attached", "storage")
	if t.Failed() {
		return
	}
	want(t, "what is found in the end", got[1].Result["found"], []string{"word-0"})
	want(t, "what is found again", got[3].Result["found"], []string{"word-0", "word-1"})

	// A new resource is an upgrade.
	m.write(seed, "second")
	before = m.mark("keeper/0")
	m.do("attach-resource keeper seed=" + seed)
	got = m.since(before, "keeper/0")
	want(t, "after attach-resource", last(t, got, "resource").Result["text"], "second")
	wantTrace(t, "its events", got[:2], "upgrade-charm", "resource")

	testTooMuch(t, m)
}

// testTooMuch: more than the charm takes is refused when the hook commits, and the hook has failed.
func testTooMuch(t *testing.T, m *model) {
	m.do("config keeper more=2")
	got := m.status().workload("keeper/0")
	want(t, "asking for too much", got, `error: hook failed: "config-changed"`)
	m.do("config keeper more=0", "resolved keeper/0")
	want(t, "and then not", m.status().workload("keeper/0"), "unknown: ")
	m.do("remove-application keeper --no-prompt --destroy-storage")
	want(t, "in the end", strings.TrimSpace(m.kith("storage")), "No storage to display.")
}
