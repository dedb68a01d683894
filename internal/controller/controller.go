package controller

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// Options are what a controller is made of. Store and Keys are needed.
type Options struct {
	Store     store.Store
	Keys      *Keys
	Blobs     *Blobs   // nil: charms are not checked to be there
	Clock     Clock    // nil: the system's
	Metrics   *Metrics // nil: nothing is counted
	Log       *slog.Logger
	Retention Retention
	// Removed is called when a model is gone for good, by the goroutine that removed it.
	Removed func(kith.ModelUUID)
}

// Controller serves the models of one store that it owns.
type Controller struct {
	opt Options

	mu       sync.Mutex
	models   map[kith.ModelUUID]*Model
	foreign  map[kith.ModelUUID]foreign // models that another controller serves
	sessions map[string]*Session
	left     map[string]time.Time // hosts whose session has ended, and when
	running  func(m *Model)       // starts a model's loop; nil while the controller does not run
	naming   map[string]struct{}  // names being given to new models
	blocks   map[uint32]struct{}  // address blocks in use
	started  time.Time
}

// Open takes over the store's models and loads them. Run serves them.
func Open(ctx context.Context, opt Options) (*Controller, error) {
	if opt.Clock == nil {
		opt.Clock = SystemClock{}
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	c := &Controller{opt: opt, models: make(map[kith.ModelUUID]*Model), foreign: make(map[kith.ModelUUID]foreign),
		sessions: make(map[string]*Session), left: make(map[string]time.Time),
		naming: make(map[string]struct{}), blocks: make(map[uint32]struct{}), started: opt.Clock.Now()}
	ids, err := opt.Store.Models(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		m, err := c.open(ctx, id)
		switch {
		case err == nil:
			c.add(m)
		case Fenced(err):
			c.foreign[id] = foreign{c.peek(ctx, id), err}
			opt.Log.Warn("another controller serves a model", "model", id, "error", err)
		default:
			return nil, err
		}
	}
	return c, nil
}

// foreign is a model that another controller serves: what it was when we looked, and why it is not ours.
type foreign struct {
	api.Model
	err error
}

// peek sums up a model without owning it. What cannot be read is left out: it is there to be named.
func (c *Controller) peek(ctx context.Context, id kith.ModelUUID) api.Model {
	sum := api.Model{UUID: id}
	snap, err := c.opt.Store.Load(ctx, id)
	if err != nil {
		c.opt.Log.Warn("cannot look at a model of another controller", "model", id, "error", err)
	}
	for _, e := range snap.Entities {
		switch core.Kind(e.Kind) {
		case core.KindModel:
			if row, err := core.Decode(core.KindModel, e.ID, e.Value); err == nil {
				if info, ok := row.(*core.ModelInfo); ok {
					sum.Name, sum.Owner, sum.Life, sum.Created = info.Name, info.Owner, info.Life, info.Created
				}
			}
		case core.KindApp:
			sum.Apps++
		case core.KindUnit:
			sum.Units++
		case core.KindMachine:
			sum.Machines++
		}
	}
	return sum
}

// open owns and loads one model.
func (c *Controller) open(ctx context.Context, id kith.ModelUUID) (*Model, error) {
	own, err := c.opt.Store.Own(ctx, id)
	if err != nil {
		return nil, err
	}
	m := newModel(c, own)
	return m, m.engine.Reload(ctx, c.opt.Clock.Now())
}

// add registers a model. The caller holds the lock, or is alone.
func (c *Controller) add(m *Model) {
	c.models[m.ID] = m
	if info := m.Snapshot().Info(); info != nil {
		c.blocks[info.AddressBase] = struct{}{}
	}
}

// Run serves the models until ctx ends, and gives them up.
func (c *Controller) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	start := func(m *Model) { loops.Go(func() { m.Run(ctx) }) }
	c.mu.Lock()
	c.running = start
	for _, id := range sortedKeys(c.models) {
		start(c.models[id])
	}
	c.mu.Unlock()
	c.prune(ctx)
	c.mu.Lock()
	c.running = nil
	models := c.models
	c.models = make(map[kith.ModelUUID]*Model)
	for _, s := range c.sessions { // any order: all of them end
		s.end(kith.Errorf(kith.Unavailable, "the controller is shutting down"))
	}
	c.mu.Unlock()
	loops.Wait()
	// The models are free for others at once; a lease that must run out would keep them waiting.
	giveUp, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	for _, id := range sortedKeys(models) {
		if err := c.opt.Store.Release(giveUp, models[id].engine.own); err != nil {
			return err
		}
	}
	return nil
}

// releaseTimeout bounds the farewell to a store that may be away.
const releaseTimeout = 5 * time.Second

// Model finds a model by UUID or name. Errors: NotFound; Unavailable if another
// controller serves it.
func (c *Controller) Model(ref string) (*Model, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.models[kith.ModelUUID(ref)]; m != nil {
		return m, nil
	}
	for _, id := range sortedKeys(c.models) {
		if info := c.models[id].Snapshot().Info(); info != nil && info.Name == ref {
			return c.models[id], nil
		}
	}
	for _, id := range sortedKeys(c.foreign) {
		if f := c.foreign[id]; string(id) == ref || f.Name == ref {
			return nil, kith.Errorf(kith.Unavailable, "cannot serve model %q: %v", cmp.Or(f.Name, ref), f.err).
				WithHint("%s", hintOr(f.err, "ask the other controller"))
		}
	}
	return nil, kith.Errorf(kith.NotFound, "model %q not found", ref).WithHint("see 'kith models'")
}

