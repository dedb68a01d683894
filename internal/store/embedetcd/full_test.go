package embedetcd

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"kith"
	"kith/internal/store"
)

// childFills commits large batches, without looking at the disk first, until one fails.
func childFills(dir string) {
	ctx := context.Background()
	server, err := Start(ctx, Config{Dir: dir, reserve: -1 << 40})
	if err != nil {
		say(outcomeOf(err))
		return
	}
	s, err := server.Open(ctx, store.Identity{ID: "a"})
	var own store.Ownership
	if err == nil {
		own, err = s.Own(ctx, killModel)
	}
	acked := uint64(0)
	for err == nil {
		b := numbered(acked + 1)
		b.History = append(append([]byte{'"'}, bytes.Repeat([]byte{'x'}, 300_000)...), '"')
		if err = s.Commit(ctx, own, b); err == nil {
			acked++
		}
	}
	<-server.Context().Done()
	again := s.Commit(ctx, own, numbered(acked+1)) // at once, and not in doubt
	o := outcomeOf(again)
	if kith.CodeOf(err) != kith.Unavailable || !errors.Is(err, store.ErrUnknown) || errors.Is(again, store.ErrUnknown) {
		o.Message = "first: " + err.Error() + "; then: " + o.Message
		o.Code = kith.Internal
	}
	o.Acked = acked
	server.Close()
	say(o)
}

// The size limit of the database is an error with a remedy; a restart makes room.
func TestQuota(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: t.TempDir(), quota: 24 << 20, maintainBytes: 1 << 40}
	server := start(t, cfg)
	s := openStore(t, server, store.Identity{ID: "a"})
	own, err := s.Own(t.Context(), killModel)
	rev := uint64(0)
	for ; err == nil && rev < 100; rev++ {
		err = s.Commit(t.Context(), own, large(rev+1))
	}
	if kith.CodeOf(err) != kith.Unavailable || !strings.Contains(err.Error(), "size limit") || kith.HintOf(err) == "" || !errors.Is(err, store.ErrUnknown) {
		t.Fatalf("after %d batches: %v, hint %q", rev, err, kith.HintOf(err))
	}
	server.Close()

	server = start(t, cfg)
	s = openStore(t, server, store.Identity{ID: "a"})
	if own, err = s.Own(t.Context(), killModel); err != nil {
		t.Fatal(err)
	}
	snap, err := s.Load(t.Context(), killModel)
	if err != nil || snap.Revision != rev && snap.Revision != rev-1 { // etcd may apply what it then refuses
		t.Errorf("at revision %d, %d failed, %v", snap.Revision, rev, err)
	}
	if err := s.Commit(t.Context(), own, large(snap.Revision+1)); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// large is a batch of a megabyte that replaces the one before.
func large(rev uint64) store.Batch {
	value := append(append([]byte{'"'}, bytes.Repeat([]byte{'x'}, 1<<20)...), '"')
	return store.Batch{Model: killModel, Revision: rev, History: []byte("{}"), Puts: []store.Entity{{Key: store.Key{Kind: "databag", ID: "big"}, Value: value}}}
}

// Superseded versions are forgotten, so that the database does not grow for ever.
func TestCompaction(t *testing.T) {
	t.Parallel()
	server := start(t, Config{Dir: t.TempDir(), maintainBytes: 4 << 20})
	s := openStore(t, server, store.Identity{ID: "a"})
	own, err := s.Own(t.Context(), killModel)
	if err != nil {
		t.Fatal(err)
	}
	for rev := uint64(1); rev <= 100; rev++ {
		if err := s.Commit(t.Context(), own, large(rev)); err != nil {
			t.Fatal(err)
		}
		for _, err := range s.Watch(t.Context(), killModel, 1) { // from the very beginning
			if errors.Is(err, store.ErrResync) {
				return
			}
			break
		}
	}
	t.Error("100 MiB later everything is still remembered")
}
