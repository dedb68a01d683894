package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/core"
	"kith/internal/store"
	"kith/internal/store/embedetcd"
)

// How much is committed: by so many units at once, and by one alone.
const (
	committers     = 64
	commitsEach    = 300
	commitsAlone   = 1000
	commitKeys     = 5
	warmupCommits  = 50
	rawPrefix      = "/bench-raw/"
	benchSecretLen = 32
)

// recorder is the store with every batch kept, so that it can be written again raw.
type recorder struct {
	store.Store
	mu      sync.Mutex
	batches []store.Batch
}

func (r *recorder) Commit(ctx context.Context, own store.Ownership, b store.Batch) error {
	r.mu.Lock()
	r.batches = append(r.batches, b)
	r.mu.Unlock()
	return r.Store.Commit(ctx, own, b)
}

func (r *recorder) take() []store.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.batches
	r.batches = nil
	return taken
}

// measureCommit commits hooks through a controller on an embedded etcd, then
// writes the very same bytes, batched the very same way, as plain transactions to the
// same etcd.
func measureCommit(ctx context.Context, e *env) ([]row, error) {
	server, st, done, err := openEtcd(ctx, filepath.Join(e.temp, "etcd"))
	if err != nil {
		return nil, err
	}
	defer done()
	rec := &recorder{Store: st}
	m, stop, err := benchModel(ctx, rec)
	if err != nil {
		return nil, err
	}
	defer stop()

	if err := submitAll(ctx, m, makeCommits(m, committers, warmupCommits)); err != nil {
		return nil, err
	}
	rec.take()
	work := makeCommits(m, committers, commitsEach)
	begin := time.Now()
	if err := submitAll(ctx, m, work); err != nil {
		return nil, err
	}
	ours := time.Since(begin)
	batches := rec.take()
	raw, err := replay(ctx, server.Client(), batches)
	if err != nil {
		return nil, err
	}
	total := float64(committers * commitsEach)

	var alone, rawAlone []time.Duration
	for range commitsAlone {
		commit := makeCommits(m, 1, 1)[0][0]
		begin := time.Now()
		if _, err := m.Submit(ctx, core.UnitActor(commit.Unit), commit); err != nil {
			return nil, err
		}
		alone = append(alone, time.Since(begin))
		begin = time.Now()
		if _, err := replay(ctx, server.Client(), rec.take()); err != nil {
			return nil, err
		}
		rawAlone = append(rawAlone, time.Since(begin))
	}
	return []row{
		atLeast("64 at once", total/ours.Seconds(), total/raw.Seconds(), "raw transactions, same bytes and batching", "commits/s", 0.7),
		atMost("one at a time", median(alone), median(rawAlone), "one raw transaction of the same bytes", "ms", 1.5),
		report("commits per transaction", total/float64(len(batches)), "commits"),
	}, nil
}

// openEtcd starts an embedded etcd and opens a store on it, until done is called.
func openEtcd(ctx context.Context, dir string) (server *embedetcd.Server, st *store.Etcd, done func(), err error) {
	if server, err = embedetcd.Start(ctx, embedetcd.Config{Dir: dir}); err != nil {
		return nil, nil, nil, err
	}
	if st, err = server.Open(ctx, store.Identity{ID: "bench"}); err != nil {
		server.Close()
		return nil, nil, nil, err
	}
	return server, st, func() { st.Close(); server.Close() }, nil
}

// benchModel is a running controller with one model: two applications of enough
// units, related, everybody in scope.
func benchModel(ctx context.Context, st store.Store) (*controller.Model, func(), error) {
	keys, err := controller.NewKeys(make([]byte, benchSecretLen))
	if err != nil {
		return nil, nil, err
	}
	ctl, err := controller.Open(ctx, controller.Options{Store: st, Keys: keys})
	if err != nil {
		return nil, nil, err
	}
	runCtx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = ctl.Run(runCtx)
	}()
	stop := func() {
		cancel()
		<-done
	}
	m, err := fill(ctx, ctl)
	if err != nil {
		stop()
		return nil, nil, err
	}
	return m, stop, nil
}

var benchAdmin = core.Actor{Kind: core.ActorUser, Name: "admin"}

