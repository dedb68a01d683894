package core

import (
	"cmp"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"kith"
)

// Change puts an entity in place of the one with its key, or deletes the key
// when Entity is nil.
type Change struct {
	Key    Key
	Entity Entity
}

// Put is the change that puts a row into a model, which must not be modified afterwards.
func Put(row Entity) Change { return Change{row.Key(), row} }

// rowOf is a pointer to an entity of type T.
type rowOf[T any] interface {
	*T
	Entity
}

// table is an ordered map of one kind. Rows are shared between snapshots and never modified.
type table[T any] struct{ rows tree[*T] }

func (t *table[T]) get(id string) *T {
	row, _ := t.rows.get(id)
	return row
}

// prefix yields the rows whose id starts with p, in order of id.
func (t *table[T]) prefix(p string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		t.rows.ascend(p, func(id string, row *T) bool {
			return strings.HasPrefix(id, p) && yield(row)
		})
	}
}

func (t *table[T]) all() iter.Seq[*T] { return t.prefix("") }

func (t *table[T]) snapshot() table[T] { return table[T]{t.rows.share()} }

// apply returns what was there before the change and what is there now.
func (t *table[T]) apply(c Change) (old, now *T) {
	if c.Entity == nil {
		old, ok := t.rows.drop(c.Key.ID)
		if !ok {
			panic(fmt.Sprintf("core: change deletes %T %q, which does not exist", *new(T), c.Key.ID))
		}
		return old, nil
	}
	now = any(c.Entity).(*T) // the key says which kind; anything else is corruption
	return t.rows.set(c.Key.ID, now), now
}

// Model is one model at one revision. The zero value is the model before it
// was created. A Model is not safe for concurrent use while it is changed;
// take a [Model.Snapshot] for readers.
type Model struct {
	// Revision counts the commands that changed the model.
	Revision uint64

	// last is the command that was decided last. Snapshots have none.
	last *txn

	info      table[ModelInfo]
	charms    table[CharmInfo]
	apps      table[App]
	units     table[Unit]
	machines  table[Machine]
	hosts     table[Host]
	relations table[Relation]
	members   table[Member]
	seen      table[Seen]
	bags      table[Bag]
	leases    table[Lease]
	progress  table[Progress]
	states    table[State]

	operations table[Operation]
	tasks      table[Task]
	taskLogs   table[TaskLog]

	storage table[Storage]

	contracts table[Contract]

	secrets         table[Secret]
	secretRevisions table[SecretRevision]
	secretContents  table[SecretContent]
	secretGrants    table[SecretGrant]
	secretConsumers table[SecretConsumer]

	// byApp indexes relations by application: "app/relation id". Derived by apply.
	byApp tree[kith.RelationID]
	// active indexes the tasks that are not over: "unit/number". Derived by apply.
	active tree[kith.TaskID]
	// storageIndex finds storage by the unit that holds it. Derived by apply.
	storageIndex index
	// terms are the contracts, compiled, by name of interface. Derived by apply.
	terms tree[*Terms]
	// news indexes what units have not been told of. Derived by apply.
	news news
	// due indexes in which relations units may have something to do. Derived by apply.
	due due
	// contexts indexes what hooks see. Derived by apply.
	contexts contexts
	// secretIndex finds secrets by owner, reader, relation and time. Derived by apply.
	secretIndex secretIndex
}

// Snapshot returns a copy of m that later changes of m do not touch. It costs
// the same for every size. Only m's writer may call it; the copy may be read
// by any number of goroutines, as long as nobody snapshots or changes the copy.
func (m *Model) Snapshot() *Model {
	return &Model{
		Revision:  m.Revision,
		info:      m.info.snapshot(),
		charms:    m.charms.snapshot(),
		apps:      m.apps.snapshot(),
		units:     m.units.snapshot(),
		machines:  m.machines.snapshot(),
		hosts:     m.hosts.snapshot(),
		relations: m.relations.snapshot(),
		members:   m.members.snapshot(),
		seen:      m.seen.snapshot(),
		bags:      m.bags.snapshot(),
		leases:    m.leases.snapshot(),
		progress:  m.progress.snapshot(),
		states:    m.states.snapshot(),

		operations: m.operations.snapshot(),
		tasks:      m.tasks.snapshot(),
		taskLogs:   m.taskLogs.snapshot(),

		storage:      m.storage.snapshot(),
		storageIndex: m.storageIndex.snapshot(),

		contracts: m.contracts.snapshot(),
		terms:     m.terms.share(),

		secrets:         m.secrets.snapshot(),
		secretRevisions: m.secretRevisions.snapshot(),
		secretContents:  m.secretContents.snapshot(),
		secretGrants:    m.secretGrants.snapshot(),
		secretConsumers: m.secretConsumers.snapshot(),

		byApp:  m.byApp.share(),
		active: m.active.share(),
		news:   m.news.snapshot(),
		due:    m.due.snapshot(),

		contexts: m.contexts.snapshot(),

		secretIndex: m.secretIndex.snapshot(),
	}
}

