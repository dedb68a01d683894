package sim

import (
	"time"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/store"
)

// A checker watches one property of the whole system. Each is in a file of its
// own, keeps its own small books, and answers with what is wrong, or "". What it
// is told of is the interfaces below; it implements those it needs.
type checker interface{ name() string }

type (
	// factChecker is told what history says of units, in order.
	factChecker interface{ fact(fact) string }
	// entryChecker is told each entry of history when it has become durable.
	entryChecker interface {
		entry(*ledger, *core.Entry) string
	}
	// batchChecker is told each batch the store has applied, before its entries.
	batchChecker interface {
		batch(*ledger, store.Batch, record) string
	}
	// landedChecker is told the same after its entries.
	landedChecker interface{ landed(store.Batch) string }
	// answerChecker is told each answer of a controller, whether or not it is heard.
	answerChecker interface {
		answered(*ledger, *call, api.CommandReply, error) string
	}
	// endedChecker is told when a charm's process has exited 0.
	endedChecker interface{ ended(*hookRun) string }
	// failingChecker is told when a hook has failed.
	failingChecker interface{ failing(*hookRun) string }
	// startChecker is told when an agent starts the process of a task.
	startChecker interface{ processStarted(*hookRun) string }
	// heardChecker is told what an agent heard of its commit.
	heardChecker interface{ heard(*hookRun, error) string }
	// secretChecker is told of each secret-get, and how it was answered.
	secretChecker interface{ readSecret(secretRead) string }
	// restartChecker is told when a hook was ended since it asked for a reboot.
	restartChecker interface{ restarting(*hookRun) string }
	// wipeChecker is told when an agent deletes the data of storage.
	wipeChecker interface {
		wiped(l *ledger, host string, id kith.StorageID) string
	}
	// fetchChecker is told what resource-get gives to a hook.
	fetchChecker interface {
		fetched(*hookRun, core.ResourceContext) string
	}
	// leadsChecker is told when is-leader says yes.
	leadsChecker interface {
		leads(unit kith.UnitName, now time.Time, revision uint64) string
	}
	// turnChecker looks at a controller that serves after each step that concerned it.
	turnChecker interface{ turned(*World, *process) string }
	// restChecker looks at the model when the system has come to rest.
	restChecker interface{ rested(*World, *process) string }
	// emptyChecker looks at it when everything has been removed.
	emptyChecker interface{ empty(*core.Model) string }
)

// checkers are the properties, all of them.
func checkers() []checker {
	return []checker{
		&invariants{},
		&createdFirst{},
		&joinedBeforeChanged{},
		&changedAfterJoined{},
		&departedOnce{},
		&silentAfterDeparted{},
		&brokenLast{},
		neverBrokenForPeers{},
		neverAboutItself{},
		&lifecycle{},
		&errorsBlock{},
		&membersAnnounced{},
		&sees{},
		inScope{},
		&ownBags{},
		&convergence{},
		&acknowledged{},
		&refusals{},
		&onceOnly{},
		&tasksOnce{},
		&secretReaders{},
		&secretRevisions{},
		&secretsTold{},
		&storageTold{},
		&storageKept{},
		&resourcesTold{},
		&startsAgain{},
		&oneLeader{},
		&settleExact{},
		&revisions{},
		fenced{},
		&storeAgrees{},
		nothingLeft{},
	}
}

// checks runs the checkers of one world, while nothing is wrong.
type checks struct {
	w *World

	facts   []factChecker
	entries []entryChecker
	batches []batchChecker
	lands   []landedChecker
	answers []answerChecker
	ends    []endedChecker
	fails   []failingChecker
	starts  []startChecker
	hears   []heardChecker
	leaders []leadsChecker
	secrets []secretChecker
	reboots []restartChecker
	wipes   []wipeChecker
	fetches []fetchChecker
	turns   []turnChecker
	rests   []restChecker
	empties []emptyChecker
}

func newChecks(w *World) *checks {
	all := checkers()
	return &checks{
		w: w, facts: only[factChecker](all), entries: only[entryChecker](all), batches: only[batchChecker](all),
		lands: only[landedChecker](all), answers: only[answerChecker](all), ends: only[endedChecker](all), fails: only[failingChecker](all), hears: only[heardChecker](all), starts: only[startChecker](all),
		leaders: only[leadsChecker](all), secrets: only[secretChecker](all), reboots: only[restartChecker](all), wipes: only[wipeChecker](all), fetches: only[fetchChecker](all),
		turns: only[turnChecker](all), rests: only[restChecker](all), empties: only[emptyChecker](all),
	}
}

