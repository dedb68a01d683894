package store_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"kith"
	"kith/internal/store"
	"kith/internal/store/embedetcd"
)

const prefix = "/kith/1/models/" + string(model) + "/"

var limits = store.Limits{MaxTxnBytes: 1 << 20, MaxTxnOps: 128}

// older writes as the version of kith did that knew format 1.
type older struct {
	*testing.T
	client *clientv3.Client
	epoch  int64
}

// startOlder is a store of format 1 with a model that was committed to that many times.
func startOlder(t *testing.T, owner string, revision uint64) (*embedetcd.Server, *older) {
	server := startServer(t)
	o := &older{T: t, client: server.Client()}
	o.put("/kith/format", "1")
	if owner != "" {
		o.epoch = o.put(prefix+"owner", fmt.Sprintf(`{"id":%q}`, owner))
	}
	for rev := uint64(1); rev <= revision; rev++ {
		if !o.commit(rev) {
			t.Fatalf("revision %d of format 1 is refused", rev)
		}
	}
	return server, o
}

func (o *older) put(key, value string) int64 {
	o.Helper()
	resp, err := o.client.Put(o.Context(), key, value)
	if err != nil {
		o.Fatal(err)
	}
	return resp.Header.Revision
}

func (o *older) commit(rev uint64) bool {
	o.Helper()
	at := clientv3.Compare(clientv3.CreateRevision(prefix+"revision"), "=", 0)
	if rev > 1 {
		at = clientv3.Compare(clientv3.Value(prefix+"revision"), "=", fmt.Sprint(rev-1))
	}
	resp, err := o.client.Txn(o.Context()).
		If(clientv3.Compare(clientv3.ModRevision(prefix+"owner"), "=", o.epoch), at).
		Then(clientv3.OpPut("/kith/1/index/"+string(model), "{}"),
			clientv3.OpPut(prefix+"revision", fmt.Sprint(rev)),
			clientv3.OpPut(fmt.Sprintf("%shistory/%020d", prefix, rev), fmt.Sprintf(`{"n":%d}`, rev)),
			clientv3.OpPut(prefix+"unit/web/0", fmt.Sprint(rev))).
		Commit()
	if err != nil {
		o.Fatal(err)
	}
	return resp.Succeeded
}

func (o *older) value(key string) string {
	o.Helper()
	resp, err := o.client.Get(o.Context(), key)
	if err != nil {
		o.Fatal(err)
	}
	if len(resp.Kvs) == 0 {
		return ""
	}
	return string(resp.Kvs[0].Value)
}

func openAs(t *testing.T, server *embedetcd.Server, id string) *store.Etcd {
	t.Helper()
	return openStore(t, store.Config{Client: server.Client(), Identity: store.Identity{ID: id}, Limits: limits})
}

// wantModel demands a revision, the unit as of it, and every record up to it.
func wantModel(t *testing.T, s store.Store, rev uint64) {
	t.Helper()
	snap, err := s.Load(t.Context(), model)
	if err != nil || snap.Revision != rev || len(snap.Entities) != 1 || string(snap.Entities[0].Value) != fmt.Sprint(rev) {
		t.Errorf("got %+v, %v, want revision %d", snap, err, rev)
	}
	records, err := s.History(t.Context(), model, 0, 1<<40, 0, store.NewestFirst)
	if err != nil || uint64(len(records)) != rev {
		t.Errorf("got %d records, %v, want %d", len(records), err, rev)
	}
}