// Apply makes one change to m. It holds no opinions. A change that does not
// fit is corruption, and panics.
func Apply(m *Model, c Change) { m.apply(c) }

// apply is [Apply], and returns what was there before.
func (m *Model) apply(c Change) Entity {
	switch c.Key.Kind {
	case KindModel:
		old, now := m.info.apply(c)
		m.noteInfo(now)
		return entity(old)
	case KindCharm:
		old, now := m.charms.apply(c)
		m.noteCharm(c.Key.ID, now)
		return entity(old)
	case KindApp:
		old, now := m.apps.apply(c)
		m.noteAppDue(old, now)
		m.noteApp(old, now)
		return entity(old)
	case KindUnit:
		old, now := m.units.apply(c)
		m.noteUnitDue(old, now)
		return entity(old)
	case KindMachine:
		return before(m.machines.apply(c))
	case KindHost:
		return before(m.hosts.apply(c))
	case KindRelation:
		return m.applyRelation(c)
	case KindMember:
		return m.applyMember(c)
	case KindSeen:
		old, now := m.seen.apply(c)
		m.noteSeen(cmp.Or(now, old))
		m.noteSeenContext(cmp.Or(now, old), now != nil)
		return entity(old)
	case KindBag:
		old, now := m.bags.apply(c)
		m.noteBag(old, now)
		return entity(old)
	case KindLease:
		return before(m.leases.apply(c))
	case KindProgress:
		return before(m.progress.apply(c))
	case KindState:
		return before(m.states.apply(c))
	case KindOperation:
		return before(m.operations.apply(c))
	case KindTask:
		return m.applyTask(c)
	case KindTaskLog:
		return before(m.taskLogs.apply(c))
	case KindStorage:
		return m.applyStorage(c)
	case KindContract:
		return m.applyContract(c)
	}
	return m.applySecret(c)
}

// before is what was there before a change.
func before[T any, P rowOf[T]](old, _ *T) Entity { return entity[T, P](old) }

func (m *Model) applyRelation(c Change) Entity {
	old, now := m.relations.apply(c)
	if now == nil {
		for _, end := range old.Ends {
			m.byApp.drop(string(end.App) + "/" + c.Key.ID)
		}
	} else {
		for _, end := range now.Ends {
			m.byApp.set(string(end.App)+"/"+c.Key.ID, now.ID)
		}
	}
	m.noteRelation(old, now)
	m.noteRelationDue(old, now)
	m.noteRelationContext(old, now)
	return entity(old)
}

func (m *Model) applyMember(c Change) Entity {
	old, now := m.members.apply(c)
	row := cmp.Or(now, old)
	r := m.Relation(row.Relation)
	m.noteMember(r, old, now)
	m.noteMemberDue(r, old, now)
	m.noteMemberContext(r, row, now != nil)
	return entity(old)
}

func (m *Model) applySecret(c Change) Entity {
	switch c.Key.Kind {
	case KindSecret:
		old, now := m.secrets.apply(c)
		m.noteSecret(old, now)
		return entity(old)
	case KindSecretRevision:
		old, now := m.secretRevisions.apply(c)
		m.noteSecretRevision(old, now)
		return entity(old)
	case KindSecretContent:
		return before(m.secretContents.apply(c))
	case KindSecretGrant:
		old, now := m.secretGrants.apply(c)
		m.noteSecretGrant(cmp.Or(now, old), now != nil)
		return entity(old)
	case KindSecretConsumer:
		old, now := m.secretConsumers.apply(c)
		m.noteSecretConsumer(old, now)
		return entity(old)
	}
	panic(fmt.Sprintf("core: change of unknown kind %q", c.Key.Kind))
}

// Info is the model itself, or nil before it was created.
func (m *Model) Info() *ModelInfo { return m.info.get("info") }

// App is the application with that name, or nil.
func (m *Model) App(name kith.AppName) *App { return m.apps.get(string(name)) }

