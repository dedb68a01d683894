package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"kith"
	"kith/charm"
	"kith/internal/api"
	"kith/internal/controller"
	"kith/internal/core"
)

// workers is how many simulated hooks are committed at once.
const workers = 128

// bench is a controller on an embedded etcd with a simulated agent: everything is
// real but the charm processes, whose hooks write nothing and take no time.
type bench struct {
	ctl    *controller.Controller
	wg     sync.WaitGroup
	cancel context.CancelFunc
	close  func()
}

func newBench(ctx context.Context, dir string) (*bench, error) {
	_, st, done, err := openEtcd(ctx, dir)
	if err != nil {
		return nil, err
	}
	b := &bench{close: done}
	keys, err := controller.NewKeys(make([]byte, benchSecretLen))
	if err == nil {
		b.ctl, err = controller.Open(ctx, controller.Options{Store: st, Keys: keys})
	}
	if err != nil {
		b.stop()
		return nil, err
	}
	runCtx, cancel := context.WithCancel(ctx)
	b.cancel = cancel
	b.wg.Go(func() { _ = b.ctl.Run(runCtx) })
	b.wg.Go(func() { b.agent(runCtx) })
	return b, nil
}

func (b *bench) stop() {
	if b.cancel != nil {
		b.cancel()
	}
	b.wg.Wait()
	b.close()
}

// agent takes units up and commits every hook it is given at once.
func (b *bench) agent(ctx context.Context) {
	session, units, err := b.ctl.Connect(ctx, core.DefaultHost, "bench")
	if err != nil {
		return
	}
	defer b.ctl.Disconnect(session)
	jobs := make(chan func(), workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for job := range jobs {
				job()
			}
		})
	}
	defer wg.Wait()
	defer close(jobs)
	for _, u := range units.Units {
		jobs <- func() { b.hello(ctx, u) }
	}
	var pending []func()
	for {
		events, err := session.Next(ctx)
		if err != nil {
			return
		}
		pending = pending[:0]
		for _, e := range events {
			switch {
			case e.Hold != nil && !e.Hold.Present:
				pending = append(pending, func() { b.hello(ctx, *e.Hold) })
			case e.Run != nil:
				pending = append(pending, func() { b.commit(ctx, e.Run) })
			}
		}
		for _, job := range pending {
			jobs <- job
		}
	}
}

func (b *bench) hello(ctx context.Context, u api.HostUnit) {
	if m, err := b.ctl.Model(string(u.Model)); err == nil {
		_, _ = m.Submit(ctx, core.System, core.UnitHello{Unit: u.Unit})
	}
}

// commit ends a hook. A refusal means that the hook was run already.
func (b *bench) commit(ctx context.Context, a *api.Assignment) {
	m, err := b.ctl.Model(string(a.Model))
	if err != nil {
		return
	}
	_, _ = m.Submit(ctx, core.UnitActor(a.Unit), core.CommitHook{Unit: a.Unit, Seq: a.Seq, Hook: a.Hook})
}

// model makes a model with one application per charm, n units each, and settles it.
func (b *bench) model(ctx context.Context, name string, units map[string]int, charms ...charm.Charm) (*controller.Model, error) {
	for {
		_, err := b.ctl.CreateModel(ctx, benchAdmin, api.CreateModel{Name: name})
		if err == nil {
			break
		}
		if kith.CodeOf(err) != kith.Unavailable || ctx.Err() != nil { // Unavailable: Run is still starting
			return nil, err
		}
		runtime.Gosched()
	}
	m, err := b.ctl.Model(name)
	if err != nil {
		return nil, err
	}
	for _, c := range charms {
		if _, err := m.Submit(ctx, benchAdmin, core.AddCharm{ID: c.Meta.Name, Charm: c}); err != nil {
			return nil, err
		}
		deploy := core.Deploy{App: kith.AppName(c.Meta.Name), Charm: c.Meta.Name, Units: units[c.Meta.Name]}
		if _, err := m.Submit(ctx, benchAdmin, deploy); err != nil {
			return nil, err
		}
	}
	return m, settle(ctx, m)
}

func settle(ctx context.Context, m *controller.Model) error {
	reply, err := m.Settle(ctx, 10*time.Minute)
	if err == nil && !reply.Settled {
		err = fmt.Errorf("not settled: %d units are busy", len(reply.Busy))
	}
	return err
}

// delivered is how many hooks the units of a model have run.
func delivered(m *controller.Model) int {
	n := 0
	s := m.Snapshot()
	for u := range s.Units() {
		n += int(s.Progress(u.Name).Seq)
	}
	return n
}

// heap is the live heap in bytes.
func heap() float64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return float64(s.HeapAlloc)
}

