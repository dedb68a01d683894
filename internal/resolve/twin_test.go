package resolve_test

import (
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kith"
	"kith/charm"
	"kith/internal/core"
	"kith/internal/resolve"
)

// twin is section 5.2 of the relations reference written down as it stands, on
// slices and with no thought of cost: what package resolve gets from an index.
func twin(r core.RelationView) (kind core.HookKind, remote kith.UnitName, version uint64, ok bool) {
	here := slices.Collect(r.Remotes())
	if r.Ending() {
		here = nil // the remote view is replaced by empty
	}
	byName := func(a, b kith.UnitName) int { return compare(string(a), string(b)) }
	slices.SortFunc(here, func(a, b core.Remote) int { return byName(a.Unit, b.Unit) })
	known := slices.Collect(r.Known())
	slices.SortFunc(known, func(a, b *core.Seen) int { return byName(a.Remote, b.Remote) })

	bagOf := func(u kith.UnitName) uint64 { v, _ := r.UnitBag(u); return v }
	isHere := func(u kith.UnitName) bool {
		return slices.ContainsFunc(here, func(h core.Remote) bool { return h.Unit == u })
	}
	told := func(u kith.UnitName) *core.Seen {
		if i := slices.IndexFunc(known, func(s *core.Seen) bool { return s.Remote == u }); i >= 0 {
			return known[i]
		}
		return nil
	}

	if u := r.Member.ChangedPending; u != "" { // 1
		return core.RelationChanged, u, bagOf(u), true
	}
	for _, s := range known { // 2
		if !isHere(s.Remote) {
			return core.RelationDeparted, s.Remote, 0, true
		}
	}
	if r.Ending() && !r.Peer() { // 3
		return core.RelationBroken, "", 0, true
	}
	if v, _ := r.AppBag(); !r.Ending() && v != r.Member.AppVersion { // 4
		return core.RelationChanged, "", v, true
	}
	for _, h := range here { // 5
		if told(h.Unit) == nil {
			return core.RelationJoined, h.Unit, h.Version, true
		}
	}
	for _, h := range here { // 6
		if h.Version != told(h.Unit).Version {
			return core.RelationChanged, h.Unit, h.Version, true
		}
	}
	return "", "", 0, false // 7
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// picture is a random model: one relation, several units, and any past at all,
// including ones that no history leads to.
type picture struct {
	changes []core.Change
	unit    kith.UnitName
}

func (p *picture) put(e core.Entity) {
	p.changes = append(p.changes, core.Put(e))
}

func (p *picture) model(order []int) *core.Model {
	m := new(core.Model)
	m.Revision = 1000
	for _, i := range order {
		core.Apply(m, p.changes[i])
	}
	return m
}

// drawPicture draws a model around the unit "a/1", which is up and idle, so that
// only the relation can have something to say. Numbers reach past 9: string order counts.
func drawPicture(t *rapid.T) picture {
	p := picture{unit: "a/1"}
	scope := rapid.SampledFrom([]string{"peer", "global", "container"}).Draw(t, "scope")
	life := rapid.SampledFrom([]kith.Life{kith.Alive, kith.Alive, kith.Dying})
	version := rapid.Uint64Range(0, 2)
	ends, remoteApp := []core.End{{App: "a", Endpoint: "r", Role: kith.Requirer}, {App: "b", Endpoint: "p", Role: kith.Provider}}, "b"
	if scope == "peer" {
		ends, remoteApp = []core.End{{App: "a", Endpoint: "r", Role: kith.Peer}}, "a"
	}
	rel := core.Relation{ID: 7, Ends: ends, Life: life.Draw(t, "relation life"), Scope: kith.Global, LifeRev: 9}
	if scope == "container" {
		rel.Scope = kith.Container
	}
	rel.Suspended = scope == "global" && rapid.IntRange(0, 5).Draw(t, "suspended") == 0
	p.base(rel, life.Draw(t, "unit life"))
	me := core.Member{Relation: 7, Unit: "a/1", Rev: 5, Created: true, Principal: "a/1", AppVersion: version.Draw(t, "app version told")}
	app := core.Bag{Relation: 7, Owner: remoteApp, Version: me.AppVersion}
	if rapid.IntRange(0, 3).Draw(t, "app changed") == 0 {
		app.Version = version.Draw(t, "app version")
	}
	p.put(&app)
	p.put(&core.Bag{Relation: 7, Owner: "a/1", Version: 3})
	crowd := rapid.SampledFrom([]int{0, 1, 2, 13}).Draw(t, "crowd")
	for n := range crowd {
		u := kith.UnitName(remoteApp + "/" + strconv.Itoa(n))
		if u == "a/1" {
			continue
		}
		p.drawRemote(t, u, &me)
	}
	p.put(&me)
	return p
}

// base puts the parts of a picture that are always the same: the unit a/1 has
// done everything there is to do outside the relation.
func (p *picture) base(rel core.Relation, life kith.Life) {
	p.put(&core.ModelInfo{UUID: "u"})
	p.put(&core.CharmInfo{ID: "c", Charm: charm.Charm{Meta: charm.Meta{Name: "c"}}})
	p.put(&core.App{Name: "a", Charm: "c", Life: kith.Alive})
	p.put(&core.App{Name: "b", Charm: "c", Life: kith.Alive})
	p.put(&rel)
	p.put(&core.Unit{Name: "a/1", App: "a", Life: life, LifeRev: 8})
	p.put(&core.Progress{Unit: "a/1", Installed: true, Started: true, Charm: "c", Config: 1, Settings: 1})
}

// inOrder applies the changes as they were put.
func (p *picture) inOrder() []int {
	order := make([]int, len(p.changes))
	for i := range order {
		order[i] = i
	}
	return order
}

// drawRemote draws what there is of one remote unit: membership, past, bag; each or not.
func (p *picture) drawRemote(t *rapid.T, u kith.UnitName, me *core.Member) {
	version := rapid.Uint64Range(0, 2)
	bits := rapid.IntRange(0, 31).Draw(t, string(u))
	if rapid.Bool().Draw(t, "ordinary") { // here, known and told: room for the rules that come last
		bits = 3
	}
	if bits&1 != 0 {
		m := core.Member{Relation: 7, Unit: u, Rev: 6, Departing: bits&24 == 24, DepartingRev: 7, Principal: "a/1"}
		if bits&4 != 0 {
			m.Principal = "a/99"
		}
		p.put(&m)
	}
	if bits&2 != 0 {
		p.put(&core.Seen{Relation: 7, Unit: "a/1", Remote: u, Version: version.Draw(t, "told")})
		if rapid.IntRange(0, 20).Draw(t, "pending") == 0 {
			me.ChangedPending = u
		}
	}
	if bits&1 != 0 || bits&4 != 0 {
		p.put(&core.Bag{Relation: 7, Owner: string(u), Version: version.Draw(t, "version")})
	}
}

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// Section 5.2: Next agrees with the rules read out one by one.
func TestRelationRuleAgreesWithTwin(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPicture(t)
		m := p.model(p.inOrder())
		v, _ := core.ViewOf(m, p.unit)
		r, _ := v.Relation(7)
		kind, remote, version, ok := twin(r)

		step, did := resolve.Next(v, noon)
		if !ok { // the relation is silent: a dying unit goes on to stop
			if did && step.Hook.Relation != nil {
				t.Fatalf("Next says %s about a relation with nothing to say", step.Hook.Name())
			}
			return
		}
		if !did || step.Hook.Relation == nil {
			t.Fatalf("Next says %+v, %v; the rules say %s of %q", step, did, kind, remote)
		}
		got := step.Hook
		if got.Kind != kind || got.Relation.RemoteUnit != remote || got.Relation.Version != version {
			t.Fatalf("Next says %s of %q at %d; the rules say %s of %q at %d",
				got.Kind, got.Relation.RemoteUnit, got.Relation.Version, kind, remote, version)
		}
	})
}

// The same view gives the same step, however its model came about.
func TestNextIsDeterministic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPicture(t)
		shuffled := rapid.Permutation(p.inOrder()).Draw(t, "order")
		v, _ := core.ViewOf(p.model(p.inOrder()), p.unit)
		w, _ := core.ViewOf(p.model(shuffled), p.unit)
		a, okA := resolve.Next(v, noon)
		b, okB := resolve.Next(w, noon)
		again, _ := resolve.Next(v, noon)
		if okA != okB || !reflect.DeepEqual(a, b) || !reflect.DeepEqual(a, again) {
			t.Fatalf("%+v %v\n%+v %v\n%+v", a, okA, b, okB, again)
		}
	})
}
