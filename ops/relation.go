package ops

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"kith"
)

// Relation is a relation as this unit sees it.
type Relation struct {
	m *Model
	// Endpoint is the own endpoint; its charm calls the relation by this name.
	Endpoint kith.EndpointName
	ID       kith.RelationID
	// App is the remote application; the own one in a peer relation; empty if the relation
	// does not exist any more.
	App kith.AppName
	// Units are the remote units this unit has been told of, sorted: without the own
	// unit, and without one whose relation-departed runs.
	Units []kith.UnitName
	// Active is false in relation-broken, and for a relation that does not exist.
	Active bool
	// gone: it is none of the endpoint's. Nobody is asked about it, since hosts go by its number
	// alone, which may be that of a relation on another endpoint.
	gone bool
}

// Ref is how calls name the relation.
func (r *Relation) Ref() RelationRef { return RelationRef{r.Endpoint, r.ID} }

// String is "db:4".
func (r *Relation) String() string { return r.Ref().String() }

// IsPeer reports whether the relation is among the units of this application.
func (r *Relation) IsPeer() bool { return r.m.isPeer(r.Endpoint) }

// RemoteModel is the model of the remote application. It needs Juju 3.6.2: [ErrToolNotFound] before.
func (r *Relation) RemoteModel() (kith.ModelUUID, error) {
	if err := r.exists("ask for the other model"); err != nil {
		return "", err
	}
	return r.m.f.backend.RelationModel(r.Ref())
}

// exists refuses what cannot be done with a relation the endpoint does not have.
func (r *Relation) exists(verb string) error {
	if !r.gone {
		return nil
	}
	return fmt.Errorf("cannot %s of %q: %w", verb, r, ErrRelationNotFound)
}

// Data is the databag of a unit or an application in this relation. Making one asks
// nobody.
func (r *Relation) Data(owner Owner) *RelationData {
	name, app := ownerName(owner)
	return &RelationData{r, name, app}
}

// RelationData is one databag: strings by key. Who may do what (ops reference,
// section 5.4):
//
//	                                 read          write
//	own unit                         yes           yes
//	other units                      yes           no
//	own application, peer relation   yes           leader
//	own application, otherwise       leader        leader
//	remote application               yes           no
//
// What may not be is a [*RelationDataAccessError], of methods that read too. A databag is read
// once in a dispatch; what the charm writes shows in later reads, and goes out when the hook
// succeeds. One databag holds at most 16 MiB of keys and values under kith; more fails the write or
// the hook. Keys are any text.
//
// A unit's databag has from the start what its host writes into it, and charms may write
// over: ingress-address, egress-subnets and private-address. That of an application is empty.
type RelationData struct {
	rel   *Relation
	owner string
	app   bool
}

type bagKey struct {
	id    kith.RelationID
	owner string
}

func (k bagKey) compare(o bagKey) int {
	return cmp.Or(cmp.Compare(k.id, o.id), cmp.Compare(k.owner, o.owner))
}

// bag is a databag as this dispatch sees it. Its maps are shared with the backend: nobody
// changes them.
type bag struct {
	bagKey
	data map[string]string
	// written is what the charm has written last and data does not hold yet; empty values delete.
	written map[string]string
}

// get is the value of a key. A databag holds no empty ones.
func (b *bag) get(key string) (value string, ok bool) {
	if value, ok = b.written[key]; ok {
		return value, value != ""
	}
	value, ok = b.data[key]
	return value, ok
}

// all is a new map of everything.
func (b *bag) all() map[string]string {
	all := clone(b.data)
	for k, v := range b.written { // any order: a map again
		if all[k] = v; v == "" {
			delete(all, k)
		}
	}
	return all
}

func (b *bag) write(set map[string]string) {
	if b.written != nil {
		b.data = b.all()
	}
	b.written = set
}

// findBag finds a bag that was read, or where it goes.
func (m *Model) findBag(key bagKey) (i int, found bool) {
	return slices.BinarySearchFunc(m.bags, key, func(b bag, key bagKey) int { return b.compare(key) })
}

// keepBag keeps a bag for the rest of the dispatch, in place of what it was before.
func (m *Model) keepBag(b bag) {
	i, found := m.findBag(b.bagKey)
	if !found {
		if m.bags == nil {
			m.bags = make([]bag, 0, 2) // most handlers read one bag and write another
		}
		m.bags = slices.Insert(m.bags, i, bag{})
	}
	m.bags[i] = b
}