// only picks the checkers that want to be told one kind of thing.
func only[T any](all []checker) []T {
	var some []T
	for _, c := range all {
		if t, ok := c.(T); ok {
			some = append(some, t)
		}
	}
	return some
}

// each asks checkers until one finds something.
func each[T any](w *World, some []T, ask func(T) string) {
	for _, c := range some {
		if w.failed != nil {
			return
		}
		if bad := ask(c); bad != "" {
			w.violate(any(c).(checker).name(), "%s", bad)
		}
	}
}

func (s *checks) fact(f fact) {
	each(s.w, s.facts, func(c factChecker) string { return c.fact(f) })
}

func (s *checks) entry(e *core.Entry) {
	each(s.w, s.entries, func(c entryChecker) string { return c.entry(s.w.ledger, e) })
}

func (s *checks) batch(b store.Batch, r record) {
	each(s.w, s.batches, func(c batchChecker) string { return c.batch(s.w.ledger, b, r) })
}

func (s *checks) landed(b store.Batch) {
	each(s.w, s.lands, func(c landedChecker) string { return c.landed(b) })
}

func (s *checks) answered(k *call, r api.CommandReply, err error) {
	each(s.w, s.answers, func(c answerChecker) string { return c.answered(s.w.ledger, k, r, err) })
}

func (s *checks) ended(h *hookRun) {
	each(s.w, s.ends, func(c endedChecker) string { return c.ended(h) })
}

func (s *checks) failing(h *hookRun) {
	each(s.w, s.fails, func(c failingChecker) string { return c.failing(h) })
}

func (s *checks) started(h *hookRun) {
	each(s.w, s.starts, func(c startChecker) string { return c.processStarted(h) })
}

func (s *checks) heard(h *hookRun, err error) {
	each(s.w, s.hears, func(c heardChecker) string { return c.heard(h, err) })
}

func (s *checks) readSecret(r secretRead) {
	each(s.w, s.secrets, func(c secretChecker) string { return c.readSecret(r) })
}

func (s *checks) restarting(h *hookRun) {
	each(s.w, s.reboots, func(c restartChecker) string { return c.restarting(h) })
}

func (s *checks) wiped(host string, id kith.StorageID) {
	each(s.w, s.wipes, func(c wipeChecker) string { return c.wiped(s.w.ledger, host, id) })
}

func (s *checks) fetched(h *hookRun, r core.ResourceContext) {
	each(s.w, s.fetches, func(c fetchChecker) string { return c.fetched(h, r) })
}

func (s *checks) leads(u kith.UnitName, now time.Time, revision uint64) {
	each(s.w, s.leaders, func(c leadsChecker) string { return c.leads(u, now, revision) })
}

// look checks the controllers that something has happened to.
func (s *checks) look() {
	for _, p := range s.w.processes {
		if p.dirty && p.engine.Down() == nil {
			p.dirty = false
			each(s.w, s.turns, func(c turnChecker) string { return c.turned(s.w, p) })
		}
	}
}

func (s *checks) rested() {
	each(s.w, s.rests, func(c restChecker) string { return c.rested(s.w, s.w.serving()) })
}

func (s *checks) empty() {
	each(s.w, s.empties, func(c emptyChecker) string { return c.empty(s.w.model()) })
}

// stay is one unit's time in one relation.
type stay struct {
	unit     kith.UnitName
	relation kith.RelationID
}

// stays keeps a T for each stay, from entering to leaving.
type stays[T any] map[stay]*T

// follow keeps the books of comings and goings. It returns what is kept of the
// stay that the fact is about: for a hook the stay of its relation, nil if the unit is in none;
// for leaving the stay that ends.
func (s *stays[T]) follow(f fact) *T {
	if *s == nil {
		*s = stays[T]{}
	}
	key := stay{f.unit, f.relation}
	switch f.kind {
	case factEntered:
		(*s)[key] = new(T)
	case factLeft:
		was := (*s)[key]
		delete(*s, key)
		return was
	case factGone:
		return nil // it has left all relations by then
	case factBegan, factRan, factSkipped, factFailed:
		key.relation = f.about()
	}
	return (*s)[key]
}
