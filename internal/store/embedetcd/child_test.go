package embedetcd

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"kith"
	"kith/internal/store"
)

// What must be done to a process that may die is done by this test binary, started
// again with a role.
const (
	roleVar = "KITH_STORE_TEST_ROLE"
	dirVar  = "KITH_STORE_TEST_DIR"
)

func TestMain(m *testing.M) {
	dir := os.Getenv(dirVar)
	switch os.Getenv(roleVar) {
	case "":
		os.Exit(m.Run())
	case "commit":
		childCommits(dir)
	case "start":
		childStarts(dir)
	case "fill":
		childFills(dir)
	case "rest":
		childRests(dir)
	}
}

func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"="+role, dirVar+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// outcome is what a child says of an attempt: one line of JSON.
type outcome struct {
	Code    kith.Code
	Message string
	Hint    string
	Acked   uint64 // the last revision that was acknowledged
}

func say(o outcome) {
	json.NewEncoder(os.Stdout).Encode(o)
}

func outcomeOf(err error) outcome {
	if err == nil {
		return outcome{}
	}
	return outcome{Code: kith.CodeOf(err), Message: err.Error(), Hint: kith.HintOf(err)}
}

// childStarts starts a server, opens a store, loads the model, and says how it went.
func childStarts(dir string) {
	server, err := Start(context.Background(), Config{Dir: dir})
	if err == nil {
		defer server.Close()
		var s *store.Etcd
		if s, err = server.Open(context.Background(), store.Identity{ID: "child"}); err == nil {
			_, err = s.Load(context.Background(), killModel)
		}
	}
	say(outcomeOf(err))
}

const (
	killModel = kith.ModelUUID("6d1b8d30-7a52-44c8-9d5a-0a7b4c0f7a11")
	killUnits = 5
)

// numbered is a batch that can be recognised: every unit holds its revision.
func numbered(rev uint64) store.Batch {
	b := store.Batch{Model: killModel, Revision: rev, History: strconv.AppendUint(nil, rev, 10)}
	for i := range killUnits {
		b.Puts = append(b.Puts, store.Entity{Key: store.Key{Kind: "unit", ID: fmt.Sprint("web/", i)}, Value: b.History})
	}
	// A key that comes and goes: there after odd revisions, gone after even ones.
	if odd := (store.Key{Kind: "odd", ID: "one"}); rev%2 == 1 {
		b.Puts = append(b.Puts, store.Entity{Key: odd, Value: b.History})
	} else {
		b.Deletes = []store.Key{odd}
	}
	return b
}

// childCommits commits batches for ever, and says the number of each that was acknowledged.
func childCommits(dir string) {
	ctx := context.Background()
	fmt.Println(0) // about to start
	server, err := Start(ctx, Config{Dir: dir})
	if err != nil {
		panic(err)
	}
	s, err := server.Open(ctx, store.Identity{ID: "child"})
	if err != nil {
		panic(err)
	}
	own, err := s.Own(ctx, killModel)
	if err != nil {
		panic(err)
	}
	snap, err := s.Load(ctx, killModel)
	if err != nil {
		panic(err)
	}
	for rev := snap.Revision + 1; ; rev++ {
		if err := s.Commit(ctx, own, numbered(rev)); err != nil {
			panic(err)
		}
		fmt.Println(rev)
	}
}

// lines reads numbers from a child until it ends, and calls each for each.
func lines(t *testing.T, cmd *exec.Cmd, each func(n int, rev uint64)) (last uint64) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for n := 1; scanner.Scan(); n++ {
		rev, err := strconv.ParseUint(scanner.Text(), 10, 64)
		if err != nil {
			t.Errorf("the child said %q", scanner.Text())
			break
		}
		last = max(last, rev)
		each(n, rev)
	}
	cmd.Wait() // it was killed: that it ended is all there is to know
	return last
}

func ask(t *testing.T, role, dir string) outcome {
	t.Helper()
	out, err := child(t, role, dir).Output()
	var o outcome
	if jerr := json.Unmarshal(out, &o); err != nil || jerr != nil {
		t.Fatalf("the child died: %v; it said %q", err, out)
	}
	return o
}