// Owner is the name of the unit or application.
func (d *RelationData) Owner() string { return d.owner }

// Get is the value of a key, or empty. A databag cannot hold empty values.
func (d *RelationData) Get(key string) (string, error) {
	bag, err := d.read()
	if err != nil {
		return "", err
	}
	value, _ := bag.get(key)
	return value, nil
}

// All is a copy of everything in the databag. That of a relation which is gone is empty.
func (d *RelationData) All() (map[string]string, error) {
	bag, err := d.read()
	if err != nil {
		return nil, err
	}
	return bag.all(), nil
}

// Keys are the keys, sorted.
func (d *RelationData) Keys() ([]string, error) {
	all, err := d.All()
	return slices.Sorted(maps.Keys(all)), err
}

// Set writes one key; an empty value deletes it. Errors: as [RelationData.Update].
func (d *RelationData) Set(key, value string) error {
	return d.Update(map[string]string{key: value})
}

// Delete deletes keys; those that are not there are no error.
func (d *RelationData) Delete(keys ...string) error {
	set := make(map[string]string, len(keys))
	for _, k := range keys {
		set[k] = ""
	}
	return d.Update(set)
}

// Update writes keys in one call; empty values delete theirs, and keys not named stay.
// What would change nothing is not sent. Errors: [*RelationDataTypeError] for what is
// not UTF-8, [*RelationDataAccessError], [ErrRelationNotFound].
func (d *RelationData) Update(set map[string]string) error {
	if k, odd := notText(set); odd {
		return &RelationDataTypeError{Key: k, Type: "string", Err: errors.New("it is not UTF-8")}
	}
	if err := d.mayWrite(); err != nil {
		return err
	}
	bag, err := d.read()
	if err != nil {
		return err
	}
	changes := map[string]string{}
	for k, v := range set { // any order: a map again
		if old, _ := bag.get(k); old != v {
			changes[k] = v
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := d.rel.exists("write the data"); err != nil {
		return err
	}
	if err := d.rel.m.f.backend.RelationSet(d.rel.Ref(), d.app, changes); err != nil {
		return d.refused("write", err)
	}
	bag.write(changes)
	d.rel.m.keepBag(bag)
	return nil
}

// notText finds a key that is not UTF-8, or whose value is not: the first of them.
func notText(set map[string]string) (key string, odd bool) {
	for k, v := range set { // any order: the least of all
		if (!odd || k < key) && !(utf8.ValidString(k) && utf8.ValidString(v)) {
			key, odd = k, true
		}
	}
	return key, odd
}

// Replace makes the databag hold exactly these keys, in one call: what the host wrote goes, too.
// Errors: as [RelationData.Update].
func (d *RelationData) Replace(data map[string]string) error {
	if err := d.mayWrite(); err != nil {
		return err
	}
	bag, err := d.read()
	if err != nil {
		return err
	}
	set := clone(data)
	for k := range bag.all() { // any order: a map again
		if _, keep := data[k]; !keep {
			set[k] = ""
		}
	}
	return d.Update(set)
}

// read is the databag itself.
func (d *RelationData) read() (bag, error) {
	m := d.rel.m
	b := bag{bagKey: bagKey{d.rel.ID, d.owner}}
	if i, found := m.findBag(b.bagKey); found && !d.rel.gone {
		return m.bags[i], nil
	}
	if err := d.mayRead(); err != nil || d.rel.gone {
		return b, err
	}
	data, err := m.f.backend.RelationGet(d.rel.Ref(), d.app, d.owner)
	switch {
	case errors.Is(err, ErrRelationNotFound):
		data = nil
	case err != nil:
		return b, d.refused("read", err)
	}
	b.data = data
	m.keepBag(b)
	return b, nil
}

// refused gives a refusal of the tool the form that says what was tried.
func (d *RelationData) refused(op string, err error) error {
	if errors.Is(err, ErrPermission) {
		e := d.denied(op, err.Error())
		e.Err = err
		return e
	}
	return err
}

// MarshalJSON writes what identifies the relation. A custom event that holds one
// finds it again with [Model.GetRelationByID].
func (r *Relation) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Endpoint kith.EndpointName `json:"endpoint"`
		ID       kith.RelationID   `json:"id"`
	}{r.Endpoint, r.ID})
}