// A store of format 1 is upgraded: the format at once, a model when it is owned. What it
// holds stays as it is, and the older controller, should it still run, can write no more.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	server, old := startOlder(t, "a", 3)
	s := openAs(t, server, "a")
	if got := old.value("/kith/format"); got != fmt.Sprint(store.Format) {
		t.Errorf("the format is %s", got)
	}
	wantModel(t, s, 3)
	if models, err := s.Models(t.Context()); err != nil || len(models) != 1 || models[0] != model {
		t.Errorf("got models %v, %v", models, err)
	}
	if !old.commit(4) {
		t.Fatal("a model that nobody has owned since was changed")
	}

	own := acquire(t, s)
	wantModel(t, s, 4)
	if old.commit(5) {
		t.Error("the older controller committed to a model that was taken over")
	}
	old.epoch = old.put(prefix+"owner", `{"id":"old"}`) // it tries to own it again
	if _, err := strconv.ParseUint(old.value(prefix+"revision"), 10, 64); err == nil || old.commit(5) || old.commit(1) {
		t.Error("the older controller owned and loaded a model in its new form")
	}
	if err := s.Commit(t.Context(), own, put(5, "unit", "web/0", "5")); err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, 5)

	again := openAs(t, server, "a")
	own = acquire(t, again)
	wantModel(t, again, 5)
	if err := again.Commit(t.Context(), own, put(6, "unit", "web/0", "6")); err != nil {
		t.Error(err)
	}
	if err := again.RemoveModel(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	if resp, err := server.Client().Get(t.Context(), prefix, clientv3.WithPrefix(), clientv3.WithKeysOnly()); err != nil || len(resp.Kvs) != 0 {
		t.Errorf("left of the removed model: %v, %v", resp.Kvs, err)
	}
}

// I2: a model that a controller of an older version still owns is its own, until it lets go.
func TestUpgradeWhileOwned(t *testing.T) {
	t.Parallel()
	for _, committed := range []uint64{0, 2} {
		server, old := startOlder(t, "old", committed)
		s := openAs(t, server, "new")
		_, err := s.Own(t.Context(), model)
		if !errors.Is(err, store.ErrOwned) || kith.CodeOf(err) != kith.Conflict || !strings.Contains(err.Error(), `"old"`) {
			t.Errorf("got %v", err)
		}
		if owner, err := s.Owner(t.Context(), model); err != nil || owner.ID != "old" {
			t.Errorf("got owner %v, %v", owner, err)
		}
		if !old.commit(committed + 1) {
			t.Error("the older controller is disturbed")
		}
		wantModel(t, s, committed+1)
		if _, err := server.Client().Delete(t.Context(), prefix+"owner"); err != nil {
			t.Fatal(err)
		}
		own := acquire(t, s)
		rev := committed + 2
		if err := s.Commit(t.Context(), own, put(rev, "unit", "web/0", fmt.Sprint(rev))); err != nil {
			t.Error(err)
		}
		wantModel(t, s, rev)
	}
}

// What contradicts itself is not upgraded, and not loaded.
func TestDamagedKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct { // any order: each has its own server
		damage func(*older)
		says   string
	}{
		"revision ahead": {func(o *older) { o.put(prefix+"revision", "9") }, `its revision is "9" and its newest history record 3`},
		"no number":      {func(o *older) { o.put(prefix+"revision", "x") }, `its revision is "x" and its newest history record 3`},
		"no newest": {func(o *older) { o.client.Delete(o.Context(), fmt.Sprintf("%shistory/%020d", prefix, 3)) },
			`its revision is "3" and its newest history record 2`},
	} {
		server, old := startOlder(t, "a", 3)
		c.damage(old)
		_, err := openAs(t, server, "a").Own(t.Context(), model)
		if kith.CodeOf(err) != kith.Conflict || !strings.Contains(err.Error(), c.says) || !strings.Contains(kith.HintOf(err), "backup") {
			t.Errorf("%s: got %v, hint %q", name, err, kith.HintOf(err))
		}
	}
	for gone, says := range map[string]string{"history/00000000000000000002": "a history record is missing", "history/0": "it has no history record"} { // any order: each has its own server
		server, old := startOlder(t, "a", 3)
		s := openAs(t, server, "a")
		acquire(t, s)
		if _, err := old.client.Delete(t.Context(), prefix+gone, clientv3.WithPrefix()); err != nil {
			t.Fatal(err)
		}
		_, err := s.Load(t.Context(), model)
		if kith.CodeOf(err) != kith.Conflict || !strings.Contains(err.Error(), says) || !strings.Contains(kith.HintOf(err), "backup") {
			t.Errorf("%s: got %v, hint %q", gone, err, kith.HintOf(err))
		}
	}
}
