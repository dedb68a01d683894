package embedetcd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"kith/internal/store"
)

// I4, I1: kill -9 at any moment, while starting or while committing, loses no batch
// that was acknowledged, and leaves none half applied.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 8
	if testing.Short() {
		rounds = 3
	}
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	dir := t.TempDir()
	acked := uint64(0)
	for round := range rounds {
		after := 1 // in every other round, while it starts
		if round%2 == 1 {
			after += 1 + rnd.IntN(400)
		}
		cmd := child(t, "commit", dir)
		last := lines(t, cmd, func(n int, _ uint64) {
			if n == after {
				cmd.Process.Kill()
			}
		})
		acked = max(acked, last)
		checkNumbered(t, dir, acked)
	}
	if acked < uint64(rounds/2) {
		t.Errorf("only %d batches were acknowledged in %d rounds", acked, rounds)
	}
}

// checkNumbered demands that the model is exactly as some batch left it, and not
// before the one that was acknowledged.
func checkNumbered(t *testing.T, dir string, acked uint64) {
	t.Helper()
	server, err := Start(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s := openStore(t, server, store.Identity{ID: "parent"})
	defer s.Close()
	snap, err := s.Load(t.Context(), killModel)
	if err != nil {
		t.Fatal(err)
	}
	if snap.Revision < acked {
		t.Fatalf("revision %d was acknowledged, and the model is at %d", acked, snap.Revision)
	}
	if snap.Revision == 0 {
		return
	}
	want := int(killUnits + snap.Revision%2)
	for _, e := range snap.Entities {
		if string(e.Value) != fmt.Sprint(snap.Revision) {
			t.Errorf("%s is %s at revision %d", e.Key, e.Value, snap.Revision)
		}
	}
	if len(snap.Entities) != want {
		t.Errorf("%d entities at revision %d, want %d", len(snap.Entities), snap.Revision, want)
	}
	history, err := s.History(t.Context(), killModel, 0, math.MaxUint64, 0, store.OldestFirst)
	if err != nil || uint64(len(history)) != snap.Revision {
		t.Fatalf("%d records at revision %d, %v", len(history), snap.Revision, err)
	}
	for i, r := range history {
		if r.Revision != uint64(i+1) || string(r.Value) != fmt.Sprint(i+1) {
			t.Errorf("record %d is %+v", i+1, r)
		}
	}
}

// I4, I2: a restart finds everything, and the controller takes back at once what it
// owned when it was killed (its lease has not ended).
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id := store.Identity{ID: "me"}
	for round := range uint64(3) {
		server := start(t, Config{Dir: dir})
		s := openStore(t, server, id)
		own, err := s.Own(t.Context(), killModel)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := s.Load(t.Context(), killModel)
		if err != nil || snap.Revision != 150*round {
			t.Fatalf("round %d: at revision %d, %v", round, snap.Revision, err)
		}
		for rev := snap.Revision + 1; rev <= 150*(round+1); rev++ {
			if err := s.Commit(t.Context(), own, numbered(rev)); err != nil {
				t.Fatal(err)
			}
		}
		server.Close() // the store is not closed: the ownership stays behind
	}
	checkNumbered(t, dir, 450)
}