// Models lists the models by name, those that others serve among them: Stopped says so.
func (c *Controller) Models() []api.Model {
	var list []api.Model
	for _, m := range c.all() {
		snapshot := m.Snapshot()
		if snapshot.Info() == nil {
			continue
		}
		s := api.ModelOf(snapshot)
		if err := m.Ended(); err != nil {
			s.Stopped = err.Error()
		}
		list = append(list, s)
	}
	c.mu.Lock()
	for _, id := range sortedKeys(c.foreign) {
		f := c.foreign[id]
		f.Stopped = f.err.Error()
		list = append(list, f.Model)
	}
	c.mu.Unlock()
	slices.SortFunc(list, func(a, b api.Model) int { return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.UUID, b.UUID)) })
	return list
}

// all lists the models in order of UUID.
func (c *Controller) all() []*Model {
	c.mu.Lock()
	defer c.mu.Unlock()
	models := make([]*Model, 0, len(c.models))
	for _, id := range sortedKeys(c.models) {
		models = append(models, c.models[id])
	}
	return models
}

// Started is when the controller was opened.
func (c *Controller) Started() time.Time { return c.started }

// CreateModel makes a model. Errors: Conflict if the name is taken.
func (c *Controller) CreateModel(ctx context.Context, actor core.Actor, req api.CreateModel) (api.Model, error) {
	base, release, err := c.reserve(req.Name)
	if err != nil {
		return api.Model{}, err
	}
	defer release()
	m, err := c.open(ctx, kith.ModelUUID(uuid.NewString()))
	if err != nil {
		return api.Model{}, err
	}
	if err := c.start(m); err != nil {
		return api.Model{}, err
	}
	owner := cmp.Or(req.Owner, actor.Name)
	_, err = m.Submit(ctx, actor, core.CreateModel{UUID: m.ID, ModelName: req.Name, Owner: owner, Config: req.Config, AddressBase: base})
	if err != nil {
		c.discard(m)
		return api.Model{}, err
	}
	c.mu.Lock()
	c.add(m)
	sessions := make([]*Session, 0, len(c.sessions))
	for _, host := range sortedKeys(c.sessions) {
		sessions = append(sessions, c.sessions[host])
	}
	c.mu.Unlock()
	for _, s := range sessions {
		if _, _, err := m.connect(ctx, s); err != nil {
			s.end(err) // the agent connects again, and finds the model then
		}
	}
	return api.ModelOf(m.Snapshot()), nil
}

// reserve takes a name and an address block for a model that is being made.
func (c *Controller) reserve(name string) (base uint32, release func(), err error) {
	if _, err := c.Model(name); kith.CodeOf(err) != kith.NotFound {
		return 0, nil, kith.Errorf(kith.Conflict, "model %q already exists", name)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.naming[name]; taken {
		return 0, nil, kith.Errorf(kith.Conflict, "model %q already exists", name)
	}
	c.naming[name] = struct{}{}
	base = c.drawBlock()
	c.blocks[base] = struct{}{}
	return base, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.naming, name)
	}, nil
}

// Every model gets a block of 4096 addresses for its units, drawn at random so
// that two controllers on one machine rarely meet. The first 16 blocks of
// 127.0.0.0/8 are left to others.
const (
	blockSize   = 1 << 12
	firstBlock  = 16
	blocksCount = 1 << 12
)

func (c *Controller) drawBlock() uint32 {
	var b [4]byte
	for {
		rand.Read(b[:])
		block := firstBlock + binary.BigEndian.Uint32(b[:])%(blocksCount-firstBlock-1)
		base := block * blockSize
		if _, used := c.blocks[base]; !used || len(c.blocks) > blocksCount/2 {
			return base
		}
	}
}

// start begins a new model's loop.
func (c *Controller) start(m *Model) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		return kith.Errorf(kith.Unavailable, "cannot create a model: the controller is not running")
	}
	c.running(m)
	return nil
}

// discard ends the loop of a model that was refused, and leaves no trace of it.
func (c *Controller) discard(m *Model) {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	if m.do(ctx, func() { m.quit = true }) == nil {
		<-m.done
	}
	if err := c.opt.Store.Release(ctx, m.engine.own); err != nil {
		c.opt.Log.Warn("cannot release a model that was not made", "model", m.ID, "error", err)
	}
}

// forget drops a model that was removed from the store.
func (c *Controller) forget(m *Model) {
	c.mu.Lock()
	delete(c.models, m.ID)
	if info := m.Snapshot().Info(); info != nil {
		delete(c.blocks, info.AddressBase)
	}
	for _, s := range c.sessions { // any order: each by itself
		s.put(api.HostEvent{ModelGone: m.ID})
	}
	c.mu.Unlock()
	if c.opt.Removed != nil {
		c.opt.Removed(m.ID)
	}
}

// newReference names an internal error in the log and to the user.
func newReference() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
