package pycharms_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notFound is how a charm sees what ops raises for a secret that is not there.
const notFound = "SecretNotFoundError: "

// testSecrets: secrets across a relation, as ops has them (ops 7; protocol 5.5, 12, 16.1).
func testSecrets(t *testing.T, m *model) {
	m.quiet("vault", "install", "start", "leader-elected", "leader-settings-changed", "guests-relation-joined",
		"guests-relation-changed", "guests-relation-departed", "guests-relation-broken")
	m.quiet("guest", "install", "start", "leader-elected", "vault-relation-created", "vault-relation-joined", "vault-relation-departed")
	m.do("deploy "+m.stage("vault")+" -n 2", "deploy "+m.stage("guest"), "integrate vault guest")
	leader := m.leader("vault")
	follower := map[string]string{"vault/0": "vault/1", "vault/1": "vault/0"}[leader]

	// The leader adds, grants and tells; the other side reads.
	added := last(t, m.events(leader, 0), "added").Result
	id, _ := strings.CutPrefix(added["id"].(string), "secret:")
	want(t, "a secret is read in the hook that makes it", added["own"], []string{"password", "user-name"})
	want(t, "the other side", last(t, m.events("guest/0", 0), "read").Result, map[string]any{"keys": []string{"password", "user-name"}, "word": "first"})

	testSecretChanges(t, m, leader, follower, id)
	m.quiet(follower, "config-changed", "secret-expired") // it has shown what it may
	testSecretTimes(t, m, leader, id)
	testSecretAccess(t, m, leader, id)
	testUserSecret(t, m)
	absent(t, m, "tsrif-first", "dnoces-second", "driht-third", "htruof-fourth", "nigol-login", "retal-later")
}

// testSecretChanges: a new revision reaches the reader, which goes on with the old one until it asks.
func testSecretChanges(t *testing.T, m *model, leader, follower, id string) {
	m.do("config vault do=0.know")
	for _, unit := range []string{leader, follower} {
		want(t, "every unit of the owner reads it", last(t, m.events(unit, 0), "know").Result["value"], true)
	}
	before := m.mark(leader, follower, "guest/0")
	m.do("config vault do=1.set")
	got := m.since(before, "guest/0")
	wantTrace(t, "the reader", got, "secret-changed", "changed")
	if t.Failed() {
		return
	}
	want(t, "what it sees", got[1].Result, map[string]any{
		"id": id, "label": "theirs", "tracked": "first", "newest": "second", "refreshed": "second", "again": "second"})
	owner := m.since(before, leader)
	wantTrace(t, "the owner", owner, "config-changed", "set", "secret-remove", "obsolete")
	if t.Failed() {
		return
	}
	want(t, "the owner's view", owner[1].Result, map[string]any{"info": 1, "set": nil, "peek": true})
	want(t, "what is obsolete", owner[3].Result, map[string]any{"id": "secret:" + id, "label": "conn", "revision": 1})

	// Another unit of the owner reads and does not manage.
	last(t, m.since(before, follower), "secret-changed")
	other := last(t, m.since(before, follower), "set").Result
	// ops asks for the info first, to learn the id, and only the leader has that.
	want(t, "a follower does not manage", []any{other["set"], other["info of the secret"]}, []string{notFound, notFound})

	// What is not content makes no revision, and nobody is told.
	before = m.mark(leader, "guest/0")
	m.do("config vault do=2.describe")
	info := m.since(before, leader)[1].Result
	want(t, "label, revision, words, rotation", []any{info["label"], info["revision"], info["description"], info["rotation"], info["expires"]},
		[]any{"conn", 2, "other words", "monthly", "None"})
	if days := info["rotates in"].(float64) / 86400; days < 27 || days > 32 {
		t.Errorf("a month is %v days", days)
	}
	if now := m.since(before, "guest/0"); len(now) > 0 {
		t.Errorf("the reader is told of %v", trace(now))
	}
}