// Apps yields the applications in order of name.
func (m *Model) Apps() iter.Seq[*App] { return m.apps.all() }

// Charm is the charm with that ID, or nil.
func (m *Model) Charm(id string) *CharmInfo { return m.charms.get(id) }

// Charms yields the charms in order of ID.
func (m *Model) Charms() iter.Seq[*CharmInfo] { return m.charms.all() }

// Unit is the unit with that name, or nil.
func (m *Model) Unit(name kith.UnitName) *Unit { return m.units.get(string(name)) }

// Units yields all units in string order of name.
func (m *Model) Units() iter.Seq[*Unit] { return m.units.all() }

// UnitsOf yields the units of an application in string order of name.
func (m *Model) UnitsOf(app kith.AppName) iter.Seq[*Unit] { return m.units.prefix(string(app) + "/") }

// Machines yields the machines in string order of id.
func (m *Model) Machines() iter.Seq[*Machine] { return m.machines.all() }

// Host is the host with that name, or nil.
func (m *Model) Host(name string) *Host { return m.hosts.get(name) }

// Relation is the relation with that number, or nil.
func (m *Model) Relation(id kith.RelationID) *Relation {
	var room [20]byte // as in bagID
	return m.relations.get(string(strconv.AppendInt(room[:0], int64(id), 10)))
}

// Relations yields all relations in string order of number.
func (m *Model) Relations() iter.Seq[*Relation] { return m.relations.all() }

// RelationsOf yields the relations of an application in string order of number.
func (m *Model) RelationsOf(app kith.AppName) iter.Seq[*Relation] {
	p := string(app) + "/"
	return func(yield func(*Relation) bool) {
		m.byApp.ascend(p, func(key string, id kith.RelationID) bool {
			return strings.HasPrefix(key, p) && yield(m.Relation(id))
		})
	}
}

// Member is the unit's membership of the relation, or nil if it is not in scope.
func (m *Model) Member(id kith.RelationID, u kith.UnitName) *Member {
	return m.members.get(bagID(id, string(u))) // which is [memberID], and is put here
}

// Members yields who is in scope of a relation, in string order of unit name.
func (m *Model) Members(id kith.RelationID) iter.Seq[*Member] {
	return m.members.prefix(id.String() + "/")
}

// Bag is the databag of an application or a unit in a relation; nil if it was never written.
func (m *Model) Bag(id kith.RelationID, owner string) *Bag { return m.bags.get(bagID(id, owner)) }

// Bags yields the databags of a relation in order of owner.
func (m *Model) Bags(id kith.RelationID) iter.Seq[*Bag] { return m.bags.prefix(id.String() + "/") }

// Lease is the application's leadership, or nil if nobody ever held it.
func (m *Model) Lease(app kith.AppName) *Lease { return m.leases.get(string(app)) }

// Progress is what the unit has been through, or nil.
func (m *Model) Progress(u kith.UnitName) *Progress { return m.progress.get(string(u)) }

// State is the charm state of the unit, or nil.
func (m *Model) State(u kith.UnitName) *State { return m.states.get(string(u)) }

// SeenBy yields which remote units the unit has been told of, in string order of name.
func (m *Model) SeenBy(id kith.RelationID, u kith.UnitName) iter.Seq[*Seen] {
	return m.seen.prefix(memberID(id, u) + "/")
}

// Entities lists everything in m: by kind in the order of the kinds, by id within one.
func Entities(m *Model) []Entity {
	var all []Entity
	all = collect(all, &m.info)
	all = collect(all, &m.charms)
	all = collect(all, &m.apps)
	all = collect(all, &m.units)
	all = collect(all, &m.machines)
	all = collect(all, &m.hosts)
	all = collect(all, &m.relations)
	all = collect(all, &m.members)
	all = collect(all, &m.seen)
	all = collect(all, &m.bags)
	all = collect(all, &m.leases)
	all = collect(all, &m.progress)
	all = collect(all, &m.states)
	all = collect(all, &m.operations)
	all = collect(all, &m.tasks)
	all = collect(all, &m.taskLogs)
	all = collect(all, &m.storage)
	all = collect(all, &m.contracts)
	all = collect(all, &m.secrets)
	all = collect(all, &m.secretRevisions)
	all = collect(all, &m.secretContents)
	all = collect(all, &m.secretGrants)
	return collect(all, &m.secretConsumers)
}

func collect[T any, P rowOf[T]](all []Entity, t *table[T]) []Entity {
	for row := range t.all() {
		all = append(all, P(row))
	}
	return all
}