func measureScale(ctx context.Context, e *env) ([]row, error) {
	rows, err := measureUnits(ctx, e)
	if err != nil {
		return nil, err
	}
	peers, err := measurePeers(ctx, e)
	if err != nil {
		return nil, err
	}
	pairs, err := measurePairs(ctx, e)
	if err != nil {
		return nil, err
	}
	return append(append(rows, peers...), pairs...), nil
}

// measureUnits starts a model of 1,000 units.
func measureUnits(ctx context.Context, e *env) ([]row, error) {
	const n = 1000
	b, err := newBench(ctx, filepath.Join(e.temp, "units"))
	if err != nil {
		return nil, err
	}
	defer b.stop()
	if _, err := b.model(ctx, "warm", nil); err != nil {
		return nil, err
	}
	before := heap()
	begin := time.Now()
	m, err := b.model(ctx, "units", map[string]int{"alpha": n}, benchCharm("alpha", kith.Provider))
	if err != nil {
		return nil, err
	}
	took := time.Since(begin)
	return []row{
		report("1000 units, deploy to settled", took.Seconds(), "s"),
		report("1000 units, events delivered", float64(delivered(m))/took.Seconds(), "events/s"),
		report("memory per unit", (heap()-before)/n/1024, "KiB"),
	}, nil
}

// measurePeers starts 100 units with a peer relation among them.
func measurePeers(ctx context.Context, e *env) ([]row, error) {
	b, err := newBench(ctx, filepath.Join(e.temp, "peers"))
	if err != nil {
		return nil, err
	}
	defer b.stop()
	c := charm.Charm{Meta: charm.Meta{Name: "ring", Peers: map[string]charm.Relation{
		"ring": {Name: "ring", Role: kith.Peer, Interface: "ring", Scope: kith.Global}}}}
	begin := time.Now()
	m, err := b.model(ctx, "peers", map[string]int{"ring": 100}, c)
	if err != nil {
		return nil, err
	}
	took := time.Since(begin)
	return []row{
		report("peer relation of 100, deploy to settled", took.Seconds(), "s"),
		report("peer relation of 100, events delivered", float64(delivered(m))/took.Seconds(), "events/s"),
	}, nil
}

// flatWithin is what "flat" allows the cost of an event to grow by from 10 units to 1,000.
const flatWithin = 1.5

// measurePairs integrates n units with n, for growing n, and compares the cost of an event.
func measurePairs(ctx context.Context, e *env) ([]row, error) {
	var rows []row
	var first, last float64
	for _, n := range []int{5, 50, 500} {
		fmt.Fprintf(os.Stderr, "scale: %d units with %d\n", n, n)
		cost, rate, err := measurePairOf(ctx, e, n)
		if err != nil {
			return nil, err
		}
		if first == 0 {
			first = cost
		}
		last = cost
		rows = append(rows, report(fmt.Sprintf("%dx%d relation, events delivered", n, n), rate, "events/s"))
	}
	return append(rows, atMost("cost of an event, 1000 units", last, first, "the cost beside 10 units", "us", flatWithin)), nil
}

// pairEvents is the fewest events a figure is made of: small relations are made and
// removed again until they have delivered so many.
const pairEvents = 20000

// pairTime is how long one relation is watched: 500 units with 500 have a million events
// to deliver, and the rate is the same after some seconds as after minutes.
const pairTime = 40 * time.Second

func measurePairOf(ctx context.Context, e *env, n int) (cost, rate float64, err error) {
	b, err := newBench(ctx, filepath.Join(e.temp, fmt.Sprint("pairs", n)))
	if err != nil {
		return 0, 0, err
	}
	defer b.stop()
	units := map[string]int{"alpha": n, "beta": n}
	m, err := b.model(ctx, "pairs", units, benchCharm("alpha", kith.Provider), benchCharm("beta", kith.Requirer))
	if err != nil {
		return 0, 0, err
	}
	var took time.Duration
	events := 0
	for events < pairEvents {
		before, begin := delivered(m), time.Now()
		if _, err := m.Submit(ctx, benchAdmin, integrate); err != nil {
			return 0, 0, err
		}
		if _, err := m.Settle(ctx, pairTime); err != nil {
			return 0, 0, err
		}
		took += time.Since(begin)
		events += delivered(m) - before
		if events >= pairEvents {
			break
		}
		if _, err := m.Submit(ctx, benchAdmin, separate); err != nil {
			return 0, 0, err
		}
		if err := settle(ctx, m); err != nil {
			return 0, 0, err
		}
	}
	perEvent := float64(took.Microseconds()) / float64(events)
	return perEvent, 1e6 / perEvent, nil
}