// testSecretTimes: expiry and rotation.
func testSecretTimes(t *testing.T, m *model, leader, id string) {
	before := m.mark(leader)
	m.do("config vault do=3.expire")
	got := m.since(before, leader)
	wantTrace(t, "a secret that has expired", got, "config-changed", "expire", "secret-expired", "expired")
	if t.Failed() {
		return
	}
	want(t, "which one", got[3].Result, map[string]any{"label": "short-lived", "revision": 1})
	m.do("config vault do=4.gone")
	if text := look(last(t, m.events(leader, 0), "gone")); !strings.Contains(text, "SecretNotFoundError") {
		t.Errorf("a removed secret: %s", text)
	}

	// The shortest term is an hour, so the hook is run by hand.
	before = m.mark(leader, "guest/0")
	m.kith("exec", "--unit", leader, "JUJU_DISPATCH_PATH=hooks/secret-rotate JUJU_HOOK_NAME=secret-rotate JUJU_SECRET_ID=secret:"+id+
		" JUJU_SECRET_LABEL=conn ./dispatch")
	m.do()
	got = m.since(before, leader)
	wantTrace(t, "rotation", got, "secret-rotate", "rotate", "secret-remove", "obsolete")
	want(t, "the reader", last(t, m.since(before, "guest/0"), "changed").Result["refreshed"], "fourth")
}

// testSecretAccess: grants taken back and given to a unit; mistakes; the end of the relation.
func testSecretAccess(t *testing.T, m *model, leader, id string) {
	m.do("config vault do=5.revoke")
	m.do("config guest read=1")
	tried := last(t, m.events("guest/0", 0), "tried").Result
	want(t, "by id", tried["by id"], "ModelError: ERROR permission denied\nhint: guest/0 was not granted secret \""+id+"\"")
	want(t, "by its label, which is forgotten", tried["theirs"], notFound)
	m.do("config vault do=6.grant")
	m.do("config guest read=2")
	want(t, "granted to the unit", last(t, m.events("guest/0", 0), "tried").Result["by id"], "fourth")

	m.do("config vault do=7.mistakes")
	mistakes := last(t, m.events(leader, 0), "mistakes").Result
	want(t, "a label twice", mistakes["label"], `ModelError: ERROR secret with label "twice" already exists`)
	want(t, "a bad key", strings.HasPrefix(mistakes["key"].(string), "ValueError: Invalid secret key"), true)
	want(t, "an unknown secret", mistakes["unknown"], notFound)
	nonsense, _ := mistakes["nonsense"].(string) // ops has put the model's UUID before it
	want(t, "no id at all", strings.HasPrefix(nonsense, "ModelError: ERROR secret URI") && strings.HasSuffix(nonsense, "/nonsense\" not valid"), true)

	m.do("remove-relation vault guest")
	// It can be read as long as the relation is there; the label went with the grant that was revoked.
	want(t, "in relation-broken", last(t, m.events("guest/0", 0), "last").Result["word"], "fourth")
	m.do("config vault do=8.remove")
	if text := look(last(t, m.events(leader, 0), "remove")); !strings.Contains(text, "SecretNotFoundError") {
		t.Errorf("a removed secret: %s", text)
	}
}

// testUserSecret: a secret of the model in a charm's configuration (charm format, section 13).
func testUserSecret(t *testing.T, m *model) {
	uri := strings.TrimSpace(m.kith("add-secret", "login", "password=nigol-login"))
	m.do("config guest login=" + uri)
	want(t, "not granted", strings.HasPrefix(last(t, m.events("guest/0", 0), "tried").Result["login"].(string), "ModelError: ERROR permission denied"), true)
	m.do("grant-secret login guest", "config guest read=3")
	want(t, "granted", last(t, m.events("guest/0", 0), "tried").Result["login"], "login")
	before := m.mark("guest/0")
	m.do("update-secret login password=retal-later")
	got := m.since(before, "guest/0")
	wantTrace(t, "updated", got, "secret-changed", "changed")
	if !t.Failed() {
		want(t, "what it sees", []any{got[1].Result["label"], got[1].Result["refreshed"]}, []any{"login", "later"})
	}
}

// absent looks for planted values in what kith shows and in every file it keeps.
func absent(t *testing.T, m *model, values ...string) {
	t.Helper()
	shown := m.kith("debug-log", "--limit", "0", "--level", "TRACE") + m.kith("status", "--format", "json") +
		m.kith("show-unit", "guest/0", "vault/0") + m.kith("secrets", "--format", "json")
	for _, v := range values {
		if strings.Contains(shown, v) {
			t.Errorf("kith shows %q", v)
		}
	}
	var forms []string
	for _, v := range values {
		forms = append(forms, v, base64.StdEncoding.EncodeToString([]byte(v))[:8])
	}
	err := filepath.WalkDir(filepath.Join(m.w.dir, "h"), func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil
		}
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went while we looked
		}
		if at := slices.IndexFunc(forms, func(form string) bool { return bytes.Contains(data, []byte(form)) }); at >= 0 {
			t.Errorf("%s holds %q", name, forms[at])
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