func benchCharm(name string, role kith.Role) charm.Charm {
	link := map[string]charm.Relation{"link": {Name: "link", Role: role, Interface: "link", Scope: kith.Global}}
	c := charm.Charm{Meta: charm.Meta{Name: name}}
	if role == kith.Provider {
		c.Meta.Provides = link
	} else {
		c.Meta.Requires = link
	}
	return c
}

func fill(ctx context.Context, ctl *controller.Controller) (*controller.Model, error) {
	for ctl.Models() == nil { // Run has begun once a model can be made
		if _, err := ctl.CreateModel(ctx, benchAdmin, api.CreateModel{Name: "bench"}); err == nil {
			break
		}
	}
	m, err := ctl.Model("bench")
	if err != nil {
		return nil, err
	}
	ops := []core.Op{
		core.AddCharm{ID: "alpha", Charm: benchCharm("alpha", kith.Provider)},
		core.AddCharm{ID: "beta", Charm: benchCharm("beta", kith.Requirer)},
		core.Deploy{App: "alpha", Charm: "alpha", Units: committers},
		core.Deploy{App: "beta", Charm: "beta", Units: 1},
		core.Integrate{A: kith.Endpoint{App: "alpha"}, B: kith.Endpoint{App: "beta"}},
	}
	for _, op := range ops {
		if _, err := m.Submit(ctx, benchAdmin, op); err != nil {
			return nil, err
		}
	}
	for i := range committers {
		u := kith.UnitOf("alpha", i)
		steps := []struct {
			actor core.Actor
			op    core.Op
		}{
			{core.System, core.UnitHello{Unit: u}},
			{core.UnitActor(u), core.CommitHook{Unit: u, Seq: 1, Hook: core.Hook{Kind: core.Install, Charm: "alpha"}}},
			{core.System, core.EnterScopes{Unit: u, Relations: []kith.RelationID{0}}},
		}
		for _, s := range steps {
			if _, err := m.Submit(ctx, s.actor, s.op); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// makeCommits makes so many hook commits for each of so many units, to be sent one after another.
func makeCommits(m *controller.Model, units, each int) [][]core.CommitHook {
	work := make([][]core.CommitHook, units)
	for i := range work {
		u := kith.UnitOf("alpha", i)
		seq := m.Snapshot().Progress(u).Seq
		for range each {
			seq++
			set := make(map[string]string, commitKeys)
			for k := range commitKeys {
				set[fmt.Sprintf("key-%d", k)] = fmt.Sprintf("value %d of hook %d", k, seq)
			}
			work[i] = append(work[i], core.CommitHook{
				Unit: u, Seq: seq, Hook: core.Hook{Kind: core.UpdateStatus},
				Effects: core.Effects{Bags: []core.BagWrite{{Relation: 0, Set: set}}},
			})
		}
	}
	return work
}

// submitAll lets every unit send its commits, one after another, all units at once.
func submitAll(ctx context.Context, m *controller.Model, work [][]core.CommitHook) error {
	var units errgroup.Group
	for _, commits := range work {
		units.Go(func() error {
			for _, c := range commits {
				if _, err := m.Submit(ctx, core.UnitActor(c.Unit), c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return units.Wait()
}

// replay writes batches as plain transactions under another prefix.
func replay(ctx context.Context, client *clientv3.Client, batches []store.Batch) (time.Duration, error) {
	var txns [][]clientv3.Op
	for _, b := range batches {
		prefix := rawPrefix + string(b.Model) + "/"
		var ops []clientv3.Op
		for _, p := range b.Puts {
			ops = append(ops, clientv3.OpPut(prefix+p.Key.String(), string(p.Value)))
		}
		for _, k := range b.Deletes {
			ops = append(ops, clientv3.OpDelete(prefix+k.String()))
		}
		ops = append(ops, clientv3.OpPut(fmt.Sprintf("%shistory/%020d", prefix, b.Revision), string(b.History)))
		txns = append(txns, ops)
	}
	begin := time.Now()
	for _, ops := range txns {
		if _, err := client.Txn(ctx).Then(ops...).Commit(); err != nil {
			return 0, err
		}
	}
	return time.Since(begin), nil
}
