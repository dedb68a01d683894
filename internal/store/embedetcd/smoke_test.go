package embedetcd

import (
	"testing"
	"time"
	"kith/internal/store"
)

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	for range 4 {
		t0 := time.Now()
		s, err := Start(t.Context(), Config{Dir: dir})
		if err != nil { t.Fatal(err) }
		t1 := time.Now()
		st, err := s.Open(t.Context(), store.Identity{ID: "c"})
		if err != nil { t.Fatal(err) }
		own, err := st.Own(t.Context(), "m-1")
		if err != nil { t.Fatal(err) }
		t2 := time.Now()
		snap, err := st.Load(t.Context(), "m-1")
		if err != nil { t.Fatal(err) }
		t.Log("start", t1.Sub(t0), "own", t2.Sub(t1), snap.Revision, len(snap.Entities))
		t3 := time.Now()
		for i := range 1000 {
			err = st.Commit(t.Context(), own, store.Batch{Model: "m-1", Revision: snap.Revision + uint64(i)+1, Puts: []store.Entity{{Key: store.Key{Kind: "unit", ID: "web/0"}, Value: []byte("{}")}}, History: []byte("{}")})
			if err != nil { t.Fatal(err) }
		}
		t.Log("1000 commits", time.Since(t3))
		t4 := time.Now()
		st.Close()
		t5 := time.Now()
		s.Close()
		t.Log("close", t5.Sub(t4), time.Since(t5))
	}
}
